#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Whichever thread the system refuses at the start: the program says so and ends, or says what it
# does without and supervises.  It hears signals, and it does not crash.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Fail;
use PsTest::Ports;
use PsTest::Proc;

deadman(280);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Fail::library(), 'tests/childprog/psTestFail.so');

PsTest::Ports->new->apply;
my $dir = tmpdir();
my $number = 0;

# What is said of a thread.  Base waits for some of its own for ever; that is said after 30 s.
my %says = (
    errlog => qr/cannot start: cannot create a thread or allocate memory/,
    psLog => qr/unable to open log file/,
    psLoop => qr/cannot start: /,
    psServe => qr/no PVs: /,
    taskwd => qr/no PVs: /,
    timerQueue => qr/no PVs: |cannot allocate memory or create a thread/,
    cbLow => qr/no PVs: /, cbMedium => qr/no PVs: /, cbHigh => qr/no PVs: /,
);
my %ends = (errlog => 1, psLoop => 1);

sub blocks {
    my ($pid, $signal) = @_;
    my $mask = hex(substr PsTest::Proc::sigmask($pid), -8);
    return $mask & 1 << $signal - 1;
}

sub child_runs {
    my ($proc) = @_;
    return grep { (PsTest::Proc::stat_fields($_))[0] =~ /[SR]/
            && file_text("/proc/$_/comm") eq "sleep\n" } PsTest::Proc::descendants($proc->pid);
}

# @return false when there is no n-th thread
sub refuse {
    my ($n, $ioc, $with_log) = @_;
    my $base = "$dir/t" . ++$number;
    my $fail = PsTest::Fail->new("thread $n");
    my $proc = PsTest::Proc->start(env => $fail->env, cmd => [program(), '-f', '-n', "T$number",
        $ioc ? () : '--no-ioc', '--holdoff', 1, $with_log ? ('-L', "$base.log") : (),
        'unix:' . "$base.sock", '/bin/sh', '-c', 'exec sleep 600']);
    my $more = sub { $fail->text . $proc->stderr };
    my $settled = wait_for { !$proc->running || $fail->refused || child_runs($proc) && !$ioc } 60,
        'the thread to be refused', $more;
    my ($thread) = $fail->text =~ /: thread (.*)/;
    if (!$thread) { # it may be the one that is created at the end
        is($proc->stop, 0, "thread $n is not created at the start");
        return 0;
    }
    my $name = "thread $n, $thread" . ($ioc ? ', IOC' : '') . ($with_log ? ', log' : '');
    if ($ends{$thread}) {
        ok($proc->wait_exit(20), "$name: the program ends");
    } else {
        ok((wait_for { child_runs($proc) } 20, 'the child', $more), "$name: the child runs");
        for my $signal (1, 2, 15) {
            ok(!blocks($proc->pid, $signal), "$name: signal $signal is not blocked");
        }
    }
    if (my $text = $says{$thread}) {
        like((wait_for { $proc->stderr =~ /($text.*)/ ? $1 : undef } 20, 'the line that says so',
            $more), $text, "$name: it says so");
    }
    if (!$ends{$thread}) {
        $proc->signal('HUP');
        $proc->signal('TERM');
        ok($proc->wait_exit(20), "$name: SIGTERM ends it");
    }
    is($proc->exit_signal, 0, "$name: by itself");
    isnt($proc->exit_code, 0, "$name: with a code that says so") if $ends{$thread};
    return 1;
}

for my $with_log (0, 1) {
    my $n = 1;
    $n++ while $n < 10 && refuse($n, 0, $with_log);
    cmp_ok($n, '>=', 4, 'without an IOC: all its threads were refused');
    # The same threads with and without a log, but for the first few.  After cbHigh, threads that have
    # been created create others, in no fixed order.
    for (1 .. ($with_log ? 11 : 6)) {
        ok(refuse($_, 1, $with_log), "with the IOC: thread $_ was refused");
    }
}

done_testing();
