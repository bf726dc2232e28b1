/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsTime.h>

#include "psCaMessage.h"
#include "psRelayStream.h"
#include "psRelayTcp.h"

#define IN_BYTES 4096
#define OUT_BYTES 16384
#define DATAGRAM_BYTES 65536
#define BATCH 64      /* connections or datagrams of one round */
#define PAUSE_SEC 1.0 /* until a descriptor may be free */
#define KEEPALIVE_SEC 60
#define DO_NOT_REPLY 5 /* the type of a search: a server without that name says nothing */

struct psRelayTcpClient {
    psRelayWatch watch;
    psRelayTcp *owner;
    psRelayTcpClient *nextDead;
    uint32_t number; /* its remainder by PS_RELAY_TCP_CLIENTS is the place in clients */
    struct in_addr local, peer;
    double greetBy;  /* INFINITY: it has sent its version */
    double searched; /* monotonic s: its last search, or its beginning */
    size_t inLen, outLen;
    uint8_t in[IN_BYTES], out[OUT_BYTES];
};

static double now(void)
{
    return (double)epicsMonotonicGet() * 1e-9;
}

/* ---- to the client ---- */

static void closeClient(psRelayTcpClient *client)
{
    psRelayTcp *self = client->owner;

    psRelayWatchClose(&client->watch);
    self->clients[client->number % PS_RELAY_TCP_CLIENTS] = NULL;
    client->nextDead = self->dead;
    self->dead = client;
}

/* @return false if there is no room */
static bool put(psRelayTcpClient *client, const psCaHeader *header, const uint8_t *payload)
{
    size_t len = PS_CA_HEADER_BYTES + (size_t)header->payloadBytes;

    if (len > OUT_BYTES - client->outLen)
        return false;
    psCaHeaderPut(client->out + client->outLen, header);
    if (header->payloadBytes)
        memcpy(client->out + client->outLen + PS_CA_HEADER_BYTES, payload, header->payloadBytes);
    client->outLen += len;
    return true;
}

/* Send what there is.  While the client has much to read, nothing is received from it. */
static void flush(psRelayTcpClient *client)
{
    ssize_t sent = send(client->watch.fd, client->out, client->outLen, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        closeClient(client);
        return;
    }
    if (sent > 0) {
        client->outLen -= (size_t)sent;
        memmove(client->out, client->out + sent, client->outLen);
    }
    psRelayWatchFor(&client->watch, client->owner->epoll,
                    client->outLen<OUT_BYTES / 2, client->outLen> 0);
}

/* ---- searches ---- */

static void sendBatch(psRelayTcp *self)
{
    if (self->batchSearches)
        psRelayGateSent(
            self->gate, self->batchSearches,
            psRelaySocketToAll(self->forward.fd, self->port, self->batch, self->batchLen));
    self->batchLen = 0;
    self->batchSearches = 0;
}

static void onSearch(void *ctx, const psCaHeader *header, const uint8_t *payload)
{
    static const psCaHeader version = {.command = psCaVersion, .count = PS_CA_MINOR};
    psRelayTcpClient *client = ctx;
    psRelayTcp *self = client->owner;
    psRelaySearch search = {.client = client->number, .id = header->available};
    psCaHeader own = *header;

    client->searched = now();
    if (!psRelayGatePass(self->gate, client->peer.s_addr, 1, client->searched))
        return;
    if (self->batchLen + PS_CA_HEADER_BYTES + header->payloadBytes > sizeof(self->batch))
        sendBatch(self);
    if (!self->batchLen) {
        psCaHeaderPut(self->batch, &version);
        self->batchLen = PS_CA_HEADER_BYTES;
    }
    own.type = DO_NOT_REPLY;
    own.cid = own.available = psRelayPendingAdd(&self->pending, &search);
    psCaHeaderPut(self->batch + self->batchLen, &own);
    memcpy(self->batch + self->batchLen + PS_CA_HEADER_BYTES, payload, own.payloadBytes);
    self->batchLen += PS_CA_HEADER_BYTES + (size_t)own.payloadBytes;
    self->batchSearches++;
}

