#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The search relay, and ports and processes that are not as it expects.  All on one host; what two
# hosts are needed for is in relay.plt.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use IO::Socket::INET;
use Test::More;
use PsTest;
use PsTest::Network;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
own_network();
needs(system('unshare -n ip link add cable0 type veth peer name cable1 2>/dev/null') == 0,
    'virtual network cables (veth)');

deadman(200);
ip(qw(link set lo up));
ip(qw(link add cable0 type veth peer name cable1));    # PVA serves no host without an interface
ip(qw(addr add 10.9.9.1/24 dev cable0));
ip('link', 'set', $_, 'up') for qw(cable0 cable1);
delete @ENV{grep { /^EPICS_(CA|PVA)S?_/ } keys %ENV};
my $bin = PsTest::Ports::tool_dir();
my $dir = tmpdir();

# Else the first client would start one, and leave it running.
my $repeater = PsTest::Proc->start(cmd => ["$bin/caRepeater"]);
wait_for { file_text('/proc/net/udp') =~ /:13C9 / } 10, 'caRepeater on its port';

my %udp = (EPICS_CA_ADDR_LIST => '127.0.0.1', EPICS_CA_AUTO_ADDR_LIST => 'NO');
sub tcp { return (EPICS_CA_NAME_SERVERS => "127.0.0.1:$_[0]", EPICS_CA_ADDR_LIST => '', EPICS_CA_AUTO_ADDR_LIST => 'NO'); }

# What caget says of a PV; undef: it is not found
sub value {
    my ($name, %env) = @_;
    my $proc = PsTest::Proc->start(cmd => ["$bin/caget", '-S', '-w', 2, $name], env => \%env);
    $proc->wait_exit(20);
    return $proc->stdout =~ /^\S+\s+(?!\*\*\*)(.*?)\s*$/m ? $1 : undef;
}

# Is there a server on that TCP port?  A client of Base that is refused does not try again soon.
sub listens {
    my ($port) = @_;
    my $hex = sprintf ':%04X 00000000:0000 0A', $port;
    return wait_for { file_text('/proc/net/tcp') =~ /$hex/ } 20, "a server on TCP port $port";
}

sub softioc {
    my ($name) = @_;
    open(my $db, '>', "$dir/$name.db") or die "$name.db: $!";
    print $db qq{record(ai, "$name:x") {field(VAL, "5") field(PINI, "YES")}\n};
    close $db or die "$name.db: $!";
    return ("$bin/softIoc", '-S', '-d', "$dir/$name.db");
}

# A server whose own PVs are served
sub server {
    my ($name, %o) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => $name, cmd => $o{cmd} || ['sleep', 1000],
        args => $o{args} || []) or BAIL_OUT('the program does not start');
    return $server;
}

for my $case (['--ioc-env', 5099], ['epicsEnvSet', 5098]) {
    my ($way, $port) = @$case;
    subtest "A TCP port of our own, by $way" => sub {
        my ($server, $pv);
        if ($way eq '--ioc-env') {
            $server = server('A', args => ['--ioc-env', "EPICS_CAS_SERVER_PORT=$port"],
                cmd => [softioc('A')]);
            $pv = 'A:PS:State';
        } else {
            my $child = join ' ', softioc('A');
            open(my $script, '>', "$dir/a.cmd") or die "a.cmd: $!";
            print $script qq{epicsEnvSet EPICS_CAS_SERVER_PORT $port\nprocServAdd A "$child"\n},
                qq{dbLoadRecords "psCaRelay.template", "P=A:Sup:"\niocInit\n};
            close $script or die "a.cmd: $!";
            $server = PsTest::Proc->start(cmd => [program(), '-f', '--ca-relay', 'udp', '--script', "$dir/a.cmd"]);
            $pv = 'A:Sup:CaRelay';
        }
        ok(listens($port) && defined value($pv, tcp($port)), 'our PVs are there');
        ok(listens(5064) && defined value('A:x', tcp(5064)), 'the supervised IOC has its own');
        my @left = PsTest::Proc::descendants($server->pid);    # its IOC ignores the hang-up
        $server->stop;
        kill 'KILL', @left;
    };
}

