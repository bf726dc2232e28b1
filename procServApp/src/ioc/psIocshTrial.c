/* SPDX-License-Identifier: EPICS */
/* A command that cannot be carried out says why in one line, and sets the shell's error status
 * (on error break). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <epicsStdio.h>
#include <iocsh.h>

#include "psIocshTrial.h"
#include "psTypes.h"

static const psIocTrial *trial; /* NULL: what is asked is done; fixed before any script runs */

void psIocSetTrial(const psIocTrial *with)
{
    trial = with;
}

const psIocTrial *psIocshTrial(void)
{
    return trial;
}

void psIocshRefuse(const char *command, const char *msg)
{
    if (trial)
        trial->refused(trial->ctx, msg);
    fprintf(stderr, "%s; see 'help %s'\n", msg, command);
    iocshSetError(-1);
}

void psIocshRefuseStatus(const char *command, const char *name, int status)
{
    char msg[PS_TEXT_BYTES];

    epicsSnprintf(msg, sizeof(msg), "%s: %s", name ? name : command,
                  status == -ENOENT ? "there is no child of that name" : strerror(-status));
    psIocshRefuse(command, msg);
}
