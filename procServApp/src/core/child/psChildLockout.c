/* SPDX-License-Identifier: EPICS */
#include <epicsStdio.h>

#include "child/psChildLockout.h"
#include "child/psChildText.h"
#include "model/psVerb.h"

bool psChildLockoutRefuses(psChild *child, const psCommand *cmd, char *msg, size_t msgSize)
{
    psLoopAssertInside(child->loop);
    if (!child->status.lockout.on || !psVerbIsForLockout(cmd->verb))
        return false;
    psLockoutText(&child->status.lockout, msg, msgSize);
    psChildTextNotice(child, "%s of %s refused: %s", psVerbName(cmd->verb), cmd->by, msg);
    return true;
}

bool psChildLockoutRefusesKey(psChild *child, const char *what, const char *peer)
{
    char why[2 * PS_TEXT_BYTES];

    psLoopAssertInside(child->loop);
    if (!child->status.lockout.on)
        return false;
    psLockoutText(&child->status.lockout, why, sizeof(why));
    psChildTextNotice(child, "%s of console %s refused: %s", what, peer, why);
    return true;
}

static const char *lock(psChild *child, const psCommand *cmd)
{
    psLockout *lockout = &child->status.lockout;

    if (lockout->on)
        return "it was locked out already";
    lockout->on = true;
    epicsSnprintf(lockout->by, sizeof(lockout->by), "%s", cmd->by);
    psClockWall(psLoopClock(child->loop), &lockout->time);
    return NULL;
}

static const char *unlock(psLockout *lockout)
{
    if (!lockout->on)
        return "it was not locked out";
    lockout->on = false;
    lockout->msg[0] = '\0'; /* the next one has a reason of its own */
    return NULL;
}

const char *psChildLockoutCommand(psChild *child, const psCommand *cmd)
{
    psLockout *lockout = &child->status.lockout;
    const char *note = NULL;

    psLoopAssertInside(child->loop);
    lockout->changes++;
    if (cmd->verb == psVerbLockout)
        note = cmd->value != 0 ? lock(child, cmd) : unlock(lockout);
    if (cmd->text)
        epicsSnprintf(lockout->msg, sizeof(lockout->msg), "%s", cmd->text);
    return note;
}
