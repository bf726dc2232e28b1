#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What is typed arrives, all of it, and keys do what the same keys with pauses do.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Server;
use PsTest::Telnet;

deadman(240);
needs(-x program(), 'the program ' . program());

my $dir = tmpdir();

# A child that reads as asked and keeps what it read: pieces of so many bytes, with a pause after
# each, once the file GO is there.
sub reader {
    my ($got, $go, $piece, $pause) = @_;
    my $code = q{
        my ($got, $go, $piece, $pause) = @ARGV;
        open(my $out, '>:raw', $got) or die; $out->autoflush(1);
        system('stty raw -echo'); $| = 1; print "ready\n";
        select(undef, undef, undef, 0.02) until -e $go;
        while (sysread(STDIN, my $bytes, $piece)) {
            print $out $bytes;
            select(undef, undef, undef, $pause) if $pause;
        }};
    return [$^X, '-MIO::Handle', '-e', $code, $got, $go, $piece, $pause];
}

sub touch { open(my $out, '>', $_[0]) or die "$_[0]: $!"; }

sub lines {
    my ($count) = @_;
    return join '', map { sprintf("%06d ", $_) . 'x' x 70 . "\r" } 1 .. $count;
}

subtest 'A paste of 390 kB to a child that reads lines' => sub {
    my $got = "$dir/paste";
    my $server = PsTest::Server->start(cmd => ['/bin/sh', '-c', "exec cat >$got"])
        or return fail('start');
    $server->wait_child(1);
    my $client = $server->console(drop => 1);
    my $paste = lines(5000);
    ok($client->send($paste), 'typed');
    (my $expect = $paste) =~ tr/\r/\n/;
    wait_for { -s $got >= length $expect } 30, 'the child to have read it', sub { -s $got };
    ok(file_text($got) eq $expect, 'every byte arrives') or diag(-s $got);
    $server->stop;
};

subtest 'A paste that is longer than what can wait, to a slow child' => sub {
    my ($got, $go) = ("$dir/slow", "$dir/slow.go");
    my $server = PsTest::Server->start(cmd => reader($got, $go, 50_000, 0.02))
        or return fail('start');
    touch($go);
    my ($client, $other) = map { $server->console } 1, 2;
    $other->expect(qr/^ready\r?$/m) if $server->log_text(qr/^ready\r?$/m) !~ /^ready\r?$/m;
    my $paste = lines(40_000); # 3 MB
    ok($client->send($paste), 'typed');
    $other->send("\x14");
    ok($other->expect(qr/mode to OFF/), 'a key of somebody else works meanwhile');
    wait_for { -s $got >= length $paste } 60, 'the child to have read it', sub { -s $got };
    ok(file_text($got) eq $paste, 'every byte arrives') or diag(-s $got);
    unlike($client->text, qr/dropped/, 'and nobody is told of a loss');
    $server->stop;
};

# At 10 kB/s the child needs minutes for it: it never counts as not reading.
subtest 'Others, while a paste waits for a slow child' => sub {
    my ($got, $go) = ("$dir/snail", "$dir/snail.go");
    my $server = PsTest::Server->start(cmd => reader($got, $go, 1000, 0.1)) or return fail('start');
    touch($go);
    $server->log_text(qr/^ready\r?$/m);
    my ($client, $other) = map { $server->console } 1, 2;
    ok($client->send(lines(20_000)), 'typed');
    wait_for { -s $got } 10, 'the child to read';
    $other->send("\x14");
    ok($other->expect(qr/mode to OFF/, 5), '^T of somebody else works at once');
    $other->send('o' x 1000 . "\x14\x14");
    ok($other->expect(qr/mode to ON/, 5), 'after some text, too');
    $other->send("\x18");
    ok($other->expect(qr/killed by signal/, 5), 'and so does ^X');
    unlike($client->text . $other->text, qr/were dropped/, 'nothing was dropped');
    $server->stop;
};

