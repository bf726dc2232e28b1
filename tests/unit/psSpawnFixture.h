/* SPDX-License-Identifier: EPICS */
/** @file psSpawnFixture.h
 *  @brief One start after the other, with what the child printed and how it ended.
 */
#ifndef INC_psSpawnFixture_H
#define INC_psSpawnFixture_H

#include "process/psPty.h"
#include "process/psReap.h"
#include "process/psSpawn.h"
#include "psTestUtil.h"

#define PS_SPAWN_TEST_SEC 30.0

typedef struct psSpawnFixture {
    psLoop *loop;
    psPty pty;
    psSpawnRequest request;
    psSpawn *spawn;
    int outcomes; /* times the outcome was delivered */
    psSpawnOutcome outcome;
    psReap reap;
    psWatch watch;
    int ends;
    psReapInfo end;
    char text[65536]; /* what it printed, without CR */
    size_t textLen;
} psSpawnFixture;

void psSpawnFixtureOpen(psSpawnFixture *f);
void psSpawnFixtureClose(psSpawnFixture *f);

/** A new terminal, and a request for psTestChild with these words (NULL-terminated, to live as
 *  long as the start); ::environ, no directory, nothing saved. */
void psSpawnFixturePrepare(psSpawnFixture *f, const char *const *words);
/** Begin what is in f->request. */
void psSpawnFixtureBegin(psSpawnFixture *f);
/** Until the outcome is there; frees the spawn. */
void psSpawnFixtureAwaitOutcome(psSpawnFixture *f);
/** The three above and wait for the end: of the child, or of a failed start. */
void psSpawnFixtureRun(psSpawnFixture *f);
/** After an outcome with a pid: until it ended and its output is read. */
void psSpawnFixtureAwaitEnd(psSpawnFixture *f);

/** First line "key ..." of a report, without the key; "" if there is none. */
const char *psSpawnFixtureFact(const psSpawnFixture *f, const char *key);

#endif
