/* SPDX-License-Identifier: EPICS */
/* Names and values to members of a configuration.
 *
 * An option of a child is a row of one of the subjects, or of the table of settings (psSetting.c):
 * its name, how --help shows it, and the function that understands its value.  Command line, iocsh
 * and the checks of the project itself walk these rows, so an option cannot mean two things or be
 * missing in one of them.
 */
#include <errno.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "model/psConfigPvt.h"
#include "model/psSetting.h"

/* ---- settings ---- */

static int setSetting(psConfig *cfg, const psSetting *setting, const char *value, psComplaint out)
{
    double number;
    int status = psSettingParse(setting, value, &number, out.msg, out.size);

    if (!status)
        psSettingPut(setting, &cfg->settings, number);
    return status;
}

/* ---- the rows ---- */

static const psConfigRow *rowAt(unsigned index)
{
    static const psConfigRow *(*const subjects[])(unsigned index) = {
        psConfigProcessRow,
        psConfigConsoleRow,
        psConfigReadyRow,
        psConfigWatchRow,
    };

    for (size_t i = 0; i < NELEMENTS(subjects); i++) {
        unsigned count = 0;

        while (subjects[i](count)) {
            if (count == index)
                return subjects[i](count);
            count++;
        }
        index -= count;
    }
    return NULL;
}

const psOption *psConfigOption(unsigned index)
{
    unsigned count = 0;

    for (const psSetting *setting; (setting = psSettingAt(count)) != NULL; count++)
        if (count == index)
            return &setting->option;
    const psConfigRow *row = rowAt(index - count);
    return row ? &row->option : NULL;
}

static const psSetting *findSetting(const char *name)
{
    const psSetting *setting;

    for (unsigned i = 0; (setting = psSettingAt(i)) != NULL; i++)
        if (strcmp(name, setting->option.name) == 0)
            return setting;
    return NULL;
}

static const psConfigRow *findRow(const char *name)
{
    const psConfigRow *row;

    for (unsigned i = 0; (row = rowAt(i)) != NULL; i++)
        if (strcmp(name, row->option.name) == 0)
            return row;
    return NULL;
}

int psConfigSet(psConfig *cfg, const char *option, const char *value, char *msg, size_t msgSize)
{
    psComplaint out = {msg, msgSize};
    const psSetting *setting = findSetting(option);
    const psConfigRow *row = setting ? NULL : findRow(option);

    if (!row && !setting) {
        epicsSnprintf(msg, msgSize, "there is no setting '%s'", option);
        return -ENOENT;
    }
    psOptionArg arg = setting ? setting->option.arg : row->option.arg;
    if (value && arg == psOptionArgNone) {
        epicsSnprintf(msg, msgSize, "%s takes no value", option);
        return -EINVAL;
    }
    if (!value && arg == psOptionArgRequired) {
        epicsSnprintf(msg, msgSize, "%s needs a value", option);
        return -EINVAL;
    }
    return setting ? setSetting(cfg, setting, value, out) : row->set(cfg, row, value, out);
}
