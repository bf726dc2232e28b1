/* SPDX-License-Identifier: EPICS */
/*
 * A pass: the sessions that count, sorted; every process of the machine, of which those of these
 * sessions are read and remembered; then what they have used since the pass before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/psProcfs.h"
#include "process/psUsage.h"
#include "process/psUsageAccount.h"

#define MIB (1024.0 * 1024.0)
#define RATE_SEC 0.2 /* a rate over less time would be made of the clock's ticks */

/* A session that counts. */
typedef struct session {
    pid_t sid;
    int target;
} session;

/* What is known of a target between the passes. */
typedef struct account {
    pid_t pid; /* 0: none */
    double startMono;
    double sinceMono; /* rates are of the time since then */
    uint64_t total[psUsageKinds];
    uint64_t since[psUsageKinds]; /* what total was then */
    double rate[psUsageKinds];    /* per s */
    int seen, ioSeen;             /* processes of this pass; of them, those whose I/O is known */
} account;

struct psUsage {
    char *root; /* NULL: /proc */
    psProcfs proc;
    double ticksPerSec;
    account accounts[PS_CHILDREN];
    session sessions[PS_CHILDREN];
    int sessionCount;
    psUsageMembers members; /* of this pass, sorted by pid when it is complete */
    psUsageMembers before;
    account self;
};

/* ---- one process ---- */

static void addFds(psUsage *usage, pid_t pid, psResources *out)
{
    int fds, max;
    int status = psProcfsFds(&usage->proc, pid, &fds);

    if (!status)
        status = psProcfsFdMax(&usage->proc, pid, &max);
    if (status == -ENOENT || status == -ESRCH)
        return; /* gone meanwhile */
    if (status) {
        if (out->fdMax == 0)
            out->fdError = -status;
        return;
    }
    double percent = max > 0 ? 100.0 * fds / max : 100.0;
    if (out->fdMax > 0 && percent <= out->fdPercent)
        return;
    out->fdError = 0;
    out->fds = fds;
    out->fdMax = max;
    out->fdPercent = percent;
}

/* Zombies have nothing but their past. */
static void addLive(psUsage *usage, const psProcStat *stat, psResources *out)
{
    int score;

    out->procs++;
    out->threads += stat->threads;
    out->rssMiB += (double)stat->rssBytes / MIB;
    out->sizeMiB += (double)stat->sizeBytes / MIB;
    addFds(usage, stat->pid, out);
    if (psProcfsOomScore(&usage->proc, stat->pid, &score) == 0 && score > out->oomScore)
        out->oomScore = score;
}

static void addMember(psUsage *usage, const psProcStat *stat, int target, psResources *out)
{
    psUsageMember member = {.pid = stat->pid,
                            .startTicks = stat->startTicks,
                            .parent = stat->parent,
                            .target = target,
                            .used[psUsageCpu] = stat->cpuTicks,
                            .kidsCpu = stat->kidsTicks};
    int status = psProcfsIo(&usage->proc, stat->pid, &member.used[psUsageBytesRead],
                            &member.used[psUsageBytesWritten]);

    member.ioKnown = status == 0;
    usage->accounts[target].seen++;
    usage->accounts[target].ioSeen += member.ioKnown;
    if (!member.ioKnown && status != -ENOENT && status != -ESRCH)
        out->ioError = -status;
    if (psProcfsIsLive(stat))
        addLive(usage, stat, out);
    psUsageMembersAdd(&usage->members, &member);
}

/* ---- the pass ---- */

static int bySid(const void *left, const void *right)
{
    const session *a = left, *b = right;

    return a->sid < b->sid ? -1 : a->sid > b->sid;
}

static const session *findSession(const psUsage *usage, pid_t sid)
{
    session key = {.sid = sid};

    return bsearch(&key, usage->sessions, (size_t)usage->sessionCount, sizeof(key), bySid);
}

static void takeTargets(psUsage *usage, const psUsageTarget *targets, int count, psResources *out)
{
    usage->sessionCount = 0;
    memset(out, 0, (size_t)count * sizeof(*out));
    for (int i = 0; i < count; i++) {
        account *known = &usage->accounts[i];

        if (known->pid != targets[i].pid || known->startMono != targets[i].startMono)
            *known = (account){.pid = targets[i].pid,
                               .startMono = targets[i].startMono,
                               .sinceMono = targets[i].startMono};
        known->seen = known->ioSeen = 0;
        if (targets[i].pid > 0)
            usage->sessions[usage->sessionCount++] = (session){.sid = targets[i].pid, .target = i};
    }
    qsort(usage->sessions, (size_t)usage->sessionCount, sizeof(usage->sessions[0]), bySid);
}

/* @return 0; -errno where nothing more can be read */
static int lookAt(psUsage *usage, pid_t pid, psResources *out)
{
    psProcStat stat;
    /* One system call rules out nearly every process. */
    const session *found = usage->proc.isProc ? findSession(usage, getsid(pid)) : NULL;

    if (usage->proc.isProc && !found)
        return 0;
    int status = psProcfsStat(&usage->proc, pid, &stat);
    if (status == -EMFILE || status == -ENFILE || status == -ENOMEM)
        return status;
    found = status ? NULL : findSession(usage, stat.session);
    if (found && stat.state != 'X' && stat.state != 'x')
        addMember(usage, &stat, found->target, &out[found->target]);
    return 0;
}

