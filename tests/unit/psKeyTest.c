/* SPDX-License-Identifier: EPICS */
#include <stdbool.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psKey.h"

static void keys_InCaretNotation(void)
{
    static const struct {
        const char *text;
        unsigned char key;
        size_t len;
    } cases[] = {
        {"", 0, 0},       {"^A", 1, 2},    {"^Z", 26, 2},     {"^x", 0x18, 2}, {"^[", 0x1b, 2},
        {"^\\", 0x1c, 2}, {"^]", 0x1d, 2}, {"^_", 0x1f, 2},   {"^?", 0x7f, 2}, {"^@", 0, 2},
        {"^^", '^', 2},   {"^", '^', 1},   {"^3", '^', 1},    {"^`", '^', 1},  {"^{", '^', 1},
        {"ab", 'a', 1},   {"\x05", 5, 1},  {"\xff", 0xff, 1},
    };
    char out[3];
    bool same = true;

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        const char *end = NULL;
        unsigned char key = psKeyParse(cases[i].text, &end);

        testOk(key == cases[i].key && end == cases[i].text + cases[i].len, "'%s' is %u",
               cases[i].text, key);
    }
    for (unsigned key = 0; key < 256; key++) {
        psKeyPrint((unsigned char)key, out);
        same = same && (psKeyParse(out, NULL) == key || key == 0x1e);
    }
    testOk(same, "what is printed is read back");
    psKeyPrint(0x18, out);
    testOk(strcmp(out, "^X") == 0, "^X is printed");
}

MAIN(psKeyTest)
{
    testPlan(20);
    keys_InCaretNotation();
    return testDone();
}
