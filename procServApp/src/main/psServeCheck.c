/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsThread.h>

#include "psOptions.h"
#include "psServeCheck.h"

#define FD_BITS 65536 /* descriptors looked at */

/* ---- interfaces ---- */

/* Can a socket be bound to it?  Then it is an address of this host. */
static bool isLocal(struct in_addr address)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = address};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool local = fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;

    if (fd >= 0)
        close(fd);
    return local || IN_MULTICAST(ntohl(address.s_addr));
}

static int checkItem(const char *variable, char *item, char *msg, size_t msgSize)
{
    struct in_addr address;
    char *port = strchr(item, ':');

    if (port)
        *port = '\0';
    if (inet_pton(AF_INET, item, &address) != 1) {
        epicsSnprintf(msg, msgSize, "%s: \"%s\" is no numeric address", variable, item);
        return -EINVAL;
    }
    if (!isLocal(address)) {
        epicsSnprintf(msg, msgSize, "%s: %s is no address of this host", variable, item);
        return -EINVAL;
    }
    return 0;
}

int psCheckInterfaces(char *msg, size_t msgSize)
{
    static const char *const variables[] = {"EPICS_CAS_INTF_ADDR_LIST",
                                            "EPICS_PVAS_INTF_ADDR_LIST"};

    for (size_t i = 0; i < NELEMENTS(variables); i++) {
        const char *value = getenv(variables[i]);
        char *list = strdup(value ? value : "");
        char *save = NULL;
        int status = list ? 0 : -ENOMEM;

        for (char *item = list ? strtok_r(list, " \t", &save) : NULL; item && !status;
             item = strtok_r(NULL, " \t", &save))
            status = checkItem(variables[i], item, msg, msgSize);
        free(list);
        if (status)
            return status;
    }
    return 0;
}

/* ---- prefix ---- */

int psMakePrefix(const char *given, const char *name, char *out, size_t size, char *msg,
                 size_t msgSize)
{
    const char *slash = strrchr(name ? name : "", '/');
    int len;

    if (given) {
        len = epicsSnprintf(out, size, "%s", given);
    } else {
        len = epicsSnprintf(out, size, "%s:PS:", slash ? slash + 1 : name ? name : "");
        for (char *c = out; *c; c++) {
            if (!isalnum((unsigned char)*c) && !strchr("_-+:[]<>;", *c))
                *c = '_';
        }
    }
    if (len > PS_PREFIX_BYTES || len >= (int)size) {
        epicsSnprintf(msg, msgSize,
                      "the prefix \"%s\" has more than %d characters: give a shorter --prefix",
                      given ? given : out, PS_PREFIX_BYTES);
        return -EINVAL;
    }
    return 0;
}

/* ---- servers ---- */

struct psListening {
    unsigned char fds[FD_BITS / 8];
};

static bool has(const psListening *set, int fd)
{
    return set->fds[fd / 8] & (1 << fd % 8);
}

static bool isListening(int fd)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value;
}

psListening *psListeningNow(void)
{
    psListening *set = calloc(1, sizeof(*set));
    DIR *dir = set ? opendir("/proc/self/fd") : NULL;
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        int fd = (int)strtol(entry->d_name, NULL, 10); /* "." and ".." give 0 */

        if (fd > 0 && fd < FD_BITS && isListening(fd))
            set->fds[fd / 8] |= (unsigned char)(1 << fd % 8);
    }
    if (dir)
        closedir(dir);
    return set;
}

int psCheckServers(const psListening *before, char *msg, size_t msgSize)
{
    psListening *now = psListeningNow();
    bool ca = epicsThreadGetId("CAS-TCP") != NULL;
    bool pva = epicsThreadGetId("TCP-acceptor") != NULL;
    int count = 0;

    for (int fd = 0; now && fd < FD_BITS; fd++)
        count += has(now, fd) && !(before && has(before, fd));
    free(now);
    if (ca && pva && count >= 2)
        return 0;
    if (ca && pva)
        epicsSnprintf(msg, msgSize, "the CA or the PVA server does not listen");
    else
        epicsSnprintf(msg, msgSize, "the %s server%s not run",
                      ca    ? "PVA"
                      : pva ? "CA"
                            : "CA and PVA",
                      ca || pva ? " does" : "s do");
    return -ENOENT;
}
