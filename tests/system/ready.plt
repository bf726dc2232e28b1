#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# When a child is ready by a line of its output: what the records show, when commands are done, and
# what happens if that line never comes.

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

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my %pv;

sub start {
    my ($name, $args, @cmd) = @_;
    my $server = PsTest::Server->start(
        ioc => 1, name => $name, args => [$ports->ours, @$args], cmd => [@cmd])
        or BAIL_OUT('the program does not start');
    %pv = map { $_ => pv("$name:PS:$_") } qw(State Ready ReadyTime Health StateMsg.VAL$ Pid Start
        Restart Stop CmdState CmdMsg.VAL$ Starts ReadyPv ReadyIn);
    $pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $_->monitor for @pv{qw(State Ready Health)};
    return $server;
}

sub finish {
    my ($server) = @_;
    $_->close for values %pv;
    $server->stop;
}

sub text { return $pv{"$_[0].VAL\$"}->get; }

# A soft IOC of Base: Restart is done when its last line of the start has come.
{
    my $server = start('S', ['--ready-match', '^iocRun: All initialization complete',
            '--killsig', 'TERM'],
        PsTest::Ports::tool_dir() . '/softIoc', '-d', top_dir() . '/iocBoot/quickstart/ioc.db');
    ok($pv{Ready}->wait_value('Ready', 30), 'a soft IOC becomes ready');
    my $first = $pv{Pid}->get;
    my $seen = () = $server->log_text(qr/iocRun: All/) =~ /iocRun: All/g;
    my ($exit) = tool('caput', '-c', '-w', 30, 'S:PS:Restart', 1);
    my $log = file_text($server->log_file);
    is($exit, 0, 'caput -c returns');
    is(scalar(() = $log =~ /iocRun: All/g), $seen + 1, 'when the new one has said so');
    is($pv{Ready}->get, 'Ready', 'and is ready');
    isnt($pv{Pid}->get, $first, 'a new process');
    like(text('CmdMsg'), qr/^ready after \d+\.\d s$/, 'CmdMsg says how long it took');
    cmp_ok($pv{ReadyTime}->get, '>', 0, 'as does ReadyTime');
    like($log, qr/^@@@ "S" is ready after \d+\.\d s\r?$/m, 'and the log');
    is_deeply([grep { $_ ne 'NotReady' && $_ ne 'Ready' } $pv{Ready}->values], [], 'only two states');
    my @health = grep { $_ ne 'OK' } $pv{Health}->values;
    is("@health", '', 'Health was OK all the time');
    finish($server);
}

# A child that says its word when it gets a line.
{
    my $server = start('L', ['--ready-match', '^got [0-9]+ go$', '--ready-timeout', 2], child_program(),
        'text=got 2 go', "say= not a line of its own", 'lines');
    my $console = $server->console;
    ok($pv{State}->wait_value('Running', 10), 'it runs');
    is($pv{Ready}->get, 'NotReady', 'but is not ready');
    like(text('StateMsg'),
        qr/^Running, not ready since \d\d:\d\d:\d\d: waits for a line that matches '\^got \[0-9\]\+ go\$'/,
        'StateMsg says what for');
    ok($pv{Health}->wait_value('NotReady', 15), 'late: Health is NotReady');
    is($pv{Health}->severity, 'MINOR', 'with its alarm');
    is($pv{Ready}->severity, 'MINOR', 'as Ready');
    ok($pv{Restart}->put_wait(1, 20), 'a restart ends');
    is($pv{CmdState}->get, 'Failed', 'as failed');
    like(text('CmdMsg'), qr/^not ready within 2 s: waits for a line/, 'with the reason');
    ok($pv{Start}->put_wait(1, 20), 'a start of what runs and is late');
    is($pv{CmdState}->get, 'Failed', 'fails, too');
    $console->send("go\r");
    ok($pv{Ready}->wait_value('Ready', 10), 'ready after all');
    is($pv{Ready}->severity, 'NO_ALARM', 'without alarm');
    ok($pv{Health}->wait_value('OK', 10), 'Health is OK');
    finish($server);
}

