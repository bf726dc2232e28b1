/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include "psGetopt.h"

static int failed(const psGetopt *self, FILE *err, const char *problem, const char *name)
{
    fprintf(err, "%s: option '--%s' %s\n", self->argv0, name, problem);
    return -EINVAL;
}

/* The only abbreviation among procServ's options or among ours; *outMatches tells how many. */
static const psOption *findAbbreviation(const psGetopt *self, const char *word, size_t len,
                                        bool ours, int *outMatches)
{
    const psOption *found = NULL;

    *outMatches = 0;
    for (size_t i = 0; i < self->count; i++) {
        const psOption *option = &self->options[i];

        if (option->ours == ours && strncmp(option->name, word, len) == 0) {
            found = option;
            ++*outMatches;
        }
    }
    return found;
}

static int ambiguous(const psGetopt *self, FILE *err, const char *word, size_t len, bool ours)
{
    fprintf(err, "%s: option '--%s' is ambiguous; possibilities:", self->argv0, word);
    for (size_t i = 0; i < self->count; i++) {
        const psOption *option = &self->options[i];

        if (option->ours == ours && strncmp(option->name, word, len) == 0)
            fprintf(err, " '--%s'", option->name);
    }
    fprintf(err, "\n");
    return -EINVAL;
}

static int findLong(const psGetopt *self, FILE *err, const char *word, size_t len,
                    const psOption **out)
{
    for (size_t i = 0; i < self->count; i++) {
        const psOption *option = &self->options[i];

        if (strlen(option->name) == len && strncmp(option->name, word, len) == 0) {
            *out = option;
            return 1;
        }
    }
    for (int ours = 0; ours <= 1; ours++) {
        int matches;
        const psOption *option = findAbbreviation(self, word, len, ours, &matches);

        if (matches > 1)
            return ambiguous(self, err, word, len, ours);
        if (matches == 1) {
            *out = option;
            return 1;
        }
    }
    fprintf(err, "%s: unrecognized option '--%s'\n", self->argv0, word);
    return -EINVAL;
}

static int nextLong(psGetopt *self, FILE *err, const psOption **outOption, const char **outValue)
{
    const char *word = self->argv[self->index++] + 2;
    size_t len = strcspn(word, "=");
    const char *attached = word[len] ? word + len + 1 : NULL;
    const psOption *option;
    int status = findLong(self, err, word, len, &option);

    if (status < 0)
        return status;
    if (attached && option->arg == psOptionArgNone)
        return failed(self, err, "doesn't allow an argument", option->name);
    if (!attached && option->arg == psOptionArgRequired) {
        if (self->index >= self->argc)
            return failed(self, err, "requires an argument", option->name);
        attached = self->argv[self->index++];
    }
    *outOption = option;
    *outValue = attached;
    return 1;
}

static const psOption *findLetter(const psGetopt *self, char letter)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->options[i].letter == letter)
            return &self->options[i];
    return NULL;
}

static int nextLetter(psGetopt *self, FILE *err, const psOption **outOption, const char **outValue)
{
    char letter = *self->cluster++;
    const psOption *option = findLetter(self, letter);
    const char *value = NULL;

    if (!option) {
        fprintf(err, "%s: invalid option -- '%c'\n", self->argv0, letter);
    } else if (option->arg == psOptionArgRequired) {
        value = *self->cluster ? self->cluster : NULL;
        self->cluster = "";
        if (!value && self->index + 1 < self->argc)
            value = self->argv[++self->index];
        if (!value) {
            fprintf(err, "%s: option requires an argument -- '%c'\n", self->argv0, letter);
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

int psGetoptNext(psGetopt *self, FILE *err, const psOption **outOption, const char **outValue)
{
    if (self->cluster)
        return nextLetter(self, err, outOption, outValue);
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
        return nextLong(self, err, outOption, outValue);
    self->cluster = word + 1;
    return nextLetter(self, err, outOption, outValue);
}
