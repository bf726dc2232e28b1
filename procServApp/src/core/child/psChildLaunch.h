/* SPDX-License-Identifier: EPICS */
/** @file psChildLaunch.h
 *  @brief The command line and the environment of a child, made once for all its starts.
 */
#ifndef INC_psChildLaunch_H
#define INC_psChildLaunch_H

#include "model/psConfig.h"

typedef struct psChildLaunch {
    const char *file; /**< to be executed */
    char **argv;      /**< owned array; the strings are the configuration's */
    char **envp;      /**< owned, as are its strings */
} psChildLaunch;
#define PS_CHILD_LAUNCH_INIT                                                                       \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

/** @param cfg  must live as long as @p out
 *  @param envp copied, but for PROCSERV_INFO and what systemd meant for us alone
 *  @param info the new PROCSERV_INFO, without that name
 *  @param notify NOTIFY_SOCKET; NULL: none
 *  @return 0 or -ENOMEM: then @p out is empty */
int psChildLaunchInit(psChildLaunch *out, const psConfig *cfg, char *const *envp, const char *info,
                      const char *notify);
/** May be called twice. */
void psChildLaunchClear(psChildLaunch *launch);

#endif
