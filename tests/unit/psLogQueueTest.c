/* SPDX-License-Identifier: EPICS */
/* The queue of a log, both its sides in one thread: what would sleep is asked only when there is
 * something to do.  malloc() can be made to fail. */
#include <stdlib.h>
#include <string.h>

#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "log/psLogQueue.h"
#include "psTypes.h"

/* Take what comes next; bytes are given back at once. */
static psLogWork next(psLogQueue *queue, char *outText, psLogQueueNews *outNews)
{
    psLogBlock *block = NULL;
    psLogWork work = psLogQueueNext(queue, &block);

    outText[0] = '\0';
    if (work == psLogWorkWrite) {
        size_t len = block->used < 63 ? block->used : 63;

        memcpy(outText, block->data, len);
        outText[len] = '\0';
        *outNews = psLogQueueGiveBack(queue, block);
    }
    return work;
}

static void put_ComesOutInOrder_WithItsPlaceOfReopening(void)
{
    psLogQueue queue;
    psLogQueueNews news;
    char text[64];

    testDiag("put_ComesOutInOrder_WithItsPlaceOfReopening");
    testOk1(psLogQueueInit(&queue) == 0);
    testOk1(psLogQueuePut(&queue, "one ", 4) == 4 && psLogQueuePut(&queue, "two", 3) == 3);
    psLogQueueReopen(&queue);
    psLogQueuePut(&queue, "three", 5);
    psLogQueueReopen(&queue);
    psLogQueuePut(&queue, " four", 5);
    testOk1(psLogQueuedBytes(&queue) == 17);
    testOk(next(&queue, text, &news) == psLogWorkWrite && strcmp(text, "one two") == 0, "%s", text);
    testOk1(next(&queue, text, &news) == psLogWorkReopen);
    testOk(next(&queue, text, &news) == psLogWorkWrite && strcmp(text, "three four") == 0, "%s",
           text);
    testOk1(psLogQueuedBytes(&queue) == 0);
    psLogQueueReopen(&queue);
    testOk(next(&queue, text, &news) == psLogWorkReopen, "one that begins later is one of its own");
    psLogQueueClear(&queue);
    psLogQueueClear(&queue);
}

static void look_ComesWhenAllIsWritten_NotAtTheEnd(void)
{
    psLogQueue queue;
    psLogQueueNews news;
    char text[64];

    testDiag("look_ComesWhenAllIsWritten_NotAtTheEnd");
    psLogQueueInit(&queue);
    psLogQueueLook(&queue);
    psLogQueueLook(&queue);
    psLogQueuePut(&queue, "one", 3);
    testOk1(next(&queue, text, &news) == psLogWorkWrite);
    testOk1(next(&queue, text, &news) == psLogWorkLook);
    psLogQueueLook(&queue);
    psLogQueueEnd(&queue, false);
    testOk1(next(&queue, text, &news) == psLogWorkEnd);
    psLogQueueClear(&queue);
}

static void put_BeyondTheBound_IsRefusedUntilThereIsRoom(void)
{
    static const char block[65536];
    psLogQueue queue;
    psLogQueueNews news = psLogQueueNothing;
    size_t taken = 0, part;
    char text[64];

    testDiag("put_BeyondTheBound_IsRefusedUntilThereIsRoom");
    psLogQueueInit(&queue);
    while ((part = psLogQueuePut(&queue, block, sizeof(block))) > 0)
        taken += part;
    testOk(taken == PS_LOG_QUEUE_BYTES, "%zu bytes taken", taken);
    testOk1(psLogQueueFlush(&queue));
    psLogWork work = next(&queue, text, &news);
    testOk1(work == psLogWorkWrite && news == psLogQueueNothing);
    next(&queue, text, &news);
    testOk(news == psLogQueueRoom, "room, said once");
    int early = 0;
    for (;;) {
        next(&queue, text, &news);
        if (psLogQueuedBytes(&queue) == 0)
            break;
        early += news != psLogQueueNothing;
    }
    testOk(early == 0, "nothing to say before the end");
    testOk(news == psLogQueueFlushed, "and flushed with the last block");
    testOk1(!psLogQueueFlush(&queue));
    psLogQueueClear(&queue);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void put_WithoutMemory_IsLostAndCounted(void)
{
    testSkip(8, "the sanitizer's malloc() cannot be replaced");
}
#else
static bool noMemory;

extern void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
    return noMemory ? NULL : __libc_malloc(size);
}

static void put_WithoutMemory_IsLostAndCounted(void)
{
    psLogQueue queue;
    psLogQueueNews news = psLogQueueNothing;
    psLogBlock *block = NULL;
    char text[64];

    testDiag("put_WithoutMemory_IsLostAndCounted");
    psLogQueueInit(&queue);
    noMemory = true;
    size_t taken = psLogQueuePut(&queue, "lost", 4);
    noMemory = false;
    testOk1(taken == 4 && psLogQueuedBytes(&queue) == 0);
    testOk1(psLogQueueLostBytes(&queue) == 4);
    psLogQueuePut(&queue, "kept", 4);
    testOk1(psLogQueueLostBytes(&queue) == 0);
    psLogQueueReopen(&queue); /* what comes needs a new block */
    noMemory = true;
    taken = psLogQueuePut(&queue, "later", 5);
    noMemory = false;
    testOk(taken == 0, "something is under way: refused, not lost");
    psLogWork work = psLogQueueNext(&queue, &block);
    testOk1(work == psLogWorkWrite && block->lostBefore == 4 && block->used == 4);
    testOk1(psLogQueueGiveBack(&queue, block) == psLogQueueRoom);
    testOk1(psLogQueuePut(&queue, "later", 5) == 5);
    next(&queue, text, &news);
    next(&queue, text, &news);
    testOk(strcmp(text, "later") == 0, "%s", text);
    psLogQueueClear(&queue);
}
#endif

static void endNow(void *arg)
{
    psLogQueueEnd(arg, false);
}

static void next_Sleeps_UntilItIsWoken(void)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    psLogQueue queue;
    psLogBlock *block;

    testDiag("next_Sleeps_UntilItIsWoken");
    psLogQueueInit(&queue);
    opts.joinable = 1;
    epicsThreadId thread = epicsThreadCreateOpt("end", endNow, &queue, &opts);
    testOk1(psLogQueueNext(&queue, &block) == psLogWorkEnd);
    epicsThreadMustJoin(thread);
    psLogQueuePut(&queue, "left", 4);
    testOk1(!psLogQueueAbandoned(&queue));
    psLogQueueEnd(&queue, true);
    testOk(psLogQueueAbandoned(&queue) && psLogQueueNext(&queue, &block) == psLogWorkEnd,
           "abandoned, it ends with something left");
    psLogQueueClear(&queue);
}

MAIN(psLogQueueTest)
{
    (void)argc;
    (void)argv;
    testPlan(29);
    put_ComesOutInOrder_WithItsPlaceOfReopening();
    look_ComesWhenAllIsWritten_NotAtTheEnd();
    put_BeyondTheBound_IsRefusedUntilThereIsRoom();
    put_WithoutMemory_IsLostAndCounted();
    next_Sleeps_UntilItIsWoken();
    return testDone();
}
