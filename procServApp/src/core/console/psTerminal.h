/* SPDX-License-Identifier: EPICS */
/** @file psTerminal.h
 *  @brief The launching terminal as a console: its mode, and a description of our own so that
 *  non-blocking I/O changes nothing for the shell that started us.
 *  Thread: one at a time.  Blocks: as long as open() of a terminal does.
 */
#ifndef INC_psTerminal_H
#define INC_psTerminal_H

#include <stdbool.h>
#include <termios.h>

typedef struct psTerminal {
    int fd;              /**< kept for psTerminalRestore(); -1: none */
    struct termios mode; /**< as it was */
} psTerminal;
#define PS_TERMINAL_INIT                                                                           \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/** Take over the terminal of @p fd: no line editing, no echo, no flow control; ^C and ^\
 *  keep their meaning.  @p outIo is a further description, non-blocking, the caller's.
 *  @return 0, -ENOTTY, -errno */
int psTerminalTake(psTerminal *terminal, int fd, int *outIo);
/** The size of its window now.  Blocks: never.
 *  @return 0, -ENODATA if it has none (a serial line), -EBADF if it was given back, -errno */
int psTerminalSize(const psTerminal *terminal, unsigned *outCols, unsigned *outRows);
/** Give it back as it was.  May be called twice. */
void psTerminalRestore(psTerminal *terminal);

#endif
