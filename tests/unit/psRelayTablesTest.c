/* SPDX-License-Identifier: EPICS */
/* The tables of the search relay: limits, clients, searches under way.  Time is the test's own. */
#include <errno.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psRelayClients.h"
#include "psRelayGate.h"
#include "psRelayPending.h"

/* ---- limits ---- */

static psRelayGate gate;

static int pass(uint32_t address, int datagrams, int each, double now)
{
    int passed = 0;

    for (int i = 0; i < datagrams; i++)
        passed += psRelayGatePass(&gate, address, each, now);
    return passed;
}

static void testLimit(void)
{
    int all = PS_RELAY_SEARCHES_PER_SEC / 10;

    testOk(pass(1, all + 5, 10, 100.0) == all, "an address may search %d times at once",
           PS_RELAY_SEARCHES_PER_SEC);
    testOk(gate.dropped == 50, "what is over it is counted: %llu", gate.dropped);
    testOk(pass(2, all + 5, 10, 100.0) == all, "another address has a limit of its own");
    testOk(pass(1, 10, 1000, 100.5) == 5, "half a second later half of it is there again");
    testOk(pass(1, 1, PS_RELAY_SEARCHES_PER_SEC, 200.0) == 1, "after a pause all of it");
    testOk(pass(1, 1, 1, 200.0) == 0, "and no more");
    gate.dropped = 0;
    testOk(pass(3, 1, 0, 200.0) == 0 && gate.dropped == 0, "no search at all is not counted");
    testOk(pass(3, 1, -EBADMSG, 200.0) == 0 && gate.dropped == 1,
           "what is no search counts as one");
}

static void testIgnored(void)
{
    gate.ignored[0] = 77;
    gate.ignoredCount = 1;
    gate.dropped = 0;
    testOk(pass(77, 3, 1, 210.0) == 0 && gate.dropped == 3, "an address can be ignored");
    testOk(pass(78, 3, 1, 210.0) == 3, "without others");
    gate.ignoredCount = 0;
}

static void testSent(void)
{
    gate.searches = gate.dropped = 0;
    psRelayGateSent(&gate, 3, 0);
    testOk(gate.searches == 3 && !gate.dropped && !gate.error, "what was passed on is counted");
    psRelayGateSent(&gate, 2, -EAGAIN);
    testOk(gate.searches == 3 && gate.dropped == 2 && !gate.error, "a full buffer is no error");
    psRelayGateSent(&gate, 1, -EPERM);
    testOk(gate.dropped == 3 && gate.error == EPERM, "what the system refuses is one");
    psRelayGateSent(&gate, 1, -EAGAIN);
    testOk(gate.error == EPERM, "which a full buffer does not undo");
    psRelayGateSent(&gate, 1, 0);
    testOk(!gate.error, "but a search that is passed on does");
}

static void testForgotten(void)
{
    int all = PS_RELAY_SEARCHES_PER_SEC;

    for (uint32_t address = 10; address < 10 + PS_RELAY_LIMIT_ADDRESSES; address++)
        pass(address, 1, 1, 300.0);
    pass(10, 1, all - 1, 300.0);
    testOk(pass(10, 1, 1, 300.0) == 0, "the first of %d addresses is remembered",
           PS_RELAY_LIMIT_ADDRESSES);
    testOk(pass(999, 1, all, 302.0) == 1, "one more address may search, too");
    testOk(pass(10, 1, all, 304.0) == 1, "the quietest has been forgotten for it");
}

