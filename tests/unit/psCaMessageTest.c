/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psCaMessage.h"

static uint8_t bytes[4096];
static size_t len;

static void begin(void)
{
    len = 0;
    memset(bytes, 0xee, sizeof(bytes));
}

static void add(const psCaHeader *header, const void *payload)
{
    psCaHeaderPut(bytes + len, header);
    len += PS_CA_HEADER_BYTES;
    if (payload)
        memcpy(bytes + len, payload, header->payloadBytes);
    len += header->payloadBytes;
}

static void addVersion(void)
{
    psCaHeader header = {.command = psCaVersion, .count = PS_CA_MINOR, .cid = 7};

    add(&header, NULL);
}

static void addSearch(const char *name, size_t size)
{
    uint8_t payload[PS_CA_NAME_BYTES + 8] = {0};
    psCaHeader header = {.command = psCaSearch,
                         .payloadBytes = (uint16_t)size,
                         .type = 5,
                         .count = PS_CA_MINOR,
                         .cid = 1,
                         .available = 1};

    memcpy(payload, name, strnlen(name, size));
    add(&header, payload);
}

static void addAnswer(uint16_t port, uint16_t payloadBytes)
{
    static const uint8_t payload[16] = {0, PS_CA_MINOR};
    psCaHeader header = {.command = psCaSearch,
                         .payloadBytes = payloadBytes,
                         .type = port,
                         .cid = PS_CA_NO_ADDRESS,
                         .available = 1};

    add(&header, payload);
}

static void isSearches(int count, const char *what)
{
    int got = psCaCheckSearches(bytes, len);

    testOk(got == count, "%s: %d searches (got %d)", what, count, got);
}

static void isRefused(const char *what)
{
    testOk(psCaCheckSearches(bytes, len) == -EBADMSG, "%s is refused", what);
}

static void testHeader(void)
{
    static const uint8_t wire[PS_CA_HEADER_BYTES] = {0, 6, 0,    16,   0x12, 0x34, 0, 13,
                                                     1, 2, 0x83, 0x84, 0xff, 0xfe, 0, 1};
    psCaHeader header;
    uint8_t again[PS_CA_HEADER_BYTES];

    psCaHeaderGet(wire, &header);
    testOk(header.command == 6 && header.payloadBytes == 16 && header.type == 0x1234 &&
               header.count == 13 && header.cid == 0x01028384 && header.available == 0xfffe0001,
           "a header is read");
    psCaHeaderPut(again, &header);
    testOk(memcmp(wire, again, sizeof(wire)) == 0, "and written");
}

static void testSearches(void)
{
    char longest[PS_CA_NAME_BYTES];

    begin();
    isSearches(0, "nothing");
    addVersion();
    isSearches(0, "VERSION alone");
    addSearch("a", 8);
    addSearch("ioc:x.VAL", 16);
    isSearches(2, "VERSION and two names");
    addSearch("x.{\"arr\":{\"s\":1}}", 24);
    addSearch("M\xc3\xbcller", 8);
    isSearches(4, "with JSON, and UTF-8");
    memset(longest, 'n', sizeof(longest));
    begin();
    addSearch(longest, PS_CA_NAME_BYTES);
    isRefused("a name without its NUL");
    longest[PS_CA_NAME_BYTES - 1] = '\0';
    begin();
    addSearch(longest, PS_CA_NAME_BYTES);
    isSearches(1, "the longest name");
    begin();
    addSearch(longest, PS_CA_NAME_BYTES + 8);
    isRefused("a longer one");
    begin();
    addSearch("", 8);
    isRefused("an empty name");
    begin();
    addSearch("a", 0);
    isRefused("no name");
    begin();
    addSearch("a\nb", 8);
    isRefused("a line feed in a name");
    begin();
    addSearch("a\177b", 8);
    isRefused("DEL in a name");
    begin();
    addSearch("a", 12);
    isRefused("a payload that is no multiple of 8");
}

static void testOthers(void)
{
    static const uint16_t commands[] = {1,  2,  3,  4,  11, 12, 13, 14,
                                        15, 17, 18, 20, 23, 24, 27, 999};
    psCaHeader header = {.count = PS_CA_MINOR};

    for (size_t i = 0; i < NELEMENTS(commands); i++) {
        begin();
        addVersion();
        addSearch("a", 8);
        header.command = commands[i];
        add(&header, NULL);
        testOk(psCaCheckSearches(bytes, len) == -EBADMSG &&
                   psCaCheckAnswers(bytes, len) == -EBADMSG,
               "command %u is refused, and all with it", commands[i]);
    }
    begin();
    addSearch("a", 8);
    bytes[7] = 3;
    isRefused("a search of a client that no server answers");
    begin();
    addSearch("a", 8);
    bytes[2] = bytes[3] = 0xff;
    isRefused("an extended header");
    begin();
    addVersion();
    bytes[3] = 8;
    len += 8;
    isRefused("VERSION with a payload");
}

static void testCut(void)
{
    int refused = 0;

    begin();
    addVersion();
    addSearch("ioc:x", 8);
    size_t whole = len;
    for (len = 1; len < whole; len++)
        refused += psCaCheckSearches(bytes, len) == (len == PS_CA_HEADER_BYTES ? 0 : -EBADMSG);
    testOk(refused == (int)whole - 1, "a datagram that is cut anywhere is refused");
    len = whole;
    bytes[len++] = 0;
    isRefused("a byte too many");
}

static void testAnswers(void)
{
    begin();
    addVersion();
    addAnswer(5064, 8);
    addAnswer(40000, 0);
    testOk1(psCaCheckAnswers(bytes, len) == 2);
    testOk(psCaCheckSearches(bytes, len) == -EBADMSG, "an answer is no search");
    addAnswer(0, 8);
    testOk(psCaCheckAnswers(bytes, len) == -EBADMSG, "an answer without a port is refused");
    begin();
    addAnswer(5064, 16);
    testOk(psCaCheckAnswers(bytes, len) == -EBADMSG, "one with a longer payload, too");
    begin();
    addSearch("ioc:x.VAL", 16);
    testOk(psCaCheckAnswers(bytes, len) == -EBADMSG, "a search is no answer");
    begin();
    addSearch("ioc:x", 8);
    testOk(psCaCheckAnswers(bytes, len) == -EBADMSG, "nor is one with a short name");
}

MAIN(psCaMessageTest)
{
    testPlan(0);
    testHeader();
    testSearches();
    testOthers();
    testCut();
    testAnswers();
    return testDone();
}
