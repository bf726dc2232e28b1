/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "child/psChildHook.h"
#include "child/psChildText.h"
#include "console/psLine.h"
#include "console/psTail.h"
#include "process/psRunner.h"

#define HUNG_SEC 30.0
#define EVENT_SEC 60.0
#define EVENT_LINES 50
#define EVENT_BYTES 65536 /* of these lines */

/* One command. */
typedef struct psHook {
    psChild *child;
    const char *label;
    double limitSec;
    psRunner *runner; /* owned; NULL: there is no such command */
    psLine line;      /* of its output, until it is complete */
    void (*over)(struct psHook *hook);
} psHook;

/* What an event says, as texts. */
typedef struct psHookFacts {
    char pid[16], code[16], reason[PS_TEXT_BYTES];
} psHookFacts;

struct psChildHooks {
    psHook hung, event;
    void (*hungOver)(psChild *child); /* NULL: nobody waits for the hung command */
    psEventGate gate;
    psTimer timer;       /* the gate's */
    psHookFacts waiting; /* of gate.waiting */
    psText lines;        /* noted for the next event; empty: none are */
    bool ending;
};

/* In the order of the values. */
static const char *const hungNames[] = {"PS_PID", "PS_NAME", "PS_REASON", NULL};
static const char *const eventNames[] = {"PS_NAME",   "PS_EVENT",  "PS_PID", "PS_EXIT",
                                         "PS_REASON", "PS_PREFIX", NULL};

/* ---- output and end ---- */

static void printLine(void *ctx, const char *line, size_t lineLen)
{
    psHook *hook = ctx;

    psChildTextNotice(hook->child, "%s: %.*s", hook->label, (int)lineLen, line);
}

static void output(void *ctx, const char *bytes, size_t len)
{
    psHook *hook = ctx;

    psLineFeed(&hook->line, bytes, len, printLine, hook);
}

static void reportEnd(psHook *hook, const psRunnerEnd *end)
{
    psChild *child = hook->child;

    if (hook->line.len > 0)
        psLineFeed(&hook->line, "\n", 1, printLine, hook);
    if (end->dropped > 0)
        psChildTextNotice(child, "%s: %lu more bytes of its output are not shown", hook->label,
                          (unsigned long)end->dropped);
    if (end->why)
        psChildTextNotice(child, "the %s could not be run: %s", hook->label, end->why);
    else if (end->killed)
        psChildTextNotice(child, "the %s was ended: it is not needed any more", hook->label);
    else if (end->timedOut)
        psChildTextNotice(child, "the %s took longer than %g s and was killed", hook->label,
                          hook->limitSec);
    else if (end->info.signo > 0)
        psChildTextNotice(child, "the %s was killed by %s", hook->label,
                          psSignalName(end->info.signo));
    else if (end->info.code > 0)
        psChildTextNotice(child, "the %s failed with exit status %d", hook->label, end->info.code);
}

static void ended(void *ctx, const psRunnerEnd *end)
{
    psHook *hook = ctx;
    psChild *child = hook->child;

    reportEnd(hook, end);
    hook->over(hook);
    if (child->machine.ending)
        child->ops->settled(child->ctx);
}

static const psRunnerOps runnerOps = {.output = output, .ended = ended};

/* @return false after a notice */
static bool start(psHook *hook, const char *const *values, const void *input, size_t inputLen)
{
    psLineInit(&hook->line);
    int status = psRunnerStart(hook->runner, values, input, inputLen);

    if (status)
        psChildTextNotice(hook->child, "the %s could not be run: %s", hook->label,
                          strerror(-status));
    return status == 0;
}

/* ---- the hung command ---- */

static void hungOver(psHook *hook)
{
    psChildHooks *hooks = hook->child->hooks;
    void (*over)(psChild * child) = hooks->hungOver;

    hooks->hungOver = NULL;
    if (over)
        over(hook->child);
}

bool psChildHookHung(psChild *child, const char *reason, void (*over)(psChild *child))
{
    psChildHooks *hooks = child->hooks;
    char pid[16];
    const char *values[] = {pid, child->name, reason};

    psLoopAssertInside(child->loop);
    if (!hooks || !hooks->hung.runner || hooks->ending || psRunnerBusy(hooks->hung.runner))
        return false;
    epicsSnprintf(pid, sizeof(pid), "%d", child->pid);
    psChildTextNotice(child, "running the hung command");
    if (!start(&hooks->hung, values, NULL, 0))
        return false;
    hooks->hungOver = over;
    return true;
}

void psChildHookStopHung(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (!child->hooks)
        return;
    child->hooks->hungOver = NULL;
    psRunnerKill(child->hooks->hung.runner);
}

/* ---- the event command ---- */

static void due(void *ctx);

static void arm(psChild *child)
{
    psChildHooks *hooks = child->hooks;
    double at = psEventGateDue(&hooks->gate);

    if (at < HUGE_VAL && !hooks->ending)
        psLoopArm(child->loop, &hooks->timer, at, due, child);
    else
        psLoopDisarm(&hooks->timer);
}

static void readLines(const psChild *child, psText *out)
{
    const psRing *ring = &child->console.output.plain.ring;
    const psTailRequest last = {.to = ring->head, .lines = EVENT_LINES, .bytes = EVENT_BYTES};

    psTextReset(out);
    psTailRead(ring, &last, out);
    psTextAppend(out, "\n", 1);
}

void psChildHookNote(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (child->hooks && child->hooks->event.runner && !child->hooks->ending)
        readLines(child, &child->hooks->lines);
}

