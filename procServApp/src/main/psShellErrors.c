/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "psBaseText.h"
#include "psShellErrors.h"

static struct {
    FILE *file; /* NULL: not listening */
    void (*refused)(void *ctx, const char *line);
    void *ctx;
    char line[1024]; /* what has come of the line that is being written; the rest is left out */
    size_t len;
} self;

/* "ERROR st.cmd line 7: reason" -> "st.cmd line 7: reason"; for a script that is not there the
 * shell has a form of its own, "Can't open FILE: reason".  NULL: something else */
static const char *shellsOwn(const char *line)
{
    static const char begin[] = "ERROR ";
    static const char file[] = "Can't open ";
    const char *text = line + sizeof(begin) - 1;

    if (strncmp(line, file, sizeof(file) - 1) == 0)
        return line;
    if (strncmp(line, begin, sizeof(begin) - 1) != 0)
        return NULL;
    const char *number = strstr(text, " line ");
    if (!number)
        return NULL;
    number += strlen(" line ");
    size_t digits = strspn(number, "0123456789");
    return digits && number[digits] == ':' ? text : NULL;
}

static void endOfLine(void)
{
    char plain[sizeof(self.line)];

    self.line[self.len] = '\0';
    self.len = 0;
    psBaseLine(self.line, plain, sizeof(plain));
    const char *own = shellsOwn(plain);
    if (own)
        self.refused(self.ctx, own);
}

/* fopencookie's */
static ssize_t take(void *cookie, const char *buf, size_t size)
{
    (void)cookie;
    for (size_t i = 0; i < size; i++)
        if (buf[i] == '\n')
            endOfLine();
        else if (self.len < sizeof(self.line) - 1)
            self.line[self.len++] = buf[i];
    /* What standard error does not take cannot be reported. */
    ssize_t ignored = write(STDERR_FILENO, buf, size);
    (void)ignored;
    return (ssize_t)size;
}

void psShellErrorsBegin(void (*refused)(void *ctx, const char *line), void *ctx)
{
    cookie_io_functions_t functions = {.write = take};

    self.refused = refused;
    self.ctx = ctx;
    self.file = fopencookie(NULL, "w", functions);
    if (!self.file)
        return;
    setvbuf(self.file, NULL, _IOLBF, 0);
    epicsSetThreadStderr(self.file);
}

void psShellErrorsEnd(void)
{
    if (!self.file)
        return;
    epicsSetThreadStderr(NULL);
    fclose(self.file);
    self.file = NULL;
}
