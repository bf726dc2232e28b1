/* SPDX-License-Identifier: EPICS */
/*
 * A real supervisor with real processes: life, policies, commands, shutdown.  Each test creates
 * a supervisor and frees it, so that this also proves that several in one program are fine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psVerb.h"
#include "psSupFixture.h"
#include "psTestUtil.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void addChild(psSupFixture *f, const char *name, const char *const *words)
{
    psSupFixtureAdd(f, psSupFixtureConfig(f, name, words));
}

/* One child that waits for ever. */
static void openOne(psSupFixture *f)
{
    psSupFixtureOpen(f, false);
    addChild(f, "one", WORDS("wait"));
    psSupFixtureStart(f);
    psSupFixtureRuns(f, "one", 1);
}

static bool isGone(int pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* ---- life ---- */

static void boot_Running_PublishesEachTransition(void)
{
    psSupFixture f;
    psStatus status = {0}, got;
    int more;
    int starting = 0, running = 0;
    bool inOrder = true;

    openOne(&f);
    do {
        more = psSupNextTransition(psSupFind(f.sup, "one"), &got);
        if (more >= 0) {
            inOrder = inOrder && got.seq == status.seq + 1;
            status = got;
            starting += status.state == psStateStarting;
            running += status.state == psStateRunning;
        }
    } while (more == 1);
    testOk(inOrder && starting >= 1 && running >= 1 && status.state == psStateRunning,
           "Starting, then Running; none is missing");
    testOk(status.pid > 0 && !isGone(status.pid) && status.running && status.ready &&
               status.desiredUp && status.starts == 1 && status.restarts == 0,
           "pid %d, first start", status.pid);
    testOk(status.startReason == psReasonBoot && status.startTime.secPastEpoch > 0 &&
               status.startMono > 0 && status.startMono <= psSupMono(f.sup),
           "started at boot, now");
    psSupFixtureClose(&f);
    testOk(isGone(status.pid), "gone at the end");
    testOk(f.ended == 1, "the caller was told once");
}

static void wait_UntilStarted_IsWaiting(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("wait"));
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psStatus status = psSupFixtureState(&f, "one", psStateWaiting);
    testOk(!status.desiredUp && status.pid == 0 && status.starts == 0, "it waits");
    psCmdState how = psSupFixtureDo(&f, "one", psVerbStart, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(how == psCmdDone && status.state == psStateRunning &&
               status.startReason == psReasonOperator,
           "until it is started");
    psSupFixtureClose(&f);
}

static void exit_WithHoldoff_RestartsByItself(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    addChild(&f, "one", WORDS("exit=3"));
    psSupFixtureStart(&f);
    psStatus status = psSupFixtureRuns(&f, "one", 4);
    bool three = status.exitClass == psExitError && status.exitCode == 3 && status.exitSignal == -1;
    testOk(three && status.historyCount >= 3 && status.history[0].code == 3,
           "exit status 3, remembered");
    testOk(status.crashes >= 3 && status.autoRestarts >= 3 &&
               status.startReason == psReasonAutoRestart && status.windowCrashes >= 3,
           "%d crashes, %d automatic restarts", status.crashes, status.autoRestarts);
    psSupFixtureClose(&f);
}

static void exit_BySignal_IsToldWithItsName(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    addChild(&f, "one", WORDS("die=SEGV"));
    psSupFixtureStart(&f);
    psStatus status = psSupFixtureRuns(&f, "one", 2);
    testOk(status.exitClass == psExitSignal && status.exitSignal == SIGSEGV &&
               status.exitCode == -1 && status.history[0].code == 128 + SIGSEGV &&
               strstr(status.exitMsg, "SIGSEGV"),
           "%s", status.exitMsg);
    psSupFixtureClose(&f);
}

static bool hasEnded(const psStatus *status, long arg)
{
    (void)arg;
    return status->exitClass != psExitNone && status->state == psStateStopped;
}

static void exit_EachMode_DoesAsModeSays(void)
{
    static const struct {
        const char *option, *value, *word;
        psExitClass cls;
    } cases[] = {
        {"noautorestart", NULL, "exit=1", psExitError},
        {"restart-mode", "OnFailure", "exit=0", psExitClean},
        {"oneshot", NULL, "exit=0", psExitClean},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psSupFixture f;

        psSupFixtureOpen(&f, false);
        psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS(cases[i].word));
        psSupFixtureSet(cfg, cases[i].option, cases[i].value);
        psSupFixtureAdd(&f, cfg);
        psSupFixtureStart(&f);
        psStatus status = psSupFixtureUntil(&f, "one", hasEnded, 0, "its end");
        testOk(status.exitClass == cases[i].cls && !status.desiredUp && status.starts == 1,
               "%s stays down: %s", psModeName(status.settings.mode), status.stateMsg);
        psSupFixtureClose(&f);
    }
}

