/* SPDX-License-Identifier: EPICS */
/* The relay's thread: it waits in epoll_wait(), for ever unless something is to be tried again.
 * psRelayUdp and psRelayTcp do the work.  This file decides when, and reports the outcome. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <compilerDependencies.h>
#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsTime.h>

#include "psAddresses.h"
#include "psCaRelay.h"
#include "psRelayGate.h"
#include "psRelayLock.h"
#include "psRelayTcp.h"
#include "psRelayTurn.h"
#include "psRelayUdp.h"
#include "psThread.h"

#define EVENTS 64      /* of one round */
#define RETRY_SEC 10.0 /* until what does not work is tried again */
#define FAILED_SEC 1.0 /* until a search that could not be sent is looked into */
#define SOON_SEC 0.2   /* until what is just changing is looked at ... */
#define SOON_TRIES 3   /* ... so often */

typedef struct relay {
    psCaRelayOptions options;
    unsigned short port;
    epicsThreadId thread;
    int epoll;
    psRelayWatch stop;    /* eventfd, readable: end the thread */
    psRelayWatch changes; /* of addresses */
    /* thread psCaRelay only */
    psRelayLock lock;
    psRelayUdp udp;
    psRelayTcp tcp;
    double due;     /* when to look at everything again; INFINITY: never */
    int soonTries;  /* left */
    int sendError;  /* of the last search, when everything was looked at; 0: it was sent */
    bool crowdSeen; /* what psRelayTcp says of it, when everything was looked at */
    bool ending;
    double tidyDue; /* of the name server's connections */
    /* reported last; empty: none */
    char problem[PS_CA_RELAY_TEXT_BYTES];
    char busy[PS_CA_RELAY_TEXT_BYTES];  /* of the TCP port */
    char claim[PS_CA_RELAY_TEXT_BYTES]; /* of another process that has the lock */
} relay;

static struct {
    psOnceMutex lock; /* guards state and text; leaf */
    psCaRelayState state;
    char text[PS_CA_RELAY_TEXT_BYTES];
    psRelayGate gate; /* its counters outlive the relay */
    relay *running;   /* NULL: none; thread: psCaRelayStart()'s */
} pvt = {.lock = PS_ONCE_MUTEX_INIT, .text = "not started"};

/* ---- status ---- */

static void setStatus(psCaRelayState state, const char *text)
{
    if (!psOnceMutexLock(&pvt.lock))
        return;
    pvt.state = state;
    epicsSnprintf(pvt.text, sizeof(pvt.text), "%s", text);
    psOnceMutexUnlock(&pvt.lock);
}

void psCaRelaySetOff(const char *why)
{
    setStatus(psCaRelayOff, why);
}

void psCaRelayStatusGet(psCaRelayStatus *out)
{
    memset(out, 0, sizeof(*out));
    out->searches = atomic_load(&pvt.gate.searches);
    out->answers = atomic_load(&pvt.gate.answers);
    out->dropped = atomic_load(&pvt.gate.dropped);
    if (!psOnceMutexLock(&pvt.lock))
        return;
    out->state = pvt.state;
    epicsSnprintf(out->text, sizeof(out->text), "%s", pvt.text);
    psOnceMutexUnlock(&pvt.lock);
}

const char *psCaRelayStateName(psCaRelayState state)
{
    static const char *const names[] = {"Off", "Udp", "Full", "Error"};

    return (size_t)state < NELEMENTS(names) ? names[state] : "?";
}

void psCaRelayReport(FILE *out, int level)
{
    psCaRelayStatus status;

    psCaRelayStatusGet(&status);
    fprintf(out, "CA search relay: %s: %s\n", psCaRelayStateName(status.state), status.text);
    if (level > 0)
        fprintf(out, "  passed on: %llu searches, %llu answers; dropped: %llu\n", status.searches,
                status.answers, status.dropped);
}

/* ---- what it does ---- */

static double now(void)
{
    return (double)epicsMonotonicGet() * 1e-9;
}

static void lookIn(relay *self, double sec)
{
    double due = now() + sec;

    if (due < self->due)
        self->due = due;
}

/* What is just starting or ending may need a moment: look again soon, later seldom. */
static void lookAgain(relay *self)
{
    if (self->soonTries > 0) {
        self->soonTries--;
        lookIn(self, SOON_SEC);
    } else {
        lookIn(self, RETRY_SEC);
    }
}

static void append(char *text, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);
static void append(char *text, const char *fmt, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, fmt);
    epicsVsnprintf(text + len, PS_CA_RELAY_TEXT_BYTES - len, fmt, args);
    va_end(args);
}

static void nameOf(struct in_addr address, char out[INET_ADDRSTRLEN])
{
    inet_ntop(AF_INET, &address, out, INET_ADDRSTRLEN);
}

