/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
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
    return local;
}

static bool isForCa(struct in_addr address)
{
    return isLocal(address) || IN_MULTICAST(ntohl(address.s_addr));
}

/* Base's PVA server looks for an interface that has it: one can bind to 127.0.0.2, too, but no
 * interface has it. */
static bool isForPva(struct in_addr address)
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

static bool isPort(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return isdigit((unsigned char)text[0]) && !*end && port > 0 && port < 65536;
}

/* ADDRESS[:PORT] */
static bool parseItem(const char *item, struct in_addr *out)
{
    const char *colon = strchr(item, ':');
    char text[INET_ADDRSTRLEN];
    int len = colon ? (int)(colon - item) : (int)strlen(item);

    if (len >= (int)sizeof(text) || (colon && !isPort(colon + 1)))
        return false;
    epicsSnprintf(text, sizeof(text), "%.*s", len, item);
    return inet_pton(AF_INET, text, out) == 1;
}

typedef struct interfaceList {
    const char *variable;
    bool (*isFit)(struct in_addr address);
    int most; /* items */
} interfaceList;

static int checkList(const interfaceList *list, char *value, char *msg, size_t msgSize)
{
    char *save = NULL;
    int count = 0;

    for (char *item = strtok_r(value, " \t", &save); item; item = strtok_r(NULL, " \t", &save)) {
        struct in_addr address;
        const char *wrong = !parseItem(item, &address) ? "is no numeric address"
                            : !list->isFit(address)    ? "is no address of this host"
                            : ++count > list->most     ? "is one too many: PVA takes only one"
                                                       : NULL;

        if (wrong) {
            epicsSnprintf(msg, msgSize, "%s: %s %s", list->variable, item, wrong);
            return -EINVAL;
        }
    }
    return 0;
}

int psCheckInterfaces(char *msg, size_t msgSize)
{
    static const interfaceList lists[] = {{"EPICS_CAS_INTF_ADDR_LIST", isForCa, INT_MAX},
                                          {"EPICS_PVAS_INTF_ADDR_LIST", isForPva, 1}};

    for (size_t i = 0; i < NELEMENTS(lists); i++) {
        const char *value = getenv(lists[i].variable);
        char *copy = strdup(value ? value : "");
        int status = copy ? checkList(&lists[i], copy, msg, msgSize) : 0;

        free(copy);
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

    if (name && strpbrk(name, "\"\\$\n")) {
        epicsSnprintf(msg, msgSize,
                      "a record cannot refer to the name %s: give another --name, without \" \\ $",
                      name);
        return -EINVAL;
    }
    if (given) {
        len = epicsSnprintf(out, size, "%s", given);
    } else {
        len = epicsSnprintf(out, size, "%s:PS:", slash ? slash + 1 : name ? name : "");
        for (char *c = out; *c; c++)
            if (!isalnum((unsigned char)*c) && !strchr("_-+:[]<>;", *c))
                *c = '_';
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