static void oneShot_AllDone_EndsTheProgramWithItsCode(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, true);
    for (int i = 0; i < 2; i++) {
        psConfig *cfg = psSupFixtureConfig(&f, i ? "two" : "one", WORDS(i ? "exit=4" : "exit=3"));
        psSupFixtureSet(cfg, "oneshot", NULL);
        psSupFixtureAdd(&f, cfg);
    }
    psSupFixtureStart(&f);
    int code = psSupFixtureWait(&f);
    testOk(code == 3 && f.ended == 1 && f.endedCode == 3, "exit code %d, of the first", code);
    psSupFixtureClose(&f);
}

static void start_OfNoFile_FailsWithTheReason(void)
{
    psSupFixture f;
    psTestCommand command;

    psSupFixtureOpen(&f, false);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "one", WORDS("/no/such/file", "x")));
    psSupFixtureStart(&f);
    psStatus status = psSupFixtureState(&f, "one", psStateHoldoff);
    testOk(status.exitClass == psExitExecFail && strstr(status.exitMsg, "/no/such/file") &&
               status.pid == 0 && status.nextStartMono > psSupMono(f.sup) - 1,
           "%s", status.exitMsg);
    psTestCommandGive(&command, &f, "one", psVerbStart, 0);
    psCmdState how = psTestCommandWait(&command);
    testOk(how == psCmdFailed && strstr(command.msg, "/no/such/file"), "a start by hand fails");
    psSupShutdown(f.sup);
    int code = psSupFixtureWait(&f);
    psText log = psSupFixtureLog(&f, "one");
    testOk(code == 255 && strstr(log.data, "could not execute: /no/such/file"),
           "exit code 255, and the log shows it");
    psTextClear(&log);
    psSupFixtureClose(&f);
}

/* ---- commands ---- */

