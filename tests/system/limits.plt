#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Clients that don't read, a child that doesn't read, floods, last words: nobody else suffers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Flood;
use PsTest::Server;

deadman(300);
needs(-x program(), 'the program ' . program());
needs(!is_procserv(), 'our program: procServ does not survive this');

my $rule = '@@@ @@@ @@@ @@@ @@@';

# Where two long texts differ first.
sub is_same {
    my ($got, $expect, $name) = @_;
    return pass($name) if $got eq $expect;
    fail($name);
    my $at = 0;
    my $diff = $got ^ substr($expect, 0, length $got);
    $at = $diff =~ /[^\0]/ ? $-[0] : length $got;
    diag(length($got), ' bytes, expected ', length($expect), "; they differ at $at:");
    diag('got      ', PsTest::printable(substr $got, $at > 40 ? $at - 40 : 0, 120));
    diag('expected ', PsTest::printable(substr $expect, $at > 40 ? $at - 40 : 0, 120));
}

subtest 'A client that never reads, beside others' => sub {
    my $lines = 60000;
    my $format = 'line %.0f ' . 'x' x 90;
    my $expect = join '', map { sprintf "line %d %s\r\n", $_, 'x' x 90 } 1 .. $lines;
    my $server = PsTest::Server->start(
        args => ['--noautorestart', '-l', '127.0.0.1:0'],
        cmd => ['/bin/sh', '-c', 'read x; exec seq -f "$0" 1 "$1"', $format, $lines])
        or return fail('start');
    $server->wait_child(1);
    my $dead = $server->console(rcvbuf => 4096);
    $dead->slow(1);
    my @readers = ($server->console, $server->console,
        $server->console(endpoint => ($server->endpoints)[0]));
    my $begin = time;
    $readers[0]->send("\r");
    my $end = qr/Received a sigChild/;
    my $all = wait_for { 3 == grep { $_->text =~ $end } @readers } 60, 'all readers to have it all';
    ok($all, sprintf 'the others have it all after %.2f s', time - $begin);
    for my $reader (@readers) {
        my $text = $reader->take;
        $text =~ s/\A\r\n//;            # the echo
        $text =~ s/\r\n\Q$rule\E.*//s;  # what follows the exit
        is_same($text, $expect, 'complete');
    }
    wait_for { $server->log_text =~ $end } 20, 'the end of the log';
    my ($log) = $server->log_text =~ /\Q$rule\E\r\n\r\n(line.*?)\r\n\Q$rule\E/s;
    is_same($log, $expect, 'the log is complete');

    $dead->slow(0);
    ok($dead->expect(qr/Received a sigChild.*quits the server\r\n/s, 20), 'it reads again');
    my $text = $dead->matched;
    my $lost = 0;
    my $notices = () = $text =~ /^\@\@\@ \d+ bytes lost\r$/mg;
    my $clean = () = $text =~ /^\@\@\@ \d+ bytes lost\r\n(?:line \d+ x{90}\r\n|\r\n\Q$rule\E)/mg;
    is($clean, $notices, 'it resumes at a line');
    $text =~ s/^\@\@\@ (\d+) bytes lost\r\n/$lost += $1; ''/mge;
    ok($lost > 0, "$notices notices report that $lost bytes are lost");
    my ($whole) = $server->log_text(qr/quits the server\r\n\z/) =~ /\Q$rule\E\r\n(.*)\z/s;
    # A notice in mid-line begins with CR LF.
    my $surplus = $lost + length($text) - length $whole;
    ok($surplus >= 0 && $surplus <= 2 * $notices, 'exactly what is missing');
    $server->stop;
};

subtest 'A child that never reads its terminal' => sub {
    my $server = PsTest::Server->start(
        args => ['--holdoff', '0'],
        cmd => ['/bin/sh', '-c', 'stty raw -echo; echo ready; exec sleep 1000'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    wait_for { $server->log_text =~ /^ready\r?$/m } 10, 'the terminal to be raw';
    my $client = $server->console;
    ok($client->send('p' x 2_000_000), 'a paste of 2 MB is taken');
    ok($client->expect(qr/^\@\@\@ .*\r\n/m), 'the typist is told');
    like($client->matched, qr/does not read its terminal/, 'that the child does not read');
    my $other = $server->console;
    ok($other, 'a new client gets its banner');
    $client->send("\x14");
    ok($other->expect(qr/Toggled auto restart mode to OFF/), '^T works');
    $other->send("\x14\x14");
    ok($other->expect(qr/mode to ON/), 'from the other, too');
    $client->send("\x18");
    ok($other->expect(qr/process $pid\. The process was killed by signal 9/), '^X works');
    ok($server->wait_child(2), 'it is started again');
    is($server->stop, 0, 'SIGTERM works');
};

subtest 'A long line in canonical mode' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/cat']) or return fail('start');
    $server->wait_child(1);
    my $client = $server->console;
    $client->send('l' x 6000);
    ok($client->expect(qr/^\@\@\@ .*4095.*\r\n/m), 'the typist is told that the terminal cuts it');
    $server->stop;
};

subtest 'Hostile telnet' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/cat']) or return fail('start');
    my $pid = $server->wait_child(1);
    my $client = $server->console;
    my $other = $server->console;

    # libtelnet hands an oversize suboption on as data: the ^X in it would kill the child.
    $client->send_raw("\xff\xfa\x22" . 'S' x 17_000 . "\x18" . 'S' x 70_000 . "\x18\x14\xff\xf0");
    $client->send("behind\r");
    ok($other->expect(qr/\Abehind\r\nbehind\r\n/), 'nothing in a suboption is data or key');
    $client->send_raw("\xff\xfa\x18never ended \x18\x14");
    $other->send("on\r");
    ok($other->expect(qr/\Aon\r\non\r\n/), 'one that never ends harms nobody else');

    my $flood = $server->console(rcvbuf => 4096);
    $flood->slow(1);
    my $sent = 0;
    my $options = join '', map { "\xff\xfd" . chr($_) . "\xff\xfe" . chr($_) } 40 .. 100;
    my $end = time + 1;
    my $left = '';
    while (time < $end) {
        $left ||= $options x 20; # the rest of what was cut, or its next byte would be data
        my $taken = $flood->send_some($left);
        substr($left, 0, $taken) = '';
        $sent += $taken;
        PsTest::pump($taken ? 0 : 0.01);
    }
    $other->send("still\r");
    ok($other->expect(qr/\Astill\r\nstill\r\n/),
        "$sent bytes of options, unread: others are served");
    my $late = $server->console;
    ok($late, 'a new client gets its banner');
    is(($server->child_pids)[-1], $pid, 'the child is the same');
    $server->stop;
};

