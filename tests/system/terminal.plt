#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The terminal that -f makes a console: the size of its window, and what is not printed on it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::PV;
use PsTest::Server;
use PsTest::Telnet;
use PsTest::Terminal;

deadman(120);
needs(-x program(), 'the program ' . program());
needs(PsTest::Terminal->available, 'script(1), to have a terminal');
plan(skip_all => 'procServ leaves the size at 0x0') if is_procserv();

my $dir = tmpdir();
my $counter = 0;

# The size when it starts, and again each time it is told of another one.
my @shows = ('/bin/sh', '-c', 'stty -echo; trap "stty size" WINCH; stty size; while :; do sleep 0.05; done');

# Start the program on a terminal of so many rows and columns; returns it, with its info file and log.
sub start {
    my ($size, @args) = @_;
    my $base = "$dir/terminal" . ++$counter;
    my ($rows, $cols) = @$size;
    my $terminal = PsTest::Terminal->start(
        cmd => ['/bin/sh', '-c', "stty rows $rows cols $cols && exec \"\$0\" \"\$@\"", program(), '--no-ioc',
            '-f', '-n', 'T', '--holdoff', 0, '-I', "$base.info", '-L', "$base.log", '-P', 0, @args]);
    $terminal->{base} = $base;
    wait_for { file_text("$base.info") =~ /^tcp:/m } 10, 'the info file' or return;
    return $terminal;
}

sub resize {
    my ($terminal, $rows, $cols) = @_;
    my $tty = readlink '/proc/' . $terminal->inner . '/fd/0';
    return system('stty', '-F', $tty, 'rows', $rows, 'cols', $cols) == 0;
}

# What the log has after the sizes that were seen before.
sub shows {
    my ($terminal, $rows, $cols) = @_;
    my $text;
    return wait_for {
        $text = substr file_text("$terminal->{base}.log"), $terminal->{seen} || 0;
        return 0 if $text !~ /^(\d+ \d+)\r$/m;
        $terminal->{seen} += $+[0];
        return $1 eq "$rows $cols" ? 1 : diag("it is $1");
    } 10, "the child to see $rows rows of $cols", sub { $text };
}

sub end {
    my ($terminal) = @_;
    kill 'TERM', $terminal->inner;
    return $terminal->wait_exit(10) && $terminal->exit_code == 0;
}

subtest 'The child has the size of the window, from its first line on' => sub {
    my $terminal = start([33, 111], @shows) or return fail('start');
    ok(shows($terminal, 33, 111), 'when it starts');
    for my $size ([50, 140], [12, 40]) {
        ok(resize($terminal, @$size), 'the window changes');
        ok(shows($terminal, @$size), "to @$size");
    }
    $terminal->send("\x18");
    ok(shows($terminal, 12, 40), 'a new process has it, too');
    ok(end($terminal), 'ends well');
};

subtest 'A terminal without a size leaves that of the child' => sub {
    my $terminal = start([0, 0], @shows) or return fail('start');
    ok(shows($terminal, 24, 80), '24 by 80');
    ok(end($terminal), 'ends well');
};

subtest 'The size is that of the client that typed last' => sub {
    my $terminal = start([33, 111], @shows) or return fail('start');
    ok(shows($terminal, 33, 111), 'the terminal is the only one');
    my ($endpoint) = file_text("$terminal->{base}.info") =~ /^(tcp:.*)$/m;
    my $client = PsTest::Telnet->new($endpoint) or return fail('connect');
    $client->send_raw("\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x28\xff\xf0x");
    ok(shows($terminal, 40, 80), 'one of telnet types');
    ok(resize($terminal, 20, 60), 'the window of the terminal changes');
    $client->send_raw("\xff\xfa\x1f\0\x51\0\x29\xff\xf0x");
    ok(shows($terminal, 41, 81), 'which counts for nothing');
    $terminal->send('y');
    ok(shows($terminal, 20, 60), 'until somebody types there');
    ok(end($terminal), 'ends well');
};

subtest 'SIGWINCH without a terminal' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/cat']) or return fail('start');
    $server->signal('WINCH');
    my $client = $server->console or return fail('connect');
    $client->send("still here\r");
    ok($client->expect(qr/still here\r\nstill here\r\n/), 'does nothing');
    is($server->stop, 0, 'ends well');
};

subtest 'No byte of telnet is printed' => sub {
    my $terminal = start([24, 80], '/bin/cat') or return fail('start');
    ok($terminal->expect(qr/The PID of new child/), 'the terminal shows the start');
    $terminal->send("typed\r");
    ok($terminal->expect(qr/typed\r+\ntyped\r+\n/), 'and what is typed');
    unlike($terminal->stdout, qr/\xff/, 'without a greeting of telnet');
    ok(end($terminal), 'ends well');
};

subtest 'With PVs' => sub {
    my $ports = PsTest::Ports->new->apply;
    plan(skip_all => 'no tools of Base') if !PsTest::Ports::tool_dir();
    # On one port: the second PVA server has to take another, and says so on standard output.
    my $first = PsTest::Server->start(ioc => 1, name => 'A', cmd => ['/bin/cat'], args => [$ports->ours])
        or return fail('start');
    ok((wait_for { (tool('pvget', '-w', 5, 'A:PS:Pid'))[0] == 0 } 30, 'its PVs'), 'one serves');
    my $own = "$dir/own.log";
    my $terminal = PsTest::Terminal->start(cmd => [program(), $ports->ours, '-f', '-n', 'T2', '--own-log', $own,
            '-P', 0, '/bin/cat']);
    ok($terminal->expect(qr/^\@\@\@ PVs: T2:PS: \(not served yet\)\r+\n(.*\n)*\@\@\@ The PID of new child/m),
        'the banner has a line for the PVs');
    ok((wait_for { file_text($own) =~ /^\S+ \S+ EPICS Base: .*dynamically assigned TCP port/m } 30,
            'the remark', sub { file_text($own) }), "the own log has Base's remark on its port");
    ok((wait_for { file_text($own) =~ /the PVs are served/ } 30, 'the start', sub { file_text($own) }), 'served');
    $terminal->send("typed\r");
    ok($terminal->expect(qr/typed\r+\ntyped\r+\n/), 'the terminal is a console');
    unlike($terminal->stdout, qr/TCP port/, "without Base's remark");
    ok(end($terminal), 'ends well');
    $first->stop;
};

done_testing();