/* A sender that gives another address each time. */
static void testSpoofed(void)
{
    int passed = 0;

    for (int i = 0; i < 10 * PS_RELAY_LIMIT_ADDRESSES; i++)
        passed += pass(5000 + (uint32_t)i, 1, PS_RELAY_SEARCHES_PER_SEC, 400.0);
    testOk(passed * PS_RELAY_SEARCHES_PER_SEC == PS_RELAY_SEARCHES_ALL,
           "all addresses together may search %d times at once",
           passed * PS_RELAY_SEARCHES_PER_SEC);
    testOk(pass(1, 1, PS_RELAY_SEARCHES_PER_SEC, 410.0) == 1, "after a pause it goes on");

    static psRelayLimit limit;
    bool enough = true;
    for (uint32_t i = 1; i <= PS_RELAY_LIMIT_ADDRESSES; i++)
        enough = enough && psRelayLimitTake(&limit, i, PS_RELAY_SEARCHES_PER_SEC, 500.0 + i * 1e-3);
    testOk(!enough, "%d addresses at once are too many", PS_RELAY_LIMIT_ADDRESSES);
    testOk(!psRelayLimitTake(&limit, 777, PS_RELAY_SEARCHES_PER_SEC, 500.5) &&
               !psRelayLimitTake(&limit, 1, PS_RELAY_SEARCHES_PER_SEC, 500.5),
           "who is forgotten does not come back with a full credit");
}

/* ---- clients ---- */

static int placeOf(psRelayClients *table, uint32_t address, uint16_t port, bool isNew)
{
    psRelayClient client = {.address = address, .port = port, .local = 1};
    bool got;
    int place = psRelayClientsPlace(table, &client, &got);

    if (got != isNew)
        testDiag("client %u:%u is %s", address, port, got ? "new" : "known");
    return got == isNew ? place : -1;
}

static void testClients(void)
{
    static psRelayClients table;
    bool seen[PS_RELAY_CLIENTS] = {false};
    int different = 0;

    for (uint32_t i = 0; i < PS_RELAY_CLIENTS; i++) {
        int place = placeOf(&table, 1, (uint16_t)(1000 + i), true);

        different += place >= 0 && !seen[place];
        seen[place] = true;
    }
    testOk(different == PS_RELAY_CLIENTS, "%d clients have places of their own", different);
    int first = placeOf(&table, 1, 1000, false);
    testOk(first >= 0, "the first one still has its own");
    int second = placeOf(&table, 1, 1001, false);
    testOk(placeOf(&table, 1, 1000, false) == first, "always the same");
    int next = placeOf(&table, 2, 1000, true);
    testOk(next >= 0 && next != first && next != second, "one more takes the quietest one's");
    testOk(placeOf(&table, 1, 1002, true) >= 0, "which is new then");
    psRelayClientsForget(&table, first);
    testOk(placeOf(&table, 3, 3, true) == first, "a place that is free is taken first");
    testOk(placeOf(&table, 1, 1000, true) >= 0, "whose client is new");
}

/* ---- searches under way ---- */

static psRelayPending pending;

static bool isOf(uint32_t number, uint32_t client, uint32_t id)
{
    psRelaySearch search;

    return psRelayPendingFind(&pending, number, &search) && search.client == client &&
           search.id == id;
}

static void testPending(void)
{
    psRelaySearch search = {.client = 5, .id = 77};
    psRelaySearch none;

    testOk1(!psRelayPendingFind(&pending, 0, &none));
    uint32_t first = psRelayPendingAdd(&pending, &search);
    testOk(isOf(first, 5, 77) && isOf(first, 5, 77), "every answer to a search finds its client");
    testOk1(!psRelayPendingFind(&pending, first + 1, &none));
    search.id = 78;
    for (int i = 1; i < PS_RELAY_PENDING; i++)
        psRelayPendingAdd(&pending, &search);
    testOk(isOf(first, 5, 77), "the last %d are remembered", PS_RELAY_PENDING);
    psRelayPendingAdd(&pending, &search);
    testOk(!psRelayPendingFind(&pending, first, &none), "and no more");
    pending.next = ~0u;
    uint32_t last = psRelayPendingAdd(&pending, &search);
    search.id = 79;
    uint32_t begun = psRelayPendingAdd(&pending, &search);
    testOk(last == ~0u && begun == 0 && isOf(last, 5, 78) && isOf(begun, 5, 79),
           "the numbers may begin anew");
}

MAIN(psRelayTablesTest)
{
    testPlan(35);
    testLimit();
    testIgnored();
    testSent();
    testForgotten();
    testSpoofed();
    testClients();
    testPending();
    return testDone();
}
