/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <signal.h>

#include "child/psChildHook.h"
#include "child/psChildText.h"
#include "child/psChildWatch.h"
#include "child/psChildWatchText.h"

static void look(void *ctx);

static void arm(psChild *child)
{
    double deadline = psWatchdogDeadline(&child->watchdog);

    if (deadline < HUGE_VAL)
        psLoopArm(child->loop, &child->watchTimer, deadline, look, child);
    else
        psLoopDisarm(&child->watchTimer);
}

/* A mode that would not start it again after a crash does not do so here, either. */
static bool restarts(const psChild *child)
{
    psMode mode = child->machine.settings.mode;

    return child->cfg->hungRestarts && (mode == psModeAlways || mode == psModeOnFailure);
}

/* Unless it has shown life meanwhile, or was told to end. */
static void restart(psChild *child)
{
    psInputEvent event = {.event = psEventUnfit, .reason = psReasonWatchdog};

    if (child->machine.hung && child->machine.unfit)
        child->happened(child, &event, NULL);
}

static void hung(psChild *child)
{
    psInputEvent event = {.event = psEventHung, .restarts = restarts(child)};
    int pid = child->pid;
    char why[PS_TEXT_BYTES];

    psChildWatchTextReason(child, why, sizeof(why));
    psChildTextNotice(child, "\"%s\" is hung: %s", child->name, why);
    child->happened(child, &event, NULL);
    if (event.restarts && !psChildHookHung(child, why, restart))
        restart(child);
    psChildHookEvent(child, psNewsHung, pid, -1, why);
}

static void look(void *ctx)
{
    psChild *child = ctx;
    psInputEvent alive = {.event = psEventAlive};
    psInputEvent still = {.event = psEventHung, .restarts = child->machine.unfit};

    switch (psWatchdogCheck(&child->watchdog, psChildNow(child))) {
    case psWatchdogHung:
        hung(child);
        break;
    case psWatchdogOther:
        child->happened(child, &still, NULL); /* to publish by which rule */
        break;
    case psWatchdogRecovered:
        psChildTextNotice(child, "\"%s\" shows life again", child->name);
        psChildHookStopHung(child);
        child->happened(child, &alive, NULL);
        psChildHookEvent(child, psNewsRecovered, child->pid, -1, "it shows life again");
        break;
    default:
        break;
    }
    arm(child);
}

void psChildWatchInit(psChild *child)
{
    const psConfig *cfg = child->cfg;
    const double limitSec[psWatchRuleCount] = {
        [psWatchSilent] = cfg->silentAfterSec,
    };

    psWatchdogInit(&child->watchdog, limitSec);
}

void psChildWatchClear(psChild *child)
{
    psLoopDisarm(&child->watchTimer);
}

static void begin(psChild *child)
{
    psWatchdogStart(&child->watchdog);
    psWatchdogSign(&child->watchdog, psWatchSilent, psChildNow(child));
    arm(child);
}

static void end(psChild *child)
{
    psWatchdogStop(&child->watchdog);
    psChildHookStopHung(child);
    psLoopDisarm(&child->watchTimer);
}

void psChildWatchFollow(psChild *child)
{
    bool running = child->machine.state == psStateRunning && !child->paused;

    psLoopAssertInside(child->loop);
    if (!psWatchdogIsSet(&child->watchdog) || running == psWatchdogRunning(&child->watchdog))
        return;
    if (running)
        begin(child);
    else
        end(child);
}

void psChildWatchSignal(psChild *child, int signo)
{
    psLoopAssertInside(child->loop);
    if (signo == SIGSTOP || signo == SIGTSTP)
        child->paused = true;
    else if (signo == SIGCONT)
        child->paused = false;
}

void psChildWatchSign(psChild *child, psWatchRule rule)
{
    psLoopAssertInside(child->loop);
    if (psWatchdogSign(&child->watchdog, rule, psLoopNow(child->loop)))
        look(child);
}
