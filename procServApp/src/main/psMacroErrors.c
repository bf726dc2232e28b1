/* SPDX-License-Identifier: EPICS */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <epicsMutex.h>
#include <epicsStdio.h>
#include <errlog.h>

#include "psBaseText.h"
#include "psMacroErrors.h"
#include "psProgress.h"

#define LINES 8
#define LINE_BYTES 256 /* errlog's own messages have no more */

static struct {
    epicsMutexId lock; /* guards all below; leaf.  NULL: not remembering */
    const char *step;  /* of the program, while the lines are those of the script itself */
    int count, more;   /* kept, and not */
    char lines[LINES][LINE_BYTES];
} left;

/* "macLib: macro NAME is undefined (expanding string LINE)" -> "macro NAME is undefined; this line
 * was left out: LINE" */
static bool explain(const char *said, char *out, size_t size)
{
    static const char begin[] = "macLib: macro ";
    static const char middle[] = " is undefined (expanding string ";
    const char *at = strstr(said, middle);

    if (strncmp(said, begin, sizeof(begin) - 1) != 0 || !at)
        return false;
    const char *name = said + sizeof(begin) - 1;
    const char *line = at + sizeof(middle) - 1;
    size_t len = strlen(line);
    if (len && line[len - 1] == ')')
        len--;
    epicsSnprintf(out, size, "macro %.*s is undefined; this line was left out: %.*s",
                  (int)(at - name), name, (int)len, line);
    return true;
}

/* Thread: errlog's. */
static void listener(void *ctx, const char *message)
{
    char plain[LINE_BYTES], line[LINE_BYTES];

    (void)ctx;
    psBaseLine(message, plain, sizeof(plain));
    if (strcmp(psProgressNow(), left.step) != 0 || !explain(plain, line, sizeof(line)))
        return;
    epicsMutexMustLock(left.lock);
    if (left.count < LINES)
        memcpy(left.lines[left.count++], line, sizeof(line));
    else
        left.more++;
    epicsMutexUnlock(left.lock);
}

void psMacroErrorsBegin(void)
{
    left.count = left.more = 0;
    left.step = psProgressNow();
    if (!left.lock)
        left.lock = epicsMutexCreate();
    if (left.lock)
        errlogAddListener(listener, NULL);
}

void psMacroErrorsEnd(const char *script, psReportFn report, void *ctx)
{
    char line[LINE_BYTES + PS_REASON_BYTES];

    if (!left.lock)
        return;
    errlogFlush();
    errlogRemoveListeners(listener, NULL);
    for (int i = 0; i < left.count; i++) {
        epicsSnprintf(line, sizeof(line), "%s: %s", script, left.lines[i]);
        report(ctx, true, line);
    }
    if (left.more) {
        epicsSnprintf(line, sizeof(line), "%s: %d more macros are undefined", script, left.more);
        report(ctx, true, line);
    }
}
