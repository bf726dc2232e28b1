#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Maintenance: what is refused to whom while a child is locked out, and what each of them sees.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Telnet;

deadman(120);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $dir = tmpdir();
my $db = top_dir() . '/db';

open(my $script, '>', "$dir/st.cmd") or die "$dir/st.cmd: $!";
print $script <<"END";
procServAdd ioc1 "-P 0 --holdoff 0 -L ioc1.log -- /bin/cat"
procServAdd ioc2 "-P 0 --holdoff 0 -- /bin/cat"
dbLoadRecords("$db/psChild.template", "P=ioc1:PS:,CHILD=ioc1")
dbLoadRecords("$db/psChild.template", "P=ioc2:PS:,CHILD=ioc2")
dbLoadRecords("$db/psConsole.template", "P=ioc1:PS:,CHILD=ioc1,IN_DISP=0")
dbLoadRecords("$db/psCompat.template", "PC=OLD,CHILD=ioc1")
dbLoadRecords("$db/psSystem.template", "P=host:PS:Sup:")
iocInit
procServLockout * on "all of them"
procServCmd ioc1 restart
procServLockout * off
procServLockout ioc2
procServLockout ioc2 maybe
procServLockout ioc2 on "by the script"
procServCmd ioc2 restart
procServSet ioc2 grace 1
END
close $script;

my $proc = PsTest::Proc->start(dir => $dir,
    cmd => [program(), '-f', $ports->ours, '--script', 'st.cmd']);
my %pv = map { $_ => pv("ioc1:PS:$_") } qw(State Pid StateMsg.VAL$ Lockout LockoutMsg Start Stop Restart
    Kill Signal SignalNum Reset RotateLog AutoRestart Grace MaxRestarts CmdState CmdMsg.VAL$ CmdBy.VAL$
    CmdLast In);
$_->wait_connected(30) or BAIL_OUT('no PVs: ' . $proc->stderr) for values %pv;
$pv{State}->wait_value('Running', 10);
my $since = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;
my $locked = qr/locked out by \S+\@127\.0\.0\.1 since $since: vacuum work/;

sub disp { my ($name) = @_; return pv("$name.DISP", type => 'DBR_TIME_LONG'); }
sub log_text { return file_text("$dir/ioc1.log"); }

# A program that reads the structure must find what it may read, too.
my ($code, $pvi) = tool('pvget', '-w', 20, '-M', 'json', 'ioc1:PS:PVI');
like($pvi, qr/\b$_->[0]"?: *\{[^}]*\br"?: *"ioc1:PS:$_->[1]"/, "PVI: $_->[0] can be read")
    for ['lockout', 'Lockout'], ['lockout_msg', 'LockoutMsg'];

subtest 'At the start' => sub {
    is($pv{Lockout}->get, 'No', 'nothing is locked out');
    is($pv{Lockout}->severity, 'NO_ALARM', 'which is known');
    is($pv{LockoutMsg}->get, '', 'and no reason');
    is(disp('ioc1:PS:Restart')->get, 0, 'a command is open');
};

subtest 'Locked out' => sub {
    ok($pv{LockoutMsg}->put_wait('vacuum work'), 'a reason');
    is($pv{Lockout}->get, 'No', 'does not lock it out yet');
    ok($pv{Lockout}->put_wait(1), 'Lockout');
    is($pv{Lockout}->get, 'Yes', 'stays');
    is($pv{LockoutMsg}->get, 'vacuum work', 'with its reason');
    like($pv{'StateMsg.VAL$'}->get, qr/^Running: pid \d+ .*; $locked$/, 'StateMsg says so');
    for my $name (qw(Start Stop Restart Kill Signal SignalNum Reset RotateLog AutoRestart Grace MaxRestarts)) {
        ok(disp("ioc1:PS:$name")->wait_value(1, 10), "$name is closed");
    }
    ok(disp('OLD:STOP')->wait_value(1, 10), 'and so is the old name');
    is(disp("ioc1:PS:$_")->get, 0, "$_ is open") for qw(Lockout LockoutMsg In);
    is(disp('ioc2:PS:ResetCounters')->get, 1, 'the other one is locked out by the script');
};

