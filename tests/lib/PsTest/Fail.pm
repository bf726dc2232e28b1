# SPDX-License-Identifier: EPICS
package PsTest::Fail;

# Lets the system refuse the program under test a thread, or some memory: tests/childprog/psTestFail.c
# says what can be refused.

use strict;
use warnings;

use PsTest;

my $counter = 0;

# new('thread 4'), new('thread psClock'), new('memory 17'), new('memory /8')
sub new {
    my ($class, $what) = @_;
    return bless {what => $what, file => tmpdir() . '/fail' . ++$counter}, $class;
}

sub library { return PsTest::built('psTestFail.so', 'tests/childprog/O.ARCH'); }

# For PsTest::Proc->start(env => ...)
sub env {
    my ($self) = @_;
    return {
        LD_PRELOAD => library(), PS_TEST_FAIL => $self->{what},
        PS_TEST_FAIL_FILE => $self->{file},
    };
}

sub numbers {
    my ($self) = @_;
    my $text = file_text($self->{file});
    return length $text < 32 ? (0, 0, 0, 0) : unpack 'J4', $text;
}

# Every n-th from now on (see psTestFail.c); 0: no longer.  The program must have begun.
sub want {
    my ($self, $wanted) = @_;
    open(my $file, '+<:raw', $self->{file}) or die "$self->{file}: $!";
    print $file pack 'J', $wanted;
    close $file or die "$self->{file}: $!";
}

# How many were asked for, and how many of them refused
sub counted { return ($_[0]->numbers)[1]; }
sub refused { return ($_[0]->numbers)[2]; }

# One line for each that was refused: which function, called from where, for which thread
sub text {
    my ($self) = @_;
    my $used = ($self->numbers)[3];
    return $used ? substr file_text($self->{file}), 32, $used : '';
}

1;
