/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psGetopt.h"

/* Not in the order of their places, as tables that are joined are not. */
static const psOption rows[] = {
    PS_OPTION("alpine", 0, 101, None, Other, NULL, "ours"),
    PS_OPTION("all", 'a', 2, None, Other, NULL, "theirs"),
    PS_OPTION("port", 'P', 4, Required, Other, "<n>", "takes a value"),
    PS_OPTION("stamp", 's', 5, Optional, Other, "[=<f>]", "may take one"),
    PS_OPTION("allow", 0, 1, None, Other, NULL, "theirs"),
    PS_OPTION("post", 0, 3, None, Other, NULL, "theirs"),
    PS_OPTION("stop", 0, 102, Required, Other, "<x>", "ours"),
    PS_OPTION("stow", 0, 103, None, Other, NULL, "ours"),
};

static const psOption *at(unsigned index)
{
    return index < NELEMENTS(rows) ? &rows[index] : NULL;
}

/* All that is found, as one text: "name=value " for each, "(what is wrong) ", then the rest. */
static const char *scanned(const char *text)
{
    static char found[512];
    static char copy[256];
    const char *argv[20];
    psGetopt scan = {.at = at, .argv = argv};
    const psOption *option;
    const char *value;
    char msg[128];
    size_t used = 0;
    int status;

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[scan.argc++] = strcmp(word, "''") == 0 ? "" : word;
    found[0] = '\0';
    while ((status = psGetoptNext(&scan, &option, &value, msg, sizeof(msg))) != 0)
        if (status < 0)
            used += snprintf(found + used, sizeof(found) - used, "(%s) ", msg);
        else
            used += snprintf(found + used, sizeof(found) - used, "%s%s%s ", option->name,
                             value ? "=" : "", value ? value : "");
    for (int i = scan.index; i < scan.argc; i++)
        used += snprintf(found + used, sizeof(found) - used, "<%s>", argv[i]);
    return found;
}

static void options_AreFoundAsByGetopt(void)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"", ""},
        {"cat -a", "<cat><-a>"},
        {"-a cat", "all <cat>"},
        {"-- -a", "<-a>"},
        {"- -a", "<-><-a>"},
        {"--all --port 5 --port=6 --port= x", "all port=5 port=6 port= <x>"},
        {"-aP5 x", "all port=5 <x>"},
        {"-saP 5 x", "stamp all port=5 <x>"},
        {"-sx", "stamp (invalid option -- 'x') "},
        {"--stamp=%T --stamp %T", "stamp=%T stamp <%T>"},
        {"-P", "(option requires an argument -- 'P') "},
        {"--port", "(option '--port' requires an argument) "},
        {"--all=1 x", "(option '--all' doesn't allow an argument) <x>"},
        {"-xa y", "(invalid option -- 'x') all <y>"},
        {"--nosuch=1 -a", "(unrecognized option '--nosuch=1') all "},
        {"-P '' x", "port= <x>"},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        const char *found = scanned(cases[i].text);

        testOk(strcmp(found, cases[i].found) == 0, "'%s' is %s", cases[i].text, found);
    }
}

static void abbreviations_ProcServsGoFirstAndInOrder(void)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"--alp", "alpine "},
        {"--al", "(option '--al' is ambiguous; possibilities: '--allow' '--all') "},
        {"--all", "all "},
        {"--po", "(option '--po' is ambiguous; possibilities: '--post' '--port') "},
        {"--por=1", "port=1 "},
        {"--st", "stamp "},
        {"--sto", "(option '--sto' is ambiguous; possibilities: '--stop' '--stow') "},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        const char *found = scanned(cases[i].text);

        testOk(strcmp(found, cases[i].found) == 0, "'%s' is %s", cases[i].text, found);
    }
}

static void message_IsCutNotOverrun(void)
{
    static const char *const argv[] = {"--s"};
    char msg[24];
    const psOption *option;
    const char *value;
    psGetopt scan = {.at = at, .argc = 1, .argv = argv};

    testOk1(psGetoptNext(&scan, &option, &value, msg, sizeof(msg)) == 1);
    static const char *const many[] = {"--sto"};
    psGetopt again = {.at = at, .argc = 1, .argv = many};
    memset(msg, 'x', sizeof(msg));
    testOk1(psGetoptNext(&again, &option, &value, msg, sizeof(msg) - 1) == -EINVAL);
    testOk1(strlen(msg) == sizeof(msg) - 2 && msg[sizeof(msg) - 1] == 'x');
}

MAIN(psGetoptTest)
{
    testPlan(26);
    options_AreFoundAsByGetopt();
    abbreviations_ProcServsGoFirstAndInOrder();
    message_IsCutNotOverrun();
    return testDone();
}
