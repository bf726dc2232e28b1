/* SPDX-License-Identifier: EPICS */
/* What the environment of an IOC says to its CA server, and so to the relay. */
#include <arpa/inet.h>
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

/* Base listens at any address unless the list has one that is neither 0.0.0.0 nor a group of
 * multicast.  An item that it could not use is not ours to judge. */
static bool isOwnAddress(const char *item)
{
    struct sockaddr_in address;

    if (aToIPAddr(item, 0, &address))
        return false;
    return address.sin_addr.s_addr != htonl(INADDR_ANY) &&
           !IN_MULTICAST(ntohl(address.sin_addr.s_addr));
}

static bool hasOwnAddress(void)
{
    const char *list = envGetConfigParamPtr(&EPICS_CAS_INTF_ADDR_LIST);
    char *copy = list ? strdup(list) : NULL;
    char *save = NULL;
    bool found = false;

    for (char *item = copy ? strtok_r(copy, SEPARATORS, &save) : NULL; item && !found;
         item = strtok_r(NULL, SEPARATORS, &save))
        found = isOwnAddress(item);
    free(copy);
    return found || (list && !copy);
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
