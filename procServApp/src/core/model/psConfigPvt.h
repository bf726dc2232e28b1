/* SPDX-License-Identifier: EPICS */
/** @file psConfigPvt.h
 *  @brief What the parts of the configuration share: the rows of the options, and functions that
 *  understand the values of several.
 *
 *  psConfigSet.c finds a row by its name; the rows are in psConfigProcess.c, psConfigConsole.c,
 *  psConfigReady.c and psConfigWatch.c, cut by subject.  Pure.
 */
#ifndef INC_psConfigPvt_H
#define INC_psConfigPvt_H

#include "model/psConfig.h"

/** Replace the text that *@p target owns by a copy of @p value, which may be NULL.
 *  @return 0, or -ENOMEM and nothing changed */
int psConfigReplace(char **target, const char *value);

/** Where one line about a wrong value goes. */
typedef struct psComplaint {
    char *msg;
    size_t size;
} psComplaint;

/** One option of a child. */
typedef struct psConfigRow {
    psOption option;
    /** @param value NULL only where the argument is none or optional
     *  @return 0; -errno after a complaint, with the configuration as it was */
    int (*set)(psConfig *cfg, const struct psConfigRow *self, const char *value, psComplaint out);
    size_t offset; /**< of the member set, for functions that serve several options */
} psConfigRow;

/** @name The rows of each subject.  @return NULL past the end @{ */
const psConfigRow *psConfigProcessRow(unsigned index);
const psConfigRow *psConfigConsoleRow(unsigned index);
const psConfigRow *psConfigReadyRow(unsigned index);
const psConfigRow *psConfigWatchRow(unsigned index);
/** @} */

/** @name The parts of psConfigCheck() that concern readiness and watchdogs. @{ */
int psConfigCheckReady(const psConfig *cfg, char *msg, size_t msgSize);
int psConfigCheckWatch(const psConfig *cfg, char *msg, size_t msgSize);
/** @} */

/** The member of @p cfg that the option sets. */
void *psConfigMember(psConfig *cfg, const psConfigRow *self);
/** Complain: "NAME: 'VALUE' PROBLEM".  @return -EINVAL */
int psConfigRefuse(const char *name, const char *value, const char *problem, psComplaint out);
/** @return -ENOMEM */
int psConfigNoMemory(const char *name, psComplaint out);

/** Is it the name of a PV?  @return 0, or -EINVAL after a complaint */
int psConfigCheckPv(const psConfigRow *self, const char *value, psComplaint out);

/** @name Functions of rows, and the type of the member they set. @{ */
/** char * */
int psConfigSetText(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out);
/** An empty text means "not given", so that scripts may pass an empty variable as with procServ. */
int psConfigSetTextOrNone(psConfig *cfg, const psConfigRow *self, const char *value,
                          psComplaint out);
/** char *: the name of a PV, as a link may have it; empty means "not given". */
int psConfigSetPv(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out);
/** bool: true. */
int psConfigSetTrue(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out);
/** double: a time limit, 0.1 s to one day; 0: there is none. */
int psConfigSetLimit(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out);
/** bool: what is done about a process that does not do its work; "alarm" is false, "restart" is
 *  true. */
int psConfigSetAction(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out);
/** @} */

#endif
