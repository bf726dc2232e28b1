/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/psEndpoint.h"
#include "base/psText.h"

#define LOOPBACK 0x7f000001u
#define DEFAULT_MODE 0666
#define ACCOUNT_BYTES 65536 /* a group with many members needs some */

typedef struct parser {
    const char *spec;
    const char *what;
    const char *argv0;
    bool localOnly;
    char *msg;
    size_t msgSize;
} parser;

static int complain(const parser *self, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);
static int complain(const parser *self, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(self->msg, self->msgSize, fmt, args);
    va_end(args);
    return -EINVAL;
}

/* A quoted part of what the user gave: it may be long or hold control characters. */
static int complainQuoting(const parser *self, const char *before, const char *quoted, size_t len,
                           const char *after)
{
    psText text = PS_TEXT_INIT;

    psTextAppendSafe(&text, quoted, len);
    complain(self, "%s'%s'%s", before, text.data ? text.data : "", after);
    psTextClear(&text);
    return -EINVAL;
}

/* The whole spec with what is wrong about it. */
static int complainSpec(const parser *self, const char *before, const char *reason)
{
    char after[80];

    snprintf(after, sizeof(after), " (%s)", reason);
    return complainQuoting(self, before, self->spec, strlen(self->spec), after);
}

static const char *skipBlanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* A decimal number with blanks around it and perhaps a '+', as procServ's scanf allows; too large
 * ones saturate.  Returns where it ends, or NULL. */
static const char *scanNumber(const char *p, uint32_t *out)
{
    uint64_t value = 0;

    p = skipBlanks(p);
    if (*p == '+')
        p++;
    if (!isdigit((unsigned char)*p))
        return NULL;
    for (; isdigit((unsigned char)*p); p++) {
        value = value * 10 + (uint64_t)(*p - '0');
        if (value > UINT32_MAX)
            value = UINT32_MAX;
    }
    *out = (uint32_t)value;
    return skipBlanks(p);
}

/* Returns what follows the four numbers, or NULL if there are not four. */
static const char *scanAddress(const char *p, uint32_t octets[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0 && *p++ != '.')
            return NULL;
        p = scanNumber(p, &octets[i]);
        if (!p)
            return NULL;
    }
    return p;
}

static int checkPort(const parser *self, uint32_t port)
{
    if (port <= UINT16_MAX)
        return 0;
    return complain(self, "%s: invalid %s port %u (must be <65536)", self->argv0, self->what,
                    (unsigned)port);
}

static int setTcp(const parser *self, uint32_t address, uint32_t port, psEndpoint *out)
{
    if (checkPort(self, port) != 0)
        return -EINVAL;
    if (self->localOnly && address >> 24 != 127)
        address = LOOPBACK;
    *out = (psEndpoint){.kind = psEndpointTcp,
                        .address = address,
                        .port = (uint16_t)port,
                        .uid = (uid_t)-1,
                        .gid = (gid_t)-1};
    return 0;
}

/* @return 0, -EINVAL with a message, or 1 if it is no TCP endpoint over IPv4 */
static int parseTcp(const parser *self, psEndpoint *out)
{
    uint32_t octets[4], port, address = 0;
    const char *end = scanNumber(self->spec, &port);

    if (end && *end == 0)
        return setTcp(self, 0, port, out);
    end = scanAddress(self->spec, octets);
    if (!end || *end++ != ':')
        return 1;
    end = scanNumber(end, &port);
    if (!end || *end != 0)
        return 1;
    for (int i = 0; i < 4 && port <= UINT16_MAX; i++) {
        if (octets[i] > 255)
            return complainSpec(self, "Invalid address in socket spec ",
                                "each number must be <256");
        address = address << 8 | octets[i];
    }
    return setTcp(self, address, port, out);
}

/* ---- IPv6 ---- */

