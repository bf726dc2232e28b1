/* SPDX-License-Identifier: EPICS */
/** @file psSupFixture.h
 *  @brief A real supervisor with scripted children, for tests: every wait has a deadline and
 *  says what it waited for. */
#ifndef INC_psSupFixture_H
#define INC_psSupFixture_H

#include <epicsEvent.h>

#include "psSup.h"
#include "base/psText.h"
#include "psTestUtil.h"

#define PS_TEST_SEC 30.0 /* nothing here takes so long */

typedef struct psSupFixture {
    psSup *sup;
    char dir[64];      /* for logs and sockets; removed at the end */
    epicsEventId news; /* some child published something */
    int ended;         /* calls of psSupOptions.ended; read it after psSupFixtureWait() */
    int endedCode;
} psSupFixture;

/** One console, as a user has it. */
typedef struct psTestConsole {
    int fd;
    psText got;    /* everything that came */
    size_t behind; /* of it already expected */
} psTestConsole;

/** How a command ended. */
typedef struct psTestCommand {
    epicsEventId event;
    int calls;
    psCmdState how;
    char msg[PS_TEXT_BYTES];
    psSup *sup;
    char name[PS_NAME_BYTES];
    psStatus then; /* published when the end was reported */
} psTestCommand;

void psSupFixtureOpen(psSupFixture *f, bool endWithOneShot);
/** Shut down if that was not done, wait, free (unless sup is NULL), remove the files. */
void psSupFixtureClose(psSupFixture *f);
/** Wait for the end.  @return the exit code */
int psSupFixtureWait(psSupFixture *f);

/** A child: psTestChild with these words (NULL-terminated); hold-off 0.05 s, grace 5 s, killed
 *  by TERM, console at unix:DIR/NAME.sock, log in DIR/NAME.log. */
psConfig *psSupFixtureConfig(const psSupFixture *f, const char *name, const char *const *words);
/** The same with a command of any kind. */
psConfig *psSupFixtureCommand(const psSupFixture *f, const char *name, const char *const *argv);
void psSupFixtureSet(psConfig *cfg, const char *option, const char *value);
/** Add it, subscribe, and free @p cfg. */
void psSupFixtureAdd(psSupFixture *f, psConfig *cfg);
void psSupFixtureStart(psSupFixture *f);

/** Wait until @p is says so of the newest status, which is returned. */
psStatus psSupFixtureUntil(psSupFixture *f, const char *name, bool (*is)(const psStatus *, long),
                           long arg, const char *what);
/** Wait for a state. */
psStatus psSupFixtureState(psSupFixture *f, const char *name, psState state);
/** Wait until it runs for at least the @p n-th time. */
psStatus psSupFixtureRuns(psSupFixture *f, const char *name, int n);

/** Submit; psTestCommandWait() must follow. */
void psTestCommandGive(psTestCommand *command, psSupFixture *f, const char *name, psVerb verb,
                       double value);
psCmdState psTestCommandWait(psTestCommand *command);
/** Give a command and wait for its end. */
psCmdState psSupFixtureDo(psSupFixture *f, const char *name, psVerb verb, double value);

void psTestConsoleOpen(psTestConsole *console, const psSupFixture *f, const char *name);
void psTestConsoleClose(psTestConsole *console);
void psTestConsoleType(psTestConsole *console, const char *text);
/** Wait for @p text after what was expected last; false: the connection ended before. */
bool psTestConsoleExpect(psTestConsole *console, const char *text);
/** Read to the end of the connection. */
void psTestConsoleDrain(psTestConsole *console);

/** The log of a child, whole; psTextClear() it. */
psText psSupFixtureLog(const psSupFixture *f, const char *name);

#endif
