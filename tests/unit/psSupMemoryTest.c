/* SPDX-License-Identifier: EPICS */
/*
 * What is said when the supervisor has no memory for something, while its child runs: the reason,
 * and everything else goes on.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psTypes.h"
#include "model/psGoal.h"
#include "psSupFixture.h"

#define INPUT_BYTES 4096 /* psInput.c's first piece */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_REFUSE 0 /* the sanitizer has functions of its own */
#else
#define CAN_REFUSE 1

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Atomic size_t refused; /* pieces of this size are; 0: none */

/* In place of the C library's. */
void *malloc(size_t size)
{
    if (size && size == atomic_load(&refused)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (size && count * size == atomic_load(&refused)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (size && size == atomic_load(&refused)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, size);
}

static void open(psSupFixture *f, const char *stopInput)
{
    psSupFixtureOpen(f, false);
    psConfig *cfg = psSupFixtureConfig(f, "one", WORDS("wait"));
    if (stopInput)
        psSupFixtureSet(cfg, "stop-input", stopInput);
    psSupFixtureSet(cfg, "grace", "0.2");
    psSupFixtureAdd(f, cfg);
    psSupFixtureStart(f);
    psSupFixtureRuns(f, "one", 1);
}

static void typed_WithoutMemory_SaysSo(void)
{
    psSupFixture f;
    psTestConsole console;

    open(&f, NULL);
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleExpect(&console, "@@@ Welcome");
    atomic_store(&refused, INPUT_BYTES);
    psTestConsoleType(&console, "hello");
    bool said = psTestConsoleExpect(&console, "@@@ Out of memory: ");
    atomic_store(&refused, 0);
    testOk(said && !strstr(console.got.data, "does not read"), "typed bytes without memory");
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

static void stopInput_WithoutMemory_IsReportedAndTheStopGoesOn(void)
{
    psSupFixture f;
    psTestConsole console;

    open(&f, "exit^M");
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleExpect(&console, "@@@ Welcome");
    atomic_store(&refused, INPUT_BYTES);
    psCmdState how = psSupFixtureDo(&f, "one", psVerbStop, 0);
    atomic_store(&refused, 0);
    testOk(how == psCmdDone, "it has stopped all the same");
    testOk(psTestConsoleExpect(&console, "@@@ out of memory: the stop input is not sent"),
           "and the console says what was left out");
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

static void command_WithoutMemoryToWaitForIt_SaysSo(void)
{
    psSupFixture f;
    psTestCommand command;

    open(&f, NULL);
    atomic_store(&refused, sizeof(psGoal));
    psTestCommandGive(&command, &f, "one", psVerbStop, 0);
    psCmdState how = psTestCommandWait(&command);
    atomic_store(&refused, 0);
    testOk(how == psCmdFailed && strstr(command.msg, "out of memory"), "%s", command.msg);
    psSupFixtureState(&f, "one", psStateStopped);
    testPass("it was carried out");
    psSupFixtureClose(&f);
}
#endif

MAIN(psSupMemoryTest)
{
    testPlan(5);
#if CAN_REFUSE
    typed_WithoutMemory_SaysSo();
    stopInput_WithoutMemory_IsReportedAndTheStopGoesOn();
    command_WithoutMemoryToWaitForIt_SaysSo();
#else
    testSkip(5, "the sanitizer has a malloc() of its own");
#endif
    return testDone();
}
