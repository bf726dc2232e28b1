/* SPDX-License-Identifier: EPICS */
/* The list of armed timers: order, and removal anywhere. */
#include <epicsUnitTest.h>
#include <testMain.h>

#include "loop/psTimer.h"

static psTimerList list;
static psTimer timers[5];

static void add(int which, double deadline)
{
    timers[which].deadline = deadline;
    psTimerListAdd(&list, &timers[which]);
}

/* The numbers of the timers, as they are taken off one after the other. */
static int drain(void)
{
    psTimer *timer;
    int order = 0;

    while ((timer = psTimerListFirst(&list))) {
        order = 10 * order + (int)(timer - timers) + 1;
        psTimerListRemove(&list, timer);
    }
    return order;
}

MAIN(psTimerTest)
{
    testPlan(5);
    psTimerListInit(&list);
    testOk(psTimerListCount(&list) == 0 && !psTimerListFirst(&list), "empty");

    add(0, 3.0);
    add(1, 1.0);
    add(2, 2.0);
    testOk1(psTimerListCount(&list) == 3);
    int order = drain();
    testOk(order == 231, "the soonest first: %d", order);

    for (int i = 0; i < 5; i++)
        add(i, 1.0);
    order = drain();
    testOk(order == 12345, "those of the same deadline as they were added: %d", order);

    for (int i = 0; i < 5; i++)
        add(i, i);
    psTimerListRemove(&list, &timers[2]);
    psTimerListRemove(&list, &timers[0]);
    psTimerListRemove(&list, &timers[4]);
    order = drain();
    testOk(order == 24, "what is removed is gone: %d", order);
    return testDone();
}
