#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# How endpoints may be written: each spelling is taken or refused as by procServ, but for what
# docs/migrating.md names.  And what is new: IPv6.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Errno qw(EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT ENODEV);
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
use Test::More;
use PsTest;
use PsTest::Server;

deadman(240);
needs(-x program(), 'the program ' . program());

my ($theirs) = grep { -x } '/usr/bin/procServ', '/usr/local/bin/procServ';
my $dir = tmpdir();
mkdir "$dir/empty" or die "$dir/empty: $!";
my $abstract = "psTest-$$";
my $port = qr/[1-9]\d*/;
my $local = qr/tcp:127\.0\.0\.1:$port/;

# What is written, and what both make of it: the endpoint in the info file, or the exit code.
# What procServ makes of it comes third where the two differ.
my @spellings = (
    ['0', $local], ['+0', $local], ['00', $local], [' 0 ', $local], ["\t0\n", $local],
    ['', 1], ['+', 1], ['++0', 1], ['-5', 1], ['0x', 1], ['0 x', 1], ['0x0', 1], ['99999', 1],
    ['65536', 1], ['18446744073709571616', 1],
    ['-0', 1, $local], ['4294967296', 1, $local],

    ['127.0.0.1:0', $local], ['127.0.0.1:+0', $local], ['+127.0.0.+1:0', $local],
    ['127.0.0.01:0', $local], [' 127.0.0.1:0 ', $local], ['127 . 0. 0 .1 : 0', $local],
    ['0.0.0.0:0', $local], ['10.0.0.7:0', $local],
    ['127.1:0', 1], ['127.0.0.1', 1], ['127.0.0.1:', 1], ['127.0.0.1:0x', 1],
    ['127.0.0.1:65536', 1], ['127.0.0.0.1:0', 1], ['localhost:0', 1], ['*:0', 1], [':0', 1],
    ['tcp:127.0.0.1:0', 1], ['256.0.0.1:0', 1, $local], ['-129.0.0.1:0', 1, $local],
    ['127.0.0.1:-0', 1, $local],

    ['unix:s', 'unix:s'], ['unix:./s', 'unix:./s'], ['unix: s', 'unix: s'],
    ['unix::::s', 'unix:s'], ['unix::::a:b', 'unix:a:b'], ['unix::::unix:s', 'unix:unix:s'],
    ['unix:::600:s', 'unix:s'], ['unix:::0600:s', 'unix:s'], ['unix:::0:s', 'unix:s'],
    ['unix', 1], ['unix:', 1], ['UNIX:s', 1], [' unix:s', 1], ['unix:a:b', 1], ['unix:::0600', 1],
    ['unix:::0600:', 1], ['unix:psNoUser:::s', 1], ['unix::psNoGroup::s', 1], ['unix:0:::s', 1],
    ['unix::0::s', 1], ['unix:-1:::s', 1],
    ['unix:::8:s', 1, 'unix:s'], ['unix:::abc:s', 1, 'unix:s'], ['unix:::4755:s', 1, 'unix:s'],
    ['unix:::0600 :s', 1, 'unix:s'], ['unix:::+600:s', 1, 'unix:s'], ['unix:::-1:s', 1, 'unix:s'],

    ["unix:\@$abstract", "unix:\@$abstract"], ["unix::::\@$abstract", "unix:\@$abstract"],
    ["unix:::0600:\@$abstract", "unix:\@$abstract"], ["unix:psNoUser:::\@$abstract", 1],
    ['unix:@', 1, 'unix:@'], ["unix:::abc:\@$abstract", 1, "unix:\@$abstract"],

    ['[::1]', 1], ['[::1]:', 1], ['[::1]0', 1], ['[::1:0', 1], ['::1]:0', 1], ['::1', 1], ['::1:0', 1],
    ['[::1]:65536', 1], ['[::g]:0', 1], ['[127.0.0.1]:0', 1], ['[::ffff:127.0.0.1]:0', 1],
    ['[::1%lo]:0', 1], ['[fe80::1]:0', 1], ['[fe80::1%]:0', 1], ['[]:0', 1],
);