static void commands_EachVerb_DoesWhatItSays(void)
{
    psSupFixture f;
    psStatus status, before;

    openOne(&f);
    psSupStatus(psSupFind(f.sup, "one"), &before);
    psCmdState how = psSupFixtureDo(&f, "one", psVerbRestart, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(how == psCmdDone && status.state == psStateRunning && status.pid != before.pid &&
               isGone(before.pid) && status.exitClass == psExitKilled,
           "restart: another process");
    testOk(status.cmd.state == psCmdDone && status.cmd.verb == psVerbRestart &&
               strcmp(status.cmd.by, "ops@test") == 0 && status.cmd.seq == 1,
           "and it shows who asked: %s", status.cmd.by);
    how = psSupFixtureDo(&f, "one", psVerbStart, 0);
    testOk(how == psCmdDone, "start of a running one is done");
    before = status;
    how = psSupFixtureDo(&f, "one", psVerbStop, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(how == psCmdDone && status.state == psStateStopped && status.pid == 0 &&
               isGone(before.pid) && !status.desiredUp && !status.exitAlarm,
           "stop: it is gone, without alarm: %s", status.stateMsg);
    how = psSupFixtureDo(&f, "one", psVerbKill, 0);
    testOk(how == psCmdFailed, "kill without a process fails");
    how = psSupFixtureDo(&f, "one", psVerbStart, 0);
    psSupStatus(psSupFind(f.sup, "one"), &before);
    testOk(how == psCmdDone && before.state == psStateRunning, "start: it runs");
    how = psSupFixtureDo(&f, "one", psVerbKill, 0);
    testOk(how == psCmdDone && isGone(before.pid), "kill: that process is gone");
    status = psSupFixtureRuns(&f, "one", before.starts + 1);
    testOk(status.pid != before.pid, "and the mode starts another");
    psSupFixtureClose(&f);
}

/* Who waits for a command and then looks must see what it led to. */
static void command_Ended_IsPublishedBeforeItIsTold(void)
{
    static const struct {
        psVerb verb;
        psState state;
        psCmdState how;
    } cases[] = {
        {psVerbStop, psStateStopped, psCmdDone},    {psVerbKill, psStateStopped, psCmdFailed},
        {psVerbStart, psStateRunning, psCmdDone},   {psVerbStart, psStateRunning, psCmdDone},
        {psVerbRestart, psStateRunning, psCmdDone}, {psVerbReset, psStateRunning, psCmdDone},
    };
    psSupFixture f;

    openOne(&f);
    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psTestCommand command;

        psTestCommandGive(&command, &f, "one", cases[i].verb, 0);
        psCmdState how = psTestCommandWait(&command);
        bool good = how == cases[i].how && command.then.cmd.state == how &&
                    command.then.cmd.seq == (int)i + 1 && command.then.state == cases[i].state;
        testOk(good, "%s: published as %s, %s", psVerbName(cases[i].verb),
               psStateName(command.then.state), command.then.cmd.msg);
    }
    psSupFixtureClose(&f);
}

static void commands_Settings_AreApplied(void)
{
    psSupFixture f;
    psStatus status;

    openOne(&f);
    bool done = psSupFixtureDo(&f, "one", psVerbHoldoff, 2.5) == psCmdDone;
    done = done && psSupFixtureDo(&f, "one", psVerbHoldoffMax, 60) == psCmdDone;
    done = done && psSupFixtureDo(&f, "one", psVerbRestartWindow, 30) == psCmdDone;
    done = done && psSupFixtureDo(&f, "one", psVerbGrace, 1.5) == psCmdDone;
    done = done && psSupFixtureDo(&f, "one", psVerbMaxRestarts, 7) == psCmdDone;
    done = done && psSupFixtureDo(&f, "one", psVerbMode, psModeOnFailure) == psCmdDone;
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(done && status.settings.holdoffSec == 2.5 && status.settings.holdoffMaxSec == 60 &&
               status.settings.restartWindowSec == 30 && status.settings.graceSec == 1.5 &&
               status.settings.maxRestarts == 7 && status.settings.mode == psModeOnFailure &&
               status.overridden,
           "six settings, overridden");
    done = psSupFixtureDo(&f, "one", psVerbRestart, 0) == psCmdDone;
    done = done && psSupFixtureDo(&f, "one", psVerbResetCounters, 0) == psCmdDone;
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(done && status.starts == 0 && status.restarts == 0, "counters are zero");
    testOk(psSupFixtureDo(&f, "one", psVerbRotateLog, 0) == psCmdDone, "the log is reopened");
    psSupFixtureClose(&f);
}

static void submit_Wrong_IsRefusedAtOnce(void)
{
    psSupFixture f;
    psCommand cmd = {.verb = psVerbStart};
    int bad, nan, verb, ending;

    openOne(&f);
    cmd.verb = psVerbSignal;
    cmd.value = 65;
    bad = psSupSubmit(f.sup, psSupFind(f.sup, "one"), &cmd, NULL, NULL);
    cmd.verb = psVerbHoldoff;
    cmd.value = strtod("nan", NULL);
    nan = psSupSubmit(f.sup, psSupFind(f.sup, "one"), &cmd, NULL, NULL);
    cmd.verb = psVerbCount;
    verb = psSupSubmit(f.sup, psSupFind(f.sup, "one"), &cmd, NULL, NULL);
    testOk(!psSupFind(f.sup, "nobody") && bad == -EINVAL && nan == -EINVAL && verb == -EINVAL,
           "no such child, signal 65, hold-off NaN, no such verb");
    psSupShutdown(f.sup);
    psSupFixtureWait(&f);
    cmd.verb = psVerbStart;
    cmd.value = 0;
    ending = psSupSubmit(f.sup, psSupFind(f.sup, "one"), &cmd, NULL, NULL);
    testOk(ending == -ESHUTDOWN, "after the end: -ESHUTDOWN");
    psSupFixtureClose(&f);
}

static void signal_Trapped_ArrivesAndEndByItIsKilled(void)
{
    psSupFixture f;
    psTestConsole console;

    psSupFixtureOpen(&f, false);
    addChild(&f, "one", WORDS("trap=USR1", "lines"));
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleType(&console, "hello\r");
    bool trapped = psTestConsoleExpect(&console, "got 5 hello"); /* its trap is set by now */
    trapped = trapped && psSupFixtureDo(&f, "one", psVerbSignal, SIGUSR1) == psCmdDone &&
              psTestConsoleExpect(&console, "trapped 10");
    testOk(trapped, "what is typed arrives, and so does a signal");
    psSupFixtureDo(&f, "one", psVerbSignal, SIGTERM);
    psStatus status = psSupFixtureRuns(&f, "one", 2);
    testOk(status.exitClass == psExitKilled && status.crashes == 0 && !status.exitAlarm,
           "ended by a signal of ours: %s", status.exitMsg);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

static void maxRestarts_GivesUp(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("exit=1"));
    psSupFixtureSet(cfg, "max-restarts", "2");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psStatus status = psSupFixtureState(&f, "one", psStateCrashLoop);
    testOk(status.starts == 3 && status.desiredUp && status.health == psHealthCrashing,
           "gave up after 2 restarts: %s", status.stateMsg);
    psSupFixtureClose(&f);
}

static bool isAgainInCrashLoop(const psStatus *status, long starts)
{
    return status->state == psStateCrashLoop && status->starts == starts;
}

static void crashLoop_Reset_TriesAsOftenAgain(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("exit=1"));
    psSupFixtureSet(cfg, "max-restarts", "1");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureUntil(&f, "one", isAgainInCrashLoop, 2, "CrashLoop");
    psSupFixtureDo(&f, "one", psVerbReset, 0);
    psStatus status = psSupFixtureUntil(&f, "one", isAgainInCrashLoop, 4, "CrashLoop again");
    testOk(status.startReason == psReasonAutoRestart && status.crashes == 4, "%d crashes",
           status.crashes);
    psSupFixtureClose(&f);
}

