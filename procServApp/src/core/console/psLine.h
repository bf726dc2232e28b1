/* SPDX-License-Identifier: EPICS */
/** @file psLine.h
 *  @brief Turns bytes into whole lines of plain text.  Pure.
 */
#ifndef INC_psLine_H
#define INC_psLine_H

#include <stdbool.h>
#include <stddef.h>

/** Longest line handed out, bytes; the rest of a longer one is dropped. */
#define PS_LINE_BYTES 4096

/** Collects bytes into lines: CR and terminal control sequences (CSI, OSC, DCS, APC, PM, SOS,
 *  single ESC pairs) are stripped, other control bytes shown as \xHH. */
typedef struct psLine {
    char text[PS_LINE_BYTES + 1];
    size_t len;
    unsigned char escape; /* where in a control sequence; private */
    bool cut;             /* the line was longer */
} psLine;

void psLineInit(psLine *line);
/** @p fn is called for each complete line, without its line end, NUL-terminated; @p line is
 *  valid during the call only. */
void psLineFeed(psLine *self, const void *bytes, size_t len,
                void (*fn)(void *ctx, const char *line, size_t lineLen), void *ctx);

#endif
