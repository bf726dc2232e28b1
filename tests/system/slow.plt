#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# On a loaded machine a thread of Base waits long for its first turn: the PVs are served all
# the same, and nobody reads that they are not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::PV;
use PsTest::Server;

deadman(120);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
my ($slow) = glob top_dir() . '/tests/childprog/O.*/psTestSlow.so';
needs($slow, 'psTestSlow.so, which is built beside the child for tests');

my $ports = PsTest::Ports->new->apply;
$ports->repeater;

my $server = PsTest::Server->start(ioc => 1, name => 'L', cmd => ['/bin/cat'],
    args => [$ports->ours], env => {LD_PRELOAD => $slow, PS_TEST_SLOW => 'TCP-acceptor 3000'})
    or BAIL_OUT('the program does not start');
my $pid = $server->wait_child(1, 30);
for my $tool (qw(caget pvget)) {
    my ($code, $out, $err) = tool($tool, '-w', 60, 'L:PS:Pid');
    ok($code == 0 && $out =~ /\b$pid\b/, "the PVs are served: $tool") or diag($out . $err);
}
ok((stays { ($server->log_text . $server->stderr) !~ /no PVs/ } 1, 'nothing is said of no PVs'),
    'and nothing else is said') or diag($server->stderr);
is($server->stop, 0, 'SIGTERM ends it');

done_testing();
