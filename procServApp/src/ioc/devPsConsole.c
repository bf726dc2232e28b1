/* SPDX-License-Identifier: EPICS */
/* The items of a child's console, of all record types. */

#include <limits.h>
#include <string.h>

#include <alarm.h>
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

static epicsInt32 getRefused(const psIocView *v)
{
    return (epicsInt32)(v->console->refused & INT_MAX);
}

static epicsInt32 getOutLines(const psIocView *v)
{
    return (epicsInt32)(v->console->lines & INT_MAX);
}

/* Of a process that has printed nothing yet, since its start. */
static epicsInt32 getOutAge(const psIocView *v)
{
    double output = psSupOutputMono(v->supervised);
    double since = output > v->st->startMono ? output : v->st->startMono;
    double age = v->st->running ? v->mono - since : 0;

    return age <= 0 ? 0 : age >= INT_MAX ? INT_MAX : (epicsInt32)age;
}

static const psLongItem longItems[] = {
    {"OutLines", getOutLines}, {"OutAge", getOutAge},   {"Refused", getRefused},
    {"Clients", getClients},   {"Loggers", getLoggers},
};
const psItemTable psConsoleLongTable =
    PS_ITEM_TABLE_OF(psTopicConsole, longItems, &psResourcesLongTable);

/* ---- ai ---- */

#define MIB (1024.0 * 1024.0)

static double getOutRate(const psIocView *v)
{
    return v->console->byteRate;
}

static double getLost(const psIocView *v)
{
    return (double)v->console->lostBytes / MIB;
}

static double getLogSize(const psIocView *v)
{
    return (double)v->console->logBytes / MIB;
}

static double getLogDropped(const psIocView *v)
{
    return (double)v->console->logLostBytes / MIB;
}

static const psAiItem aiItems[] = {
    {"OutRate", getOutRate},
    {"Lost", getLost},
    {"LogSize", getLogSize},
    {"LogDropped", getLogDropped},
};
const psItemTable psConsoleAiTable = PS_ITEM_TABLE_OF(psTopicConsole, aiItems, &psResourcesAiTable);

/* ---- bi ---- */

static bool getLogError(const psIocView *v)
{
    return v->console->logError != 0;
}

static epicsEnum16 sevrLogError(const psIocView *v, const char **outWhy)
{
    int error = v->console->logError;

    *outWhy = strerror(error);
    return error ? MAJOR_ALARM : NO_ALARM;
}

static const psBiItem biItems[] = {
    {"LogError", getLogError, sevrLogError},
};
const psItemTable psConsoleBiTable = PS_ITEM_TABLE_OF(psTopicConsole, biItems, NULL);

/* ---- stringin, lsi ---- */

static void getOutLast(const psIocView *v, char *out, size_t size)
{
    epicsSnprintf(out, size, "%s", v->console->lastLine);
}

static void getClientList(const psIocView *v, char *out, size_t size)
{
    epicsSnprintf(out, size, "%s", v->console->clientList);
}

static const psTextItem textItems[] = {
    {"ClientList", getClientList},
    {"OutLast", getOutLast},
};
const psItemTable psConsoleTextTable = PS_ITEM_TABLE_OF(psTopicConsole, textItems, NULL);

/* ---- waveform ---- */

static const char *getOut(const psIocView *v, size_t *outLen)
{
    *outLen = v->console->tailBytes;
    return v->console->tail;
}

static const char *getExitTail(const psIocView *v, size_t *outLen)
{
    *outLen = v->console->exitTailBytes;
    return v->console->exitTail;
}

static const psCharsItem charsItems[] = {
    {"ExitTail", false, getExitTail},
    {"Out", true, getOut},
};
const psItemTable psConsoleCharsTable = PS_ITEM_TABLE_OF(psTopicConsole, charsItems, NULL);
