/* SPDX-License-Identifier: EPICS */
/** @file psServeCheck.h
 *  @brief Checks of our own around iocInit.  Base suspends its caller or listens elsewhere when an
 *         interface list is wrong, and takes another port when one is busy, without an error.
 */
#ifndef INC_psServeCheck_H
#define INC_psServeCheck_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Is each item of the lists of interfaces a numeric address of this host, and one that Base's
 *  servers take?
 *  @return 0, or -EINVAL and what is wrong in @p msg */
int psCheckInterfaces(char *msg, size_t msgSize);

/** Are the UDP ports of the CA and the PVA server good numbers, and held by nobody else alone?
 *  @return 0, or -EINVAL and what is wrong in @p msg */
int psCheckPorts(char *msg, size_t msgSize);

/** The prefix of the child's records: as given, or from its name, made fit for record names.  A
 *  name that no link of a record can hold is refused.
 *  @return 0, or -EINVAL and what is wrong in @p msg */
int psMakePrefix(const char *given, const char *name, char *out, size_t size, char *msg,
                 size_t msgSize);

/** Which of our TCP sockets listen.  Allocated bit set over descriptors. */
typedef struct psListening psListening;
psListening *psListeningNow(void);

/** Do a CA and a PVA server run, on sockets that listen now and did not @p before?  Nothing is
 *  connected to: PVA's acceptor would then wait 5 s for the rest of the conversation.
 *  @return 0, or -ENOENT and who does not in @p msg */
int psCheckServers(const psListening *before, char *msg, size_t msgSize);

#ifdef __cplusplus
}
#endif
#endif
