/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "psAddOptions.h"

/* procServ's letters for what concerns one child. */
static const struct {
    char letter;
    const char *option;
} letters[] = {
    {'c', "chdir"},   {'e', "exec"},    {'i', "ignore"},    {'k', "killcmd"},
    {'l', "logport"}, {'L', "logfile"}, {'n', "name"},      {'o', "oneshot"},
    {'P', "port"},    {'w', "wait"},    {'x', "logoutcmd"},
};

static const char *letterOption(char letter)
{
    for (size_t i = 0; i < NELEMENTS(letters); i++)
        if (letters[i].letter == letter)
            return letters[i].option;
    return NULL;
}

/** One word to @p *to, its quotes taken off.  @return behind it, or NULL: a quote is open */
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
    char **words = malloc(maxWords * sizeof *words + len + 1 + maxWords);
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

static bool optionTakesValue(const char *option)
{
    bool takes = false;
    const char *name;
    for (unsigned i = 0; (name = psConfigOptionName(i, &takes)); i++)
        if (!strcmp(name, option))
            return takes;
    return false; /* psConfigSet() will say that there is none */
}

/** What one word asks for. */
typedef struct asked {
    char option[32];
    const char *value; /* in the same word; NULL: none there */
} asked;

static int parseLong(const char *word, asked *out, char *msg, size_t msgSize)
{
    size_t len = strcspn(word, "=");
    if (len >= sizeof out->option) {
        epicsSnprintf(msg, msgSize, "no such option --%s", word);
        return -EINVAL;
    }
    memcpy(out->option, word, len);
    out->option[len] = '\0';
    out->value = word[len] ? word + len + 1 : NULL;
    return 0;
}

static int parseShort(const char *word, asked *out, char *msg, size_t msgSize)
{
    const char *option = letterOption(word[0]);
    if (!option || (word[1] && !optionTakesValue(option))) {
        epicsSnprintf(msg, msgSize, "no such option -%s", word);
        return -EINVAL;
    }
    epicsSnprintf(out->option, sizeof out->option, "%s", option);
    out->value = word[1] ? word + 1 : NULL;
    return 0;
}

int psAddApply(psConfig *cfg, int argc, const char *const *argv, char *msg, size_t msgSize)
{
    int i = 0;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        asked ask;
        if (!strcmp(argv[i], "--")) {
            i++;
            break;
        }
        int rc = argv[i][1] == '-' ? parseLong(argv[i] + 2, &ask, msg, msgSize)
                                   : parseShort(argv[i] + 1, &ask, msg, msgSize);
        if (rc)
            return rc;
        /* logstamp's value is optional: only with "=", as on the command line */
        if (!ask.value && optionTakesValue(ask.option) && strcmp(ask.option, "logstamp")) {
            if (i + 1 >= argc) {
                epicsSnprintf(msg, msgSize, "--%s needs a value", ask.option);
                return -EINVAL;
            }
            ask.value = argv[++i];
        }
        rc = psConfigSet(cfg, ask.option, ask.value, msg, msgSize);
        if (rc)
            return rc;
    }
    int rc = psConfigSetCommand(cfg, argc - i, argv + i);
    if (rc)
        epicsSnprintf(msg, msgSize, rc == -EINVAL ? "no command given" : "out of memory");
    return rc;
}
