/* SPDX-License-Identifier: EPICS */
/** @file psMachineFixture.h
 *  @brief A machine, its time, and short words for what happens to it. */
#ifndef INC_psMachineFixture_H
#define INC_psMachineFixture_H

#include "model/psMachine.h"

typedef struct psFixture {
    psMachine m;
    psOutput out; /* of the last step */
    double now;
    bool good;     /* no WANT() failed yet */
    bool fired;    /* since psFixtureReady(): */
    psEvent event; /* the first event, */
    psState in;    /* and the state it met */
} psFixture;

/** One test of one cell of the table. */
typedef struct psCellTest {
    const char *name;
    psEvent event;
    psState state;
    void (*fn)(psFixture *f);
} psCellTest;
#define CELL(event, state, fn)                                                                     \
    {                                                                                              \
#fn, event, state, fn                                                                      \
    }

/** NULL-terminated (by fn). */
extern const psCellTest psCommandCells[];
extern const psCellTest psProcessCells[];
extern const psCellTest psUnfitCells[];

/** A test of more than a cell. */
typedef struct psFixtureTest {
    const char *name;
    void (*fn)(psFixture *f);
} psFixtureTest;
#define TEST(fn)                                                                                   \
    {                                                                                              \
#fn, fn                                                                                    \
    }
void psFixtureRun(const psFixtureTest *tests, size_t count);

/** Fails the test, and prints what was wanted. */
#define WANT(f, condition) psFixtureWant(f, condition, #condition, __FILE__, __LINE__)
void psFixtureWant(psFixture *f, bool condition, const char *text, const char *file, int line);

/** Mode Always, hold-off 15 s, window 600 s, grace 5 s, kill signal TERM; state Stopped. */
void psFixtureInit(psFixture *f);
/** Init with other numbers; what failed before stays failed. */
void psFixtureInitWith(psFixture *f, const psSettings *settings, int killSignal, bool hasStopInput);
psSettings psFixtureSettings(void);
/** A fresh machine, brought to @p state by events. */
void psFixtureBring(psFixture *f, psState state);
/** The situation is reached; what comes next is what the test is about. */
void psFixtureReady(psFixture *f);

void psFixtureBoot(psFixture *f, bool wait);
void psFixtureStep(psFixture *f, const psInputEvent *event);
void psFixtureFire(psFixture *f, psEvent event);
void psFixtureSignal(psFixture *f, int signo);
/** @param restarts an Unfit is to follow */
void psFixtureHung(psFixture *f, bool restarts);
void psFixtureUnfit(psFixture *f); /**< by the watchdog */
void psFixtureMode(psFixture *f, psMode mode);
void psFixtureSpawned(psFixture *f);
void psFixtureSpawnFailed(psFixture *f);
void psFixtureExits(psFixture *f, int code);
void psFixtureDies(psFixture *f, int signo);
void psFixtureIsLost(psFixture *f);
/** Time passes; no timer is called. */
void psFixtureLater(psFixture *f, double sec);
/** Time passes until the deadline, and the timer is called. */
void psFixtureDue(psFixture *f);

#endif