/* ---- several children ---- */

static void severalChildren_AreIndependent(void)
{
    enum { many = 8 };
    psSupFixture f;
    psStatus status[many], now;
    char name[24];
    int untouched = 0, gone = 0;

    psSupFixtureOpen(&f, false);
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof(name), "child%d", i);
        addChild(&f, name, i == 3 ? WORDS("exit=1") : WORDS("wait"));
    }
    psSupFixtureStart(&f);
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof(name), "child%d", i);
        status[i] = psSupFixtureRuns(&f, name, i == 3 ? 3 : 1);
    }
    psCmdState how = psSupFixtureDo(&f, "child5", psVerbStop, 0);
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof(name), "child%d", i);
        psSupStatus(psSupFind(f.sup, name), &now);
        if (i != 3 && i != 5)
            untouched += now.state == psStateRunning && now.pid == status[i].pid;
    }
    testOk(how == psCmdDone && untouched == many - 2 && psSupCount(f.sup) == many &&
               strcmp(psSupFacts(psSupAt(f.sup, 5))->name, "child5") == 0 && !psSupAt(f.sup, many),
           "one crashes, one is stopped, %d go on", untouched);
    psSupFixtureClose(&f);
    for (int i = 0; i < many; i++)
        gone += isGone(status[i].pid);
    testOk(gone == many, "all are gone at the end");
}

static void addChild_AfterStart_BeginsWhenTold(void)
{
    psSupFixture f;
    psStatus status;
    char msg[256];
    int again, begun;

    openOne(&f);
    addChild(&f, "late", WORDS("wait"));
    psSupStatus(psSupFind(f.sup, "late"), &status);
    testOk(status.state == psStateStopped && status.starts == 0, "nothing starts by itself");
    begun = psSupStartChild(f.sup, psSupFind(f.sup, "late"));
    begun += psSupStartChild(f.sup, psSupFind(f.sup, "late"));
    status = psSupFixtureRuns(&f, "late", 1);
    testOk(begun == 0 && status.starts == 1, "begun twice: one start");
    psConfig *cfg = psSupFixtureConfig(&f, "late", WORDS("wait"));
    again = psSupAddChild(f.sup, cfg, msg, sizeof(msg));
    testOk(again == -EEXIST && strstr(msg, "late"), "%s", msg);
    psConfigFree(cfg);
    psSupFixtureClose(&f);
}

#define TWINS 30

typedef struct adder {
    psSupFixture *f;
    const char *log;
    epicsEventId go;
    int added;
} adder;