subtest 'The end, with a client that never reads' => sub {
    my $server = PsTest::Server->start(cmd => ['/usr/bin/yes', 'y' x 200]) or return fail('start');
    my $dead = $server->console(rcvbuf => 4096);
    $dead->slow(1);
    my $reader = $server->console(drop => 1);
    ok((wait_for { $reader->bytes > 5_000_000 } 30, '5 MB read'), 'the child writes on and on');
    my $begin = time;
    is($server->stop, 0, 'SIGTERM ends the program');
    cmp_ok(time - $begin, '<', scaled(8), 'in time');
};

subtest 'Typing does not postpone a restart' => sub {
    my $server = PsTest::Server->start(
        args => ['--holdoff', '1'], cmd => ['/bin/sh', '-c', 'read x']) or return fail('start');
    my $client = $server->console;
    $server->wait_child(1);
    $client->send("\r");
    ok((wait_for { $client->send('x') if $client->text =~ /restarted shortly/;
            $server->log_text =~ /(The PID of new child.*){2}/s } 10, 'the second start'),
        'the next start comes all the same');
    $server->stop;
};

subtest '1500 connections under a limit of 1024 descriptors' => sub {
    my $server = PsTest::Server->start(nofile => 1024, cmd => ['/bin/cat']) or return fail('start');
    my $pid = $server->wait_child(1);
    my $first = $server->console;
    my $flood = PsTest::Flood->new(($server->endpoints)[-1], 1500);
    is($flood->made, 1500, 'all of them connect');
    ok($server->running, 'the program lives');
    my $cpu = PsTest::Proc::cpu_seconds($server->pid);
    ok((stays { $server->running } 1.5, 'running'), 'and stays');
    my $used = PsTest::Proc::cpu_seconds($server->pid) - $cpu;
    cmp_ok($used, '<', 0.4, 'without spinning: CPU in 1.5 s');
    my $fds = PsTest::Proc::fds($server->pid);
    cmp_ok(scalar keys %$fds, '<', 1024, 'there are descriptors left');
    $first->send("during\r");
    my $served = $first->is_open && $first->expect(qr/during\r\nduring\r\n/);
    ok($served, 'a client from before is served');
    $first->send("\x18");
    my $second = $server->wait_child(2, 30) if $served;
    ok($second, 'the child can be restarted');
    $flood->end;
    my $late;
    ok((wait_for {
            $late = $server->console(quiet => 1);
            $late && $late->is_open && $late->text =~ /Welcome/;
        } 20, 'a banner'), 'a new client gets in when the others have left');
    $late->send("after\r");
    ok($late->expect(qr/after\r\nafter\r\n/), 'and is served');
    $server->stop;
};

subtest '64 KiB and exit, 200 times' => sub {
    my $times = 200;
    my $file = tmpdir() . '/block';
    my $letters = 'abcdefghijklmnopqrstuvwxyz' x 2;
    my $block = join '', map { sprintf "%05d %s\n", $_, $letters } 1 .. 1110;
    $block = substr($block, 0, 65535) . "\n";
    open(my $out, '>', $file) or die "$file: $!";
    print $out $block;
    close $out;
    (my $expect = $block) =~ s/\n/\r\n/g;

    my $server = PsTest::Server->start(
        args => ['-w', '--holdoff', '0'], cmd => ['/bin/cat', $file]) or return fail('start');
    my $client = $server->console;
    $client->send("\x12");
    my $console = '';
    my $count = 0;
    ok((wait_for {
            my $new = $client->take;
            $console .= $new;
            # the texts are long: count only what is new (a line cut in two is counted later)
            $count += () = $new =~ /is shutting down/g;
            $count >= $times + 2;
        } 120, "$times ends on the console", sub { "there were $count" }), "$times lives");
    $server->stop(30);
    for my $case ([console => $console], [log => $server->log_text]) {
        my ($name, $text) = @$case;
        my @lives = split /^\@\@\@ Restarting child [^\n]*\n(?:\@\@\@    \(as [^\n]*\n)?/m, $text;
        shift @lives;
        my $good = 0;
        for my $life (@lives[0 .. $times - 1]) {
            last if !defined $life;
            $life =~ s/\A\@\@\@ The PID of new child [^\n]*\n\Q$rule\E\r\n//;
            $life =~ s/\r\n\Q$rule\E\r\n.*//s;
            if ($life ne $expect) {
                is_same($life, $expect, "$name, life " . ($good + 1));
                last;
            }
            $good++;
        }
        is($good, $times, "every byte of every life is on the $name");
    }
};

done_testing();
