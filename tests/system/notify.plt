#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# A child that says by itself, as to systemd, that it is ready, what it does, that it reloads and
# that it stops: with systemd-notify, an implementation that is not ours.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Socket;
use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
needs(-x '/usr/bin/systemd-notify', 'systemd-notify (package systemd)');

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

# Each line typed is the arguments of systemd-notify; the socket is printed first.
my $child = tmpdir() . '/notifier';
open my $script, '>', $child or BAIL_OUT("$child: $!");
print $script <<'END';
#!/bin/bash
echo "socket $NOTIFY_SOCKET."
[ "$1" = early ] && systemd-notify --ready
while read -r line; do
    eval "$line"
    echo "did it: $?"
done
END
close $script;
chmod 0755, $child;

my %pv;

sub start {
    my ($name, @args) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => $name,
        args => [$ports->ours, '--holdoff', 0, @args], cmd => [$child, $name eq 'E' ? 'early' : ()],
        env => {NOTIFY_SOCKET => '/no/such/socket', WATCHDOG_USEC => 1})
        or BAIL_OUT('the program does not start');
    %pv = map { $_ => pv("$name:PS:$_") } qw(State Ready Health StateMsg.VAL$ Pid Restart CmdState
        CmdMsg.VAL$ AutoRestarts ExitMsg.VAL$ Starts);
    $pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $_->monitor for values %pv;
    return $server;
}

sub finish {
    my ($server) = @_;
    $_->close for values %pv;
    $server->stop;
}

sub says {
    my ($what) = @_;
    return ok((wait_for { $pv{'StateMsg.VAL$'}->get =~ $what } 10, "StateMsg $what"),
        "StateMsg is $what");
}

my $server = start('N', '--ready-notify');
my $console = $server->console;
my ($socket) = $server->log_text(qr/socket @\w+\.\r?\n/) =~ /socket (@\w+)\./
    or BAIL_OUT('the child got no socket');
says(qr/^Running, not ready since .*: waits for READY=1/);

# The sender of a message that is not the child's.
socket(my $sock, AF_UNIX, SOCK_DGRAM, 0) or BAIL_OUT("socket: $!");
my $address = pack('S a*', AF_UNIX, "\0" . substr $socket, 1);
ok(send($sock, 'READY=1', 0, $address), 'a stranger sends');
like($server->log_text(qr/a notification of process \d+ is refused/),
    qr/^@@@ a notification of process $$ is refused: it is not of the child's session\r?$/m,
    'it is refused, with one line');
send($sock, 'READY=1', 0, $address) for 1 .. 5;
is($pv{Ready}->get, 'NotReady', 'and counts for nothing');

$console->send("systemd-notify --status='loading 3 of 5'\r");
says(qr/waits for READY=1; loading 3 of 5$/);
$console->send("systemd-notify --ready --status='all is well'\r");
ok($pv{Ready}->wait_value('Ready', 10), 'ready by systemd-notify');
says(qr/^Running: pid \d+ .*; all is well$/);
is(scalar(() = file_text($server->log_file) =~ /is refused/g), 1, 'the flood was one line');
$console->send("systemd-notify RELOADING=1\r");
ok($pv{Ready}->wait_value('NotReady', 10), 'not ready while it reloads');
says(qr/^Running, not ready since .*: the process says that it is reloading/);
$console->send("systemd-notify --ready\r");
ok($pv{Ready}->wait_value('Ready', 10), 'and ready again');
like($server->log_text(qr/is ready again/), qr/^@@@ "N" is ready again after \d+\.\d s\r?$/m,
    'after the time that it was not');
$console->send("systemd-notify STOPPING=1\r");
says(qr/^Running, not ready since .*: the process says that it is stopping/);

