/* SPDX-License-Identifier: EPICS */
/** @file psEnviron.h
 *  @brief The environment we were started with.
 *
 *  Base's generated registration code sets ARCH, PWD and EPICS_VERSION_... in a static
 *  constructor, so main() is too late to look: the supervised process would get them.
 */
#ifndef INC_psEnviron_H
#define INC_psEnviron_H

/** Thread: any.  Blocks: never.
 *  @return NAME=VALUE..., NULL at the end; lives as long as the program.  NULL: there was no memory
 *          to keep it.  ::environ is no substitute, since setenv() moves and frees that */
char *const *psEnvironOriginal(void);

#endif
