#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Commands by Channel Access and PV Access: each ends, says how, and names who gave it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Config;
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
needs(child_program(), 'the test child');

my $me = quotemeta(getpwuid($<) || $<) . '@127\.0\.0\.1';
my ($name, $server, %pv);

# Channels stay for the life of a server; status ones are monitored.
sub record {
    my ($record) = @_;
    return $pv{$record} ||= pv("$name:PS:$record");
}

sub value { return record($_[0])->get; }

sub start {
    ($name, my $args, my @cmd) = @_;
    $server = PsTest::Server->start(
        ioc => 1, name => $name, args => [$ports->ours, @$args], cmd => [@cmd])
        or BAIL_OUT('the program does not start');
    record('State')->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    record($_)->monitor for qw(State Pid CmdSeq CmdState);
}

# Every record of the template, as installed.
sub all_records {
    my $template = file_text(top_dir() . '/db/psChild.template');
    return $template =~ /^record\(\w+, "\$\(P\)(\w+)"/mg;
}

sub finish {
    my @records = all_records();
    my @pact = map { pv("$name:PS:$_.PACT", type => 'DBR_TIME_LONG') } @records;
    cmp_ok(scalar @pact, '>', 60, 'there are many records');
    my @busy;
    for my $i (0 .. $#pact) {
        my $value = $pact[$i]->get;
        push @busy, $records[$i] if !defined $value || $value != 0;
        $pact[$i]->close;
    }
    is("@busy", '', 'none is left busy');
    $_->close for values %pv;
    %pv = ();
    $server->stop;
}

# How the last command went; $number is its CmdSeq.
sub went {
    my ($number, $last, $state, $msg, $what) = @_;
    $what ||= "$last: $state";
    $last = quotemeta $last if !ref $last;
    my $ended = record('CmdSeq')->wait_value($number, 10)
        && record('CmdState')->wait_value($state, 10);
    ok($ended, $what);
    like(value('CmdLast'), qr/^(?:$last)$/, "$what: CmdLast");
    like(value('CmdBy'), qr/^$me$/, "$what: CmdBy");
    like(value('CmdMsg.VAL$'), $msg, "$what: CmdMsg");
}

# How often console and log show this put of ours.
sub told {
    my ($put) = @_;
    my @lines = $server->log_text
        =~ /^\@\@\@ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d $me put \Q$name:PS:$put\E\r$/mg;
    return scalar @lines;
}

my $other_pid = sub { my $old = shift; return qr/^(?!(?:0|$old)$)/ };

subtest 'A soft IOC takes commands' => sub {
    start('C', [], PsTest::Ports::tool_dir() . '/softIoc', '-d',
        top_dir() . '/iocBoot/quickstart/ioc.db');
    my $console = $server->console;
    record('State')->wait_value('Running', 10);
    is(value('CmdState'), 'Idle', 'no command yet');
    is(value('CmdSeq'), 0, 'CmdSeq');

    my $first = record('Pid')->reached(qr/^[1-9]/)->{value};
    put_all(map { [record('Restart'), 1] } 1 .. 3);
    my $settled = wait_for { value('Restart') eq 'Idle'
        && pv('C:PS:Restart.PACT', type => 'DBR_TIME_LONG')->get == 0 } 20, 'the end of Restart';
    ok($settled, 'three plain puts of Restart end');
    ok(record('Pid')->wait_value($other_pid->($first), 5), 'there is a new child');
    ok((stays { 1 } 0.3, 'time for another') && value('Restarts') == 1, 'there was one restart');
    my $puts = told('Restart 1');

    my ($done) = tool(qw(pvput C:PS:Stop), 1);
    is($done, 0, 'pvput of Stop');
    record('CmdLast')->wait_value('Stop', 5);
    my $seq = value('CmdSeq');
    went($seq, 'Stop', 'Done', qr/SIGKILL.*as asked/);
    is(record('State')->reached('Stopped', 5)->{severity}, 'MINOR', 'it is stopped');
    is(value('Pid'), 0, 'without a process');
    is(value('Desired'), 'Down', 'as desired');
    is(value('ExitClass'), 'Killed', 'ExitClass');
    is(record('ExitClass')->severity, 'NO_ALARM', 'is no alarm');
    is(value('AutoRestart'), 'Always', 'AutoRestart is as it was');

    tool(qw(caput -c -w 30 C:PS:Kill), 1);
    went(++$seq, 'Kill', 'Failed', qr/^no process$/);
    is(record('CmdState')->severity, 'MINOR', 'is a MINOR alarm');
    is(record('Kill')->severity, 'INVALID', 'of the record, too');
    is(value('Kill.AMSG'), 'no process', 'with the reason');

    ok(record('Start')->put_wait(1, 20), 'put callback of Start');
    went(++$seq, 'Start', 'Done', qr/running/);
    ok(record('State')->wait_value('Running', 5), 'it runs');
    my $pid = record('Pid')->reached(qr/^[1-9]/)->{value};
    ok(record('Start')->put_wait(1, 20), 'Start of one that runs');
    went(++$seq, 'Start', 'Done', qr/^it is running already$/);
    is(value('Pid'), $pid, 'leaves it alone');

    my ($code, $out, $err) = tool(qw(caput -c -w 30 C:PS:Restart), 1);
    is($code, 0, 'caput -c of Restart') or diag("$out$err");
    my $second = ($server->child_pids)[-1];
    ok($second != $pid && PsTest::Proc::alive($second), 'returns when the new child is there');
    # The records follow within milliseconds.
    ok(record('Pid')->wait_value($second, 2), 'Pid is its number');
    ok(record('State')->wait_value('Running', 2), 'State is Running');
    went(++$seq, 'Restart', 'Done', qr/running/);
    is(value('Restart'), 'Idle', 'the record is idle again');
    is(value('StartReason'), 'Operator', 'StartReason');
    $puts++;
    ok((wait_for { told('Restart 1') == $puts } 10, "$puts puts in the log"),
        'the log names who put it');
    ok($console->expect(qr/^\@\@\@ [-\d]+ [:\d]+ $me put C:PS:Restart 1\r$/m), 'and the console');
    # a script that edits and restarts, twice: the second edit counts, too
    ok(record('Restart')->put_wait(1, 20), 'another Restart at once');
    went(++$seq, 'Restart', 'Done', qr/^running$/);
    $puts++;
    $pid = ($server->child_pids)[-1];
    ok($pid != $second && record('Pid')->wait_value($pid, 2), 'gives another child');

    record('Holdoff')->put(0);
    went(++$seq, 'Holdoff 0', 'Done', qr/done/);
    ok(record('Kill')->put_wait(1, 20), 'put callback of Kill');
    went(++$seq, 'Kill', 'Done', qr/SIGKILL/);
    ok(record('Pid')->wait_value($other_pid->($pid), 10), 'it is started, as AutoRestart says');

    record('ResetCounters')->put_wait(1, 10);
    went(++$seq, 'ResetCounters', 'Done', qr/done/);
    is(value($_), 0, "$_ is 0") for qw(Restarts AutoRestarts Crashes);

    my $log = $server->log_file;
    rename $log, "$log.old" or die $!;
    record('RotateLog')->put_wait(1, 10);
    went(++$seq, 'RotateLog', 'Done', qr/done/);
    record('Restart')->put_wait(1, 20);
    ok((wait_for { file_text($log) =~ /put C:PS:Restart 1\r\n/ } 10, 'a new log',
        sub { file_text("$log.old") }), 'the log goes on in a new file');
    $seq++;

    for my $case (
        ['Holdoff', 3, 3], ['HoldoffMax', 60, 60], ['RestartWindow', 100, 100], ['Grace', 2, 2],
        ['MaxRestarts', 5, 5], ['AutoRestart', 'OnFailure', 'OnFailure'],
        ) {
        my ($setting, $put, $shown) = @$case;
        record($setting)->put_wait($put, 10);
        ok(record("${setting}_RBV")->wait_value($shown, 5), "$setting is $shown");
        $seq++;
    }
    is(record('Overridden')->reached('Yes', 5)->{severity}, 'MINOR', 'Overridden says so');
    for my $case (
        ['Holdoff', 'nan', 3], ['AutoRestart', 7, 'OnFailure'], ['SignalNum', 99, undef],
        ['SignalNum', -1, undef],
        ) {
        my ($setting, $put, $shown) = @$case;
        # caput would take -1 for an option, CA.pm sends 7 as a text
        $put eq '-1' ? record($setting)->put($put) : tool('caput', "C:PS:$setting", $put);
        my $what = $setting eq 'SignalNum' ? "Signal $put" : "$setting " . ($put eq 7 ? '?' : $put);
        went(++$seq, $what, 'Denied', qr/^$put is outside [\d.]+$/, "$setting $put is denied");
        next unless defined $shown;
        is(value("${setting}_RBV"), $shown, "$setting stays");
        is(value($setting), $shown, 'and is shown');
    }
    record('Holdoff')->put_wait(1e9, 10);
    ok(record('Holdoff_RBV')->wait_value(86400, 5), 'Holdoff ends at its upper limit');
    finish();
};

# Prints each signal it gets; none of them ends it.
my @deaf = (child_program(), qw(trap=HUP trap=TERM trap=CONT say=ready wait));
my %number_of = (HUP => 1, TERM => 15, CONT => 18);

sub got { return scalar(() = $server->log_text =~ /^trapped $number_of{$_[0]}\r$/mg); }

subtest 'A child that no signal but SIGKILL ends' => sub {
    start('D', ['--killsig', 'TERM', '--grace', '20', '--holdoff', '0'], @deaf);
    my $ready = 0;
    my $await = sub {
        $ready++;
        wait_for { $ready == (() = $server->log_text =~ /^ready\r$/mg) } 10, "it to be ready";
    };
    $await->();
    my $rounds = 20;
    for my $round (1 .. $rounds) {
        put_all([record('Signal'), 'HUP'], [record('Signal'), 'TERM'], [record('SignalNum'), 18]);
        record('CmdSeq')->wait_value(3 * $round, 5) or last;
        # two of a kind that wait for the child at once would be one: the kernel queues none
        wait_for { !grep { got($_) != $round } qw(HUP TERM CONT) } 10, "round $round to arrive"
            or last;
    }
    for my $signal (qw(HUP TERM CONT)) {
        ok((wait_for { got($signal) == $rounds } 10, "got $signal",
            sub { $server->log_text }), "$rounds times $signal, in quick succession, arrive");
    }
    my $seq = 3 * $rounds;
    went($seq, qr/Signal SIG(?:CONT|TERM)/, 'Done', qr/sent|done/, 'the last of them');

    # A value that is none of the record's states gives no command, whatever number it is.
    my $deaf = value('Pid');
    for my $case (
        ['Signal', 16, '16 is outside 1...15', 'HUP'], ['Signal', 18, '18 is outside 1...15', 'HUP'],
        ['SignalNum', 9999999, '9999999 is outside 1...64', 18], ['Restart', 2, 'only 1 can be written, not 2'],
        ['Stop', 300, 'only 1 can be written, not 300'], ['ResetCounters', 65535,
            'only 1 can be written, not 65535', 1],
        ) {
        my ($record, $value, $why, $good) = @$case;
        tool(qw(caput -c -w 20), "D:PS:$record", $value);
        my $last = $record =~ /^Signal/ ? qr/Signal \w+/ : $record;
        went(++$seq, $last, 'Denied', qr/^\Q$why\E$/, "$record $value is denied");
        is(value($record), $record eq 'SignalNum' ? 0 : 'Idle', 'the record is idle again');
        is(record($record)->severity, 'INVALID', 'in alarm');
        is(value("$record.AMSG"), $why, 'with the reason');
        record($record)->put_wait(defined $good ? $good : 0, 10);
        is(record($record)->severity, 'NO_ALARM', 'which ends with what was wrong');
        $seq++ if defined $good;
    }
    is(value('Pid'), $deaf, 'and the process is the same');

    my $caput = tool_start(qw(caput -c -w 30 D:PS:Restart), 1);
    ok(record('State')->wait_value('Stopping', 10), 'a Restart waits for the old one to end');
    is(value('CmdState'), 'Busy', 'it is busy');
    ok($caput->running, 'and so is caput -c');
    my $stop = tool_start(qw(caput -c -w 30 D:PS:Stop), 1);
    ok($caput->wait_exit(10), 'a Stop ends it');
    # Base cuts the message of an alarm at 38 characters, be the user's name however long
    my $reason = value('Restart.AMSG');
    like($reason, qr/^superseded by Stop of ./, 'as superseded');
    like('superseded by Stop of ' . (getpwuid($<) || $<) . '@127.0.0.1', qr/^\Q$reason\E/, 'by us');
    is(record('Restart')->severity, 'INVALID', 'in alarm');
    is(value('State'), 'Stopping', 'while the old one still runs');
    ok(record('Kill')->put_wait(1, 20), 'a Kill goes on to SIGKILL');
    went($seq + 3, 'Kill', 'Done', qr/SIGKILL/);
    ok($stop->wait_exit(5), 'the Stop has ended, too');
    is(record('Stop')->severity, 'NO_ALARM', 'and well');
    ok(record('State')->wait_value('Stopped', 5), 'it is stopped');
    ok((stays { record('State')->last->{value} eq 'Stopped' } 0.3, 'Stopped'), 'and stays so');

    record('Grace')->put_wait(0.2, 5);
    record('Start')->put_wait(1, 10);
    $await->();
    ok(record('Stop')->put_wait(1, 10), 'Stop without a Kill');
    went($seq + 6, 'Stop', 'Done', qr/SIGKILL/);
    is(value('ExitClass'), 'Timeout', 'SIGKILL came after the grace');
    is(record('ExitClass')->severity, 'MINOR', 'which is a MINOR alarm');

    # A process that ends while it is traced is there until its tracer looks.
    SKIP: {
        my ($arch) = $Config{archname} =~ /^(\w+)/;
        my $seize = {x86_64 => 101, aarch64 => 117}->{$arch};
        skip('no ptrace known for this machine', 1) unless $seize;
            record('Start')->put_wait(1, 10);
        $await->();
        my $pid = record('Pid')->reached(qr/^[1-9]/)->{value};
        my $zero = 0;
        skip("no ptrace: $!", 1) if syscall($seize, 0x4206, $pid + 0, $zero, $zero) < 0;
        $stop = tool_start(qw(caput -c -w 30 D:PS:Stop), 1);
        ok(record('CmdState')->wait_value('Timeout', 20), 'one that cannot be killed: Timeout');
        like(value('CmdMsg'), qr/cannot be killed|did not end in time/, 'CmdMsg');
        is(record('CmdState')->severity, 'MINOR', 'is a MINOR alarm');
        ok($stop->wait_exit(5), 'the put has ended');
        is(value('State'), 'Killing', 'though it is not gone');
        wait_for { waitpid $pid, 0x40000001 } 5, 'the process to be let go';
        ok(record('State')->wait_value('Stopped', 10), 'until it is');
    }
    finish();
};

subtest 'Reset leaves a crash loop' => sub {
    my $good = tmpdir() . '/good';
    start('E', ['--holdoff', '0', '--max-restarts', 2], '/bin/sh', '-c',
        "[ -e $good ] && exec sleep 1000; exit 3");
    is(record('State')->reached('CrashLoop', 20)->{severity}, 'MAJOR', 'it gave up');
    is(record('ExitClass')->severity, 'MINOR', 'the last exit is an alarm');
    record('Start')->put_wait(1, 10);
    ok(record('CmdSeq')->wait_value(1, 5), 'a start');
    ok(record('CmdState')->wait_value(qr/Done|Failed/, 5), 'ends, one way or the other');
    ok(record('State')->wait_value('CrashLoop', 20), 'it gives up again');
    open(my $flag, '>', $good) or die $!;
    record('Reset')->put_wait(1, 10);
    went(2, 'Reset', 'Done', qr/done/);
    ok(record('State')->wait_value('Running', 10), 'Reset starts it again');
    is(value('WindowCrashes'), 0, 'the window is empty');
    finish();
};

done_testing();
