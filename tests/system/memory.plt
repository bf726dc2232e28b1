#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Out of memory: whichever allocation of our own code fails, the program ends at its start with a
# line and a code, or goes on without what it has no memory for.  It does not crash, and it hears
# SIGTERM.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Fail;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Telnet;

deadman(280);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Fail::library(), 'tests/childprog/psTestFail.so');

my $ports = PsTest::Ports->new->apply;
needs(PsTest::Ports::tool_dir(), "Base's tools");
$ports->repeater;
needs_ca();
my $dir = tmpdir();
my $number = 0;
my $seconds = 15; # for the sample

# Little of it, and always the same: every variable is an allocation.
my %keep = map { $_ => 1 } qw(PATH TMPDIR TOP EPICS_BASE EPICS_HOST_ARCH), grep { /^(EPICS_(CA|PVA)|PS_TEST|LD_)/ } keys %ENV;
delete $ENV{$_} for grep { !$keep{$_} } keys %ENV;

sub children {
    my ($proc) = @_;
    return grep { file_text("/proc/$_/comm") eq "cat\n" && PsTest::Proc::alive($_) }
        PsTest::Proc::descendants($proc->pid);
}

# Start, one client, a restart by its key, the end.
sub life {
    my ($fail, @args) = @_;
    my $base = "$dir/m" . ++$number;
    my $proc = PsTest::Proc->start(env => $fail->env, cmd => [program(), '-f', '-n', "M$number",
        @args, '-I', "$base.info", '-p', "$base.pid", '--holdoff', 0, '-L', "$base.log",
        '--logstamp', "unix:$base.sock", '/bin/cat']);
    my $more = sub { $fail->text . $proc->stderr };
    my $child = wait_for { $proc->running ? (children($proc))[0] : -1 } 20, 'the child', $more;
    if ($child && $child > 0) {
        my $client = wait_for { !$proc->running || PsTest::Telnet->new("unix:$base.sock", quiet => 1) }
            5, 'a connection', $more;
        if (ref $client) {
            # typed once more when it has not worked: a key may be lost for want of memory
            my $due = 0;
            wait_for {
                return 1 if !$proc->running || $client->{eof};
                my ($now) = children($proc);
                return 1 if $now && $now != $child;
                $client->send_some("hello\r\x18") if time >= $due;
                $due = time + 1 if time >= $due;
                return 0;
            } 10, 'a new child', $more;
            $client->close;
        }
    }
    return ($proc, $more);
}

sub verdict {
    my ($proc) = @_;
    my $began = $proc->running;
    $proc->signal('TERM');
    return 'does not end' if !$proc->wait_exit(20);
    return 'crashed by signal ' . $proc->exit_signal if $proc->exit_signal;
    return 'asserted' if $proc->stderr =~ /assert/i;
    return 'ended in silence' if !$began && $proc->stderr !~ /\S/;
    return 'ended with 0' if !$began && $proc->exit_code == 0;
    return '';
}

sub refuse {
    my ($n, @args) = @_;
    my $fail = PsTest::Fail->new("memory $n");
    my ($proc, $more) = life($fail, @args);
    my $bad = verdict($proc);
    is($bad, '', "allocation $n of all") or diag($more->());
    return $fail;
}

# How many there are: none is refused.
my $begin = time;
my $count = refuse(1_000_000, '--no-ioc')->counted;
cmp_ok($count, '>', 60, "$count allocations");
my $stride = 1 + int((time - $begin) * $count / $seconds);
note("every $stride. of $count");
for (my $n = 1; $n <= $count; $n += $stride) {
    refuse($n, '--no-ioc');
}

# The copy of the environment, before main(), in a program that changes its own for the IOC
refuse(1, $ports->ours);

# The first start of all, when libCom has no memory for what it is to create: none at all, or not
# for the second of its parts.
for my $part (1, 2) {
    my $fail = PsTest::Fail->new("memory /$part");
    my $proc = PsTest::Proc->start(env => $fail->env, cmd => [program(), '-f', '--no-ioc', '--wait',
        '-n', 'W', '--holdoff', 0, "unix:$dir/w$part.sock", '/bin/cat']);
    my $client = wait_for { PsTest::Telnet->new("unix:$dir/w$part.sock", quiet => 1) } 10, 'a console';
    $client->expect(qr/SHUT DOWN/);
    $fail->want(2);
    $client->send("\x12");
    ok($client->expect(qr/cannot start/), "a start without memory for part $part fails, and says so");
    $fail->want(0);
    ok((wait_for { children($proc) } 10, 'the child', sub { $client->tell }), 'the next one works');
    is(verdict($proc), '', 'and it ends well') or diag($fail->text . $proc->stderr);
}

# With the IOC: one in eight fails, from the start of the child or of the IOC on, while children die
# and are started again, clients come and go, and operators give commands.
sub busy {
    my ($from) = @_;
    my $base = "$dir/m" . ++$number;
    my $fail = PsTest::Fail->new('memory /8');
    my $proc = PsTest::Proc->start(env => $fail->env, cmd => [program(), '-f', '-n', "M$number",
        $ports->ours, '-I', "$base.info", '--holdoff', 0, '-L', "$base.log", '--logstamp',
        "unix:$base.sock", '/bin/cat']);
    my $more = sub { $fail->text . $proc->stderr };
    wait_for { !$proc->running || children($proc) } 20, 'the child', $more;
    $fail->want(1) if $from eq 'the child';
    my $restart = pv("M$number:PS:Restart");
    wait_for { !$proc->running || $restart->is_connected || $proc->stderr =~ /no PVs/ } 60,
        'the IOC, or the line that says why there is none', $more;
    $fail->want(3) if $from eq 'the IOC';
    my $end = time + 2;
    my $rounds = 0;
    while ($proc->running && time < $end) {
        my $client = PsTest::Telnet->new("unix:$base.sock", quiet => 1);
        PsTest::pump(0.01);
        if ($client) {
            $client->send_some("hello\r");
            $client->send_some("\x18") if $rounds % 3 == 0;
            PsTest::pump(0.01);
            $client->close;
        }
        kill 'KILL', children($proc) if $rounds % 3 == 1;
        $restart->put(1) if $rounds % 3 == 2 && $restart->is_connected;
        $rounds++;
    }
    ok($proc->running, "one in eight fails from $from on: it still supervises after $rounds rounds");
    cmp_ok($fail->refused, '>', 10, $fail->refused . ' were refused');
    # after failed starts the next one may be a minute away: ask for it
    $fail->want(0);
    my $client = PsTest::Telnet->new("unix:$base.sock") or BAIL_OUT('no console');
    $client->send("\x12");
    ok((wait_for { !$proc->running || children($proc) } 30, 'a child', $more), 'a child runs');
    is(verdict($proc), '', 'and it ends well') or diag($more->());
}
busy($_) for 'the child', 'the IOC';

done_testing();
