#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The telnet console: banner, keys, modes, what goes where.  The texts are procServ's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Cwd qw(getcwd);
use Test::More;
use PsTest;
use PsTest::Server;

deadman(150);
needs(-x program(), 'the program ' . program());

# procServ 2.7 lacks some words and lines that came later.
my $mode = is_procserv() ? '' : ' mode';
my $kill = is_procserv() ? '' : "\r\n\@\@\@ Got a kill command\r\n";
my $line = '@@@ @@@ @@@ @@@ @@@';
my $start_wait = 5;

# Compare line by line; a line is a string, or a pattern where it holds a time.
sub is_text {
    my ($got, $expect, $name) = @_;
    my @got = split /(?<=\n)/, $got;
    my $ok = @got == @$expect;
    for my $i (0 .. $#$expect) {
        my $e = $expect->[$i];
        my $same = defined $got[$i] && (ref $e ? $got[$i] =~ /\A$e\r\n\z/ : $got[$i] eq "$e\r\n");
        $ok &&= $same;
        next if $same;
        my $line_got = defined $got[$i] ? $got[$i] : 'nothing';
        diag('line ', $i + 1, ": expected '$e', got '$line_got'");
    }
    ok($ok, $name) or diag("all of it:\n$got");
}

sub banner {
    my ($client) = @_;
    wait_for { $client->options >= 2 } 10, 'the greeting after the banner';
    (my $text = $client->raw) =~ s/\xff.*//s;
    return $text;
}

my $cwd = getcwd();
my $time = qr/\w.*\d\d:\d\d:\d\d.*/;

