/* SPDX-License-Identifier: EPICS */
/** @file psIocPut.h
 *  @brief What is put to a command or setting: whether it can be taken, and what people read of it.
 *         Pure but for the time of day.
 *  Thread: any.  Blocks: never.
 */
#ifndef INC_psIocPut_H
#define INC_psIocPut_H

#include <dbCommon.h>

#include "psIocTarget.h"

/** Enough for the line of any put, with its NUL. */
#define PS_PUT_LINE_BYTES (PS_TEXT_BYTES + PS_COMMAND_TEXT_BYTES)

/** @param whole a text was put to a field that can hold more than a string of Channel Access
 *  @return 0; -EINVAL; -EMSGSIZE: a client has cut the text, or may have */
int psIocPutCheck(const psCommand *cmd, const psTarget *target, bool whole);
/** Why it was not taken.  @param status of psIocPutCheck() or psTargetSubmit() */
void psIocPutExplain(int status, const psCommand *cmd, const psTarget *target, char *msg,
                     size_t msgSize);
/** "2026-11-23 15:49:52 ops@ws3 put IOC1:PS:Restart 1", cut to @p size. */
void psIocPutLine(const dbCommon *prec, const psCommand *cmd, char *out, size_t size);

#endif
