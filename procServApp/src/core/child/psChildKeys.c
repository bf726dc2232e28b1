/* SPDX-License-Identifier: EPICS */
#include <dbDefs.h>
#include <epicsStdio.h>

#include "child/psChildCommand.h"
#include "child/psChildKeys.h"
#include "child/psChildPty.h"
#include "child/psChildText.h"

/* ---- keys ---- */

static void keyCommand(psChild *child, const psClient *client, psVerb verb, double value)
{
    char by[PS_BY_BYTES];

    epicsSnprintf(by, sizeof(by), "console %s", client->peer);
    psChildCommandByKey(child, verb, value, by);
}

static void killKey(psChild *child, const psClient *client)
{
    psChildTextKillKey(child);
    keyCommand(child, client, psMachineAtRest(&child->machine) ? psVerbStart : psVerbKill, 0);
}

static void toggleKey(psChild *child, const psClient *client)
{
    static const psMode next[psModeCount] = {
        [psModeAlways] = psModeNever,
        [psModeOnFailure] = psModeNever,
        [psModeNever] = psModeOneShot,
        [psModeOneShot] = psModeAlways,
    };

    keyCommand(child, client, psVerbMode, next[child->machine.settings.mode]);
}

static void quitKey(psChild *child)
{
    const char *whyNot = NULL;

    if (!child->ops->quit(child->ctx, &whyNot))
        psChildTextNotice(child, "%s", whyNot);
}

/* @return true if the byte was a key */
static bool isKey(psChild *child, psClient *client, unsigned char byte)
{
    const psConfig *cfg = child->cfg;

    if (byte == 0)
        return false; /* 0 stands for a disabled key */
    if (byte == cfg->killKey)
        killKey(child, client);
    else if (byte == cfg->toggleKey)
        toggleKey(child, client);
    else if (byte == cfg->logoutKey)
        psClientClose(client, false);
    else if (psMachineAtRest(&child->machine) && byte == ('R' & 037))
        keyCommand(child, client, psVerbStart, 0);
    else if (psMachineAtRest(&child->machine) && byte == ('Q' & 037))
        quitKey(child);
    else
        return false;
    return true;
}

/* ---- typing ---- */

static void takeTyped(psChild *child, psClient *client, const uint8_t *bytes, size_t len)
{
    psInput *input = &child->input;
    size_t taken = psInputPut(input, bytes, len);

    if (taken < len && !input->fullReported) {
        input->fullReported = true;
        psChildTextInputLost(client, len - taken, !input->data);
    }
    if (input->lineLen > PS_CANONICAL_BYTES && !input->tooLongReported &&
        psPtyCanonical(&child->pty)) {
        input->tooLongReported = true;
        psChildTextLineTooLong(client);
    }
    psChildPtySend(child);
}

/* Keys are acted on first, wherever they stand in what came; the rest goes to the child, but
 * for what --ignore names. */
void psChildKeysTyped(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psChild *child = ctx;
    bool present = child->pty.master >= 0; /* for what was typed: a key may start one */
    uint8_t pass[1024];
    size_t passLen = 0;

    psLoopAssertInside(child->loop);
    if (client->cols && (client->cols != child->cols || client->rows != child->rows))
        psChildPtySetSize(child, client->cols, client->rows);
    for (size_t i = 0; i < len; i++) {
        if (!isKey(child, client, bytes[i]) && !child->cfg->ignore[bytes[i]])
            pass[passLen++] = bytes[i];
        if (passLen == sizeof(pass) || (i + 1 == len && passLen > 0)) {
            if (present && child->pty.master >= 0)
                takeTyped(child, client, pass, passLen);
            passLen = 0;
        }
    }
}

/* The size is that of the client that typed last; the only client needs not type. */
void psChildKeysSized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psChild *child = ctx;

    psLoopAssertInside(child->loop);
    for (ELLNODE *node = ellFirst(&child->console.clients); node; node = ellNext(node)) {
        const psClient *other = CONTAINER(node, psClient, node);

        if (other != client && !other->readOnly && other->typedMono > client->typedMono)
            return;
    }
    psChildPtySetSize(child, cols, rows);
}