static bool isOurTurn(relay *self, char *text, char *problem, char *claim)
{
    psRelayTurn turn;

    psRelayTurnTake(&turn, &self->lock, &self->udp, self->soonTries > 0);
    append(text, "%s", turn.text);
    append(problem, "%s", turn.problem);
    append(claim, "%s", turn.claim);
    if (turn.again)
        lookAgain(self);
    return turn.isOurs;
}

/* Receive at all addresses, or stand by.
 * @param problem what is wrong; left empty if all is well
 * @param claim what is wrong with another process, and does not keep us from it; likewise */
static void serveUdp(relay *self, char *text, char *problem, char *claim)
{
    psRelayFound found = {.serving = 0};
    char name[INET_ADDRSTRLEN];

    if (!isOurTurn(self, text, problem, claim))
        return;
    int status = psRelaySocketTest();
    if (status) {
        append(problem, "127.255.255.255 does not reach this host: %s", strerror(-status));
        lookIn(self, RETRY_SEC);
        return;
    }
    status = psRelayUdpFollow(&self->udp, &found);
    if (status)
        append(problem, "the addresses of this host are unknown: %s", strerror(-status));
    else
        append(text, "searches at %d address%s, port %u", found.serving,
               found.serving == 1 ? "" : "es", self->port);
    if (found.taken) {
        nameOf(found.firstTaken, name);
        append(text, "; not at %s, which is an IOC's own", name);
    }
    if (found.failed) {
        nameOf(found.firstFailed, name);
        append(problem, "cannot receive searches at %s: %s", name,
               found.error == ENOSPC ? "this host has too many" : strerror(found.error));
    }
    if (*claim)
        append(text, "; %s", claim);
    if (status || found.taken || found.failed)
        lookAgain(self);
}

/* Could the last search be sent?  What could not be stays a problem until another one is sent. */
static void checkSent(relay *self, char *problem)
{
    self->sendError = pvt.gate.error;
    if (self->sendError && !*problem)
        append(problem, "cannot pass searches on: %s", strerror(self->sendError));
}

/* Has the name server had to close connections?  That stays said as long as it is there. */
static void checkCrowd(relay *self, char *text, char *busy)
{
    char name[INET_ADDRSTRLEN];

    self->crowdSeen = self->tcp.crowded;
    if (!self->crowdSeen)
        return;
    nameOf(self->tcp.firstCrowd, name);
    append(busy, "name server: too many connections, quiet ones were closed, first of %s", name);
    append(text, "; too many connections, quiet ones were closed, first of %s", name);
}

/* Listen, unless somebody else does: then again later.
 * @param busy why there is no name server */
static void serveTcp(relay *self, char *text, char *busy)
{
    int status = 0;

    if (!self->options.full)
        return;
    if (!psRelayTcpIsOpen(&self->tcp))
        status = psRelayTcpOpen(&self->tcp, self->epoll, htons(self->port), &pvt.gate);
    if (!status) {
        append(text, "; name server on TCP port %u", self->port);
        checkCrowd(self, text, busy);
        return;
    }
    psRelayTcpClose(&self->tcp);
    append(busy, "no name server: TCP port %u: %s", self->port,
           status == -EADDRINUSE ? "another server has it" : strerror(-status));
    append(text, "; %s", busy);
    lookIn(self, RETRY_SEC);
}

/* @param before what was reported of it last */
static void report(relay *self, char *before, const char *problem, const char *text)
{
    char line[2 * PS_CA_RELAY_TEXT_BYTES];

    if (strcmp(problem, before) == 0)
        return;
    epicsSnprintf(before, PS_CA_RELAY_TEXT_BYTES, "%s", problem);
    if (*problem)
        epicsSnprintf(line, sizeof(line), "CA search relay: %s", problem);
    else
        epicsSnprintf(line, sizeof(line), "CA search relay works again: %s", text);
    if (self->options.report)
        self->options.report(self->options.ctx, line);
}

static void look(relay *self)
{
    char text[PS_CA_RELAY_TEXT_BYTES] = "", problem[PS_CA_RELAY_TEXT_BYTES] = "";
    char busy[PS_CA_RELAY_TEXT_BYTES] = "", claim[PS_CA_RELAY_TEXT_BYTES] = "";

    self->due = INFINITY;
    serveUdp(self, text, problem, claim);
    checkSent(self, problem);
    serveTcp(self, text, busy);
    if (*problem)
        setStatus(psCaRelayError, problem);
    else
        setStatus(psRelayTcpIsOpen(&self->tcp) ? psCaRelayFull : psCaRelayUdp, text);
    report(self, self->problem, problem, text);
    report(self, self->busy, busy, text);
    report(self, self->claim, claim, text);
}

/* ---- the thread ---- */

