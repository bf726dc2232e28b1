/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "child/psChildLaunch.h"

static psConfig *makeConfig(const char *execFile)
{
    static const char *const command[] = {"./st.cmd", "a b", NULL};
    psConfig *cfg = psConfigCreate();
    char msg[256];

    if (!cfg || psConfigSetCommand(cfg, 2, command) != 0)
        testAbort("configuration");
    if (execFile && psConfigSet(cfg, "exec", execFile, msg, sizeof(msg)) != 0)
        testAbort("exec: %s", msg);
    return cfg;
}

static void arguments_AreTheCommand(void)
{
    char *const none[] = {NULL};
    psConfig *cfg = makeConfig(NULL);
    psChildLaunch launch;

    testOk1(psChildLaunchInit(&launch, cfg, none, "PID=1", NULL) == 0);
    testOk1(strcmp(launch.file, "./st.cmd") == 0 && strcmp(launch.argv[0], "./st.cmd") == 0 &&
            strcmp(launch.argv[1], "a b") == 0 && !launch.argv[2]);
    psChildLaunchClear(&launch);
    testOk1(!launch.argv && !launch.envp);
    psChildLaunchClear(&launch);
    psConfigFree(cfg);

    cfg = makeConfig("/bin/wrapper");
    psChildLaunchInit(&launch, cfg, none, "PID=1", NULL);
    testOk(strcmp(launch.file, "/bin/wrapper") == 0 && strcmp(launch.argv[1], "./st.cmd") == 0 &&
               strcmp(launch.argv[2], "a b") == 0 && !launch.argv[3],
           "--exec gets the command as its arguments");
    psChildLaunchClear(&launch);
    psConfigFree(cfg);
}

static void environment_IsOursWithoutWhatWasMeantForUs(void)
{
    char *const envp[] = {"A=1",
                          "PROCSERV_INFO=old",
                          "NOTIFY_SOCKET=/run/x",
                          "LISTEN_PID=12",
                          "LISTEN_FDS=1",
                          "LISTEN_FDNAMES=x",
                          "WATCHDOG_USEC=30000000",
                          "WATCHDOG_PID=12",
                          "LISTEN=kept",
                          "B=",
                          NULL};
    psConfig *cfg = makeConfig(NULL);
    psChildLaunch launch;

    psChildLaunchInit(&launch, cfg, envp, "PID=7;CTL=tcp", "@0002a");
    testOk1(strcmp(launch.envp[0], "A=1") == 0);
    testOk1(strcmp(launch.envp[1], "LISTEN=kept") == 0);
    testOk1(strcmp(launch.envp[2], "B=") == 0);
    testOk(strcmp(launch.envp[3], "PROCSERV_INFO=PID=7;CTL=tcp") == 0, "%s", launch.envp[3]);
    testOk(strcmp(launch.envp[4], "NOTIFY_SOCKET=@0002a") == 0, "%s", launch.envp[4]);
    testOk1(!launch.envp[5]);
    testOk(launch.envp[0] != envp[0], "it is a copy");
    psChildLaunchClear(&launch);
    psConfigFree(cfg);
}

static void watchdog_KnowsItsLimit(void)
{
    char *const none[] = {NULL};
    psConfig *cfg = makeConfig(NULL);
    psChildLaunch launch;
    char msg[256];

    if (psConfigSet(cfg, "watchdog-sec", "2.5", msg, sizeof(msg)) != 0)
        testAbort("watchdog-sec: %s", msg);
    psChildLaunchInit(&launch, cfg, none, "PID=1", "@0002a");
    testOk(strcmp(launch.envp[2], "WATCHDOG_USEC=2500000") == 0 && !launch.envp[3], "%s",
           launch.envp[2]);
    psChildLaunchClear(&launch);
    psConfigFree(cfg);
}

MAIN(psChildLaunchTest)
{
    testPlan(12);
    arguments_AreTheCommand();
    environment_IsOursWithoutWhatWasMeantForUs();
    watchdog_KnowsItsLimit();
    return testDone();
}
