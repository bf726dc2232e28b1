/* SPDX-License-Identifier: EPICS */
/** @file psEndpoint.h
 *  @brief Parse and print listening endpoints in procServ's grammar, and IPv6.  Pure, but for
 *  looking up user and group names, which may ask a server.
 *
 *      PORT   A.B.C.D:PORT   [ADDRESS]:PORT   [ADDRESS%INTERFACE]:PORT
 *      unix:PATH   unix:USER:GROUP:PERM:PATH   unix:@NAME   unix:USER:GROUP:PERM:@NAME
 *
 *  A PORT alone is one of IPv4, as for procServ: IPv6 is asked for by brackets.  Only a link-local
 *  address has an INTERFACE, and needs it.  USER, GROUP and PERM of an abstract socket (@NAME) are
 *  checked and have no effect, since it has none.
 *
 *  Refused here, accepted by procServ: numbers above 255 in an address, a minus sign before a
 *  number, numbers of more than 32 bits, permissions that are no octal number up to 777, an
 *  abstract socket without a name.
 *  Thread: any.  Blocks: as long as the lookup of a name does.
 */
#ifndef INC_psEndpoint_H
#define INC_psEndpoint_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum psEndpointKind {
    psEndpointTcp,     /**< over IPv4 */
    psEndpointTcp6,    /**< over IPv6, and never over IPv4 */
    psEndpointUnix,    /**< a unix socket with a file */
    psEndpointAbstract /**< a unix socket without one */
} psEndpointKind;

#define PS_SOCKET_PATH_BYTES 108                     /* the size of sun_path on Linux */
#define PS_ENDPOINT_BYTES (PS_SOCKET_PATH_BYTES + 8) /* printed, with its NUL */

typedef struct psEndpoint {
    psEndpointKind kind;
    uint32_t address;                /**< tcp: IPv4, host byte order */
    struct in6_addr address6;        /**< tcp6 */
    char interface[IF_NAMESIZE];     /**< tcp6: name or number; "": none.  It need not exist */
    uint16_t port;                   /**< tcp, tcp6: 0 lets the kernel choose */
    char path[PS_SOCKET_PATH_BYTES]; /**< unix: path, or the name without '@' */
    uid_t uid;                       /**< unix: owner, (uid_t)-1 unchanged */
    gid_t gid;                       /**< unix: group, (gid_t)-1 unchanged */
    mode_t mode;                     /**< unix: permissions */
} psEndpoint;

/** Parse @p spec.
 *  @param spec      what the user gave
 *  @param what      "control" or "log", for messages
 *  @param localOnly a bare port, and any address but 127.x.y.z, means 127.0.0.1; any IPv6 address
 *                   means ::1
 *  @param out       untouched on failure
 *  @param msg       on failure one line for the user, procServ's text where it has one
 *                   (procServ prefixes some with "ARGV0: ": those begin with "%s: ", done by
 *                   passing @p argv0)
 *  @return 0 or -EINVAL */
int psEndpointParse(const char *spec, const char *what, bool localOnly, const char *argv0,
                    psEndpoint *out, char *msg, size_t msgSize);

/** As PROCSERV_INFO shows it: tcp:A.B.C.D:port, tcp:[ADDRESS]:port, unix:/path, unix:@name.
 *  @return length without NUL, cut to @p size */
size_t psEndpointPrint(const psEndpoint *endpoint, char *out, size_t size);

/** Would the one take what the other listens on?  An address of all interfaces takes the others
 *  of its port.  Paths are compared as they are written. */
bool psEndpointOverlaps(const psEndpoint *a, const psEndpoint *b);

#endif
