/* SPDX-License-Identifier: EPICS */
/** @file psRelayWatch.h
 *  @brief A descriptor that the relay's thread waits for.
 *
 *  Whoever owns a descriptor embeds a watch, which is what epoll hands back.  It must not be freed
 *  in the round in which it is closed: epoll may have more to say of it.
 *  Thread: the relay's.  Blocks: never.
 */
#ifndef INC_psRelayWatch_H
#define INC_psRelayWatch_H

#include <stdbool.h>
#include <stdint.h>

typedef struct psRelayWatch psRelayWatch;
struct psRelayWatch {
    int fd; /**< owned here; -1: none */
    /** Called with the events of epoll, as often as there are some.  @p self may be closed. */
    void (*ready)(psRelayWatch *self, uint32_t events);
};

/** Take over @p fd, and wait until it can be read.
 *  @return 0; or -errno, and the descriptor is closed */
int psRelayWatchOpen(psRelayWatch *self, int epoll, int fd,
                     void (*ready)(psRelayWatch *self, uint32_t events));
/** Wait until it can be read, or written, or for nothing but its end. */
void psRelayWatchFor(psRelayWatch *self, int epoll, bool in, bool out);
/** Idempotent. */
void psRelayWatchClose(psRelayWatch *self);

#endif
