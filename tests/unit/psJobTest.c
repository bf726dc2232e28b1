/* SPDX-License-Identifier: EPICS */
#include <epicsUnitTest.h>
#include <testMain.h>

#include "loop/psJob.h"

typedef struct work {
    psJobList *list;
    psJob job;
    int calls;
    int order;
    bool again;         /* queues itself */
    struct work *takes; /* this one off the list */
} work;

static int orders;

static void run(void *ctx)
{
    work *self = ctx;

    self->calls++;
    self->order = ++orders;
    if (self->again)
        psJobListAdd(self->list, &self->job, false);
    if (self->takes)
        psJobListRemove(self->list, &self->takes->job);
}

static void prepare(work *self, psJobList *list)
{
    *self = (work){.list = list, .job = {.fn = run, .ctx = self}};
}

static void jobs_RunOnceInOrder(void)
{
    psJobList list;
    work a, b;

    psJobListInit(&list);
    prepare(&a, &list);
    prepare(&b, &list);
    testOk1(!psJobListAny(&list));
    testOk(psJobListAdd(&list, &a.job, false), "the first one wakes");
    testOk(!psJobListAdd(&list, &a.job, false), "queued already");
    testOk(!psJobListAdd(&list, &b.job, false), "the second one need not wake");
    testOk1(psJobListAny(&list));
    psJobListRun(&list, true);
    testOk(a.calls == 0, "they are not for the end of the round");
    psJobListRun(&list, false);
    testOk(a.order == 1 && b.order == 2 && a.calls == 1, "in order, each once");
    psJobListRun(&list, false);
    testOk1(a.calls == 1 && !psJobListAny(&list));
    psJobListClear(&list);
    psJobListClear(&list);
}

static void jobs_ThatQueueThemselves_WaitForTheNextRound(void)
{
    psJobList list;
    work a, b;

    psJobListInit(&list);
    prepare(&a, &list);
    prepare(&b, &list);
    a.again = true;
    psJobListAdd(&list, &a.job, false);
    psJobListRun(&list, false);
    testOk1(a.calls == 1 && psJobListAny(&list));
    a.again = false;
    a.takes = &b;
    psJobListAdd(&list, &b.job, false);
    psJobListRun(&list, false);
    testOk(a.calls == 2 && b.calls == 0, "one takes another off the list that is being run");
    psJobListAdd(&list, &b.job, true);
    psJobListRemove(&list, &b.job);
    psJobListRemove(&list, &b.job);
    psJobListRun(&list, true);
    testOk1(b.calls == 0);
    psJobListAdd(&list, &b.job, true);
    psJobListClear(&list);
    testOk(!b.job.queued, "it can be queued elsewhere");
}

MAIN(psJobTest)
{
    testPlan(12);
    jobs_RunOnceInOrder();
    jobs_ThatQueueThemselves_WaitForTheNextRound();
    return testDone();
}