# Connections that send nothing but their version, and stay
sub idle {
    my ($count) = @_;
    my @held = grep { $_ } map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 5064) } 1 .. $count;
    syswrite $_, pack('n4N2', 0, 0, 0, 13, 0, 0) for @held;
    return @held;
}

subtest 'A name server with many clients that are idle' => sub {
    my $server = server('B', args => ['--ca-relay', 'full']);
    ok((wait_for { defined value('B:PS:State', %udp) } 20, 'the PVs'), 'it serves');
    my @held = idle(128);
    is(scalar @held, 128, 'clients are connected');
    is(value('B:PS:State', tcp(5064)), 'Running', 'one more finds its PV') for 1 .. 3;
    like($server->log_text(qr/too many connections/),
        qr/^@@@ CA search relay: name server: too many connections, .* of 127\.0\.0\.1/m, 'the log says so');
    is(() = $server->log_text =~ /too many connections/g, 1, 'once');
    ok((wait_for { (value('B:PS:Sup:CaDropped', %udp) // 0) >= 64 } 10, 'the counter'), 'they are counted');
    like(value('B:PS:Sup:CaRelayMsg.VAL$', %udp) // '', qr/too many connections/, 'the record says so');
    $server->stop;
};

# A process of another user that has the name of the relay's lock, and does nothing else
sub impostor {
    my ($listens) = @_;
    my $code = 'use POSIX; use Socket; POSIX::setuid(65534) or die "setuid: $!"; '
        . 'socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!"; '
        . 'bind($s, pack("S a*", AF_UNIX, "\\0procServIoc/caRelay/5064")) or die "bind: $!"; '
        . ($listens ? 'listen($s, 5) or die "listen: $!"; ' : '') . '$| = 1; print "bound\n"; sleep 1000;';
    my $proc = PsTest::Proc->start(cmd => [$^X, '-e', $code]);
    wait_for { $proc->stdout =~ /bound/ } 10, 'the impostor', sub { $proc->stderr };
    return $proc;
}

sub relay_at {
    my ($address) = @_;
    my $hex = sprintf '%08X:13C8', unpack 'V', pack 'C4', split /\./, $address;
    return file_text('/proc/net/udp') =~ /: $hex /;
}

for my $listens (1, 0) {
    subtest 'A process of another user that ' . ($listens ? 'says that it relays' : 'only has the name') => sub {
        my $impostor = impostor($listens);
        my $server = server('C');
        ok((wait_for { relay_at('127.0.0.1') && relay_at('10.9.9.1') } 20, 'the relay'), 'we relay all the same');
        my $who = $listens ? "process $impostor->{pid} of user 65534" : 'a process that takes no connection';
        like($server->log_text(qr/has the lock/), qr/^@@@ CA search relay: $who has the lock of relays/m, 'the log says why');
        $impostor->stop;
        like($server->log_text(qr/works again/), qr/works again/, 'and when it has ended') if $listens;
        $server->stop;
    };
}

subtest 'A relay that is stopped' => sub {
    my @server = map { server($_) } 'D', 'E';
    ok((wait_for { ($server[$_]->{at} = value(($_ ? 'E' : 'D') . ':PS:Sup:CaRelayMsg.VAL$', %udp)) } 20, 'both'), 'it is there') for 0, 1;
    my ($first, $second) = $server[0]{at} =~ /standing by/ ? reverse @server : @server;
    $first->signal('STOP');
    wait_for { $second->log_text =~ /is stopped/ } 25, 'the other one to look';
    like($second->log_text, qr/^@@@ CA search relay: process $first->{pid} of user \d+ is to relay, and is stopped/m,
        'the other one reports it');
    $first->signal('CONT');
    ok((wait_for { $second->log_text =~ /works again/ } 25, 'it to go on'), 'and that it goes on');
    $_->stop for @server;
};

done_testing();