# What the program at $path makes of it.
sub made_of {
    my ($path, $spelling) = @_;
    my $info = "$dir/info";
    unlink $info;
    my $proc = PsTest::Proc->start(dir => "$dir/empty", env => {PROCSERV_PID => undef},
        cmd => [$path, $path eq program() && !is_procserv() ? '--no-ioc' : (), '-f', '-I', $info,
            '-P', $spelling, '/bin/cat']);
    wait_for { !$proc->running || file_text($info) =~ /\n.*\n\z/s } 10, "an outcome of '$spelling'";
    return $proc->exit_code unless $proc->running;
    my ($endpoint) = file_text($info) =~ /\Apid:\d+\n(.*)\n\z/s;
    $proc->stop;
    return $endpoint;
}

sub is_made {
    my ($path, $spelling, $expect) = @_;
    my $made = made_of($path, $spelling);
    (my $name = $spelling) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    return ref $expect ? like($made, qr/\A$expect\z/, "'$name'") : is($made, $expect, "'$name'");
}

subtest 'Spellings' => sub {
    is_made(program(), $_->[0], $_->[1]) for @spellings;
};

subtest 'Spellings that procServ takes' => sub {
    plan(skip_all => 'no procServ to ask: apt-get install procserv') if !$theirs;
    is_made($theirs, $_->[0], defined $_->[2] ? $_->[2] : $_->[1]) for @spellings;
};

# ---- IPv6 ----

sub has_ipv6 {
    socket(my $socket, AF_INET6, SOCK_STREAM, 0) or return 0;
    return bind $socket, pack_sockaddr_in6(0, inet_pton(AF_INET6, '::1'));
}

# An end at the start, as run by the words in @$by: its code, and what it says.
sub fails {
    my ($by, $args, $code, $reason) = @_;
    my $proc = PsTest::Proc->start(
        cmd => ['/bin/bash', '-c', 'exec -a procServ "$0" "$@"', @$by, program(), '--no-ioc', '-f', '-n', 'T',
            @$args, '/bin/cat']);
    $proc->wait_exit(10) or return;
    is($proc->exit_code, $code, "@$args: exit code $code");
    like($proc->stderr, $reason, 'with the reason');
    like($proc->stderr, qr/: Exiting with error code: $code\n\z/, 'and the code');
}

subtest 'IPv6 beside IPv4' => sub {
    plan(skip_all => 'this machine has no IPv6') if !has_ipv6();
    my $server = PsTest::Server->start(
        args => ['-P', '[::1]:0', '-l', '[::]:0', '--restrict', '-P', '0'], port => undef,
        cmd => ['/bin/sh', '-c', 'echo "<$PROCSERV_INFO>"; exec cat']) or return fail('start');
    my ($log, $four, $six) = my @endpoints = $server->endpoints;
    like($log, qr/\Atcp:\[::1\]:$port\z/, 'the log endpoint, restricted');
    like($four, qr/\A$local\z/, 'a port alone is one of IPv4');
    like($six, qr/\Atcp:\[::1\]:$port\z/, 'the console');
    is(@endpoints, 3, 'no others');
    my $expect = 'PID=' . $server->pid . ";LOG=$log;CTL=$four;CTL=$six";
    like($server->log_text(qr/<.*>\r\n/), qr/<\Q$expect\E>\r\n/, 'PROCSERV_INFO');
    my @clients = map { $server->console(endpoint => $_) } $four, $six;
    my $reader = $server->console(endpoint => $log);
    is(grep({ defined } @clients, $reader), 3, 'each has its client') or return;
    $clients[1]->send("typed over IPv6\r");
    ok($_->expect(qr/typed over IPv6\r\n/), 'sees what was typed') for @clients, $reader;
    my ($taken) = $six =~ /tcp:(.*)/;
    fails([], ['-P', $taken], EADDRINUSE,
        qr/\AT: cannot listen on control endpoint '\Q$taken\E': Address already in use\n/);
    fails([], ['-l', $taken, '-P', 0], EADDRINUSE,
        qr/\AT: cannot listen on log endpoint '\Q$taken\E': Address already in use\n/);
    is($server->stop, 0, 'ends well');
};

