/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psConfig.h"
#include "model/psSetting.h"

static void members_AreReadAndWritten(void)
{
    psSettings base;
    const psSetting *setting;

    psSettingsInit(&base);
    for (unsigned i = 0; (setting = psSettingAt(i)) != NULL; i++) {
        psSettings changed = base;
        double value = setting->range.high;

        testOk(setting->initial >= setting->range.low && setting->initial <= value,
               "%s: %g is within the range", setting->record, setting->initial);
        psSettingPut(setting, &changed, value);
        testOk(psSettingGet(setting, &changed) == value, "%s can be %g", setting->record, value);
        testOk(!psSettingsEqual(&base, &changed), "which is seen");
        psSettingPut(setting, &changed, psSettingGet(setting, &base));
        testOk(psSettingsEqual(&base, &changed), "and nothing else changed");
        testOk(psSettingOf(setting->verb) == setting, "its verb leads back");
    }
}

/* A number that an option takes is one that a command takes, and no other. */
static void options_TakeTheRange(void)
{
    psConfig *cfg = psConfigCreate();
    const psSetting *setting;
    char text[32], msg[PS_TEXT_BYTES];

    for (unsigned i = 0; (setting = psSettingAt(i)) != NULL; i++) {
        const char *name = setting->option.name;

        if (setting->type == psSettingMode)
            continue;
        snprintf(text, sizeof(text), "%g", setting->range.high);
        testOk(psConfigSet(cfg, name, text, msg, sizeof(msg)) == 0 &&
                   psSettingGet(setting, &cfg->settings) == setting->range.high,
               "--%s takes %s", name, text);
        snprintf(text, sizeof(text), "%g", setting->range.high + 1);
        testOk(psConfigSet(cfg, name, text, msg, sizeof(msg)) != 0, "but not %s: %s", text, msg);
        snprintf(text, sizeof(text), "%g", setting->range.low - 1);
        testOk(psConfigSet(cfg, name, text, msg, sizeof(msg)) != 0, "nor %s", text);
        testOk(psConfigSet(cfg, name, "nan", msg, sizeof(msg)) != 0, "nor nan");
        testOk(psSettingGet(setting, &cfg->settings) == setting->range.high, "it is as before");
    }
    psConfigFree(cfg);
}

static void numbers_OutsideTheTable(void)
{
    testOk1(psSettingOf(psVerbStart) == NULL);
    testOk1(psSettingOf(psVerbNone) == NULL);
    testOk1(psSettingOf((psVerb)-1) == NULL);
}

static void names_OfOptionAndRecord_AreTheSame(void)
{
    const psSetting *setting;

    for (unsigned i = 0; (setting = psSettingAt(i)) != NULL; i++)
        testOk(psSettingNamed(setting->option.name) == setting &&
                   psSettingNamed(setting->record) == setting,
               "%s is %s", setting->option.name, setting->record);
    testOk1(psSettingNamed("holdoffmax") == psSettingOf(psVerbHoldoffMax));
    testOk1(psSettingNamed("hold") == NULL);
    testOk1(psSettingNamed("") == NULL);
}

static void parse_RefusesWithWhatIsExpected(void)
{
    char msg[PS_TEXT_BYTES];
    double value = -1;

    testOk1(!psSettingParse(psSettingOf(psVerbMode), "onfailure", &value, msg, sizeof(msg)) &&
            value == psModeOnFailure);
    testOk(psSettingParse(psSettingOf(psVerbMode), "2", &value, msg, sizeof(msg)) == -EINVAL &&
               value == psModeOnFailure,
           "%s", msg);
    testOk1(!psSettingParse(psSettingOf(psVerbGrace), "0.5", &value, msg, sizeof(msg)) &&
            value == 0.5);
    testOk(psSettingParse(psSettingOf(psVerbGrace), "-1", &value, msg, sizeof(msg)) == -EINVAL &&
               !strcmp(msg, "grace: '-1' must be a number of seconds from 0 to 3600"),
           "%s", msg);
    testOk(psSettingParse(psSettingOf(psVerbMaxRestarts), "1.5", &value, msg, sizeof(msg)) ==
               -EINVAL,
           "%s", msg);
}

MAIN(psSettingTest)
{
    testPlan(72);
    members_AreReadAndWritten();
    options_TakeTheRange();
    numbers_OutsideTheTable();
    names_OfOptionAndRecord_AreTheSame();
    parse_RefusesWithWhatIsExpected();
    return testDone();
}
