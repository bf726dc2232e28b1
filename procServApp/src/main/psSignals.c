/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include <dbDefs.h>

#include "psSignals.h"

/* What a signal handler can reach; lock-free, so safe in one. */
static _Atomic(psSup *) target;
static atomic_uint kept; /* bit N: signal N came while there was no target; all are below 32 */

static void handle(int signo)
{
    int error = errno;
    psSup *sup = atomic_load(&target);

    if (sup)
        psSupRaise(sup, signo);
    else
        atomic_fetch_or(&kept, 1u << signo);
    errno = error;
}

void psSignalsInstall(bool foreground)
{
    static const struct {
        int signo;
        bool ignored;
        bool ignoredInForeground;
    } table[] = {
        {SIGHUP, false, false}, {SIGTERM, false, false}, {SIGINT, false, true},
        {SIGQUIT, false, true}, {SIGPIPE, true, true},   {SIGXFSZ, true, true},
        {SIGUSR1, true, true},  {SIGUSR2, true, true},   {SIGWINCH, true, false},
    };
    struct sigaction action = {.sa_flags = SA_RESTART};
    sigset_t none;

    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < NELEMENTS(table); i++) {
        bool ignored = foreground ? table[i].ignoredInForeground : table[i].ignored;

        action.sa_handler = ignored ? SIG_IGN : handle;
        sigaction(table[i].signo, &action, NULL);
    }
    /* If our own parent ignored it, the kernel would reap our children for us. */
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
    /* A launcher may have left some blocked: TERM must always work. */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void psSignalsDeliver(psSup *sup)
{
    atomic_store(&target, sup);
    if (!sup)
        return;
    unsigned bits = atomic_exchange(&kept, 0);
    for (int signo = 1; signo < 32; signo++)
        if (bits & (1u << signo))
            psSupRaise(sup, signo);
}

bool psSignalsEndAsked(void)
{
    return (atomic_load(&kept) & (1u << SIGTERM | 1u << SIGINT | 1u << SIGQUIT)) != 0;
}
