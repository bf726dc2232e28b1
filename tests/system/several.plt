#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The scripts in iocBoot work as they are; several processes in one IOC are independent; the
# commands of the IOC shell.

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

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
needs(-e top_dir() . "/iocBoot/$_/envPaths", "envPaths in iocBoot/$_, which make writes")
    for qw(iocSingle iocHost);

my $ports = PsTest::Ports->new->apply;
$ENV{EPICS_CA_ADDR_LIST} .= ' 127.0.0.3';
$ENV{"${_}_PORT"} = 0 for qw(CONSOLE MOTORS VACUUM LOGGER);
$ports->repeater;
needs_ca();

# A script of iocBoot/, or with lines of its own, in the foreground.
sub start {
    my ($folder, $file) = @_;
    my $dir = $file ? tmpdir() : top_dir() . "/iocBoot/$folder";
    return PsTest::Proc->start(dir => $dir,
        cmd => [program(), '-f', $ports->ours, '--script', $file || 'st.cmd']);
}

sub value { return pv($_[0])->get; }
sub pid_of { return value("$_[0]:PS:Pid"); }

sub is_up {
    my ($proc, @names) = @_;
    for my $name (@names) {
        my $state = pv("$name:PS:State");
        $state->wait_connected(30) or BAIL_OUT('no PVs: ' . $proc->stderr);
        ok($state->wait_value('Running', 10), "$name runs");
    }
}

# Its console, whatever its port is, after the banner.
sub console {
    my ($name) = @_;
    my ($endpoint) = value("$name:PS:Console.VAL\$") =~ /(tcp:[\d.]+:\d+)/;
    my $client = PsTest::Telnet->new($endpoint || 'none') or return;
    $client->expect(qr/Welcome to procServ.*\(plus you\)\r\n/s);
    return $client;
}

# What procServReport of a script says of a child.
sub is_reported {
    my ($proc, $name) = @_;
    ok((wait_for { $proc->stderr =~ /^$name +\w+ +pid \d+/m } 10, "a report of $name",
        sub { $proc->stderr }), "procServReport shows $name");
}

sub new_pid { my ($old) = @_; return qr/^(?!(?:0|$old)$)/; }

subtest 'iocBoot/iocSingle' => sub {
    my $proc = start('iocSingle');
    is_up($proc, 'single');
    my $pid = pid_of('single');
    my ($code, $out, $err) = tool('caget', '-t', '-w', 20, 'TST:amplitude');
    is($code, 0, 'its soft IOC answers') or diag("$out$err");
    like(readlink("/proc/$pid/exe"), qr{/softIoc$}, 'and is the process of Pid');
    is(value('single:PS:Holdoff_RBV'), 5, 'the options of procServAdd hold');
    ($code) = tool(qw(caput -c -w 30 single:PS:Restart 1));
    is($code, 0, 'it can be restarted');
    ok(pv('single:PS:Pid')->wait_value(new_pid($pid), 5), 'which gives a new process');
    my $console = console('single') or return fail('a console');
    $console->send("dbl\r");
    ok($console->expect(qr/TST:amplitude/, 20), 'its console is that of the soft IOC');
    like($proc->stderr, qr/^single +Running +pid $pid\b/m, 'procServReport shows it');
    is($proc->stop, 0, 'SIGTERM ends it');
    ok(!PsTest::Proc::alive($_), "process $_ is gone") for $pid;
};

subtest 'iocBoot/iocHost: three processes' => sub {
    my $proc = start('iocHost');
    is_up($proc, 'motors', 'vacuum');
    is(value('logger:PS:State'), 'Waiting', 'logger waits');
    is(value('logger:PS:AutoRestart'), 'OnFailure', 'its restart mode');
    for my $name (qw(motors vacuum)) {
        my ($code, $out, $err) = tool('caget', '-t', '-w', 20, "$name:amplitude");
        is($code, 0, "the soft IOC of $name answers") or diag("$out$err");
    }
    is_reported($proc, $_) for qw(motors vacuum logger);

    my %pid = map { $_ => pid_of($_) } qw(motors vacuum);
    my ($code) = tool(qw(caput -c -w 30 motors:PS:Restart 1));
    is($code, 0, 'motors is restarted');
    ok(pv('motors:PS:Pid')->wait_value(new_pid($pid{motors}), 5), 'it has a new process');
    is(pid_of('vacuum'), $pid{vacuum}, 'vacuum has the same');
    is(value('vacuum:PS:CmdSeq'), 0, 'and had no command');
    is(value('logger:PS:State'), 'Waiting', 'logger still waits');

    $pid{motors} = pid_of('motors');
    kill 'KILL', $pid{vacuum};
    ok(pv('vacuum:PS:Crashes')->wait_value(1, 10), 'a crash of vacuum is counted');
    ok(pv('vacuum:PS:State')->wait_value('Holdoff', 10), 'and held off');
    is(value('motors:PS:Crashes'), 0, 'not of motors');
    is(pid_of('motors'), $pid{motors}, 'which has the same process');

    # three at once
    my @puts = map { tool_start(qw(caput -c -w 30), $_, 1) }
        qw(motors:PS:Stop vacuum:PS:Start logger:PS:Start);
    for my $put (@puts) {
        ok($put->wait_exit(30) && $put->exit_code == 0, "$put->{cmd}[4] at the same time");
    }
    ok(pv('motors:PS:State')->wait_value('Stopped', 10), 'motors is stopped');
    ok(pv('motors:PS:Start')->put_wait(1, 10), 'and started');
    is_up($proc, qw(motors vacuum logger));
    my %new = map { $_ => pid_of($_) } qw(motors vacuum logger);
    my %own = reverse %new;
    is(scalar keys %own, 3, 'three processes');
    isnt($new{$_}, $pid{$_}, "$_ has a new one") for qw(motors vacuum);
    my $console = console('logger') or return fail('a console');
    $console->send("\x18");
    ok($console->expect(qr/process $new{logger}\. The process was killed by signal 9/),
        'each has a console of its own, with its keys');
    is(pid_of($_), $new{$_}, "$_ is not touched by them") for qw(motors vacuum);
    is($proc->stop, 0, 'SIGTERM ends it');
    ok(!PsTest::Proc::alive($new{$_}), "$_ is gone") for qw(motors vacuum logger);
};

