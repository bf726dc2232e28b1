/* SPDX-License-Identifier: EPICS */
#include <dbDefs.h>
#include <epicsStdio.h>

#include "base/psKey.h"
#include "child/psChildCommand.h"
#include "child/psChildKeys.h"
#include "child/psChildLockout.h"
#include "child/psChildPty.h"
#include "child/psChildText.h"
#include "child/psChildTyped.h"

#define DOUBLE_SEC 0.5 /* a key pressed again so soon belongs to what the first one led to */
#define GUARD_SEC 2.0  /* --key-guard: the second press */

enum { KEY_START = 'R' & 037, KEY_QUIT = 'Q' & 037 };

/* ---- what a key does ---- */

static void keyCommand(psChild *child, const psClient *client, psVerb verb, double value)
{
    char by[PS_BY_BYTES];

    epicsSnprintf(by, sizeof(by), "console %s", client->peer);
    psChildCommandByKey(child, verb, value, by);
}

static void audit(psChild *child, const psClient *client, unsigned char key, const char *more)
{
    char text[3];

    psKeyPrint(key, text);
    psConsoleAudit(&child->console, client->peer, "pressed %s%s", text, more);
}

/* Is the child locked out?  Then the key does nothing, and everybody on the console reads why. */
static bool lockedOut(psChild *child, const psClient *client, unsigned char key)
{
    char text[3];

    psKeyPrint(key, text);
    if (!psChildLockoutRefusesKey(child, text, client->peer))
        return false;
    audit(child, client, key, ", refused: locked out");
    return true;
}

/* Has the key that was pressed last led to a start, just now?  procServ starts a process up to 0.5
 * s after the key, so people and scripts press twice. */
static bool justStarted(const psChild *child)
{
    return child->pressedMono > 0 && psLoopNow(child->loop) < child->pressedMono + DOUBLE_SEC &&
           child->machine.incarnation != child->pressedIncarnation;
}

/* Has a key just been pressed to kill the process that is still there?  What is pressed now means
 * what it will mean when that process is gone. */
static bool justKilled(const psChild *child)
{
    return child->pressedToKill && psLoopNow(child->loop) < child->pressedMono + DOUBLE_SEC &&
           child->machine.incarnation == child->pressedIncarnation &&
           !psMachineAtRest(&child->machine);
}

static void press(psChild *child, const psClient *client, psVerb verb)
{
    child->pressedMono = psLoopNow(child->loop);
    child->pressedIncarnation = child->machine.incarnation;
    child->pressedToKill = verb == psVerbKill;
    keyCommand(child, client, verb, 0);
}

/* --key-guard: a key that ends something counts when it is pressed twice in a row. */
static bool guarded(psChild *child, psClient *client, unsigned char key, const char *ends)
{
    double now = psLoopNow(child->loop);

    if (!child->cfg->keyGuard || (client->armedKey == key && now < client->armedMono + GUARD_SEC)) {
        client->armedKey = 0;
        return false;
    }
    client->armedKey = key;
    client->armedMono = now;
    audit(child, client, key, " once: --key-guard");
    psChildTextPressAgain(client, key, GUARD_SEC, ends);
    return true;
}

static void killKey(psChild *child, psClient *client, unsigned char key)
{
    bool starts = psMachineAtRest(&child->machine) ||
                  (justKilled(child) && child->machine.state == psStateKilling);

    if (lockedOut(child, client, key))
        return;
    if (justStarted(child) && !starts) {
        audit(child, client, key, ", not needed");
        psChildTextJustStarted(client, key);
        return;
    }
    if (!starts && guarded(child, client, key, "kills the child"))
        return;
    audit(child, client, key, "");
    psChildTextKillKey(child);
    press(child, client, starts ? psVerbStart : psVerbKill);
}

static void toggleKey(psChild *child, const psClient *client, unsigned char key)
{
    static const psMode next[psModeCount] = {
        [psModeAlways] = psModeNever,
        [psModeOnFailure] = psModeNever,
        [psModeNever] = psModeOneShot,
        [psModeOneShot] = psModeAlways,
    };

    if (lockedOut(child, client, key))
        return;
    audit(child, client, key, "");
    child->pressedMono = 0; /* what is pressed after that is no second press */
    keyCommand(child, client, psVerbMode, next[child->machine.settings.mode]);
}