static void stopReady(psRelayWatch *watch, uint32_t events)
{
    (void)events;
    CONTAINER(watch, relay, stop)->ending = true;
}

static void changesReady(psRelayWatch *watch, uint32_t events)
{
    relay *self = CONTAINER(watch, relay, changes);

    (void)events;
    if (psAddressesDrain(watch->fd))
        psRelayWatchClose(watch); /* from now on they are looked at by time */
    self->soonTries = SOON_TRIES;
    lookIn(self, SOON_SEC); /* an interface comes with several messages */
}

/* @return ms, -1 for ever */
static int timeout(const relay *self)
{
    double due = self->due < self->tidyDue ? self->due : self->tidyDue;
    double left = due - now();

    if (isinf(left))
        return -1;
    return left > 0 ? (int)(left * 1e3) + 1 : 0;
}

static void relayThread(void *arg)
{
    relay *self = arg;
    struct epoll_event events[EVENTS];

    while (!self->ending) {
        int count = epoll_wait(self->epoll, events, EVENTS, timeout(self));

        for (int i = 0; i < count; i++) {
            psRelayWatch *watch = events[i].data.ptr;

            if (watch->fd >= 0)
                watch->ready(watch, events[i].events);
        }
        if (psRelayLockIsLost(&self->lock)) {
            self->soonTries = SOON_TRIES;
            self->due = now();
        }
        if (pvt.gate.error && !self->sendError)
            lookIn(self, FAILED_SEC);
        else if (!pvt.gate.error && self->sendError)
            lookIn(self, RETRY_SEC); /* which does not follow each one of many that change */
        if (psRelayTcpIsOpen(&self->tcp) && self->tcp.crowded && !self->crowdSeen)
            self->due = now();
        if (self->due <= now() && !self->ending)
            look(self);
        if (self->changes.fd < 0)
            lookIn(self, RETRY_SEC);
        self->tidyDue = psRelayTcpIsOpen(&self->tcp) ? psRelayTcpTidy(&self->tcp, now()) : INFINITY;
    }
}

/* ---- life ---- */

static void freeRelay(relay *self)
{
    if (!self)
        return;
    psRelayTcpClose(&self->tcp);
    psRelayUdpClose(&self->udp);
    psRelayLockClose(&self->lock);
    psRelayWatchClose(&self->changes);
    psRelayWatchClose(&self->stop);
    if (self->epoll >= 0)
        close(self->epoll);
    free(self);
}

/* @return 0 or -errno; what was opened is in @p self all the same */
static int openRelay(relay *self)
{
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0)
        return -errno;
    int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int status = stop < 0 ? -errno : psRelayWatchOpen(&self->stop, self->epoll, stop, stopReady);
    if (status)
        return status;
    int changes = psAddressesOpen(); /* before the addresses are read: no change is missed */
    if (changes >= 0)
        (void)psRelayWatchOpen(&self->changes, self->epoll, changes, changesReady);
    return psRelayUdpOpen(&self->udp, self->epoll, htons(self->port), &pvt.gate);
}

static int start(const psCaRelayOptions *options)
{
    relay *self = calloc(1, sizeof(*self));

    if (!self)
        return -ENOMEM;
    self->options = *options;
    self->port = psCaRelayPort();
    pvt.gate.ignoredCount = psCaRelayIgnored(pvt.gate.ignored, PS_RELAY_IGNORED);
    self->epoll = self->stop.fd = self->changes.fd = -1;
    self->soonTries = SOON_TRIES;
    psRelayLockInit(&self->lock);
    int status = openRelay(self);
    self->thread = status ? NULL
                          : psThreadCreate("psCaRelay", epicsThreadPriorityMedium,
                                           epicsThreadStackMedium, relayThread, self);
    if (self->thread) {
        pvt.running = self;
        return 0;
    }
    freeRelay(self);
    return status ? status : -EAGAIN;
}

int psCaRelayStart(const psCaRelayOptions *options)
{
    char text[PS_CA_RELAY_TEXT_BYTES];
    const char *why;

    if (pvt.running)
        return -EALREADY;
    if (!psCaRelayIsUseful(&why)) {
        psCaRelaySetOff(why);
        return 0;
    }
    setStatus(psCaRelayUdp, "starting");
    int status = start(options);
    if (status) {
        epicsSnprintf(text, sizeof(text), "cannot start: %s", strerror(-status));
        setStatus(psCaRelayError, text);
    }
    return status;
}

void psCaRelayStop(void)
{
    relay *self = pvt.running;
    uint64_t one = 1;

    if (!self)
        return;
    while (write(self->stop.fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    epicsThreadMustJoin(self->thread);
    freeRelay(self);
    pvt.running = NULL;
    psCaRelaySetOff("stopped");
}