static void onEcho(void *ctx, const psCaHeader *header, const uint8_t *payload)
{
    (void)put(ctx, header, payload); /* without room there are answers to read, which do as well */
}

static void onGreeted(void *ctx)
{
    ((psRelayTcpClient *)ctx)->greetBy = INFINITY;
}

/* @return false: it has ended, or sent what is not for a name server */
static bool readClient(psRelayTcpClient *client)
{
    const psRelayStreamSink sink = {onSearch, onEcho, onGreeted, client};
    ssize_t got = recv(client->watch.fd, client->in + client->inLen, IN_BYTES - client->inLen, 0);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    client->inLen += (size_t)got;
    int taken = psRelayStreamTake(client->in, client->inLen, &sink);
    sendBatch(client->owner);
    if (taken < 0)
        return false;
    client->inLen -= (size_t)taken;
    memmove(client->in, client->in + taken, client->inLen);
    return true;
}

static void clientReady(psRelayWatch *watch, uint32_t events)
{
    psRelayTcpClient *client = CONTAINER(watch, psRelayTcpClient, watch);
    bool good = !(events & EPOLLIN) || readClient(client);

    if (!good || (events & (EPOLLHUP | EPOLLERR)))
        closeClient(client);
    else if (client->outLen)
        flush(client);
}

/* ---- answers ---- */

static void passOn(psRelayTcp *self, const psCaHeader *header)
{
    psRelaySearch search = {.client = 0};
    psCaHeader own = {.command = psCaSearch, .type = header->type, .cid = header->cid};
    bool found = psRelayPendingFind(&self->pending, header->available, &search);
    psRelayTcpClient *client = self->clients[search.client % PS_RELAY_TCP_CLIENTS];
    bool sent = false;

    if (found && client && client->number == search.client) {
        own.available = search.id;
        if (own.cid == PS_CA_NO_ADDRESS)
            own.cid = ntohl(client->local.s_addr);
        sent = put(client, &own, NULL);
    }
    psRelayGateAnswered(self->gate, 1, sent);
}

static void takeAnswers(psRelayTcp *self, size_t len)
{
    const uint8_t *payload;
    psCaHeader header;
    size_t at = 0;
    int count = psCaCheckAnswers(self->buffer, len);

    if (count < 0)
        psRelayGateAnswered(self->gate, count, false);
    while (count > 0 && psCaNext(self->buffer, len, &at, &header, &payload) > 0)
        if (psCaIsAnswer(&header, payload))
            passOn(self, &header);
}

static void answersReady(psRelayWatch *watch, uint32_t events)
{
    psRelayTcp *self = CONTAINER(watch, psRelayTcp, forward);

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        ssize_t len = recv(watch->fd, self->buffer, DATAGRAM_BYTES, 0);

        if (len < 0)
            break;
        takeAnswers(self, (size_t)len);
    }
    for (int i = 0; i < PS_RELAY_TCP_CLIENTS; i++)
        if (self->clients[i] && self->clients[i]->outLen)
            flush(self->clients[i]);
}

/* ---- connections ---- */

/* A connection was closed that might have been of use. */
static void noteCrowd(psRelayTcp *self, struct in_addr peer)
{
    psRelayGateCrowded(self->gate);
    if (!self->crowded)
        self->firstCrowd = peer;
    self->crowded = true;
}

/* A place for a client of @p peer.  If its address has its share, or all places are taken, the
 * client that has not searched for the longest time is closed, of that address or of all. */
static int placeFor(psRelayTcp *self, struct in_addr peer)
{
    psRelayTcpClient *quietest = NULL, *quietestOfPeer = NULL;
    int place = -1, ofPeer = 0;

    for (int i = 0; i < PS_RELAY_TCP_CLIENTS; i++) {
        psRelayTcpClient *client = self->clients[i];

        if (!client) {
            place = i;
            continue;
        }
        if (!quietest || client->searched < quietest->searched)
            quietest = client;
        if (client->peer.s_addr != peer.s_addr)
            continue;
        ofPeer++;
        if (!quietestOfPeer || client->searched < quietestOfPeer->searched)
            quietestOfPeer = client;
    }
    psRelayTcpClient *evicted = ofPeer >= PS_RELAY_TCP_OF_ADDRESS ? quietestOfPeer
                                : place < 0                       ? quietest
                                                                  : NULL;
    if (!evicted)
        return place;
    place = (int)(evicted->number % PS_RELAY_TCP_CLIENTS);
    noteCrowd(self, evicted->peer);
    closeClient(evicted);
    return place;
}

