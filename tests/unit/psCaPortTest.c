/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psCaPort.h"

/* @return 0 or the errno of bind() */
static int tryBind(int type, unsigned short port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    int error = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;

    close(fd);
    return error;
}

/* A port that is free, for a moment at least. */
static unsigned short freePort(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, size) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        testAbort("no port: %s", strerror(errno));
    close(fd);
    return ntohs(address.sin_port);
}

static void *otherThread(void *arg)
{
    *(int *)arg = tryBind(SOCK_STREAM, (unsigned short)*(int *)arg);
    return NULL;
}

MAIN(psCaPortTest)
{
    unsigned short port = freePort();
    int other = port;
    pthread_t thread;

    testPlan(9);
    testOk(!tryBind(SOCK_STREAM, port), "a port is free");
    psCaPortRefuse(port);
    testOk(!psCaPortAllow(), "nobody has tried it");
    psCaPortRefuse(port);
    testOk(!tryBind(SOCK_DGRAM, port), "a refused port can be used for UDP");
    testOk(!tryBind(SOCK_STREAM, 0), "and any other for TCP");
    testOk(tryBind(SOCK_STREAM, port) == EADDRINUSE, "but it looks as if somebody had it");
    if (pthread_create(&thread, NULL, otherThread, &other) || pthread_join(thread, NULL))
        testAbort("no thread");
    testOk(!other, "not to another thread");
    testOk(psCaPortAllow(), "somebody has tried it");
    testOk(!tryBind(SOCK_STREAM, port), "it is free again");
    psCaPortRefuse(port);
    testOk(bind(-1, NULL, 0) < 0, "what the system refuses is refused");
    return testDone();
}