subtest 'A paste to a child that does not read' => sub {
    my ($got, $go) = ("$dir/stalled", "$dir/stalled.go");
    my $server = PsTest::Server->start(cmd => reader($got, $go, 100_000, 0))
        or return fail('start');
    $server->log_text(qr/^ready\r?$/m);
    my $client = $server->console;
    my $paste = lines(25_000); # 1.9 MB
    ok($client->send($paste), 'typed');
    ok($client->expect(qr/^\@\@\@ The child does not read its terminal: (\d+) bytes/m, 15),
        'the typist is told after a while');
    $client->send("\x14");
    ok($client->expect(qr/mode to OFF/), 'his keys work');
    touch($go);
    # The terminal itself may have taken a little meanwhile: then the rest is told later.
    my $lost = sub {
        my ($text, $sum) = ($client->text, 0);
        $sum += $1 while $text =~ /terminal: (\d+) bytes/g;
        return $sum;
    };
    wait_for { -s $got == length($paste) - $lost->() } 30, 'the child to have read the rest',
        sub { sprintf '%d read, %d told', -s $got, $lost->() };
    is(-s $got, length($paste) - $lost->(), 'what is missing is what was told');
    ok(substr(file_text($got), 0, 1 << 20) eq substr($paste, 0, 1 << 20), 'nothing of the first MiB');
    $client->send("more\r");
    ok((wait_for { file_text($got) =~ /more\r\z/ } 10, 'more'), 'what is typed then arrives');
    $server->stop;
};

subtest 'Keys and text in one packet' => sub {
    my $server = PsTest::Server->start(args => ['--wait'], cmd => ['/bin/cat'])
        or return fail('start');
    my $client = $server->console;
    $client->send("lost\r\x12one\r");
    ok($client->expect(qr/\@\@\@ \@\@\@ \@\@\@\r\n(.*?one\r\n.*?one\r\n)/s),
        'started, and what came after goes to the new process');
    unlike(join('', $client->captured), qr/lost/, 'what came before goes nowhere');
    $server->stop;

    # A client that sends whole lines needs Enter to send a key.
    $server = PsTest::Server->start(args => ['--wait'], cmd => ['/bin/cat', '-A'])
        or return fail('start');
    $client = $server->console;
    $client->send("\x18\ntext\n");
    ok($client->expect(qr/\@\@\@ \@\@\@ \@\@\@\r\n(.*)text\$\r\n/s), 'started by a line');
    unlike(join('', $client->captured), qr/^\$/m, 'its Enter is not typed');
    $server->stop;
};

# One start, or, if the second key came too late on this machine, nothing.
sub pressed_twice {
    my ($first, $second) = @_;
    my $server = PsTest::Server->start(
        args => ['--wait', '--noautorestart'], cmd => ['/bin/cat']) or return fail('start');
    my $client = $server->console;
    my $begin = time;
    $client->send($first);
    $client->expect(qr/new child "T" is/);
    $client->send($second);
    my $late = time > $begin + 0.4;
    $client->send("text\r");
    my $runs = $client->expect(qr/text\r\ntext\r\n/);
    my $said = $second eq "\x12" || is_procserv()
        || $client->matched =~ /^\@\@\@ \^X is not needed: the child has just been started\r\n/m;
    my @pids = $server->child_pids;
    $server->stop;
    return $late ? undef : $runs && @pids == 1 && $said;
}

