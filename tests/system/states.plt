#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# How a child's end shows in the records, as a Channel Access client sees it: every transition,
# in order, with the time of the event.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(240);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $count = 0;

# A program with its own names, and the PVs wanted, monitored.
sub start {
    my ($args, @cmd) = @_;
    my $name = 'S' . ++$count;
    my $server = PsTest::Server->start(
        ioc => 1, name => $name, args => [$ports->ours, @$args], cmd => [@cmd])
        or BAIL_OUT('the program does not start');
    my %pv = map { $_ => pv("$name:PS:$_") }
        qw(State Seq ExitClass ExitCode ExitSignal ExitMsg Restarts Pid);
    $pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $_->monitor(10) for @pv{qw(State Seq ExitClass Restarts Pid)};
    return ($server, \%pv);
}

sub finish {
    my ($server, $pv) = @_;
    $_->close for values %$pv;
    is($server->stop, $_[2] || 0, 'SIGTERM ends it');
}

# Does $got hold all of $want, in this order, one behind the other?
sub has_run {
    my ($got, $want) = @_;
    my $text = join ' ', @$got;
    my $part = join ' ', @$want;
    return " $text " =~ / \Q$part\E /;
}

sub seq_complete {
    my ($pv) = @_;
    my @seq = $pv->{Seq}->values;
    my @missing = grep { $seq[$_] != $seq[$_ - 1] + 1 } 1 .. $#seq;
    return ok(!@missing, 'no transition is missing') || diag("Seq: @seq");
}

for my $case ([KILL => 9], [SEGV => 11]) {
    my ($name, $number) = @$case;
    subtest "SIG$name from outside" => sub {
        my ($server, $pv) = start(['--holdoff', '0'], '/bin/cat');
        ok($pv->{State}->wait_value('Running', 10), 'it runs');
        my $pid = $pv->{Pid}->wait_value(qr/^[1-9]/, 10)->{value};
        is($pid, $server->wait_child(1), 'Pid is that of the child');
        my $restarts = $pv->{Restarts}->last->{value};
        my $killed = time;
        kill $name, $pid;
        ok($pv->{Pid}->wait_value(qr/^(?!(?:0|$pid)$)/, 10), 'a new child runs');
        ok($pv->{Restarts}->wait_value($restarts + 1, 10), 'Restarts counts it');
        ok($pv->{State}->wait_value('Running', 10), 'State is Running');
        ok(has_run([$pv->{State}->values], [qw(Running Starting Running)]), 'State shows the way')
            or diag(join ' ', $pv->{State}->values);
        ok((grep { $_->{value} eq 'Signal' } $pv->{ExitClass}->history), 'ExitClass was Signal');
        is($pv->{ExitSignal}->get, $number, 'ExitSignal');
        is($pv->{ExitCode}->get, -1, 'ExitCode: not so ended');
        like($pv->{ExitMsg}->get, qr/SIG$name/, 'ExitMsg');
        my ($starting) = grep { $_->{value} eq 'Starting' && $_->{time} >= $killed - 0.01 }
            $pv->{State}->history;
        ok($starting && $starting->{time} - $killed < scaled(1),
            'the time stamp is that of the event');
        seq_complete($pv);
        finish($server, $pv);
    };
}

subtest 'Exit status 3, auto restart off' => sub {
    my ($server, $pv) = start(['--noautorestart'], '/bin/sh', '-c', 'read x; exit 3');
    $pv->{State}->wait_value('Running', 10);
    my $client = $server->console;
    my $ended = time;
    $client->send("\r");
    my $stopped = $pv->{State}->wait_value('Stopped', 10);
    ok($stopped, 'State is Stopped');
    is($stopped->{severity}, 'MINOR', 'with severity MINOR');
    cmp_ok(abs($stopped->{time} - $ended), '<', scaled(1), 'and the time of the event');
    my $class = $pv->{ExitClass}->wait_value('Error', 10);
    is($class && $class->{severity}, 'MINOR', 'ExitClass is Error, MINOR');
    is($pv->{ExitCode}->get, 3, 'ExitCode');
    is($pv->{ExitSignal}->get, -1, 'ExitSignal: not so ended');
    like($pv->{ExitMsg}->get, qr/3/, 'ExitMsg');
    is($pv->{Pid}->get, 0, 'Pid');
    is($pv->{Restarts}->get, 0, 'Restarts');
    seq_complete($pv);
    finish($server, $pv, 3);
};

subtest 'A command that cannot be executed' => sub {
    my $path = tmpdir() . '/nowhere';
    my ($server, $pv) = start(['--holdoff', '0'], $path);
    my $holdoff = $pv->{State}->wait_value('Holdoff', 10);
    is($holdoff && $holdoff->{severity}, 'MINOR', 'State is Holdoff, MINOR');
    ok($pv->{ExitClass}->wait_value('ExecFail', 10), 'ExitClass is ExecFail');
    is($pv->{ExitCode}->get, -1, 'ExitCode: it never ran');
    my $message = pv($pv->{ExitMsg}->name . '.VAL$')->get;
    like($message, qr/No such file or directory/, 'ExitMsg tells the reason');
    like($message, qr/\Q$path\E/, 'and the path');
    seq_complete($pv);
    $_->close for values %$pv;
    $server->stop;
};

subtest 'Commands' => sub {
    my ($server, $pv) = start([], '/bin/cat');
    my $name = $server->name;
    $pv->{State}->wait_value('Running', 10);
    my $first = $pv->{Pid}->get;
    my ($code, $out, $err) = tool('caput', '-c', '-w', 20, "$name:PS:Restart", 1);
    is($code, 0, 'caput -c of Restart') or diag("$out$err");
    ok($pv->{Pid}->wait_value(qr/^(?!(?:0|$first)$)/, 1), 'returns when the new child runs');
    is(pv("$name:PS:CmdState")->get, 'Done', 'CmdState is Done');

    ok(pv("$name:PS:Stop")->put_wait(1, 20), 'a put callback of Stop');
    # The records follow within milliseconds.
    ok($pv->{State}->wait_value('Stopped', 1), 'returns when it is stopped');
    ok($pv->{Pid}->wait_value(0, 1), 'without a process');
    ok((stays { $pv->{Pid}->last->{value} == 0 } 0.5, 'down'), 'and stays so');
    ok(pv("$name:PS:Start")->put_wait(1, 20), 'a put callback of Start');
    ok($pv->{State}->wait_value('Running', 1), 'returns when it runs');
    ok($pv->{State}->last->{severity} eq 'NO_ALARM', 'without alarm');
    seq_complete($pv);
    finish($server, $pv);
};

subtest 'Three signals in quick succession' => sub {
    my ($server, $pv) = start([], '/bin/sh', '-c',
        'trap "echo got-HUP" HUP; trap "echo got-TERM" TERM; trap "echo got-USR1" USR1; '
        . 'echo ready; while :; do sleep 0.02; done');
    my $name = $server->name;
    wait_for { $server->log_text =~ /^ready\r$/m } 10, 'the traps';
    my $signal = pv("$name:PS:Signal");
    $signal->put($_) for qw(HUP TERM USR1);
    for my $want (qw(HUP TERM USR1)) {
        ok((wait_for { $server->log_text =~ /^got-$want\r$/m } 10, "got-$want",
            sub { $server->log_text }), "$want arrives");
    }
    $signal->close;
    $_->close for values %$pv;
    $server->stop;
};

done_testing();
