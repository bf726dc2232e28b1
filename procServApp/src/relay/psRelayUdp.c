/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <dbDefs.h>
#include <epicsTime.h>

#include "psAddresses.h"
#include "psCaMessage.h"
#include "psRelayUdp.h"

#define DATAGRAM_BYTES 65536
#define BATCH 64 /* datagrams of one socket before the next one is served */

/* One address of this host. */
typedef struct psRelayAddress {
    ELLNODE node;
    psRelayWatch watch;
    psRelayUdp *owner;
    struct in_addr address;
    bool there; /* the host still has it */
} psRelayAddress;

/* ---- answers ---- */

static psRelayAddress *addressOf(psRelayUdp *self, uint32_t address)
{
    for (ELLNODE *node = ellFirst(&self->addresses); node; node = ellNext(node)) {
        psRelayAddress *local = CONTAINER(node, psRelayAddress, node);

        if (local->address.s_addr == address)
            return local;
    }
    return NULL;
}

/* Send an answer to the client that has the place, from the address that the client has sent to. */
static void answer(psRelayForward *forward, size_t len)
{
    psRelayUdp *self = forward->owner;
    const psRelayClient *client = &self->clients.clients[forward - self->forwards];
    psRelayAddress *local = addressOf(self, client->local);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = client->port, .sin_addr.s_addr = client->address};
    int answers = psCaCheckAnswers(self->buffer, len);
    bool sent = answers > 0 && local &&
                sendto(local->watch.fd, self->buffer, len, MSG_NOSIGNAL, (struct sockaddr *)&to,
                       sizeof(to)) == (ssize_t)len;

    psRelayGateAnswered(self->gate, answers, sent);
}

static void answersReady(psRelayWatch *watch, uint32_t events)
{
    psRelayForward *forward = CONTAINER(watch, psRelayForward, watch);

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        ssize_t len = recv(watch->fd, forward->owner->buffer, DATAGRAM_BYTES, 0);

        if (len < 0)
            return;
        answer(forward, (size_t)len);
    }
}

/* ---- searches ---- */

static void forget(psRelayUdp *self, int place)
{
    psRelayWatchClose(&self->forwards[place].watch);
    self->forwards[place].port = 0;
    psRelayClientsForget(&self->clients, place);
}

/* @return 0 or -errno */
static int openForward(psRelayForward *forward)
{
    struct sockaddr_in bound = {.sin_family = AF_INET};
    socklen_t size = sizeof(bound);
    int fd = psRelaySocketForward();

    if (fd < 0)
        return fd;
    int status = psRelayWatchOpen(&forward->watch, forward->owner->epoll, fd, answersReady);
    if (!status && getsockname(fd, (struct sockaddr *)&bound, &size))
        status = -errno;
    forward->port = bound.sin_port;
    return status;
}

/* A new client takes the place of one that has been quiet.  It gets a new socket, so that a late
 * answer for the former client does not reach it. */
static psRelayForward *forwardOf(psRelayUdp *self, const psRelayClient *client)
{
    bool isNew;
    int place = psRelayClientsPlace(&self->clients, client, &isNew);
    psRelayForward *forward = &self->forwards[place];

    if (!isNew)
        return forward;
    psRelayWatchClose(&forward->watch);
    if (!openForward(forward))
        return forward;
    forget(self, place);
    return NULL;
}

/* No socket of ours sends to an address that we receive at; should that ever change, by a rule of
 * the host's firewall for one, there is no circle. */
static bool isOwn(const psRelayUdp *self, const struct sockaddr_in *from)
{
    if (from->sin_addr.s_addr != htonl(INADDR_LOOPBACK))
        return false;
    for (int i = 0; i < PS_RELAY_CLIENTS; i++)
        if (self->forwards[i].port == from->sin_port)
            return true;
    return false;
}

static void passOn(psRelayAddress *local, const struct sockaddr_in *from, size_t len)
{
    psRelayUdp *self = local->owner;
    psRelayClient client = {
        .address = from->sin_addr.s_addr, .port = from->sin_port, .local = local->address.s_addr};
    int searches = psCaCheckSearches(self->buffer, len);

    if (!client.port || !client.address || isOwn(self, from))
        searches = -EBADMSG;
    if (!psRelayGatePass(self->gate, client.address, searches, (double)epicsMonotonicGet() * 1e-9))
        return;
    psRelayForward *forward = forwardOf(self, &client);
    int status = forward ? psRelaySocketToAll(forward->watch.fd, self->port, self->buffer, len)
                         : -ENOBUFS; /* no descriptor is left for it */
    psRelayGateSent(self->gate, searches, status);
}

