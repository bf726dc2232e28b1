/* SPDX-License-Identifier: EPICS */
/** @file psAddressLists.h
 *  @brief The address lists of Base's servers: EPICS_CAS_INTF_ADDR_LIST and its like.
 *
 *  What Base accepts is accepted here: numeric addresses and names of hosts, each with :PORT or
 *  without, by the same function of libCom.  But an item that Base cannot use suspends the
 *  thread that called iocInit(), or makes Base throw, or listen on every interface.  So such an
 *  item is removed from the list in the environment, and reported; the other items still work.
 */
#ifndef INC_psAddressLists_H
#define INC_psAddressLists_H

#include <stddef.h>

#include "psServeOptions.h"

/** Look at every list in our environment, and remove what cannot be used.  Each item removed
 *  is one warning through @p report: "VARIABLE: ITEM ...: ignored".  A second call finds nothing.
 *  Thread: the one that builds the IOC, or main.  Blocks: while names of hosts are looked up.
 *  @return 0; -EADDRNOTAVAIL if a list of interfaces was given and nothing of it can be used: then
 *          the list is as before, and @p msg says so; -ENOMEM */
int psAddressListsFix(psReportFn report, void *ctx, char *msg, size_t msgSize);

#endif
