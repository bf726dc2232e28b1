/* SPDX-License-Identifier: EPICS */
/** @file psPty.h
 *  @brief Both ends of a pseudo-terminal.
 *
 *  We keep the slave open for as long as the process lives.  So the master reports no end and no
 *  hang-up, whether a child closes its terminal or a grandchild keeps it.
 *  Thread: any, one at a time per object.  Blocks: never, but for psPtyOpen().
 */
#ifndef INC_psPty_H
#define INC_psPty_H

#include <stdbool.h>

typedef struct psPty {
    int master, slave; /**< both close-on-exec, master non-blocking; -1: closed */
    char name[64];     /**< of the slave, /dev/pts/N */
} psPty;
#define PS_PTY_INIT                                                                                \
    {                                                                                              \
        -1, -1, ""                                                                                 \
    }
/** Open a new one: 24 rows by 80 columns, IUTF8 on, IXON off.  It does not become our controlling
 *  terminal.  Blocks: only where a devpts needs grantpt(), which may look up groups.
 *  @param outCall on failure the name of the system call that was refused; static; may be NULL
 *  @return 0 or -errno */
int psPtyOpen(psPty *out, const char **outCall);
/** May be called twice. */
void psPtyClose(psPty *pty);
/** Set the size.  Each side is brought into the range 10 to 500; 0 leaves it as it is.  The
 *  processes in the foreground get SIGWINCH if it changes.  A terminal that is closed ignores
 *  it. */
void psPtySetSize(psPty *pty, unsigned cols, unsigned rows);
/** Is it in canonical mode, in which a line has a limit?  No, if it is closed. */
bool psPtyCanonical(const psPty *pty);

#endif
