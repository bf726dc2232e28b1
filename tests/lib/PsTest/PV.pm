# SPDX-License-Identifier: EPICS
package PsTest::PV;

# A Channel Access client by Base's CA.pm, and the command line tools with deadlines.
#
#   my $pv = pv('IOC1:PS:State')->monitor;
#   $pv->wait_value('Running', 10);
#   is_deeply([$pv->values], [qw(Running Holdoff Starting Running)]);
#
# PsTest::Ports->new->apply comes first.

use strict;
use warnings;

use Exporter qw(import);
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use Test::More;

our @EXPORT = qw(pv put_all needs_ca tool tool_start pva_monitor);

my $pumping;

# Skip the script if Base's CA.pm cannot be used.  Another process tries: a CA.pm without its library
# has an END block all the same, whose failure would be the exit status of a test that was skipped.
sub needs_ca {
    my $base = epics_base();
    needs($base, 'EPICS_BASE');
    open(my $try, '-|', "'$^X' -I'$base/lib/perl' -e 'require CA' 2>&1") or die "perl: $!";
    my ($why) = (<$try>, '');
    chomp $why;
    $why =~ s/ in \@INC.*//;
    needs(close($try), "Base's CA.pm: $why");
    unshift @INC, "$base/lib/perl";
    require CA;
}

sub handles { return; }
sub pump { CA->pend_event(0.001); }

my $anyone = bless {}, __PACKAGE__; # CA has one context: one object pumps it for all

sub pv { return __PACKAGE__->new(@_); }

# pv(NAME, type => 'DBR_TIME_LONG'): enumerations are read as text otherwise
# update => sub { my ($pv, $entry) = @_ }: called for every update of a monitor, in the order in
# which the server sends them
sub new {
    my ($class, $name, %o) = @_;
    require CA;
    if (!$pumping++) {
        PsTest::pump_with($anyone);
        # else it prints "Virtual circuit disconnect" when a server ends, as it should
        CA->add_exception_event(sub { PsTest::debug('CA exception: ', join ', ',
            map { defined ? $_ : '-' } @_); });
    }
    my $self = bless {name => $name, type => $o{type}, history => [], %o}, $class;
    $self->{channel} = CA->new($name, sub { $self->{ups}++ if $_[1]; });
    return $self;
}

sub name { return $_[0]{name}; }
sub is_connected { return $_[0]{channel} && $_[0]{channel}->is_connected; }

sub wait_connected {
    my ($self, $seconds) = @_;
    return wait_for { $self->is_connected } $seconds || 10, "$self->{name} to connect";
}

sub wait_disconnected {
    my ($self, $seconds) = @_;
    return wait_for { !$self->is_connected } $seconds || 10, "$self->{name} to disconnect";
}

sub dbr_type {
    my ($self) = @_;
    return $self->{type} if $self->{type};
    my $native = $self->{channel}->field_type;
    return 'DBR_TIME_' . ($native =~ /ENUM|STRING/ ? 'STRING' : $native =~ /CHAR/ ? 'CHAR'
        : $native =~ /FLOAT|DOUBLE/ ? 'DOUBLE' : 'LONG');
}

# A value as {value, severity, status, time}; severity is NO_ALARM, MINOR, ...
sub entry {
    my ($data) = @_;
    return {
        value => $data->{value},
        severity => defined $data->{severity} ? "$data->{severity}" : 'NO_ALARM',
        status => defined $data->{status} ? "$data->{status}" : 'NO_ALARM',
        time => ($data->{stamp} || 0) + ($data->{stamp_fraction} || 0),
    };
}

# The whole entry, read now; undef, with the reason reported, if that fails.
sub read {
    my ($self, $seconds) = @_;
    my ($done, $status, $got);
    $self->wait_connected($seconds) or return;
    $self->{channel}->get_callback(sub { (undef, $status, my $data) = @_;
        $got = entry($data) if $data; $done = 1; }, $self->dbr_type);
    wait_for { $done } $seconds || 10, "a value of $self->{name}";
    diag("$self->{name}: $status") if $status;
    return $got;
}

sub get {
    my ($self, $seconds) = @_;
    my $got = $self->read($seconds);
    return $got ? $got->{value} : undef;
}

