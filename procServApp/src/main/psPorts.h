/* SPDX-License-Identifier: EPICS */
/** @file psPorts.h
 *  @brief Where CA and PVA clients look for us: a UDP port each, which any number of Base's
 *         servers share, but which somebody else may hold alone.  Base suspends the thread that
 *         starts its CA server then, and its PVA server is never found.
 */
#ifndef INC_psPorts_H
#define INC_psPorts_H

#include <stddef.h>

/** Are both UDP ports good numbers, and free for Base's servers?  To be asked when the lists of
 *  interfaces are good (psAddressListsFix()).
 *  Thread: the one that builds the IOC, or main.  Blocks: never.
 *  @return 0, or -EINVAL and what is wrong in @p msg */
int psPortsCheck(char *msg, size_t msgSize);

#endif
