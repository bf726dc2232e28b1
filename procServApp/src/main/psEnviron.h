/* SPDX-License-Identifier: EPICS */
/** @file psEnviron.h
 *  @brief The environment we were started with.
 *
 *  Base's generated registration code sets ARCH, PWD and EPICS_VERSION_... in a static
 *  constructor, so main() is too late to look: the supervised process would get them.
 */
#ifndef INC_psEnviron_H
#define INC_psEnviron_H

/** @return NAME=VALUE..., NULL at the end; lives as long as the program.  Thread: any. */
char *const *psEnvironOriginal(void);

#endif
