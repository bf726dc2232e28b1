/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "psAddresses.h"
#include "psHosts.h"

int psHostsInit(psHosts *out)
{
    struct in_addr *addresses = NULL;
    size_t count = 0;
    psHosts self = PS_HOSTS_INIT;
    int status = psAddressesGet(&addresses, &count);

    if (!status && count && !(self.items = calloc(count + 1, sizeof(*self.items))))
        status = -ENOMEM;
    for (size_t i = 0; i < count && !status; i++) {
        char text[INET_ADDRSTRLEN];

        inet_ntop(AF_INET, &addresses[i], text, sizeof(text));
        self.items[i] = strdup(text);
        if (!self.items[i])
            status = -ENOMEM;
        else
            self.count++;
    }
    free(addresses);
    if (status)
        psHostsClear(&self);
    else
        *out = self;
    return status;
}

void psHostsClear(psHosts *self)
{
    for (size_t i = 0; self->items && self->items[i]; i++)
        free(self->items[i]);
    free(self->items);
    self->items = NULL;
    self->count = 0;
}

bool psHostsEqual(const psHosts *one, const psHosts *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    return true;
}
