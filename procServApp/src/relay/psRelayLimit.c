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

/* A credit of @p rate searches at most, refilled at that rate since @p time. */
static double refilled(double credit, double time, double rate, double now)
{
    credit += (now - time) * rate;
    return credit < rate ? credit : rate;
}

bool psRelayLimitTake(psRelayLimit *self, uint32_t address, int searches, double now)
{
    int i = find(self, address);
    double credit = PS_RELAY_SEARCHES_PER_SEC, all = PS_RELAY_SEARCHES_ALL;

    if (self->entries[i].address) /* another address has left what credit it had */
        credit = refilled(self->entries[i].credit, self->entries[i].time, PS_RELAY_SEARCHES_PER_SEC,
                          now);
    if (self->time > 0)
        all = refilled(self->credit, self->time, PS_RELAY_SEARCHES_ALL, now);
    bool enough = credit >= searches && all >= searches;

    self->entries[i].address = address;
    self->entries[i].time = self->time = now;
    self->entries[i].credit = enough ? credit - searches : credit;
    self->credit = enough ? all - searches : all;
    return enough;
}
