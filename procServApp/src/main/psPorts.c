/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
/* it declares a function as f() */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <osiSock.h>
#pragma GCC diagnostic pop

#include "psPorts.h"

#define PORT_ABOVE 5000 /* Base takes its default instead of a port up to this */

typedef struct searchPort {
    const char *server;
    const char *variables[2]; /* the first that is set counts */
    long standard;
    const char *interfaces;
    bool anyInterface; /* bound to no address if none is named, else to each interface's own */
} searchPort;

/* @return the port, or -EINVAL and what is wrong in @p msg */
static long portOf(const searchPort *search, char *msg, size_t msgSize)
{
    for (size_t i = 0; i < NELEMENTS(search->variables); i++) {
        const char *value = getenv(search->variables[i]);
        char *end;

        if (!value || !*value)
            continue;
        long port = strtol(value, &end, 10);
        if (end != value && !*end && port > PORT_ABOVE && port < 65536)
            return port;
        epicsSnprintf(msg, msgSize, "%s: %s is not a port number above %d", search->variables[i],
                      value, PORT_ABOVE);
        return -EINVAL;
    }
    return search->standard;
}

/* As Base does it. */
static int tryBind(struct in_addr address, long port)
{
    struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_addr = address, .sin_port = htons((unsigned short)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int status = 0;

    if (fd < 0)
        return 0; /* no fault of the port */
    epicsSocketEnableAddressUseForDatagramFanout(fd);
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
        status = -errno;
    close(fd);
    return status;
}

static int checkItem(const searchPort *search, const char *item, long port, char *msg,
                     size_t msgSize)
{
    struct sockaddr_in address;
    char text[INET_ADDRSTRLEN];

    if (aToIPAddr(item, 0, &address))
        return 0; /* psAddressListsFix() has reported it */
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
    int status = tryBind(address.sin_addr, port);
    if (status)
        epicsSnprintf(msg, msgSize, "the %s server's UDP port %ld on %s: %s", search->server, port,
                      text, strerror(-status));
    return status;
}

static int checkPort(const searchPort *search, char *msg, size_t msgSize)
{
    long port = portOf(search, msg, msgSize);
    const char *value = getenv(search->interfaces);
    char *list = strdup(value ? value : "");
    char *save = NULL;
    char *item = list ? strtok_r(list, " \t\n\r", &save) : NULL;
    int status = port < 0 ? (int)port : 0;

    if (!item && !status && search->anyInterface)
        status = checkItem(search, "0.0.0.0", port, msg, msgSize);
    for (; item && !status; item = strtok_r(NULL, " \t\n\r", &save))
        status = checkItem(search, item, port, msg, msgSize);
    free(list);
    return status ? -EINVAL : 0;
}

int psPortsCheck(char *msg, size_t msgSize)
{
    static const searchPort searches[] = {
        {"CA",
         {"EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT"},
         5064,
         "EPICS_CAS_INTF_ADDR_LIST",
         true},
        {"PVA",
         {"EPICS_PVAS_BROADCAST_PORT", "EPICS_PVA_BROADCAST_PORT"},
         5076,
         "EPICS_PVAS_INTF_ADDR_LIST",
         false},
    };
    int status = 0;

    for (size_t i = 0; i < NELEMENTS(searches) && !status; i++)
        status = checkPort(&searches[i], msg, msgSize);
    return status;
}
