/* SPDX-License-Identifier: EPICS */
/** @file psMacroErrors.h
 *  @brief Lines of a script that the IOC shell leaves out, because a macro in them is undefined.
 *
 *  The shell reports them to nobody: not to the caller of iocsh(), and not by an "ERROR" as for
 *  what it refuses.  There is only one line of errlog: "macLib: macro NAME is undefined
 *  (expanding ...)".
 *
 *  Thread: the one that runs the script; one at a time.
 */
#ifndef INC_psMacroErrors_H
#define INC_psMacroErrors_H

#include "psServeOptions.h"

/** From now on remember such lines; of more than a few only the number.  A step that begins
 *  meanwhile (psProgress.h), such as loading records, is not looked at.  Without memory nothing is
 *  remembered.  psProgressStart() and psProgressBegin() have been called. */
void psMacroErrorsBegin(void);
/** Remember no more, and report each of them as bad: which macro of @p script it was, and the
 *  line as far as errlog shows it. */
void psMacroErrorsEnd(const char *script, psReportFn report, void *ctx);

#endif