/* If one of them cannot be set, a client that has crashed is noticed later. */
static void setOptions(int fd)
{
    int on = 1, idle = KEEPALIVE_SEC, times = 3;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}

static void greet(psRelayTcp *self, int fd, const struct sockaddr_in *peer)
{
    static const psCaHeader version = {.command = psCaVersion, .count = PS_CA_MINOR};
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t size = sizeof(local);
    psRelayTcpClient *client = malloc(sizeof(*client));

    if (!client || getsockname(fd, (struct sockaddr *)&local, &size)) {
        noteCrowd(self, peer->sin_addr);
        free(client);
        close(fd);
        return;
    }
    int place = placeFor(self, peer->sin_addr);
    client->owner = self;
    client->number = ++self->serial * PS_RELAY_TCP_CLIENTS + (uint32_t)place;
    client->local = local.sin_addr;
    client->peer = peer->sin_addr;
    client->searched = now();
    client->greetBy = client->searched + PS_RELAY_TCP_GREET_SEC;
    client->inLen = client->outLen = 0;
    setOptions(fd);
    if (psRelayWatchOpen(&client->watch, self->epoll, fd, clientReady)) {
        free(client);
        return;
    }
    self->clients[place] = client;
    (void)put(client, &version, NULL); /* there is room */
    flush(client);
}

static void listenerReady(psRelayWatch *watch, uint32_t events)
{
    psRelayTcp *self = CONTAINER(watch, psRelayTcp, listener);

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        int fd = accept4(watch->fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            greet(self, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            self->resumeAt = now() + PAUSE_SEC; /* else epoll would report it at once */
            psRelayWatchFor(watch, self->epoll, false, false);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* ---- life ---- */

int psRelayTcpOpen(psRelayTcp *self, int epoll, in_port_t port, psRelayGate *gate)
{
    memset(self, 0, sizeof(*self));
    self->epoll = epoll;
    self->port = port;
    self->gate = gate;
    self->listener.fd = self->forward.fd = -1;
    self->resumeAt = INFINITY;
    self->buffer = malloc(DATAGRAM_BYTES);
    if (!self->buffer)
        return -ENOMEM;
    int fd = psRelaySocketForward();
    int status = fd < 0 ? fd : psRelayWatchOpen(&self->forward, epoll, fd, answersReady);
    if (status)
        return status;
    fd = psRelaySocketListen(port);
    return fd < 0 ? fd : psRelayWatchOpen(&self->listener, epoll, fd, listenerReady);
}

bool psRelayTcpIsOpen(const psRelayTcp *self)
{
    return self->buffer && self->listener.fd >= 0;
}

static void freeDead(psRelayTcp *self)
{
    while (self->dead) {
        psRelayTcpClient *client = self->dead;

        self->dead = client->nextDead;
        free(client);
    }
}

double psRelayTcpTidy(psRelayTcp *self, double time)
{
    freeDead(self);
    if (self->resumeAt <= time) {
        self->resumeAt = INFINITY;
        psRelayWatchFor(&self->listener, self->epoll, true, false);
    }
    double due = self->resumeAt;
    for (int i = 0; i < PS_RELAY_TCP_CLIENTS; i++) {
        psRelayTcpClient *client = self->clients[i];

        if (client && client->greetBy <= time)
            closeClient(client);
        else if (client && client->greetBy < due)
            due = client->greetBy;
    }
    freeDead(self);
    return due;
}

void psRelayTcpClose(psRelayTcp *self)
{
    for (int i = 0; i < PS_RELAY_TCP_CLIENTS; i++)
        if (self->clients[i])
            closeClient(self->clients[i]);
    freeDead(self);
    if (self->buffer) {
        psRelayWatchClose(&self->listener);
        psRelayWatchClose(&self->forward);
    }
    free(self->buffer);
    self->buffer = NULL;
}
