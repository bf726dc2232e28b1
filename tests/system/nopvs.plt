#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What Base throws when its PVA server finds no interface brings a stack trace along: people are
# told its first line only, and the child runs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::Server;

deadman(60);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
# an address that can be bound to, but is no interface's: Base would throw
my $server = PsTest::Server->start(
    ioc => 1, name => 'F', cmd => ['/bin/cat'],
    args => [$ports->ours, '--ioc-env', 'EPICS_PVAS_INTF_ADDR_LIST=224.0.0.1'])
    or BAIL_OUT('the program does not start');
ok($server->wait_child(1), 'the child runs');
my $told = wait_for { $server->log_text =~ /^(\@\@\@ no PVs: .*)\r\n/m ? $1 : undef } 30,
    'the line that tells it';
is($told, '@@@ no PVs: EPICS_PVAS_INTF_ADDR_LIST: 224.0.0.1 is no address of this host',
    'the reason, in one line');
$server->stop;

done_testing();