subtest 'All addresses of IPv6' => sub {
    plan(skip_all => 'this machine has no IPv6') if !has_ipv6();
    my @networks = ('unshare', '-n', '/bin/sh', '-c', 'ip link set lo up && exec "$@"', 'x');
    plan(skip_all => 'no right to make a network') if system(@networks, '/bin/true');
    my $both = PsTest::Proc->start(cmd => [@networks, program(), '--no-ioc', '-f', '--allow',
            '-I', "$dir/both", '-P', '[::]:20000', '-P', '0.0.0.0:20000', '/bin/cat']);
    wait_for { !$both->running || file_text("$dir/both") =~ /\n.*\n.*\n\z/ } 10, 'the info file';
    is(file_text("$dir/both"), 'pid:' . $both->pid . "\ntcp:0.0.0.0:20000\ntcp:[::]:20000\n",
        'IPv4 and IPv6 share a port number');
    is($both->stop, 0, 'ends well') or diag($both->stderr);
    fails(\@networks, ['--allow', '-P', '[2001:db8::7]:0'], EADDRNOTAVAIL,
        qr/'\[2001:db8::7\]:0': Cannot assign requested address\n/);
    fails(\@networks, ['--allow', '-P', '[fe80::1%psNone0]:0'], ENODEV,
        qr/'\[fe80::1%psNone0\]:0': there is no such network interface\n/);
};

subtest 'Without IPv6' => sub {
    my $deny = PsTest::built('psTestDeny', 'tests/childprog/O.ARCH') or die 'psTestDeny is not built';
    plan(skip_all => 'no filter of system calls here') if system($deny, 'ipv6', '/bin/true');
    fails([$deny, 'ipv6'], ['-P', '[::1]:0'], EAFNOSUPPORT,
        qr/\AT: cannot listen on control endpoint '\[::1\]:0': this system has no IPv6\n/);
    my $four = PsTest::Proc->start(cmd => [$deny, 'ipv6', program(), '--no-ioc', '-f', '-o', 0,
            '/bin/true']);
    $four->wait_exit(10);
    is($four->exit_code, 0, 'IPv4 works') or diag($four->stderr);
};

# ---- unix sockets ----

my @cat = (program(), '--no-ioc', '-f', '-q', '-n', 'T');

# Start $count servers in the same instant; returns those that stay, when all others have ended.
sub race {
    my ($path, $count) = @_;
    my @all = map { PsTest::Proc->start(cmd => [@cat, '-P', "unix:$path", '/bin/cat']) } 1 .. $count;
    wait_for { grep({ !$_->running } @all) >= $count - 1 } 20, 'all but one to end';
    my @ended = grep { !$_->running } @all;
    is(join(' ', map { $_->exit_code } @ended), join(' ', (EADDRINUSE) x ($count - 1)),
        'all but one end with EADDRINUSE');
    return grep { $_->running } @all;
}

subtest 'One server per unix socket' => sub {
    plan(skip_all => 'procServ takes a socket from whoever has it') if is_procserv();
    mkdir "$dir/race" or die "$dir/race: $!";
    my $path = "$dir/race/s";
    for my $round (1 .. 6) {
        # the end of the last round is SIGKILL every second time: a dead socket is left
        is(-S $path ? 1 : 0, ($round + 1) % 2, 'as the last round left it');
        my @stay = race($path, 6);
        is(@stay, 1, "one of six is left in round $round") or last;
        my $client = PsTest::Telnet->new("unix:$path") or last;
        ok($client->expect(qr/server PID: (\d+)\r\n/) && ($client->captured)[0] == $stay[0]->pid,
            'and it is the one at the path');
        if ($round % 2) {
            my ($child) = PsTest::Proc::descendants($stay[0]->pid);
            PsTest::Proc::remember($child) if $child;
            $stay[0]->signal('KILL');
            $stay[0]->wait_exit(10);
        } else {
            is($stay[0]->stop, 0, 'ends well');
        }
    }
    opendir(my $folder, "$dir/race") or die "$dir/race: $!";
    is_deeply([grep { !/^\./ } readdir $folder], [], 'nothing is left in the directory');
};

subtest 'The end of one removes no socket of another' => sub {
    plan(skip_all => 'procServ does') if is_procserv();
    my $path = "$dir/another";
    my @both = map {
        my $server = PsTest::Server->start(args => ['-P', "unix:$path"], port => undef, cmd => ['/bin/cat']);
        unlink $path if !$_; # somebody cleans up
        $server;
    } 0, 1;
    is(grep({ defined } @both), 2, 'two of them') or return;
    $both[0]->stop;
    ok(-S $path, 'the socket of the second is there');
    ok($both[1]->console, 'and answers');
    $both[1]->stop;
    ok(!-e $path, 'until its end');
};

done_testing();
