/* SPDX-License-Identifier: EPICS */
/** @file psIocCompat.h
 *  @brief How procServControl's records behave, told from the status of a child.
 *
 *  procServControl presses keys on a console, as far as they fit the state that it has read there.
 *  Pure.
 */
#ifndef INC_psIocCompat_H
#define INC_psIocCompat_H

#include "psIocTarget.h"

/** STATUS.  procServControl's number 2, "procServ Stopped", is none of ours: without us there is no
 *  record. */
typedef enum psCompatState {
    psCompatRunning,
    psCompatShutdown, /**< also while an automatic start is due */
    psCompatStopped,
    psCompatInvalid /**< there is no child of that name */
} psCompatState;
psCompatState psCompatStateOf(const psStatus *now);
/** AUTORESTART: is it restarted after any end?  procServ says ON then. */
bool psCompatAutoRestarts(const psStatus *now);

/** @name What a put leads to. @{ */
void psCompatStop(const psStatus *now, psTargetPlan *out);
void psCompatRestart(const psStatus *now, psTargetPlan *out);
void psCompatToggle(const psStatus *now, psTargetPlan *out);
/** @} */

#endif
