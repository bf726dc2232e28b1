/* SPDX-License-Identifier: EPICS */
#include <errno.h>

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
    target->setting = setting;
    target->verb = command ? command->verb : setting->verb;
    target->range = command ? command->only : setting->range;
    target->plan = command ? command->plan : NULL;
    target->isSetting = setting;
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
    target->plan(&now, &plan);
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
    if (target->plan)
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
    return target->child ? psIocChildDenied(target->child, cmd, reason, done, ctx)
                         : psIocAllDenied(cmd, reason, done, ctx);
}

int psTargetActual(const psTarget *target, const psSettings *known, double *out)
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
        known = &now.settings;
    }
    if (!status)
        *out = psSettingGet(target->setting, known);
    return status;
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
