/* SPDX-License-Identifier: EPICS */
/** @file psPty.h
 *  @brief A pseudo-terminal, both ends of it.  Thread: any, one at a time.  Blocks: never, where
 *  nothing else is said.
 *
 *  We keep the slave open for as long as the process lives: neither a child that closes its
 *  terminal nor a grandchild that keeps it then shows on the master as an end or a hang-up.
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
/** 24 by 80, IUTF8 on, IXON off; it does not become our controlling terminal.
 *  Blocks: only where a devpts needs grantpt(), which may look up groups.
 *  @param outCall on failure the name of the system call that was refused; static; may be NULL
 *  @return 0 or -errno */
int psPtyOpen(psPty *out, const char **outCall);
void psPtyClose(psPty *pty); /**< idempotent */
/** Set the size of the terminal; clamped to 10...500, 0 leaves that side as it is. */
void psPtySetSize(psPty *pty, unsigned cols, unsigned rows);
/** Is the slave in canonical mode (bounded lines)? */
bool psPtyCanonical(const psPty *pty);

#endif
