/* SPDX-License-Identifier: EPICS */
#include <ctype.h>
#include <string.h>

#include <dbDefs.h>
#include <errlog.h>

#include "psLink.h"

/* Where the two parts of a link stand in its text. */
typedef struct parts {
    const char *name, *item;
    size_t nameLen, itemLen;
} parts;

static size_t trimmed(const char *text, size_t len)
{
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    return len;
}

static parts split(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t end = trimmed(text, strlen(text));
    size_t start = end;

    while (start && !isspace((unsigned char)text[start - 1]))
        start--;
    return (parts){.name = text,
                   .nameLen = trimmed(text, start),
                   .item = text + start,
                   .itemLen = end - start};
}

static const void *findRow(const psItemTable *table, const char *name, size_t len)
{
    const char *row = table->rows;

    for (size_t i = 0; i < table->count; i++, row += table->rowBytes) {
        const char *rowName = ((const psItem *)row)->name;

        if (strlen(rowName) == len && memcmp(rowName, name, len) == 0)
            return row;
    }
    return NULL;
}

static const void *refuse(const dbCommon *prec, const char *text, const char *why)
{
    errlogPrintf("%s: link \"@%s\": %s\n", prec->name, text, why);
    return NULL;
}

const void *psLinkResolve(const dbCommon *prec, const struct link *link, const psItemTable *table,
                          char outName[PS_NAME_BYTES])
{
    const char *text = link->type == INST_IO ? link->value.instio.string : NULL;

    if (!text) {
        errlogPrintf("%s: the link must be \"@NAME item\"\n", prec->name);
        return NULL;
    }
    parts part = split(text);
    if (!part.nameLen || !part.itemLen)
        return refuse(prec, text, "it must be \"@NAME item\"");
    if (part.nameLen >= PS_NAME_BYTES)
        return refuse(prec, text, "the name has more than 63 characters");
    const void *row = findRow(table, part.item, part.itemLen);
    if (!row)
        return refuse(prec, text, "there is no such item for this record type");
    memcpy(outName, part.name, part.nameLen);
    outName[part.nameLen] = '\0';
    return row;
}
