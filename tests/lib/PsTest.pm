# SPDX-License-Identifier: EPICS
package PsTest;

# What every whole-program test needs: one way to wait, a dead man's alarm, a directory of its
# own, and where things are.  Core Perl modules only.
#
#   PS_TEST_PROGRAM       the program under test (default: ours, as built)
#   PS_TEST_TIME_SCALE    multiplies every deadline
#   PS_TEST_DEBUG=1       shows all traffic
#   PS_TEST_STRICT=1      what would be skipped fails
#   PS_TEST_KEEP=1        the test's directory stays

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Scalar::Util qw(weaken);
use Test::More;
use Time::HiRes qw(time);

our @EXPORT = qw(wait_for stays deadman tmpdir scaled file_text top_dir program child_program
    is_procserv needs epics_base);

my $top = abs_path(dirname(__FILE__) . '/../..');
my $started = time;
my @pumps;

sub top_dir { return $top; }

# A deadline's seconds on this machine.
sub scaled {
    my ($seconds) = @_;
    my $scale = $ENV{PS_TEST_TIME_SCALE} || 1;
    $scale = 5 if $scale < 5 && ($ENV{EPICS_TEST_IMPRECISE_TIMING} || '') eq 'YES';
    return $seconds * $scale;
}

sub printable {
    my ($text) = @_;
    $text =~ s/([^\n\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    return $text;
}

sub debug {
    return unless $ENV{PS_TEST_DEBUG};
    diag(sprintf '%7.3f %s', time - $started, printable(join '', @_));
}

# Register an object whose method `pump` takes in what has arrived, without blocking, and whose
# method `handles` lists what to wait on.
sub pump_with {
    my ($object) = @_;
    push @pumps, $object;
    weaken($pumps[-1]);
}

# Let everything registered take in what has arrived; waits up to $seconds for something.
sub pump {
    my ($seconds) = @_;
    my $bits = '';
    @pumps = grep { defined } @pumps;
    weaken($_) for @pumps; # copies are strong
    for my $object (@pumps) {
        vec($bits, fileno $_, 1) = 1 for grep { defined fileno $_ } $object->handles;
    }
    select(my $ready = $bits, undef, undef, $seconds);
    $_->pump for grep { defined } @pumps;
}

# wait_for { condition } seconds, 'what': its value as soon as it is true; false, with the
# reason reported, when the deadline passes.  Everything registered is pumped meanwhile.
# A fourth argument, a sub, returns more to report on failure.
sub wait_for(&$$;$) {
    my ($cond, $seconds, $what, $more) = @_;
    my $begin = time;
    my $end = $begin + scaled($seconds);
    while (1) {
        pump(0);
        my $value = $cond->();
        if ($value) {
            debug(sprintf 'waited %.3f s for %s', time - $begin, $what);
            return $value;
        }
        last if time >= $end;
        pump(0.01);
    }
    diag(sprintf 'waited %.1f s in vain for: %s', time - $begin, $what);
    diag($more->()) if $more;
    return;
}

# stays { condition } seconds, 'what': does it hold all the time?  For what must not happen.
sub stays(&$$) {
    my ($cond, $seconds, $what) = @_;
    my $begin = time;
    while (time < $begin + $seconds) {
        pump(0.01);
        if (!$cond->()) {
            diag(sprintf 'after %.3f s no longer: %s', time - $begin, $what);
            return 0;
        }
    }
    return 1;
}

# The whole test ends after so many seconds, its processes with it (END of PsTest::Proc).
sub deadman {
    my ($seconds) = @_;
    $SIG{ALRM} = sub { BAIL_OUT("$0: not done after " . scaled($seconds) . ' s'); };
    alarm int(scaled($seconds)) + 1;
}
# Base's rule runs tests from make: a ^C must end what they started, too.
$SIG{$_} = sub { exit 130; } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

my $dir;
sub tmpdir {
    $dir ||= tempdir('psTest-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PS_TEST_KEEP});
    return $dir;
}

sub file_text {
    my ($file) = @_;
    open(my $in, '<:raw', $file) or return '';
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub built {
    my ($name, @folders) = @_;
    my @arch = ($ENV{EPICS_HOST_ARCH} || (), '*');
    for my $arch (@arch) {
        for my $folder (@folders) {
            (my $path = "$top/$folder/$name") =~ s/ARCH/$arch/;
            my @found = grep { -x } glob $path;
            return $found[0] if @found;
        }
    }
    return;
}

sub program {
    return $ENV{PS_TEST_PROGRAM} || built('procServIoc', 'bin/ARCH') || "$top/bin/procServIoc";
}

# The scripted child.
sub child_program {
    return $ENV{PS_TEST_CHILD}
        || built('psTestChild', 'tests/childprog/O.ARCH', 'tests/unit/O.ARCH', 'bin/ARCH');
}

# Is the program under test procServ itself?  Its texts are those of 2.7 (Debian's).
sub is_procserv { return program() =~ m{(^|/)procServ$}; }

# Base's folder: EPICS_BASE, or what configure/RELEASE says.
sub epics_base {
    return $ENV{EPICS_BASE} if $ENV{EPICS_BASE};
    my $base;
    for my $file ("$top/configure/RELEASE", "$top/configure/RELEASE.local") {
        my @named = file_text($file) =~ m{^\s*EPICS_BASE\s*=\s*(/\S+)}mg;
        $base = $named[-1] if @named;
    }
    return $base;
}

# Skip the whole script without $what; or fail, where nothing may be skipped.
sub needs {
    my ($cond, $what) = @_;
    return if $cond;
    BAIL_OUT("$0 needs $what") if $ENV{PS_TEST_STRICT};
    plan(skip_all => "needs $what");
}

1;
