/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>

#include "psCaPort.h"
#include "psCaRelay.h"
#include "psRelay.h"

static void (*tell)(const char *line); /* fixed before the relay starts */
static unsigned short childrenPort;    /* fixed before any thread starts */

void psRelayInit(void)
{
    childrenPort = psCaRelayPort();
}

/* Thread: the relay's. */
static void report(void *ctx, const char *line)
{
    (void)ctx;
    tell(line);
}

/* One child keeps its port, several cannot all have it. */
static bool isFull(const psServeOptions *options)
{
    return options->relay == psRelayFull ||
           (options->relay == psRelayAuto && psSupCount(options->sup) > 1);
}

bool psRelayIsEarly(const psServeOptions *options)
{
    return options->relay == psRelayFull && !options->script;
}

void psRelayStart(const psServeOptions *options, void (*notice)(const char *line))
{
    psCaRelayOptions relay = {.full = isFull(options), .report = report};
    char line[PS_REASON_BYTES];

    tell = notice;
    if (options->relay == psRelayOff) {
        psCaRelaySetOff("--ca-relay off");
        return;
    }
    int status = psCaRelayStart(&relay);
    if (!status || status == -EALREADY)
        return;
    epicsSnprintf(line, sizeof(line), "CA search relay: cannot start: %s", strerror(-status));
    notice(line);
}

void psRelayServersBegin(void)
{
    if (psCaRelayIsUseful(NULL))
        psCaPortRefuse(childrenPort);
}

void psRelayServersEnd(void (*notice)(const char *line))
{
    char line[PS_REASON_BYTES];

    if (psCaPortAllow() || psCaRelayPort() != childrenPort || !psCaRelayIsUseful(NULL))
        return;
    epicsSnprintf(line, sizeof(line),
                  "our CA server has taken TCP port %u: by name server clients find it instead of "
                  "the IOC that is supervised",
                  childrenPort);
    notice(line);
}
