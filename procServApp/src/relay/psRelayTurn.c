/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>

#include "psRelayTurn.h"

#define WHO_BYTES 64

/* Another process has the lock, and we do not receive. */
static void standBy(psRelayTurn *out, const psRelayLock *lock, const psRelayUdp *udp, bool moment)
{
    char who[WHO_BYTES], name[INET_ADDRSTRLEN];
    struct in_addr missing = {.s_addr = 0};

    psRelayLockName(lock, who, sizeof(who));
    if (psRelayUdpIsServed(udp, &missing)) {
        if (psRelayLockIsStopped(lock))
            epicsSnprintf(out->problem, sizeof(out->problem), "%s is to relay, and is stopped",
                          who);
        else
            epicsSnprintf(out->text, sizeof(out->text), "standing by: %s relays", who);
    } else if (moment) {
        epicsSnprintf(out->text, sizeof(out->text),
                      "another relay of this host is just starting or ending");
    } else if (psRelayLockIsTrusted(lock)) {
        inet_ntop(AF_INET, &missing, name, sizeof(name));
        epicsSnprintf(out->problem, sizeof(out->problem),
                      "%s is to relay, and does not receive at %s", who, name);
    } else {
        out->isOurs = true;
    }
}

void psRelayTurnTake(psRelayTurn *out, psRelayLock *lock, psRelayUdp *udp, bool moment)
{
    char who[WHO_BYTES];

    memset(out, 0, sizeof(*out));
    int status = psRelayLockTake(lock, udp->epoll, ntohs(udp->port));
    if (!status) {
        out->isOurs = true;
        return;
    }
    out->again = true;
    if (status != -EBUSY && status != -ECONNREFUSED && status != -EAGAIN) {
        epicsSnprintf(out->problem, sizeof(out->problem), "cannot find out about other relays: %s",
                      strerror(-status));
        return;
    }
    if (psRelayUdpIsServing(udp) && !psRelayLockIsTrusted(lock))
        out->isOurs = true;
    if (!out->isOurs) {
        psRelayUdpLeave(udp); /* else it would be us who are found there */
        standBy(out, lock, udp, moment);
    }
    if (!out->isOurs)
        return;
    psRelayLockName(lock, who, sizeof(who));
    epicsSnprintf(out->claim, sizeof(out->claim), "%s has the lock of relays, and does not relay",
                  who);
}
