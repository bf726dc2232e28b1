# SPDX-License-Identifier: EPICS
package PsTest::Fail;

# Lets the system refuse the program under test a thread, or some memory: tests/childprog/psTestFail.c
# says what can be refused.

use strict;
use warnings;

use PsTest;

my $counter = 0;

# new('thread 4'), new('memory 17'), new('memory /8', skip => 100)
sub new {
    my ($class, $what, %o) = @_;
    my $file = tmpdir() . '/fail' . ++$counter;
    my $self = bless {what => $what, file => $file, skip => $o{skip} || 0}, $class;
    return $self;
}

sub library { return PsTest::built('psTestFail.so', 'tests/childprog/O.ARCH'); }

# For PsTest::Proc->start(env => ...)
sub env {
    my ($self) = @_;
    return {
        LD_PRELOAD => library(), PS_TEST_FAIL => $self->{what},
        PS_TEST_FAIL_FILE => $self->{file}, PS_TEST_FAIL_SKIP => $self->{skip},
    };
}

sub numbers {
    my ($self) = @_;
    my $text = file_text($self->{file});
    return length $text < 24 ? (0, 0, 0) : unpack 'J3', $text;
}

# How many were asked for, and how many of them refused
sub counted { return ($_[0]->numbers)[0]; }
sub refused { return ($_[0]->numbers)[1]; }

# One line for each that was refused: which function, called from where, for which thread
sub text {
    my ($self) = @_;
    my $used = ($self->numbers)[2];
    return $used ? substr file_text($self->{file}), 24, $used : '';
}

1;