static int openProc(psUsage *usage)
{
    int status = 0;

    if (usage->proc.dir)
        psProcfsRewind(&usage->proc);
    else
        status = psProcfsOpen(&usage->proc, usage->root);
    if (!status && !usage->root && !usage->proc.isProc)
        status = -ENOTSUP;
    return status;
}

/* A /proc that shows us under another number is that of another pid namespace. */
static int readSelf(psUsage *usage, psProcStat *out)
{
    int status = psProcfsStat(&usage->proc, 0, out);

    if (status == -ENOENT || status == -ESRCH ||
        (!status && usage->proc.isProc && out->pid != getpid()))
        return -ENOTSUP;
    return status;
}

static int scan(psUsage *usage, psResources *out, psProcStat *outSelf)
{
    pid_t pid;
    int status = openProc(usage);

    if (!status)
        status = readSelf(usage, outSelf);
    while (!status && usage->sessionCount > 0 && (pid = psProcfsNext(&usage->proc)) != 0)
        status = lookAt(usage, pid, out);
    if (status)
        psProcfsClose(&usage->proc); /* it may be mounted later */
    return status;
}

/* ---- what has been used since ---- */

static void takeRates(account *known, double now)
{
    double sec = now - known->sinceMono;

    if (sec < RATE_SEC)
        return;
    for (int i = 0; i < psUsageKinds; i++) {
        known->rate[i] = (double)(known->total[i] - known->since[i]) / sec;
        known->since[i] = known->total[i];
    }
    known->sinceMono = now;
}

static void addUsed(void *ctx, int target, psUsageKind kind, uint64_t amount)
{
    psUsage *usage = ctx;

    usage->accounts[target].total[kind] += amount;
}

static void conclude(psUsage *usage, int target, double now, psResources *out)
{
    account *known = &usage->accounts[target];

    if (known->pid <= 0)
        return;
    takeRates(known, now);
    if (known->seen == 0)
        out->error = ESRCH; /* hidden from us, or just gone */
    if (known->ioSeen > 0)  /* a helper of another user's is no reason for an alarm */
        out->ioError = 0;
    out->cpuSec = (double)known->total[psUsageCpu] / usage->ticksPerSec;
    out->cpuPercent = 100.0 * known->rate[psUsageCpu] / usage->ticksPerSec;
    out->readKBs = known->rate[psUsageBytesRead] / 1e3;
    out->writtenKBs = known->rate[psUsageBytesWritten] / 1e3;
}

static void concludeSelf(psUsage *usage, const psProcStat *stat, double now, psSelfUsage *out)
{
    account *self = &usage->self;

    out->known = true;
    out->threads = stat->threads;
    out->rssMiB = (double)stat->rssBytes / MIB;
    if (psProcfsFds(&usage->proc, 0, &out->fds))
        out->fds = 0;
    if (self->sinceMono == 0) { /* rates begin now */
        self->since[psUsageCpu] = stat->cpuTicks;
        self->sinceMono = now;
    }
    self->total[psUsageCpu] = stat->cpuTicks;
    takeRates(self, now);
    out->cpuPercent = 100.0 * self->rate[psUsageCpu] / usage->ticksPerSec;
}

static void fail(const psUsage *usage, int count, int error, psResources *out)
{
    memset(out, 0, (size_t)count * sizeof(*out));
    for (int i = 0; i < count; i++)
        out[i].error = usage->accounts[i].pid > 0 ? error : 0;
}

int psUsageRead(psUsage *usage, double now, const psUsageTarget *targets, int count,
                psResources *out, psSelfUsage *outSelf)
{
    psProcStat self;

    takeTargets(usage, targets, count, out);
    psUsageMembersReset(&usage->members);
    memset(outSelf, 0, sizeof(*outSelf));
    int status = scan(usage, out, &self);
    if (status) {
        fail(usage, count, -status, out);
        return status;
    }
    psUsageAccount(&usage->members, &usage->before, addUsed, usage);
    for (int i = 0; i < count; i++)
        conclude(usage, i, now, &out[i]);
    concludeSelf(usage, &self, now, outSelf);
    psUsageMembers swap = usage->before;
    usage->before = usage->members;
    usage->members = swap;
    return 0;
}

/* ---- life ---- */

psUsage *psUsageCreate(const char *root)
{
    psUsage *usage = calloc(1, sizeof(*usage));

    if (!usage)
        return NULL;
    if (root && !(usage->root = strdup(root))) {
        free(usage);
        return NULL;
    }
    usage->ticksPerSec = (double)sysconf(_SC_CLK_TCK);
    return usage;
}

void psUsageFree(psUsage *usage)
{
    if (!usage)
        return;
    psProcfsClose(&usage->proc);
    psUsageMembersClear(&usage->members);
    psUsageMembersClear(&usage->before);
    free(usage->root);
    free(usage);
}
