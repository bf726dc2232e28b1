/* SPDX-License-Identifier: EPICS */
/** @file psProcfs.h
 *  @brief What /proc says of processes: numbers of processes, and of one its stat, io, limits and
 *  descriptors.
 *
 *  Only files that the kernel makes up without touching a file system are read: never cwd, exe, or
 *  what a descriptor leads to, which may be on a file server that does not answer.
 *  A process may end between any two calls: -ESRCH or -ENOENT.
 *  Thread: any, one at a time for each object.  Blocks: never for long, but see psSupStat.h.
 */
#ifndef INC_psProcfs_H
#define INC_psProcfs_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct psProcfs {
    DIR *dir;    /* NULL: not open */
    bool isProc; /**< it is the kernel's, so that its numbers are those of system calls */
} psProcfs;

/** Of /proc/PID/stat.  Ticks are of sysconf(_SC_CLK_TCK). */
typedef struct psProcStat {
    pid_t pid, parent, session;
    char state; /**< 'Z': a zombie, or its main thread has ended */
    int threads;
    uint64_t cpuTicks;   /**< user and system, all threads */
    uint64_t kidsTicks;  /**< of its children that it has waited for, and theirs */
    uint64_t startTicks; /**< since boot: pid and this are unique */
    uint64_t sizeBytes;  /**< virtual */
    uint64_t rssBytes;
} psProcStat;

/** @param root a directory like /proc; NULL: /proc.  @return 0 or -errno */
int psProcfsOpen(psProcfs *self, const char *root);
/** May be called twice, and on an object of zeros. */
void psProcfsClose(psProcfs *self);
/** Begin anew: the next psProcfsNext() gives the first process. */
void psProcfsRewind(psProcfs *self);
/** @return the number of one more process; 0: there are no more */
pid_t psProcfsNext(psProcfs *self);

/** Take the text of a stat apart.  The name in it may hold parentheses, blanks and line feeds.
 *  @return false: it is cut off, or not like a stat; *out is undefined */
bool psProcfsParseStat(const char *text, psProcStat *out);
/** Does it still run?  A zombie does not, unless only its main thread has ended. */
bool psProcfsIsLive(const psProcStat *stat);

/** @name One process; pid 0 is the caller.  @return 0 or -errno; -EBADMSG: not understood @{ */
int psProcfsStat(const psProcfs *self, pid_t pid, psProcStat *out);
/** Bytes read and written by system calls so far, also by children that it has waited for.
 *  -EACCES: only their own user and root may know */
int psProcfsIo(const psProcfs *self, pid_t pid, uint64_t *outRead, uint64_t *outWritten);
/** How many descriptors it may have; INT_MAX: no limit. */
int psProcfsFdMax(const psProcfs *self, pid_t pid, int *outMax);
/** How many it has. */
int psProcfsFds(const psProcfs *self, pid_t pid, int *outCount);
/** How likely the kernel ends it when memory runs out: 0...2000. */
int psProcfsOomScore(const psProcfs *self, pid_t pid, int *outScore);
/** @} */

#endif
