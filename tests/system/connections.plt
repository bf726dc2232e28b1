#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Who connects: foreign protocols are kept out, --audit says who was there, --history shows what
# was printed before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Server;
use PsTest::Telnet;

deadman(120);
needs(-x program(), 'the program ' . program());
needs(!is_procserv(), 'a program of ours');

# What a scanner sends: as recorded, with keys among the random bytes.
my %foreign = (
    PROXY => "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n\x18",
    TLS => "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\x18\x18\x14\x14\x11\x11\x12" . "\x18" x 60,
    HTTP => "GET /\x18\x11 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    SSH => "SSH-2.0-OpenSSH_9.2\r\n\x18\x11",
    'binary data' => "\x00\x00\x00\x85\xffSMB\x72\x00\x18\x18\x11\x14",
);

subtest 'No foreign protocol steers a child' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/cat'], args => ['--holdoff', '0', '--audit'])
        or return fail('start');
    my $pid = $server->wait_child(1);
    my $watcher = $server->console;
    for my $name (sort keys %foreign) {
        my $client = PsTest::Telnet->new(($server->endpoints)[-1]) or return fail('connect');
        $client->send_raw($foreign{$name});
        ok($client->closed_by_peer(10), "$name is closed");
        like($client->text, qr/^\@\@\@ closed 127\.0\.0\.1:\d+: it sent \Q$name\E, and this is/m, 'and told why');
        $server->log_text(qr/sent $name and is closed\r\n/);
    }
    ok($watcher->expect(qr/^\@\@\@ closed 127\.0\.0\.1:\d+: it sent HTTP, and this is/m),
        'it is reported');
    my $lines = () = $watcher->text =~ /^\@\@\@ closed/mg;
    is($lines, 1, 'in one line, however many come');
    ok($watcher->expect(qr/^\@\@\@ closed 4 more connections that sent neither telnet nor text/m, 20),
        'and the others are counted in a second one');
    my $log = $server->log_text;
    for my $name (sort keys %foreign) {
        like($log, qr/^\@\@\@ [\d-]+ [\d:]+ 127\.0\.0\.1:\d+ sent \Q$name\E and is closed\r$/m,
            "the audit has $name");
    }
    unlike($log, qr/Got a kill|Toggled/, 'no key was pressed');
    is(() = $server->child_pids, 1, 'the child lives');
    $watcher->send("text\r");
    ok($watcher->expect(qr/text\r\ntext\r\n/), 'and nothing was typed to it');
    $server->stop;
};

subtest '--audit' => sub {
    my $path = tmpdir() . '/audited';
    my $server = PsTest::Server->start(
        args => ['--audit', '--key-guard', '-P', "unix:$path", '-l', '127.0.0.1:0'], cmd => ['/bin/cat'])
        or return fail('start');
    $server->wait_child(1);
    my ($log_end, $unix, $tcp) = $server->endpoints;
    my $when = qr/\@\@\@ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;
    my $client = $server->console(endpoint => $tcp);
    ok($server->log_text(qr/^$when 127\.0\.0\.1:\d+ connected\r$/m), 'who connects');
    like($server->log_text, qr/^$when 127\.0\.0\.1:\d+ connected\r$/m, 'is in the log');
    my $local = $server->console(endpoint => $unix);
    like($server->log_text(qr/unix uid/), qr/^$when unix uid $> pid $$ connected\r$/m,
        'a local one with user and process');
    my $logger = $server->console(endpoint => $log_end);
    like($server->log_text(qr/reading only/),
        qr/^$when 127\.0\.0\.1:\d+ connected, reading only\r$/m, 'a reader');
    $local->send("\x14");
    $client->expect(qr/Toggled/);
    like($server->log_text(qr/pressed/), qr/^$when unix uid $> pid $$ pressed \^T\r$/m,
        'who presses a key');
    $local->send("\x18");
    like($server->log_text(qr/once/), qr/^$when unix uid $> pid $$ pressed \^X once: --key-guard\r$/m,
        'also one that is only half pressed');
    $client->close;
    like($server->log_text(qr/disconnected/), qr/^$when 127\.0\.0\.1:\d+ disconnected\r$/m,
        'who leaves');
    $local->send("text\r");
    $local->expect(qr/text\r\ntext\r\n/);
    $local->pump;
    unlike($local->text . $logger->text, qr/connected\r|pressed/, 'no console sees any of it');
    $server->stop;

    my $bad = PsTest::Proc->start(cmd => [program(), '--no-ioc', '-f', '--audit', '-P', '0', '/bin/cat']);
    ok($bad->wait_exit(10) && $bad->exit_code == 1, '--audit without a log is refused');
    like($bad->stderr, qr/audit: there is no log to write to; give -L, too\n/, 'with the reason');
};

subtest '--history' => sub {
    my $server = PsTest::Server->start(
        args => ['--history', '5', '--noautorestart'],
        cmd => ['/bin/sh', '-c', 'stty -echo; seq 1 20; printf "gr\303\274n > "; read x; exit 3'])
        or return fail('start');
    like($server->log_text(qr/> \z/), qr/> \z/, 'the child asks');
    my $second = PsTest::Telnet->new(($server->endpoints)[-1]) or return fail('connect');
    ok($second->expect(qr/connected \(plus you\)\r\n((?:.*\n)*gr\xc3\xbcn > )/), 'a new console');
    is(join('', $second->captured), "17\r\n18\r\n19\r\n20\r\ngr\xc3\xbcn > ",
        'is shown the last lines, the incomplete one included');
    like($second->raw, qr/\xff\xfb\x01\xff\xfd\x2217/, 'after the greeting');
    $second->send("\r");
    $second->expect(qr/quits the server\r\n/);
    my $third = PsTest::Telnet->new(($server->endpoints)[-1]) or return fail('connect');
    ok($third->expect(qr/\^R or.*exit status = 3\r\n.*quits the server\r\n/s),
        'one that comes later is shown how it ended');
    $third->send("\x12");
    $third->expect(qr/> /);
    my $fourth = PsTest::Telnet->new(($server->endpoints)[-1]) or return fail('connect');
    ok($fourth->expect(qr/> /), 'one after the restart');
    unlike($fourth->text, qr/exit status/, 'not what is more than 5 lines ago');
    $server->stop;
};

subtest '--history begins with the end of the run before' => sub {
    my $server = PsTest::Server->start(
        args => ['--history', '1000', '--noautorestart'],
        cmd => ['/bin/sh', '-c', 'stty -echo; echo begin; read x; exit 3'])
        or return fail('start');
    my $client = $server->console;
    for my $key ("\r", "\x12", "\r", "\x12") {
        $client->send($key);
        $client->expect($key eq "\r" ? qr/quits the server\r\n/ : qr/begin\r\n/);
    }
    my $new = PsTest::Telnet->new(($server->endpoints)[-1]) or return fail('connect');
    $new->expect(qr/begin\r\n/);
    my $ends = () = $new->text =~ /exit status = 3/g;
    my $starts = () = $new->text =~ /Restarting child/g;
    is("$ends $starts", '1 1', 'the end of one run, and the run after it');
    $server->stop;
};

subtest 'Without --history nothing is shown' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/sh', '-c', 'echo begin; exec cat'])
        or return fail('start');
    $server->log_text(qr/begin/);
    my $client = $server->console;
    $client->send("text\r");
    ok($client->expect(qr/\Atext\r\ntext\r\n/), 'as with procServ');
    $server->stop;
};

done_testing();
