/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for stringin and lsi: texts. */

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <alarm.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <epicsVersion.h>
#include <lsiRecord.h>
#include <stringinRecord.h>

#include "devPsItems.h"
#include "psIocIn.h"
#include "psIocSystem.h"
#include "psText.h"
#include "psVerb.h"

/* ---- user and host of this program: looked up once, since NSS may block ---- */

static struct {
    char host[64], user[40];
} self;

static void selfInit(void *arg)
{
    (void)arg;
    char buf[1024];
    struct passwd pw, *found = NULL;
    if (gethostname(self.host, sizeof(self.host) - 1))
        epicsSnprintf(self.host, sizeof(self.host), "?");
    if (!getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) && found)
        epicsSnprintf(self.user, sizeof(self.user), "%s", found->pw_name);
    else
        epicsSnprintf(self.user, sizeof(self.user), "%lu", (unsigned long)geteuid());
}

/* ---- getters ---- */

static void put(char *out, size_t size, const char *text)
{
    epicsSnprintf(out, size, "%s", text ? text : "");
}

/* ISO 8601 with the colon that strftime's %z lacks; "" for a time that never was. */
static void putTime(char *out, size_t size, const epicsTimeStamp *time)
{
    char day[24], zone[8];
    if (!time->secPastEpoch) {
        put(out, size, "");
        return;
    }
    epicsTimeToStrftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", time);
    epicsTimeToStrftime(zone, sizeof(zone), "%z", time);
    epicsSnprintf(out, size, "%s%.3s:%s", day, zone, strlen(zone) > 3 ? zone + 3 : "00");
}

static void getUptimeStr(const psIocView *v, char *out, size_t size)
{
    double up = v->st->running ? v->mono - v->st->startMono : 0;
    long sec = up > 0 ? (long)up : 0;
    long days = sec / 86400;
    int hours = (int)(sec / 3600 % 24), minutes = (int)(sec / 60 % 60), rest = (int)(sec % 60);
    if (days)
        epicsSnprintf(out, size, "%ld d %02d:%02d:%02d", days, hours, minutes, rest);
    else
        epicsSnprintf(out, size, "%02d:%02d:%02d", hours, minutes, rest);
}

static void getStartTime(const psIocView *v, char *out, size_t size)
{
    putTime(out, size, &v->st->startTime);
}

static void getExitSignalName(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->st->exitSignal > 0 ? psSignalName(v->st->exitSignal) : "");
}

static void getExitTime(const psIocView *v, char *out, size_t size)
{
    putTime(out, size, &v->st->exitTime);
}

static void getName(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->name);
}

static void getHost(const psIocView *v, char *out, size_t size)
{
    (void)v;
    put(out, size, self.host);
}

static void getUser(const psIocView *v, char *out, size_t size)
{
    (void)v;
    put(out, size, self.user);
}

/* @param whom "All" for a command to all children */
static void putCommand(char *out, size_t size, const psCmdStatus *cmd, const char *whom)
{
    const char *name = cmd->verb == psVerbSignal ? "Signal" : psVerbName(cmd->verb);

    if (cmd->verb == psVerbNone)
        put(out, size, "");
    else if (cmd->verb == psVerbSignal && strcmp(psSignalName((int)cmd->value), "?") != 0)
        epicsSnprintf(out, size, "%s%s %s", name, whom, psSignalName((int)cmd->value));
    else if (cmd->verb == psVerbMode)
        epicsSnprintf(out, size, "%s%s %s", name, whom, psModeName((psMode)cmd->value));
    else if (psVerbTakesValue(cmd->verb))
        epicsSnprintf(out, size, "%s%s %.10g", name, whom, cmd->value);
    else
        epicsSnprintf(out, size, "%s%s", name, whom);
}

static void getCmdLast(const psIocView *v, char *out, size_t size)
{
    putCommand(out, size, &v->st->cmd, "");
}

static void getCmdTime(const psIocView *v, char *out, size_t size)
{
    putTime(out, size, &v->st->cmd.time);
}

static void getStateMsg(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->st->stateMsg);
}

static void getWatchPv(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->watchPv);
}

static void getAliveMsg(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->st->aliveMsg);
}

static void getExitMsg(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->st->exitMsg);
}

static void getReadyPv(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->readyPv);
}

static void getCmd(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->commandLine);
}

static void getCwd(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->dir);
}

static void getConsole(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->consoles);
}

static void getLogFile(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->facts->logFile);
}

static void getCmdBy(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->st->cmd.by);
}

static void getCmdMsg(const psIocView *v, char *out, size_t size)
{
    put(out, size, v->st->cmd.msg);
}

/* One table for both types: a text is a text. */
static const psTextItem textItems[] = {
    {"UptimeStr", getUptimeStr},
    {"StartTime", getStartTime},
    {"ExitSignalName", getExitSignalName},
    {"ExitTime", getExitTime},
    {"Name", getName},
    {"Host", getHost},
    {"User", getUser},
    {"CmdLast", getCmdLast},
    {"CmdTime", getCmdTime},
    {"StateMsg", getStateMsg},
    {"ReadyPv", getReadyPv},
    {"AliveMsg", getAliveMsg},
    {"WatchPv", getWatchPv},
    {"ExitMsg", getExitMsg},
    {"Cmd", getCmd},
    {"Cwd", getCwd},
    {"Console", getConsole},
    {"LogFile", getLogFile},
    {"CmdBy", getCmdBy},
    {"CmdMsg", getCmdMsg},
};

