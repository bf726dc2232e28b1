/* SPDX-License-Identifier: EPICS */
/** @file psSpawnRequest.h
 *  @brief What a start is asked to do, and the stages it goes through.
 */
#ifndef INC_psSpawnRequest_H
#define INC_psSpawnRequest_H

#include "process/psInherit.h"

/** Where a start failed. */
typedef enum psSpawnStage {
    psSpawnStageNone,   /**< it did not fail */
    psSpawnStagePty,    /**< no terminal could be opened */
    psSpawnStageThread, /**< no thread could be created */
    psSpawnStageFork,   /**< no process could be created */
    psSpawnStageWatch,  /**< its end could not be watched for */
    psSpawnStageTty,    /**< the terminal could not be made its own */
    psSpawnStageDir,    /**< chdir */
    psSpawnStageLimits, /**< resource limits or scheduling */
    psSpawnStageExec    /**< exec; ECANCELED: a kill came first */
} psSpawnStage;

/** What becomes the standard descriptors of the new process.  Not below 3, but for a terminal. */
typedef struct psSpawnFiles {
    int in;        /**< 0 */
    int out;       /**< 1 and 2 */
    bool terminal; /**< both are a terminal, which becomes the controlling one */
} psSpawnFiles;

/** What does not change from start to start.  All pointers must live as long as the user. */
typedef struct psSpawnRequest {
    const char *file; /**< searched in the child's PATH if it has no slash */
    char *const *argv;
    char *const *envp;
    const char *dir;    /**< NULL: stay */
    long coreSizeBytes; /**< -1: as inherited */
    const psInherit *inherit;
} psSpawnRequest;

#endif