static void addTwins(void *arg)
{
    adder *self = arg;
    char name[32], msg[256];

    epicsEventMustWait(self->go);
    for (int i = 0; i < TWINS; i++) {
        static const char *const command[] = {"/bin/cat"};
        psConfig *cfg = psConfigCreate(); /* no endpoint: a second one would refuse the twin */

        snprintf(name, sizeof(name), "twin%d", i);
        if (!cfg || psConfigSet(cfg, "name", name, msg, sizeof(msg)) ||
            psConfigSet(cfg, "logfile", self->log, msg, sizeof(msg)) ||
            psConfigSetCommand(cfg, 1, command))
            testAbort("cannot configure %s", name);
        self->added += psSupAddChild(self->f->sup, cfg, msg, sizeof(msg)) == 0;
        psConfigFree(cfg);
    }
}

static void addChild_SameNamesByTwoThreads_AddsEachOnce(void)
{
    epicsThreadOpts opts = {.priority = epicsThreadPriorityMedium,
                            .stackSize = epicsThreadGetStackSize(epicsThreadStackMedium),
                            .joinable = 1};
    psSupFixture f;
    adder adders[2];
    epicsThreadId threads[2];

    openOne(&f);
    for (int i = 0; i < 2; i++) {
        adders[i] =
            (adder){.f = &f, .log = "/dev/null", .go = epicsEventMustCreate(epicsEventEmpty)};
        threads[i] = epicsThreadCreateOpt("adder", addTwins, &adders[i], &opts);
    }
    for (int i = 0; i < 2; i++)
        epicsEventMustTrigger(adders[i].go);
    for (int i = 0; i < 2; i++) {
        epicsThreadMustJoin(threads[i]);
        epicsEventDestroy(adders[i].go);
    }
    int added = adders[0].added + adders[1].added;
    testOk(added == TWINS && psSupCount(f.sup) == 1 + TWINS,
           "%d of %d names were added, %d children", added, TWINS, psSupCount(f.sup));
    psSupFixtureClose(&f);
}

static void addChild_EndpointInUse_Fails(void)
{
    psSupFixture f;
    char msg[256], spec[128];
    int status, count;

    openOne(&f);
    snprintf(spec, sizeof(spec), "unix:%s/one.sock", f.dir);
    psConfig *cfg = psSupFixtureConfig(&f, "two", WORDS("wait"));
    psSupFixtureSet(cfg, "port", spec);
    status = psSupAddChild(f.sup, cfg, msg, sizeof(msg));
    count = psSupCount(f.sup);
    testOk(status == -EADDRINUSE && strstr(msg, "one.sock") && count == 1, "%s", msg);
    psConfigFree(cfg);
    psSupFixtureClose(&f);
}

/* ---- descriptors ---- */

static bool hasStarted(const psStatus *status, long n)
{
    return status->starts >= n;
}

static void hundredRestarts_LeakNoDescriptor(void)
{
    psSupFixture f;
    psStatus status;
    int before, after;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("exit=0"));
    psSupFixtureSet(cfg, "holdoff", "0");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureUntil(&f, "one", hasStarted, 3, "3 starts");
    psSupFixtureDo(&f, "one", psVerbStop, 0);
    before = psTestDescriptors();
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    psSupFixtureUntil(&f, "one", hasStarted, 103, "103 starts");
    psSupFixtureDo(&f, "one", psVerbStop, 0);
    after = psTestDescriptors();
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(before == after && status.starts >= 103, "%d descriptors before, %d after %d starts",
           before, after, status.starts);
    psSupFixtureClose(&f);
}

static void supervisors_OneAfterTheOther_LeaveNothing(void)
{
    psSupFixture f;
    psStatus status;
    int before, after = 0, gone = 0;

    openOne(&f);
    psSupFixtureClose(&f);
    before = psTestDescriptors();
    for (int i = 0; i < 3; i++) {
        openOne(&f);
        psSupStatus(psSupFind(f.sup, "one"), &status);
        psSupFixtureClose(&f);
        gone += isGone(status.pid);
    }
    after = psTestDescriptors();
    testOk(before == after, "%d descriptors, %d after three more", before, after);
    testOk(gone == 3, "no process is left, not even a zombie");
}

static void free_NeverStarted_IsFine(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    addChild(&f, "one", WORDS("wait"));
    psSupFree(NULL);
    testOk(psSupWait(f.sup, 0) == 0, "nothing to wait for");
    psSupFixtureClose(&f);
    testPass("freed");
}

/* ---- facts ---- */

