/* SPDX-License-Identifier: EPICS */
/** @file psTerminal.h
 *  @brief The launching terminal as a console.
 *
 *  It is opened anew, so that our non-blocking reads and writes change nothing for the shell that
 *  started us; its mode is kept, to be restored.
 *  Thread: any, one at a time.  Blocks: never, but for psTerminalTake().
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
 *  keep their meaning.  @p outIo is a further descriptor of it, non-blocking, which the caller
 *  closes.  Blocks: as long as open() of a terminal does.
 *  @return 0, -ENOTTY, -errno */
int psTerminalTake(psTerminal *terminal, int fd, int *outIo);
/** The size of its window now.  Blocks: never.
 *  @return 0, -ENODATA if it has none (a serial line), -EBADF if it was given back, -errno */
int psTerminalSize(const psTerminal *terminal, unsigned *outCols, unsigned *outRows);
/** Give it back as it was.  May be called twice. */
void psTerminalRestore(psTerminal *terminal);

#endif
