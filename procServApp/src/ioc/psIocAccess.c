/* SPDX-License-Identifier: EPICS */
/* Base has no function that shows the rules of a group.  They are looked at in the callback of a
 * client of our own, which asRegisterClientCallback() calls under the lock of access security:
 * asInit may replace them at any time. */
#include <stdatomic.h>
#include <string.h>

#include <asLib.h>
#include <dbAccess.h>
#include <dbStaticLib.h>
#include <errlog.h>

#include "psIoc.h"
#include "psIocAccess.h"

static atomic_bool insecure;

void psIocSetInsecure(bool on)
{
    insecure = on;
}

/* asActive alone stays set when iocShutdown has taken the rules away. */
bool psIocAccessActive(void)
{
    return asActive && pasbase;
}

bool psIocAccessClosed(void)
{
    return !psIocAccessActive() && !insecure;
}

/* Look at the rules that hold for a record.  @return false if there are none */
static bool look(const dbCommon *prec, ASCLIENTCALLBACK callback, void *ctx)
{
    static char nobody[] = "";
    ASCLIENTPVT client = NULL;

    if (!psIocAccessActive() || asAddClient(&client, (ASMEMBERPVT)prec->asp, 0, nobody, nobody))
        return false;
    asPutClientPvt(client, ctx);
    bool looked = !asRegisterClientCallback(client, callback);
    asRemoveClient(&client);
    return looked;
}

typedef struct findings {
    bool writable;  /* a rule grants writing */
    bool untrapped; /* a rule grants writing without TRAPWRITE */
} findings;

static findings rulesOf(const ASG *group)
{
    findings found = {false, false};

    for (ELLNODE *node = ellFirst(&group->ruleList); node; node = ellNext(node)) {
        const ASGRULE *rule = CONTAINER(node, ASGRULE, node);

        if (rule->access != asWRITE)
            continue;
        found.writable = true;
        found.untrapped = found.untrapped || !(rule->trapMask & AS_TRAP_WRITE);
    }
    return found;
}

/* ---- the rules of a record ---- */

static void lookAtMember(ASCLIENTPVT client, asClientStatus status)
{
    (void)status;
    *(findings *)asGetClientPvt(client) = rulesOf(client->pasgMember->pasg);
}

const char *psIocAccessUnnamed(const dbCommon *prec)
{
    findings found;

    if (!look(prec, lookAtMember, &found))
        return "access security is off";
    return found.untrapped ? "no TRAPWRITE" : NULL;
}

/* ---- all rules ---- */

typedef struct group {
    const char *name;
    const char *what;
    bool exists;
    findings rules;
} group;

/* DEFAULT comes first: it exists in any file. */
typedef struct survey {
    group groups[4];
} survey;

static void lookAtAll(ASCLIENTPVT client, asClientStatus status)
{
    survey *all = asGetClientPvt(client);

    (void)status;
    for (ELLNODE *node = ellFirst((ELLLIST *)&pasbase->asgList); node; node = ellNext(node)) {
        const ASG *asg = CONTAINER(node, ASG, node);

        for (size_t i = 0; i < NELEMENTS(all->groups); i++) {
            if (strcmp(asg->name, all->groups[i].name) == 0) {
                all->groups[i].exists = true;
                all->groups[i].rules = rulesOf(asg);
            }
        }
    }
}

static void warnOfGroup(const group *one, const group *fallback)
{
    if (!one->exists)
        errlogPrintf("procServ: access security has no ASG(%s): %s are in DEFAULT, %s\n", one->name,
                     one->what,
                     fallback->rules.writable ? "and whoever may write there may write them"
                                              : "which lets nobody write");
    else if (one->rules.untrapped)
        errlogPrintf("procServ: access security: ASG(%s) has a rule to WRITE without TRAPWRITE: "
                     "CmdBy cannot show who gave a command\n",
                     one->name);
}

/* The database may be walked: the IOC runs, and records are added at no time.
 * @param outAny any record that access security knows */
static int countDefault(const dbCommon **outAny)
{
    DBENTRY entry;
    int count = 0;

    dbInitEntry(pdbbase, &entry);
    for (long status = dbFirstRecordType(&entry); !status; status = dbNextRecordType(&entry)) {
        for (status = dbFirstRecord(&entry); !status; status = dbNextRecord(&entry)) {
            const dbCommon *prec = entry.precnode->precord;

            if (dbIsAlias(&entry) || !prec)
                continue;
            *outAny = prec->asp ? prec : *outAny;
            count += !prec->asg[0] || strcmp(prec->asg, "DEFAULT") == 0;
        }
    }
    dbFinishEntry(&entry);
    return count;
}

void psIocAccessWarn(bool hosted)
{
    survey all = {{{.name = "DEFAULT"},
                   {.name = "PS_RO", .what = "our status records"},
                   {.name = "PS_CMD", .what = "our commands and settings"},
                   {.name = "PS_CONSOLE", .what = "the records for console input"}}};
    const dbCommon *any = NULL;
    int others = countDefault(&any);

    if (psIocAccessClosed()) {
        errlogPrintf("procServ: access security is not active: commands and settings are closed; "
                     "load rules, or see 'help procServInsecurePvs'\n");
        return;
    }
    if (!any || !look(any, lookAtAll, &all))
        return; /* open, as was asked for */
    for (size_t i = 1; i < NELEMENTS(all.groups); i++)
        warnOfGroup(&all.groups[i], &all.groups[0]);
    if (hosted && others && !all.groups[0].rules.writable)
        errlogPrintf("procServ: access security: ASG(DEFAULT) lets nobody write: %d records of "
                     "this IOC are read-only; see procServHost.acf\n",
                     others);
}