static void searchesReady(psRelayWatch *watch, uint32_t events)
{
    psRelayAddress *local = CONTAINER(watch, psRelayAddress, watch);

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_in from;
        socklen_t size = sizeof(from);
        ssize_t len = recvfrom(watch->fd, local->owner->buffer, DATAGRAM_BYTES, 0,
                               (struct sockaddr *)&from, &size);

        if (len < 0)
            return;
        passOn(local, &from, (size_t)len);
    }
}

/* ---- addresses ---- */

static void leave(psRelayUdp *self, psRelayAddress *local)
{
    for (int place = 0; place < PS_RELAY_CLIENTS; place++)
        if (self->clients.clients[place].address &&
            self->clients.clients[place].local == local->address.s_addr)
            forget(self, place);
    psRelayWatchClose(&local->watch);
    ellDelete(&self->addresses, &local->node);
    free(local);
}

/* @return 0; -EBUSY: an IOC is bound to it; or another -errno */
static int join(psRelayUdp *self, struct in_addr address)
{
    if (ellCount(&self->addresses) >= PS_RELAY_ADDRESSES)
        return -ENOSPC;
    if (psRelaySocketIsTaken(address, self->port))
        return -EBUSY;
    psRelayAddress *local = calloc(1, sizeof(*local));
    int fd = local ? psRelaySocketSearches(address, self->port) : -ENOMEM;
    int status = fd < 0 ? fd : psRelayWatchOpen(&local->watch, self->epoll, fd, searchesReady);
    if (status) {
        free(local);
        return status;
    }
    local->owner = self;
    local->address = address;
    local->there = true;
    ellAdd(&self->addresses, &local->node);
    return 0;
}

static void note(psRelayFound *out, struct in_addr address, int status)
{
    if (status == -EBUSY) {
        if (!out->taken++)
            out->firstTaken = address;
    } else if (status) {
        if (!out->failed++)
            out->firstFailed = address;
        out->error = -status;
    }
}

int psRelayUdpFollow(psRelayUdp *self, psRelayFound *out)
{
    struct in_addr *addresses = NULL;
    size_t count = 0;
    psRelayFound found = {.serving = 0};
    int status = psAddressesGet(&addresses, &count);
    ELLNODE *next;

    if (status)
        return status;
    for (ELLNODE *node = ellFirst(&self->addresses); node; node = ellNext(node))
        CONTAINER(node, psRelayAddress, node)->there = false;
    for (size_t i = 0; i < count; i++) {
        psRelayAddress *local = addressOf(self, addresses[i].s_addr);

        if (local)
            local->there = true;
        else
            note(&found, addresses[i], join(self, addresses[i]));
    }
    for (ELLNODE *node = ellFirst(&self->addresses); node; node = next) {
        psRelayAddress *local = CONTAINER(node, psRelayAddress, node);

        next = ellNext(node);
        if (!local->there)
            leave(self, local);
    }
    free(addresses);
    found.serving = ellCount(&self->addresses);
    *out = found;
    return 0;
}

bool psRelayUdpIsServing(const psRelayUdp *self)
{
    return ellCount(&self->addresses) > 0;
}

void psRelayUdpLeave(psRelayUdp *self)
{
    ELLNODE *node;

    while ((node = ellFirst(&self->addresses)) != NULL)
        leave(self, CONTAINER(node, psRelayAddress, node));
}

bool psRelayUdpIsServed(const psRelayUdp *self, struct in_addr *outAddress)
{
    struct in_addr *addresses = NULL;
    size_t count = 0;
    bool served = true;

    if (psAddressesGet(&addresses, &count))
        return true;
    for (size_t i = 0; served && i < count && i < PS_RELAY_ADDRESSES; i++) {
        served = psRelaySocketIsTaken(addresses[i], self->port);
        *outAddress = addresses[i];
    }
    free(addresses);
    return served;
}

/* ---- life ---- */

int psRelayUdpOpen(psRelayUdp *self, int epoll, in_port_t port, psRelayGate *gate)
{
    memset(self, 0, sizeof(*self));
    self->epoll = epoll;
    self->port = port;
    self->gate = gate;
    for (int i = 0; i < PS_RELAY_CLIENTS; i++)
        self->forwards[i] = (psRelayForward){.watch = {.fd = -1}, .owner = self};
    self->buffer = malloc(DATAGRAM_BYTES);
    return self->buffer ? 0 : -ENOMEM;
}

void psRelayUdpClose(psRelayUdp *self)
{
    psRelayUdpLeave(self);
    free(self->buffer);
    self->buffer = NULL;
}
