/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asDbLib.h>
#include <asLib.h>
#include <dbDefs.h>
#include <epicsStdio.h>

#include "psAcf.h"
#include "psHosts.h"

#define ACF_BYTES 1048576 /* more is no access security file */

static const char closedRules[] = "ASG(DEFAULT) {\n    RULE(1, READ)\n}\n"
                                  "ASG(PS_RO) {\n    RULE(1, READ)\n}\n"
                                  "ASG(PS_CMD) {\n    RULE(1, READ)\n}\n"
                                  "ASG(PS_CONSOLE) {\n    RULE(1, READ)\n}\n";

/* ---- macros ---- */

static void putItems(FILE *to, const char *const *items)
{
    for (int i = 0; items[i]; i++)
        fprintf(to, "%s\"%s\"", i ? ",\n    " : "", items[i]);
}

/* Length of $(name) or ${name} at text; 0: it is not there. */
static size_t macroAt(const char *text, const char *name)
{
    size_t len = strlen(name);
    char close = text[1] == '(' ? ')' : '}';

    if (text[0] != '$' || (text[1] != '(' && text[1] != '{'))
        return 0;
    return strncmp(text + 2, name, len) == 0 && text[2 + len] == close ? len + 3 : 0;
}

/* Does the text have $(name) or ${name}? */
static bool uses(const char *text, const char *name)
{
    while ((text = strchr(text, '$')) && !macroAt(text, name))
        text++;
    return text;
}

char *psAcfExpand(const char *text, const char *const *users, const char *const *hosts)
{
    char *out = NULL;
    size_t outLen;
    FILE *to = open_memstream(&out, &outLen);

    if (!to)
        return NULL;
    while (*text) {
        size_t isUsers = macroAt(text, "PS_USERS");
        size_t isHosts = macroAt(text, "PS_HOSTS");

        if (isUsers)
            putItems(to, users);
        else if (isHosts)
            putItems(to, hosts);
        else
            fputc(*text, to);
        text += isUsers + isHosts ? isUsers + isHosts : 1;
    }
    bool failed = ferror(to);
    if (fclose(to) || failed) {
        free(out);
        return NULL;
    }
    return out;
}

/* ---- the user ---- */

/* The user who runs us; "" if the uid has no name, or one that no rule can hold. */
static void ownName(char *name, size_t size)
{
    char buf[4096];
    struct passwd pw, *found = NULL;

    name[0] = '\0';
    if (getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) || !found)
        return;
    if (strlen(pw.pw_name) < size && !strpbrk(pw.pw_name, "\"\\\n"))
        epicsSnprintf(name, size, "%s", pw.pw_name);
}

/* ---- files ---- */

/* @return how many bytes are there, or -errno */
static ssize_t readAll(int fd, char *text, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = read(fd, text + len, size - len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

/* A file that is shorter or longer than its size is being written just now: half of the rules may
 * open what the whole closes, so it is refused.
 * @return allocated text; NULL and what is wrong in @p msg */
static char *readRegular(const char *file, int fd, char *msg, size_t msgSize)
{
    struct stat info;

    if (fstat(fd, &info)) {
        epicsSnprintf(msg, msgSize, "%s: %s", file, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > ACF_BYTES) {
        epicsSnprintf(msg, msgSize, "%s: this is not an access security file", file);
        return NULL;
    }
    char *text = malloc((size_t)info.st_size + 2);
    if (!text) {
        epicsSnprintf(msg, msgSize, "%s: out of memory", file);
        return NULL;
    }
    ssize_t len = readAll(fd, text, (size_t)info.st_size + 1);
    if (len == info.st_size) {
        text[len] = '\0';
        return text;
    }
    if (len < 0)
        epicsSnprintf(msg, msgSize, "%s: %s", file, strerror((int)-len));
    else
        epicsSnprintf(msg, msgSize, "%s: the file changed while it was read; try again", file);
    free(text);
    return NULL;
}

static char *readFile(const char *file, char *msg, size_t msgSize)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        epicsSnprintf(msg, msgSize, "%s: %s", file, strerror(errno));
        return NULL;
    }
    char *text = readRegular(file, fd, msg, msgSize);
    close(fd);
    return text;
}

static int writeAll(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, text, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        text += done;
        len -= (size_t)done;
    }
    return 0;
}

/* ---- the rules in use ---- */

