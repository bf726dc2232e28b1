/* SPDX-License-Identifier: EPICS */
#include "console/psTelnet.h"

enum { FIRST_COMMAND = 236 }; /* EOF of RFC 1184 */
enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };

enum {
    OPTION_ECHO = 1,
    OPTION_SGA = 3,
    OPTION_TIMING_MARK = 6,
    OPTION_NAWS = 31,
    OPTION_LINEMODE = 34
};

/* Where the parser is.  Every state ends by the next byte but for InSub, which only IAC leaves. */
enum {
    stateData,
    stateIac,     /* after IAC */
    stateOption,  /* after IAC WILL, WONT, DO or DONT */
    stateSub,     /* after IAC SB */
    stateInSub,   /* after its option */
    stateInSubIac /* after IAC in a suboption */
};

/* RFC 1143.  WANTNO and the queue bits are not needed: we never change our mind. */
enum {
    sideNo,
    sideYes,
    sideWantYes /* asked for, not answered yet */
};

void psTelnetInit(psTelnet *telnet)
{
    *telnet = (psTelnet){
        .state = stateData,
        .usEcho = sideWantYes,
        .himLinemode = sideWantYes,
        .usSga = sideNo,
        .himSga = sideNo,
        .himNaws = sideNo,
    };
}

static void reply(const psTelnetSink *sink, uint8_t verb, uint8_t option)
{
    const uint8_t bytes[3] = {IAC, verb, option};

    sink->reply(sink->ctx, bytes, sizeof(bytes));
}

/* The peer asks for, or agrees to, an option that we want. */
static void enable(uint8_t *side, uint8_t verb, uint8_t option, const psTelnetSink *sink)
{
    bool changed = *side == sideNo;

    *side = sideYes;
    if (changed)
        reply(sink, verb, option);
}

/* The peer refuses, or gives up, an option. */
static void disable(uint8_t *side, uint8_t verb, uint8_t option, const psTelnetSink *sink)
{
    bool changed = *side == sideYes;

    *side = sideNo;
    if (changed)
        reply(sink, verb, option);
}

static void refuse(uint8_t *refused, uint8_t verb, uint8_t option, const psTelnetSink *sink)
{
    uint8_t bit = (uint8_t)(1u << (option % 8));

    if ((refused[option / 8] & bit) && option != OPTION_TIMING_MARK)
        return;
    refused[option / 8] |= bit;
    reply(sink, verb, option);
}

static void forget(uint8_t *refused, uint8_t option)
{
    refused[option / 8] &= (uint8_t) ~(1u << (option % 8));
}

/* What we may do; NULL: nothing of that kind. */
static uint8_t *ours(psTelnet *telnet, uint8_t option)
{
    return option == OPTION_ECHO ? &telnet->usEcho : option == OPTION_SGA ? &telnet->usSga : NULL;
}

/* What the peer may do. */
static uint8_t *theirs(psTelnet *telnet, uint8_t option)
{
    switch (option) {
    case OPTION_SGA:
        return &telnet->himSga;
    case OPTION_LINEMODE:
        return &telnet->himLinemode;
    case OPTION_NAWS:
        return &telnet->himNaws;
    default:
        return NULL;
    }
}

static void negotiate(psTelnet *telnet, uint8_t option, const psTelnetSink *sink)
{
    uint8_t *us = ours(telnet, option);
    uint8_t *him = theirs(telnet, option);

    switch (telnet->verb) {
    case DO:
        if (us)
            enable(us, WILL, option, sink);
        else
            refuse(telnet->refused[0], WONT, option, sink);
        break;
    case DONT:
        if (us)
            disable(us, WONT, option, sink);
        else
            forget(telnet->refused[0], option);
        break;
    case WILL:
        if (him)
            enable(him, DO, option, sink);
        else
            refuse(telnet->refused[1], DONT, option, sink);
        break;
    case WONT:
        if (him)
            disable(him, DONT, option, sink);
        else
            forget(telnet->refused[1], option);
        break;
    default:
        break;
    }
}

