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
use PsTest::Fail;
use PsTest::Network;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
needs(system('nsenter -V >/dev/null 2>&1') == 0, 'nsenter, to be on two hosts');
own_network();
needs(system('unshare -n ip link add cable0 type veth peer name cable1 2>/dev/null') == 0,
    'virtual network cables (veth)');

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

subtest 'The same with a name server for all' => sub {
    my %good;
    for (1 .. $rounds) {
        my $server = server('A', '--ca-relay', 'full');
        $good{$_} += finds($_, [@there], 'A:x', 'A:PS:State') for 'broadcast', 'unicast', 'name server';
        is($server->stderr, '', 'nothing is said of ports') if $_ == 1;
        $server->stop;
    }
    is($good{$_}, $rounds, "both by $_: $good{$_} of $rounds") for sort keys %good;
};

# As many times as there are lookups: a relay that works by luck does not pass.
sub always_finds {
    my ($what, $way, $where, @names) = @_;
    my $times = grep { finds($way, $where, @names) } 1 .. 3;
    is($times, 3, $what . ' by ' . $way . (@$where ? ' elsewhere' : ' here'));
}

subtest 'Ten soft IOCs' => sub {
    my @names = map { "B$_" } 1 .. 10;
    my @before = map { PsTest::Proc->start(cmd => [softioc($_)]) } @names[0 .. 3];
    my $server = server('B10');
    my @after = map { PsTest::Proc->start(cmd => [softioc($_)]) } @names[4 .. 8];
    my @pvs = ((map { "$_:x" } @names), 'B10:PS:State');
    wait_for { finds_quietly(@pvs) } 30, 'all IOCs';
    for my $where ([], [@there]) {
        always_finds('all ten and our own', $_, $where, @pvs) for qw(broadcast unicast);
    }
    always_finds('all ten and our own', 'loopback', [], @pvs);
    is($server->stop, 0, 'SIGTERM ends it');
    $_->stop for @before, @after;
};

# In either order of start and end
for my $first (0, 1) {
    my @names = ('C1', 'C2');
    my ($ends, $stays) = $first ? reverse @names : @names;
    subtest "Two at once, and $ends ends" => sub {
        my %server = map { $_ => server($_) } @names;
        my @pvs = map { ("$_:x", "$_:PS:State") } @names;
        for my $where ([], [@there]) {
            always_finds('both', $_, $where, @pvs) for qw(broadcast unicast);
        }
        is($server{$ends}->stop, 0, "$ends ends");
        always_finds("$stays is found", $_, [@there], "$stays:x", "$stays:PS:State")
            for qw(broadcast unicast);
        $server{$ends} = server($ends);
        always_finds("both, when $ends is back,", $_, [@there], @pvs) for qw(broadcast unicast);
        my @left = PsTest::Proc::descendants($server{$ends}->pid); # its IOC ignores the hang-up
        PsTest::Proc::remember($server{$ends}->pid);
        $server{$ends}->signal('KILL');
        $server{$ends}->wait_exit(10);
        kill 'KILL', @left;
        always_finds("$stays is found after $ends has crashed", 'unicast', [@there], "$stays:x",
            "$stays:PS:State");
        $server{$stays}->stop;
    };
}

subtest 'Addresses that come and go' => sub {
    my $server = server('D');
    ip(qw(addr add 10.9.9.5/24 dev cable0));
    local $ways{new} = {EPICS_CA_ADDR_LIST => '10.9.9.5', EPICS_CA_AUTO_ADDR_LIST => 'NO'};
    wait_for { relay_at('10.9.9.5') } 10, 'the relay at the new address';
    always_finds('both', 'new', [@there], 'D:x', 'D:PS:State');
    ip(qw(addr del 10.9.9.5/24 dev cable0));
    wait_for { !relay_at('10.9.9.5') } 10, 'the relay to leave it';
    always_finds('both', 'unicast', [@there], 'D:x', 'D:PS:State');
    $server->stop;
};

# Is a UDP socket bound to that address, and the port of searches?
sub relay_at {
    my ($address) = @_;
    my $hex = sprintf '%08X:13C8', unpack 'V', pack 'C4', split /\./, $address;
    return file_text('/proc/net/udp') =~ /: $hex /;
}

