#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The user who runs it may give commands from this host at any time: however many addresses the
# host has, and whatever they are now.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Network;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
needs(defined getpwuid($<), 'a name for uid ' . $<);

own_network(); # whose addresses it may change

deadman(150);
ip(qw(link set lo up));
ip(qw(addr add 10.9.9.1/32 dev lo));

my $ports = PsTest::Ports->new->apply;
delete $ENV{EPICS_CAS_INTF_ADDR_LIST}; # every one there is, and will be
$ports->repeater;
my $dir = tmpdir();

# A put by way of an address, from which it then comes: what caput says, '' if it is allowed.
sub denied {
    my ($address, $name) = @_;
    local $ENV{EPICS_CA_ADDR_LIST} = $address;
    my ($code, $out, $err) = tool('caput', '-c', '-w', 20, "$name:PS:Grace", 7);
    return $code ? $err || $out || 'denied' : '';
}

sub becomes_allowed {
    my ($address, $name, $what) = @_;
    my $reason = 'not tried';
    ok((wait_for { ($reason = denied($address, $name)) eq '' } 20, "a put from $address",
        sub { $reason }), $what);
}

sub start {
    my ($name, @args) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => $name, cmd => ['sleep', 1000],
        args => [@args]) or BAIL_OUT('the program does not start');
    my $state;
    wait_for { (undef, $state) = tool('caget', '-t', '-w', 1, "$name:PS:State"); $state =~ /Running/ }
        30, 'the PVs', sub { $server->log_text . $server->stderr };
    return $server;
}

subtest 'The addresses change' => sub {
    my $server = start('A');
    is(denied('10.9.9.1', 'A'), '', 'a put from an address of the start is allowed');
    ip(qw(addr add 10.9.9.77/32 dev lo));
    ip(qw(addr del 10.9.9.1/32 dev lo));
    becomes_allowed('10.9.9.77', 'A', 'and from one that comes later');
    is(denied('127.0.0.1', 'A'), '', 'and still from 127.0.0.1');
    ip(qw(addr add 10.9.9.78/32 dev lo));
    becomes_allowed('10.9.9.78', 'A', 'and from the next');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A hundred addresses' => sub {
    ip('addr', 'add', "10.8.0.$_/32", 'dev', 'lo') for 1 .. 100;
    my $server = start('B');
    is(denied("10.8.0.$_", 'B'), '', "a put from 10.8.0.$_ is allowed") for 1, 64, 100;
    ip('addr', 'del', "10.8.0.$_/32", 'dev', 'lo') for 2 .. 100;
    ip(qw(addr add 10.9.9.79/32 dev lo));
    becomes_allowed('10.9.9.79', 'B', 'and from one that comes when they go');
    is($server->stop, 0, 'SIGTERM ends it');
};

sub spew {
    my ($text) = @_;
    open(my $out, '>', "$dir/rules.acf") or die "rules.acf: $!";
    print $out $text;
    close $out or die "rules.acf: $!";
    return "$dir/rules.acf";
}

subtest 'A file of rules that is being edited meanwhile' => sub {
    my $rules = spew(<<'END');
UAG(me) {$(PS_USERS)}
HAG(here) {$(PS_HOSTS)}
ASG(DEFAULT) { RULE(1, READ) }
ASG(PS_RO) { RULE(1, READ) }
ASG(PS_CONSOLE) { RULE(1, READ) }
ASG(PS_CMD) { RULE(1, READ) RULE(0, WRITE, TRAPWRITE) { UAG(me) HAG(here) } }
END
    my $server = start('C', '--acf', $rules);
    spew('UAG(me) {');
    ip(qw(addr add 10.9.9.80/32 dev lo));
    becomes_allowed('10.9.9.80', 'C', 'a put from the new address is allowed');
    is($server->stop, 0, 'SIGTERM ends it');
};

done_testing();
