/* SPDX-License-Identifier: EPICS */
/* psTestDeny WHAT COMMAND ...: runs the command where the system refuses it what is named:
 *
 *   pidfd   pidfd_open() fails with EPERM, as under an old profile of a container
 *   ipv6    socket(AF_INET6) fails with EAFNOSUPPORT, as in a kernel without IPv6
 *
 * Exit code 99: that cannot be had here. */
#include <errno.h>
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* The low half of a first argument, which is an int. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_ARG offsetof(struct seccomp_data, args[0])
#else
#define FIRST_ARG offsetof(struct seccomp_data, args[0]) + 4
#endif

int main(int argc, char **argv)
{
    struct sock_filter pidfd[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_filter ipv6[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_ARG),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(pidfd) / sizeof(pidfd[0]), pidfd};

    if (argc < 3)
        return 99;
    if (strcmp(argv[1], "ipv6") == 0)
        program = (struct sock_fprog){sizeof(ipv6) / sizeof(ipv6[0]), ipv6};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 99;
    execvp(argv[2], argv + 2);
    return 99;
}
