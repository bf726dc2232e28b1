/* SPDX-License-Identifier: EPICS */
/** @file devPsItems.h
 *  @brief The rows of the tables of items: a name, and how a record gets its value from a view of
 *  its child.  The status has its tables beside each record type, any other topic all in one file.
 *
 *  A getter is called between psInBegin() and psInEnd().
 */
#ifndef INC_devPsItems_H
#define INC_devPsItems_H

#include <epicsTypes.h>

#include "psIocChild.h"
#include "psLink.h"

typedef struct psBiItem {
    const char *name;
    bool (*get)(const psIocView *v);
    /** Severity beyond what the record's own xSV give; may be NULL.
     *  @param outWhy its message, valid as long as the view */
    epicsEnum16 (*sevr)(const psIocView *v, const char **outWhy);
} psBiItem;

typedef struct psLongItem {
    const char *name;
    epicsInt32 (*get)(const psIocView *v);
} psLongItem;

typedef struct psAiItem {
    const char *name;
    double (*get)(const psIocView *v);
} psAiItem;

/** Of stringin and lsi. */
typedef struct psTextItem {
    const char *name;
    void (*get)(const psIocView *v, char *out, size_t size);
} psTextItem;

/** Of a waveform of characters. */
typedef struct psCharsItem {
    const char *name;
    bool isHead;
    /** @return what is shown, lines with LF between them; valid as the view is */
    const char *(*get)(const psIocView *v, size_t *outLen);
} psCharsItem;

/** @name Items of psTopicConsole. @{ */
extern const psItemTable psConsoleBiTable;
extern const psItemTable psConsoleAiTable;
extern const psItemTable psConsoleLongTable;
extern const psItemTable psConsoleTextTable;
extern const psItemTable psConsoleCharsTable;
/** @} */

/** @name Items of psTopicResources. @{ */
extern const psItemTable psResourcesLongTable;
extern const psItemTable psResourcesAiTable;
/** @} */

#endif
