#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The event command: it is run on a crash, CrashLoop, hung and recovered, with what has happened in
# its environment and the last lines of the console on its standard input.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(150);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

# A server whose child is supervised with these options, and its records.
sub start {
    my ($name, $args, @cmd) = @_;
    my $server = PsTest::Server->start(
        ioc => 1, name => $name, cmd => [@cmd], args => [$ports->ours, '--holdoff', 0, @$args])
        or BAIL_OUT('the program does not start');
    my %pv = map { $_ => pv("$name:PS:$_") } qw(State Pid Starts);
    $pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $_->monitor for @pv{qw(State Pid Starts)};
    return ($server, \%pv);
}

# Console and log say so.
sub is_logged {
    my ($server, $want, $what) = @_;
    return like($server->log_text($want), $want, $what);
}

my $dir = tmpdir();
my $note = "$dir/events";
my $event = qq{(echo "event=\$PS_EVENT name=\$PS_NAME pid=\$PS_PID exit=\$PS_EXIT prefix=\$PS_PREFIX}
    . qq{ reason=\$PS_REASON"; tail -n 60; echo end) >>$note};

sub events { return -e $note ? file_text($note) : ''; }

sub is_event {
    my ($want, $what) = @_;
    return ok((wait_for { events() =~ $want } 30, $what, sub { 'the command wrote: ' . events() }), $what);
}

{
    my ($server, $pv) = start('EVT', ['--event-command', $event, '--max-restarts', 2],
        child_program(), 'print=60', 'say=last words', 'lines');
    ok($pv->{State}->wait_value('Running', 20), 'it runs');
    is_logged($server, qr/last words/, 'and has printed');
    my $pid = $pv->{Pid}->get;
    kill 'SEGV', $pid;
    is_event(qr/^event=crash name=EVT pid=$pid exit=139 prefix=EVT:PS: reason=killed by SIGSEGV/m,
        'a crash starts the event command with its variables');
    is_event(qr/^last words$/m, 'and the last lines on its standard input');
    is_event(qr/^end$/m, 'up to their end');
    my @lines = events() =~ /^line (\d+)$/mg;
    cmp_ok(scalar @lines, '<', 50, 'not more than 50');
    cmp_ok($lines[-1], '==', 60, 'the last of them');
    unlike(events(), qr/Restarting/, 'nothing of the next process');
    ok($pv->{Starts}->wait_value(2, 10), 'the child was started meanwhile');

    unlink $note;
    for my $starts (3, 4) {
        ok($pv->{State}->wait_value('Running', 10), 'it runs');
        kill 'SEGV', $pv->{Pid}->get;
        last if $starts > 3;
        ok($pv->{Starts}->wait_value($starts, 10), "start $starts");
    }
    ok($pv->{State}->wait_value('CrashLoop', 10), 'the last crash leads to CrashLoop');
    is_event(qr/^event=CrashLoop .*exit=139/m, 'which waits for its turn');
    unlike(events(), qr/event=crash/, 'the crash before came too early');
    is_logged($server, qr/\@\@\@ 1 event was not passed to the event command/, 'and is counted');
    $server->stop;
}

{
    unlink $note;
    my ($server, $pv) = start('HNG', ['--event-command', $event, '--silent-after', 2],
        child_program(), 'say=tick', 'sleep=0.2', 'loop');
    ok($pv->{State}->wait_value('Running', 20), 'it runs');
    my $pid = $pv->{Pid}->get;
    kill 'STOP', $pid;
    is_event(qr/^event=hung name=HNG pid=$pid exit= prefix=HNG:PS: reason=no output since/m,
        'a hang is an event');
    kill 'CONT', $pid;
    is_event(qr/^event=recovered name=HNG pid=$pid /m, 'so is its end, after 10 s');
    $server->stop;
}

# What runs at the end of the program is not waited for longer than the 2 s of the logs.
{
    my $server = PsTest::Server->start(name => 'END', cmd => [child_program(), 'exit=7'],
        args => ['--no-ioc', '--oneshot', '--event-command', 'echo $PS_EXIT started; sleep 100'])
        or BAIL_OUT('the program does not start');
    ok($server->wait_exit(20), 'a one-shot program ends in spite of a command that hangs');
    is($server->exit_code, 7, 'with the exit code of its child');
    is_logged($server, qr/event command: 7 started/, 'the command ran');
}

done_testing();
