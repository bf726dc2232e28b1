#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The watchdog that looks at a PV: an IOC that is suspended is found hung and restarted; a PV that
# never connects is one line, and no restart.

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
    my %pv = map { $_ => pv("$name:PS:$_") } qw(State Health Alive AliveAge AliveMsg StartReason
        Pid Starts WatchPv WatchIn WatchSeen);
    $pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $_->monitor for @pv{qw(State Health Alive AliveMsg StartReason Pid Starts WatchSeen)};
    return ($server, \%pv);
}

# Console and log say so.
sub is_logged {
    my ($server, $want, $what) = @_;
    return like($server->log_text($want), $want, $what);
}

# A PV of the supervised IOC: a real one, which prints nothing, and hangs.
{
    my $db = tmpdir() . '/beat.db';
    open my $out, '>', $db or BAIL_OUT("$db: $!");
    print $out qq{record(calc, "BEAT:N") {
    field(CALC, "VAL+1")
    field(SCAN, ".1 second")
}\n};
    close $out;
    my ($server, $pv) = start('BEAT', ['--watch-pv', 'BEAT:N', '--watch-after', 3, '--hung-action',
        'restart', '--hung-command', 'ls /proc/$PS_PID/task | wc -l'],
        PsTest::Ports::tool_dir() . '/softIoc', '-d', $db);
    is($pv->{WatchPv}->get, 'BEAT:N', 'WatchPv shows the name');
    ok((wait_for { ($pv->{WatchSeen}->last || {value => 0})->{value} >= 20 } 30, '20 updates'),
        'updates are counted');
    like($pv->{WatchIn}->get, qr/^\d+/, 'WatchIn is the value of the PV');
    is($pv->{AliveMsg}->get, 'watched: BEAT:N within 3 s', 'it is watched');
    cmp_ok($pv->{AliveAge}->get, '<=', 1, 'a moment ago');
    is($pv->{Starts}->get, 1, 'and not restarted');
    my $pid = $pv->{Pid}->get;
    kill 'STOP', $pid;
    ok($pv->{StartReason}->wait_value('Watchdog', 30), 'an IOC that is suspended is hung, and restarted');
    is_logged($server, qr/\@\@\@ "BEAT" is hung: no update of BEAT:N since [\d:]+, limit 3 s/, 'so the log');
    is_logged($server, qr/\@\@\@ hung command: (?:[5-9]|[1-9]\d)\r?$/m, 'its threads could be seen');
    isnt($pv->{Pid}->get, $pid, 'another process');
    my $seen = $pv->{WatchSeen}->last->{value};
    ok((wait_for { $pv->{WatchSeen}->last->{value} >= $seen + 10 } 40, '10 more updates'),
        'the new one is watched');
    is($pv->{Starts}->get, 2, 'and lives');
    $server->stop;
}

# A PV that nobody has: one line, though not at once.
my ($nobody, $nobodys) = start('NOPV', ['--watch-pv', 'NOPV:no-such', '--watch-after', 1,
    '--hung-action', 'restart'], child_program(), 'say=up', 'wait');
ok((wait_for { $nobody->log_text =~ /no update of/ } 40, 'the line'), 'after half a minute');
is_logged($nobody, qr/\@\@\@ no update of NOPV:no-such so far: "NOPV" is watched by it from its first/,
    'a PV that never connects is reported');
is($nobodys->{Starts}->get, 1, 'it is no reason to restart');
like($nobodys->{AliveMsg}->get, qr/^watched: NOPV:no-such within 1 s \(none/, 'AliveMsg says so');
is($nobodys->{Alive}->get, 'Alive', 'it is alive');
is($nobodys->{AliveAge}->get, 0, 'for all we know');
is($nobodys->{WatchIn}->severity, 'INVALID', 'WatchIn is invalid');
is($nobodys->{Health}->get, 'OK', 'Health is OK');
is(() = $nobody->log_text =~ /no update of/g, 1, 'one line');
$nobody->stop;

# The option names a PV, and the records were loaded without it: no link, and so no update.
{
    my $dir = tmpdir();
    my $db = top_dir() . '/db';
    open my $out, '>', "$dir/st.cmd" or BAIL_OUT("$dir/st.cmd: $!");
    print $out qq{procServAdd nolink "--watch-pv NOLINK:N --watch-after 1 -- /bin/sleep 1000"\n},
        qq{dbLoadRecords("$db/psChild.template", "P=nolink:PS:,CHILD=nolink")\niocInit\n};
    close $out;
    my $proc = PsTest::Proc->start(dir => $dir,
        cmd => [program(), '-f', $ports->ours, '--script', 'st.cmd']);
    my %pv = map { $_ => pv("nolink:PS:$_") } qw(State WatchIn WatchSeen Uptime);
    $_->wait_connected(30) or BAIL_OUT('no PVs: ' . $proc->stderr) for values %pv;
    is($pv{State}->reached('Running', 10)->{value}, 'Running', 'it runs');
    $pv{WatchSeen}->monitor;
    is($pv{WatchSeen}->reached(qr/^/, 10)->{value}, 0, 'a link to nothing has no update');
    cmp_ok($pv{Uptime}->reached(qr/^[2-9]/, 20)->{value}, '>=', 2, 'after its limit');
    is(pv('nolink:PS:Health')->get, 'OK', 'it is not hung');
    is($proc->stop, 0, 'SIGTERM ends it');
}

done_testing();
