#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Clients that sites have: pyepics, caproto, p4p and ophyd-async read, monitor and command the PVs of a
# supervised soft IOC, each by its own means, put with wait included.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Clients;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::Server;

deadman(900);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
needs_clients();

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
my $dir = tmpdir();
open(my $db, '>', "$dir/one.db") or die "one.db: $!";
print $db qq{record(ai, "one:value") { field(VAL, "1") }\n};
close $db;

my $server = PsTest::Server->start(ioc => 1, name => 'one-a', args => [$ports->ours, '--holdoff', 0, '--killsig', 15,
        '--stagger', 0.25],
    cmd => [PsTest::Ports::tool_dir() . '/softIoc', '-d', "$dir/one.db"]) or BAIL_OUT('the program does not start');
client("with_$_", 'one-a:PS:', 120) for qw(pyepics caproto p4p ophyd);
client('with_caproto_denied', 'one-a:PS:', 120, map { $_ => 'mallory' } qw(LOGNAME USER));
is($server->stop, 0, 'SIGTERM ends it');

done_testing();
