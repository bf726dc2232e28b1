#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Watchdogs: a child that shows no sign of life is found hung, which the records and the console
# show; it recovers, or is restarted.

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
    my %pv = map { $_ => pv("$name:PS:$_") } qw(State Health Alive AliveAge AliveMsg StateMsg
        StartReason ExitClass Pid SignalNum Starts);
    $pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $_->monitor for @pv{qw(State Health Alive StartReason Pid Starts)};
    return ($server, \%pv);
}

# Console and log say so.
sub is_logged {
    my ($server, $want, $what) = @_;
    return like($server->log_text($want), $want, $what);
}

# An alarm is the default: silent, back to life, silent.
{
    my ($server, $pv) = start('SIL', ['--silent-after', 3], child_program(), 'say=up', 'echo');
    ok($pv->{Alive}->wait_value('Silent', 20), 'a child that prints nothing is silent');
    is($pv->{Alive}->severity, 'MAJOR', 'which is an alarm');
    ok($pv->{Health}->wait_value('Hung', 10), 'Health says so');
    is($pv->{Health}->severity, 'MAJOR', 'and alarms');
    is($pv->{State}->get, 'Running', 'it runs on');
    like($pv->{AliveMsg}->get, qr/^no output since \d\d:\d\d:\d\d, limit 3 s$/, 'the message');
    like($pv->{StateMsg}->get, qr/^Hung: no output since/, 'StateMsg says so, too');
    cmp_ok($pv->{AliveAge}->get, '>=', 3, 'since more than its limit');
    is_logged($server, qr/\@\@\@ "SIL" is hung: no output since /, 'console and log say so');
    my $console = $server->console;
    $console->send('x');
    ok($pv->{Alive}->wait_value('Alive', 10), 'it is alive when it prints again');
    ok($pv->{Health}->wait_value('OK', 10), 'and Health is OK');
    like($pv->{StateMsg}->get, qr/^Running: pid /, 'StateMsg is as before');
    is_logged($server, qr/\@\@\@ "SIL" shows life again/, 'console and log say so');
    $console->close;
    is($pv->{Starts}->get, 1, 'it was never restarted');
    $server->stop;
}

# A restart: of one that was stopped by a signal from elsewhere.
{
    my ($server, $pv) = start('STP', ['--silent-after', 2, '--hung-action', 'restart'],
        child_program(), 'say=tick', 'sleep=0.2', 'loop');
    ok($pv->{State}->wait_value('Running', 20), 'it runs');
    my $pid = $pv->{Pid}->get;
    kill 'STOP', $pid;
    ok($pv->{StartReason}->wait_value('Watchdog', 20), 'a stopped child is hung, and restarted');
    ok($pv->{Starts}->wait_value(2, 10), 'once');
    isnt($pv->{Pid}->get, $pid, 'as another process');
    is($pv->{ExitClass}->get, 'Signal', 'the class is that of an end nobody asked for');
    ok($pv->{Health}->wait_value('Transient', 10), 'Health is Transient');
    is((grep { $_ eq 'Hung' } $pv->{Health}->values), 0, 'and never was Hung');
    ok($pv->{Alive}->wait_value('Alive', 10), 'the new process is alive');

    # one that is stopped through us is not hung
    ok($pv->{SignalNum}->put_wait(19, 10), 'SIGSTOP by a PV');
    like($pv->{AliveMsg}->get, qr/^not watched: stopped by a signal/, 'it is not watched');
    ok((stays { $pv->{Starts}->last->{value} == 2 } 4, '2 starts'), 'it is not restarted');
    ok($pv->{SignalNum}->put_wait(18, 10), 'SIGCONT by a PV');
    like($pv->{AliveMsg}->get, qr/^watched: /, 'it is watched again');
    kill 'STOP', $pv->{Pid}->get;
    ok($pv->{Starts}->wait_value(3, 20), 'and found hung');
    $server->stop;
}

# The hung command runs before the restart, while the hung process is still there.
{
    my ($server, $pv) = start('CMD', ['--silent-after', 2, '--hung-action', 'restart',
        '--hung-command', 'echo "$PS_NAME $PS_PID: $PS_REASON"; cut -d" " -f3 /proc/$PS_PID/stat;'
        . ' cat; readlink /proc/$$/fd/* | grep -c socket'],
        child_program(), 'say=tick', 'sleep=0.2', 'loop');
    ok($pv->{State}->wait_value('Running', 20), 'it runs');
    my $pid = $pv->{Pid}->get;
    kill 'STOP', $pid;
    ok($pv->{StartReason}->wait_value('Watchdog', 20), 'it is found hung, and restarted');
    is_logged($server, qr/\@\@\@ hung command: CMD $pid: no output since [\d:]+, limit 2 s\r?$/m, 'the hung command knows which process it is about');
    is_logged($server, qr/\@\@\@ hung command: [Tt]\r?$/m, 'and saw it stopped');
    is_logged($server, qr/\@\@\@ hung command: 0\r?$/m, 'it has none of our descriptors');
    is_logged($server, qr/\@\@\@ the hung command failed with exit status 1\r?$/m, 'how it failed is said');
    $server->stop;
}

# It has life again before the hung command is over: no restart.
{
    my ($server, $pv) = start('OFF', ['--silent-after', 2, '--hung-action', 'restart',
        '--hung-command', 'kill -CONT $PS_PID; sleep 100'],
        child_program(), 'say=tick', 'sleep=0.2', 'loop');
    ok($pv->{State}->wait_value('Running', 20), 'it runs');
    kill 'STOP', $pv->{Pid}->get;
    # the command itself ends the hang, so that may be over before anybody looks
    ok((wait_for { grep { $_ eq 'Silent' } $pv->{Alive}->values } 20, 'Silent'), 'it is found hung');
    ok($pv->{Alive}->wait_value('Alive', 20), 'and shows life again');
    is_logged($server, qr/the hung command was ended: it is not needed any more/, 'so it ends');
    is($pv->{Starts}->get, 1, 'and there is no restart');
    ok($pv->{Health}->wait_value('OK', 10), 'Health is OK');
    $server->stop;
}

done_testing();
