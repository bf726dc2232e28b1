/* SPDX-License-Identifier: EPICS */
/* The items of a child's console, of all record types. */

#include <epicsStdio.h>

#include "devPsItems.h"

/* ---- longin ---- */

static epicsInt32 getClients(const psIocView *v)
{
    return v->console->clients;
}

static epicsInt32 getLoggers(const psIocView *v)
{
    return v->console->loggers;
}

static const psLongItem longItems[] = {
    {"Clients", getClients},
    {"Loggers", getLoggers},
};
const psItemTable psConsoleLongTable =
    PS_ITEM_TABLE_OF(psTopicConsole, longItems, &psResourcesLongTable);

/* ---- stringin, lsi ---- */

static void getOutLast(const psIocView *v, char *out, size_t size)
{
    epicsSnprintf(out, size, "%s", v->console->lastLine);
}

static const psTextItem textItems[] = {
    {"OutLast", getOutLast},
};
const psItemTable psConsoleTextTable = PS_ITEM_TABLE_OF(psTopicConsole, textItems, NULL);

/* ---- waveform ---- */

static const char *getOut(const psIocView *v, size_t *outLen)
{
    *outLen = v->console->tailBytes;
    return v->console->tail;
}

static const psCharsItem charsItems[] = {
    {"Out", true, getOut},
};
const psItemTable psConsoleCharsTable = PS_ITEM_TABLE_OF(psTopicConsole, charsItems, NULL);
