# SPDX-License-Identifier: EPICS
package PsTest::Server;

# The program under test with one child, in the foreground, its endpoints read from the info
# file: no port is ever chosen by a test.

use strict;
use warnings;

use parent 'PsTest::Proc';
use PsTest;
use PsTest::Telnet;
use Test::More;

my $counter = 0;

# start(cmd => [...], args => [options], name => 'T', ioc => 1, port => endpoint or undef,
#       log => 0 for none; and what PsTest::Proc takes)
# Waits until its endpoints are known; undef if it ended before.
sub start {
    my ($class, %o) = @_;
    my $base = tmpdir() . '/server' . ++$counter;
    my $name = defined $o{name} ? $o{name} : 'T';
    my @args = @{$o{args} || []};
    my $port = exists $o{port} ? $o{port} : 0;
    unshift @args, '-P', $port if defined $port;
    unshift @args, '-L', "$base.log" unless exists $o{log} && !$o{log};
    unshift @args, '-n', $name if length $name;
    unshift @args, '--no-ioc' unless $o{ioc} || is_procserv();

    my $self = $class->SUPER::start(%o,
        cmd => [program(), '-f', '-I', "$base.info", @args, @{$o{cmd}}]);
    @$self{qw(name info log)} = ($name, "$base.info", "$base.log");
    $self->{endpoint_count} = grep { $_ eq '-P' || $_ eq '-l' } @args;
    return unless $self->wait_ready;
    return $self;
}

sub wait_ready {
    my ($self) = @_;
    my $ready = wait_for {
        return 'ended' unless $self->running;
        my $text = file_text($self->{info});
        return $text =~ /\n\z/ && ($text =~ tr/\n//) >= 1 + $self->{endpoint_count};
    } 20, "the info file $self->{info}", sub { 'stderr: ' . $self->stderr };
    if ($ready && $ready eq 'ended') {
        diag("$self->{cmd}[0] ended with status $self->{status}, stderr:\n", $self->stderr);
        return 0;
    }
    return $ready;
}

sub name { return $_[0]{name}; }
sub info_file { return $_[0]{info}; }
sub log_file { return $_[0]{log}; }
# The log's text, when it matches: a thread of its own writes the log, a little later than the consoles get it.
sub log_text {
    my ($self, $pattern) = @_;
    wait_for { file_text($self->{log}) =~ $pattern } 10, "the log to match $pattern" if $pattern;
    return file_text($self->{log});
}

# As the info file has them: log endpoint first, control endpoints in reverse order.
sub endpoints {
    my ($self) = @_;
    return grep { /^(tcp|unix):/ } split /\n/, file_text($self->{info});
}

# Connect to the first control endpoint, or another.  Returns after the banner, unless banner => 0.
sub console {
    my ($self, %o) = @_;
    my $client = PsTest::Telnet->new($o{endpoint} || ($self->endpoints)[-1], %o) or return;
    unless (exists $o{banner} && !$o{banner} || $o{drop}) {
        wait_for { $client->options >= 2 || $client->{eof} } 10, 'the greeting after the banner',
            sub { $client->tell };
        $client->{pos} = length $client->{text};
    }
    return $client;
}

# Pids of all children so far, from the log.
sub child_pids {
    my ($self) = @_;
    my @pids = $self->log_text =~ /^\@\@\@ The PID of new child ".*" is: (\d+)\r$/mg;
    PsTest::Proc::remember($_) for @pids;
    return @pids;
}

# Wait for the n-th child, counted from 1; returns its pid.
sub wait_child {
    my ($self, $number, $seconds) = @_;
    return wait_for { ($self->child_pids)[$number - 1] } $seconds || 10, "child number $number",
        sub { "log:\n" . $self->log_text };
}

1;
