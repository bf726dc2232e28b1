/* SPDX-License-Identifier: EPICS */
/*
 * What callers of other threads ask for: each request becomes an item of the queue and runs on
 * the loop thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "base/psLog.h"
#include "model/psVerb.h"
#include "sup/psSupAll.h"
#include "sup/psSupChildren.h"
#include "sup/psSupEnd.h"

typedef struct psRequest {
    psQueueItem item;
    psSup *sup;
    psChild *child; /* NULL: all, or none meant */
    void (*fn)(struct psRequest *request);
    psCommand cmd;
    psDoneFn done;
    void *ctx;
    int fd;
    char *text; /* owned */
} psRequest;

static void freeRequest(psRequest *request)
{
    free(request->text);
    free(request);
}

static void runRequest(psQueueItem *item)
{
    psRequest *request = CONTAINER(item, psRequest, item);

    request->fn(request);
    freeRequest(request);
}

static void cancelRequest(psQueueItem *item)
{
    psRequest *request = CONTAINER(item, psRequest, item);

    if (request->done)
        request->done(request->ctx, psCmdFailed, "shutting down");
    if (request->fd >= 0)
        close(request->fd);
    freeRequest(request);
}

static psRequest *newRequest(psSup *sup, psChild *child, void (*fn)(psRequest *request))
{
    psRequest *request = calloc(1, sizeof(*request));

    if (!request)
        return NULL;
    request->item.run = runRequest;
    request->item.cancel = cancelRequest;
    request->sup = sup;
    request->child = child;
    request->fn = fn;
    request->fd = -1;
    return request;
}

/* Takes the request, also on failure. */
static int put(psSup *sup, psRequest *request)
{
    if (!request)
        return -ENOMEM;
    int status = psQueuePut(sup->queue, &request->item);
    if (status) {
        if (request->fd >= 0)
            close(request->fd);
        freeRequest(request);
    }
    return status;
}

static void doCommand(psRequest *request)
{
    request->cmd.text = request->text;
    psSupEndJoin(request->sup, request->child);
    psChildCommand(request->child, &request->cmd, request->done, request->ctx);
}

static void doAll(psRequest *request)
{
    request->cmd.text = request->text;
    psSupAllBegin(request->sup, &request->cmd, request->done, request->ctx);
}

static void doDenied(psRequest *request)
{
    if (request->child)
        psChildDenied(request->child, &request->cmd, request->text);
    else
        psSupAllDenied(request->sup, &request->cmd, request->text);
    if (request->done)
        request->done(request->ctx, psCmdDenied, request->text);
}

static void doTell(psRequest *request)
{
    psChildNotice(request->child, request->text);
}

static void doTellAll(psRequest *request)
{
    psChild *child;

    psSupLogLine(&request->sup->log, request->text);
    for (int i = 0; (child = psSupAt(request->sup, i)); i++)
        psChildNotice(child, request->text);
}

static void doPvs(psRequest *request)
{
    psChildSetPvs(request->child, request->text);
}

static void doPrefix(psRequest *request)
{
    psChildSetPrefix(request->child, request->text);
}

static void doStart(psRequest *request)
{
    if (request->sup->phase == psPhaseUp)
        psChildStart(request->child);
}

static void doTerminal(psRequest *request)
{
    int fd = request->fd;

    request->fd = -1; /* owned by the client, also on failure */
    if (psChildAddTerminal(request->child, fd)) {
        psLogPrintf("%s: the terminal cannot be used as a console: out of memory",
                    psChildName(request->child));
        return;
    }
    request->sup->terminalChild = request->child;
    psSupFitTerminal(request->sup);
}

void psSupFitTerminal(psSup *sup)
{
    unsigned cols, rows;

    psLoopAssertInside(sup->loop);
    if (sup->terminalChild && psTerminalSize(&sup->terminal, &cols, &rows) == 0)
        psChildSizeTerminal(sup->terminalChild, cols, rows);
}

/* ---- public ---- */

int psSupStartChild(psSup *sup, psChild *child)
{
    return put(sup, newRequest(sup, child, doStart));
}

static psRequest *textRequest(psSup *sup, psChild *child, const char *text,
                              void (*fn)(psRequest *request))
{
    psRequest *request = newRequest(sup, child, fn);
    size_t size = strlen(text) + 1;

    if (!request)
        return NULL;
    request->text = malloc(size);
    if (!request->text) {
        freeRequest(request);
        return NULL;
    }
    memcpy(request->text, text, size);
    return request;
}

static int submit(psSup *sup, psChild *child, void (*fn)(psRequest *request), const psCommand *cmd,
                  psDoneFn done, void *ctx)
{
    if (psVerbCheck(cmd->verb, cmd->value) || psVerbCheckText(cmd->verb, cmd->text))
        return -EINVAL;
    psRequest *request =
        cmd->text ? textRequest(sup, child, cmd->text, fn) : newRequest(sup, child, fn);
    if (!request)
        return -ENOMEM;
    request->cmd = *cmd;
    if (!request->cmd.by[0])
        epicsSnprintf(request->cmd.by, sizeof(request->cmd.by), "local");
    request->done = done;
    request->ctx = ctx;
    return put(sup, request);
}

int psSupSubmit(psSup *sup, psChild *child, const psCommand *cmd, psDoneFn done, void *ctx)
{
    return submit(sup, child, doCommand, cmd, done, ctx);
}

int psSupSubmitAll(psSup *sup, const psCommand *cmd, psDoneFn done, void *ctx)
{
    return submit(sup, NULL, doAll, cmd, done, ctx);
}

int psSupTell(psSup *sup, psChild *child, const char *text)
{
    return put(sup, textRequest(sup, child, text, doTell));
}

int psSupTellAll(psSup *sup, const char *text)
{
    return put(sup, textRequest(sup, NULL, text, doTellAll));
}

int psSupSetPvs(psSup *sup, psChild *child, const char *text)
{
    return put(sup, textRequest(sup, child, text, doPvs));
}

int psSupSetPrefix(psSup *sup, psChild *child, const char *prefix)
{
    return put(sup, textRequest(sup, child, prefix, doPrefix));
}

int psSupDenied(psSup *sup, psChild *child, const psCommand *cmd, const char *reason, psDoneFn done,
                void *ctx)
{
    psRequest *request = textRequest(sup, child, reason, doDenied);
    char line[PS_TEXT_BYTES];

    epicsSnprintf(line, sizeof(line), "%s: put by %s refused: %s",
                  child ? psChildName(child) : "all children", cmd->by, reason);
    psSupLogLine(&sup->log, line);

    if (request) {
        request->cmd = *cmd;
        request->done = done;
        request->ctx = ctx;
    }
    return put(sup, request);
}

int psSupAttachTerminal(psSup *sup, psChild *child, int fd)
{
    int io;
    int status = psTerminalTake(&sup->terminal, fd, &io);

    if (status)
        return status;
    psRequest *request = newRequest(sup, child, doTerminal);
    if (!request) {
        close(io);
        return -ENOMEM;
    }
    request->fd = io;
    return put(sup, request);
}

void psSupShutdown(psSup *sup)
{
    atomic_fetch_add(&sup->shutdownsAsked, 1);
    psLoopPost(sup->loop, &sup->shutdownJob); /* past the queue, which may be full */
}

void psSupRaise(psSup *sup, int signo)
{
    psLoopRaise(sup->loop, signo);
}
