/* SPDX-License-Identifier: EPICS */
/** @file devPsOut.h
 *  @brief Which records are commands or settings of ours.
 */
#ifndef INC_devPsOut_H
#define INC_devPsOut_H

#include "psIocOut.h"

/** The output of a record; NULL if its device support is not ours, or its link is bad.
 *  Thread: any, once the record is initialized.  Blocks: never. */
psOut *psOutOf(const dbCommon *prec);

#endif
