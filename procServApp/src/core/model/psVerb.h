/* SPDX-License-Identifier: EPICS */
/** @file psVerb.h
 *  @brief Facts about what can be asked of a child: names, words and values.
 *
 *  Public, pure.  The verbs that change a setting have their facts from psSetting.h.
 */
#ifndef INC_psVerb_H
#define INC_psVerb_H

#include "psSetting.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Name as the record has it: Start, Stop, SignalNum, Holdoff...  Never NULL; "?" where there
 *  is no such verb, "None" for psVerbNone. */
const char *psVerbName(psVerb verb);
/** The command that people call @p word in the IOC shell ("restart", "rotatelog"...);
 *  psVerbNone: there is none.  Settings have no word. */
psVerb psVerbParse(const char *word);
/** Does the command need a value? */
bool psVerbTakesValue(psVerb verb);
/** Range of that value; {0,0} for verbs without one. */
psRange psVerbRange(psVerb verb);
/** Is it refused while the child is locked out?  Not what ends that, and what is typed. */
bool psVerbIsForLockout(psVerb verb);
/** Longest text of a command, with its NUL. */
size_t psVerbTextBytes(psVerb verb);
/** Does the command need a text? */
bool psVerbTakesText(psVerb verb);
/** May @p verb be asked with @p text?  A text has no control characters but TAB, and is shorter
 *  than psVerbTextBytes().  A lockout need not have one.
 *  @param text NULL: none
 *  @return 0 or -EINVAL */
int psVerbCheckText(psVerb verb, const char *text);
/** May @p verb be asked with @p value?  NaN is in no range.
 *  @return 0, or -EINVAL: no such command, or the value is out of range */
int psVerbCheck(psVerb verb, double value);

#ifdef __cplusplus
}
#endif
#endif
