#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# --script runs an IOC shell script, --check looks at each of its lines, and one that is bad is no
# riddle: it ends the program, with a code and a text, only if nothing else is to be done.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::Server;

deadman(150);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
delete $ENV{EPICS_IOCSH_HISTFILE};
my $dir = tmpdir() . '/cwd';
mkdir $dir or die "$dir: $!";

sub script {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$dir/$name: $!";
    print $out $text;
    close $out or die "$dir/$name: $!";
    return "$dir/$name";
}

sub run {
    my (@args) = @_;
    return PsTest::Proc->start(cmd => [program(), $ports->ours, @args]);
}

subtest 'A good one' => sub {
    script('st.cmd', "epicsEnvSet WORD done\necho \$(WORD) > $dir/ran\n");
    my $server = PsTest::Server->start(
        ioc => 1, name => 'S', cmd => ['/bin/cat'], dir => $dir,
        args => [$ports->ours, '--script', 'st.cmd'])
        or BAIL_OUT('the program does not start');
    ok((wait_for { file_text("$dir/ran") eq "done\n" } 30, 'what the script writes',
        sub { $server->log_text . $server->stderr }), 'it runs');
    $server->stop; # the IOC shell writes its history when the script ends
    opendir(my $handle, $dir) or die "$dir: $!";
    is_deeply([sort grep { !/^\.\.?$/ } readdir $handle], ['ran', 'st.cmd'],
        'and leaves no history file');
};

# The child that a script adds, from its log
sub pid_of_child {
    my ($log, $more) = @_;
    my $pid = wait_for { file_text($log) =~ /The PID of new child "one" is: (\d+)/ ? $1 : 0 } 30,
        'the child of the script', sub { file_text($log) . $more->() };
    PsTest::Proc::remember($pid) if $pid;
    return $pid;
}

# A daemon is ended by its pid file.
sub end_daemon {
    my ($file) = @_;
    my ($pid) = file_text($file) =~ /^(\d+)/;
    PsTest::Proc::remember($pid);
    kill 'TERM', $pid;
    ok((wait_for { !PsTest::Proc::alive($pid) } 20, 'the end of the daemon'), 'SIGTERM ends it');
}

subtest 'One that fails and has added nothing' => sub {
    my $script = script('fails.cmd', "dbLoadRecords $dir/none.db\niocInit\n");
    for my $option ('-f', '-q') {
        my $proc = run($option, '--script', $script);
        ok($proc->wait_exit(60), ($option eq '-f' ? 'in the foreground' : 'as a daemon') . ' it ends');
        is($proc->exit_code, 1, 'with exit code 1');
        my $text = $proc->stderr;
        like($text, qr/no PVs: cannot load \Q$dir\E\/none\.db/, 'and the reason');
        like($text, qr/^\S+: \Q$script\E started no child; procServIoc ends$/m, 'and says that it ends');
        $proc->stop;
    }
};

subtest 'One that fails and has added a child' => sub {
    mkdir "$dir/sub" or die "$dir/sub: $!";
    my $script = script('partly.cmd', "cd $dir/sub\n"
        . "procServAdd one -P 0 -L one.log /bin/sh -c \"echo 'a\tb'; exec sleep 1000\"\n"
        . "dbLoadRecords $dir/none.db\niocInit\n");
    my $log = "$dir/sub/one.log";
    my $proc = run('-f', '--script', $script);
    my $pid = pid_of_child($log, sub { $proc->stderr });
    ok((wait_for { file_text($log) =~ /^\@\@\@ no PVs: cannot load \Q$dir\E\/none\.db/m } 20,
        'the reason', sub { file_text($log) }), 'the child is supervised, and its log says why');
    ok((wait_for { file_text($log) =~ /^a\tb\r$/m } 10, 'what its command prints',
        sub { file_text($log) }), 'its command is what the script says');
    ok($proc->running && PsTest::Proc::alive($pid), 'and nobody ends it');
    is($proc->stop, 0, 'SIGTERM ends it');

    unlink $log;
    $proc = run('-q', '-p', "$dir/pid", '--script', $script);
    ok($proc->wait_exit(60), 'a daemon returns');
    is($proc->exit_code, 0, 'with exit code 0');
    like($proc->stderr, qr/no PVs: cannot load/, 'and the reason');
    pid_of_child($log, sub { $proc->stderr });
    end_daemon("$dir/pid");
};

