/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "psAddOptions.h"

/** Copy one word to @p *to without its quotes.
 *  @return what follows the word, or NULL: a quote is open */
static const char *copyWord(const char *from, char **to)
{
    char quote = '\0';
    for (; *from && (quote || !strchr(" \t\r\n", *from)); from++)
        if (quote && *from == quote)
            quote = '\0';
        else if (!quote && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (*from == '\\' && quote != '\'' && from[1])
            *(*to)++ = *++from;
        else
            *(*to)++ = *from;
    *(*to)++ = '\0';
    return quote ? NULL : from;
}

int psAddSplit(const char *text, char ***out)
{
    size_t len = strlen(text);
    size_t maxWords = len / 2 + 2;
    char **words = malloc(maxWords * sizeof(*words) + len + 1 + maxWords);
    if (!words)
        return -ENOMEM;
    char *to = (char *)(words + maxWords);
    int count = 0;
    for (text += strspn(text, " \t\r\n"); *text; text += strspn(text, " \t\r\n")) {
        words[count++] = to;
        text = copyWord(text, &to);
        if (!text) {
            free(words);
            return -EINVAL;
        }
    }
    words[count] = NULL;
    *out = words;
    return count;
}

int psAddApply(psConfig *cfg, int argc, const char *const *argv, char *msg, size_t msgSize)
{
    psGetopt scan = {.at = psConfigOption, .argc = argc, .argv = argv};
    const psOption *option;
    const char *value;
    char problem[PS_TEXT_BYTES];
    int status;

    while ((status = psGetoptNext(&scan, &option, &value, msg, msgSize)) > 0) {
        status = psConfigSet(cfg, option->name, value, problem, sizeof(problem));
        if (status) {
            epicsSnprintf(msg, msgSize, "--%s", problem);
            return status;
        }
    }
    if (status)
        return status;
    status = psConfigSetCommand(cfg, argc - scan.index, argv + scan.index);
    if (status)
        epicsSnprintf(msg, msgSize, status == -EINVAL ? "no command given" : "out of memory");
    return status;
}