static void startEvent(psChild *child, psNews news, const psHookFacts *facts)
{
    psChildHooks *hooks = child->hooks;
    psText *lines = &hooks->lines;
    const char *values[] = {child->name, psNewsName(news), facts->pid,
                            facts->code, facts->reason,    child->prefix ? child->prefix : ""};

    if (lines->len == 0)
        readLines(child, lines);
    psChildTextNotice(child, "running the event command for \"%s\"", psNewsName(news));
    psEventGateStarted(&hooks->gate, psChildNow(child));
    if (!start(&hooks->event, values, lines->failed ? "" : lines->data,
               lines->failed ? 0 : lines->len))
        psEventGateEnded(&hooks->gate);
    psTextClear(lines);
}

static bool isStillTrue(const psChild *child, psNews news)
{
    if (news == psNewsCrashLoop)
        return child->machine.state == psStateCrashLoop;
    return news != psNewsHung || child->machine.hung;
}

static void due(void *ctx)
{
    psChild *child = ctx;
    psChildHooks *hooks = child->hooks;
    unsigned skipped;
    psNews news = psEventGateTake(&hooks->gate, psChildNow(child), &skipped);

    if (news != psNewsNone && !isStillTrue(child, news)) {
        news = psNewsNone;
        skipped++;
    }
    if (skipped > 0)
        psChildTextNotice(child,
                          "%u %s not passed to the event command: it is run at most once "
                          "in %g s",
                          skipped, skipped == 1 ? "event was" : "events were", PS_EVENT_GAP_SEC);
    if (news != psNewsNone)
        startEvent(child, news, &hooks->waiting);
    arm(child);
}

static void eventOver(psHook *hook)
{
    psEventGateEnded(&hook->child->hooks->gate);
    arm(hook->child);
}

void psChildHookEvent(psChild *child, psNews news, int pid, int exitCode, const char *reason)
{
    psChildHooks *hooks = child->hooks;
    psHookFacts facts = {.code = ""};

    psLoopAssertInside(child->loop);
    if (!hooks || !hooks->event.runner || hooks->ending)
        return;
    epicsSnprintf(facts.pid, sizeof(facts.pid), "%d", pid);
    if (exitCode >= 0)
        epicsSnprintf(facts.code, sizeof(facts.code), "%d", exitCode);
    epicsSnprintf(facts.reason, sizeof(facts.reason), "%s", reason);
    if (psEventGateOffer(&hooks->gate, news, psChildNow(child)))
        startEvent(child, news, &facts);
    else if (hooks->gate.waiting == news)
        hooks->waiting = facts;
    psTextClear(&hooks->lines);
    arm(child);
}

/* ---- life ---- */

static bool isChildsAlone(const char *variable)
{
    static const char *const names[] = {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="};

    for (size_t i = 0; i < NELEMENTS(names); i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static bool prepare(psChild *child, psHook *hook, const char *command, psRunnerPlan *plan)
{
    hook->child = child;
    hook->limitSec = plan->limitSec;
    plan->command = command;
    if (command)
        hook->runner = psRunnerCreate(child->loop, plan, &runnerOps, hook);
    return hook->runner || !command;
}

int psChildHookInit(psChild *child, const psInherit *inherit)
{
    const psConfig *cfg = child->cfg;
    size_t count = 0;

    if (!cfg->hungCommand && !cfg->eventCommand)
        return 0;
    while (child->launch.envp[count])
        count++;
    psChildHooks *hooks = calloc(1, sizeof(*hooks));
    char **envp = calloc(count + 1, sizeof(*envp)); /* copied by the runners */
    child->hooks = hooks;
    bool good = hooks && envp;
    if (good) {
        size_t used = 0;

        for (size_t i = 0; i < count; i++)
            if (!isChildsAlone(child->launch.envp[i]))
                envp[used++] = child->launch.envp[i];
        psRunnerPlan plan = {.envp = envp,
                             .names = hungNames,
                             .dir = cfg->dir,
                             .inherit = inherit,
                             .limitSec = HUNG_SEC};
        hooks->hung.label = "hung command";
        hooks->hung.over = hungOver;
        hooks->event.label = "event command";
        hooks->event.over = eventOver;
        good = prepare(child, &hooks->hung, cfg->hungCommand, &plan);
        plan.names = eventNames;
        plan.limitSec = EVENT_SEC;
        good = good && prepare(child, &hooks->event, cfg->eventCommand, &plan);
    }
    free(envp);
    return good ? 0 : -ENOMEM; /* what there is, is freed with the child */
}

void psChildHookFree(psChild *child)
{
    psChildHooks *hooks = child->hooks;

    if (!hooks)
        return;
    psLoopDisarm(&hooks->timer);
    psRunnerFree(hooks->hung.runner);
    psRunnerFree(hooks->event.runner);
    psTextClear(&hooks->lines);
    free(hooks);
    child->hooks = NULL;
}

/* ---- the end ---- */

void psChildHookEnd(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (!child->hooks)
        return;
    child->hooks->ending = true;
    psChildHookStopHung(child);
    arm(child);
}

bool psChildHookBusy(const psChild *child)
{
    const psChildHooks *hooks = child->hooks;

    return hooks && (psRunnerBusy(hooks->hung.runner) || psRunnerBusy(hooks->event.runner));
}

void psChildHookGiveUp(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (child->hooks)
        psRunnerKill(child->hooks->event.runner);
}
