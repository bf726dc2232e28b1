/* SPDX-License-Identifier: EPICS */
/** @file psClients.h
 *  @brief All connections of one console: who they are, how many, and what each of them is given.
 *
 *  Thread: loop, but for psClientsInit().  Nothing blocks.
 */
#ifndef INC_psClients_H
#define INC_psClients_H

#include <ellLib.h>

#include "console/psClient.h"
#include "console/psConsoleOutput.h"
#include "loop/psLoop.h"

typedef struct psClientsOps {
    /** How many bytes can be typed now?  0: none until psClientsResumeTyping(). */
    size_t (*room)(void *ctx, psClient *client);
    /** Typed by a console that may type. */
    void (*typed)(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
    /** Its window size. */
    void (*size)(void *ctx, psClient *client, unsigned cols, unsigned rows);
    /** Append the banner for a new client. */
    void (*banner)(void *ctx, psText *out, bool readOnly);
    /** It has come.  It is counted already. */
    void (*came)(void *ctx, psClient *client);
    /** It has gone, or types no more: it is not counted any more. */
    void (*went)(void *ctx, psClient *client);
    /** It speaks @p protocol and is closed. */
    void (*foreign)(void *ctx, psClient *client, const char *protocol);
    /** Have psClientsPump() called at the end of this round. */
    void (*wake)(void *ctx);
} psClientsOps;

typedef struct psClients {
    const psClientsOps *ops;
    void *ctx;
    psLoop *loop;
    psConsoleOutput *output; /* what they read */
    ELLLIST list;            /**< psClient.node */
    ELLLIST dead;            /* psClient.node: freed by psClientsPump() */
    int users, loggers;      /**< counted */
    int terminals;           /**< of users: not counted against the limit */
    uint64_t lostBytes;      /* of those that are gone */
    bool typistsHeld;        /* there was no room for what somebody types */
} psClients;

/** @param output must live as long, as must @p ops */
void psClientsInit(psClients *clients, psLoop *loop, psConsoleOutput *output,
                   const psClientsOps *ops, void *ctx);
/** A further one on @p fd, which is taken, also on failure.
 *  @return NULL without memory, or if it cannot be watched */
psClient *psClientsAdd(psClients *clients, int fd, psClientKind kind, bool readOnly,
                       const char *peer);
/** Give each of them one chance to be sent something; free those that are gone. */
void psClientsPump(psClients *clients);
/** There may be room for what is typed. */
void psClientsResumeTyping(psClients *clients);
/** The one that made no progress for the longest, at least 10 s; NULL: none.
 *  @param outSince monotonic s; untouched if there is none */
psClient *psClientsMostStalled(psClients *clients, double *outSince);
/** How many connections there are, counted or not. */
int psClientsCount(const psClients *clients);
/** Bytes that did not reach slow ones, of those that are connected and those that are gone.  A loss
 *  counts as soon as the bytes are overwritten. */
uint64_t psClientsLost(const psClients *clients);
/** Append who they are, the newest first: "10.0.0.7:40112 since 2026-11-23 15:49:52", with "; "
 *  between them.  Those that only read have ", reads only" after that. */
void psClientsPrint(const psClients *clients, psText *out);
/** Close all.
 *  @param afterSending once they got what was printed; otherwise at once, and all are freed */
void psClientsClose(psClients *clients, bool afterSending);

#endif
