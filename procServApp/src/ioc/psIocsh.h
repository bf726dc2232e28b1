/* SPDX-License-Identifier: EPICS */
/** @file psIocsh.h
 *  @brief procServAdd and its sisters.
 */
#ifndef INC_psIocsh_H
#define INC_psIocsh_H

/** Register the commands with the IOC shell.  Thread: the one that registers record support.
 *  Later calls replace them by themselves. */
void psIocshRegister(void);

#endif
