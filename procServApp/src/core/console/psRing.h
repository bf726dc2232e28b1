/* SPDX-License-Identifier: EPICS */
/** @file psRing.h
 *  @brief Console bytes with absolute 64-bit offsets, one writer, many readers.  Pure.
 *
 *  The ring never refuses a byte: a reader that lags loses the oldest ones and learns how many.
 *  The owner (psFlow) decides whether the writer should wait instead, by
 *  psRingReaderRoom() and psRingReaderSteady().
 *  Thread: one at a time.  Nothing blocks.
 */
#ifndef INC_psRing_H
#define INC_psRing_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ellLib.h>

typedef struct psRing {
    char *data;
    size_t size; /**< power of two */
    size_t minSize;
    size_t maxSize;
    uint64_t head; /**< offset of the next byte to be written; starts at 0 */
    uint64_t tail; /**< offset of the oldest byte still held */
} psRing;

/** Sizes are powers of two, bytes.  @return 0 or -ENOMEM */
int psRingInit(psRing *ring, size_t minSize, size_t maxSize);
void psRingClear(psRing *ring);

/** Room for one read straight into the ring: the contiguous part after head.  The bytes are
 *  the ring's oldest; they count as lost to readers only at psRingCommit().
 *  @return its length, never 0 */
size_t psRingReserve(psRing *ring, char **out);
void psRingCommit(psRing *ring, size_t len);
/** Copy @p len bytes in, of any length. */
void psRingWrite(psRing *ring, const void *bytes, size_t len);

/** The contiguous readable part from @p offset (tail <= offset <= head).  @return its length */
size_t psRingPeek(const psRing *ring, uint64_t offset, const char **out);

/** Where the last @p lines lines begin; one that is not complete counts as a line.  Never before
 *  @p from; if bytes from there on are gone, not in the middle of a line, and if there is only one,
 *  not in the middle of a UTF-8 character. */
uint64_t psRingLinesBack(const psRing *ring, uint64_t from, int lines);

/** Double the size, keeping content and offsets.  @return false at maxSize or without memory */
bool psRingGrow(psRing *ring);
/** Back to minSize, keeping the newest minSize bytes. */
void psRingShrink(psRing *ring);

/** A reader is steady if it accepted at least this number of bytes within the last window. */
#define PS_READER_WINDOW_SEC 0.1
#define PS_READER_STEADY_BYTES 100000
#define PS_READER_BUCKETS 10
/** A reader that lost bytes waits for a line feed for at most this number of bytes.  Otherwise the
 *  console of a child that prints none would stay silent for ever. */
#define PS_READER_SKIP_BYTES 65536

/** One reader's cursor.  Embedded in its owner. */
typedef struct psRingReader {
    ELLNODE node;                       /**< the owner's list of readers */
    uint64_t offset;                    /**< next byte to take */
    uint64_t lost;                      /**< bytes lost, as far as a repair has found them */
    bool skipping;                      /**< lost bytes and no line feed seen since */
    uint64_t reported;                  /* of `lost`: returned by psRingReaderRepair */
    uint64_t skipFrom;                  /* offset where skipping began */
    double bucketStart;                 /* monotonic time of bucket[0]'s begin */
    uint32_t bucket[PS_READER_BUCKETS]; /* bytes accepted, in slices of the window, newest first */
} psRingReader;

/** Start reading at the ring's head. */
void psRingReaderInit(psRingReader *reader, const psRing *ring);
/** Repair a cursor that was overrun: moves it to just after the next line feed still held, or to
 *  head if there is none yet; it then goes on skipping, see PS_READER_SKIP_BYTES.  What is skipped
 *  counts as lost.  Call it only when bytes can be sent: each resume is worth one message.
 *  @return bytes lost that were not returned before, to be reported now; 0 while skipping */
uint64_t psRingReaderRepair(psRingReader *reader, const psRing *ring);
/** Bytes lost since psRingReaderInit(), with those that the ring no longer holds and that the next
 *  repair will find. */
uint64_t psRingReaderLost(const psRingReader *reader, const psRing *ring);
/** Bytes it can take now.  Call psRingReaderRepair() first. */
size_t psRingReaderPeek(const psRingReader *reader, const psRing *ring, const char **out);
/** It took @p len bytes at @p now (monotonic s). */
void psRingReaderAccept(psRingReader *reader, size_t len, double now);
/** Bytes that can be written before it loses any. */
size_t psRingReaderRoom(const psRingReader *reader, const psRing *ring);
bool psRingReaderSteady(const psRingReader *reader, double now);

#endif