/* The client speaks telnet: ask once for what the greeting does not ask for. */
static void ask(psTelnet *telnet, const psTelnetSink *sink)
{
    if (telnet->asked)
        return;
    telnet->asked = true;
    telnet->himNaws = telnet->usSga = telnet->himSga = sideWantYes;
    reply(sink, DO, OPTION_NAWS);
    reply(sink, WILL, OPTION_SGA);
    reply(sink, DO, OPTION_SGA);
}

/* A byte of a suboption.  Only a window size is of interest. */
static void collect(psTelnet *telnet, uint8_t byte)
{
    if (telnet->subLen < sizeof(telnet->sub))
        telnet->sub[telnet->subLen++] = byte;
    else
        telnet->subLen = sizeof(telnet->sub) + 1;
}

static void endSub(psTelnet *telnet, const psTelnetSink *sink)
{
    unsigned cols = telnet->sub[0] * 256u + telnet->sub[1];
    unsigned rows = telnet->sub[2] * 256u + telnet->sub[3];

    if (telnet->subOption == OPTION_NAWS && telnet->subLen == sizeof(telnet->sub) &&
        telnet->himNaws == sideYes && cols > 0 && rows > 0)
        sink->size(sink->ctx, cols, rows);
}

/* The byte after IAC outside a suboption.  Is it data? */
static bool command(psTelnet *telnet, uint8_t byte, const psTelnetSink *sink)
{
    telnet->state = stateData;
    if (byte == IAC) {
        telnet->afterCr = false;
        return true;
    }
    ask(telnet, sink);
    if (byte < FIRST_COMMAND)
        telnet->odd++;
    if (byte == SB) {
        telnet->state = stateSub;
        telnet->subLen = 0;
    } else if (byte >= WILL && byte <= DONT) {
        telnet->state = stateOption;
        telnet->verb = byte;
    }
    return false;
}

static bool isTyped(psTelnet *telnet, uint8_t byte)
{
    bool drop = byte == 0 || (byte == '\n' && telnet->afterCr);

    if (byte == 0 && !telnet->afterCr)
        telnet->nuls++;
    telnet->afterCr = byte == '\r';
    return !drop;
}

/* Take one byte.  Is it data?  If so it stands for itself. */
static bool take(psTelnet *telnet, uint8_t byte, const psTelnetSink *sink)
{
    switch (telnet->state) {
    case stateData:
        if (byte != IAC)
            return isTyped(telnet, byte);
        telnet->state = stateIac;
        break;
    case stateIac:
        return command(telnet, byte, sink);
    case stateOption:
        telnet->state = stateData;
        negotiate(telnet, byte, sink);
        break;
    case stateSub:
        telnet->subOption = byte; /* IAC is no option that we know */
        telnet->state = byte == IAC ? stateInSubIac : stateInSub;
        break;
    case stateInSub:
        if (byte == IAC)
            telnet->state = stateInSubIac;
        else
            collect(telnet, byte);
        break;
    case stateInSubIac:
        telnet->state = byte == SE ? stateData : stateInSub;
        if (byte == SE)
            endSub(telnet, sink);
        else if (byte == IAC)
            collect(telnet, byte);
        else
            telnet->subLen = sizeof(telnet->sub) + 1; /* malformed */
        break;
    default:
        break;
    }
    return false;
}

/* Data is handed on as runs of the input.  What interrupts a run (an IAC, a dropped byte) is
 * never data itself, so a run is always delivered before a reply that follows it. */
void psTelnetReceive(psTelnet *telnet, const void *bytes, size_t len, const psTelnetSink *sink)
{
    const uint8_t *in = bytes;
    size_t begin = 0;

    for (size_t i = 0; i < len; i++) {
        bool data = take(telnet, in[i], sink);

        if (data)
            continue;
        if (i > begin)
            sink->data(sink->ctx, in + begin, i - begin);
        begin = i + 1;
    }
    if (len > begin)
        sink->data(sink->ctx, in + begin, len - begin);
}