static void quitKey(psChild *child, psClient *client)
{
    const char *whyNot = NULL;

    if (lockedOut(child, client, KEY_QUIT) || guarded(child, client, KEY_QUIT, "ends the server"))
        return;
    audit(child, client, KEY_QUIT, "");
    if (!child->ops->quit(child->ctx, child, &whyNot))
        psChildTextNotice(child, "%s", whyNot);
}

/* ^R and ^Q are keys while no process runs, or none is about to, unless --ignore has them.
 * @return true if the byte was a key */
static bool isKeyAtRest(psChild *child, psClient *client, unsigned char byte)
{
    bool atRest = psMachineAtRest(&child->machine) || justKilled(child);

    if (child->cfg->ignore[byte])
        return false;
    if (byte == KEY_START && atRest) {
        if (lockedOut(child, client, byte))
            return true;
        audit(child, client, byte, "");
        press(child, client, psVerbStart);
        return true;
    }
    if (byte == KEY_START)
        return justStarted(child);
    /* What a kill key has just said still holds: "^Q quits the server". */
    if (byte == KEY_QUIT && (atRest || (justStarted(child) && child->pressedToKill))) {
        quitKey(child, client);
        return true;
    }
    return false;
}

/* @return true if the byte was a key */
static bool isKey(psChild *child, psClient *client, unsigned char byte)
{
    const psConfig *cfg = child->cfg;

    if (byte == 0)
        return false; /* 0 stands for a disabled key */
    if (byte == cfg->killKey) {
        killKey(child, client, byte);
    } else if (byte == cfg->toggleKey) {
        toggleKey(child, client, byte);
    } else if (byte == cfg->logoutKey) {
        audit(child, client, byte, "");
        psClientClose(client, false);
    } else {
        return isKeyAtRest(child, client, byte);
    }
    return true;
}

static bool mayBeKey(const psConfig *cfg, unsigned char byte)
{
    return byte == cfg->killKey || byte == cfg->toggleKey || byte == cfg->logoutKey ||
           byte == KEY_START || byte == KEY_QUIT;
}

/* ---- typing ---- */

/* Keys act where they stand in what came: what was typed before goes to the process that was there
 * before, what follows to the one that is there then.  After a key that ends the connection nothing
 * follows.  An Enter right after a key that starts the child, or that is to be pressed again, is
 * part of it: netcat on a terminal cannot send a key without.  What --ignore names goes nowhere. */
void psChildKeysTyped(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psChild *child = ctx;
    uint8_t pass[1024];
    size_t passLen = 0;
    bool mayEnter = false; /* an Enter would belong to the key before */

    psLoopAssertInside(child->loop);
    if (client->cols && (client->cols != child->cols || client->rows != child->rows))
        psChildPtySetSize(child, client->cols, client->rows);
    for (size_t i = 0; i < len && !client->ended; i++) {
        bool key = mayBeKey(child->cfg, bytes[i]);
        bool enter = mayEnter && (bytes[i] == '\r' || bytes[i] == '\n');
        bool atRest = psMachineAtRest(&child->machine);

        if (bytes[i] != client->armedKey && !enter)
            client->armedKey = 0;
        if (key || passLen == sizeof(pass)) {
            psChildTypedPut(child, client, pass, passLen);
            passLen = 0;
        }
        key = key && isKey(child, client, bytes[i]);
        if (!key && !enter && !child->cfg->ignore[bytes[i]])
            pass[passLen++] = bytes[i];
        mayEnter = key && ((atRest && !psMachineAtRest(&child->machine)) || client->armedKey);
    }
    psChildTypedPut(child, client, pass, passLen);
}

/* The size is that of the client that typed last; the only client needs not type. */
void psChildKeysSized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psChild *child = ctx;

    psLoopAssertInside(child->loop);
    for (ELLNODE *node = ellFirst(&child->console.clients.list); node; node = ellNext(node)) {
        const psClient *other = CONTAINER(node, psClient, node);

        if (other != client && !other->readOnly && other->typedMono > client->typedMono)
            return;
    }
    psChildPtySetSize(child, cols, rows);
}
