/* SPDX-License-Identifier: EPICS */
#include <stdarg.h>
#include <stdio.h>

#include <errlog.h>

#include "base/psLog.h"

#define LINE_BYTES 512

void psLogPrintf(const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    errlogPrintf("procServ: %s\n", line);
}