# An expression that takes 0.1 s per line delays nobody: the loop does not compare lines.
{
    my $lines = 'srand 1; $| = 1; print map { join("", map { rand() < 0.5 ? "a" : "b" } 1 .. 4000) . "\n" } 1 .. 40;'
        . 'print "a" x 14, "c\n"; sleep 600';
    my $server = start('R', ['--ready-match', '(a|b)*a(a|b){12}c'], $^X, '-e', $lines);
    my ($busy, $beat) = map { pv("R:PS:Sup:$_") } qw(LoopMax Heartbeat);
    $_->wait_connected(20) && $_->monitor for $busy, $beat;
    ok($pv{Ready}->wait_value('Ready', 120), 'ready after 40 lines that are slow to compare');
    my $seen = $beat->get;
    ok((wait_for { $beat->get >= $seen + 2 } 20, 'two beats'), 'the loop has reported since');
    my ($longest) = sort { $b <=> $a } $busy->get, $busy->values;
    cmp_ok($longest, '<', 1500, 'it was never busy for long (ms)');
    $_->close for $busy, $beat;
    finish($server);
}

# A PV of the child: connected late, 0, invalid, good, and gone with the process.
{
    my $db = tmpdir() . '/up.db';
    open my $out, '>', $db or BAIL_OUT("$db: $!");
    print $out qq{record(ai, "P:up") { field(PINI, "YES") field(UDF, "0") field(HIHI, "5") field(HHSV, "INVALID") }\n};
    close $out;
    my $server = start('V', ['--ready-pv', 'P:up', '--killsig', 'TERM'],
        PsTest::Ports::tool_dir() . '/softIoc', '-d', $db);
    is($pv{ReadyPv}->get, 'P:up', 'ReadyPv is the name');
    my $waits = sub {
        my ($why) = @_;
        return ok((wait_for { text('StateMsg') =~ /waits for the PV P:up, $why/ } 20, $why),
            "it waits: $why");
    };
    $waits->('which is 0');
    is($pv{Ready}->get, 'NotReady', 'not ready');
    my $up = pv('P:up');
    $up->put(0.5);
    ok($pv{Ready}->wait_value('Ready', 10), 'not 0: ready');
    is($pv{ReadyIn}->get, 1, 'as ReadyIn shows');
    $up->put(7);
    $waits->('which is not connected or invalid');
    is($pv{ReadyIn}->severity, 'INVALID', 'as ReadyIn shows');
    $up->put(-1);
    ok($pv{Ready}->wait_value('Ready', 10), 'valid again: ready');
    my $pid = $pv{Pid}->get;
    $pv{Restart}->put(1);
    ok((wait_for { ($pv{Pid}->get || $pid) != $pid } 20, 'another process'), 'a restart');
    $waits->('which is 0');
    is($pv{CmdState}->get, 'Busy', 'which is not done');
    $up->wait_value(0, 20);
    $up->put(3);
    ok($pv{CmdState}->wait_value('Done', 10), 'until the PV of the new one is not 0');
    $up->close;
    finish($server);
}

# A PV that nobody has.
{
    my $server = start('U', ['--ready-pv', 'U:no-such', '--ready-timeout', 1], child_program(), 'wait');
    ok($pv{Health}->wait_value('NotReady', 15), 'a PV that never connects: Health is NotReady');
    my $log = $server->log_text(qr/is not ready after 1 s/);
    like($log, qr/waits for the PV U:no-such, which is not connected or invalid\r?$/m, 'one line says why');
    finish($server);
}

# Records without the name of the PV: they follow none, and say so.
{
    my $script = tmpdir() . '/st.cmd';
    open my $out, '>', $script or BAIL_OUT("$script: $!");
    print $out "procServAdd M -P 0 --ready-pv M:up --ready-timeout 1 @{[child_program()]} wait\n",
        qq{dbLoadRecords("psChild.template", "P=M:PS:,CHILD=M")\n};
    close $out;
    my $server = PsTest::Server->start(ioc => 1, name => 'K', args => [$ports->ours, '--script', $script],
        cmd => [child_program(), 'wait']) or BAIL_OUT('the program does not start');
    my ($health, $why) = map { pv("M:PS:$_") } qw(Health StateMsg.VAL$);
    $health->wait_connected(30);
    $health->monitor;
    ok($health->wait_value('NotReady', 15), 'a PV that no record follows: Health is NotReady');
    like($why->get, qr/waits for the PV M:up, which no record follows/, 'StateMsg says why');
    my $line = qr/^M:PS:ReadyIn: does not follow the PV M:up of --ready-pv; load the records with READY_PV=M:up$/m;
    is(scalar(() = $server->stderr =~ /$line/g), 1, 'one line says what to do') or diag($server->stderr);
    $_->close for $health, $why;
    $server->stop;
}

done_testing();
