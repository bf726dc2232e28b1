# SPDX-License-Identifier: EPICS
package PsTest::Ports;

# Channel Access and PVA on loopback with ports of this test's own.  The supervised IOC and all
# clients get env(): the IOC listens on 127.0.0.2.  procServIoc's own IOC listens on 127.0.0.1 by
# ours(), options that override it.  One address could not serve two servers: a search would
# reach one of them, by chance.  With PVA both share 127.0.0.1: Base passes searches on by
# multicast, and its server refuses an address that is no interface's own, such as 127.0.0.2.

use strict;
use warnings;

use IO::Socket::INET;
use PsTest;
use PsTest::Proc;

# A port free for UDP and TCP on both addresses.  Below the ephemeral range, or a connection of
# somebody else might take it before its server does.
my %given;
sub free_port {
    for (1 .. 200) {
        my $port = 10000 + int rand 22000;
        next if $given{$port};
        my @held = map {
            my $address = $_;
            map {
                IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Proto => $_,
                    $_ eq 'tcp' ? (Listen => 1) : ())
            } qw(udp tcp)
        } qw(127.0.0.1 127.0.0.2);
        next if 4 != grep { defined } @held;
        $given{$port} = 1;
        return $port;
    }
    die 'no free port found';
}

sub new {
    my ($class) = @_;
    my $self = bless {map { $_ => free_port() } qw(ca repeater pva pva_search)}, $class;
    $self->{base} = epics_base();
    return $self;
}

sub env {
    my ($self, $address) = @_;
    $address ||= '127.0.0.2';
    return (
        EPICS_CA_ADDR_LIST => '127.0.0.1 127.0.0.2',
        EPICS_CA_AUTO_ADDR_LIST => 'NO',
        EPICS_CA_NAME_SERVERS => undef,
        EPICS_CA_SERVER_PORT => $self->{ca},
        EPICS_CA_REPEATER_PORT => $self->{repeater},
        EPICS_CAS_INTF_ADDR_LIST => $address,
        EPICS_CAS_IGNORE_ADDR_LIST => undef,
        EPICS_CAS_SERVER_PORT => $self->{ca},
        EPICS_CAS_AUTO_BEACON_ADDR_LIST => 'NO',
        EPICS_CAS_BEACON_ADDR_LIST => '127.0.0.1',
        EPICS_CAS_BEACON_PORT => $self->{repeater},
        EPICS_PVA_ADDR_LIST => '127.0.0.1',
        EPICS_PVA_AUTO_ADDR_LIST => 'NO',
        EPICS_PVA_NAME_SERVERS => undef,
        EPICS_PVA_BROADCAST_PORT => $self->{pva_search},
        EPICS_PVA_SERVER_PORT => $self->{pva},
        EPICS_PVAS_INTF_ADDR_LIST => '127.0.0.1',
        EPICS_PVAS_IGNORE_ADDR_LIST => undef,
        EPICS_PVAS_BROADCAST_PORT => $self->{pva_search},
        EPICS_PVAS_SERVER_PORT => $self->{pva},
        EPICS_PVAS_AUTO_BEACON_ADDR_LIST => 'NO',
        EPICS_PVAS_BEACON_ADDR_LIST => '127.0.0.1',
    );
}

# Options for procServIoc: its own IOC on the other address.
sub ours {
    my ($self) = @_;
    return ('--ioc-env', 'EPICS_CAS_INTF_ADDR_LIST=127.0.0.1');
}

# For this process, and all it starts; before CA.pm is used.
sub apply {
    my ($self) = @_;
    my %env = $self->env;
    for my $name (keys %env) {
        defined $env{$name} ? ($ENV{$name} = $env{$name}) : delete $ENV{$name};
    }
    $ENV{PATH} = tool_dir() . ":$ENV{PATH}" if tool_dir();
    return $self;
}

# Where caget, softIoc... are
sub tool_dir {
    my $base = epics_base() or return;
    my ($found) = grep { -x "$_/caget" }
        map { glob "$base/bin/$_" } $ENV{EPICS_HOST_ARCH} || (), '*';
    return $found;
}

# A caRepeater of our own, or the first client would start one and leave it running.
sub repeater {
    my ($self) = @_;
    my $proc = PsTest::Proc->start(cmd => [tool_dir() . '/caRepeater']);
    my $hex = sprintf ':%04X ', $self->{repeater};
    wait_for { file_text('/proc/net/udp') =~ /$hex/ } 10, 'caRepeater on its port',
        sub { $proc->stderr };
    return $self->{repeater_proc} = $proc;
}

1;
