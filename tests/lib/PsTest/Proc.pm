# SPDX-License-Identifier: EPICS
package PsTest::Proc;

# A process under test: started with options and environment, its output in files, its end
# observed, and itself ended by pid when the test ends, with all that descended from it.

use strict;
use warnings;

use Errno;
use Fcntl;
use POSIX qw(:sys_wait_h);
use PsTest;
use Test::More;
use Time::HiRes qw(time);

my @all;
my %left;       # pid => start time of processes that must not survive the test
my $counter = 0;
my $owner = $$;

# start(cmd => [...], env => {NAME => value or undef}, dir =>, stdin => file or 'pipe',
#       nofile => limit of descriptors)
sub start {
    my ($class, %o) = @_;
    my $base = tmpdir() . '/proc' . ++$counter;
    my @cmd = @{$o{cmd}};
    my $self = bless {cmd => [@cmd], out => "$base.out", err => "$base.err"}, $class;

    unshift @cmd, '/bin/sh', '-c', 'ulimit -n "$0" && exec "$@"', $o{nofile} if $o{nofile};
    my $stdin = defined $o{stdin} ? $o{stdin} : '/dev/null';
    my $read;
    pipe($read, $self->{stdin}) or die "pipe: $!" if $stdin eq 'pipe';
    pipe(my $failed, my $report) or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        close $failed;
        $SIG{$_} = 'DEFAULT' for qw(ALRM INT TERM HUP PIPE);
        eval {
            $read ? open(STDIN, '<&', $read) : open(STDIN, '<', $stdin) or die "$stdin: $!";
            open(STDOUT, '>', $self->{out}) or die "$self->{out}: $!";
            open(STDERR, '>', $self->{err}) or die "$self->{err}: $!";
            chdir $o{dir} or die "$o{dir}: $!" if defined $o{dir};
            for my $name (keys %{$o{env} || {}}) {
                my $value = $o{env}{$name};
                defined $value ? ($ENV{$name} = $value) : delete $ENV{$name};
            }
            exec {$cmd[0]} @cmd or die "$cmd[0]: $!";
        };
        syswrite $report, $@;
        POSIX::_exit(127);
    }
    close $report;
    my $reason = do { local $/; <$failed> };
    $self->{pid} = $pid;
    push @all, $self;
    if ($reason) {
        waitpid $pid, 0;
        $self->{status} = $?;
        diag("cannot start @cmd: $reason");
    }
    PsTest::debug("started $pid: @cmd");
    return $self;
}

sub pid { return $_[0]{pid}; }
sub stdout { return file_text($_[0]{out}); }
sub stderr { return file_text($_[0]{err}); }
sub stdin { return $_[0]{stdin}; }

# Not yet ended?
sub running {
    my ($self) = @_;
    return 0 if defined $self->{status};
    if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
        $self->{status} = $?;
        PsTest::debug("ended $self->{pid}: status $?");
        return 0;
    }
    return 1;
}

sub signal {
    my ($self, $name) = @_;
    return $self->running && kill $name, $self->{pid};
}

# Wait for its end.  True when it came within the time.
sub wait_exit {
    my ($self, $seconds) = @_;
    return wait_for { !$self->running } $seconds, "the end of @{$self->{cmd}}[0] ($self->{pid})",
        sub { "its stderr:\n" . $self->stderr };
}

sub exit_code {
    my ($self) = @_;
    return $self->running || $self->{status} & 127 ? -1 : $self->{status} >> 8;
}

sub exit_signal {
    my ($self) = @_;
    return $self->running ? -1 : $self->{status} & 127;
}

# TERM, then what it takes.  Returns the exit code, -1 if it had to be killed.
sub stop {
    my ($self, $seconds) = @_;
    $self->signal('TERM');
    if (!$self->wait_exit($seconds || 20)) {
        $self->signal('KILL');
        $self->wait_exit(5);
    }
    return $self->exit_code;
}

# ---- functions about any process, from /proc ----

# Fields of /proc/PID/stat after the name: state, ppid, pgrp, session, ...
sub stat_fields {
    my ($pid) = @_;
    my $text = file_text("/proc/$pid/stat");
    return $text =~ /^.*\) (.*)$/s ? split(' ', $1) : ();
}

# Alive, and no zombie.
sub alive {
    my ($pid) = @_;
    my ($state) = stat_fields($pid);
    return defined $state && $state !~ /[ZX]/;
}

sub start_time {
    my ($pid) = @_;
    return (stat_fields($pid))[19] || 0;
}

sub all_pids {
    opendir(my $dir, '/proc') or return;
    return grep { /^\d+$/ } readdir $dir;
}

# Is no process left of the group?
sub group_gone {
    my ($pgid) = @_;
    return !grep { my @f = stat_fields($_); @f && $f[2] == $pgid && $f[0] !~ /[ZX]/ } all_pids();
}

# What each descriptor is: {0 => '/dev/null', ...}
sub fds {
    my ($pid) = @_;
    opendir(my $dir, "/proc/$pid/fd") or return {};
    return {map { $_ => readlink("/proc/$pid/fd/$_") } grep { /^\d+$/ } readdir $dir};
}

# A line of /proc/PID/status
sub status_field {
    my ($pid, $name) = @_;
    return file_text("/proc/$pid/status") =~ /^\Q$name\E:\s*(.*)$/m ? $1 : undef;
}

# Blocked signals as hexadecimal digits
sub sigmask { return status_field($_[0], 'SigBlk'); }

# Seconds of CPU it used
sub cpu_seconds {
    my ($pid) = @_;
    my @f = stat_fields($pid);
    return @f ? ($f[11] + $f[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK()) : 0;
}

sub descendants {
    my ($root) = @_;
    my (%children, @found);
    for my $pid (all_pids()) {
        my @f = stat_fields($pid);
        push @{$children{$f[1]}}, $pid if @f;
    }
    my @look = ($root);
    while (@look) {
        my @next = @{delete $children{shift @look} || []};
        push @found, @next;
        push @look, @next;
    }
    return @found;
}

# This process of ours, and all below it, must not outlive the test.
sub remember {
    my ($pid) = @_;
    $left{$_} ||= start_time($_) for $pid, descendants($pid);
}

sub end_all {
    my @running = grep { $_->running } @all;
    remember($_->{pid}) for @running;
    kill 'TERM', map { $_->{pid} } @running;
    my $end = time + 5;
    while (time < $end && grep { $_->running } @running) {
        select undef, undef, undef, 0.02;
    }
    for my $pid (keys %left) {
        # The start time distinguishes it from another process with the same number.
        kill 'KILL', $pid if $left{$pid} && start_time($pid) == $left{$pid};
    }
    for my $proc (grep { $_->running } @running) {
        waitpid $proc->{pid}, 0;
    }
}

END {
    if ($$ == $owner) {
        my $code = $?;
        alarm 0;
        end_all();
        $? = $code;
    }
}

1;
