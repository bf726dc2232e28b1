# SPDX-License-Identifier: EPICS
package PsTest::Network;

# A network of this test's own, and another host in it: two name spaces joined by a cable.  Needs
# root, or whoever may make name spaces; a test is skipped elsewhere, with the reason.

use strict;
use warnings;

use Exporter qw(import);
use PsTest;
use PsTest::Proc;
use Test::More;

our @EXPORT = qw(own_network ip other_host);

# Go on in a network name space of its own.  Call it before anything else but needs().
sub own_network {
    return if $ENV{PS_TEST_OWN_NETWORK};
    needs(system('unshare -n true 2>/dev/null') == 0, 'the right to make a name space of networks');
    needs(system('ip -V >/dev/null 2>&1') == 0, 'ip, to change addresses');
    $ENV{PS_TEST_OWN_NETWORK} = 1;
    exec 'unshare', '-n', $^X, $0 or die "unshare: $!";
}

sub ip { system('ip', @_) == 0 or BAIL_OUT("ip @_ fails"); }

# Another host, at the other end of a cable to this one.
# other_host(here => '10.0.0.1/24', there => '10.0.0.2/24'): the words to put before a command
# that is to run there.
sub other_host {
    my (%o) = @_;
    my $there = PsTest::Proc->start(cmd => ['unshare', '-n', 'sleep', 1000]);
    my $own = readlink '/proc/self/ns/net';
    wait_for { (readlink("/proc/$there->{pid}/ns/net") || $own) ne $own } 10, 'another name space';
    my @in = ('nsenter', '-t', $there->{pid}, '-n');
    ip(qw(link add cable0 type veth peer name cable1 netns), $there->{pid});
    ip('addr', 'add', $o{here}, qw(brd + dev cable0));
    ip(qw(link set cable0 up));
    for (['addr', 'add', $o{there}, qw(brd + dev cable1)], [qw(link set cable1 up)], [qw(link set lo up)]) {
        system(@in, 'ip', @$_) == 0 or BAIL_OUT("ip @$_ fails there");
    }
    return (there => $there, in => \@in);
}

1;