/* The part between the brackets: ADDRESS or ADDRESS%INTERFACE. */
static int parseAddress6(const parser *self, const char *text, size_t len, psEndpoint *out)
{
    static const char before[] = "Invalid address in socket spec ";
    const char *percent = memchr(text, '%', len);
    size_t addressLen = percent ? (size_t)(percent - text) : len;
    char address[INET6_ADDRSTRLEN] = "";

    if (addressLen < sizeof(address))
        memcpy(address, text, addressLen);
    if (inet_pton(AF_INET6, address, &out->address6) != 1)
        return complainSpec(self, before, "no IPv6 address is between the brackets");
    if (IN6_IS_ADDR_V4MAPPED(&out->address6))
        return complainSpec(self, before, "write an IPv4 address without brackets");
    if (IN6_IS_ADDR_LINKLOCAL(&out->address6) != (percent != NULL))
        return complainSpec(self, before,
                            percent ? "only a link-local address has an interface"
                                    : "a link-local address needs its interface: "
                                      "[fe80::1%eth0]:PORT");
    if (percent) {
        size_t nameLen = len - addressLen - 1;
        bool isName = nameLen > 0 && nameLen < sizeof(out->interface);

        for (size_t i = 0; isName && i < nameLen; i++)
            isName = isgraph((unsigned char)percent[1 + i]);
        if (!isName)
            return complainSpec(self, before, "an interface has a name of 1 to 15 characters");
        memcpy(out->interface, percent + 1, nameLen);
    }
    return 0;
}

/* @return 0, -EINVAL with a message, or 1 if it is no TCP endpoint over IPv6 */
static int parseTcp6(const parser *self, psEndpoint *out)
{
    static const char before[] = "Invalid socket spec ";
    psEndpoint made = {.kind = psEndpointTcp6, .uid = (uid_t)-1, .gid = (gid_t)-1};
    const char *begin = skipBlanks(self->spec);
    uint32_t port = 0;

    if (*begin++ != '[') {
        const char *colon = strchr(self->spec, ':');

        if (!colon || !strchr(colon + 1, ':') ||
            strspn(self->spec, "0123456789abcdefABCDEF:.") != strlen(self->spec))
            return 1;
        return complainSpec(self, before, "an IPv6 address needs brackets: [ADDRESS]:PORT");
    }
    const char *end = strchr(begin, ']');
    if (!end)
        return complainSpec(self, before, "the IPv6 address has no closing bracket");
    size_t len = (size_t)(end - begin);
    end = skipBlanks(end + 1);
    end = *end == ':' ? scanNumber(end + 1, &port) : NULL;
    if (!end || *end != 0)
        return complainSpec(self, before, "expected [ADDRESS]:PORT");
    if (checkPort(self, port) != 0 || parseAddress6(self, begin, len, &made) != 0)
        return -EINVAL;
    if (self->localOnly && !IN6_IS_ADDR_LOOPBACK(&made.address6)) {
        made.address6 = in6addr_loopback;
        made.interface[0] = 0;
    }
    made.port = (uint16_t)port;
    *out = made;
    return 0;
}

/* ---- unix sockets ---- */

/* The owner: a user brings his primary group. */
static int findUser(const parser *self, const char *name, size_t len, psEndpoint *out)
{
    char *key = strndup(name, len), *buffer = malloc(ACCOUNT_BYTES);
    struct passwd entry, *found = NULL;

    if (key && buffer)
        getpwnam_r(key, &entry, buffer, ACCOUNT_BYTES, &found);
    if (found) {
        out->uid = found->pw_uid;
        out->gid = found->pw_gid;
    }
    free(key);
    free(buffer);
    return found ? 0 : complainQuoting(self, "Unknown user ", name, len, "");
}

static int findGroup(const parser *self, const char *name, size_t len, psEndpoint *out)
{
    char *key = strndup(name, len), *buffer = malloc(ACCOUNT_BYTES);
    struct group entry, *found = NULL;

    if (key && buffer)
        getgrnam_r(key, &entry, buffer, ACCOUNT_BYTES, &found);
    if (found)
        out->gid = found->gr_gid;
    free(key);
    free(buffer);
    return found ? 0 : complainQuoting(self, "Unknown group ", name, len, "");
}

static int parseMode(const parser *self, const char *text, size_t len, psEndpoint *out)
{
    mode_t mode = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '7' || (mode = mode * 8 + (mode_t)(text[i] - '0')) > 0777)
            return complainQuoting(self, "Invalid unix socket permissions ", text, len,
                                   " (octal, 0 to 777)");
    }
    out->mode = mode;
    return 0;
}

