#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What clients get that ask for archive or alarm updates only: exactly what they should, in order,
# with the time at which it happened.

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

deadman(120);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $server = PsTest::Server->start(ioc => 1, name => 'T', args => [$ports->ours, '--holdoff', 0.2],
    cmd => ['sleep', 1000]) or BAIL_OUT('the program does not start');

# Monitors of one record: everything, for archivers (l), for alarm servers (a).
my %record;
for my $name (qw(State Pid Crashes WindowCrashes Health ExitClass Uptime Restart)) {
    for my $mask (qw(v l a)) {
        my $pv = pv("T:PS:$name", mask => $mask);
        $pv->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
        $record{$name}{$mask} = $pv;
    }
}
$record{State}{v}->wait_value('Running', 10);
$_->monitor for map { values %$_ } values %record;
my $pva = pva_monitor('T:PS:WindowCrashes');

sub values_of { my ($name, $mask) = @_; return [$record{$name}{$mask}->values]; }
sub severities { my ($name, $mask) = @_; return [map { $_->{severity} } $record{$name}{$mask}->history]; }
# A value follows one that it equals only if the severity is another one.
sub repeats {
    my ($name, $mask) = @_;
    my @all = map { "$_->{value} $_->{severity}" } $record{$name}{$mask}->history;
    return grep { $all[$_] eq $all[$_ - 1] } 1 .. $#all;
}

# Nobody asked for five ends, one after another.
for my $crash (1 .. 5) {
    my $pid = $server->wait_child($crash) or BAIL_OUT('no child');
    kill 'KILL', $pid;
    $record{Crashes}{v}->wait_value($crash, 20) or BAIL_OUT('no crash');
    $record{State}{v}->wait_value('Running', 20) or BAIL_OUT('no start');
}
# An archiver has the last state, too
$record{$_}{l}->wait_value($record{$_}{v}->last->{value}, 10) for qw(State Pid Crashes WindowCrashes);
$record{Health}{a}->wait_value('Crashing', 10);

subtest 'An archiver (DBE_LOG)' => sub {
    for my $name (qw(State Pid Crashes WindowCrashes ExitClass)) {
        is_deeply(values_of($name, 'l'), values_of($name, 'v'), "$name: every value that there was");
        is(scalar(repeats($name, 'l')), 0, 'and none twice') or diag("@{values_of($name, 'l')}");
    }
    is_deeply(values_of('Crashes', 'l'), [0 .. 5], 'Crashes counts') ;
    is_deeply(values_of('WindowCrashes', 'l'), [0 .. 5], 'so does WindowCrashes');
};

subtest 'An alarm server (DBE_ALARM)' => sub {
    is_deeply(severities('WindowCrashes', 'a'), [qw(NO_ALARM MINOR MAJOR)],
        'WindowCrashes: the changes of severity only');
    is_deeply(values_of('WindowCrashes', 'a'), [0, 3, 5], 'each with the value that caused it');
    is_deeply(severities('Health', 'a'), [qw(NO_ALARM MINOR MAJOR)], 'Health: one alarm per problem');
    is_deeply(values_of('Health', 'a'), [qw(OK Transient Crashing)], 'its states');
    my @changes = ('');
    $_ ne $changes[-1] and push @changes, $_ for @{severities('State', 'v')};
    is_deeply(severities('State', 'a'), [@changes[1 .. $#changes]], 'State: each change of severity');
    ok((grep { $_->{value} eq 'Holdoff' && $_->{severity} eq 'MINOR' } $record{State}{a}->history),
        'as that to Holdoff, which is MINOR');
    is_deeply(severities('ExitClass', 'a'), ['NO_ALARM', (qw(MINOR NO_ALARM)) x 5],
        'ExitClass: MINOR until it runs again');
    is(scalar($record{$_}{a}->history), 1, "$_ has no alarm, and so no update") for qw(Pid Crashes Uptime);
    ok((wait_for { $record{Uptime}{v}->history > 1 } 10, 'Uptime'), 'while Uptime has changed');
};

subtest 'Time stamps' => sub {
    my @states = $record{State}{v}->history;
    for my $name (qw(WindowCrashes Health ExitClass State)) {
        for my $mask (qw(l a)) {
            my @late = grep { my $time = $_->{time};
                !grep { abs($_->{time} - $time) < 1e-6 } @states } $record{$name}{$mask}->history;
            @late = grep { $_->{value} ne 'OK' && $_->{value} ne '0' } @late;
            is(scalar @late, 0, "$name ($mask) has the times of transitions")
                or diag(join ', ', map { "$_->{value} at $_->{time}" } @late);
        }
    }
    my ($major) = grep { $_->{severity} eq 'MAJOR' } $record{WindowCrashes}{a}->history;
    my ($fifth) = grep { $_->{value} == 5 } $record{Crashes}{l}->history;
    is($major->{time}, $fifth->{time}, 'the fifth crash and its alarm have one time');
};

# QSRV of Base 7.0.8.1 has no option for the mask: its clients get everything.
subtest 'PV Access' => sub {
    my $updates = sub { return [$pva->stdout =~ /^T:PS:WindowCrashes +\S+ \S+ +(\d+(?: M\w+)?)/mg]; };
    ok((wait_for { @{$updates->()} >= 6 } 20, 'six updates', sub { $pva->stdout }), 'a monitor');
    is_deeply($updates->(), ['0', '1', '2', '3 MINOR', '4 MINOR', '5 MAJOR'],
        'gets every value, with its severity') or diag($pva->stdout);
    $pva->stop;
};

subtest 'A command' => sub {
    $_->forget for values %{$record{Restart}};
    ok($record{Restart}{v}->put_wait(1), 'a restart');
    for my $mask (qw(v l)) {
        $record{Restart}{$mask}->wait_value('Idle', 10);
        is_deeply(values_of('Restart', $mask), [qw(Restart Idle)], "is seen to begin and to end ($mask)");
    }
    is(scalar($record{Restart}{a}->history), 0, 'and is no alarm');
};

is($server->stop, 0, 'SIGTERM ends it');
done_testing();
