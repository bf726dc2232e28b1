#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# How the end of a child is reported, and with which code the program ends.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Server;

deadman(150);
needs(-x program(), 'the program ' . program());

my $rule = '@@@ @@@ @@@ @@@ @@@';

# The log's text from the n-th start on.
sub since_start {
    my ($server, $number) = @_;
    my @part = split /^\@\@\@ Restarting child/m,
        $server->log_text(qr/(?:^\@\@\@ Restarting child.*?){$number}quits the server\r\n/ms);
    return defined $part[$number] ? $part[$number] : '';
}

subtest 'Exit status 3' => sub {
    my $server = PsTest::Server->start(
        args => ['--holdoff', '0'], cmd => ['/bin/sh', '-c', 'echo last words; exit 3'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    ok($server->wait_child(2), 'it is started again');
    my $text = since_start($server, 1);
    like($text, qr/
        \Q$rule\E\r\n last\ words\r\n
        \r\n \Q$rule\E\r\n
        \@\@\@\ Received\ a\ sigChild\ for\ process\ $pid\.\ Normal\ exit\ status\ =\ 3\r\n
        \@\@\@\ Current\ time:\ [^\n]+\r\n
        \@\@\@\ Child\ process\ is\ shutting\ down,\ a\ new\ one\ will\ be\ restarted\ shortly\r\n
        \@\@\@\ \^R\ or\ \^X\ restarts\ the\ child,\ \^Q\ quits\ the\ server\r\n\z/x,
        'last words, status, what comes next; in this order') unless is_procserv();
    $server->stop;
};

for my $case ([KILL => 9], [SEGV => 11], [TERM => 15]) {
    my ($name, $number) = @$case;
    subtest "Killed from outside by SIG$name" => sub {
        # procServ blocks TERM in its children
        plan(skip_all => 'procServ') if is_procserv() && $name eq 'TERM';
        my $server = PsTest::Server->start(
            args => ['--holdoff', '0'], cmd => ['/bin/sh', '-c', 'ulimit -c 0; exec cat'])
            or return fail('start');
        my $client = $server->console;
        my $pid = $server->wait_child(1);
        my $catting = wait_for { file_text("/proc/$pid/comm") eq "cat\n" } 10, 'the exec of cat';
        ok($catting && kill($name, $pid), 'sent');
        ok($client->expect(
                qr/sigChild for process $pid\. The process was killed by signal $number\r\n/),
            'the signal is reported');
        my $second = $server->wait_child(2);
        ok($second && $second != $pid, 'it is started again');
        is($server->stop, 0, 'the program itself ends well');
    };
}

subtest 'A command that cannot be executed' => sub {
    plan(skip_all => 'procServ looks for it first, and ends') if is_procserv();
    my $path = tmpdir() . '/no/such/command';
    my $server = PsTest::Server->start(args => ['--holdoff', '0'], cmd => [$path])
        or return fail('start');
    my $client = $server->console;
    ok((wait_for { $server->log_text =~ /\Q$path\E.*No such file or directory/ } 10,
            'path and reason in the log', sub { $server->log_text }), 'path and reason are reported');
    my $cpu = PsTest::Proc::cpu_seconds($server->pid);
    ok((stays { $server->running } 3, 'running'), 'the program stays');
    my @tries = $server->log_text =~ /No such file or directory/g;
    cmp_ok(scalar @tries, '<=', 4, 'with hold-off 0 it backs off: tries in 3 s');
    cmp_ok(PsTest::Proc::cpu_seconds($server->pid) - $cpu, '<', 0.3, 'and spends no CPU');
    $client->send("\x14");
    ok($client->expect(qr/Toggled auto restart/), 'keys work');
    $server->stop;
};

subtest 'A directory that is not there' => sub {
    my $path = tmpdir() . '/no/such/dir';
    my $server = PsTest::Server->start(args => ['-c', $path], cmd => ['/bin/cat'])
        or return fail('start');
    ok((wait_for { $server->log_text =~ /\Q$path\E.*No such file or directory/ } 10,
            'path and reason in the log', sub { $server->log_text }), 'path and reason are reported');
    $server->stop;
};

subtest 'Exit code of the program' => sub {
    plan(skip_all => 'procServ 2.7 has no oneshot, and other codes') if is_procserv();
    for my $case (
        ['exit 0', 0, 'status 0'],
        ['exit 7', 7, 'status 7'],
        ['kill -KILL $$', 137, 'signal 9: 128 + 9'],
        ) {
        my ($script, $code, $name) = @$case;
        my $begin = time;
        my $server = PsTest::Server->start(
            args => ['-o'], cmd => ['/bin/sh', '-c', "read x; $script"])
            or return fail('start');
        my $client = $server->console;
        $server->wait_child(1);
        $client->send("\r");
        ok($server->wait_exit(10), "$name: oneshot ends after the child");
        is($server->exit_code, $code, 'with its code');
        cmp_ok(time - $begin, '<', scaled(9), 'not after the hold-off');
        like($client->text, qr/oneshot mode: server will exit\r\n\z/, 'the client is told');
    }
    my $server = PsTest::Server->start(cmd => ['/bin/sh', '-c', 'trap "" TERM; exec sleep 1000'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    is($server->stop, 0, 'SIGTERM with a running child: 0');
    ok(!PsTest::Proc::alive($pid), 'which is gone');

    $server = PsTest::Server->start(
        args => ['--noautorestart'], cmd => ['/bin/sh', '-c', 'exit 5']) or return fail('start');
    wait_for { $server->log_text =~ /quits the server/ } 10, 'the end of the child';
    is($server->stop, 5, 'SIGTERM at rest: the status of the last child');
};

subtest 'An end that was asked for is no failure' => sub {
    plan(skip_all => 'procServ ends with what any process has ended with') if is_procserv();
    my $once = tmpdir() . '/once';
    my @fails_once = ('/bin/sh', '-c', "test -e $once || { echo >$once; exit 3; }; exec sleep 1000");
    my $server = PsTest::Server->start(args => ['--holdoff', 0], cmd => \@fails_once)
        or return fail('start');
    ok($server->wait_child(2), 'the first process ended with 3, the second runs');
    is($server->stop, 0, 'SIGTERM: code 0');

    my @ends_with_7 = ('/bin/sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 1; done');
    for my $case (
        [['-o'], 'TERM', '/bin/sleep', 1000],
        [['-o', '--killsig', 'TERM'], 'TERM', '/bin/sleep', 1000],
        [['-o', '--killsig', 'TERM'], 'TERM', @ends_with_7],
        [['-o', '--killsig', 'TERM'], "\x18", @ends_with_7],
        [['-o'], "\x18", '/bin/sleep', 1000],
        [['--noautorestart', '--killsig', 'TERM'], "\x18\x11", @ends_with_7],
    ) {
        my ($args, $how, @cmd) = @$case;
        my $name = "@$args $cmd[0], " . ($how eq 'TERM' ? 'SIGTERM' : $how eq "\x18" ? '^X' : '^X ^Q');
        $server = PsTest::Server->start(args => $args, cmd => \@cmd) or return fail('start');
        my $client = $server->console;
        $server->wait_child(1);
        $server->log_text(qr/^ready/m) if @cmd == 3;
        if ($how eq 'TERM') {
            is($server->stop, 0, "$name: code 0");
            next;
        }
        for my $key (split //, $how) {
            $client->send($key);
            $client->expect(qr/quits the server\r\n/) if $key ne "\x11" && length $how > 1;
        }
        $server->wait_exit(20);
        is($server->exit_code, 0, "$name: code 0");
    }
};

subtest 'What a child leaves running' => sub {
    plan(skip_all => 'procServ differs') if is_procserv();
    my $server = PsTest::Server->start(
        args => ['--holdoff', '0'],
        cmd => ['/bin/sh', '-c', 'sleep 1000 & echo left $!; read x; exit 0'])
        or return fail('start');
    my $client = $server->console;
    ok((wait_for { $server->log_text =~ /left (\d+)\r\n/ } 10, 'the grandchild'),
        'a grandchild runs');
    my ($left) = $server->log_text =~ /left (\d+)\r\n/;
    PsTest::Proc::remember($left);
    $client->send("\r");
    ok($server->wait_child(2), 'it keeps the terminal; the child is started again all the same');
    ok((wait_for { !PsTest::Proc::alive($left) } 5, 'the end of the grandchild'),
        'what is left of the group is killed');
    $server->stop;
};

subtest 'A usage error' => sub {
    for my $args ([], ['-P', '0'], ['--no-such-option', '-P', '0', '/bin/cat']) {
        my $proc = PsTest::Proc->start(cmd => [program(), @$args]);
        ok($proc->wait_exit(10), "'@$args' ends");
        is($proc->exit_code, 1, 'with 1');
        isnt($proc->stderr, '', 'and says why');
    }
};

subtest 'SIGTERM in the midst of the first start' => sub {
    plan(skip_all => 'procServ') if is_procserv();
    my $info = tmpdir() . '/early.info';
    my %codes;
    for (1 .. 20) {
        my $proc = PsTest::Proc->start(
            cmd => [program(), '--no-ioc', '-f', '-I', $info, 0, '/bin/sleep', 60]);
        # with no pause in between, or the start is over; deadman() ends it
        1 until -e $info || !$proc->running;
        $codes{$proc->stop}++;
    }
    is_deeply(\%codes, {0 => 20}, 'is no failed start: code 0, 20 times');
};

done_testing();
