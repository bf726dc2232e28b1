/* SPDX-License-Identifier: EPICS */
/** @file psRunFile.h
 *  @brief A pid or info file: written at start, removed at the end.
 *
 *  A regular file appears with its whole content at once (written beside it, then renamed), so a
 *  reader never sees half of it.  A symbolic link is never followed: whoever may write to the
 *  directory must not choose what a supervisor run by root overwrites.  A device or pipe is
 *  written to and stays.
 *
 *  Thread: any, one at a time for each object.  Blocks: on the file system, maybe for ever.
 */
#ifndef INC_psRunFile_H
#define INC_psRunFile_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct psRunFile {
    const char *path; /* the caller's; must live as long */
    bool ours;        /* a regular file we made */
    dev_t dev;
    ino_t ino;
} psRunFile;
#define PS_RUN_FILE_INIT                                                                           \
    {                                                                                              \
        .ours = false                                                                              \
    }

/** Write the file.
 *  @param path not copied: it must live as long as @p self
 *  @return 0 or -errno; -ELOOP for a symbolic link.  A file that can only be written in place may
 * be half written then; psRunFileRemove() removes it */
int psRunFileWrite(psRunFile *self, const char *path, const char *text, size_t len);
/** Would psRunFileWrite() work?  Nothing is made for the question.  @return 0 or -errno */
int psRunFileCheck(const char *path);
/** Remove the file if it is still the one we wrote.  May be called twice. */
void psRunFileRemove(psRunFile *self);

#endif
