/* SPDX-License-Identifier: EPICS */
#include "psRelayPending.h"

uint32_t psRelayPendingAdd(psRelayPending *self, const psRelaySearch *search)
{
    uint32_t number = self->next++;

    self->searches[number % PS_RELAY_PENDING] = *search;
    return number;
}

bool psRelayPendingFind(const psRelayPending *self, uint32_t number, psRelaySearch *out)
{
    uint32_t age = self->next - number; /* unsigned, so that numbers may begin anew */

    if (age == 0 || age > PS_RELAY_PENDING || !self->searches[number % PS_RELAY_PENDING].client)
        return false;
    *out = self->searches[number % PS_RELAY_PENDING];
    return true;
}
