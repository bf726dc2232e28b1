/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psEndpoint.h"

/* 107 bytes, the longest path that fits */
#define TEN "/aaaaaaaaa"
#define PATH_107 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "/aaaaaa"
_Static_assert(sizeof(PATH_107) == PS_SOCKET_PATH_BYTES, "not the longest path");

static char msg[256];

static const struct {
    const char *spec;
    bool localOnly;
    const char *printed;
} good[] = {
    {"2000", true, "tcp:127.0.0.1:2000"},
    {"2000", false, "tcp:0.0.0.0:2000"},
    {" 2000 ", true, "tcp:127.0.0.1:2000"},
    {"0", true, "tcp:127.0.0.1:0"},
    {"65535", true, "tcp:127.0.0.1:65535"},
    {"0.0.0.0:0", true, "tcp:127.0.0.1:0"},
    {"0.0.0.0:0", false, "tcp:0.0.0.0:0"},
    {"192.168.1.2:20000", false, "tcp:192.168.1.2:20000"},
    {"192.168.1.2:20000", true, "tcp:127.0.0.1:20000"},
    {"127.0.0.5:20000", true, "tcp:127.0.0.5:20000"},
    {"1 . 2 . 3 . 4 : 5 ", false, "tcp:1.2.3.4:5"},
    {"+0", true, "tcp:127.0.0.1:0"},
    {" +127.0.0.+1:+20000", true, "tcp:127.0.0.1:20000"},
    {"[::1]:20000", true, "tcp:[::1]:20000"},
    {" [::1] : +20000 ", true, "tcp:[::1]:20000"},
    {"[0:0:0:0:0:0:0:1]:65535", true, "tcp:[::1]:65535"},
    {"[::]:0", false, "tcp:[::]:0"},
    {"[::]:0", true, "tcp:[::1]:0"},
    {"[2001:DB8::7]:20000", false, "tcp:[2001:db8::7]:20000"},
    {"[2001:db8::7]:20000", true, "tcp:[::1]:20000"},
    {"[::10.0.0.7]:20000", false, "tcp:[::10.0.0.7]:20000"},
    {"[1111:2222:3333:4444:5555:6666:7777:8888]:20000", false,
     "tcp:[1111:2222:3333:4444:5555:6666:7777:8888]:20000"},
    {"[fe80::1%eth0]:20000", false, "tcp:[fe80::1%eth0]:20000"},
    {"[fe80::1%2]:20000", false, "tcp:[fe80::1%2]:20000"},
    {"[fe80::1%eth0]:20000", true, "tcp:[::1]:20000"},
    {"unix:/run/ioc/control", true, "unix:/run/ioc/control"},
    {"unix:relative", true, "unix:relative"},
    {"unix::::/a:b", true, "unix:/a:b"},
    {"unix:@name", true, "unix:@name"},
    {"unix::::@name", true, "unix:@name"},
    {"unix:::0600:@name", true, "unix:@name"},
    {"unix:" PATH_107, true, "unix:" PATH_107},
};

