/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psRelayStream.h"

static struct {
    int greeted, searches, echoes;
    char name[PS_CA_NAME_BYTES];
    uint32_t id;
} got;

static void onSearch(void *ctx, const psCaHeader *header, const uint8_t *payload)
{
    (void)ctx;
    got.searches++;
    got.id = header->available;
    memcpy(got.name, payload, header->payloadBytes);
}

static void onEcho(void *ctx, const psCaHeader *header, const uint8_t *payload)
{
    (void)ctx;
    (void)payload;
    got.echoes += header->command == psCaEcho;
}

static void onGreeted(void *ctx)
{
    (void)ctx;
    got.greeted++;
}

static const psRelayStreamSink sink = {onSearch, onEcho, onGreeted, NULL};

static uint8_t bytes[1024];
static size_t len;

static void add(uint16_t command, uint16_t payloadBytes, const char *text)
{
    psCaHeader header = {
        .command = command, .payloadBytes = payloadBytes, .count = PS_CA_MINOR, .available = 4711};

    psCaHeaderPut(bytes + len, &header);
    memset(bytes + len + PS_CA_HEADER_BYTES, 0, payloadBytes);
    memcpy(bytes + len + PS_CA_HEADER_BYTES, text, strlen(text));
    len += PS_CA_HEADER_BYTES + (size_t)payloadBytes;
}

static int take(void)
{
    memset(&got, 0, sizeof(got));
    return psRelayStreamTake(bytes, len, &sink);
}

/* What Base's client sends on a connection to a name server. */
static void addClient(void)
{
    len = 0;
    add(psCaVersion, 0, "");
    add(psCaClientName, 8, "ops");
    add(psCaHostName, 8, "ws3");
    add(psCaSearch, 16, "ioc:x.VAL");
    add(psCaEcho, 0, "");
    add(psCaEventsOff, 0, "");
    add(psCaEventsOn, 0, "");
}

static void testClient(void)
{
    size_t used = 0;
    int searches = 0;

    addClient();
    testOk1(take() == (int)len);
    testOk(got.greeted == 1 && got.searches == 1 && got.echoes == 1, "each is noticed");
    testOk(strcmp(got.name, "ioc:x.VAL") == 0 && got.id == 4711, "the search is %s", got.name);

    /* byte by byte */
    for (size_t end = 1; end <= len; end++) {
        memset(&got, 0, sizeof(got));
        int taken = psRelayStreamTake(bytes + used, end - used, &sink);

        if (taken < 0)
            testFail("refused after %lu bytes", (unsigned long)end);
        else
            used += (size_t)taken;
        searches += got.searches;
    }
    testOk(used == len && searches == 1, "byte by byte it is the same");
}

static void isRefused(uint16_t command, uint16_t payloadBytes, const char *text, const char *what)
{
    addClient();
    add(command, payloadBytes, text);
    testOk(take() == -EBADMSG && got.searches == 1, "%s ends the connection", what);
}

static void testOthers(void)
{
    isRefused(18, 8, "ioc:x", "CREATE_CHAN");
    isRefused(4, 8, "5", "WRITE");
    isRefused(psCaNotFound, 0, "", "NOT_FOUND");
    isRefused(0x1603, 0, "", "TLS");
    isRefused(psCaSearch, 8, "a\nb", "a name that cannot be");
    isRefused(psCaSearch, 12, "ab", "a payload that is no multiple of 8");
    len = 0;
    add(psCaHostName, 0, "");
    bytes[2] = bytes[3] = 0xff;
    testOk(take() == -EBADMSG, "an extended header ends the connection");
    len = 0;
    add(psCaHostName, PS_CA_NAME_BYTES, "h");
    bytes[2] = 3;
    testOk(take() == -EBADMSG, "a payload that would not fit ends it before it has come");
}

MAIN(psRelayStreamTest)
{
    testPlan(12);
    testClient();
    testOthers();
    return testDone();
}
