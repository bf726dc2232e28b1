/* SPDX-License-Identifier: EPICS */
/** @file psIoc.h
 *  @brief What a program that links the procServ library may call: which supervisor the records
 *         show, and how open their commands are.
 *
 *  In an IOC of somebody else nothing here needs to be called: the first procServAdd creates a
 *  supervisor, and it ends with the IOC.
 */
#ifndef INC_psIoc_H
#define INC_psIoc_H

#include "psSup.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The supervisor behind records and iocsh commands; NULL: none yet.  Thread: any. */
psSup *psIocSup(void);

/** Let records and iocsh commands use @p sup, which its creator starts, ends and frees.
 *  NULL takes it away: no record and no command touches it once this has returned.
 *  Thread: main, outside of iocInit. */
void psIocSetSup(psSup *sup);

/** Let commands and settings work although access security is not active.
 *  Thread: any, before iocInit. */
void psIocSetInsecure(bool insecure);

#ifdef __cplusplus
}
#endif
#endif
