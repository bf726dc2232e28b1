/* SPDX-License-Identifier: EPICS */
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/psLog.h"
#include "child/psChildPty.h"
#include "child/psChildReady.h"
#include "child/psChildText.h"
#include "child/psChildWatch.h"

#define READ_ROUND_BYTES 65536 /* of the pty in one round */
/* Less than that is all there was, most likely: the clients get it before we look again.  A read
 * that finds nothing has the kernel flush its queues first, at the price of the read itself. */
#define READ_SHORT_BYTES 1024
#define DRAIN_EXTRA_BYTES 65536 /* more than was there at the exit: writers of other sessions */

static void ptyReady(void *ctx, unsigned events);

void psChildPtyWatch(psChild *child, bool mayRead)
{
    unsigned events = (mayRead ? EPOLLIN : 0u) | (child->input.len > 0 ? EPOLLOUT : 0u);

    psLoopAssertInside(child->loop);
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

/* Typists that had to wait go on once there is room for another piece. */
static void writeTyped(psChild *child)
{
    psInputWrite(&child->input, child->pty.master, psLoopNow(child->loop));
    if (psInputRoom(&child->input) >= 2 * PS_INPUT_SPARE_BYTES)
        psClientsResumeTyping(&child->console.clients);
}

static void ptyReady(void *ctx, unsigned events)
{
    psChild *child = ctx;
    size_t left = events & EPOLLIN ? READ_ROUND_BYTES : 0;
    size_t all = left;
    long n = READ_SHORT_BYTES;

    if (events & EPOLLOUT)
        writeTyped(child);
    /* Room is looked for before each read: with stamps, one may fill a ring. */
    while (left > 0 && n >= READ_SHORT_BYTES && psConsoleMayRead(&child->console)) {
        n = psConsoleReadFrom(&child->console, child->pty.master, left);
        if (n > 0) {
            left -= (size_t)n;
            psChildReadyPrinted(child, (size_t)n);
        }
    }
    psChildPtyWatch(child, psConsoleMayRead(&child->console));
    if (left < all)
        psChildWatchSign(child, psWatchSilent);
}

/* What the child left in its terminal.  The kernel shows all of it once the child is a zombie;
 * processes of other sessions that still write could keep us here for ever, hence a bound. */
void psChildPtyDrain(psChild *child)
{
    int there = 0;
    long n = 1;

    psLoopAssertInside(child->loop);
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

void psChildPtyClose(psChild *child)
{
    psLoopUnwatch(&child->ptyWatch);
    psPtyClose(&child->pty);
    psInputClear(&child->input);
    psClientsResumeTyping(&child->console.clients);
}

void psChildPtySend(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (child->pid == 0 || child->pty.master < 0)
        return; /* it follows when the start is confirmed */
    writeTyped(child);
    psChildPtyWatch(child, !child->console.output.waiting);
}

void psChildPtySendStopInput(psChild *child)
{
    const psConfig *cfg = child->cfg;
    struct termios mode;
    char kill = 'U' & 037;

    psLoopAssertInside(child->loop);
    /* After the kill-line character, a half-typed line cannot spoil it. */
    if (tcgetattr(child->pty.slave, &mode) == 0 && mode.c_cc[VKILL] != 0)
        kill = (char)mode.c_cc[VKILL];
    if (!psInputPutFirst(&child->input, cfg->stopInput, cfg->stopInputLen) ||
        !psInputPutFirst(&child->input, &kill, 1))
        psChildTextNotice(child, "out of memory: the stop input is not sent");
    psChildPtySend(child);
}

void psChildPtySetSize(psChild *child, unsigned cols, unsigned rows)
{
    psLoopAssertInside(child->loop);
    child->cols = cols;
    child->rows = rows;
    psPtySetSize(&child->pty, cols, rows);
}

int psChildPtyOpen(psChild *child, const char **outCall)
{
    psLoopAssertInside(child->loop);
    int status = psPtyOpen(&child->pty, outCall);

    if (status == 0)
        psPtySetSize(&child->pty, child->cols, child->rows);
    return status;
}
