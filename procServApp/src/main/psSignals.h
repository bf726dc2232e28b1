/* SPDX-License-Identifier: EPICS */
/** @file psSignals.h
 *  @brief What signals do to the program.  Only main/ touches them; a library must not.
 *
 *  HUP reopens logs; TERM, INT and QUIT shut down, a second time at once.  With -f, INT and QUIT
 *  are ignored, as by procServ: they are typed at the child's console; WINCH passes the size of
 *  the terminal on to the child.  PIPE, XFSZ, USR1 and USR2 are ignored.  All are delivered on the
 *  main thread: Base blocks them in its own threads.
 */
#ifndef INC_psSignals_H
#define INC_psSignals_H

#include <stdbool.h>

#include "psSup.h"

/** Set dispositions and the mask.  Before any libCom call that starts a thread: Base installs
 *  its own handlers where it finds none.  What arrives from now on is kept for psSignalsDeliver().
 *  Thread: main, once.  Blocks: never. */
void psSignalsInstall(bool foreground);

/** Hand signals to @p sup from now on, beginning with those kept; NULL: keep them.
 *  @p sup must live until NULL is given or the program ends.  Thread: main.  Blocks: never. */
void psSignalsDeliver(psSup *sup);

/** Is a signal kept that asks for the end?  Thread: main.  Blocks: never. */
bool psSignalsEndAsked(void);

#endif