/* USER:GROUP:PERM:PATH; sets *path. */
static int parseOwner(const parser *self, const char **path, psEndpoint *out)
{
    const char *user = *path, *group, *mode, *file;
    size_t userLen, groupLen, modeLen;

    group = strchr(user, ':');
    mode = group ? strchr(group + 1, ':') : NULL;
    file = mode ? strchr(mode + 1, ':') : NULL;
    if (!file)
        return complainQuoting(self, "Unix path+permissions spec unparsable ", user, strlen(user),
                               "");
    userLen = (size_t)(group++ - user);
    groupLen = (size_t)(mode++ - group);
    modeLen = (size_t)(file++ - mode);
    *path = file;
    if (userLen > 0 && findUser(self, user, userLen, out) != 0)
        return -EINVAL;
    if (groupLen > 0 && findGroup(self, group, groupLen, out) != 0)
        return -EINVAL;
    return modeLen > 0 ? parseMode(self, mode, modeLen, out) : 0;
}

static int parseUnix(const parser *self, const char *path, psEndpoint *out)
{
    psEndpoint made = {
        .kind = psEndpointUnix, .uid = (uid_t)-1, .gid = (gid_t)-1, .mode = DEFAULT_MODE};

    if (strchr(path, ':') && parseOwner(self, &path, &made) != 0)
        return -EINVAL;
    if (strlen(path) >= PS_SOCKET_PATH_BYTES)
        return complain(self, "Unix path is too long (must be <%d)", PS_SOCKET_PATH_BYTES);
    if (*path == '@') {
        made.kind = psEndpointAbstract;
        path++;
    }
    if (*path == 0)
        return complain(self, "expected unix socket path spec.");
    memcpy(made.path, path, strlen(path) + 1);
    *out = made;
    return 0;
}

int psEndpointParse(const char *spec, const char *what, bool localOnly, const char *argv0,
                    psEndpoint *out, char *msg, size_t msgSize)
{
    parser self = {spec, what, argv0, localOnly, msg, msgSize};
    int status = parseTcp(&self, out);

    if (status > 0)
        status = parseTcp6(&self, out);
    if (status <= 0)
        return status;
    if (strncmp(spec, "unix:", 5) == 0)
        return parseUnix(&self, spec + 5, out);
    return complainQuoting(&self, "Invalid socket spec ", spec, strlen(spec), "");
}

size_t psEndpointPrint(const psEndpoint *endpoint, char *out, size_t size)
{
    uint32_t a = endpoint->address;
    char address6[INET6_ADDRSTRLEN] = "";
    int len = 0;

    switch (endpoint->kind) {
    case psEndpointTcp:
        len = snprintf(out, size, "tcp:%u.%u.%u.%u:%u", (unsigned)(a >> 24),
                       (unsigned)(a >> 16 & 255), (unsigned)(a >> 8 & 255), (unsigned)(a & 255),
                       (unsigned)endpoint->port);
        break;
    case psEndpointTcp6:
        inet_ntop(AF_INET6, &endpoint->address6, address6, sizeof(address6));
        len = snprintf(out, size, "tcp:[%s%s%s]:%u", address6, endpoint->interface[0] ? "%" : "",
                       endpoint->interface, (unsigned)endpoint->port);
        break;
    case psEndpointUnix:
        len = snprintf(out, size, "unix:%s", endpoint->path);
        break;
    case psEndpointAbstract:
        len = snprintf(out, size, "unix:@%s", endpoint->path);
        break;
    }
    if (len < 0 || size == 0)
        return 0;
    return (size_t)len < size ? (size_t)len : size - 1;
}

static bool isAny6(const psEndpoint *endpoint)
{
    return IN6_IS_ADDR_UNSPECIFIED(&endpoint->address6);
}

static bool isSame6(const psEndpoint *a, const psEndpoint *b)
{
    return IN6_ARE_ADDR_EQUAL(&a->address6, &b->address6) &&
           strcmp(a->interface, b->interface) == 0;
}

bool psEndpointOverlaps(const psEndpoint *a, const psEndpoint *b)
{
    bool samePort = a->port != 0 && a->port == b->port;

    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case psEndpointTcp:
        return samePort && (a->address == b->address || a->address == 0 || b->address == 0);
    case psEndpointTcp6:
        return samePort && (isSame6(a, b) || isAny6(a) || isAny6(b));
    case psEndpointUnix:
    case psEndpointAbstract:
        return strcmp(a->path, b->path) == 0;
    }
    return false;
}
