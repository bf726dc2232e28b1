/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <epicsStdio.h>
#include <epicsString.h>
#include <epicsThread.h>

#include "psNameLock.h"
#include "psPrefixClaim.h"

#define NAME_BYTES 512 /* psNameLock cuts it */

#define TRIES 16
#define TRY_SEC 0.2

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

static void nameOf(const char *prefix, char *out, size_t size)
{
    const char *port = variable("EPICS_CAS_SERVER_PORT");
    unsigned where = epicsStrHash(*port ? port : variable("EPICS_CA_SERVER_PORT"), 0);

    where = epicsStrHash(variable("EPICS_CAS_INTF_ADDR_LIST"), where);
    epicsSnprintf(out, size, "procServIoc/PVs/%08x/%s", where, prefix);
}

static pid_t ownerOf(const char *name)
{
    psNameLockOwner owner;
    int fd = psNameLockConnect(name, &owner);

    if (fd < 0)
        return 0;
    close(fd);
    return owner.pid;
}

int psPrefixClaim(const char *prefix, pid_t *outOwner)
{
    char name[NAME_BYTES];
    int fd = -EADDRINUSE;

    nameOf(prefix, name, sizeof(name));
    for (int i = 0; i < TRIES && fd == -EADDRINUSE; i++) {
        if (i > 0)
            epicsThreadSleep(TRY_SEC);
        fd = psNameLockTake(name, 1);
    }
    if (fd >= 0)
        return 0; /* the descriptor stays open until the program ends */
    if (fd == -EADDRINUSE)
        *outOwner = ownerOf(name);
    return fd;
}
