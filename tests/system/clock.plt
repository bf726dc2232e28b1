#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What changes once per second is updated although there is no thread for it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Fail;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;

deadman(120);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Fail::library(), 'tests/childprog/psTestFail.so');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $dir = tmpdir();
my $fail = PsTest::Fail->new('thread psClock');
my $proc = PsTest::Proc->start(env => $fail->env, cmd => [program(), '-f', '-n', 'K', $ports->ours,
    "unix:$dir/k.sock", 'sleep', '600']);
ok((wait_for { $fail->refused } 30, 'the thread to be refused', sub { $proc->stderr }),
    'the thread of the clock is refused');
my $uptime = pv('K:PS:Uptime');
my $first = $uptime->wait_connected(30) ? $uptime->get : undef;
ok(defined $first, 'the PVs are there') or diag($proc->stderr);
ok((wait_for { $uptime->get > $first } 20, 'Uptime to count'), 'Uptime counts');
my @said = $proc->stderr =~ /cannot create the thread for updates once per second; using a timer/g;
is(scalar @said, 1, 'one line says that a timer does it') or diag($proc->stderr);
$uptime->close;
is($proc->stop, 0, 'SIGTERM ends it');

done_testing();
