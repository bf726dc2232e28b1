/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include "psTrialWords.h"

void psTrialWordPut(FILE *to, const char *word)
{
    for (; *word; word++)
        if (*word == '\t')
            fputs("\\t", to);
        else if (*word == '\n')
            fputs("\\n", to);
        else if (*word == '\\')
            fputs("\\\\", to);
        else
            fputc(*word, to);
}

/* In place: a word only gets shorter. */
static void plain(char *word)
{
    char *to = word;

    for (const char *from = word; *from; from++) {
        if (*from == '\\' && from[1]) {
            from++;
            *to++ = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

int psTrialWordsSplit(char *line, const char *out[PS_TRIAL_WORDS + 1])
{
    int count = 0;

    while (line && count < PS_TRIAL_WORDS) {
        char *tab = strchr(line, '\t');

        if (tab)
            *tab = '\0';
        plain(line);
        out[count++] = line;
        line = tab ? tab + 1 : NULL;
    }
    out[count] = NULL;
    return count;
}
