/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <dbDefs.h>

#include "model/psVerb.h"

/* All verbs but those that change a setting. */
static const struct psCommandFacts {
    psVerb verb;
    const char *name;
    const char *word; /* in the IOC shell; NULL: none */
    bool takesValue;
    psRange range;
} commands[] = {
    {psVerbNone, "None", NULL, false, {0, 0}},
    {psVerbStart, "Start", "start", false, {0, 0}},
    {psVerbStop, "Stop", "stop", false, {0, 0}},
    {psVerbRestart, "Restart", "restart", false, {0, 0}},
    {psVerbKill, "Kill", "kill", false, {0, 0}},
    {psVerbSignal, "SignalNum", "signal", true, {1, PS_SIGNAL_MAX}},
    {psVerbReset, "Reset", "reset", false, {0, 0}},
    {psVerbResetCounters, "ResetCounters", "resetcounters", false, {0, 0}},
    {psVerbRotateLog, "RotateLog", "rotatelog", false, {0, 0}},
    {psVerbIn, "In", NULL, false, {0, 0}},
    {psVerbLockout, "Lockout", NULL, true, {0, 1}},
    {psVerbLockoutMsg, "LockoutMsg", NULL, false, {0, 0}},
};

static const struct psCommandFacts *factsOf(psVerb verb)
{
    for (size_t i = 0; i < NELEMENTS(commands); i++)
        if (commands[i].verb == verb)
            return &commands[i];
    return NULL;
}

const char *psVerbName(psVerb verb)
{
    const struct psCommandFacts *facts = factsOf(verb);
    const psSetting *setting = psSettingOf(verb);

    return facts ? facts->name : setting ? setting->record : "?";
}

psVerb psVerbParse(const char *word)
{
    for (size_t i = 0; i < NELEMENTS(commands); i++)
        if (commands[i].word && strcmp(commands[i].word, word) == 0)
            return commands[i].verb;
    return psVerbNone;
}

bool psVerbTakesValue(psVerb verb)
{
    const struct psCommandFacts *facts = factsOf(verb);

    return facts ? facts->takesValue : psSettingOf(verb) != NULL;
}

psRange psVerbRange(psVerb verb)
{
    static const psRange none = {0, 0};
    const struct psCommandFacts *facts = factsOf(verb);
    const psSetting *setting = psSettingOf(verb);

    return facts ? facts->range : setting ? setting->range : none;
}

bool psVerbIsForLockout(psVerb verb)
{
    return verb != psVerbLockout && verb != psVerbLockoutMsg && verb != psVerbIn;
}

size_t psVerbTextBytes(psVerb verb)
{
    return verb == psVerbIn ? PS_COMMAND_TEXT_BYTES : PS_TEXT_BYTES;
}

bool psVerbTakesText(psVerb verb)
{
    return verb == psVerbIn || verb == psVerbLockoutMsg;
}

static bool isPlain(const char *text)
{
    for (; *text; text++)
        if ((*text > 0 && *text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

int psVerbCheckText(psVerb verb, const char *text)
{
    if (!text)
        return psVerbTakesText(verb) ? -EINVAL : 0;
    if (!psVerbTakesText(verb) && verb != psVerbLockout)
        return -EINVAL;
    return strlen(text) < psVerbTextBytes(verb) && isPlain(text) ? 0 : -EINVAL;
}

int psVerbCheck(psVerb verb, double value)
{
    const struct psCommandFacts *facts = factsOf(verb);
    psRange range = psVerbRange(verb);

    if (facts ? verb == psVerbNone : !psSettingOf(verb))
        return -EINVAL;
    if (psVerbTakesValue(verb) && !(value >= range.low && value <= range.high))
        return -EINVAL; /* NaN, too */
    return 0;
}
