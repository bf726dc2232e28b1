/* SPDX-License-Identifier: EPICS */
#include <ctype.h>
#include <errno.h>
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

static bool isNamed(const char *name, const parts *part)
{
    return strlen(name) == part->itemLen && memcmp(name, part->item, part->itemLen) == 0;
}

static const void *findRow(const psItemTable *table, const parts *part)
{
    const char *row = table->rows;

    for (size_t i = 0; i < table->count; i++, row += table->rowBytes)
        if (isNamed(((const psItem *)row)->name, part))
            return row;
    return NULL;
}

static const psSetting *findSetting(const psItemTable *table, const parts *part)
{
    const psSetting *setting;

    for (unsigned i = 0; (setting = psSettingAt(i)); i++)
        if ((int)setting->type == table->settings && isNamed(setting->record, part))
            return setting;
    return NULL;
}

static int refuse(const dbCommon *prec, const char *text, const char *why)
{
    errlogPrintf("%s: link \"@%s\": %s\n", prec->name, text, why);
    return -EINVAL;
}

int psLinkResolve(const dbCommon *prec, const struct link *link, const psItemTable *table,
                  psLinkTarget *out)
{
    const char *text = link->type == INST_IO ? link->value.instio.string : NULL;

    if (!text)
        return refuse(prec, "", "it must be \"@NAME item\"");
    parts part = split(text);
    if (!part.nameLen)
        table = table->system;
    if (!table || !part.itemLen)
        return refuse(prec, text, "it must be \"@NAME item\"");
    if (part.nameLen >= PS_NAME_BYTES)
        return refuse(prec, text, "the name has more than 63 characters");
    const psSetting *setting = findSetting(table, &part);
    const void *row = setting ? NULL : findRow(table, &part);
    while (!setting && !row && table->more) {
        table = table->more;
        row = findRow(table, &part);
    }
    if (!row && !setting)
        return refuse(prec, text, "there is no such item for this record type");
    memcpy(out->name, part.name, part.nameLen);
    out->name[part.nameLen] = '\0';
    out->row = row;
    out->setting = setting;
    out->table = table;
    return 0;
}
