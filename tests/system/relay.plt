#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Every IOC of a host is found, by clients there and elsewhere: by broadcast, by the host's address,
# and by name server.
#
#   PS_TEST_ROUNDS=N   starts of the quickstart's IOC, each looked for in every way (3)

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
needs(system('nsenter -V >/dev/null 2>&1') == 0, 'nsenter, to be on two hosts');
own_network();

deadman(300);
ip(qw(link set lo up));
delete @ENV{grep { /^EPICS_(CA|PVA)S?_/ } keys %ENV};    # what is found without any setting
my $bin = PsTest::Ports::tool_dir();
my $host = '10.9.9.1';
my %cable = other_host(here => "$host/24", there => '10.9.9.2/24');
my @there = @{$cable{in}};
my $dir = tmpdir();

# Else the first client would start one, and leave it running.
my @repeaters = map { PsTest::Proc->start(cmd => [@$_, "$bin/caRepeater"]) } [], [@there];
for my $repeater (@repeaters) {
    wait_for { file_text("/proc/$repeater->{pid}/net/udp") =~ /:13C9 / } 10, 'caRepeater on its port';
}

my %ways = (
    broadcast => {},
    unicast => {EPICS_CA_ADDR_LIST => $host, EPICS_CA_AUTO_ADDR_LIST => 'NO'},
    loopback => {EPICS_CA_ADDR_LIST => '127.0.0.1', EPICS_CA_AUTO_ADDR_LIST => 'NO'},
    'name server' => {EPICS_CA_NAME_SERVERS => $host, EPICS_CA_ADDR_LIST => '',
        EPICS_CA_AUTO_ADDR_LIST => 'NO'},
);

# What caget says of these PVs: {name => value}; @where is empty for this host
sub found {
    my ($way, $where, @names) = @_;
    my $proc = PsTest::Proc->start(cmd => [@$where, "$bin/caget", '-w', 2, @names],
        env => $ways{$way});
    $proc->wait_exit(20) or return {};
    return {$proc->stdout =~ /^(\S+)\s+(?!\*\*\*)(\S+)/mg};
}

# Are they all found so?
sub finds {
    my ($way, $where, @names) = @_;
    my $values = found($way, $where, @names);
    my @lost = grep { !defined $values->{$_} } @names;
    diag("by $way, not found: @lost") if @lost;
    return !@lost;
}

sub softioc {
    my ($name) = @_;
    open(my $db, '>', "$dir/$name.db") or die "$name.db: $!";
    print $db qq{record(ai, "$name:x") {field(VAL, "5") field(PINI, "YES")}\n};
    close $db or die "$name.db: $!";
    return ("$bin/softIoc", '-S', '-d', "$dir/$name.db");
}

# A server with a soft IOC, whose PVs and ours are served
sub server {
    my ($name, @args) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => $name, cmd => [softioc($name)],
        args => [@args]) or BAIL_OUT('the program does not start');
    wait_for { finds_quietly("$name:x", "$name:PS:State") } 30, "the PVs of $name",
        sub { $server->log_text . $server->stderr };
    return $server;
}

sub finds_quietly {
    my (@names) = @_;
    my $values = found('broadcast', [], @names);
    return @names == grep { defined $values->{$_} } @names;
}

my $rounds = $ENV{PS_TEST_ROUNDS} || 3;
subtest 'A soft IOC without any setting' => sub {
    my %good;
    for (1 .. $rounds) {
        my $server = server('A');
        for my $where ([], [@there]) {
            my $at = @$where ? 'elsewhere' : 'here';
            for my $way ('broadcast', 'unicast', @$where ? () : 'loopback') {
                $good{"both $at by $way"} += finds($way, $where, 'A:x', 'A:PS:State');
            }
            $good{"the soft IOC $at by name server"} += finds('name server', $where, 'A:x');
        }
        is($server->stderr, '', 'nothing is said of ports') if $_ == 1;
        $server->stop;
    }
    is($good{$_}, $rounds, "$_: $good{$_} of $rounds") for sort keys %good;
};

done_testing();
