/* SPDX-License-Identifier: EPICS */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#include <iocsh.h>

#include "psShell.h"

static struct termios before; /* fixed once haveMode */
static atomic_bool haveMode;

/* Base's line editor, where it has one, would catch TERM, INT and HUP in our place, and act on
 * them at the next key only.  Base offers no switch for that, and we may not link the editor's
 * library: its own variable is looked for among what is loaded. */
static void keepSignals(void)
{
    int *catches = dlsym(RTLD_DEFAULT, "rl_catch_signals");

    if (catches)
        *catches = 0;
}

void psShellRun(void)
{
    keepSignals();
    if (tcgetattr(STDIN_FILENO, &before) == 0)
        atomic_store(&haveMode, true);
    iocsh(NULL);
}

void psShellRestoreTerminal(void)
{
    sigset_t output, mask;

    if (!atomic_load(&haveMode))
        return;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU); /* a job in the background would be stopped by it */
    pthread_sigmask(SIG_BLOCK, &output, &mask);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
