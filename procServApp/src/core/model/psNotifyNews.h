/* SPDX-License-Identifier: EPICS */
/** @file psNotifyNews.h
 *  @brief What a message of sd_notify(3) says.  Pure.
 */
#ifndef INC_psNotifyNews_H
#define INC_psNotifyNews_H

#include <stdbool.h>
#include <stddef.h>

#include "base/psTypes.h"

/** The assignments that mean something here; all others are ignored, as systemd does. */
typedef struct psNotifyNews {
    bool ready;                 /**< READY=1 */
    bool reloading;             /**< RELOADING=1 */
    bool stopping;              /**< STOPPING=1 */
    bool hasStatus;             /**< STATUS=... */
    char status[PS_TEXT_BYTES]; /**< printable, valid UTF-8 */
    bool watchdog;              /**< WATCHDOG=1 */
    bool watchdogTrigger;       /**< WATCHDOG=trigger: it has found itself hung */
    double extendSec;           /**< EXTEND_TIMEOUT_USEC=..., at most a day; 0: not given */
} psNotifyNews;

/** Take a message apart: lines NAME=VALUE, of which the last one of a name counts.  What cannot be
 *  understood in a line makes that line mean nothing.
 *  @return 0, or -EBADMSG if it is no text: it has a NUL; then @p out is not touched */
int psNotifyNewsParse(const char *bytes, size_t len, psNotifyNews *out);

#endif