/* How many of the words begin a line of the report at @p level. */
static int countConcerns(psSupFixture *f, int level, const char *const words[], int count)
{
    char *print = NULL, line[64];
    size_t size = 0;
    int found = 0;
    FILE *out = open_memstream(&print, &size);

    psSupReportChild(f->sup, psSupFind(f->sup, "one"), out, level);
    fclose(out);
    for (int i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "\n    %s ", words[i]);
        found += strstr(print, line) != NULL;
    }
    free(print);
    return found;
}

static void published(void *ctx)
{
    epicsEventMustTrigger(ctx);
}

static void report_OfEachLevel_HasItsConcerns(psSupFixture *f)
{
    static const char *const one[] = {"Cmd", "Cwd", "Console", "LogFile", "ExitMsg"};
    static const char *const two[] = {
        "Ready",       "StartTime", "Starts",        "Seq",   "ExitClass",   "Exits",
        "AutoRestart", "Holdoff",   "RestartWindow", "Grace", "MaxRestarts", "Overridden",
        "CmdLast",     "Clients",   "HoldoffMax",    "Alive", "Lockout",     "ReadyTime",
        "OutLast",     "LogSize",   "Cpu",
    };

    psChild *child = psSupFind(f->sup, "one");
    epicsEventId event = epicsEventMustCreate(epicsEventEmpty);
    psSupSubscribe(child, psTopicConsole, published, event);
    testOk(epicsEventWaitWithTimeout(event, PS_TEST_SEC) == epicsEventOK, "its console is known");
    psSupSubscribe(child, psTopicConsole, NULL, NULL);
    epicsEventDestroy(event);
    testOk1(psSupFixtureDo(f, "one", psVerbRestart, 0) == psCmdDone);
    testOk1(countConcerns(f, 0, one, NELEMENTS(one)) == 0);
    testOk1(countConcerns(f, 1, one, NELEMENTS(one)) == NELEMENTS(one));
    testOk1(countConcerns(f, 1, two, NELEMENTS(two)) == 0);
    testOk1(countConcerns(f, 2, one, NELEMENTS(one)) == NELEMENTS(one));
    testOk1(countConcerns(f, 2, two, NELEMENTS(two)) == NELEMENTS(two));
}

static void facts_OfAChild_AreWhatWasConfigured(void)
{
    psSupFixture f;
    char pid[32], report[4096] = "", *print = NULL;
    size_t size = 0;

    openOne(&f);
    const psChildFacts *facts = psSupFacts(psSupFind(f.sup, "one"));
    testOk(strcmp(facts->name, "one") == 0 && strstr(facts->commandLine, "psTestChild wait") &&
               strstr(facts->logFile, "one.log") && strstr(facts->consoles, "one.sock"),
           "%s", facts->commandLine);
    FILE *out = open_memstream(&print, &size);
    psSupPrintInfo(f.sup, out);
    psSupReport(f.sup, out, 2);
    fclose(out);
    snprintf(report, sizeof(report), "%.4000s", print);
    snprintf(pid, sizeof(pid), "pid:%d\n", (int)getpid());
    testOk(strncmp(report, pid, strlen(pid)) == 0 && strstr(report, "one.sock\n") &&
               strstr(report, "Running"),
           "info file and report");
    free(print);
    report_OfEachLevel_HasItsConcerns(&f);
    psSupFixtureClose(&f);
}

MAIN(psSupTest)
{
    testPlan(61);
    boot_Running_PublishesEachTransition();
    wait_UntilStarted_IsWaiting();
    exit_WithHoldoff_RestartsByItself();
    exit_BySignal_IsToldWithItsName();
    exit_EachMode_DoesAsModeSays();
    oneShot_AllDone_EndsTheProgramWithItsCode();
    start_OfNoFile_FailsWithTheReason();
    commands_EachVerb_DoesWhatItSays();
    command_Ended_IsPublishedBeforeItIsTold();
    commands_Settings_AreApplied();
    submit_Wrong_IsRefusedAtOnce();
    signal_Trapped_ArrivesAndEndByItIsKilled();
    maxRestarts_GivesUp();
    crashLoop_Reset_TriesAsOftenAgain();
    severalChildren_AreIndependent();
    addChild_AfterStart_BeginsWhenTold();
    addChild_SameNamesByTwoThreads_AddsEachOnce();
    addChild_EndpointInUse_Fails();
    hundredRestarts_LeakNoDescriptor();
    supervisors_OneAfterTheOther_LeaveNothing();
    free_NeverStarted_IsFine();
    facts_OfAChild_AreWhatWasConfigured();
    return testDone();
}
