/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>
#include <epicsStdlib.h>

#include "base/psText.h"
#include "model/psNotifyNews.h"

#define EXTEND_SEC_MAX 86400.0
#define DIGITS_MAX 20

static bool hasName(const char *line, size_t len, const char *name, const char **outValue,
                    size_t *outValueLen)
{
    size_t nameLen = strlen(name);

    if (len < nameLen || memcmp(line, name, nameLen) != 0)
        return false;
    *outValue = line + nameLen;
    *outValueLen = len - nameLen;
    return true;
}

/* Bytes that are no character are shown as \xHH, so it may become longer: a part of a character or
 * of \xHH at the end is left out. */
static void takeStatus(psNotifyNews *news, const char *value, size_t len)
{
    psText text = PS_TEXT_INIT;

    psTextAppendName(&text, value, len);
    if (!text.failed) {
        size_t end = text.len;

        if (end >= sizeof(news->status)) {
            end = sizeof(news->status) - 1;
            while (end > 0 && ((unsigned char)text.data[end] & 0xc0) == 0x80)
                end--;
        }
        memcpy(news->status, text.data ? text.data : "", end);
        news->status[end] = '\0';
        news->hasStatus = true;
    }
    psTextClear(&text);
}

static void takeExtension(psNotifyNews *news, const char *value, size_t len)
{
    char digits[DIGITS_MAX + 1];
    unsigned long long usec;

    if (len == 0 || len > DIGITS_MAX)
        return;
    memcpy(digits, value, len);
    digits[len] = '\0';
    if (digits[0] == '-' || epicsParseULLong(digits, &usec, 10, NULL))
        return;
    news->extendSec = 1e-6 * (double)usec;
    if (news->extendSec > EXTEND_SEC_MAX)
        news->extendSec = EXTEND_SEC_MAX;
}

static bool isOne(const char *value, size_t len)
{
    return len == 1 && value[0] == '1';
}

static void takeWatchdog(psNotifyNews *news, const char *value, size_t len)
{
    static const char trigger[] = "trigger";

    news->watchdog = isOne(value, len);
    news->watchdogTrigger = len == sizeof(trigger) - 1 && memcmp(value, trigger, len) == 0;
}

static void takeLine(psNotifyNews *news, const char *line, size_t len)
{
    const char *value;
    size_t valueLen;

    if (hasName(line, len, "READY=", &value, &valueLen))
        news->ready = isOne(value, valueLen);
    else if (hasName(line, len, "RELOADING=", &value, &valueLen))
        news->reloading = isOne(value, valueLen);
    else if (hasName(line, len, "STOPPING=", &value, &valueLen))
        news->stopping = isOne(value, valueLen);
    else if (hasName(line, len, "STATUS=", &value, &valueLen))
        takeStatus(news, value, valueLen);
    else if (hasName(line, len, "WATCHDOG=", &value, &valueLen))
        takeWatchdog(news, value, valueLen);
    else if (hasName(line, len, "EXTEND_TIMEOUT_USEC=", &value, &valueLen))
        takeExtension(news, value, valueLen);
}

int psNotifyNewsParse(const char *bytes, size_t len, psNotifyNews *out)
{
    const char *end = bytes + len;

    if (memchr(bytes, '\0', len))
        return -EBADMSG;
    memset(out, 0, sizeof(*out));
    while (bytes < end) {
        const char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *lineEnd = feed ? feed : end;

        takeLine(out, bytes, (size_t)(lineEnd - bytes));
        bytes = feed ? feed + 1 : end;
    }
    return 0;
}
