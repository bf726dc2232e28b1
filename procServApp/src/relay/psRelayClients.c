/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include "psRelayClients.h"

static bool isSame(const psRelayClient *one, const psRelayClient *other)
{
    return one->address == other->address && one->port == other->port && one->local == other->local;
}

int psRelayClientsPlace(psRelayClients *self, const psRelayClient *client, bool *outNew)
{
    int place = 0;

    *outNew = true;
    for (int i = 0; i < PS_RELAY_CLIENTS && *outNew; i++) {
        if (isSame(&self->clients[i], client)) {
            place = i;
            *outNew = false;
        } else if (self->used[i] < self->used[place]) {
            place = i;
        }
    }
    self->clients[place] = *client;
    self->used[place] = ++self->uses;
    return place;
}

void psRelayClientsForget(psRelayClients *self, int place)
{
    memset(&self->clients[place], 0, sizeof(self->clients[place]));
    self->used[place] = 0;
}