subtest 'A session with two clients' => sub {
    my $server = PsTest::Server->start(
        name => 'My IOC', args => ['-x', '^D', '-i', '^C'], cmd => ['/bin/cat'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    my $one = $server->console(banner => 0);
    my @banner = (
        qr/\@\@\@ Welcome to procServ \(.+\)/,
        "\@\@\@ Use ^X to kill the child, auto restart$mode is ON, use ^T to toggle auto restart",
        '@@@ Use ^D to logout from procServ server',
        '@@@ procServ server PID: ' . $server->pid,
        "\@\@\@ Server startup directory: $cwd",
        "\@\@\@ Child startup directory: $cwd",
        '@@@ Child "My IOC" started as: /bin/cat',
        is_procserv() ? () : '@@@ Child log file: ' . $server->log_file,
        "\@\@\@ Child \"My IOC\" PID: $pid",
        qr/\@\@\@ procServ server started at: $time/,
        qr/\@\@\@ Child "My IOC" started at: $time/,
        '@@@ 0 user(s) and 0 logger(s) connected (plus you)',
    );
    is_text(banner($one), \@banner, 'banner of a control client, child running');
    is(join('', $one->options), "\xff\xfb\x01\xff\xfd\x22", 'WILL ECHO, DO LINEMODE after it');
    $one->take;
    my $two = $server->console(banner => 0);
    $banner[-1] = '@@@ 1 user(s) and 0 logger(s) connected (plus you)';
    is_text(banner($two), \@banner, 'the second client sees that there is another');
    $two->take;

    $one->send("hello\r");
    ok($one->expect(qr/\Ahello\r\nhello\r\n/), 'echo and answer');
    ok($two->expect(qr/\Ahello\r\nhello\r\n/), 'the other client sees both');
    $one->send("ab\x03c\r\0");
    ok($one->expect(qr/\Aabc\r\nabc\r\n/), 'the NUL of Enter and ignored bytes do not reach the child');
    # What comes first must be text, lest a foreign protocol press keys.
    $two->send("text\r");
    $_->expect(qr/text\r\ntext\r\n/) for $one, $two;
    $two->send("\xff\xfe\r") if !is_procserv();
    for my $client ($one, $two) {
        ok(is_procserv() || $client->expect(qr/\xff\xfe\r\n\xff\xfe\r\n/), 'bytes 0xff go both ways');
        $client->take;
    }
    for my $mode_name (is_procserv() ? qw(OFF ON) : qw(OFF ONESHOT ON)) {
        $one->send("\x14");
        ok($_->expect(qr/\A\r\n\@\@\@ Toggled auto restart$mode to $mode_name\r\n/),
            "^T leads to $mode_name") for $one, $two;
    }

    $one->send("\x18");
    for my $client ($one, $two) {
        ok($client->expect(qr/quits the server, \^D closes this connection\r\n/),
            '^X ends the child');
        next if is_procserv(); # the order of its lines depends on what it sees first
        is_text($client->matched, [
            '', '@@@ Got a kill command', '', $line,
            "\@\@\@ Received a sigChild for process $pid. The process was killed by signal 9",
            qr/\@\@\@ Current time: $time/,
            '@@@ Child process is shutting down, a new one will be restarted shortly',
            '@@@ ^R or ^X restarts the child, ^Q quits the server, ^D closes this connection',
        ], 'told so');
    }

    $one->send("\x04");
    ok($one->closed_by_peer(5), 'the logout key closes its connection');
    $two->send("\x12");
    ok($two->expect(qr/The PID of new child "My IOC" is: (\d+)\r\n\Q$line\E\r\n/, $start_wait),
        '^R restarts at once');
    my ($second) = $two->captured;
    my $three = $server->console;
    $three->send(is_procserv() ? "abc\x04def\r" : "abcdef\r\x04gone\r");
    ok($three->closed_by_peer(5), 'a logout key in the middle of a packet');
    ok($two->expect(qr/\Aabcdef\r\nabcdef\r\n/), 'what stands before it reaches the child');

    my $log = $server->log_text(qr/abcdef\r\nabcdef\r\n/);
    $log =~ s/\A(.*?\Q$line\E\r\n)//s;
    is_text($1, ['@@@ Restarting child "My IOC"', '@@@    (as /bin/cat)',
            "\@\@\@ The PID of new child \"My IOC\" is: $pid", $line], 'begin of the log file');
    like($log, qr/\Ahello\r\nhello\r\nabc\r\nabc\r\n/, 'then the console, with CR LF');
    like($log, qr/\r\n\@\@\@ Toggled .*Received a sigChild .*\@\@\@ Restarting child "My IOC"\r\n/s,
        'and all messages');
    unlike($log, qr/Welcome|connected/, 'no banner');

    is($server->stop, 0, 'SIGTERM: exit code 0');
    ok($two->closed_by_peer(5), 'clients see the end');
    ok(!PsTest::Proc::alive($second), 'the child is gone');
    ok(!-e $server->info_file, 'so is the info file');
    is($server->stdout, '', 'nothing on stdout');
};

subtest 'Waiting for the first start, exit code 7, ^R in the hold-off, ^Q' => sub {
    my $server = PsTest::Server->start(
        name => 'W', args => ['-w'], cmd => ['/bin/sh', '-c', 'echo up; read x; exit 7'])
        or return fail('start');
    my $client = $server->console(banner => 0);
    my @banner = (
        qr/\@\@\@ Welcome to procServ \(.+\)/,
        "\@\@\@ Use ^X to kill the child, auto restart$mode is ON, use ^T to toggle auto restart",
        '@@@ procServ server PID: ' . $server->pid,
        "\@\@\@ Server startup directory: $cwd",
        "\@\@\@ Child startup directory: $cwd",
        '@@@ Child "W" started as: /bin/sh',
        is_procserv() ? () : '@@@ Child log file: ' . $server->log_file,
        '@@@ Child "W" is SHUT DOWN',
        qr/\@\@\@ procServ server started at: $time/,
        '@@@ 0 user(s) and 0 logger(s) connected (plus you)',
        '@@@ ^R or ^X restarts the child, ^Q quits the server',
    );
    is_text(banner($client), \@banner, 'banner before the first start');
    $client->take;
    $client->send("typed\r");
    $server->console->close; # its banner comes after that was read
    $client->send("\x18");
    ok($client->expect(qr/up\r\n/, $start_wait), '^X starts it');
    my $started = $client->matched;
    ok($started =~ /The PID of new child "W" is: (\d+)/, 'its pid is reported');
    my $pid = $1;
    is_text($started, [
        is_procserv() ? () : ('', '@@@ Got a kill command'), '@@@ Restarting child "W"',
        '@@@    (as /bin/sh)', "\@\@\@ The PID of new child \"W\" is: $pid", $line, 'up'],
        'told so; what was typed before is lost');
    $client->send("\r");
    ok($client->expect(qr/quits the server\r\n/), 'the child exits');
    (my $text = $client->matched) =~ s/\A\r\n//; # the echo
    is_text($text, [
        '', $line, "\@\@\@ Received a sigChild for process $pid. Normal exit status = 7",
        qr/\@\@\@ Current time: $time/,
        '@@@ Child process is shutting down, a new one will be restarted shortly',
        '@@@ ^R or ^X restarts the child, ^Q quits the server'], 'told so, with its status');
    my $late = $server->console(banner => 0);
    $banner[-2] = '@@@ 1 user(s) and 0 logger(s) connected (plus you)';
    is_text(banner($late), \@banner, 'banner in the hold-off');
    $late->close;
    $client->send("\x12");
    ok($client->expect(qr/\A\@\@\@ Restarting child "W"\r\n.*up\r\n/s, $start_wait),
        '^R starts it within the hold-off, without a kill message');
    $client->send("\x11\x12\r");
    ok($client->expect(qr/Normal exit status = 7.*quits the server\r\n/s),
        '^Q and ^R are no keys while it runs');
    $client->send("\x11");
    ok($client->closed_by_peer(10), '^Q ends the program at rest');
    $server->wait_exit(10);
    is($server->exit_code, is_procserv() ? 0 : 7, 'with the exit code of the child');
};

subtest 'Disabled keys' => sub {
    my $server = PsTest::Server->start(
        args => ['-w', '-k', '', '--autorestartcmd', ''], cmd => ['/bin/cat'])
        or return fail('start');
    my $client = $server->console(banner => 0);
    my $text = banner($client);
    my $says = "Kill command disabled, auto restart$mode is ON, auto restart toggle disabled";
    like($text, qr/^\@\@\@ $says\r$/m, 'the banner says so');
    $client->take;
    $client->send("\x18\x14");
    ok((stays { $client->text eq '' } 0.3, 'nothing printed'), 'neither key does anything');
    $client->send("\x12");
    ok($client->expect(qr/Restarting child "T"\r\n/, $start_wait), '^R does');
    $server->stop;
};

subtest 'Auto restart off' => sub {
    my $server = PsTest::Server->start(
        args => ['--noautorestart'], cmd => ['/bin/sh', '-c', 'echo RUN; read x; exit 4'])
        or return fail('start');
    my $client = $server->console(banner => 0);
    like(banner($client), qr/auto restart$mode is OFF,/, 'the banner says so');
    $server->wait_child(1);
    $client->send("\r");
    my $reaped = qr/exit status = 4\r\n/;
    my $gone = qr/
        Current\ time:\ [^\n]*\n
        \@\@\@\ Child\ process\ is\ shutting\ down,\ auto\ restart\ is\ disabled\r\n
        \@\@\@\ \^R\ or\ \^X\ restarts\ the\ child,\ \^Q\ quits\ the\ server\r\n/x;
    # procServ's order depends on what it sees first.
    ok($client->expect(
            is_procserv() ? qr/$reaped.*$gone|$gone.*$reaped/s : qr/$reaped\@\@\@ $gone/),
        'the child exits and stays down');
    ok((stays { my @pids = $server->child_pids; @pids == 1 } 0.7, 'one child'), 'no restart');
    $client->send("\x18");
    ok($client->expect(qr/\A\Q$kill\E\@\@\@ Restarting child "T"\r\n.*RUN\r\n/s, $start_wait),
        '^X starts it once');
    # Pressed sooner, it would belong to that start.
    stays { 1 } 0.6, 'the second press';
    $client->send("\x18");
    my @told = (qr/killed by signal 9\r\n/,
        qr/auto restart is disabled\r\n.*quits the server\r\n/s);
    ok($client->expect(qr/$told[0].*$told[1]|$told[1].*$told[0]/s),
        'a second ^X kills it; the mode is as it was');
    $client->send("\x18");
    ok($client->expect(qr/new child "T" is: \d+\r\n/, $start_wait), 'and a third starts it again');
    $server->stop;
};

subtest 'Oneshot' => sub {
    plan(skip_all => 'procServ 2.7 has no oneshot') if is_procserv();
    my $server = PsTest::Server->start(
        args => ['--noautorestart', '--holdoff', '0'],
        cmd => ['/bin/sh', '-c', 'echo RUN; read x; exit 4'])
        or return fail('start');
    my $client = $server->console;
    $server->wait_child(1);
    $client->send("\r");
    ok($client->expect(qr/auto restart is disabled\r\n.*quits the server\r\n/s), 'child is down');
    $client->send("\x14");
    ok($client->expect(
            qr/\A\r\n\@\@\@ Toggled auto restart mode to ONESHOT\r\n\@\@\@ Restarting .*RUN\r\n/s,
            $start_wait), 'toggling to ONESHOT starts it');
    $client->send("\r");
    ok($client->expect(qr/exit status = 4\r\n.*shutting down, oneshot mode: server will exit\r\n/s),
        'after its exit');
    ok($client->closed_by_peer(10), 'the connection is closed');
    unlike($client->text, qr/server will exit\r\n./s, 'no help line before');
    ok($server->wait_exit(10), 'the program ends');
    is($server->exit_code, 4, 'with the exit code of the child');
};

subtest 'A log client' => sub {
    my $server = PsTest::Server->start(args => ['-l', '127.0.0.1:0'], cmd => ['/bin/cat'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    my ($log_end, $control_end) = $server->endpoints;
    my $log = $server->console(endpoint => $log_end, banner => 0);
    is_text(banner($log), [
        '@@@ procServ server PID: ' . $server->pid,
        "\@\@\@ Server startup directory: $cwd",
        "\@\@\@ Child startup directory: $cwd",
        '@@@ Child "T" started as: /bin/cat',
        is_procserv() ? () : '@@@ Child log file: ' . $server->log_file,
        "\@\@\@ Child \"T\" PID: $pid",
        qr/\@\@\@ procServ server started at: $time/,
        qr/\@\@\@ Child "T" started at: $time/], 'its banner is shorter');
    $log->take;
    $log->send("ignored\r\x18\x14");
    my $client = $server->console(banner => 0);
    like(banner($client), qr/^\@\@\@ 0 user\(s\) and 1 logger\(s\) connected \(plus you\)\r$/m,
        'it counts as a logger');
    $client->take;
    $client->send("seen\r");
    ok($log->expect(qr/\Aseen\r\nseen\r\n/), 'it sees the console; its own input went nowhere');
    ok($client->expect(qr/\Aseen\r\nseen\r\n/), 'nor did its keys');
    $server->stop;
};

subtest 'Half-closed and unix-socket clients' => sub {
    my $path = tmpdir() . '/console';
    my $server = PsTest::Server->start(
        args => ['-P', "unix:$path"], port => undef, cmd => ['/bin/cat'])
        or return fail('start');
    $server->wait_child(1);
    is(($server->endpoints)[0], "unix:$path", 'the info file has the path');
    my $client = $server->console;
    my $other = $server->console;
    $other->send("last\r");
    $other->half_close;
    ok($client->expect(qr/\Alast\r\nlast\r\n/), 'what a half-closed client sent before is delivered');
    ok(is_procserv() || $other->expect(qr/last\r\nlast\r\n/), 'and it gets the answer');
    ok($other->closed_by_peer(10), 'then it is closed');
    $server->stop;
    ok(is_procserv() || !-e $path, 'the socket is gone at the end');
};

done_testing();
