/* SPDX-License-Identifier: EPICS */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/psRing.h"

static bool isPowerOfTwo(size_t size)
{
    return size > 0 && (size & (size - 1)) == 0;
}

/* Move the newest bytes into a block of @p size bytes.  A contiguous run of the old block may
 * cross the end of the new one (when it shrinks), hence the inner minimum. */
static bool resize(psRing *ring, size_t size)
{
    char *data = malloc(size);

    if (!data)
        return false;
    if (ring->head - ring->tail > size)
        ring->tail = ring->head - size;
    for (uint64_t offset = ring->tail; offset < ring->head;) {
        const char *from;
        size_t to = (size_t)offset & (size - 1);
        size_t len = psRingPeek(ring, offset, &from);

        if (len > size - to)
            len = size - to;
        memcpy(data + to, from, len);
        offset += len;
    }
    free(ring->data);
    ring->data = data;
    ring->size = size;
    return true;
}

int psRingInit(psRing *ring, size_t minSize, size_t maxSize)
{
    assert(isPowerOfTwo(minSize) && isPowerOfTwo(maxSize) && minSize <= maxSize);
    *ring = (psRing){.size = minSize, .minSize = minSize, .maxSize = maxSize};
    ring->data = malloc(minSize);
    return ring->data ? 0 : -ENOMEM;
}

void psRingClear(psRing *ring)
{
    free(ring->data);
    *ring = (psRing){0};
}

size_t psRingReserve(psRing *ring, char **out)
{
    size_t at = (size_t)ring->head & (ring->size - 1);

    *out = ring->data + at;
    return ring->size - at;
}

void psRingCommit(psRing *ring, size_t len)
{
    assert(len <= ring->size);
    ring->head += len;
    if (ring->head - ring->tail > ring->size)
        ring->tail = ring->head - ring->size;
}

void psRingWrite(psRing *ring, const void *bytes, size_t len)
{
    const char *from = bytes;

    while (len > 0) {
        char *to;
        size_t part = psRingReserve(ring, &to);

        if (part > len)
            part = len;
        memcpy(to, from, part);
        psRingCommit(ring, part);
        from += part;
        len -= part;
    }
}

size_t psRingPeek(const psRing *ring, uint64_t offset, const char **out)
{
    size_t at = (size_t)offset & (ring->size - 1);
    size_t len = (size_t)(ring->head - offset);

    assert(ring->tail <= offset && offset <= ring->head);
    if (len > ring->size - at)
        len = ring->size - at;
    *out = ring->data + at;
    return len;
}

static char at(const psRing *ring, uint64_t offset)
{
    return ring->data[(size_t)offset & (ring->size - 1)];
}

uint64_t psRingLinesBack(const psRing *ring, uint64_t from, int lines)
{
    bool cut = from < ring->tail;
    uint64_t first = cut ? ring->tail : from;
    uint64_t begin = ring->head; /* of a line */

    if (lines <= 0)
        return begin;
    for (uint64_t offset = ring->head; offset > first && lines > 0; offset--) {
        bool starts = offset - 1 == first ? !cut : at(ring, offset - 2) == '\n';

        if (starts) {
            begin = offset - 1;
            lines--;
        }
    }
    if (begin < ring->head || !cut)
        return begin;
    while (first < ring->head && (at(ring, first) & 0xc0) == 0x80)
        first++;
    return first;
}

bool psRingGrow(psRing *ring)
{
    return ring->size < ring->maxSize && resize(ring, ring->size * 2);
}

void psRingShrink(psRing *ring)
{
    /* Without memory it stays large, which harms nobody. */
    if (ring->size > ring->minSize)
        resize(ring, ring->minSize);
}

void psRingReaderInit(psRingReader *reader, const psRing *ring)
{
    *reader = (psRingReader){.offset = ring->head};
}

/* Offset just after the first line feed from reader->offset on, or head + 1 if there is none. */
static uint64_t afterLineFeed(const psRingReader *reader, const psRing *ring)
{
    uint64_t offset = reader->offset;

    while (offset < ring->head) {
        const char *bytes;
        size_t len = psRingPeek(ring, offset, &bytes);
        const char *feed = memchr(bytes, '\n', len);

        if (feed)
            return offset + (uint64_t)(feed - bytes) + 1;
        offset += len;
    }
    return ring->head + 1;
}

uint64_t psRingReaderRepair(psRingReader *reader, const psRing *ring)
{
    uint64_t next, news;

    if (reader->offset < ring->tail) {
        reader->lost += ring->tail - reader->offset;
        reader->offset = ring->tail;
        if (!reader->skipping)
            reader->skipFrom = ring->tail;
        reader->skipping = true;
    }
    if (!reader->skipping)
        return 0;
    next = afterLineFeed(reader, ring);
    if (next > ring->head) {
        next = ring->head;
        reader->skipping = next - reader->skipFrom < PS_READER_SKIP_BYTES;
    } else {
        reader->skipping = false;
    }
    reader->lost += next - reader->offset;
    reader->offset = next;
    if (reader->skipping)
        return 0;
    news = reader->lost - reader->reported;
    reader->reported = reader->lost;
    return news;
}

uint64_t psRingReaderLost(const psRingReader *reader, const psRing *ring)
{
    uint64_t overrun = reader->offset < ring->tail ? ring->tail - reader->offset : 0;

    return reader->lost + overrun;
}

size_t psRingReaderPeek(const psRingReader *reader, const psRing *ring, const char **out)
{
    return psRingPeek(ring, reader->offset, out);
}

#define SLICE_SEC (PS_READER_WINDOW_SEC / PS_READER_BUCKETS)

/* Whole slices from the begin of bucket[0] to @p now; PS_READER_BUCKETS if there are more. */
static unsigned slicesSince(const psRingReader *reader, double now)
{
    double slices = (now - reader->bucketStart) / SLICE_SEC;

    if (slices >= PS_READER_BUCKETS)
        return PS_READER_BUCKETS;
    return slices < 0 ? 0 : (unsigned)slices;
}

void psRingReaderAccept(psRingReader *reader, size_t len, double now)
{
    unsigned gone = slicesSince(reader, now);

    if (gone == PS_READER_BUCKETS) {
        memset(reader->bucket, 0, sizeof(reader->bucket));
        reader->bucketStart = now;
    } else if (gone > 0) {
        memmove(reader->bucket + gone, reader->bucket,
                (PS_READER_BUCKETS - gone) * sizeof(reader->bucket[0]));
        memset(reader->bucket, 0, gone * sizeof(reader->bucket[0]));
        reader->bucketStart += gone * SLICE_SEC;
    }
    reader->bucket[0] += (uint32_t)len;
    reader->offset += len;
}

size_t psRingReaderRoom(const psRingReader *reader, const psRing *ring)
{
    uint64_t unread = ring->head - reader->offset;

    return unread >= ring->size ? 0 : ring->size - (size_t)unread;
}

bool psRingReaderSteady(const psRingReader *reader, double now)
{
    unsigned gone = slicesSince(reader, now);
    uint64_t sum = 0;

    for (unsigned i = 0; i + gone < PS_READER_BUCKETS; i++)
        sum += reader->bucket[i];
    return sum >= PS_READER_STEADY_BYTES;
}