subtest 'Puts' => sub {
    my $pid = $pv{Pid}->get;
    my ($code, $out, $err) = tool('caput', '-c', '-w', 30, 'ioc1:PS:Restart', 1);
    is($code, 1, 'caput -c exits with 1');
    is($pv{CmdState}->reached('Denied', 10)->{value}, 'Denied', 'CmdState is Denied');
    like($pv{'CmdMsg.VAL$'}->get, qr/^$locked$/, 'CmdMsg has the reason');
    is($pv{CmdLast}->get, 'Restart', 'of that command');
    like($pv{'CmdBy.VAL$'}->get, qr/\@127\.0\.0\.1$/, 'and who it was is known');
    ($code, $out, $err) = tool('pvput', 'ioc1:PS:Grace', 3);
    like("$out$err", qr/Put Disabled/i, 'pvput says that it is disabled');
    is(pv('ioc1:PS:Grace_RBV')->get, 5, 'and nothing has changed');
    like(log_text(), qr/^\@\@\@ \S+\@127\.0\.0\.1 put ioc1:PS:Restart refused: $locked\r$/m, 'the log has it');
    is($pv{Pid}->get, $pid, 'the process is the same');
    ok($pv{In}->put_wait('typed by a record'), 'In takes a line');
    ok((wait_for { log_text() =~ /^typed by a record/m } 10, 'the line', \&log_text), 'which arrives');
};

subtest 'Console' => sub {
    my ($endpoint) = pv('ioc1:PS:Console.VAL$')->get =~ /(tcp:[\d.]+:\d+)/;
    my $console = PsTest::Telnet->new($endpoint);
    $console->expect(qr/Welcome to procServ.*\(plus you\)\r\n/s);
    my $pid = $pv{Pid}->get;
    $console->send("\x18");
    ok($console->expect(qr/^\@\@\@ \^X of console \S+ refused: $locked\r\n/m), '^X is refused in one line');
    $console->send("typed on the console\r");
    ok($console->expect(qr/typed on the console/), 'what is typed arrives');
    is($pv{Pid}->get, $pid, 'the process is the same');
};

subtest 'Restarts by themselves go on' => sub {
    my $pid = $pv{Pid}->get;
    $pv{Pid}->monitor;
    kill 'KILL', $pid;
    ok((wait_for { $pv{Pid}->last->{value} !~ /^(?:0|$pid)$/ } 20, 'a new process'), 'it is restarted');
    is($pv{Lockout}->get, 'Yes', 'and locked out still');
    like($pv{'StateMsg.VAL$'}->get, qr/; $locked$/, 'by the same');
    is(disp('ioc1:PS:Restart')->get, 1, 'and closed');
};

subtest 'A reason that is cut' => sub {
    my $umlauts = "\xc3\xa4" x 120;
    for my $blank ('', ' ') {
        ok(pv('ioc1:PS:LockoutMsg.VAL$')->put_wait("x$blank$umlauts"), 'a long reason in UTF-8');
        tool('caput', '-c', '-w', 30, 'ioc1:PS:Restart', 1);
        unlike(pv("ioc1:PS:$_")->get, qr/\xc3\z/, "$_ ends with a whole character")
            for qw(StateMsg.VAL$ CmdMsg.VAL$);
    }
    ok($pv{LockoutMsg}->put_wait('vacuum work'), 'the reason again');
};

subtest 'A command to all' => sub {
    ok(pv('host:PS:Sup:RestartAll')->put_wait(1), 'ends');
    like(pv('host:PS:Sup:CmdMsg.VAL$')->get, qr/^0 of 2 done, 2 skipped; ioc1: locked out by /, 'and says why not');
};

subtest 'The end of it' => sub {
    ok($pv{Lockout}->put_wait(0), 'Lockout is lifted');
    is($pv{LockoutMsg}->get, '', 'and its reason forgotten');
    ok(disp('ioc1:PS:Restart')->wait_value(0, 10), 'commands are open again');
    unlike($pv{'StateMsg.VAL$'}->get, qr/locked/, 'StateMsg says nothing');
    my $pid = $pv{Pid}->get;
    ok($pv{Restart}->put_wait(1), 'Restart');
    isnt($pv{Pid}->get, $pid, 'restarts it');
    $pv{LockoutMsg}->put_wait('x' x 39);
    is($pv{CmdState}->reached('Denied', 10)->{value}, 'Denied', 'a reason that a client may have cut is refused');
    is($pv{LockoutMsg}->get, '', 'and not kept');
};

subtest 'The IOC shell' => sub {
    is(pv('ioc2:PS:Lockout')->get, 'Yes', 'procServLockout locks out');
    is(pv('ioc2:PS:LockoutMsg')->get, 'by the script', 'with a reason');
    is(pv('ioc2:PS:Starts')->get, 1, 'procServCmd is refused');
    is(pv('ioc2:PS:Grace_RBV')->get, 5, 'and procServSet');
    my $said = $proc->stderr;
    is(scalar(() = $said =~ /^procServLockout needs a name, and on or off; see/mg), 2, 'wrong use is explained');
    like(log_text(), qr/^\@\@\@ Restart of iocsh refused: locked out by iocsh since $since: all of them\r$/m,
        'all can be locked out at once, with a reason');
    is(pv('ioc2:PS:CmdState')->get, 'Denied', 'CmdState shows it') ;
};

is($proc->stop, 0, 'SIGTERM ends it');
done_testing();
