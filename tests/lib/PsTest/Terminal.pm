# SPDX-License-Identifier: EPICS
package PsTest::Terminal;

# A program on a terminal of its own, which this test types into and reads: a person's telnet.
# script(1) makes the terminal.

use strict;
use warnings;

use parent 'PsTest::Proc';
use POSIX ();
use PsTest;
use Test::More;

sub available { return -x '/usr/bin/script'; }

# start(cmd => [...], no_terminal => 1: pipes instead, and what PsTest::Proc takes).  No word may have
# a single quote.
sub start {
    my ($class, %o) = @_;
    my $line = 'exec ' . join ' ', map { "'$_'" } @{$o{cmd}};
    my @cmd = $o{no_terminal} ? @{$o{cmd}} : ('/usr/bin/script', '-qfec', $line, '/dev/null');
    my $self = $class->SUPER::start(%o, cmd => \@cmd, stdin => 'pipe');
    $self->{inner} = $self->pid if $o{no_terminal};
    $self->{name} = $o{cmd}[0];
    $self->{pos} = 0;
    $self->{stdin}->autoflush(1);
    return $self;
}

# Pid of the program: what script(1) runs, if that gives it a terminal.
sub inner {
    my ($self) = @_;
    return $self->{inner} ||= (PsTest::Proc::descendants($self->pid))[0];
}

# All it printed after what was expected last.
sub text {
    my ($self) = @_;
    return substr $self->stdout, $self->{pos};
}

# As PsTest::Telnet's: wait until what it prints matches; what comes after is for the next.
sub expect {
    my ($self, $what, $seconds) = @_;
    my $tell = sub { "$self->{name} printed since: '" . PsTest::printable($self->text) . "'" };
    return wait_for {
        my $text = $self->text;
        return 0 if $text !~ $what;
        $self->{matched} = substr $text, 0, $+[0];
        $self->{pos} += $+[0];
        return 1;
    } defined $seconds ? $seconds : 10, "$self->{name}: $what", $tell;
}

sub matched { return $_[0]{matched}; }

sub send {
    my ($self, $bytes) = @_;
    PsTest::debug("$self->{name} is typed: $bytes");
    return print {$self->{stdin}} $bytes;
}

# Its terminal passes each key on, and prints none itself: what a telnet does after the greeting.
sub wait_raw {
    my ($self) = @_;
    return wait_for {
        my $pid = $self->inner or return 0;
        open(my $tty, '<', "/proc/$pid/fd/0") or return 0;
        my $mode = POSIX::Termios->new;
        $mode->getattr(fileno $tty) or return 0;
        return !($mode->getlflag & (POSIX::ECHO | POSIX::ICANON));
    } 10, "$self->{name} to set its terminal to single keys";
}

1;
