/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>
#include <epicsTypes.h>

#include "psIocPut.h"
#include "psIocWho.h"

/* Of a longer text, Base's clients deliver so many bytes, and say nothing. */
#define CUT_LENGTH (MAX_STRING_SIZE - 1)

int psIocPutCheck(const psCommand *cmd, const psTarget *target, bool whole)
{
    if (cmd->text && strlen(cmd->text) == CUT_LENGTH && !whole)
        return -EMSGSIZE;
    if (cmd->text)
        return psVerbCheckText(cmd->verb, cmd->text);
    psRange only = target->range;
    return cmd->value >= only.low && cmd->value <= only.high ? 0 : -EINVAL; /* NaN is not */
}

static void explainValue(const psCommand *cmd, psRange only, char *msg, size_t msgSize)
{
    if (cmd->text)
        epicsSnprintf(msg, msgSize, "a text has at most %d bytes and no control characters",
                      (int)psVerbTextBytes(cmd->verb) - 1);
    else if (only.low < only.high)
        epicsSnprintf(msg, msgSize, "%.10g is outside %.10g...%.10g", cmd->value, only.low,
                      only.high);
    else
        epicsSnprintf(msg, msgSize, "only %.10g can be written, not %.10g", only.low, cmd->value);
}

void psIocPutExplain(int status, const psCommand *cmd, const psTarget *target, char *msg,
                     size_t msgSize)
{
    switch (status) {
    case -EINVAL:
        explainValue(cmd, target->range, msg, msgSize);
        break;
    case -EMSGSIZE:
        epicsSnprintf(msg, msgSize,
                      "the text may have been cut at %d characters: put it to VAL$, or shorten it",
                      CUT_LENGTH);
        break;
    case -ENOENT:
        epicsSnprintf(msg, msgSize, "%s",
                      target->child ? "there is no child of that name" : "nothing is supervised");
        break;
    case -EAGAIN:
        epicsSnprintf(msg, msgSize, "too many commands are waiting");
        break;
    case -ESHUTDOWN:
        epicsSnprintf(msg, msgSize, "the supervisor is shutting down");
        break;
    default:
        epicsSnprintf(msg, msgSize, "%s", strerror(-status));
        break;
    }
}

void psIocPutLine(const dbCommon *prec, const psCommand *cmd, char *out, size_t size)
{
    char what[PS_PUT_LINE_BYTES];

    if (cmd->text)
        epicsSnprintf(what, sizeof(what), "put %s %s", prec->name, cmd->text);
    else
        epicsSnprintf(what, sizeof(what), "put %s %.10g", prec->name, cmd->value);
    psIocWhoLine(cmd->by, what, out, size);
}
