# SPDX-License-Identifier: EPICS
package PsTest::Flood;

# Very many connections to one endpoint.  Processes of their own hold them: a test may not have
# so many descriptors itself.

use strict;
use warnings;

use POSIX ();
use PsTest;
use PsTest::Proc;
use PsTest::Telnet;

my $each = 500;

# new(endpoint, number): connects; `made` returns how many it has then.
sub new {
    my ($class, $endpoint, $number) = @_;
    my $self = bless {part => [], made => 0}, $class;
    for (my $left = $number; $left > 0; $left -= $each) {
        $self->part($endpoint, $left < $each ? $left : $each);
    }
    for my $part (@{$self->{part}}) {
        my $text = '';
        wait_for {
            vec(my $bits = '', fileno $part->{done}, 1) = 1;
            select($bits, undef, undef, 0) && sysread $part->{done}, $text, 20;
        } 60, "$each connections";
        $self->{made} += $text || 0;
    }
    return $self;
}

sub part {
    my ($self, $endpoint, $number) = @_;
    pipe(my $done, my $tell) or die $!;
    pipe(my $hold, my $let_go) or die $!;
    my $pid = fork;
    die $! unless defined $pid;
    if ($pid == 0) {
        # Else this process keeps the others from ever seeing their end.
        close $_ for $done, $let_go, map { $_->{let_go} } @{$self->{part}};
        my @open = grep { defined } map { PsTest::Telnet::dial($endpoint) } 1 .. $number;
        syswrite $tell, scalar(@open) . "\n";
        sysread $hold, my $nothing, 1;
        POSIX::_exit(0);
    }
    PsTest::Proc::remember($pid);
    push @{$self->{part}}, {pid => $pid, done => $done, let_go => $let_go};
}

sub made { return $_[0]{made}; }

# Close them all.
sub end {
    my ($self) = @_;
    my @part = splice @{$self->{part}};
    close $_->{let_go} for @part;
    waitpid $_->{pid}, 0 for @part;
}

1;
