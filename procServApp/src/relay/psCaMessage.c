/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include "psCaMessage.h"

#define ALIGN 8            /* payloads are multiples of it */
#define ANSWER_PAYLOAD 8   /* the minor version, and padding */
#define FIRST_PRINTABLE 32 /* bytes above 127 are parts of UTF-8 */
#define DELETE 127

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static void put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
    put16(bytes, (uint16_t)(value >> 16));
    put16(bytes + 2, (uint16_t)value);
}

void psCaHeaderGet(const uint8_t *bytes, psCaHeader *out)
{
    out->command = get16(bytes);
    out->payloadBytes = get16(bytes + 2);
    out->type = get16(bytes + 4);
    out->count = get16(bytes + 6);
    out->cid = get32(bytes + 8);
    out->available = get32(bytes + 12);
}

void psCaHeaderPut(uint8_t *bytes, const psCaHeader *header)
{
    put16(bytes, header->command);
    put16(bytes + 2, header->payloadBytes);
    put16(bytes + 4, header->type);
    put16(bytes + 6, header->count);
    put32(bytes + 8, header->cid);
    put32(bytes + 12, header->available);
}

int psCaNext(const uint8_t *bytes, size_t len, size_t *at, psCaHeader *out,
             const uint8_t **outPayload)
{
    psCaHeader header;

    if (len - *at < PS_CA_HEADER_BYTES)
        return 0;
    psCaHeaderGet(bytes + *at, &header);
    if (header.payloadBytes % ALIGN || header.payloadBytes > PS_CA_NAME_BYTES)
        return -EBADMSG;
    if (len - *at - PS_CA_HEADER_BYTES < header.payloadBytes)
        return 0;
    *out = header;
    *outPayload = bytes + *at + PS_CA_HEADER_BYTES;
    *at += PS_CA_HEADER_BYTES + (size_t)header.payloadBytes;
    return 1;
}

bool psCaIsSearch(const psCaHeader *header, const uint8_t *payload)
{
    size_t len = strnlen((const char *)payload, header->payloadBytes);

    if (header->command != psCaSearch || header->count < PS_CA_SEARCH_MINOR_MIN || len == 0 ||
        len == header->payloadBytes)
        return false;
    for (size_t i = 0; i < len; i++)
        if (payload[i] < FIRST_PRINTABLE || payload[i] == DELETE)
            return false;
    return true;
}

/* The minor version is far below 256, so that no search with a short name looks like an answer. */
bool psCaIsAnswer(const psCaHeader *header, const uint8_t *payload)
{
    return header->command == psCaSearch && header->type != 0 &&
           (header->payloadBytes == 0 || (header->payloadBytes == ANSWER_PAYLOAD && !payload[0]));
}

static bool isVersion(const psCaHeader *header)
{
    return header->command == psCaVersion && header->payloadBytes == 0;
}

/* @return as the two below */
static int check(const uint8_t *bytes, size_t len, bool ofServer)
{
    const uint8_t *payload;
    psCaHeader header;
    size_t at = 0;
    int count = 0;

    while (at < len) {
        if (psCaNext(bytes, len, &at, &header, &payload) <= 0)
            return -EBADMSG;
        if (ofServer ? psCaIsAnswer(&header, payload) : psCaIsSearch(&header, payload))
            count++;
        else if (!isVersion(&header))
            return -EBADMSG;
    }
    return count;
}

int psCaCheckSearches(const uint8_t *bytes, size_t len)
{
    return check(bytes, len, false);
}

int psCaCheckAnswers(const uint8_t *bytes, size_t len)
{
    return check(bytes, len, true);
}
