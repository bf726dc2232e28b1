#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Whatever Base does to the thread that builds the IOC, the child runs on, the reason is reported in one
# line, and SIGTERM ends all of it at once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Ports;
use PsTest::Server;

deadman(150);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
my $dir = tmpdir();

sub spew {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
    return "$dir/$name";
}

sub start {
    my ($script, @cmd) = @_;
    return PsTest::Server->start(ioc => 1, name => 'S', args => [$ports->ours, '--script', $script],
        cmd => [@cmd]) || BAIL_OUT('the program does not start');
}

sub ends_quickly {
    my ($server, $name) = @_;
    my $begin = time;
    is($server->stop, 0, "$name: SIGTERM ends it");
    cmp_ok(time - $begin, '<', 1.5, 'at once');
}

subtest 'A script that hangs' => sub {
    # nothing of this is done when it is tried
    my $server = start(spew('hangs.cmd', "epicsThreadSleep 1000\n"), 'sleep', 1000);
    wait_for { $server->stderr =~ /^epicsThreadSleep 1000$/m } 20, 'the script',
        sub { $server->stderr };
    ok($server->wait_child(1), 'the child runs');
    ends_quickly($server, 'a script that hangs');
};

subtest 'A database that makes Base call exit()' => sub {
    # good when it is tried, then the child makes it bad
    my $db = spew('gen.db', "record(ai, \"X\") {}\n");
    spew('bad.db', 'record(ai, "' . 'x' x 40000 . "\") {}\n");
    my $script = spew('exit.cmd', "epicsThreadSleep 0.1\n" x 200 . "dbLoadRecords(\"$db\")\n");
    my $server = start($script, '/bin/sh', '-c',
        "read x; mv $dir/bad.db $db; echo moved; exec sleep 1000");
    my $console = $server->console;
    wait_for { $server->stderr =~ /^epicsThreadSleep/m } 20, 'the script', sub { $server->stderr };
    $console->send("\r");
    ok($console->expect(qr/moved/, 5), 'the database becomes a bad one');
    ok($console->expect(qr/\@\@\@ no PVs: EPICS Base called exit\(\) while running the script/,
        30), 'the reason is reported') or diag($server->log_text);
    ok((stays { $server->running && kill 0, ($server->child_pids)[-1] } 0.5, 'both'),
        'program and child run on');
    is(scalar(my @pids = $server->child_pids), 1, 'the same child');
    $console->send("\x18");
    ok($server->wait_child(2), 'keys work');
    ends_quickly($server, 'a Base that wanted to exit');
};

done_testing();
