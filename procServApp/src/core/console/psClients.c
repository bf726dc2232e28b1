/* SPDX-License-Identifier: EPICS */
#include <dbDefs.h>

#include "console/psClients.h"

#define STALLED_SEC 10.0

void psClientsInit(psClients *clients, psLoop *loop, psConsoleOutput *output,
                   const psClientsOps *ops, void *ctx)
{
    *clients = (psClients){.ops = ops, .ctx = ctx, .loop = loop, .output = output};
    ellInit(&clients->list);
    ellInit(&clients->dead);
}

/* ---- who is counted ---- */

static void count(psClients *clients, const psClient *client, int by)
{
    if (client->readOnly)
        clients->loggers += by;
    else
        clients->users += by;
    if (client->kind == psClientTerminal)
        clients->terminals += by;
}

static void left(void *ctx, psClient *client)
{
    psClients *clients = ctx;

    count(clients, client, -1);
    clients->ops->went(clients->ctx, client);
}

/* ---- what a client reports ---- */

static size_t room(void *ctx, psClient *client)
{
    psClients *clients = ctx;
    size_t len = clients->ops->room(clients->ctx, client);

    if (len == 0)
        clients->typistsHeld = true;
    return len;
}

static void typed(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psClients *clients = ctx;

    clients->ops->typed(clients->ctx, client, bytes, len);
}

static void sized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psClients *clients = ctx;

    if (!client->readOnly)
        clients->ops->size(clients->ctx, client, cols, rows);
}

static void foreign(void *ctx, psClient *client, const char *protocol)
{
    psClients *clients = ctx;

    clients->ops->foreign(clients->ctx, client, protocol);
}

static void closed(void *ctx, psClient *client)
{
    psClients *clients = ctx;

    ellDelete(&clients->list, &client->node);
    ellAdd(&clients->dead, &client->node);
    psFlowRemove(psConsoleOutputFlow(clients->output, client->readOnly), &client->sender.reader);
    clients->lostBytes += psSenderLost(&client->sender);
    if (!client->inputOver)
        left(clients, client);
    psConsoleOutputProgress(clients->output);
    clients->ops->wake(clients->ctx); /* frees it */
}

static void progress(void *ctx, psClient *client)
{
    psClients *clients = ctx;

    (void)client;
    psConsoleOutputProgress(clients->output);
}

static const psClientOps clientOps = {
    .room = room,
    .input = typed,
    .size = sized,
    .foreign = foreign,
    .left = left,
    .closed = closed,
    .progress = progress,
};

/* ---- life ---- */

psClient *psClientsAdd(psClients *clients, int fd, psClientKind kind, bool readOnly,
                       const char *peer)
{
    psText banner = PS_TEXT_INIT;
    psFlow *flow = psConsoleOutputFlow(clients->output, readOnly);
    psClient *client =
        psClientCreate(clients->loop, fd, kind, readOnly, peer, &flow->ring, &clientOps, clients);

    if (!client)
        return NULL;
    psClockWall(psLoopClock(clients->loop), &client->since);
    clients->ops->banner(clients->ctx, &banner, readOnly); /* counts the others only */
    ellAdd(&clients->list, &client->node);
    psFlowAdd(flow, &client->sender.reader);
    if (!readOnly)
        client->sender.reader.offset = psConsoleOutputHistory(clients->output);
    count(clients, client, 1);
    psClientSend(client, banner.data, banner.failed ? 0 : banner.len);
    psClientGreet(client);
    psTextClear(&banner);
    psClientPump(client, psLoopNow(clients->loop));
    clients->ops->came(clients->ctx, client);
    return client;
}

static void freeDead(psClients *clients)
{
    ELLNODE *node;

    while ((node = ellGet(&clients->dead)))
        psClientFree(CONTAINER(node, psClient, node));
}

void psClientsPump(psClients *clients)
{
    double now = psLoopNow(clients->loop);
    ELLNODE *node = ellFirst(&clients->list);

    freeDead(clients);
    while (node) {
        psClient *client = CONTAINER(node, psClient, node);

        node = ellNext(node); /* a client may close while it is pumped */
        psClientPump(client, now);
    }
}

void psClientsResumeTyping(psClients *clients)
{
    if (!clients->typistsHeld)
        return;
    clients->typistsHeld = false;
    for (ELLNODE *node = ellFirst(&clients->list); node; node = ellNext(node))
        psClientResume(CONTAINER(node, psClient, node));
}

psClient *psClientsMostStalled(psClients *clients, double *outSince)
{
    psClient *stalled = NULL;
    double since = psLoopNow(clients->loop) - STALLED_SEC;

    for (ELLNODE *node = ellFirst(&clients->list); node; node = ellNext(node)) {
        psClient *client = CONTAINER(node, psClient, node);

        if (client->sender.blocked && client->progressMono < since) {
            since = client->progressMono;
            stalled = client;
        }
    }
    if (stalled)
        *outSince = since;
    return stalled;
}

int psClientsCount(const psClients *clients)
{
    return ellCount(&clients->list);
}

uint64_t psClientsLost(const psClients *clients)
{
    uint64_t lost = clients->lostBytes;

    for (ELLNODE *node = ellFirst(&clients->list); node; node = ellNext(node))
        lost += psSenderLost(&CONTAINER(node, psClient, node)->sender);
    return lost;
}

void psClientsPrint(const psClients *clients, psText *out)
{
    for (ELLNODE *node = ellLast(&clients->list); node; node = ellPrevious(node)) {
        const psClient *client = CONTAINER(node, psClient, node);
        char time[32];

        psClockFormat(&client->since, "%Y-%m-%d %H:%M:%S", time, sizeof(time));
        psTextPrintf(out, "%s%s since %s%s", out->len > 0 ? "; " : "", client->peer, time,
                     client->readOnly ? ", reads only" : "");
    }
}

void psClientsClose(psClients *clients, bool afterSending)
{
    ELLNODE *node = ellFirst(&clients->list);

    while (node) {
        psClient *client = CONTAINER(node, psClient, node);

        node = ellNext(node);
        psClientClose(client, afterSending);
    }
    if (!afterSending)
        freeDead(clients);
}
