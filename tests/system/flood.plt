#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# A flood of connections must leave the IOC alone: without descriptors Base's CA server would
# sleep 15 s for each failed accept, and its PVA server end for good.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Flood;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's caget");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;

my $server = PsTest::Server->start(
    ioc => 1, name => 'F', nofile => 1024, args => [$ports->ours], cmd => ['/bin/cat'])
    or BAIL_OUT('the program does not start');
my $pid = $server->wait_child(1);

# Do caget and pvget answer?  Until they do, while it starts.
sub answers {
    my ($when, $tries) = @_;
    for my $case (['caget', '-t', '-w', 5], ['pvget', '-w', 5]) {
        my ($name, @options) = @$case;
        my ($code, $out, $err);
        for (1 .. $tries || 1) {
            ($code, $out, $err) = tool($name, @options, 'F:PS:Pid');
            last if $code == 0;
        }
        ok($code == 0 && $out =~ /\b$pid\b/, "$name answers $when") or diag("$out$err");
    }
}

answers('before the flood', 5);
my $flood = PsTest::Flood->new(($server->endpoints)[-1], 1500);
is($flood->made, 1500, '1500 connections under a limit of 1024 descriptors');
answers('during the flood');
my ($code, $out, $err) = tool(qw(caput -c -w 30 F:PS:Restart 1));
my $second = $server->wait_child(2);
ok($code == 0 && $second, 'caput -c restarts the child during the flood') or diag("$out$err");
$pid = $second || $pid;
answers('with the new child');
my $cpu = PsTest::Proc::cpu_seconds($server->pid);
ok((stays { $server->running } 1.5, 'running'), 'the program lives');
cmp_ok(PsTest::Proc::cpu_seconds($server->pid) - $cpu, '<', 0.4, 'without spinning: CPU in 1.5 s');
my $fds = PsTest::Proc::fds($server->pid);
cmp_ok(scalar keys %$fds, '<=', 1024 - 200, 'descriptors are left for the IOC');
$flood->end;
my $client;
ok((wait_for {
        $client = $server->console(quiet => 1);
        $client && $client->is_open && $client->text =~ /Welcome/;
    } 20, 'a banner'), 'a new client gets in afterwards');
answers('after the flood');
is($server->stop, 0, 'SIGTERM ends it');

done_testing();
