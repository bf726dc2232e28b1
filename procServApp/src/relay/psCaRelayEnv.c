/* SPDX-License-Identifier: EPICS */
/* What the environment of an IOC says to its CA server, and so to the relay. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <envDefs.h>
#include <epicsStdio.h>
#include <errlog.h>
/* it declares a function as f() */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <osiSock.h>
#pragma GCC diagnostic pop

#include "psCaRelayEnv.h"

#define PORT 5064
#define SEPARATORS " \t\n\r" /* Base's */

unsigned short psCaRelayPort(void)
{
    const ENV_PARAM *variable = envGetConfigParamPtr(&EPICS_CAS_SERVER_PORT)
                                    ? &EPICS_CAS_SERVER_PORT
                                    : &EPICS_CA_SERVER_PORT;

    return envGetInetPortConfigParam(variable, PORT);
}

/* Call @p take for each item of a list that Base could use; what it could not is not ours to judge.
 * @return 0, or -ENOMEM */
static int forEach(const ENV_PARAM *variable, void (*take)(void *ctx, struct in_addr address),
                   void *ctx)
{
    const char *list = envGetConfigParamPtr(variable);
    char *copy = list ? strdup(list) : NULL;
    char *save = NULL;

    for (char *item = copy ? strtok_r(copy, SEPARATORS, &save) : NULL; item;
         item = strtok_r(NULL, SEPARATORS, &save)) {
        struct sockaddr_in address;

        if (aToIPAddr(item, 0, &address) == 0)
            take(ctx, address.sin_addr);
    }
    free(copy);
    return list && !copy ? -ENOMEM : 0;
}

/* Base listens at any address unless the list has one that is neither 0.0.0.0 nor a group of
 * multicast. */
static void noteOwn(void *ctx, struct in_addr address)
{
    bool *own = ctx;

    *own = *own || (address.s_addr != htonl(INADDR_ANY) && !IN_MULTICAST(ntohl(address.s_addr)));
}

static bool hasOwnAddress(void)
{
    bool own = false;

    return forEach(&EPICS_CAS_INTF_ADDR_LIST, noteOwn, &own) || own;
}

typedef struct addressBuffer {
    uint32_t *out;
    int count, max;
} addressBuffer;

static void keep(void *ctx, struct in_addr address)
{
    addressBuffer *buffer = ctx;

    if (buffer->count < buffer->max)
        buffer->out[buffer->count++] = address.s_addr;
}

int psCaRelayIgnored(uint32_t *out, int max)
{
    addressBuffer buffer = {.out = out, .max = max};

    (void)forEach(&EPICS_CAS_IGNORE_ADDR_LIST, keep, &buffer); /* none is ignored then */
    return buffer.count;
}

static bool isServerIgnored(void)
{
    const char *list = envGetConfigParamPtr(&EPICS_IOC_IGNORE_SERVERS);

    return list && strstr(list, "rsrv");
}

bool psCaRelayIsUseful(const char **why)
{
    const char *reason = NULL;

    if (isServerIgnored())
        reason = "EPICS_IOC_IGNORE_SERVERS leaves out the CA server";
    else if (hasOwnAddress())
        reason = "EPICS_CAS_INTF_ADDR_LIST is set, so the CA server has addresses of its own";
    if (why && reason)
        *why = reason;
    return !reason;
}
