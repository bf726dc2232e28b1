/* SPDX-License-Identifier: EPICS */
#include "psRelayLimit.h"

/* The entry of @p address; else the one that is free or has been quiet for the longest time. */
static int find(const psRelayLimit *self, uint32_t address)
{
    int oldest = 0;

    for (int i = 0; i < PS_RELAY_LIMIT_ADDRESSES; i++) {
        if (self->entries[i].address == address)
            return i;
        if (!self->entries[i].address ||
            (self->entries[oldest].address && self->entries[i].time < self->entries[oldest].time))
            oldest = i;
    }
    return oldest;
}

bool psRelayLimitTake(psRelayLimit *self, uint32_t address, int searches, double now)
{
    int i = find(self, address);
    double credit = PS_RELAY_SEARCHES_PER_SEC;

    if (self->entries[i].address == address) {
        double more = (now - self->entries[i].time) * PS_RELAY_SEARCHES_PER_SEC;

        credit = self->entries[i].credit + more;
        if (credit > PS_RELAY_SEARCHES_PER_SEC)
            credit = PS_RELAY_SEARCHES_PER_SEC;
    }
    bool enough = credit >= searches;

    self->entries[i].address = address;
    self->entries[i].time = now;
    self->entries[i].credit = enough ? credit - searches : credit;
    return enough;
}