subtest 'One that includes itself' => sub {
    my $log = "$dir/self.log";
    my $script = script('self.cmd', "procServAdd one -P 0 -L $log sleep 1000\n< $dir/self.cmd\n");
    my $proc = run('-f', '--script', $script);
    my $pid = pid_of_child($log, sub { $proc->stderr });
    ok((wait_for { file_text($log) =~ /^\@\@\@ no PVs: .*include itself/m } 20, 'the reason',
        sub { file_text($log) . $proc->stderr }), 'its child is supervised, and its log says why');
    ok($proc->running && PsTest::Proc::alive($pid), 'the program runs on');
    is($proc->stop, 0, 'SIGTERM ends it');
};

# What --check says of a script
sub check {
    my ($text) = @_;
    my $proc = run('--check', '--script', script('check.cmd', $text));
    $proc->wait_exit(60);
    my @bad = $proc->stdout =~ /^bad +(.*)$/mg;
    return ($proc->exit_code, $proc->stdout . $proc->stderr, @bad);
}

subtest '--check looks at every line' => sub {
    my $template = 'psChild.template';
    my $good = "procServAdd one -P 0 -L $dir/good.log sleep 1000\n"
        . "dbLoadRecords $template \"P=C:,CHILD=one\"\n";
    my ($code, $text, @bad) = check("${good}iocInit\nprocServCmd one restart\n");
    is($code, 0, 'a good script is good') or diag($text);
    like($text, qr/^good command: sleep 1000$/m, 'its child is named');
    ok(!-e "$dir/good.log", 'nothing is started');
    for my $case (
        ['an unknown command', "nosuch 1\n", qr/check\.cmd line 3: Command nosuch not found/],
        ['a command of other programs', "system \"true\"\n", qr/check\.cmd line 3: Command system not found/],
        ['a quote that is not closed', "echo \"a\n", qr/check\.cmd line 3: Unbalanced quote/],
        ['a script that is not there', "< $dir/none.cmd\n", qr/Can't open \Q$dir\E\/none\.cmd/],
        ['a child with a wrong option', "procServAdd two --nosuch cat\n", qr/two: .*nosuch/],
        ['a child without a command', "procServAdd two -P 0 $dir/none\n",
            qr/command: .*\Q$dir\E\/none/],
        ['a child whose endpoint is none', "procServAdd two -P 99999 cat\n", qr/99999/],
        ['a child whose log cannot be', "procServAdd two -P 0 -L $dir/no/log cat\n",
            qr/log file .*\Q$dir\E\/no/],
        ['a child that there is', "procServAdd one -P 0 cat\n", qr/one: .*already/],
        ['a second child with a log', "procServAdd two -P 0 -L $dir/good.log cat\n",
            qr/log file \Q$dir\E\/good\.log: already used by "one"/],
        ['a child whose records lack the PV of its readiness',
            "procServAdd two -P 0 --ready-pv X:up cat\ndbLoadRecords $template \"P=D:,CHILD=two\"\n",
            qr/record D:ReadyIn: it follows no PV: load the records of two with the macro READY_PV/],
        ['a child whose records lack the PV of its watchdog',
            "procServAdd two -P 0 --watch-pv X:beat --watch-after 5 cat\n"
                . "dbLoadRecords $template \"P=D:,CHILD=two\"\n",
            qr/record D:WatchSeen: it follows no PV: load the records of two with the macro WATCH_PV/],
        ['two children with one place in the PVI',
            "procServAdd two -P 0 cat\nprocServAdd three -P 0 cat\n"
                . join('', map { "dbLoadRecords $template \"P=$_:,CHILD=$_,SUP=H:\"\n" } 'two', 'three'),
            qr/record \w+:PviName: \w+:PviName has the same place in the PVI of the supervisor/],
        ['a macro that is not defined', "dbLoadRecords \"\$(NOSUCH)/$template\" \"P=D:,CHILD=one\"\n",
            qr/check\.cmd: macro NOSUCH is undefined; this line was left out: dbLoadRecords "\$\(NOSUCH\)/],
        ['a macro that records lack', "dbLoadRecords $template \"CHILD=one\"\n",
            qr/cannot load $template: macLib: macro P is undefined/],
        ['a wrong command for a child', "procServCmd one fly\n", qr/unknown command 'fly'/],
        ['records of a child that is none', "dbLoadRecords $template \"P=D:,CHILD=two\"\n",
            qr/record D:\w+: link "\@two \w+": there is no child named two/],
        ) {
        my ($what, $line, $reason) = @$case;
        ($code, $text, @bad) = check("$good${line}iocInit\n");
        is($code, 1, "$what is an error");
        ok(@bad == 1 && $bad[0] =~ $reason, 'reported in one line') or diag($text);
    }
};

subtest 'More children than the descriptors are enough for' => sub {
    my $script = script('many.cmd', join '', map { "procServAdd c$_ -P 0 /bin/cat\n" } 1 .. 20);
    my $need = qr/20 children need \d+ descriptors, and the limit is 400: raise LimitNOFILE= or ulimit -n/;
    my $check = PsTest::Proc->start(nofile => 400, cmd => [program(), $ports->ours, '--check', '--script', $script]);
    ok($check->wait_exit(40), '--check ends');
    is($check->exit_code, 1, 'with an error');
    like($check->stdout, qr/^bad  $need$/m, 'that says how many they need') or diag($check->stderr);
    my $start = PsTest::Proc->start(nofile => 400, cmd => [program(), $ports->ours, '-f', '--script', $script]);
    my $program = program();
    ok((wait_for { $start->stderr =~ /^\Q$program\E: $need$/m } 40, 'the line', sub { $start->stderr }),
        'a start says so, too');
    is(scalar(() = $start->stderr =~ /$need/g), 1, 'once');
    is($start->stop(30), 0, 'and runs');
};

subtest 'A child of the command line and one of a script' => sub {
    my $script = script('one.cmd', "procServAdd one -P 0 /bin/cat\n");
    for my $case ([1], [2, '--script', $script]) {
        my ($count, @args) = @$case;
        my $check = PsTest::Proc->start(nofile => 20,
            cmd => [program(), $ports->ours, '--check', @args, '-n', 'T', 0, '/bin/cat']);
        $check->wait_exit(40);
        like($check->stdout, qr/^bad  $count child\w* needs? \d+ descriptors, and the limit is 20/m, "$count, they are counted")
            or diag($check->stderr);
    }
};

subtest 'A line that is left out' => sub {
    my $script = script('macro.cmd', "procServAdd one -P 0 -L $dir/macro.log /bin/cat\n"
        . 'dbLoadRecords "$(NOSUCH)/psChild.template" "P=D:,CHILD=one"' . "\n");
    my $server = run('-f', '--own-log', "$dir/own.log", '--script', $script);
    my $line = qr/\Q$script\E: macro NOSUCH is undefined; this line was left out: dbLoadRecords/;
    ok((wait_for { file_text("$dir/macro.log") =~ /^\@\@\@ $line/m } 40, 'the line', sub { $server->stderr }),
        'is on console and log of the child');
    ok((wait_for { file_text("$dir/own.log") =~ $line } 20, 'the line', sub { $server->stderr }), 'and in the own log');
    is($server->stop(30), 0, 'it runs');
};

done_testing();
