/* SPDX-License-Identifier: EPICS */
#include <cerrno>
#include <exception>

#include "psBaseText.h"
#include "psGuarded.h"

int psGuarded(psStepFn step, void *ctx, char *msg, size_t msgSize)
{
    try {
        return step(ctx, msg, msgSize);
    } catch (std::exception &thrown) {
        psBaseLine(thrown.what(), msg, msgSize); /* it may bring a whole stack trace along */
    } catch (...) {
        psBaseLine("EPICS Base threw an unknown exception", msg, msgSize);
    }
    return -ECANCELED;
}