static const struct {
    const char *spec;
    const char *msg;
} bad[] = {
    {"99999", "procServ: invalid control port 99999 (must be <65536)"},
    {"65536", "procServ: invalid control port 65536 (must be <65536)"},
    {"300.1.1.1:99999", "procServ: invalid control port 99999 (must be <65536)"},
    {"1.256.1.1:9", "Invalid address in socket spec '1.256.1.1:9' (each number must be <256)"},
    {"", "Invalid socket spec ''"},
    {"abc", "Invalid socket spec 'abc'"},
    {"0x10", "Invalid socket spec '0x10'"},
    {"-5", "Invalid socket spec '-5'"},
    {"12 3", "Invalid socket spec '12 3'"},
    {"localhost:20001", "Invalid socket spec 'localhost:20001'"},
    {"-0", "Invalid socket spec '-0'"},
    {"+", "Invalid socket spec '+'"},
    {"+-1", "Invalid socket spec '+-1'"},
    {"4294967296", "procServ: invalid control port 4294967295 (must be <65536)"},
    {"[::1]:65536", "procServ: invalid control port 65536 (must be <65536)"},
    {"[::1]", "Invalid socket spec '[::1]' (expected [ADDRESS]:PORT)"},
    {"[::1]:", "Invalid socket spec '[::1]:' (expected [ADDRESS]:PORT)"},
    {"[::1]:x", "Invalid socket spec '[::1]:x' (expected [ADDRESS]:PORT)"},
    {"[::1]:1x", "Invalid socket spec '[::1]:1x' (expected [ADDRESS]:PORT)"},
    {"[::1]20000", "Invalid socket spec '[::1]20000' (expected [ADDRESS]:PORT)"},
    {"[::1:20000", "Invalid socket spec '[::1:20000' (the IPv6 address has no closing bracket)"},
    {"::1", "Invalid socket spec '::1' (an IPv6 address needs brackets: [ADDRESS]:PORT)"},
    {"fe80::1:20", "Invalid socket spec 'fe80::1:20' "
                   "(an IPv6 address needs brackets: [ADDRESS]:PORT)"},
    {"::1]:20000", "Invalid socket spec '::1]:20000'"},
    {"host:name:1", "Invalid socket spec 'host:name:1'"},
    {"[]:1", "Invalid address in socket spec '[]:1' (no IPv6 address is between the brackets)"},
    {"[::g]:1",
     "Invalid address in socket spec '[::g]:1' (no IPv6 address is between the brackets)"},
    {"[127.0.0.1]:1",
     "Invalid address in socket spec '[127.0.0.1]:1' (no IPv6 address is between the brackets)"},
    {"[localhost]:1",
     "Invalid address in socket spec '[localhost]:1' (no IPv6 address is between the brackets)"},
    {"[" PATH_107 "]:1",
     "Invalid address in socket spec '[" PATH_107 "]:1' (no IPv6 address is between the brackets)"},
    {"[::ffff:127.0.0.1]:1", "Invalid address in socket spec '[::ffff:127.0.0.1]:1' "
                             "(write an IPv4 address without brackets)"},
    {"[fe80::1]:1", "Invalid address in socket spec '[fe80::1]:1' "
                    "(a link-local address needs its interface: [fe80::1%eth0]:PORT)"},
    {"[::1%lo]:1", "Invalid address in socket spec '[::1%lo]:1' "
                   "(only a link-local address has an interface)"},
    {"[fe80::1%]:1", "Invalid address in socket spec '[fe80::1%]:1' "
                     "(an interface has a name of 1 to 15 characters)"},
    {"[fe80::1%a b]:1", "Invalid address in socket spec '[fe80::1%a b]:1' "
                        "(an interface has a name of 1 to 15 characters)"},
    {"[fe80::1%sixteenletters16]:1",
     "Invalid address in socket spec '[fe80::1%sixteenletters16]:1' "
     "(an interface has a name of 1 to 15 characters)"},
    {"1.2.3:4", "Invalid socket spec '1.2.3:4'"},
    {"1.2.3.4", "Invalid socket spec '1.2.3.4'"},
    {"1.2.3.4:5x", "Invalid socket spec '1.2.3.4:5x'"},
    {"%H\n", "Invalid socket spec '%H\\x0A'"},
    {"unix:", "expected unix socket path spec."},
    {"unix:@", "expected unix socket path spec."},
    {"unix:::0600:", "expected unix socket path spec."},
    {"unix:a:b:/x", "Unix path+permissions spec unparsable 'a:b:/x'"},
    {"unix:nouser-here:::/s", "Unknown user 'nouser-here'"},
    {"unix::nogroup-here::/s", "Unknown group 'nogroup-here'"},
    {"unix:::abc:/s", "Invalid unix socket permissions 'abc' (octal, 0 to 777)"},
    {"unix:::4777:/s", "Invalid unix socket permissions '4777' (octal, 0 to 777)"},
    {"unix:::0668:/s", "Invalid unix socket permissions '0668' (octal, 0 to 777)"},
    {"unix:::77777777777777777777777:/s",
     "Invalid unix socket permissions '77777777777777777777777' (octal, 0 to 777)"},
    {"unix:::8:@name", "Invalid unix socket permissions '8' (octal, 0 to 777)"},
    {"unix:nouser-here:::@name", "Unknown user 'nouser-here'"},
    {"unix:::0600:@", "expected unix socket path spec."},
    {"unix:" PATH_107 "a", "Unix path is too long (must be <108)"},
};

static int parse(const char *spec, bool localOnly, psEndpoint *out)
{
    return psEndpointParse(spec, "control", localOnly, "procServ", out, msg, sizeof(msg));
}

static void parse_GoodSpecs_ArePrintedAsInfo(void)
{
    for (size_t i = 0; i < NELEMENTS(good); i++) {
        psEndpoint endpoint;
        char text[200] = "";
        size_t len = 0;
        int status = parse(good[i].spec, good[i].localOnly, &endpoint);

        if (status == 0)
            len = psEndpointPrint(&endpoint, text, sizeof(text));
        testOk(status == 0 && strcmp(text, good[i].printed) == 0 && len == strlen(text),
               "'%s'%s is %s", good[i].spec, good[i].localOnly ? " (local)" : "", text);
    }
}