subtest 'A start key pressed twice' => sub {
    for my $keys ("\x18\x18", "\x12\x12", "\x18\x12", "\x12\x18") {
        my $good;
        for (1 .. 10) {
            last if defined($good = pressed_twice(split //, $keys));
        }
        ok($good, sprintf '%vd: it was started once, not killed, and runs', $keys);
    }
};

# Does the quit key end the server, typed when the line with the quit key has come and the next child
# too?  Nothing, if the quit key came too late on this machine: it went to the child.
sub killed_then_quit {
    my $server = PsTest::Server->start(args => ['--holdoff', '0'], cmd => ['/bin/cat'])
        or return fail('start');
    $server->wait_child(1);
    my $client = $server->console;
    my $begin = time;
    $client->send("\x18");
    $client->expect(qr/\^Q quits the server\r\n.*new child "T" is/s) or return 0;
    $client->send("\x11");
    my $late = time > $begin + 0.4;
    my $ended = $late ? undef : $server->wait_exit(10);
    $server->stop;
    return $ended;
}

subtest 'A kill key and a quit key' => sub {
    plan(skip_all => 'procServ restarts later') if is_procserv();
    my $good;
    for (1 .. 10) {
        last if defined($good = killed_then_quit());
    }
    ok($good, '^Q still does what the line above said');
};

subtest 'A kill key, and what follows in the same packet' => sub {
    plan(skip_all => 'procServ takes it for the dying child') if is_procserv();
    for my $keys ("\x18\x12", "\x18\x18", "\x18\x12text\r") {
        my $server = PsTest::Server->start(args => ['--noautorestart'], cmd => ['/bin/cat'])
            or return fail('start');
        $server->wait_child(1);
        my $client = $server->console;
        $client->send($keys);
        ok($client->expect(qr/killed by signal.*new child "T" is/s),
            sprintf '%vd: killed, then started', $keys);
        ok((stays { my @pids = $server->child_pids; @pids == 2 } 0.3, 'two'), 'once');
        $server->stop;
    }
    my $server = PsTest::Server->start(args => ['--holdoff', '5'], cmd => ['/bin/cat'])
        or return fail('start');
    $server->wait_child(1);
    my $client = $server->console;
    $client->send("\x18\x11");
    ok($server->wait_exit(10), '^X^Q: killed, then the server ends');
    like($server->log_text(qr/killed/), qr/killed by signal 9/, 'both');
};

subtest 'A client that types and closes at once' => sub {
    my $path = "$dir/console";
    my $server = PsTest::Server->start(
        args => ['--holdoff', '0', '-P', "unix:$path"], cmd => ['/bin/cat']) or return fail('start');
    my $number = 1;
    for my $end (grep { /^(tcp|unix)/ } $server->endpoints) {
        for my $round (1 .. 3) {
            $server->wait_child($number);
            stays { 1 } 0.6, 'the next press'; # sooner, it would belong to that start
            my $client = PsTest::Telnet->new($end) or return fail('connect');
            $client->send("\x18");
            $client->close;
            $number++;
            ok($server->wait_child($number), "$end: ^X kills");
        }
    }
    $server->stop;
};

subtest '--ignore takes ^R and ^Q, too' => sub {
    my $server = PsTest::Server->start(
        args => ['--wait', '--ignore', '^R^Q'], cmd => ['/bin/cat']) or return fail('start');
    my $client = $server->console(banner => 0);
    ok($client->expect(qr/^\@\@\@ \^X restarts the child\r\n/m), 'the banner names the key that is left');
    $client->send("\x11\x12");
    ok((stays { $server->running && !$server->child_pids } 0.5, 'nothing'), 'neither is a key');
    $client->send("\x18");
    ok($client->expect(qr/new child "T" is/), '^X is');
    $client->send("a\x11\x12b\r");
    ok($client->expect(qr/ab\r\nab\r\n/), 'and neither reaches the child');
    $server->stop;
};

subtest '--key-guard' => sub {
    my $server = PsTest::Server->start(
        args => ['--key-guard', '--noautorestart'], cmd => ['/bin/cat']) or return fail('start');
    my $pid = $server->wait_child(1);
    my ($client, $other) = map { $server->console } 1, 2;
    $client->send("\x18");
    ok($client->expect(qr/^\@\@\@ \^X again within 2 s kills the child\r\n/m), 'the first ^X says so');
    $other->send("\x18");
    ok($other->expect(qr/\^X again/), 'one of somebody else is a first one');
    $client->send("text\r");
    ok($client->expect(qr/text\r\ntext\r\n/), 'the child lives');
    $client->send("\x18");
    ok($client->expect(qr/\^X again/), 'after some text it is a first one again');
    $client->send("\x18");
    ok($client->expect(qr/killed by signal/), 'the second one kills');
    $client->send("\x11");
    ok($client->expect(qr/^\@\@\@ \^Q again within 2 s ends the server\r\n/m), '^Q says so');
    ok((stays { $server->running } 0.3, 'the server'), 'and ends nothing');
    $client->send("\x18");
    ok($client->expect(qr/new child "T" is/), '^X that starts needs no second one');
    stays { 1 } 0.6, 'the next press';
    # netcat on a terminal sends whole lines
    $client->send("\x18\n");
    ok($client->expect(qr/\^X again/), 'a line with ^X');
    $client->send("\x18\n");
    ok($client->expect(qr/killed by signal/), 'and a second one');
    unlike($client->matched, qr/^\r?\n\r?\n\r?\n/m, 'their Enters are not typed');
    $server->stop;
};

subtest 'Nothing follows the key that ends a connection' => sub {
    my $server = PsTest::Server->start(args => ['-x', '^D'], cmd => ['/bin/cat'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    my ($client, $other) = map { $server->console } 1, 2;
    $client->send("before\r\x04after\r\x18");
    ok($client->closed_by_peer(10), 'closed');
    ok($other->expect(qr/before\r\nbefore\r\n/), 'what came before is typed');
    $other->send("end\r");
    ok($other->expect(qr/\Aend\r\nend\r\n/), 'what came after it is not, and no key acts');
    is(() = $server->child_pids, 1, 'the child lives');
    $server->stop;
};

done_testing();