typedef struct textSystemItem {
    psSystemRow row;
    void (*get)(const psSystemView *v, char *out, size_t size);
} textSystemItem;

static void getCaRelayMsg(const psSystemView *v, char *out, size_t size)
{
    put(out, size, v->relay.text);
}

static void getVersion(const psSystemView *v, char *out, size_t size)
{
    (void)v;
    put(out, size, PS_VERSION);
}

static void getBaseVersion(const psSystemView *v, char *out, size_t size)
{
    (void)v;
    put(out, size, EPICS_VERSION_SHORT);
}

static void getSupHost(const psSystemView *v, char *out, size_t size)
{
    (void)v;
    put(out, size, self.host);
}

static void getCmdLastOfAll(const psSystemView *v, char *out, size_t size)
{
    putCommand(out, size, &v->all.cmd, "All");
}

static void getCmdByOfAll(const psSystemView *v, char *out, size_t size)
{
    put(out, size, v->all.cmd.by);
}

static void getCmdTimeOfAll(const psSystemView *v, char *out, size_t size)
{
    putTime(out, size, &v->all.cmd.time);
}

static void getCmdMsgOfAll(const psSystemView *v, char *out, size_t size)
{
    put(out, size, v->all.cmd.msg);
}

static void getAcfMsg(const psSystemView *v, char *out, size_t size)
{
    put(out, size, v->acfWhy);
}

static const textSystemItem textSystemItems[] = {
    {{"AcfMsg", psSystemAlways}, getAcfMsg},   {{"CaRelayMsg", psSystemAlways}, getCaRelayMsg},
    {{"Version", psSystemAlways}, getVersion}, {{"BaseVersion", psSystemAlways}, getBaseVersion},
    {{"Host", psSystemAlways}, getSupHost},    {{"CmdLast", psSystemSup}, getCmdLastOfAll},
    {{"CmdBy", psSystemSup}, getCmdByOfAll},   {{"CmdTime", psSystemSup}, getCmdTimeOfAll},
    {{"CmdMsg", psSystemSup}, getCmdMsgOfAll},
};
static const psItemTable textSystemTable = PS_ITEM_TABLE(textSystemItems, PS_NO_SETTINGS);
static const psItemTable textTable =
    PS_ITEM_TABLE_AND(textItems, PS_NO_SETTINGS, &textSystemTable, &psConsoleTextTable);

static long initText(dbCommon *prec, const struct link *link)
{
    static epicsThreadOnceId once = EPICS_THREAD_ONCE_INIT;
    epicsThreadOnce(&once, selfInit, NULL);
    return psInInit(prec, link, &textTable);
}

/* @return false: the alarm is set */
static bool readSystem(dbCommon *prec, const textSystemItem *item, const char *old, char *out,
                       size_t size)
{
    psSystemView view;

    if (!psSystemBegin(prec, &view))
        return false;
    item->get(&view, out, size);
    psTextEndWhole(out, size);
    psSystemStamp(prec, strcmp(out, old) != 0, NO_ALARM);
    return true;
}

/* @param old what the record has shown
 * @return false: the alarm is set */
static bool readText(dbCommon *prec, const char *old, char *out, size_t size)
{
    const textSystemItem *system = psSystemItem(prec);
    psIocView view;

    if (system)
        return readSystem(prec, system, old, out, size);
    const psIn *in = psInBegin(prec, &view);
    if (!in)
        return false;
    ((const psTextItem *)in->item)->get(&view, out, size);
    psInEnd(prec);
    psTextEndWhole(out, size);
    psInStamp(prec, strcmp(out, old) != 0, NO_ALARM);
    return true;
}

/* ---- stringin ---- */

static long initStringin(dbCommon *pcommon)
{
    return initText(pcommon, &((stringinRecord *)pcommon)->inp);
}

static long readStringin(stringinRecord *prec)
{
    char val[sizeof(prec->val)];

    if (!readText((dbCommon *)prec, prec->val, val, sizeof(val)))
        return -1;
    memcpy(prec->val, val, sizeof(val));
    prec->udf = FALSE;
    return 0;
}

static stringindset devPsStringin = {
    {5, NULL, NULL, initStringin, NULL},
    readStringin,
};
epicsExportAddress(dset, devPsStringin);

/* ---- lsi ---- */

static long initLsi(dbCommon *pcommon)
{
    return initText(pcommon, &((lsiRecord *)pcommon)->inp);
}

static long readLsi(lsiRecord *prec)
{
    char val[1024];
    size_t size = prec->sizv < sizeof(val) ? prec->sizv : sizeof(val);

    if (!readText((dbCommon *)prec, prec->val, val, size))
        return -1;
    prec->len = (epicsUInt32)strlen(val) + 1;
    memcpy(prec->val, val, prec->len);
    prec->udf = FALSE;
    return 0;
}

static lsidset devPsLsi = {
    {5, NULL, NULL, initLsi, NULL},
    readLsi,
};
epicsExportAddress(dset, devPsLsi);
