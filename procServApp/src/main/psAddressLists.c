/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dbDefs.h>
#include <envDefs.h>
#include <epicsStdio.h>
/* it declares a function as f() */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <osiSock.h>
#pragma GCC diagnostic pop

#include "psAddressLists.h"

#define SEPARATORS " \t\n\r" /* Base's */

/* What is done with the addresses of a list. */
typedef enum listUse {
    sendTo,    /* any address will do */
    listenCa,  /* sockets are bound to them; multicast groups are joined */
    listenPva, /* one only, which an interface must have */
} listUse;

typedef struct addressList {
    const char *variable;
    listUse use;
} addressList;

/* One list while it is looked at. */
typedef struct scan {
    const addressList *list;
    psReportFn report; /* NULL: only count */
    void *ctx;
    char first[PS_REASON_BYTES]; /* what is wrong with the first item left out */
    char *kept;                  /* the list as it will be */
    size_t size;
    int count;    /* items kept */
    bool any;     /* one of them is 0.0.0.0 */
    bool changed; /* the kept list differs from what was given */
} scan;

/* ---- is an address fit? ---- */

/* Can a socket be bound to it?  Then it is an address of this host.  Without a socket to try it
 * with nothing is held against the address. */
static bool isLocal(struct in_addr address)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = address};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool local = fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;

    if (fd >= 0)
        close(fd);
    return local;
}

/* Base's PVA server looks for an interface that has it: one can bind to 127.0.0.2, too, but no
 * interface has it. */
static bool hasInterface(struct in_addr address)
{
    struct ifaddrs *all = NULL;
    bool found = address.s_addr == htonl(INADDR_ANY);

    if (getifaddrs(&all))
        return isLocal(address);
    for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        const struct sockaddr_in *in = (const void *)i->ifa_addr;

        found = in && in->sin_family == AF_INET && in->sin_addr.s_addr == address.s_addr;
    }
    freeifaddrs(all);
    return found;
}

/* Has the list this address already?  Base would bind to it twice, and look for a port that lets
 * it for ever. */
static bool isKept(const scan *self, struct in_addr address)
{
    char copy[INET_ADDRSTRLEN];
    struct sockaddr_in other;

    for (const char *item = self->kept; *item; item += strspn(item, SEPARATORS)) {
        size_t len = strcspn(item, SEPARATORS);

        epicsSnprintf(copy, sizeof(copy), "%.*s", (int)strcspn(item, ":" SEPARATORS), item);
        if (aToIPAddr(copy, 0, &other) == 0 && other.sin_addr.s_addr == address.s_addr)
            return true;
        item += len;
    }
    return false;
}

/* NULL: it can stay. */
static const char *whyNot(const scan *self, struct in_addr address)
{
    bool any = address.s_addr == htonl(INADDR_ANY);

    if (self->list->use == sendTo)
        return NULL;
    if (self->list->use == listenPva) {
        if (!hasInterface(address))
            return "is not an address of this host";
        return self->count ? "is not the first, and PVA accepts only one address" : NULL;
    }
    if (IN_MULTICAST(ntohl(address.s_addr)))
        return NULL;
    if (!isLocal(address))
        return "is not an address of this host";
    if (self->any)
        return "is one of all the addresses that 0.0.0.0 stands for";
    if (any && self->count)
        return "stands for all addresses, but the list names some";
    return isKept(self, address) ? "appears twice" : NULL;
}

/* ---- one list ---- */

static void keep(scan *self, const char *item, const struct sockaddr_in *address)
{
    char numeric[INET_ADDRSTRLEN + 8];
    size_t len = strlen(self->kept);
    struct in_addr as;
    char plain[INET_ADDRSTRLEN];

    epicsSnprintf(plain, sizeof(plain), "%.*s", (int)strcspn(item, ":"), item);
    if (self->list->use != sendTo && inet_pton(AF_INET, plain, &as) != 1) {
        /* a name: what it stands for must not change until Base looks it up */
        inet_ntop(AF_INET, &address->sin_addr, plain, sizeof(plain));
        epicsSnprintf(numeric, sizeof(numeric), "%s%s", plain,
                      strchr(item, ':') ? strchr(item, ':') : "");
        item = numeric;
        self->changed = true;
    }
    epicsSnprintf(self->kept + len, self->size - len, "%s%s", len ? " " : "", item);
    self->count++;
    self->any = self->any || address->sin_addr.s_addr == htonl(INADDR_ANY);
}

static void leaveOut(scan *self, const char *item, const char *why)
{
    char line[PS_REASON_BYTES];

    self->changed = true;
    if (!self->first[0])
        epicsSnprintf(self->first, sizeof(self->first), "%s: %s %s", self->list->variable, item,
                      why);
    if (!self->report)
        return;
    epicsSnprintf(line, sizeof(line), "%s: %s %s: ignored", self->list->variable, item, why);
    self->report(self->ctx, false, line);
}

/* Takes @p items apart. */
static void look(scan *self, char *items)
{
    char *save = NULL;

    for (char *item = strtok_r(items, SEPARATORS, &save); item;
         item = strtok_r(NULL, SEPARATORS, &save)) {
        struct sockaddr_in address;
        const char *why = "is neither an address nor the name of a host";

        if (aToIPAddr(item, 0, &address) == 0)
            why = whyNot(self, address.sin_addr);
        if (why)
            leaveOut(self, item, why);
        else
            keep(self, item, &address);
    }
}

/* @return the number of items kept, or -ENOMEM */
static int lookAt(scan *self, const char *value)
{
    /* a name may become longer as a number, and needs one byte more for what parts it */
    self->size = strlen(value) * (INET_ADDRSTRLEN + 1) + 1;
    self->kept = calloc(1, self->size);
    char *items = strdup(value);
    if (!self->kept || !items) {
        free(items);
        return -ENOMEM;
    }
    look(self, items);
    free(items);
    return self->count;
}

static int fix(const addressList *list, psReportFn report, void *ctx, char *msg, size_t msgSize)
{
    const char *value = getenv(list->variable);
    scan trial = {.list = list};
    scan self = {.list = list, .report = report, .ctx = ctx};

    if (!value || !value[strspn(value, SEPARATORS)])
        return 0;
    /* Nothing is left out, and no warning given, where nothing would be left. */
    int status = lookAt(&trial, value);
    if (status == 0 && list->use != sendTo) {
        epicsSnprintf(msg, msgSize, "%s", trial.first);
        status = -EADDRNOTAVAIL;
    } else if (status >= 0) {
        status = trial.changed ? lookAt(&self, value) : 0;
    }
    if (status > 0 || (status == 0 && self.changed))
        epicsEnvSet(list->variable, self.kept);
    if (status == -ENOMEM)
        epicsSnprintf(msg, msgSize, "out of memory");
    free(trial.kept);
    free(self.kept);
    return status < 0 ? status : 0;
}

int psAddressListsFix(psReportFn report, void *ctx, char *msg, size_t msgSize)
{
    static const addressList lists[] = {
        {"EPICS_CAS_INTF_ADDR_LIST", listenCa},  {"EPICS_CAS_BEACON_ADDR_LIST", sendTo},
        {"EPICS_CAS_IGNORE_ADDR_LIST", sendTo},  {"EPICS_PVAS_INTF_ADDR_LIST", listenPva},
        {"EPICS_PVAS_BEACON_ADDR_LIST", sendTo},
    };
    int status = 0;

    for (size_t i = 0; i < NELEMENTS(lists) && !status; i++)
        status = fix(&lists[i], report, ctx, msg, msgSize);
    return status;
}