subtest 'An IOC with that address of its own' => sub {
    local $ENV{EPICS_CAS_INTF_ADDR_LIST} = $host;
    my $ioc = PsTest::Proc->start(cmd => [softioc('E1')]);
    wait_for { relay_at($host) } 10, 'the IOC at its address';
    delete $ENV{EPICS_CAS_INTF_ADDR_LIST};
    my $server = server('E2');
    always_finds('it', 'unicast', [@there], 'E1:x');
    always_finds('the others', 'loopback', [], 'E2:x', 'E2:PS:State');
    $server->stop;
    $ioc->stop;
};

subtest 'Without the loopback interface' => sub {
    my $server = server('M');
    ip(qw(link set lo down));
    wait_for { $server->log_text =~ /CA search relay: 127.255.255.255 does not reach this host/ } 10,
        'the log to say so';
    my $record = 'M:PS:Sup:CaRelay';
    ok((wait_for { (found('broadcast', [@there], $record)->{$record} // '') eq 'Error' } 10,
        'the record'), 'the record, too');
    ip(qw(link set lo up));
    wait_for { $server->log_text =~ /CA search relay works again/ } 20, 'it to work again';
    always_finds('both', 'unicast', [@there], 'M:x', 'M:PS:State');
    $server->stop;
};

subtest 'Rules of the host that forbid it' => sub {
    my $server = server('Q');
    my @rule = qw(to 127.255.255.255 ipproto udp dport 5064 prohibit);
    ip(qw(rule add pref 10 lookup local));
    ip(qw(rule add pref 5), @rule);
    ip(qw(rule del pref 0));
    wait_for { found('unicast', [@there], 'Q:x'); $server->log_text =~ /cannot pass searches on/ } 10,
        'a search to be forbidden';
    like($server->log_text, qr/^@@@ CA search relay: cannot pass searches on: Permission denied/m,
        'the log says so');
    ok((stays { $server->log_text !~ /works again/ } 12, 'the error'), 'it does so until a search is sent');
    ip(qw(rule del pref 5), @rule);
    wait_for { found('unicast', [@there], 'Q:x'); $server->log_text =~ /CA search relay works again/ } 30,
        'it to work again';
    always_finds('both', 'unicast', [@there], 'Q:x', 'Q:PS:State');
    $server->stop;
};

subtest 'Without a thread for it' => sub {
    needs(PsTest::Fail::library(), 'tests/childprog/psTestFail.so');
    my $fail = PsTest::Fail->new('thread psCaRelay');
    my $server = PsTest::Server->start(ioc => 1, name => 'P', cmd => [softioc('P')],
        env => $fail->env) or BAIL_OUT('the program does not start');
    wait_for { finds_quietly('P:x', 'P:PS:State') } 30, 'the PVs', sub { $server->log_text };
    ok($fail->refused, 'the thread is refused');
    like($server->log_text(qr/relay/), qr/^@@@ CA search relay: cannot start: /m, 'the log says so');
    is(found('broadcast', [], 'P:PS:Sup:CaRelay')->{'P:PS:Sup:CaRelay'}, 'Error', 'the record, too');
    $server->stop;
};

subtest 'A client that IOCs ignore' => sub {
    my $server = server('N', '--ioc-env', 'EPICS_CAS_IGNORE_ADDR_LIST=10.9.9.2');
    ok(!%{found('unicast', [@there], 'N:x')}, 'the relay ignores it');
    always_finds('both', 'unicast', [], 'N:x', 'N:PS:State');
    $server->stop;
};

subtest 'A script with several children' => sub {
    my @children = map { join ' ', softioc($_) } qw(O1 O2);
    open(my $script, '>', "$dir/o.cmd") or die "o.cmd: $!";
    print $script qq{procServAdd O1 "$children[0]"\nprocServAdd O2 "$children[1]"\n},
        qq{dbLoadRecords "psCaRelay.template", "P=O:Sup:"\niocInit\nprocServReport 1\n};
    close $script or die "o.cmd: $!";
    my $proc = PsTest::Proc->start(cmd => [program(), '-f', '--script', "$dir/o.cmd"]);
    wait_for { finds_quietly('O1:x', 'O2:x', 'O:Sup:CaRelay') } 30, 'all PVs', sub { $proc->stderr };
    is(found('broadcast', [], 'O:Sup:CaRelay')->{'O:Sup:CaRelay'}, 'Full', 'it is a name server');
    always_finds('all', 'name server', [@there], 'O1:x', 'O2:x', 'O:Sup:CaRelay');
    like($proc->stderr, qr/^CA search relay: Full: searches at 2 addresses, port 5064; name/m,
        'the report');
    unlike($proc->stderr, qr/^cas /m, 'nothing is said of ports');
    is($proc->stop, 0, 'SIGTERM ends it');
};

subtest 'A name server' => sub {
    my $server = server('F1', '--ca-relay', 'full');
    my @others = map { PsTest::Proc->start(cmd => [softioc($_)]) } qw(F2 F3);
    my @pvs = qw(F1:x F1:PS:State F2:x F3:x);
    wait_for { finds_quietly(@pvs) } 30, 'all IOCs';
    for my $where ([], [@there]) {
        always_finds('all', $_, $where, @pvs) for 'broadcast', 'unicast', 'name server';
    }
    is($server->stop, 0, 'SIGTERM ends it');
    $_->stop for @others;
};

subtest 'A port that another IOC has' => sub {
    my $ioc = PsTest::Proc->start(cmd => [softioc('G1')]);
    wait_for { finds_quietly('G1:x') } 30, 'the IOC';
    my $server = server('G2', '--ca-relay', 'full');
    like($server->log_text(qr/name server/),
        qr/CA search relay: no name server: TCP port 5064: another server has it/, 'the log says so');
    always_finds('that IOC', 'name server', [@there], 'G1:x');
    $ioc->stop;
    wait_for { $server->log_text =~ /works again/ } 20, 'the relay to take it';
    always_finds('all', 'name server', [@there], 'G2:x', 'G2:PS:State');
    $server->stop;
};

# A program that sends to the host whatever $make returns, from many sockets, for some seconds.
sub flood {
    my ($seconds, $make) = @_;
    my $code = <<"END";
use strict; use warnings; use IO::Socket::INET; use Time::HiRes qw(time);
sub header { return pack 'n4N2', \@_; }
sub search { my (\$name) = \@_; my \$text = pack 'a' . 8 * int((8 + length \$name) / 8), \$name;
    return header(6, length \$text, 5, 13, 1, 1) . \$text; }
my \@sockets = map { IO::Socket::INET->new(Proto => 'udp', PeerAddr => '$host', PeerPort => 5064) } 1 .. 200;
my \$end = time + $seconds;
for (my \$i = 0; time < \$end; \$i++) { send \$sockets[\$i % \@sockets], do { $make }, 0; }
END
    return PsTest::Proc->start(cmd => [@there, $^X, '-e', $code]);
}

sub value { return found('loopback', [], $_[0])->{$_[0]} // -1; }

subtest 'A flood of searches' => sub {
    my $server = server('I');
    my $before = value('I:PS:Sup:CaSearches');
    my $flood = flood(3, 'header(0, 0, 1, 13, $i, 0) . search("none") x 30');
    wait_for { value('I:PS:Sup:CaDropped') > 10000 } 20, 'searches to be dropped';
    always_finds('both', $_, [], 'I:x', 'I:PS:State') for 'unicast', 'loopback';
    $flood->wait_exit(20);
    is($flood->exit_code, 0, 'the flood is over') or diag($flood->stderr);
    my $passed = wait_for { value('I:PS:Sup:CaSearches') - $before } 5, 'the counter';
    cmp_ok($passed, '<=', 6 * 10000, "what it sent was passed on in part: $passed searches");
    always_finds('both', $_, [@there], 'I:x', 'I:PS:State') for 'broadcast', 'unicast';
    cmp_ok(scalar keys %{PsTest::Proc::fds($server->pid)}, '<', 200, 'descriptors are bounded');
    is(value('I:PS:Sup:CaRelay'), 'Udp', 'it works');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A flood of junk' => sub {
    my $server = server('J', '--ca-relay', 'full');
    my $flood = flood(2, 'join "", map { chr int rand 256 } 0 .. rand 200');
    my $cut = flood(2, 'substr header(0, 0, 1, 13, $i, 0) . search("J:x") x 3, 0, $i % 80');
    my $evil = flood(2, 'header((1, 14, 13, 23, 17, 15)[$i % 6], 0, 5064, 13, ~0, 1)');
    wait_for { value('J:PS:Sup:CaDropped') > 1000 } 20, 'junk to be dropped';
    always_finds('both', $_, [], 'J:x', 'J:PS:State') for 'unicast', 'name server';
    $_->wait_exit(20) for $flood, $cut, $evil;
    always_finds('both', $_, [@there], 'J:x', 'J:PS:State') for 'unicast', 'name server';

    # by TCP: who does not speak the protocol, who says nothing, and too many
    my @held;
    for my $text ("GET / HTTP/1.0\r\n\r\n", pack('n4N2', 18, 0, 0, 13, 1, 1), "\xff" x 16) {
        push @held, my $socket = connect_relay() or last;
        syswrite $socket, $text;
        ok(closes($socket), 'a connection that says something else is closed');
    }
    push @held, grep { $_ } map { connect_relay() } 1 .. 200;
    ok((wait_for { closes_one(@held) } 20, 'one of too many to be closed'), 'too many are refused');
    ok((wait_for { @held = grep { !closes_one($_) } @held; !@held } 30, 'the silent ones to be closed'),
        'who says nothing is closed');
    always_finds('both', 'name server', [@there], 'J:x', 'J:PS:State');
    is($server->stop, 0, 'SIGTERM ends it');
};

sub connect_relay {
    require IO::Socket::INET;
    return IO::Socket::INET->new(PeerAddr => $host, PeerPort => 5064, Blocking => 1);
}

# Does the other side close it within some seconds?
sub closes {
    my ($socket) = @_;
    return wait_for { closes_one($socket) } 10, 'a connection to be closed';
}

# Is one of them closed?  What was sent before is read away.
sub closes_one {
    for my $socket (@_) {
        $socket->blocking(0);
        my $got;
        do { $got = sysread $socket, my $buffer, 4096 } while $got;
        return 1 if defined $got || !$!{EAGAIN};
    }
    return 0;
}

subtest 'An IOC that links the library' => sub {
    my $program = PsTest::built('psRelayIoc', 'tests/ioc/O.ARCH');
    my $dbd = top_dir() . '/tests/ioc/O.Common/psRelayIoc.dbd';
    softioc('K');
    open(my $script, '>', "$dir/k.cmd") or die "k.cmd: $!";
    print $script qq{caRelayStart full\ndbLoadRecords "$dir/K.db"\niocInit\ncaRelayReport 1\n};
    close $script or die "k.cmd: $!";
    my $own = PsTest::Proc->start(cmd => [$program, $dbd, "$dir/k.cmd"]);
    my $other = PsTest::Proc->start(cmd => [softioc('L')]);
    wait_for { finds_quietly('K:x', 'L:x') } 30, 'both IOCs', sub { $own->stderr };
    wait_for { $own->stdout =~ /dropped/ } 10, 'the report';
    like($own->stdout, qr/^CA search relay: (?:Udp|Full): .*port 5064/m, 'caRelayReport');
    always_finds('both', $_, [@there], 'K:x', 'L:x') for 'unicast', 'name server';
    $_->stop for $own, $other;
};

subtest 'An IOC with addresses of its own' => sub {
    my $server = PsTest::Server->start(ioc => 1, name => 'H', cmd => [softioc('H')],
        args => ['--ioc-env', 'EPICS_CAS_INTF_ADDR_LIST=127.0.0.1']) or BAIL_OUT('no start');
    wait_for { finds('loopback', [], 'H:PS:State') } 30, 'the PVs';
    ok(!relay_at($host), 'the relay is off');
    is(value('H:PS:Sup:CaRelay'), 'Off', 'and says so');
    $server->stop;
};

done_testing();
