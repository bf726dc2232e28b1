/* SPDX-License-Identifier: EPICS */
/* Options of a child: when it is ready. */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>

#include "model/psConfigPvt.h"

#define READY_SEC_MAX 86400.0

/* A child has one rule.  @p what is copied; NULL: the rule needs none. */
static int setRule(psConfig *cfg, const psConfigRow *self, psReadyRule rule, const char *what,
                   psComplaint out)
{
    if (cfg->readyRule != psReadyNone && cfg->readyRule != rule) {
        epicsSnprintf(out.msg, out.size, "%s: there is another rule already; give one of %s",
                      self->option.name, "ready-match, ready-notify and ready-pv");
        return -EINVAL;
    }
    if (psConfigReplace(&cfg->readyWhat, what))
        return psConfigNoMemory(self->option.name, out);
    cfg->readyRule = rule;
    return 0;
}

/* An empty text means "not given", so that scripts may pass an empty variable. */
static int setNoRule(psConfig *cfg, psReadyRule rule)
{
    if (cfg->readyRule == rule) {
        cfg->readyRule = psReadyNone;
        psConfigReplace(&cfg->readyWhat, NULL);
    }
    return 0;
}

/* POSIX has no back references here.  glibc has, and one can cost exponential time. */
static bool hasBackReference(const char *regex)
{
    for (; *regex; regex++) {
        if (*regex != '\\')
            continue;
        regex++;
        if (*regex >= '1' && *regex <= '9')
            return true;
        if (!*regex)
            break;
    }
    return false;
}

static int setMatch(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    regex_t compiled;
    char problem[128] = "is no regular expression: ";
    size_t len = strlen(problem);

    if (!*value)
        return setNoRule(cfg, psReadyMatch);
    if (hasBackReference(value))
        return psConfigRefuse(self->option.name, value,
                              "has a back reference; these are not supported", out);
    int error = regcomp(&compiled, value, REG_EXTENDED | REG_NOSUB);
    if (error) {
        regerror(error, &compiled, problem + len, sizeof(problem) - len);
        return psConfigRefuse(self->option.name, value, problem, out);
    }
    regfree(&compiled);
    return setRule(cfg, self, psReadyMatch, value, out);
}

static int setNotify(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    (void)value;
    return setRule(cfg, self, psReadyNotify, NULL, out);
}

static int setPv(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    if (!*value)
        return setNoRule(cfg, psReadyPv);
    int status = psConfigCheckPv(self, value, out);
    return status ? status : setRule(cfg, self, psReadyPv, value, out);
}

static int setTimeout(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    double sec;

    if (epicsParseDouble(value, &sec, NULL) || !(sec >= 1 && sec <= READY_SEC_MAX))
        return psConfigRefuse(self->option.name, value,
                              "must be a number of seconds from 1 to 86400", out);
    cfg->readyTimeoutSec = sec;
    cfg->readyTimeoutGiven = true;
    return 0;
}

/* clang-format off */
#define AT(m) offsetof(psConfig, m)
static const psConfigRow rows[] = {
    {PS_OPTION("ready-match", 0, 140, Required, Ready, "<regex>",
               "the child is ready once a line of its output matches"),
     setMatch, AT(readyWhat)},
    {PS_OPTION("ready-notify", 0, 141, None, Ready, NULL,
               "the child is ready once it sends READY=1, as to systemd"),
     setNotify, AT(readyRule)},
    {PS_OPTION("ready-pv", 0, 142, Required, Ready, "<name>",
               "the child is ready while this PV is valid and not 0"),
     setPv, AT(readyWhat)},
    {PS_OPTION("ready-timeout", 0, 143, Required, Ready, "<s>",
               "seconds after which a child that is not ready is late [60]"),
     setTimeout, AT(readyTimeoutSec)},
    {PS_OPTION("ready-action", 0, 144, Required, Ready, "<action>",
               "what is done if it is late: alarm or restart [alarm]"),
     psConfigSetAction, AT(readyRestart)},
};
/* clang-format on */

const psConfigRow *psConfigReadyRow(unsigned index)
{
    return index < NELEMENTS(rows) ? &rows[index] : NULL;
}

int psConfigCheckReady(const psConfig *cfg, char *msg, size_t msgSize)
{
    if (cfg->readyRule != psReadyNone || (!cfg->readyRestart && !cfg->readyTimeoutGiven))
        return 0;
    epicsSnprintf(msg, msgSize,
                  "%s: no rule says when it is ready; give --ready-match, --ready-notify or "
                  "--ready-pv, too",
                  cfg->readyRestart ? "ready-action" : "ready-timeout");
    return -EINVAL;
}