# A helper that has sent, ended and been reaped before anybody looks counts all the same.
my $helper = tmpdir() . '/helper';
open my $code, '>', $helper or BAIL_OUT("$helper: $!");
print $code <<'END';
use Socket;
socket(my $sock, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
send($sock, $ARGV[0], 0, pack 'S a*', AF_UNIX, "\0" . substr $ENV{NOTIFY_SOCKET}, 1)
    or die "send: $!";
END
close $code;
my $fifo = tmpdir() . '/go';
system('mkfifo', $fifo) == 0 or BAIL_OUT('mkfifo');
for my $turn (['READY=1', 'Ready'], ['RELOADING=1', 'NotReady'], ['READY=1', 'Ready']) {
    my ($message, $state) = @$turn;
    my $reaped = tmpdir() . "/reaped$state";
    unlink $reaped;
    $console->send("read go <$fifo; $^X $helper $message; touch $reaped\r");
    open my $go, '>', $fifo or BAIL_OUT("$fifo: $!"); # once the child has it open
    $server->signal('STOP');
    wait_for { (PsTest::Proc::stat_fields($server->pid))[0] =~ /T/ } 10, 'us stopped';
    print $go "\n";
    close $go;
    ok((wait_for { -e $reaped } 20, 'the end of the helper'), "$message is sent while we stand still");
    $server->signal('CONT');
    ok($pv{Ready}->wait_value($state, 10), 'and counts, although its sender is gone');
}
$console->send("for i in {1..30}; do $^X $helper STATUS=step\$i; done\r");
says(qr/; step30$/);
is(scalar(() = file_text($server->log_file) =~ /is refused/g), 1, 'none of 30 helpers is refused');

# A restart is done when the new one is ready; nothing of the old one counts for it.
my $pid = $pv{Pid}->get;
$pv{Restart}->put(1);
ok((wait_for { ($pv{Pid}->get || $pid) != $pid } 20, 'another process'), 'another process');
is($pv{Ready}->get, 'NotReady', 'which is not ready');
is($pv{CmdState}->get, 'Busy', 'and the restart goes on');
$console->send("systemd-notify --ready\r");
ok($pv{CmdState}->wait_value('Done', 10), 'until it is');
like($pv{'CmdMsg.VAL$'}->get, qr/^ready after/, 'it says so');
finish($server);

# What it says before we know its number is not lost.
$server = start('E', '--ready-notify');
ok($pv{Ready}->wait_value('Ready', 10), 'ready at once');
finish($server);

# A child that is late is replaced, and waits for its hold-off and limits as after a crash.
$server = start('A', '--ready-notify', '--ready-timeout', 1, '--ready-action', 'restart',
    '--max-restarts', 2, '--killsig', 'KILL');
ok($pv{State}->wait_value('CrashLoop', 30), 'CrashLoop in the end');
is($pv{AutoRestarts}->get, 2, 'after two automatic restarts');
like($pv{'ExitMsg.VAL$'}->get, qr/as it was not ready$/, 'ExitMsg says why');
my $log = file_text($server->log_file);
is(scalar(() = $log =~ /"A" is not ready after 1 s: waits for READY=1/g), 3, 'as the log, each time');
finish($server);

# Without the option there is no socket, not even ours.
$server = start('W');
like($server->log_text(qr/socket/), qr/^socket \.\r?$/m, 'no socket without --ready-notify');
finish($server);

# The watchdog: from the first sign on.
$server = start('W', '--watchdog-sec', 2);
$console = $server->console;
my $alive = pv('W:PS:Alive');
$alive->wait_connected(20);
$alive->monitor;
$console->send("echo usec \$WATCHDOG_USEC.\r");
like($server->log_text(qr/usec 2000000\./), qr/usec 2000000\./, 'the child knows its limit');
is($pv{Ready}->get, 'Ready', 'there is no rule of readiness');
ok((stays { ($alive->last || {value => 'Alive'})->{value} eq 'Alive' } 3, 'Alive'),
    'a child that never sends is not hung');
$console->send("systemd-notify WATCHDOG=1\r");
ok($alive->wait_value('Silent', 20), 'one that has sent, and sends no more, is');
says(qr/^Hung: no WATCHDOG=1 since [\d:]+, limit 2 s/);
$console->send("systemd-notify WATCHDOG=1\r");
ok($alive->wait_value('Alive', 20), 'and lives when it sends again');
$console->send("systemd-notify WATCHDOG=trigger\r");
ok($alive->wait_value('Silent', 20), 'it may say so itself');
says(qr/^Hung: it said so itself \(WATCHDOG=trigger\)/);
$console->send("systemd-notify WATCHDOG=1; echo is sent\r");
$server->log_text(qr/^is sent\r?$/m);
ok((stays { $alive->last->{value} eq 'Silent' } 1, 'Alive'), 'and cannot take that back');
$alive->close;
finish($server);

done_testing();
