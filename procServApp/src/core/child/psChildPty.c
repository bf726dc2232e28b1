/* SPDX-License-Identifier: EPICS */
/*
 * The child's terminal: output from it into the console, typed bytes and keys towards it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "child/psChildPvt.h"
#include "base/psLog.h"

#define READ_ROUND_BYTES 65536 /* of the pty in one round */
/* Less than that is all there was, most likely: the clients get it before we look again.  A read
 * that finds nothing has the kernel flush its queues first, at the price of the read itself. */
#define READ_SHORT_BYTES 1024
#define DRAIN_EXTRA_BYTES 65536 /* more than was there at the exit: writers of other sessions */

/* ---- output ---- */

static void ptyReady(void *ctx, unsigned events);

void psChildWatchPty(psChild *child, bool mayRead)
{
    unsigned events = (mayRead ? EPOLLIN : 0u) | (child->input.len > 0 ? EPOLLOUT : 0u);

    if (child->pty.master < 0)
        return;
    if (child->ptyWatch.loop) {
        psLoopModify(&child->ptyWatch, events);
    } else {
        int status =
            psLoopWatch(child->loop, &child->ptyWatch, child->pty.master, events, ptyReady, child);

        if (status)
            psLogPrintf("%s: cannot watch its terminal: %s", child->name, strerror(-status));
    }
}

static void ptyReady(void *ctx, unsigned events)
{
    psChild *child = ctx;
    size_t left = events & EPOLLIN ? READ_ROUND_BYTES : 0;
    long n = READ_SHORT_BYTES;

    if (events & EPOLLOUT)
        psInputWrite(&child->input, child->pty.master);
    /* Room is looked for before each read: with stamps, one may fill a ring. */
    while (left > 0 && n >= READ_SHORT_BYTES && psConsoleMayRead(&child->console)) {
        n = psConsoleReadFrom(&child->console, child->pty.master, left);
        if (n > 0)
            left -= (size_t)n;
    }
    psChildWatchPty(child, psConsoleMayRead(&child->console));
}

/* What the child left in its terminal.  The kernel shows all of it once the child is a zombie;
 * processes of other sessions that still write could keep us here for ever, hence a bound. */
void psChildDrainPty(psChild *child)
{
    int there = 0;
    long n = 1;

    if (child->pty.master < 0)
        return;
    if (ioctl(child->pty.master, FIONREAD, &there))
        there = 0;
    size_t left = (size_t)there + DRAIN_EXTRA_BYTES;
    while (left > 0 && n > 0) {
        n = psConsoleReadFrom(&child->console, child->pty.master, left);
        if (n > 0)
            left -= (size_t)n;
    }
}

void psChildClosePty(psChild *child)
{
    psLoopUnwatch(&child->ptyWatch);
    psPtyClose(&child->pty);
    psInputClear(&child->input);
}

void psChildSendInput(psChild *child)
{
    if (child->pid == 0 || child->pty.master < 0)
        return; /* it follows when the start is confirmed */
    psInputWrite(&child->input, child->pty.master);
    psChildWatchPty(child, !child->console.waiting);
}

void psChildSendStopInput(psChild *child)
{
    const psConfig *cfg = child->cfg;
    struct termios mode;
    char *bytes = malloc(cfg->stopInputLen + 1);

    if (!bytes)
        return; /* the next stage comes all the same */
    /* Behind the kill-line character a half-typed line can't spoil it. */
    bytes[0] = 'U' & 037;
    if (tcgetattr(child->pty.slave, &mode) == 0 && mode.c_cc[VKILL] != 0)
        bytes[0] = (char)mode.c_cc[VKILL];
    memcpy(bytes + 1, cfg->stopInput, cfg->stopInputLen);
    psInputPutFirst(&child->input, bytes, cfg->stopInputLen + 1);
    free(bytes);
    psChildSendInput(child);
}

/* ---- keys ---- */

static void keyCommand(psChild *child, const psClient *client, psVerb verb, double value)
{
    psCommand cmd = {.verb = verb, .value = value, .reason = psReasonConsole};

    epicsSnprintf(cmd.by, sizeof(cmd.by), "console %s", client->peer);
    psChildCommand(child, &cmd, NULL, NULL);
}

static void killKey(psChild *child, const psClient *client)
{
    psReportKillKey(child);
    keyCommand(child, client, psMachineAtRest(&child->machine) ? psVerbStart : psVerbKill, 0);
}

static void toggleKey(psChild *child, const psClient *client)
{
    static const psMode next[psModeCount] = {
        [psModeAlways] = psModeNever,
        [psModeOnFailure] = psModeNever,
        [psModeNever] = psModeOneShot,
        [psModeOneShot] = psModeAlways,
    };

    keyCommand(child, client, psVerbMode, next[child->machine.settings.mode]);
}

static void quitKey(psChild *child)
{
    const char *whyNot = NULL;

    if (!child->ops->quit(child->ctx, &whyNot))
        psReportNotice(child, "%s", whyNot);
}

/* @return true if the byte was a key */
static bool isKey(psChild *child, psClient *client, unsigned char byte)
{
    const psConfig *cfg = child->cfg;

    if (byte == 0)
        return false; /* 0 stands for a disabled key */
    if (byte == cfg->killKey)
        killKey(child, client);
    else if (byte == cfg->toggleKey)
        toggleKey(child, client);
    else if (byte == cfg->logoutKey)
        psClientClose(client, false);
    else if (psMachineAtRest(&child->machine) && byte == ('R' & 037))
        keyCommand(child, client, psVerbStart, 0);
    else if (psMachineAtRest(&child->machine) && byte == ('Q' & 037))
        quitKey(child);
    else
        return false;
    return true;
}

static void takeTyped(psChild *child, psClient *client, const uint8_t *bytes, size_t len)
{
    psInput *input = &child->input;
    size_t taken = psInputPut(input, bytes, len);

    if (taken < len && !input->fullTold) {
        input->fullTold = true;
        psReportInputFull(client, len - taken);
    }
    if (input->lineLen > PS_CANONICAL_BYTES && !input->tooLongTold && psPtyCanonical(&child->pty)) {
        input->tooLongTold = true;
        psReportLineTooLong(client);
    }
    psChildSendInput(child);
}

/* Keys are acted on first, wherever they stand in what came; the rest goes to the child, but
 * for what --ignore names. */
void psChildTyped(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psChild *child = ctx;
    bool present = child->pty.master >= 0; /* for what was typed: a key may start one */
    uint8_t pass[1024];
    size_t passLen = 0;

    if (client->cols && (client->cols != child->cols || client->rows != child->rows)) {
        child->cols = client->cols;
        child->rows = client->rows;
        psPtySetSize(&child->pty, child->cols, child->rows);
    }
    for (size_t i = 0; i < len; i++) {
        if (!isKey(child, client, bytes[i]) && !child->cfg->ignore[bytes[i]])
            pass[passLen++] = bytes[i];
        if (passLen == sizeof(pass) || (i + 1 == len && passLen > 0)) {
            if (present && child->pty.master >= 0)
                takeTyped(child, client, pass, passLen);
            passLen = 0;
        }
    }
}

/* The size is that of the client that typed last; the only client needs not type. */
void psChildSized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psChild *child = ctx;

    for (ELLNODE *node = ellFirst(&child->console.clients); node; node = ellNext(node)) {
        const psClient *other = CONTAINER(node, psClient, node);

        if (other != client && !other->readOnly && other->typedMono > client->typedMono)
            return;
    }
    child->cols = cols;
    child->rows = rows;
    psPtySetSize(&child->pty, cols, rows);
}
