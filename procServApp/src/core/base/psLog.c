/* SPDX-License-Identifier: EPICS */
#include <stdarg.h>
#include <stdio.h>

#include <errlog.h>

#include "base/psLog.h"

#define LINE_BYTES 512

static void logLine(const char *who, const char *fmt, va_list args)
{
    char line[LINE_BYTES];

    vsnprintf(line, sizeof(line), fmt, args);
    errlogPrintf("%s: %s\n", who, line);
}

void psLogPrintf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    logLine("procServ", fmt, args);
    va_end(args);
}

void psLogPrintfAs(const char *argv0, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    logLine(argv0, fmt, args);
    va_end(args);
}
