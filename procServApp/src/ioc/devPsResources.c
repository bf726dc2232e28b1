/* SPDX-License-Identifier: EPICS */
/* The items of what a child's processes use, of all record types. */

#include <errno.h>
#include <string.h>

#include "devPsItems.h"

/* What a row belongs to: each part may be unknown by itself. */
typedef enum part { partAny, partIo, partFds } part;

static const char *whyUnknown(part of, const psResources *now)
{
    int error = now->error;

    if (!error && of == partIo)
        error = now->ioError;
    if (!error && of == partFds)
        error = now->fdError;
    if (!now->seq)
        return "/proc has not been read yet, or never is";
    if (error == ESRCH)
        return "the process is not shown in /proc";
    if (error == ENOTSUP)
        return "/proc is not mounted";
    return error ? strerror(error) : NULL;
}

/* ---- longin ---- */

typedef struct longItem {
    psLongItem item;
    part part;
} longItem;

static epicsInt32 getThreads(const psIocView *v)
{
    return v->resources->threads;
}

static epicsInt32 getProcs(const psIocView *v)
{
    return v->resources->procs;
}

static epicsInt32 getFds(const psIocView *v)
{
    return v->resources->fds;
}

static epicsInt32 getFdMax(const psIocView *v)
{
    return v->resources->fdMax;
}

static epicsInt32 getOomScore(const psIocView *v)
{
    return v->resources->oomScore;
}

static const longItem longItems[] = {
    {{"Threads", getThreads}, partAny},   {{"Procs", getProcs}, partAny},
    {{"Fds", getFds}, partFds},           {{"FdMax", getFdMax}, partFds},
    {{"OomScore", getOomScore}, partAny},
};

static const char *longUnknown(const void *row, const psIocView *v)
{
    return whyUnknown(((const longItem *)row)->part, v->resources);
}

const psItemTable psResourcesLongTable = {
    .rows = longItems,
    .count = sizeof(longItems) / sizeof(longItems[0]),
    .rowBytes = sizeof(longItems[0]),
    .settings = PS_NO_SETTINGS,
    .topic = psTopicResources,
    .unknown = longUnknown,
};

/* ---- ai ---- */

typedef struct aiItem {
    psAiItem item;
    part part;
} aiItem;

static double getCpu(const psIocView *v)
{
    return v->resources->cpuPercent;
}

static double getCpuTime(const psIocView *v)
{
    return v->resources->cpuSec;
}

static double getRss(const psIocView *v)
{
    return v->resources->rssMiB;
}

static double getVSize(const psIocView *v)
{
    return v->resources->sizeMiB;
}

static double getFdPct(const psIocView *v)
{
    return v->resources->fdPercent;
}

static double getIoRead(const psIocView *v)
{
    return v->resources->readKBs;
}

static double getIoWrite(const psIocView *v)
{
    return v->resources->writtenKBs;
}

static const aiItem aiItems[] = {
    {{"Cpu", getCpu}, partAny},        {{"CpuTime", getCpuTime}, partAny},
    {{"Rss", getRss}, partAny},        {{"VSize", getVSize}, partAny},
    {{"FdPct", getFdPct}, partFds},    {{"IoRead", getIoRead}, partIo},
    {{"IoWrite", getIoWrite}, partIo},
};

static const char *aiUnknown(const void *row, const psIocView *v)
{
    return whyUnknown(((const aiItem *)row)->part, v->resources);
}

const psItemTable psResourcesAiTable = {
    .rows = aiItems,
    .count = sizeof(aiItems) / sizeof(aiItems[0]),
    .rowBytes = sizeof(aiItems[0]),
    .settings = PS_NO_SETTINGS,
    .topic = psTopicResources,
    .head = &aiItems[0], /* Cpu */
    .unknown = aiUnknown,
};
