/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
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

#define ACF_BYTES 1048576 /* more is no access security file */
#define HOSTS 64          /* addresses of this host; more are left out */

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

/* ---- who may ---- */

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

typedef char hostText[INET_ADDRSTRLEN];

/* Every IPv4 address of this host: a client here that found us by broadcast comes from the
 * interface's address, not from 127.0.0.1. */
static int ownAddresses(hostText hosts[HOSTS])
{
    struct ifaddrs *all = NULL;
    int count = 0;

    if (getifaddrs(&all))
        return 0;
    for (struct ifaddrs *i = all; i && count < HOSTS; i = i->ifa_next) {
        const struct sockaddr_in *in = (const void *)i->ifa_addr;
        int k = 0;

        if (!in || in->sin_family != AF_INET ||
            !inet_ntop(AF_INET, &in->sin_addr, hosts[count], sizeof(hosts[0])))
            continue;
        while (strcmp(hosts[k], hosts[count]) != 0)
            k++;
        count += k == count;
    }
    freeifaddrs(all);
    return count;
}

/* ---- files ---- */

static char *readFile(const char *file, char *msg, size_t msgSize)
{
    char *text = NULL;
    size_t len = 0;
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st)) {
        epicsSnprintf(msg, msgSize, "%s: %s", file, strerror(errno));
    } else if (!S_ISREG(st.st_mode) || st.st_size > ACF_BYTES) {
        epicsSnprintf(msg, msgSize, "%s: no access security file", file);
    } else if ((text = malloc((size_t)st.st_size + 1))) {
        ssize_t got;

        while (len < (size_t)st.st_size &&
               (got = read(fd, text + len, (size_t)st.st_size - len)) > 0)
            len += (size_t)got;
        text[len] = '\0';
    } else {
        epicsSnprintf(msg, msgSize, "%s: out of memory", file);
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* The file in memory stays open: Base reads it at iocInit and at every asInit. */
static int useText(const char *text)
{
    static int current = -1;
    char path[64];
    size_t len = strlen(text);
    int fd = memfd_create("procServ.acf", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, text, len) != (ssize_t)len) {
        close(fd);
        return -EIO;
    }
    epicsSnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    asSetFilename(path);
    if (current >= 0)
        close(current);
    current = fd;
    return 0;
}

int psAcfUseClosed(void)
{
    return useText(closedRules);
}

int psAcfUse(const char *file, char *msg, size_t msgSize)
{
    char name[256];
    hostText hostTexts[HOSTS];
    const char *users[] = {name, NULL};
    const char *hosts[HOSTS + 1];
    char *text, *expanded;
    int count, status;

    text = readFile(file, msg, msgSize);
    if (!text)
        return -EINVAL;
    ownName(name, sizeof(name));
    count = ownAddresses(hostTexts);
    for (int i = 0; i < count; i++)
        hosts[i] = hostTexts[i];
    hosts[count] = NULL;
    if ((!name[0] && uses(text, "PS_USERS")) || (!count && uses(text, "PS_HOSTS"))) {
        epicsSnprintf(msg, msgSize, "%s: uid %lu has no name, or this host no address", file,
                      (unsigned long)geteuid());
        free(text);
        return -ENOENT;
    }
    expanded = psAcfExpand(text, users, hosts);
    free(text);
    status = expanded ? useText(expanded) : -ENOMEM;
    free(expanded);
    if (status)
        epicsSnprintf(msg, msgSize, "%s: %s", file, strerror(-status));
    return status;
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
        return "it has no ASG(PS_CMD): commands fall to DEFAULT";
    if (!findGroup("PS_RO"))
        return "it has no ASG(PS_RO): status records fall to DEFAULT";
    if (!findGroup("PS_CONSOLE"))
        return "it has no ASG(PS_CONSOLE): typed lines fall to DEFAULT";
    if (!traps(commands))
        return "ASG(PS_CMD) lacks TRAPWRITE: nobody will know who gave a command";
    return NULL;
}
