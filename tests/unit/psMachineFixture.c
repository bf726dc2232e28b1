/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <signal.h>
#include <string.h>

#include <epicsUnitTest.h>

#include "psMachineFixture.h"

void psFixtureWant(psFixture *f, bool condition, const char *text, const char *file, int line)
{
    if (condition)
        return;
    f->good = false;
    testDiag("%s:%d wanted: %s", file, line, text);
    testDiag("  state %s, actions %#x, deadline in %g s", psStateName(f->m.state), f->out.actions,
             f->m.deadline - f->now);
}

void psFixtureRun(const psFixtureTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        psFixture f = {.good = true};

        psFixtureInit(&f);
        tests[i].fn(&f);
        testOk(f.good, "%s", tests[i].name);
    }
}

psSettings psFixtureSettings(void)
{
    psSettings settings = {.mode = psModeAlways,
                           .holdoffSec = 15,
                           .holdoffMaxSec = 0,
                           .restartWindowSec = 600,
                           .graceSec = 5,
                           .maxRestarts = 0};

    return settings;
}

void psFixtureInitWith(psFixture *f, const psSettings *settings, int killSignal, bool hasStopInput)
{
    bool good = f->good;

    memset(f, 0, sizeof(*f));
    f->good = good;
    f->now = 1000.1; /* no round number: deadlines must not depend on one */
    psMachineInit(&f->m, settings, killSignal, hasStopInput, f->now);
}

void psFixtureInit(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    psFixtureInitWith(f, &settings, SIGTERM, false);
}

void psFixtureStep(psFixture *f, const psInputEvent *event)
{
    if (!f->fired) {
        f->fired = true;
        f->event = event->event;
        f->in = f->m.state;
    }
    psMachineStep(&f->m, event, f->now, &f->out);
}

void psFixtureBoot(psFixture *f, bool wait)
{
    psMachineBoot(&f->m, wait, f->now, &f->out);
}

void psFixtureFire(psFixture *f, psEvent event)
{
    psInputEvent input = {.event = event, .reason = psReasonOperator};

    psFixtureStep(f, &input);
}

void psFixtureSignal(psFixture *f, int signo)
{
    psInputEvent input = {.event = psEventSignal, .signo = signo};

    psFixtureStep(f, &input);
}

void psFixtureHung(psFixture *f, bool restarts)
{
    psInputEvent input = {.event = psEventHung, .restarts = restarts};

    psFixtureStep(f, &input);
}

void psFixtureUnfit(psFixture *f)
{
    psInputEvent input = {.event = psEventUnfit, .reason = psReasonWatchdog};

    psFixtureStep(f, &input);
}

void psFixtureMode(psFixture *f, psMode mode)
{
    psInputEvent input = {.event = psEventMode, .mode = mode};

    psFixtureStep(f, &input);
}

void psFixtureSpawned(psFixture *f)
{
    psInputEvent input = {.event = psEventSpawned, .incarnation = f->m.incarnation};

    psFixtureStep(f, &input);
}

void psFixtureSpawnFailed(psFixture *f)
{
    psInputEvent input = {.event = psEventSpawnFailed, .incarnation = f->m.incarnation};

    psFixtureStep(f, &input);
}

static void ends(psFixture *f, int code, int signo, bool lost)
{
    psInputEvent input = {.event = psEventExited,
                          .incarnation = f->m.incarnation,
                          .exitCode = code,
                          .exitSignal = signo,
                          .lost = lost};

    psFixtureStep(f, &input);
}

void psFixtureExits(psFixture *f, int code)
{
    ends(f, code, -1, false);
}

void psFixtureDies(psFixture *f, int signo)
{
    ends(f, -1, signo, false);
}

void psFixtureIsLost(psFixture *f)
{
    ends(f, -1, -1, true);
}

void psFixtureLater(psFixture *f, double sec)
{
    f->now += sec;
}

void psFixtureDue(psFixture *f)
{
    if (f->m.deadline < HUGE_VAL && f->m.deadline > f->now)
        f->now = f->m.deadline;
    psFixtureFire(f, psEventTimer);
}

/* Two crashes with one automatic restart allowed. */
static void bringToCrashLoop(psFixture *f)
{
    f->m.settings.maxRestarts = 1;
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureExits(f, 1);
    psFixtureDue(f);
    psFixtureSpawned(f);
    psFixtureExits(f, 1);
}

void psFixtureBring(psFixture *f, psState state)
{
    psFixtureInit(f);
    if (state == psStateCrashLoop) {
        bringToCrashLoop(f);
    } else if (state != psStateStopped) {
        psFixtureBoot(f, state == psStateWaiting);
        if (state != psStateWaiting && state != psStateStarting)
            psFixtureSpawned(f);
        if (state == psStateHoldoff)
            psFixtureExits(f, 1);
        if (state == psStateStopping || state == psStateKilling)
            psFixtureFire(f, psEventStop);
        if (state == psStateKilling)
            psFixtureDue(f);
    }
    WANT(f, f->m.state == state);
    psFixtureReady(f);
}

void psFixtureReady(psFixture *f)
{
    f->fired = false;
}
