/* SPDX-License-Identifier: EPICS */
/** @file psSetting.h
 *  @brief The settings that may change while a child runs: one table, one row per setting.
 *
 *  Public, pure.  Whatever enumerates settings walks this table: options, records, commands,
 *  the comparison that gives Overridden.  So a new setting is a verb and a member (psTypes.h), one
 *  row here, and its records.
 */
#ifndef INC_psSetting_H
#define INC_psSetting_H

#include "psGetopt.h"
#include "psTypes.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Range of a number, both ends included. */
typedef struct psRange {
    double low, high;
} psRange;

/** What the member of psSettings is. */
typedef enum psSettingType { psSettingDouble, psSettingInt, psSettingMode } psSettingType;

typedef struct psSetting {
    psVerb verb;        /**< the command that changes it */
    const char *record; /**< suffix of its record, and its name in messages */
    psOption option;    /**< the option that sets it at start */
    const char *unit;   /**< in messages, plural: "seconds"; NULL: none */
    psRange range;      /**< of options, records and commands alike */
    double initial;     /**< where nobody has set it */
    psSettingType type;
    size_t offset; /**< of the member in psSettings */
} psSetting;

/** Walks the table.  @return NULL past its end */
const psSetting *psSettingAt(unsigned index);
/** The setting that @p verb changes; NULL: @p verb is no setting. */
const psSetting *psSettingOf(psVerb verb);
/** The setting with that option ("holdoff-max") or, in any case of its letters, that record
 *  ("HoldoffMax").  @return NULL: there is none */
const psSetting *psSettingNamed(const char *name);
/** Understand a value as people write it.  A mode is one of their names, in any case.
 *  @param msg on failure one line that begins with the option: what is wrong, what is expected
 *  @return 0 and a value within the range, or -EINVAL */
int psSettingParse(const psSetting *setting, const char *text, double *out, char *msg,
                   size_t msgSize);

/** The value as a number; a mode is its psMode. */
double psSettingGet(const psSetting *setting, const psSettings *from);
/** Set the member.  @param value within the range; a count is cut to a whole number */
void psSettingPut(const psSetting *setting, psSettings *to, double value);

/** Every setting as it is where nobody has set it. */
void psSettingsInit(psSettings *settings);
/** Are all settings the same in both? */
bool psSettingsEqual(const psSettings *a, const psSettings *b);

#ifdef __cplusplus
}
#endif
#endif
