/* SPDX-License-Identifier: EPICS */
/* An IOC of somebody else that links the search relay and nothing else of ours: it runs a script
 * and serves.  tests/system/relay.plt starts it. */
#include <stdio.h>

#include <dbAccess.h>
#include <epicsExit.h>
#include <epicsThread.h>
#include <iocsh.h>

int psRelayIoc_registerRecordDeviceDriver(struct dbBase *);

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: psRelayIoc DBD SCRIPT\n");
        return 2;
    }
    if (dbLoadDatabase(argv[1], NULL, NULL) || psRelayIoc_registerRecordDeviceDriver(pdbbase) ||
        iocsh(argv[2]))
        epicsExit(1);
    fflush(NULL); /* the test reads it in a file */
    for (;;)
        epicsThreadSleep(1000.0);
}