static void parse_BadSpecs_AreRefusedWithReason(void)
{
    for (size_t i = 0; i < NELEMENTS(bad); i++) {
        psEndpoint endpoint, before;

        memset(&endpoint, 0x55, sizeof(endpoint));
        before = endpoint;
        int status = parse(bad[i].spec, true, &endpoint);
        testOk(status == -EINVAL && strcmp(msg, bad[i].msg) == 0, "'%s': %s", bad[i].spec, msg);
        if (memcmp(&endpoint, &before, sizeof(endpoint)) != 0)
            testFail("the endpoint was changed");
    }
}

static void parse_LogPort_IsNamedInMessage(void)
{
    psEndpoint endpoint;
    int status =
        psEndpointParse("70000", "log", false, "/usr/bin/procServ", &endpoint, msg, sizeof(msg));

    testOk(status == -EINVAL &&
               strcmp(msg, "/usr/bin/procServ: invalid log port 70000 (must be <65536)") == 0,
           "%s", msg);
}

static void parse_Owner_SetsUidGidMode(void)
{
    const struct passwd *user = getpwuid(0);
    const struct group *group = getgrgid(1);
    psEndpoint endpoint;
    char spec[200];

    testOk(parse("unix:/s", true, &endpoint) == 0 && endpoint.uid == (uid_t)-1 &&
               endpoint.gid == (gid_t)-1 && endpoint.mode == 0666,
           "without an owner nothing changes, permissions are 0666");
    testOk(parse("unix:::0600:/s", true, &endpoint) == 0 && endpoint.mode == 0600 &&
               endpoint.uid == (uid_t)-1,
           "permissions alone");
    if (!user || !group) {
        testSkip(2, "no user 0 or group 1 here");
        return;
    }
    snprintf(spec, sizeof(spec), "unix:%s:::/s", user->pw_name);
    testOk(parse(spec, true, &endpoint) == 0 && endpoint.uid == 0 && endpoint.gid == user->pw_gid,
           "%s brings his primary group", spec);
    snprintf(spec, sizeof(spec), "unix:%s:%s:0:/s", user->pw_name, group->gr_name);
    testOk(parse(spec, true, &endpoint) == 0 && endpoint.uid == 0 && endpoint.gid == 1 &&
               endpoint.mode == 0 && strcmp(endpoint.path, "/s") == 0,
           "%s", spec);
}

static const struct {
    const char *one, *other;
    bool overlap;
} pairs[] = {
    {"20000", "20000", true},
    {"20000", "20001", false},
    {"0", "0", false},
    {"10.0.0.7:20000", "10.0.0.8:20000", false},
    {"10.0.0.7:20000", "0.0.0.0:20000", true},
    {"20000", "10.0.0.8:20000", true},
    {"20000", "[::]:20000", false},
    {"[::1]:20000", "[::1]:20000", true},
    {"[::1]:20000", "[::]:20000", true},
    {"[::1]:20000", "[::1]:20001", false},
    {"[::1]:20000", "[2001:db8::7]:20000", false},
    {"[fe80::1%a]:20000", "[fe80::1%b]:20000", false},
    {"unix:/s", "unix:/s", true},
    {"unix:/s", "unix:::0600:/s", true},
    {"unix:/s", "unix:/t", false},
    {"unix:@s", "unix:@s", true},
    {"unix:@s", "unix:s", false},
};

static void overlaps_OnlyWhatOneWouldTakeOfTheOther(void)
{
    for (size_t i = 0; i < NELEMENTS(pairs); i++) {
        psEndpoint one, other;

        if (parse(pairs[i].one, false, &one) || parse(pairs[i].other, false, &other))
            testAbort("%s", msg);
        testOk(psEndpointOverlaps(&one, &other) == pairs[i].overlap &&
                   psEndpointOverlaps(&other, &one) == pairs[i].overlap,
               "%s and %s %s", pairs[i].one, pairs[i].other,
               pairs[i].overlap ? "overlap" : "do not overlap");
    }
}

static void print_IntoSmallBuffer_IsCut(void)
{
    psEndpoint endpoint;
    char text[8];
    size_t len = 99;

    if (parse("unix:/long/path", true, &endpoint) == 0)
        len = psEndpointPrint(&endpoint, text, sizeof(text));
    testOk(len == 7 && strcmp(text, "unix:/l") == 0, "cut to %u bytes", (unsigned)len);
}

MAIN(psEndpointTest)
{
    testPlan((int)(NELEMENTS(good) + NELEMENTS(bad) + NELEMENTS(pairs)) + 6);
    parse_GoodSpecs_ArePrintedAsInfo();
    parse_BadSpecs_AreRefusedWithReason();
    parse_LogPort_IsNamedInMessage();
    parse_Owner_SetsUidGidMode();
    overlaps_OnlyWhatOneWouldTakeOfTheOther();
    print_IntoSmallBuffer_IsCut();
    return testDone();
}