sub severity {
    my ($self, $seconds) = @_;
    my $got = $self->read($seconds);
    return $got ? $got->{severity} : undef;
}

# Plain put: sent, nothing more.
sub put {
    my ($self, @value) = @_;
    $self->wait_connected or return 0;
    $self->{channel}->put(@value);
    CA->flush_io;
    return 1;
}

# Plain puts, so quick after one another that they travel in one packet: [pv, value], ...
sub put_all {
    my @puts = @_;
    $_->[0]->wait_connected or return 0 for @puts;
    $_->[0]{channel}->put($_->[1]) for @puts;
    CA->flush_io;
    return 1;
}

# Put and wait for the end of all it caused.  True if it succeeded; `put_status` gives the reason if not.
sub put_wait {
    my ($self, $value, $seconds) = @_;
    my $done;
    $self->{put_status} = 'not done';
    $self->wait_connected or return 0;
    $self->{channel}->put_callback(sub { $self->{put_status} = $_[1]; $done = 1; }, $value);
    wait_for { $done } $seconds || 10, "the end of a put of $value to $self->{name}";
    diag("$self->{name}: $self->{put_status}") if $done && $self->{put_status};
    return $done && !$self->{put_status};
}

sub put_status { return $_[0]{put_status}; }

# Remember every update from now on.  Waits for the first.
sub monitor {
    my ($self, $seconds) = @_;
    return $self if $self->{subscription};
    $self->wait_connected($seconds) or return $self;
    $self->{subscription} = $self->{channel}->create_subscription($self->{mask} || 'va',
        sub { my (undef, $status, $data) = @_;
            return unless $data;
            push @{$self->{history}}, my $entry = entry($data);
            PsTest::debug("$self->{name} = $entry->{value}");
            $self->{update}->($self, $entry) if $self->{update}; },
        $self->dbr_type);
    wait_for { @{$self->{history}} } $seconds || 10, "the first update of $self->{name}";
    return $self;
}

sub history { return @{$_[0]{history}}; }
sub values { return map { $_->{value} } @{$_[0]{history}}; }
sub last { return $_[0]{history}[-1]; }
sub forget { @{$_[0]{history}} = (); }

# Wait until the last update is $want (a text, number or pattern).  The entry, or undef.
sub wait_value {
    my ($self, $want, $seconds) = @_;
    $self->monitor($seconds);
    return wait_for {
        my $entry = $self->{history}[-1] or return;
        my $value = $entry->{value};
        return (ref $want ? $value =~ $want : $value eq $want) && $entry;
    } $seconds || 10, "$self->{name} to become $want",
        sub { "it was: " . join ', ', $self->values };
}

# The same, for a test that compares a part of the entry: without an update it is empty, so that this
# test fails, instead of ending the script by an error.
sub reached {
    my ($self, @args) = @_;
    return $self->wait_value(@args) || {};
}

sub close {
    my ($self) = @_;
    $self->{subscription}->clear if $self->{subscription};
    delete $self->{$_} for qw(subscription channel);
}

# ---- command line tools ----

# Start caget, pvmonitor, ...; a PsTest::Proc
sub tool_start {
    my ($name, @args) = @_;
    return PsTest::Proc->start(cmd => [PsTest::Ports::tool_dir() . "/$name", @args]);
}

# Start pvmonitor, and wait until it shows something.  That of Base 7.0.8.1 may lose its first
# update, and with it all others, or end, by a race within itself: then there is another one.
sub pva_monitor {
    my (@args) = @_;
    for (1 .. 10) {
        my $proc = tool_start('pvmonitor', @args);
        wait_for { $proc->stdout ne '' || !$proc->running } 20, "pvmonitor @args to show something",
            sub { $proc->stderr };
        return $proc if $proc->stdout ne '' && $proc->stdout !~ /Unhandled exception/;
        PsTest::debug('another pvmonitor: ', $proc->stdout, $proc->stderr);
        $proc->stop;
    }
    return;
}

# Run one to its end, 30 s at most: (exit code, stdout, stderr)
sub tool {
    my $proc = tool_start(@_);
    $proc->stop(1) if !$proc->wait_exit(30);
    return ($proc->exit_code, $proc->stdout, $proc->stderr);
}

1;
