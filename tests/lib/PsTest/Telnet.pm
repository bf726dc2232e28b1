# SPDX-License-Identifier: EPICS
package PsTest::Telnet;

# A console client that sees every byte.  `text` is what a person would see, `raw` all that came.

use strict;
use warnings;

use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use IO::Socket::INET;
use IO::Socket::UNIX;
use PsTest;
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
use Test::More;
use Time::HiRes qw(time);

my $counter = 0;

# connect to 'tcp:127.0.0.1:2000', 'tcp:[::1]:2000', 'unix:/path' or 'unix:@name'.
# rcvbuf => bytes: a small receive buffer; quiet => 1: no message if it fails; drop => 1: only
# count what comes
sub new {
    my ($class, $endpoint, %o) = @_;
    my $socket = dial($endpoint, %o);
    if (!$socket) {
        diag("cannot connect to $endpoint: $!") unless $o{quiet};
        return;
    }
    $socket->blocking(0);
    my $self = bless {
        socket => $socket, name => 'client' . ++$counter, raw => '', text => '', rest => '',
        options => [], pos => 0, bytes => 0, drop => $o{drop}, pid => $$,
    }, $class;
    PsTest::pump_with($self);
    return $self;
}

sub dial {
    my ($endpoint, %o) = @_;
    my ($domain, $address);
    if (my ($host, $port) = $endpoint =~ /^tcp:([\d.]+):(\d+)$/) {
        ($domain, $address) = (AF_INET, pack_sockaddr_in($port, inet_aton($host)));
    } elsif (($host, $port) = $endpoint =~ /^tcp:\[([\da-f:]+)\]:(\d+)$/) {
        ($domain, $address) = (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $host)));
    } elsif ($endpoint =~ /^unix:(.*)$/) {
        (my $path = $1) =~ s/^@/\0/;
        ($domain, $address) = (AF_UNIX, pack_sockaddr_un($path));
        # Perl pads the address, which would be part of an abstract name.
        $address = substr $address, 0, 2 + length $path if $path =~ /^\0/;
    } else {
        die "not an endpoint: $endpoint";
    }
    my $class = $domain == AF_UNIX ? 'IO::Socket::UNIX' : 'IO::Socket::INET';
    my $socket = $class->new;
    socket($socket, $domain, SOCK_STREAM, 0) or return;
    setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack 'i', $o{rcvbuf}) if $o{rcvbuf};
    connect($socket, $address) or return;
    return $socket;
}

sub handles {
    my ($self) = @_;
    return $self->{socket} && !$self->{slow} && !$self->{eof} ? $self->{socket} : ();
}

# Take in what has arrived.
sub pump {
    my ($self) = @_;
    return if !$self->{socket} || $self->{slow} || $self->{eof};
    while (1) {
        my $count = sysread $self->{socket}, my $bytes, 65536;
        if ($count) {
            $self->{bytes} += $count;
            next if $self->{drop};
            PsTest::debug("$self->{name} got: $bytes");
            $self->{raw} .= $bytes;
            $self->parse($bytes);
            next;
        }
        next if !defined $count && $! == EINTR;
        return if !defined $count && ($! == EAGAIN || $! == EWOULDBLOCK);
        $self->{eof} = 1;
        $self->{reset} = defined $count ? 0 : 1;
        return;
    }
}

# Telnet commands out of the text; a command that is cut waits in `rest`.
sub parse {
    my ($self, $bytes) = @_;
    my $in = $self->{rest} . $bytes;
    $self->{rest} = '';
    if (index($in, "\xff") < 0) {
        $self->{text} .= $in;
        return;
    }
    my $command = qr/\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[\xf0-\xf9])/s;
    while ($in =~ /\G(?:([^\xff]+)|\xff(\xff)|($command))/gc) {
        if (defined $1 || defined $2) {
            $self->{text} .= defined $1 ? $1 : "\xff";
        } else {
            push @{$self->{options}}, $3;
        }
    }
    $self->{rest} = substr $in, pos($in) || 0;
}

# Stop (1) or go on (0) reading.
sub slow {
    my ($self, $on) = @_;
    $self->{slow} = $on;
    # what a small buffer held back comes in a trickle otherwise, a window probe at a time
    setsockopt($self->{socket}, SOL_SOCKET, SO_RCVBUF, pack('i', 1 << 20)) if !$on;
}

sub text { $_[0]->pump; return $_[0]{text}; }
sub raw { $_[0]->pump; return $_[0]{raw}; }
sub bytes { $_[0]->pump; return $_[0]{bytes}; }
sub options { return @{$_[0]{options}}; }

# All text up to now is done with; returns it.
sub take {
    my ($self) = @_;
    $self->pump;
    my $text = substr $self->{text}, $self->{pos};
    $self->{text} = $self->{raw} = '';
    $self->{pos} = 0;
    return $text;
}

# Wait until the text after what was expected last matches; true if so.  `matched` is the text
# up to the end of the match, `captured` its groups.
sub expect {
    my ($self, $what, $seconds) = @_;
    my $found = wait_for {
        my $text = substr $self->{text}, $self->{pos};
        if ($text =~ $what) {
            $self->{captured} = [map { defined $-[$_] ? substr($text, $-[$_], $+[$_] - $-[$_])
                                                      : undef } 1 .. $#+];
            $self->{matched} = substr $text, 0, $+[0];
            $self->{pos} += $+[0];
            return 1;
        }
        return $self->{eof} ? 'eof' : 0;
    } defined $seconds ? $seconds : 10, "$self->{name}: $what", sub { $self->tell };
    if ($found && $found eq 'eof') {
        diag("$self->{name}: connection closed while waiting for $what");
        diag($self->tell);
        return 0;
    }
    return $found ? 1 : 0;
}

sub matched { return $_[0]{matched}; }
sub captured { return @{$_[0]{captured} || []}; }

sub tell {
    my ($self) = @_;
    my $text = substr $self->{text}, $self->{pos};
    $text = '...' . substr $text, -1000 if length $text > 1000;
    $text = PsTest::printable($text);
    return "$self->{name} has since: '$text'" . ($self->{eof} ? ' and the end' : '');
}

# As typed: 0xff is doubled.
sub send {
    my ($self, $bytes) = @_;
    $bytes =~ s/\xff/\xff\xff/g;
    return $self->send_raw($bytes);
}

# Bytes as they are.  All of them, unless the peer does not take them within 10 s.
sub send_raw {
    my ($self, $bytes) = @_;
    my $done = 0;
    PsTest::debug("$self->{name} sends: $bytes");
    my $end = time + scaled(10);
    while ($done < length $bytes && time < $end) {
        my $count = syswrite $self->{socket}, $bytes, length($bytes) - $done, $done;
        if ($count) {
            $done += $count;
        } elsif ($! != EAGAIN && $! != EWOULDBLOCK && $! != EINTR) {
            return 0;
        } else {
            PsTest::pump(0.01);
        }
    }
    return $done == length $bytes;
}

# As much as fits without waiting; returns how much.
sub send_some {
    my ($self, $bytes) = @_;
    return syswrite($self->{socket}, $bytes) || 0;
}

sub half_close { shutdown $_[0]{socket}, 1; }

sub closed_by_peer {
    my ($self, $seconds) = @_;
    return wait_for { $self->pump; $self->{eof} } $seconds, "$self->{name} to be closed",
        sub { $self->tell };
}

sub is_open { $_[0]->pump; return !$_[0]{eof}; }

sub close {
    my ($self) = @_;
    CORE::close delete $self->{socket} if $self->{socket};
    $self->{eof} = 1;
}

1;
