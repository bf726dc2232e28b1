/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "process/psPty.h"

#define PS_PTY_ROWS 24
#define PS_PTY_COLS 80
#define PS_PTY_MIN 10
#define PS_PTY_MAX 500

/* Without O_NOCTTY, it would become our controlling terminal if we lead a session that has none,
 * and a client's ^C would end us. */
static int openSlave(int master, const char *name)
{
    const int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    int slave = -1;

#ifdef TIOCGPTPEER
    /* It needs no path, so it is right in a mount namespace of its own, too. */
    slave = ioctl(master, TIOCGPTPEER, flags);
    if (slave >= 0 || errno == EMFILE || errno == ENFILE)
        return slave;
#endif
    slave = open(name, flags);
    /* Only a devpts that is mounted in an unusual way needs it.  It may look up groups, and block.
     */
    if (slave < 0 && errno == EACCES && grantpt(master) == 0)
        slave = open(name, flags);
    return slave;
}

static int setUp(const psPty *pty, const char **outCall)
{
    const struct winsize size = {.ws_row = PS_PTY_ROWS, .ws_col = PS_PTY_COLS};
    struct termios mode;

    *outCall = "TIOCSWINSZ";
    if (ioctl(pty->master, TIOCSWINSZ, &size) < 0)
        return -errno;
    *outCall = "tcgetattr";
    if (tcgetattr(pty->slave, &mode) < 0)
        return -errno;
    /* With IXON, one ^S from any client would stop the child's output. */
    mode.c_iflag &= ~(tcflag_t)IXON;
    mode.c_iflag |= IUTF8;
    *outCall = "tcsetattr";
    return tcsetattr(pty->slave, TCSANOW, &mode) < 0 ? -errno : 0;
}

static int openBoth(psPty *pty, const char **outCall)
{
    *outCall = "posix_openpt";
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->master < 0)
        return -errno;
    *outCall = "unlockpt";
    if (unlockpt(pty->master) < 0)
        return -errno;
    *outCall = "ptsname";
    int error = ptsname_r(pty->master, pty->name, sizeof(pty->name));
    if (error)
        return -error;
    *outCall = "open of the slave";
    pty->slave = openSlave(pty->master, pty->name);
    return pty->slave < 0 ? -errno : setUp(pty, outCall);
}

int psPtyOpen(psPty *out, const char **outCall)
{
    psPty pty = PS_PTY_INIT;
    const char *call;
    int status = openBoth(&pty, &call);

    if (status) {
        psPtyClose(&pty);
        if (outCall)
            *outCall = call;
        return status;
    }
    *out = pty;
    return 0;
}

void psPtyClose(psPty *pty)
{
    if (pty->slave >= 0)
        close(pty->slave);
    if (pty->master >= 0)
        close(pty->master);
    *pty = (psPty)PS_PTY_INIT;
}

static unsigned short clampSide(unsigned wanted, unsigned short now)
{
    if (wanted == 0)
        return now;
    if (wanted < PS_PTY_MIN)
        return PS_PTY_MIN;
    return (unsigned short)(wanted > PS_PTY_MAX ? PS_PTY_MAX : wanted);
}

void psPtySetSize(psPty *pty, unsigned cols, unsigned rows)
{
    struct winsize size;

    if (pty->master < 0 || ioctl(pty->master, TIOCGWINSZ, &size) < 0)
        return;
    size.ws_col = clampSide(cols, size.ws_col);
    size.ws_row = clampSide(rows, size.ws_row);
    /* The kernel sends SIGWINCH only on a change.  A failure leaves the old size, which does no
     * harm. */
    (void)ioctl(pty->master, TIOCSWINSZ, &size);
}

bool psPtyCanonical(const psPty *pty)
{
    struct termios mode;

    return pty->slave >= 0 && tcgetattr(pty->slave, &mode) == 0 && (mode.c_lflag & ICANON);
}
