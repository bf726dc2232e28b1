/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>

#include "psCheck.h"
#include "psPrefix.h"
#include "psRunFile.h"
#include "psServeSteps.h"
#include "psTrial.h"

#define TRIAL_SEC 20.0

static void report(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    printf("%s %s\n", bad ? "bad " : "good", line);
}

static void reportWarning(void *ctx, bool bad, const char *line)
{
    char text[PS_REASON_BYTES + 16];

    snprintf(text, sizeof(text), "warning: %s", line);
    report(ctx, bad, text);
}

static int checkRunFile(const char *what, const char *path)
{
    char line[PS_TEXT_BYTES];
    pid_t owner = 0;

    if (!path)
        return 0;
    int status = psRunFileCheck(path, &owner);
    if (status == -EBUSY)
        snprintf(line, sizeof(line), "%s file %s: it belongs to process %ld, which runs", what,
                 path, (long)owner);
    else
        snprintf(line, sizeof(line), "%s file %s: %s", what, path,
                 status ? strerror(-status) : "can be written");
    report(NULL, status != 0, line);
    return status ? 1 : 0;
}

/* psStepChecks() has found it good, if there is one. */
static void showPrefix(const psServeOptions *options)
{
    char prefix[PS_PREFIX_BYTES + 1];
    char msg[PS_REASON_BYTES];
    char line[PS_PREFIX_BYTES + 20];

    if (psStepPrefix(options, prefix, sizeof(prefix), msg, sizeof(msg)) || !*prefix)
        return;
    snprintf(line, sizeof(line), "PVs: %s%s", prefix, options->name ? "" : "Sup:");
    report(NULL, false, line);
}

/* The access security file and the script one after the other, as when it runs: so it is known
 * which of them is bad. */
static int checkIoc(const psServeOptions *options)
{
    psTrialSink sink = {.report = report};
    psServeOptions acfOnly = *options, scriptOnly = *options;
    char msg[PS_REASON_BYTES] = "";
    int errors = 0;

    int status = psStepEnvironment(options);
    if (status) {
        epicsSnprintf(msg, sizeof(msg), "cannot set the environment: %s", strerror(-status));
        report(NULL, true, msg);
        return 1;
    }
    if (psStepChecks(options, reportWarning, NULL, msg, sizeof(msg))) {
        report(NULL, true, msg);
        return 1;
    }
    acfOnly.script = NULL;
    scriptOnly.acf = NULL;
    if (options->acf)
        errors += psTrialRun(&acfOnly, psTrialCheck, TRIAL_SEC, &sink);
    if (options->script || !options->acf)
        errors += psTrialRun(&scriptOnly, psTrialCheck, TRIAL_SEC, &sink);
    showPrefix(options);
    if (!errors)
        report(NULL, false, "the IOC: records and access security can be loaded");
    return errors;
}

int psCheck(const psProgram *program, const psSupOptions *sup, const psServeOptions *serve)
{
    psSupCheck *check = psSupCheckCreate(sup, report, NULL);
    int errors = 0;

    if (!check) {
        printf("%s: cannot check: out of memory\n", program->argv0);
        return EXIT_FAILURE;
    }
    if (program->child)
        errors += psSupCheckChild(check, program->child);
    errors += psSupCheckOwnLog(check);
    if (!serve->script)
        errors += psSupCheckLimits(check, 0); /* else the trial counts them all */
    errors += checkRunFile("pid", program->pidFile);
    errors += checkRunFile("info", program->infoFile);
    fflush(stdout);
    if (!program->noIoc)
        errors += checkIoc(serve); /* its children find the endpoints above in use */
    psSupCheckFree(check);
    if (errors)
        printf("%s: %d error%s: this command line would not work as it is\n", program->argv0,
               errors, errors == 1 ? "" : "s");
    else
        printf("%s: this command line works\n", program->argv0);
    return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