static struct {
    int fd;        /* the file in memory stays open: Base reads it at iocInit and every asInit */
    char *text;    /* as the user wrote it; NULL: the closed rules, or none */
    psHosts hosts; /* that were put in */
} inUse = {.fd = -1, .hosts = PS_HOSTS_INIT};

/* @return a descriptor or -errno */
static int makeFile(const char *text)
{
    int fd = memfd_create("procServ.acf", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    int status = writeAll(fd, text, strlen(text));
    if (status) {
        close(fd);
        return status;
    }
    return fd;
}

static void giveBase(int fd)
{
    char path[64];

    epicsSnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    asSetFilename(path);
    if (inUse.fd >= 0)
        close(inUse.fd);
    inUse.fd = fd;
}

/* Takes @p text and @p hosts over if it returns 0. */
static int useText(char *text, const psHosts *hosts)
{
    static const char *const none[] = {NULL};
    char name[256];
    const char *users[] = {name, NULL};

    ownName(name, sizeof(name));
    if ((!name[0] && uses(text, "PS_USERS")) || (!hosts->count && uses(text, "PS_HOSTS")))
        return -ENODATA;
    char *expanded =
        psAcfExpand(text, users, hosts->items ? (const char *const *)hosts->items : none);
    int fd = expanded ? makeFile(expanded) : -ENOMEM;
    free(expanded);
    if (fd < 0)
        return fd;
    giveBase(fd);
    if (inUse.text != text)
        free(inUse.text);
    inUse.text = text;
    psHostsClear(&inUse.hosts);
    inUse.hosts = *hosts;
    return 0;
}

int psAcfUseClosed(void)
{
    int fd = makeFile(closedRules);

    if (fd < 0)
        return fd;
    giveBase(fd);
    free(inUse.text);
    inUse.text = NULL;
    psHostsClear(&inUse.hosts);
    return 0;
}

int psAcfUse(const char *file, char *msg, size_t msgSize)
{
    psHosts hosts = PS_HOSTS_INIT;
    char *text = readFile(file, msg, msgSize);

    if (!text)
        return -EINVAL;
    int status = psHostsInit(&hosts);
    status = status ? status : useText(text, &hosts);
    if (!status)
        return 0;
    if (status == -ENODATA)
        epicsSnprintf(msg, msgSize, "%s: user id %lu has no name, or this host has no address",
                      file, (unsigned long)geteuid());
    else
        epicsSnprintf(msg, msgSize, "%s: %s", file, strerror(-status));
    psHostsClear(&hosts);
    free(text);
    return status;
}

int psAcfRenew(void)
{
    psHosts hosts = PS_HOSTS_INIT;

    if (!inUse.text || !uses(inUse.text, "PS_HOSTS"))
        return 0;
    int status = psHostsInit(&hosts);
    bool same = !status && psHostsEqual(&hosts, &inUse.hosts);
    if (!status && !same)
        status = useText(inUse.text, &hosts);
    if (status || same)
        psHostsClear(&hosts);
    return status ? status : !same;
}

void psAcfNotInForce(void)
{
    psHostsClear(&inUse.hosts);
}

/* ---- what it lacks ---- */

static const ASG *findGroup(const char *name)
{
    const ASBASE *base = (const ASBASE *)pasbase;

    for (ELLNODE *node = base ? ellFirst(&base->asgList) : NULL; node; node = ellNext(node)) {
        const ASG *asg = CONTAINER(node, ASG, node);

        if (strcmp(asg->name, name) == 0)
            return asg;
    }
    return NULL;
}

static bool traps(const ASG *asg)
{
    for (ELLNODE *node = ellFirst(&asg->ruleList); node; node = ellNext(node)) {
        const ASGRULE *rule = CONTAINER(node, ASGRULE, node);

        if (rule->access >= asWRITE && !(rule->trapMask & AS_TRAP_WRITE))
            return false;
    }
    return true;
}

const char *psAcfLacks(void)
{
    const ASG *commands = findGroup("PS_CMD");

    if (!commands)
        return "it has no ASG(PS_CMD): commands use the rules of DEFAULT";
    if (!findGroup("PS_RO"))
        return "it has no ASG(PS_RO): status records use the rules of DEFAULT";
    if (!findGroup("PS_CONSOLE"))
        return "it has no ASG(PS_CONSOLE): console input uses the rules of DEFAULT";
    if (!traps(commands))
        return "ASG(PS_CMD) lacks TRAPWRITE: nobody will know who gave a command";
    return NULL;
}