subtest 'Commands of the IOC shell' => sub {
    my $dir = tmpdir();
    my $script = "$dir/shell.cmd";
    my $template = top_dir() . '/db/psChild.template';
    open(my $out, '>', $script) or die "$script: $!";
    print $out <<"END";
procServAdd one "-P 0 -- /bin/cat"
procServAdd one "-P 0 -- /bin/sleep 1000"
procServAdd two "-P 0 --no-such-option -- /bin/cat"
procServAdd two "-P 0"
procServAdd two "-P 0 -- /bin/cat 'open"
procServAdd two -P 0 -L two.log --wait -- /bin/cat
procServStart nothing
procServCmd one dance
procServCmd nobody stop
procServCmd one signal NONSENSE
dbLoadRecords("$template", "P=one:PS:,CHILD=one")
dbLoadRecords("$template", "P=two:PS:,CHILD=two")
iocInit
procServCmd * start
procServSet one
procServSet one no-such-setting 1
procServSet one grace much
procServSet nobody grace 1
procServReport nobody 2
procServReport one much
procServSet one --grace 2.5
procServSet one autorestart never
procServSet * holdoff 7
procServAdd late "--name later -P 0 -- /bin/cat"
procServReport 2
procServReport one 2
help procServSet
dbior procServ 1
END
    close $out;
    my $proc = start(undef, $script);
    is_up($proc, 'one', 'two');
    is(value('two:PS:StartReason'), 'Script', 'procServCmd * started two');
    is(value('one:PS:Cmd.VAL$'), '/bin/cat', 'the first of a name counts');
    is_reported($proc, 'two');
    my $said = $proc->stderr;
    my $number = 0;
    for my $case (
        ['the name again', qr/^one: .*already/m],
        ['an option that is none', qr/^two: .*no-such-option/m],
        ['no command', qr/^two: .*(?:command|missing)/im],
        ['an open quote', qr/quote is not closed/],
        ['procServStart of nothing', qr/^nothing: there is no child of that name/m],
        ['a command that is none', qr/procServCmd: unknown command 'dance'/],
        ['a command to nobody', qr/^nobody: there is no child of that name/m],
        ['a signal that is none', qr/no such signal/],
        ['a setting without a value', qr/^procServSet needs a name, an option and a value/m],
        ['a setting that is none', qr/^procServSet: there is no setting 'no-such-setting'/m],
        ['a value that is none', qr/^grace: 'much' must be a number of seconds from 0 to 3600/m],
        ['a setting of nobody', qr/^nobody: there is no child of that name; see 'help procServSet'/m],
        ['a report of nobody', qr/^nobody: there is no child of that name; see 'help procServReport'/m],
        ['a level that is none', qr/^procServReport: the level must be a number/m],
        ) {
        my ($what, $line) = @$case;
        like($said, $line, "$what is refused, and reported");
    }
    like($said, qr/^later: started without PVs/m, 'after iocInit, the last name given is the one');
    my @hints = $said =~ /^.*; see 'help (procServ\w+)'$/mg;
    is(scalar @hints, 14, 'in one line each, which names where the usage is') or diag($said);
    unlike($said, qr/^ *procServAdd NAME/m, 'and without the usage');
    ok((wait_for { file_text("$dir/two.log") =~ /^\@\@\@ [-\d]+ [:\d]+ iocsh procServCmd \* start\r?$/m }
        10, 'the line', sub { file_text("$dir/two.log") }), 'the log says who gave a command');
    is(value('two:PS:CmdBy'), 'iocsh', 'and so does CmdBy');
    is(value('one:PS:Grace_RBV'), 2.5, 'procServSet has set a number');
    is(value('one:PS:AutoRestart'), 'Never', 'and a mode, by the name of its record');
    is(value("$_:PS:Holdoff_RBV"), 7, "one of all, for $_") for qw(one two);
    is(value('one:PS:Overridden'), 'Yes', 'which differs from the script now');
    is(scalar(my @once = $said =~ /^    Overridden +(?:Yes|No)$/mg), 4, 'after that of all three');
    like($said, qr/^  $_ /m, "the usage of procServSet names $_")
        for qw(restart-mode holdoff holdoff-max restart-window grace max-restarts);
    like($said, qr/^  children: 3; records follow them; commands and settings are open$/m,
        'dbior says how many children there are');
    like($said, qr/^  mbbi +\d+ inputs: State Health /m, 'what a device support reads');
    like($said, qr/^  bo +\d+ commands and settings: Start Stop /m, 'and which commands one gives');
    like($said, qr/^  calcout +\d+ inputs: ReadyIn$/m, 'a record that follows a PV is no command');
    is($proc->stop, 0, 'SIGTERM ends it');
};

done_testing();
