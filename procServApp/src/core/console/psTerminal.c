/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "console/psTerminal.h"

static int openAgain(const char *name, int *outFd)
{
    int fd = open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    *outFd = fd;
    return 0;
}

int psTerminalTake(psTerminal *terminal, int fd, int *outIo)
{
    char name[PATH_MAX];
    struct termios mode;
    int io = -1;
    int error = ttyname_r(fd, name, sizeof(name));

    if (error)
        return -error;
    if (tcgetattr(fd, &terminal->mode))
        return -errno;
    int status = openAgain(name, &terminal->fd);
    if (status == 0)
        status = openAgain(name, &io);
    if (status) {
        if (terminal->fd >= 0)
            close(terminal->fd);
        terminal->fd = -1;
        return status;
    }
    mode = terminal->mode;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    tcsetattr(terminal->fd, TCSANOW, &mode); /* it is a console even if it refuses that */
    *outIo = io;
    return 0;
}

int psTerminalSize(const psTerminal *terminal, unsigned *outCols, unsigned *outRows)
{
    struct winsize size;

    if (ioctl(terminal->fd, TIOCGWINSZ, &size) < 0)
        return -errno;
    if (size.ws_col == 0 || size.ws_row == 0)
        return -ENODATA;
    *outCols = size.ws_col;
    *outRows = size.ws_row;
    return 0;
}

void psTerminalRestore(psTerminal *terminal)
{
    if (terminal->fd < 0)
        return;
    tcsetattr(terminal->fd, TCSANOW, &terminal->mode); /* fails if the terminal is gone */
    close(terminal->fd);
    terminal->fd = -1;
}
