/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>

#include "model/psGetopt.h"

typedef struct complaint {
    char *msg;
    size_t size;
} complaint;

static int failed(const char *problem, const char *name, complaint out)
{
    epicsSnprintf(out.msg, out.size, "option '--%s' %s", name, problem);
    return -EINVAL;
}

static bool isOurs(const psOption *option)
{
    return option->place >= PS_OPTION_OURS;
}

const psOption *psOptionAfter(psOptionAt at, int place)
{
    const psOption *next = NULL;
    const psOption *option;

    for (unsigned i = 0; (option = at(i)) != NULL; i++)
        if (option->place > place && (!next || option->place < next->place))
            next = option;
    return next;
}

/* ---- long options ---- */

/* The only abbreviation among procServ's options or among ours; *outMatches gets their number. */
static const psOption *findAbbreviation(const psGetopt *self, const char *word, size_t len,
                                        bool ours, int *outMatches)
{
    const psOption *found = NULL;
    const psOption *option;

    *outMatches = 0;
    for (unsigned i = 0; (option = self->at(i)) != NULL; i++) {
        if (isOurs(option) == ours && strncmp(option->name, word, len) == 0) {
            found = option;
            ++*outMatches;
        }
    }
    return found;
}

static int ambiguous(const psGetopt *self, const char *word, size_t len, bool ours, complaint out)
{
    int used = epicsSnprintf(out.msg, out.size, "option '--%s' is ambiguous; possibilities:", word);

    for (const psOption *option = psOptionAfter(self->at, 0); option;
         option = psOptionAfter(self->at, option->place)) {
        if (isOurs(option) != ours || strncmp(option->name, word, len) != 0)
            continue;
        if (used < 0 || (size_t)used >= out.size)
            break; /* no room for more */
        used += epicsSnprintf(out.msg + used, out.size - (size_t)used, " '--%s'", option->name);
    }
    return -EINVAL;
}

static const psOption *findExact(const psGetopt *self, const char *word, size_t len)
{
    const psOption *option;

    for (unsigned i = 0; (option = self->at(i)) != NULL; i++)
        if (strlen(option->name) == len && strncmp(option->name, word, len) == 0)
            return option;
    return NULL;
}

static int findLong(const psGetopt *self, const char *word, size_t len, const psOption **outOption,
                    complaint out)
{
    const psOption *option = findExact(self, word, len);

    for (int ours = 0; ours <= 1 && !option; ours++) {
        int matches;

        option = findAbbreviation(self, word, len, ours, &matches);
        if (matches > 1)
            return ambiguous(self, word, len, ours, out);
    }
    if (!option) {
        epicsSnprintf(out.msg, out.size, "unrecognized option '--%s'", word);
        return -EINVAL;
    }
    *outOption = option;
    return 1;
}

static int nextLong(psGetopt *self, const psOption **outOption, const char **outValue,
                    complaint out)
{
    const char *word = self->argv[self->index++] + 2;
    size_t len = strcspn(word, "=");
    const char *attached = word[len] ? word + len + 1 : NULL;
    const psOption *option;
    int status = findLong(self, word, len, &option, out);

    if (status < 0)
        return status;
    if (attached && option->arg == psOptionArgNone)
        return failed("doesn't allow an argument", option->name, out);
    if (!attached && option->arg == psOptionArgRequired) {
        if (self->index >= self->argc)
            return failed("requires an argument", option->name, out);
        attached = self->argv[self->index++];
    }
    *outOption = option;
    *outValue = attached;
    return 1;
}

/* ---- letters ---- */

static const psOption *findLetter(const psGetopt *self, char letter)
{
    const psOption *option;

    for (unsigned i = 0; (option = self->at(i)) != NULL; i++)
        if (option->letter == letter)
            return option;
    return NULL;
}

static int nextLetter(psGetopt *self, const psOption **outOption, const char **outValue,
                      complaint out)
{
    char letter = *self->cluster++;
    const psOption *option = findLetter(self, letter);
    const char *value = NULL;

    if (!option) {
        epicsSnprintf(out.msg, out.size, "invalid option -- '%c'", letter);
    } else if (option->arg == psOptionArgRequired) {
        value = *self->cluster ? self->cluster : NULL;
        self->cluster = "";
        if (!value && self->index + 1 < self->argc)
            value = self->argv[++self->index];
        if (!value) {
            epicsSnprintf(out.msg, out.size, "option requires an argument -- '%c'", letter);
            option = NULL;
        }
    }
    if (!*self->cluster) {
        self->cluster = NULL;
        self->index++;
    }
    if (!option)
        return -EINVAL;
    *outOption = option;
    *outValue = value;
    return 1;
}

/* ---- the scan ---- */

int psGetoptNext(psGetopt *self, const psOption **outOption, const char **outValue, char *msg,
                 size_t msgSize)
{
    complaint out = {msg, msgSize};

    if (self->cluster)
        return nextLetter(self, outOption, outValue, out);
    if (self->index >= self->argc)
        return 0;
    const char *word = self->argv[self->index];
    if (word[0] != '-' || !word[1])
        return 0;
    if (strcmp(word, "--") == 0) {
        self->index++;
        return 0;
    }
    if (word[1] == '-')
        return nextLong(self, outOption, outValue, out);
    self->cluster = word + 1;
    return nextLetter(self, outOption, outValue, out);
}
