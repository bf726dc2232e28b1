/* SPDX-License-Identifier: EPICS */
/** @file psRunFile.h
 *  @brief A pid or info file: written at start, locked while the program runs, removed at the end.
 *
 *  A regular file appears with its whole content at once (written beside it, then renamed), so a
 *  reader never sees half of it.  A symbolic link is never followed: whoever may write to the
 *  directory must not choose what a supervisor run by root overwrites.  A device or pipe is
 *  written to and stays.
 *
 *  The file belongs to the program that holds a write lock on it (fcntl(2), open file description
 *  lock).  While the program runs the lock is on the whole file, and nobody else may have the file.
 *  Once the program is ending the lock leaves out the first byte, and whoever wants the file waits.
 *  Without a lock a program that was killed left the file, or one that locks nothing: it is taken
 *  over.
 *
 *  A write lock needs the right to write.  Read locks count for nothing, so nobody who can merely
 *  read the file keeps us from starting; where the file can only be written in place, a read lock
 *  keeps us from locking it (lockError).  A program that was asked to end a moment ago still holds
 *  its whole lock, so that one is looked at for PS_RUN_FILE_RUNNING_SEC before it counts.
 *
 *  Thread: any, one at a time for each object.  Blocks: on the file system, maybe for ever.
 */
#ifndef INC_psRunFile_H
#define INC_psRunFile_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Both since the first look at the file, whichever function takes it. */
#define PS_RUN_FILE_RUNNING_SEC 2.0
#define PS_RUN_FILE_ENDING_SEC 20.0

typedef struct psRunFile {
    const char *path; /**< set by the caller; must live as long */
    double beginSec;  /* of the first look; 0: none yet */
    bool ours;        /* a regular file we made */
    dev_t dev;
    ino_t ino;
    int lockFd;    /**< owned here, until the program ends; -1: not locked */
    int lockError; /**< errno of the lock that could not be had, else 0.  EAGAIN: somebody has one
                    */
} psRunFile;
#define PS_RUN_FILE_INIT                                                                           \
    {                                                                                              \
        .lockFd = -1                                                                               \
    }

/** Wait until nobody else has the file, which is not changed.
 *  @param giveUp asked every few ms; true ends the wait
 *  @param outOwner on -EBUSY: the process that has the file, or 0 if that is not known
 *  Blocks: until PS_RUN_FILE_RUNNING_SEC or PS_RUN_FILE_ENDING_SEC after the first look
 *  @return 0; -EBUSY: another program runs with it; -ECANCELED: @p giveUp said so.  A path that
 *  cannot be used is for psRunFileWrite() to report */
int psRunFileAwait(psRunFile *self, bool (*giveUp)(void), pid_t *outOwner);
/** Write the file, and lock it.  Where it cannot be locked it is written all the same, and
 *  lockError is set.
 *  @param giveUp, outOwner as for psRunFileAwait(), which this does first
 *  Blocks: as psRunFileAwait()
 *  @return 0 or -errno; -EBUSY and -ECANCELED as psRunFileAwait(); -ELOOP for a symbolic link.  A
 *  file that can only be written in place may be half written then; psRunFileRemove() removes it */
int psRunFileWrite(psRunFile *self, const char *text, size_t len, bool (*giveUp)(void),
                   pid_t *outOwner);
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
