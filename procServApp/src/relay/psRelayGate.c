/* SPDX-License-Identifier: EPICS */
#include <errno.h>

#include "psRelayGate.h"

static void count(atomic_ullong *counter, int more)
{
    atomic_fetch_add_explicit(counter, (unsigned long long)more, memory_order_relaxed);
}

static bool isIgnored(const psRelayGate *self, uint32_t address)
{
    for (int i = 0; i < self->ignoredCount; i++)
        if (self->ignored[i] == address)
            return true;
    return false;
}

bool psRelayGatePass(psRelayGate *self, uint32_t address, int searches, double now)
{
    bool pass = searches > 0 && !isIgnored(self, address) &&
                psRelayLimitTake(&self->limit, address, searches, now);

    if (!pass)
        count(&self->dropped, searches < 0 ? 1 : searches);
    return pass;
}

void psRelayGateSent(psRelayGate *self, int searches, int status)
{
    count(status ? &self->dropped : &self->searches, searches);
    if (status != -EAGAIN && status != -ENOBUFS) /* a buffer is full for a moment */
        self->error = -status;
}

void psRelayGateCrowded(psRelayGate *self)
{
    count(&self->dropped, 1);
}

void psRelayGateAnswered(psRelayGate *self, int answers, bool sent)
{
    count(sent ? &self->answers : &self->dropped, answers < 0 ? 1 : answers);
}
