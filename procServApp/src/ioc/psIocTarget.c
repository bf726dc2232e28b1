/* SPDX-License-Identifier: EPICS */
#include <errno.h>

#include <epicsStdio.h>

#include "psIocAll.h"
#include "psIocRegistry.h"
#include "psIocTarget.h"

static void initSystem(psTarget *target, const psOutSystemItem *item)
{
    target->system = item;
    target->verb = item->verb;
    target->range = item->only;
    target->isSetting = item->actual;
}

static void initChild(psTarget *target, const psOutItem *command, const psSetting *setting)
{
    target->item = command;
    target->setting = setting;
    target->verb = command ? command->verb : setting->verb;
    target->range = command ? command->only : setting->range;
    target->isSetting = setting || command->actual;
}

int psTargetInit(psTarget *target, const psLinkTarget *link)
{
    psTarget made = {0};

    if (!link->name[0]) {
        initSystem(&made, link->row);
    } else {
        made.child = psIocRegistryGet(link->name);
        if (!made.child)
            return -ENOMEM;
        initChild(&made, link->row, link->setting);
    }
    *target = made;
    return 0;
}

/* Between the two commands of a plan another one may come; they are what two puts would be. */
static int submitPlanned(const psTarget *target, const psCommand *cmd, psDoneFn done, void *ctx)
{
    psTargetPlan plan = {0};
    psCommand first = *cmd, last = *cmd;
    psStatus now;
    int status = psIocChildStatus(target->child, &now);

    if (status)
        return status;
    target->item->plan(&now, &plan);
    if (plan.refusal)
        return psIocChildDenied(target->child, cmd, plan.refusal, done, ctx);
    if (plan.setsMode) {
        first.verb = psVerbMode;
        first.value = plan.mode;
        status = psIocChildSubmit(target->child, &first, NULL, NULL);
    }
    last.value = plan.value;
    return status ? status : psIocChildSubmit(target->child, &last, done, ctx);
}

int psTargetSubmit(const psTarget *target, const psCommand *cmd, psDoneFn done, void *ctx)
{
    if (target->item && target->item->plan)
        return submitPlanned(target, cmd, done, ctx);
    return target->child ? psIocChildSubmit(target->child, cmd, done, ctx)
                         : target->system->submit(cmd, done, ctx);
}

int psTargetTell(const psTarget *target, const char *text)
{
    return target->child ? psIocChildTell(target->child, text) : psIocAllTell(text);
}

int psTargetDenied(const psTarget *target, const psCommand *cmd, const char *reason, psDoneFn done,
                   void *ctx)
{
    if (target->child)
        return psIocChildDenied(target->child, cmd, reason, done, ctx);
    if (target->verb != psVerbNone)
        return psIocAllDenied(cmd, reason, done, ctx);
    if (done)
        done(ctx, psCmdDenied, reason); /* no other record shows it */
    return 0;
}

void psTargetRefused(const psTarget *target, const char *record, const char *by)
{
    char reason[PS_TEXT_BYTES] = "the record is disabled (DISP)";
    char text[2 * PS_TEXT_BYTES];
    psCommand cmd = {.verb = target->verb, .reason = psReasonOperator};

    psTargetLockedOut(target, NULL, reason);
    epicsSnprintf(cmd.by, sizeof(cmd.by), "%s", by);
    epicsSnprintf(text, sizeof(text), "%s put %s refused: %s", by, record, reason);
    /* With a full queue only the client knows. */
    psTargetTell(target, text);
    psTargetDenied(target, &cmd, reason, NULL, NULL);
}

int psTargetActual(const psTarget *target, const psStatus *known, double *out)
{
    psStatus now;
    int status = 0;

    if (!target->isSetting) {
        *out = 0;
        return 0;
    }
    if (target->system)
        return target->system->actual(out);
    if (!known) {
        status = psIocChildStatus(target->child, &now);
        known = &now;
    }
    if (status)
        return status;
    *out = target->item ? target->item->actual(known)
                        : psSettingGet(target->setting, &known->settings);
    return 0;
}

int psTargetText(const psTarget *target, char *out, size_t size)
{
    psStatus now;
    int status = psIocChildStatus(target->child, &now);

    if (!status)
        epicsSnprintf(out, size, "%s", target->item->text(&now));
    return status;
}

bool psTargetLockedOut(const psTarget *target, const psStatus *known, char *outWhy)
{
    psStatus now;

    if (!target->child || !psVerbIsForLockout(target->verb))
        return false;
    if (!known && psIocChildStatus(target->child, &now))
        return false;
    const psLockout *lockout = known ? &known->lockout : &now.lockout;
    if (lockout->on && outWhy)
        psLockoutText(lockout, outWhy, PS_TEXT_BYTES);
    return lockout->on;
}

uint32_t psTargetEnded(const psTarget *target)
{
    if (target->child)
        return psIocChildNewest(target->child);
    psIocRegistryMark();
    return psIocAllNewest();
}

bool psTargetReached(const psTarget *target)
{
    return target->child || psIocRegistryReached();
}

void psTargetPollIfShown(const psTarget *target, uint32_t seq)
{
    if (target->child)
        psIocChildPollIfShown(target->child, seq);
    else
        psIocAllPollIfShown(seq);
}

void psTargetObserve(const psTarget *target, psIocObserver *observer)
{
    if (target->child)
        psIocChildObserve(target->child, observer);
    else
        psIocAllObserve(observer);
}
