/* SPDX-License-Identifier: EPICS */
/** @file psRunFiles.h
 *  @brief The pid file and the info file of the program, and what is reported about them.
 *
 *  A pid file that another program has ends the start.  An info file never does, whatever is wrong
 *  with it.  Thread: main, except where stated.  Blocks: as psRunFile.h says.
 */
#ifndef INC_psRunFiles_H
#define INC_psRunFiles_H

#include "psRunFile.h"
#include "psSup.h"

typedef struct psRunFiles {
    const char *argv0;
    psRunFile pid, info; /**< .path: NULL if there is to be none */
} psRunFiles;
#define PS_RUN_FILES_INIT                                                                          \
    {                                                                                              \
        .pid = PS_RUN_FILE_INIT, .info = PS_RUN_FILE_INIT                                          \
    }

/** Wait until nobody else has the pid file, before anything is opened: the program whose place we
 *  take may still be ending.
 *  @return 0; -EBUSY: another program runs with it, which has been reported; -ECANCELED: a signal
 *          asks for the end */
int psRunFilesAwait(psRunFiles *files);
/** Write both files.  What goes wrong has been reported.  @return as psRunFilesAwait() */
int psRunFilesWrite(psRunFiles *files, psSup *sup);
/** See psRunFileYield().  Thread: any. */
void psRunFilesYield(const psRunFiles *files);
/** See psRunFileRemove().  Thread: any, one at a time. */
void psRunFilesRemove(psRunFiles *files);

#endif
