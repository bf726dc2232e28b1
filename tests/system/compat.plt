#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The names of procServControl: what its screens show, and what its scripts write.

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
my $old = 'BL01-CS-IOC-01';

open(my $script, '>', "$dir/st.cmd") or die "$dir/st.cmd: $!";
print $script <<"END";
procServAdd ioc1 "-P 0 --holdoff 0 -L ioc1.log -- /bin/cat"
procServAdd loop "-P 0 --holdoff 100 -- /bin/false"
dbLoadRecords("$db/psChild.template", "P=ioc1:PS:,CHILD=ioc1")
dbLoadRecords("$db/psConsole.template", "P=ioc1:PS:,CHILD=ioc1")
dbLoadRecords("$db/psCompat.template", "PC=$old,CHILD=ioc1,DESCRIPTION=The first")
dbLoadRecords("$db/psCompat.template", "PC=LOOP,CHILD=loop,SHOWOUT=0")
dbLoadRecords("$db/psCompat.template", "PC=HAND,CHILD=nobody,MANUALSTART=#")
iocInit
END
close $script;

my $proc = PsTest::Proc->start(dir => $dir,
    cmd => [program(), '-f', $ports->ours, '--script', 'st.cmd']);
my %pv = map { $_ => pv("$old:$_") } qw(IOCNAME DESCRIPTION STATUS AUTORESTART START STOP RESTART TOGGLE
    IOCOUT SHOWOUT);
my %our = map { $_ => pv("ioc1:PS:$_") } qw(State Pid AutoRestart CmdState CmdBy.VAL$ CmdMsg Starts);
$_->wait_connected(30) or BAIL_OUT('no PVs: ' . $proc->stderr) for values %pv, values %our;
$our{State}->wait_value('Running', 10);

# Put and wait, as caput -c does
sub command {
    my ($name) = @_;
    return $pv{$name}->put_wait(1);
}

sub shows {
    my ($status, $autorestart, $what) = @_;
    is($pv{STATUS}->get, $status, "$what: STATUS is $status");
    is($pv{AUTORESTART}->get, $autorestart, "and AUTORESTART $autorestart");
}

subtest 'What screens show' => sub {
    is(pv("$old:STATUS.RTYP")->get, 'mbbi', 'STATUS is an mbbi');
    is(pv("$old:AUTORESTART.RTYP")->get, 'bi', 'AUTORESTART a bi');
    is(pv("$old:IOCOUT.FTVL")->get, 'UCHAR', 'IOCOUT a waveform of UCHAR');
    is($pv{IOCNAME}->get, 'ioc1', 'IOCNAME');
    is($pv{DESCRIPTION}->get, 'The first', 'DESCRIPTION');
    shows('Running', 'On', 'at the start');
    my $number = pv("$old:STATUS", type => 'DBR_TIME_LONG');
    is($number->get, 0, 'Running is 0');
    is($pv{STATUS}->severity, 'NO_ALARM', 'and no alarm');
    is(pv('HAND:STATUS', type => 'DBR_TIME_LONG')->get, 3, 'a child that does not exist is Invalid');
};

subtest 'Stop and start' => sub {
    $pv{STATUS}->monitor;
    ok(command('STOP'), 'a put to STOP ends');
    shows('Shutdown', 'Off', 'stopped');
    is($pv{STATUS}->severity, 'MAJOR', 'in alarm');
    is($pv{STOP}->get, 'Idle', 'the button is released');
    is($our{State}->get, 'Stopped', 'our records agree');
    like($our{'CmdBy.VAL$'}->get, qr/\@127\.0\.0\.1$/, 'and know who did it');
    ok(command('RESTART'), 'RESTART of what does not run');
    shows('Shutdown', 'Off', 'does nothing');
    is($our{CmdState}->get, 'Denied', 'which is said');
    ok(command('TOGGLE'), 'nor does TOGGLE');
    shows('Shutdown', 'Off', 'as before');
    ok(command('START'), 'START');
    shows('Running', 'Off', 'leaves the automatic restart off');
    my $starts = $our{Starts}->get;
    ok(command('START'), 'START of what runs');
    is($our{Starts}->get, $starts, 'does nothing');
    is_deeply([grep { !/^Running$|^Shutdown$/ } $pv{STATUS}->values], [], 'no other state was seen');
};

subtest 'Toggle and restart' => sub {
    ok(command('TOGGLE'), 'TOGGLE');
    shows('Running', 'On', 'turns it on');
    ok(command('TOGGLE'), 'and again');
    shows('Running', 'Off', 'off');
    my $pid = $our{Pid}->get;
    ok(command('RESTART'), 'RESTART');
    shows('Running', 'On', 'turns it on, too');
    isnt($our{Pid}->get, $pid, 'and it is another process');
    $our{AutoRestart}->put_wait('OneShot');
    shows('Running', 'Off', 'OneShot is no automatic restart');
    ok(command('TOGGLE'), 'TOGGLE');
    is($our{AutoRestart}->get, 'Always', 'leads to Always');
};

subtest 'One that crashes' => sub {
    my ($status, $auto, $stop) = map { pv("LOOP:$_") } qw(STATUS AUTORESTART STOP);
    is($status->reached('Shutdown', 10)->{value}, 'Shutdown', 'is down until its next start');
    is($auto->get, 'On', 'which is to come');
    ok($stop->put_wait(1), 'STOP');
    is($auto->get, 'Off', 'keeps it down');
};

subtest 'Output' => sub {
    my $text = sub { my $value = $pv{IOCOUT}->get;
        $value = pack 'C*', @$value if ref $value;
        return $value =~ s/\0.*//sr; };
    my ($endpoint) = pv('ioc1:PS:Console.VAL$')->get =~ /(tcp:[\d.]+:\d+)/;
    my $console = PsTest::Telnet->new($endpoint);
    $console->expect(qr/Welcome to procServ/);
    $console->send("first line\r");
    ok((wait_for { $text->() =~ /^first line$/m } 10, 'IOCOUT', $text), 'IOCOUT shows it');
    $pv{SHOWOUT}->put_wait('No');
    $console->send("second line\r");
    $console->expect(qr/second line/);
    $console->send("third line\r");
    $console->expect(qr/third line/);
    ok((stays { $text->() !~ /second line/ } 1.5, 'IOCOUT unchanged'), 'SHOWOUT stops that');
    $pv{SHOWOUT}->put_wait('Yes');
    $console->send("fourth line\r");
    ok((wait_for { $text->() =~ /second line\n.*third line\n.*fourth line/s } 10, 'IOCOUT', $text),
        'and lets it go on');

    # Nobody monitors IOCOUT, which is read after Out: that must not slow down Out.
    my $out = pv('ioc1:PS:Out')->monitor;
    my ($begin, $count) = (time, 0);
    my $enough = wait_for { $console->send('line ' . ++$count . "\r"); $out->history > 12 }
        30, 'twelve updates of Out';
    ok($enough && time - $begin < 8, 'Out, monitored, is updated more often than once per second')
        or diag(time - $begin, ' s');
    is(pv('LOOP:SHOWOUT')->get, 'No', 'its value at the start is a macro');
};

is($proc->stop, 0, 'SIGTERM ends it');
done_testing();
