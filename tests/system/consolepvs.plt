#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The records of a child's console, as clients of Channel Access and PV Access see them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use POSIX qw(mkfifo);
use Socket;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;
use PsTest::Telnet;

deadman(300);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();
my $tools = PsTest::Ports::tool_dir();

sub start {
    my ($args, @cmd) = @_;
    my $log = !grep { $_ eq '-L' } @$args;
    my $server = PsTest::Server->start(ioc => 1, name => 'T', log => $log, args => [$ports->ours, @$args],
        cmd => [@cmd]) or BAIL_OUT('the program does not start');
    pv('T:PS:State')->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    return $server;
}

# The text of Out, ExitTail: by caget.
sub text_of {
    my ($name) = @_;
    my $text = qx($tools/caget -w 10 -t -S $name 2>&1);
    chomp $text;
    $text =~ s/^\Q$name\E //;
    $text =~ s/\\n/\n/g;
    return $text;
}

# Wait until it is so.
sub becomes {
    my ($name, $wanted, $what, $sec) = @_;
    my $last = '';
    ok((wait_for { $last = text_of($name); $last =~ $wanted } $sec || 15, $what,
            sub { "$name is \"" . substr($last, -300) . '"' }), $what);
    return $last;
}

subtest 'A child that prints once, and binary data' => sub {
    my $server = start([], '/bin/sh', '-c', 'printf "one\r\n\033[31mt\303\274o\033[0m\n\377\376\000\a|\nend\nprompt> "; exec sleep 1000');
    my $out = becomes('T:PS:Out', qr/\nend$/, 'Out ends with the last complete line');
    like($out, qr/^one$/m, 'without carriage return');
    like($out, qr/^t\\xc3\\xbco$/m, 'UTF-8, as caget shows it, without colours');
    like($out, qr/^\\\\xFF\\\\xFE\\\\x00\\\\x07\|$/m, 'binary data is shown');
    is(pv('T:PS:OutLast.VAL$')->get, 'end', 'OutLast');
    like(qx($tools/pvget -w 10 T:PS:OutLast), qr/"?\bend\b"?/, 'by PV Access');
    pv('T:PS:OutLines', type => 'DBR_TIME_LONG')->wait_value(4, 10);
    is(pv('T:PS:OutLines', type => 'DBR_TIME_LONG')->get, 4, 'OutLines counts its lines, not ours');
    my $age = pv('T:PS:OutAge', type => 'DBR_TIME_LONG');
    ok((wait_for { $age->get >= 2 } 10, 'OutAge'), 'OutAge counts while it is silent');
    is($age->severity, 'NO_ALARM', 'without an alarm');
    my $rate = pv('T:PS:OutRate', type => 'DBR_TIME_DOUBLE');
    ok((wait_for { $rate->get == 0 } 10, 'OutRate'), 'OutRate goes back to 0');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A child that floods' => sub {
    my $server = start([], 'seq', '-f', '%.0f 0123456789 abcdefghijklmnopqrstuvwxyz', 1, 1e12);
    my $rate = pv('T:PS:OutRate', type => 'DBR_TIME_DOUBLE');
    ok((wait_for { $rate->get > 1e6 } 20, 'OutRate', sub { 'it is ' . $rate->get }), 'OutRate');
    my @lines = split /\n/, text_of('T:PS:Out');
    my ($first) = $lines[0] =~ /^(\d+) /;
    my @wrong = grep { $lines[$_] ne $first + $_ . ' 0123456789 abcdefghijklmnopqrstuvwxyz' } 0 .. $#lines;
    ok(@lines > 140 && !@wrong, 'Out has whole lines, one after the other: ' . @lines)
        or diag("$lines[0] ... $lines[-1]");
    is(pv('T:PS:OutAge', type => 'DBR_TIME_LONG')->get <= 1 ? 1 : 0, 1, 'OutAge is small');
    # the fast ones show enough updates for their number to be limited by the pace
    for my $case (['camonitor', 10, qw(-S T:PS:Out)], ['camonitor', 3, qw(-t sI T:PS:OutLines)],
                  ['pvmonitor', 3, 'T:PS:OutLast'], ['pvmonitor', 10, qw(-M json T:PS:Out)]) {
        my ($command, $least, @args) = @$case;
        my $began = time;
        my $proc = $command eq 'pvmonitor' ? pva_monitor(@args) : tool_start($command, @args);
        $proc or fail("$command @args shows something"), next;
        my $updates = sub { my $count = () = $proc->stdout =~ /^T:PS:Out\w* /mg; $count };
        wait_for { $updates->() >= $least } 30, "$least updates of $args[-1]";
        my ($count, $took) = ($updates->(), time - $began);
        $proc->stop;
        ok($count >= $least && $count <= 2 + $took * 5.2,
            sprintf('%s: %d updates in %.1f s', "$command $args[-1]", $count, $took));
    }
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A child whose last line is long ago' => sub {
    my $go = tmpdir() . '/go';
    mkfifo($go, 0600) or die "$go: $!";
    my $server = start([], '/bin/sh', '-c',
        'echo hello; read -r go <"$0"; head -c 2000000 /dev/zero | tr "\0" "\r"; printf "progress 1"; exec sleep 1000', $go);
    becomes('T:PS:Out', qr/(^|\n)hello$/, 'Out ends with its last line');
    my $before = text_of('T:PS:Out');
    open(my $tell, '>', $go) or die "$go: $!";
    close $tell;
    my $size = pv('T:PS:LogSize', type => 'DBR_TIME_DOUBLE');
    ok((wait_for { $size->get > 1.9 } 20, 'LogSize', sub { $size->get }), 'more follows than is kept, but no line');
    is(text_of('T:PS:Out'), $before, 'Out has not changed');
    is(pv('T:PS:OutLast.VAL$')->get, 'hello', 'and OutLast neither');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'Connections' => sub {
    my $dir = tmpdir();
    my $server = start(['-P', "unix:$dir/console", '-l', "unix:$dir/log"], 'sleep', 1000);
    my $list = pv('T:PS:ClientList.VAL$');
    my @clients = map { IO::Socket::UNIX->new(Peer => "$dir/" . $_) or die "$_: $!" } qw(console console log);
    ok((wait_for { my @all = split /; /, $list->get; @all == 3 } 15, 'three', sub { $list->get }),
        'ClientList has three');
    my $stamp = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;
    like($list->get, qr/^unix uid \d+ pid $$ since $stamp, reads only; unix uid \d+ pid $$ since $stamp; unix /,
        'who they are, since when, the newest first');
    is(pv('T:PS:Clients', type => 'DBR_TIME_LONG')->get, 2, 'Clients');
    is(pv('T:PS:Loggers', type => 'DBR_TIME_LONG')->get, 1, 'Loggers');
    close $_ for @clients;
    ok((wait_for { $list->get eq '' } 15, 'none', sub { $list->get }), 'none is left');
    is(pv('T:PS:Refused', type => 'DBR_TIME_LONG')->get, 0, 'none was refused');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A log that cannot be written' => sub {
    plan skip_all => 'no /dev/full' unless -c '/dev/full';
    my $dir = tmpdir();
    symlink '/dev/full', "$dir/full" or die $!;
    my $server = start(['-L', "$dir/full"], '/bin/sh', '-c', 'while :; do echo line; sleep 0.1; done');
    my $error = pv('T:PS:LogError');
    ok((wait_for { $error->get eq 'Error' } 15, 'LogError', sub { $error->get . ' ' . $server->stderr }), 'LogError');
    is($error->severity, 'MAJOR', 'is MAJOR');
    my $msg = pv('T:PS:StateMsg.VAL$');
    ok((wait_for { $msg->get =~ /^Running: .*; log: No space left on device/ } 15, 'StateMsg', sub { $msg->get }),
        'StateMsg mentions it');
    like(qx($tools/caget -w 10 -t T:PS:LogError.AMSG), qr/^No space left on device/, 'with the reason');
    my $dropped = pv('T:PS:LogDropped', type => 'DBR_TIME_DOUBLE');
    ok((wait_for { $dropped->get > 0 } 15, 'LogDropped'), 'LogDropped counts');
    is($server->stop, 0, 'SIGTERM ends it');
};

# Once with the folder in place, once without.
subtest 'A log that cannot be opened again' => sub {
    my $dir = tmpdir() . '/logs';
    mkdir $dir or die "$dir: $!";
    my $server = start(['-L', "$dir/log"], 'sleep', 1000);
    my ($error, $rotate, $command) = map { pv("T:PS:$_") } qw(LogError RotateLog CmdState);
    $rotate->put_wait(1);
    is($command->get, 'Done', 'it can be reopened');
    is($error->get, 'OK', 'LogError');
    rename $dir, "$dir.gone" or die "$dir: $!";
    $rotate->put_wait(1);
    is($command->get, 'Failed', 'without its folder it cannot');
    ok((wait_for { $error->get eq 'Error' } 15, 'LogError', sub { $error->get }), 'LogError');
    is($error->severity, 'MAJOR', 'is MAJOR');
    is(pv('T:PS:LogError.AMSG')->get, 'No such file or directory', 'with the reason');
    mkdir $dir or die "$dir: $!";
    $rotate->put_wait(1);
    ok((wait_for { $error->get eq 'OK' } 15, 'LogError', sub { $error->get }), 'and is gone when the folder is back');
    is($error->severity, 'NO_ALARM', 'with its alarm');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A log that can' => sub {
    my $server = start([], '/bin/sh', '-c', 'head -c 3000000 /dev/zero | tr "\0" a; echo; exec sleep 1000');
    my $size = pv('T:PS:LogSize', type => 'DBR_TIME_DOUBLE');
    ok((wait_for { $size->get > 2.86 && $size->get < 2.87 } 20, 'LogSize', sub { $size->get }), 'LogSize is in MiB');
    is(pv('T:PS:LogError')->get, 'OK', 'LogError');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'What it said when it died' => sub {
    my $server = start(['--holdoff', 1000], '/bin/sh', '-c', 'echo first words; printf "assertion failed"; kill -SEGV $$');
    my $tail = becomes('T:PS:ExitTail', qr/assertion/, 'ExitTail');
    is($tail, "first words\nassertion failed", 'has what it printed, and nothing else');
    pv('T:PS:Start')->put_wait(1);
    is(text_of('T:PS:ExitTail'), "first words\nassertion failed", 'that of the next exit is its own');
    is(pv('T:PS:OutAge', type => 'DBR_TIME_LONG')->get, 0, 'OutAge is 0 while nothing runs');
    is($server->stop, 0, 'SIGTERM ends it');
};

# With IN_DISP=0, and rules that let anyone write to these groups.
sub start_open {
    my ($groups, @cmd) = @_;
    my $dir = tmpdir();
    open(my $rules, '>', "$dir/all.acf") or die $!;
    for my $group (qw(PS_CMD PS_CONSOLE PS_RO DEFAULT)) {
        my $write = (grep { $_ eq $group } @$groups) ? ' RULE(1, WRITE, TRAPWRITE)' : '';
        print $rules "ASG($group) { RULE(1, READ)$write }\n";
    }
    close $rules;
    open(my $script, '>', "$dir/st.cmd") or die $!;
    print $script qq{dbLoadRecords "psConsole.template", "P=open:,CHILD=T,IN_DISP=0"\niocInit\n};
    close $script;
    return start(['--acf', "$dir/all.acf", '--script', "$dir/st.cmd"], @cmd);
}

my @echo = ('/bin/sh', '-c', 'stty -echo; echo ready; while read -r line; do echo "<$line>"; done');

subtest 'Typing' => sub {
    my $server = start_open([qw(PS_CMD PS_CONSOLE)], @echo);
    my $long = '1234567890' x 6;
    my $cut = substr($long, 0, 39);
    isnt(system("$tools/caput -c -w 10 T:PS:In hello >/dev/null 2>&1"), 0, 'In is closed');
    is(pv('T:PS:CmdState')->reached('Denied', 10)->{value}, 'Denied', 'and CmdState says so');
    system("$tools/caput -c -w 10 open:In hello >/dev/null 2>&1");
    becomes('T:PS:Out', qr/^<hello>$/m, 'open, it takes a line');
    like($server->log_text, qr/^\@\@\@ .* \S+\@127\.0\.0\.1 put open:In hello\r?$/m, 'the log shows who typed it');
    for my $client ("$tools/caput -c -w 10", "$tools/pvput -w 10") {
        system("$client open:In done >/dev/null 2>&1");
        system("$client open:In $long >/dev/null 2>&1");
        my ($name) = $client =~ m{(\w+put)};
        is(pv('T:PS:CmdState')->reached('Denied', 10)->{value}, 'Denied', "$name cuts a long line, which is refused");
        like(pv('T:PS:CmdMsg.VAL$')->get, qr/cut at 39 characters/, 'with the reason');
    }
    system("$tools/caput -c -w 10 -S 'open:In.VAL\$' $long >/dev/null 2>&1");
    my $all = becomes('T:PS:Out', qr/^<\Q$long\E>$/m, 'VAL$ takes all of it');
    my @bytes = ((map { ord } split //, "bytes $long"), 0);
    system("$tools/pvput -w 10 'open:In.VAL\$' " . @bytes . " @bytes >/dev/null 2>&1");
    becomes('T:PS:Out', qr/^<bytes \Q$long\E>$/m, 'by PV Access it takes bytes');
    unlike($all, qr/^<\Q$cut\E>$/m, 'nothing of what was cut was typed');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'Typing that access security refuses' => sub {
    my $server = start_open([qw(PS_CMD)], @echo);
    becomes('T:PS:Out', qr/^ready$/m, 'the process reads');
    is(pv('open:In.DISP', type => 'DBR_TIME_LONG')->get, 0, 'the record is open');
    for my $client ("$tools/caput -c -w 10", "$tools/pvput -w 10") {
        my ($name) = $client =~ m{(\w+put)};
        isnt(system("$client open:In refused >/dev/null 2>&1"), 0, "$name reports an error");
        isnt(system("$client 'open:In.VAL\$' refused >/dev/null 2>&1"), 0, 'for VAL$, too');
    }
    pv('T:PS:RotateLog')->put_wait(1);
    is(pv('T:PS:CmdState')->get, 'Done', 'commands are allowed');
    is(pv('T:PS:CmdSeq', type => 'DBR_TIME_LONG')->get, 1, 'and nothing else was one');
    $server->console->send("after\r");
    unlike(becomes('T:PS:Out', qr/^<after>$/m, 'what is typed at the console arrives'), qr/refused/,
        'nothing of the rest was typed');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'Typing to a process that does not read' => sub {
    my $server = start_open([qw(PS_CMD PS_CONSOLE)], '/bin/sh', '-c', 'stty raw -echo; echo ready; exec sleep 1000');
    becomes('T:PS:Out', qr/^ready$/m, 'the process has set up its terminal');
    my $client = $server->console;
    my $line = 'x' x 99 . "\n";
    ok($client->send($line x 15_000), '1.5 MB are typed');
    ok($client->expect(qr/^\@\@\@ The child does not read its terminal/m, 30), 'which is too much');
    system("$tools/caput -c -w 10 open:In more >/dev/null 2>&1");
    is(pv('T:PS:CmdState')->wait_value('Failed', 10)->{value}, 'Failed', 'a line is not taken then');
    like(pv('T:PS:CmdMsg.VAL$')->get, qr/the process does not read what is typed/, 'with the reason');
    is(pv('open:In')->severity, 'INVALID', 'and an alarm');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'At the limit of connections' => sub {
    my $dir = tmpdir();
    my $server = PsTest::Server->start(ioc => 1, name => 'T', nofile => 420,
        args => [$ports->ours, '-P', "unix:$dir/console"], cmd => ['sleep', 1000]) or return fail('start');
    pv('T:PS:State')->wait_connected(30);
    my $refused = pv('T:PS:Refused', type => 'DBR_TIME_LONG');
    my @clients;
    for (1 .. 120) {
        my $client = IO::Socket::UNIX->new(Peer => "$dir/console") or last;
        push @clients, $client;
    }
    ok((wait_for { $refused->get > 0 } 20, 'Refused', sub { $refused->get . ' of ' . @clients }), 'Refused counts');
    is($server->stop, 0, 'SIGTERM ends it');
};

done_testing();
