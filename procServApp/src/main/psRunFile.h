/* SPDX-License-Identifier: EPICS */
/** @file psRunFile.h
 *  @brief A pid or info file: written at start, locked while the program runs, removed at the end.
 *
 *  A regular file appears with its whole content at once (written beside it, then renamed), so a
 *  reader never sees half of it.  A symbolic link is never followed: whoever may write to the
 *  directory must not choose what a supervisor run by root overwrites.  A device or pipe is
 *  written to and stays.
 *
 *  The file belongs to the program that holds a lock on it (fcntl(2), open file description lock):
 *
 *  | lock       | means |
 *  |---|---|
 *  | write lock | the program runs: nobody else may have the file |
 *  | read lock  | the program is ending: whoever wants the file waits, PS_RUN_FILE_ENDING_SEC at
 * most | | none       | a program that was killed left it, or one that locks nothing: it is taken
 * over |
 *
 *  Only the owner of a file can get a write lock on it, so nobody who can merely read the file
 *  keeps us from starting.  A program that was asked to end a moment ago still holds its write
 * lock; so that is looked at for PS_RUN_FILE_RUNNING_SEC before it counts.
 *
 *  Thread: any, one at a time for each object.  Blocks: on the file system, maybe for ever.
 */
#ifndef INC_psRunFile_H
#define INC_psRunFile_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PS_RUN_FILE_RUNNING_SEC 2.0
#define PS_RUN_FILE_ENDING_SEC 20.0

typedef struct psRunFile {
    const char *path; /* the caller's; must live as long */
    bool ours;        /* a regular file we made */
    dev_t dev;
    ino_t ino;
    int lockFd;    /**< owned here, until the program ends; -1: not locked */
    int lockError; /**< errno of the lock that could not be had, as on some NFS servers; else 0 */
} psRunFile;
#define PS_RUN_FILE_INIT                                                                           \
    {                                                                                              \
        .lockFd = -1                                                                               \
    }

/** Wait until nobody else has the file; changes nothing.
 *  @param giveUp asked every few ms; true ends the wait
 *  @param outOwner on -EBUSY: the process that has the file, or 0 if that is not known
 *  Blocks: up to PS_RUN_FILE_RUNNING_SEC or PS_RUN_FILE_ENDING_SEC
 *  @return 0; -EBUSY: another program runs with it; -ECANCELED: @p giveUp said so.  A path that
 *  cannot be used is for psRunFileWrite() to report */
int psRunFileAwait(const char *path, bool (*giveUp)(void), pid_t *outOwner);
/** Write the file, and lock it.  Where the file system has no locks it is written all the same,
 *  and lockError is set.
 *  @param path not copied: it must live as long as @p self
 *  @param giveUp, outOwner as for psRunFileAwait(), which this does first
 *  @return 0 or -errno; -EBUSY and -ECANCELED as psRunFileAwait(); -ELOOP for a symbolic link.  A
 *  file that can only be written in place may be half written then; psRunFileRemove() removes it */
int psRunFileWrite(psRunFile *self, const char *path, const char *text, size_t len,
                   bool (*giveUp)(void), pid_t *outOwner);
/** Would psRunFileWrite() work?  Nothing is made for the question.
 *  @param outOwner as for psRunFileAwait()
 *  Blocks: as psRunFileAwait()
 *  @return 0 or -errno */
int psRunFileCheck(const char *path, pid_t *outOwner);
/** The program is ending: from now on whoever wants the file waits.  May be called while another
 *  thread calls psRunFileRemove(). */
void psRunFileYield(const psRunFile *self);
/** Remove the file if it is still the one we wrote.  The lock on it is kept until the program
 *  ends.  May be called twice. */
void psRunFileRemove(psRunFile *self);

#endif
