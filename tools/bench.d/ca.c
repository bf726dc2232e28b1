/* SPDX-License-Identifier: EPICS */
/*
 * The Channel Access client of tools/bench.
 *
 *   ca monitor PV              prints "NS VALUE" for each update, as it arrives
 *   ca text PV                 the same for an array of characters; prints "NS COUNT"
 *   ca put PV VALUE COUNT MS   puts VALUE (a number) every MS milliseconds; prints NS before each
 *
 * The stamps are CLOCK_MONOTONIC, as the child's.  Ends by itself, or by SIGTERM.
 */
#include <cadef.h>

#include "common.h"

#define CONNECT_SEC 10

static void onUpdate(struct event_handler_args args)
{
    uint64_t now = nowNs();

    if (args.status == ECA_NORMAL)
        printf("%llu %d\n", (unsigned long long)now, (int)*(const dbr_long_t *)args.dbr);
    fflush(stdout);
}

static void onText(struct event_handler_args args)
{
    if (args.status == ECA_NORMAL)
        printf("%llu %ld\n", (unsigned long long)nowNs(), args.count);
    fflush(stdout);
}

static void check(int status, const char *what)
{
    if (!(status & CA_M_SUCCESS)) {
        fprintf(stderr, "%s: %s\n", what, ca_message(status));
        exit(2);
    }
}

static chid connectPv(const char *name)
{
    chid channel;

    check(ca_context_create(ca_enable_preemptive_callback), "ca_context_create");
    check(ca_create_channel(name, NULL, NULL, 0, &channel), name);
    check(ca_pend_io(CONNECT_SEC), name);
    return channel;
}

static void monitor(const char *name, chtype type, unsigned long count, caEventCallBackFunc *fn)
{
    chid channel = connectPv(name);

    check(ca_create_subscription(type, count, channel, DBE_VALUE, fn, NULL, NULL), name);
    ca_flush_io();
    for (;;)
        pause();
}

static void put(const char *name, dbr_long_t value, uint64_t count, uint64_t ms)
{
    chid channel = connectPv(name);

    for (uint64_t i = 0; i < count; i++) {
        sleepNs(ms * 1000000u);
        printf("%llu\n", (unsigned long long)nowNs());
        check(ca_put(DBR_LONG, channel, &value), name);
        ca_flush_io();
    }
    fflush(stdout);
    sleepNs(ms * 1000000u);
}

int main(int argc, char **argv)
{
    alarm(BENCH_LIFETIME_SEC);
    if (argc == 3 && strcmp(argv[1], "monitor") == 0)
        monitor(argv[2], DBR_LONG, 1, onUpdate);
    else if (argc == 3 && strcmp(argv[1], "text") == 0)
        monitor(argv[2], DBR_CHAR, 0, onText); /* as many as there are */
    else if (argc == 6 && strcmp(argv[1], "put") == 0)
        put(argv[2], (dbr_long_t)number(argv[3]), number(argv[4]), number(argv[5]));
    else
        die("usage: see the head of ca.c");
    return 0;
}
