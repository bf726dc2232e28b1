/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <signal.h>

#include "child/psChildHook.h"
#include "child/psChildText.h"
#include "child/psChildWatch.h"
#include "child/psChildWatchText.h"

/* An update may be on its way for so long that it is still one of the process before. */
#define OTHERS_UPDATES_SEC 1.0
/* A client looks for a PV that was gone less and less often: an IOC that has restarted is no news.
 */
#define REMARK_SEC 30.0

static void look(void *ctx);

static void arm(psChild *child)
{
    double deadline = fmin(psWatchdogDeadline(&child->watchdog), child->remarkMono);

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

/* Once for each process: it may be a wrong name, or an IOC without that record. */
static void remark(psChild *child)
{
    if (psClockMono(psLoopClock(child->loop)) < child->remarkMono)
        return;
    child->remarkMono = HUGE_VAL;
    psChildTextNotice(child,
                      "no update of %s so far: \"%s\" is watched by it from its first one on",
                      child->cfg->watchPv, child->name);
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
        if (psWatchdogCounts(&child->watchdog, psWatchPv))
            child->remarkMono = HUGE_VAL;
        if (!child->machine.hung && psWatchdogCounting(&child->watchdog) != child->counting) {
            child->counting = psWatchdogCounting(&child->watchdog);
            child->happened(child, &alive, NULL); /* to publish that one more rule counts */
        }
        break;
    }
    remark(child);
    arm(child);
}

void psChildWatchInit(psChild *child)
{
    const psConfig *cfg = child->cfg;
    const double limitSec[psWatchRuleCount] = {
        [psWatchSilent] = cfg->silentAfterSec,
        [psWatchPv] = cfg->watchAfterSec,
        [psWatchNotify] = cfg->watchdogSec,
    };

    psWatchdogInit(&child->watchdog, limitSec);
    child->remarkMono = HUGE_VAL;
    child->watchJob.fn = look;
    child->watchJob.ctx = child;
}

void psChildWatchClear(psChild *child)
{
    psLoopDisarm(&child->watchTimer);
    psLoopCancel(child->loop, &child->watchJob);
}

static void begin(psChild *child)
{
    double now = psChildNow(child);

    if (child->cfg->watchAfterSec > 0)
        child->remarkMono = now + fmax(child->cfg->watchAfterSec, REMARK_SEC);
    atomic_store(&child->pvFromMono, now + OTHERS_UPDATES_SEC);
    psWatchdogStart(&child->watchdog);
    psWatchdogSign(&child->watchdog, psWatchSilent, now);
    child->counting = psWatchdogCounting(&child->watchdog);
    arm(child);
}

static void end(psChild *child)
{
    psWatchdogStop(&child->watchdog);
    child->remarkMono = HUGE_VAL;
    psChildHookStopHung(child);
    psLoopDisarm(&child->watchTimer);
}

void psChildWatchFollow(psChild *child)
{
    /* A process that is hung stays so until it shows life, whatever stops it meanwhile. */
    bool running =
        child->machine.state == psStateRunning && (!child->paused || child->machine.hung);

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

unsigned psChildWatchPv(psChild *child)
{
    double now = psChildNow(child);

    if (now >= atomic_load(&child->pvFromMono) && psWatchdogSign(&child->watchdog, psWatchPv, now))
        psLoopPost(child->loop, &child->watchJob);
    return atomic_fetch_add(&child->pvUpdates, 1) + 1;
}

void psChildWatchTrigger(psChild *child)
{
    psLoopAssertInside(child->loop);
    psWatchdogTrigger(&child->watchdog);
    look(child);
}

void psChildWatchSign(psChild *child, psWatchRule rule)
{
    psLoopAssertInside(child->loop);
    if (psWatchdogSign(&child->watchdog, rule, psLoopNow(child->loop)))
        look(child);
}
