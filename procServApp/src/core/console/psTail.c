/* SPDX-License-Identifier: EPICS */
/* Shown, a line is about as long as its bytes, so a window of a little more than what is asked for
 * is parsed first.  Where much of it is left out (colours, screens that are drawn anew), a larger
 * one is tried. */
#include <string.h>

#include "console/psLine.h"
#include "console/psTail.h"

#define WINDOW_GROWTH 4
#define WINDOW_TRIES 4

typedef struct lines {
    const psTailRequest *request;
    psText text; /* all that the window has, an LF after each line */
    unsigned count;
    bool skip; /* the next line has lost its beginning */
} lines;

/* psLine cuts a long line between two bytes, which may be those of one character. */
static size_t withoutBrokenEnd(const char *line, size_t len)
{
    size_t start = len;

    while (start > 0 && len - start < 3 && ((unsigned char)line[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)line[start - 1] < 0xc0)
        return len;
    unsigned char lead = (unsigned char)line[start - 1];
    size_t need = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    return len - (start - 1) < need ? start - 1 : len;
}

/* As a name is shown, but that a line may have TABs. */
static void addShown(psText *text, const char *line, size_t len)
{
    while (len > 0) {
        const char *tab = memchr(line, '\t', len);
        size_t part = tab ? (size_t)(tab - line) : len;

        psTextAppendName(text, line, part);
        if (!tab)
            return;
        psTextAppend(text, "\t", 1);
        line += part + 1;
        len -= part + 1;
    }
}

static void addLine(void *ctx, const char *line, size_t len)
{
    lines *all = ctx;

    if (all->skip) {
        all->skip = false;
        return;
    }
    if (len + 3 >= PS_LINE_BYTES)
        len = withoutBrokenEnd(line, len);
    addShown(&all->text, line, len);
    psTextAppend(&all->text, "\n", 1);
    all->count++;
}

static void parse(const psRing *ring, uint64_t begin, uint64_t end, lines *all)
{
    psLine line;

    psLineInit(&line);
    while (begin < end) {
        const char *bytes;
        size_t len = psRingPeek(ring, begin, &bytes);

        if (len > end - begin)
            len = (size_t)(end - begin);
        psLineFeed(&line, bytes, len, addLine, all);
        begin += len;
    }
    if (line.len > 0)
        addLine(all, line.text, line.len);
}

/* Does a line begin there? */
static bool beginsLine(const psRing *ring, const psTailRequest *request, uint64_t at)
{
    const char *before;

    if (at == request->from)
        return true;
    return at > ring->tail && psRingPeek(ring, at - 1, &before) > 0 && *before == '\n';
}

static void readWindow(const psRing *ring, uint64_t begin, uint64_t end, lines *all)
{
    psTextReset(&all->text);
    all->count = 0;
    all->skip = !beginsLine(ring, all->request, begin);
    parse(ring, begin, end, all);
}

/* One line fills the window: its end is better than nothing. */
static void readEnd(const psRing *ring, uint64_t begin, uint64_t end, lines *all)
{
    const char *byte;

    while (begin < end && psRingPeek(ring, begin, &byte) > 0 && (*byte & 0xc0) == 0x80)
        begin++;
    all->skip = false;
    parse(ring, begin, end, all);
}

static size_t wholeCharacters(const char *text, size_t len)
{
    while (len > 0 && (text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

/* The last lines of the text that are asked for and fit; of a last one that is too long, its
 * beginning. */
static void give(const lines *all, psText *out)
{
    const psTailRequest *request = all->request;
    const char *text = all->text.data;
    size_t end = all->text.len > 0 ? all->text.len - 1 : 0; /* without the last LF */
    size_t start = end;

    for (unsigned count = 0; count < request->lines && start > 0; count++) {
        size_t from = start - (count > 0); /* the LF that ends the line */

        while (from > 0 && text[from - 1] != '\n')
            from--;
        if (end - from > request->bytes) {
            if (count == 0)
                psTextAppend(out, text + from, wholeCharacters(text + from, request->bytes));
            break;
        }
        start = from;
    }
    psTextAppend(out, text + start, end - start);
}

void psTailRead(const psRing *ring, const psTailRequest *request, psText *out)
{
    uint64_t first = request->from > ring->tail ? request->from : ring->tail;
    uint64_t end = request->to;
    uint64_t window = request->bytes + request->bytes / WINDOW_GROWTH;
    lines all = {.request = request, .text = PS_TEXT_INIT};
    uint64_t begin = end;
    bool enough = false;

    if (end <= first)
        return;
    for (int tries = 0; tries < WINDOW_TRIES && !enough; tries++) {
        begin = end - first > window ? end - window : first;
        readWindow(ring, begin, end, &all);
        enough = begin == first || all.count >= request->lines || all.text.len > request->bytes ||
                 all.text.failed;
        window *= WINDOW_GROWTH;
    }
    if (all.count == 0)
        readEnd(ring, begin, end, &all);
    if (all.text.failed)
        out->failed = true;
    else
        give(&all, out);
    psTextClear(&all.text);
}
