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
    ok($server->log_text(qr/\@\@\@ "SIL" is hung: no output since /), 'console and log say so');
    my $console = $server->console;
    $console->send('x');
    ok($pv->{Alive}->wait_value('Alive', 10), 'it is alive when it prints again');
    ok($pv->{Health}->wait_value('OK', 10), 'and Health is OK');
    like($pv->{StateMsg}->get, qr/^Running: pid /, 'StateMsg is as before');
    ok($server->log_text(qr/\@\@\@ "SIL" shows life again/), 'console and log say so');
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
    stays { $pv->{Starts}->last->{value} == 2 } 4, 'it is not restarted';
    ok($pv->{SignalNum}->put_wait(18, 10), 'SIGCONT by a PV');
    like($pv->{AliveMsg}->get, qr/^watched: /, 'it is watched again');
    kill 'STOP', $pv->{Pid}->get;
    ok($pv->{Starts}->wait_value(3, 20), 'and found hung');
    $server->stop;
}

done_testing();
