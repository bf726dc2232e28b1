#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What the processes of a child use: compared with what /proc says at the same time, and with what a
# child behind a wrapper script was told to use.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use IO::Socket::UNIX;
use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

use constant MIB => 1024 * 1024;

deadman(180);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
my $load = PsTest::built('psTestLoad', 'tests/childprog/O.ARCH');
needs(-x $load, 'psTestLoad');

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $dir = tmpdir();
my $server = PsTest::Server->start(
    ioc => 1, name => 'L', port => "unix:$dir/l.sock",
    cmd => ['sh', '-c', "ulimit -n 100; $load; exit 3"],
    args => [$ports->ours, '--stat-period', '0.5', '--noautorestart'])
    or BAIL_OUT('the program does not start');
my %pv = map { $_ => pv("L:PS:$_") } qw(Cpu CpuTime Rss VSize Threads Procs Fds FdMax FdPct IoRead
    IoWrite OomScore State);
$pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
$_->monitor for values %pv;

# ---- the child ----

my ($pid) = $server->log_text(qr/^ready \d+/m) =~ /^ready (\d+)/m or BAIL_OUT('no child');
my $console = IO::Socket::UNIX->new(Peer => "$dir/l.sock") or BAIL_OUT("console: $!");
my $typed = 0;

sub type { print $console "$_[0]\n"; $console->flush; }

# The child has done what it was asked.
sub order {
    my ($command) = @_;
    type($command);
    $typed++;
    return $server->log_text(qr/(?:^done [^\n]*\n.*?){$typed}/ms);
}

my ($leader) = PsTest::Proc::descendants($server->pid);
isnt($leader, $pid, 'the child is a script, and that started a program');
my @session = ($leader, $pid);

# ---- what /proc says ----

sub total {
    my ($of) = @_;
    my $sum = 0;
    $sum += $of->($_) for @session;
    return $sum;
}

sub stat_field {
    my ($index) = @_;
    return sub { (PsTest::Proc::stat_fields($_[0]))[$index] || 0 };
}

sub ticks { return $_[0] / POSIX::sysconf(POSIX::_SC_CLK_TCK()); }
sub rss { return total(stat_field(21)) * POSIX::sysconf(POSIX::_SC_PAGESIZE()) / MIB; }
sub size { return total(stat_field(20)) / MIB; }
sub threads { return total(stat_field(17)); }
sub cpu { return ticks(total(sub { my @f = PsTest::Proc::stat_fields($_[0]); $f[11] + $f[12] + $f[13] + $f[14]})); }

# Within 5 %, and a little that is more than rounding.
sub near {
    my ($value, $wanted, $slack) = @_;
    return defined $value && abs($value - $wanted) <= 0.05 * $wanted + ($slack || 0);
}

sub becomes {
    my ($name, $wanted, $what, $slack) = @_;
    ok((wait_for { near($pv{$name}->last->{value}, $wanted->(), $slack) } 20, $what,
        sub { "$name is " . $pv{$name}->last->{value} . ', not ' . $wanted->() }), $what);
}

# 5 % of the whole would hide much of what the last order has used.
sub cpu_is_shown {
    my ($what) = @_;
    ok((wait_for { abs($pv{CpuTime}->last->{value} - cpu()) < 0.03 } 20, $what,
        sub { 'CpuTime is ' . $pv{CpuTime}->last->{value} . ', not ' . cpu() }), $what);
}

# ---- one after the other ----

becomes('Procs', sub { 2 }, 'both processes count');
becomes('Threads', sub { 2 }, 'each has a thread');
is($pv{FdMax}->get, 100, 'the limit of descriptors');

order('memory=64');
becomes('Rss', \&rss, 'memory is what /proc says');
ok($pv{Rss}->get > 64, 'which is more than was taken: ' . $pv{Rss}->get);
becomes('VSize', \&size, 'virtual memory, too');

order('threads=6');
becomes('Threads', sub { 8 }, 'threads of both');
is(threads(), 8, 'as /proc says');

order('open=50');
becomes('Fds', sub { scalar keys %{PsTest::Proc::fds($pid)} }, 'descriptors are those of the program');
my $fds = $pv{Fds}->get;
becomes('FdPct', sub { $fds }, 'in percent of 100');
is($pv{FdPct}->severity, 'NO_ALARM', 'no alarm yet');
order('open=20');
becomes('Fds', sub { $fds + 20 }, 'more descriptors');
is($pv{FdPct}->severity, 'MINOR', 'above 70 %: MINOR');
order('open=19');
becomes('Fds', sub { $fds + 39 }, 'still more');
is($pv{FdPct}->severity, 'MAJOR', 'above 90 %: MAJOR');

order('read=40000000');
order('write=20000000');
ok((wait_for { grep { $_ > 1000 } $pv{IoRead}->values } 20, 'IoRead'), 'IoRead showed it');
ok((wait_for { grep { $_ > 1000 } $pv{IoWrite}->values } 20, 'IoWrite'), 'IoWrite, too');

my $before = $pv{CpuTime}->get;
order('burn=2');
cpu_is_shown('CPU time is what /proc says');
ok(near($pv{CpuTime}->get - $before, 2, 0.05), 'and what was used: ' . ($pv{CpuTime}->get - $before));
ok((grep { $_ > 20 && $_ < 110 } $pv{Cpu}->values), 'Cpu showed it: ' . join ' ', $pv{Cpu}->values);

$before = $pv{CpuTime}->get;
order('kid=2');
cpu_is_shown('a process that has ended counts');
ok(near($pv{CpuTime}->get - $before, 2, 0.1), 'once: ' . ($pv{CpuTime}->get - $before));
my @times = $pv{CpuTime}->values;
is((scalar grep { $times[$_] < $times[$_ - 1] } 1 .. $#times), 0, 'CPU time never goes back');
cmp_ok($pv{OomScore}->get, '>=', 0, 'the score');

# ---- the supervisor ----

my %sup = map { $_ => pv("L:PS:Sup:$_") } qw(SupPid SupRss SupFds SupThreads SupCpu);
$_->wait_connected(20) for values %sup;
is($sup{SupPid}->get, $server->pid, 'SupPid');
@session = ($server->pid);
ok((wait_for { near($sup{SupRss}->get, rss()) } 20, 'SupRss'), 'SupRss is what /proc says');
ok((wait_for { $sup{SupThreads}->get == threads() } 20, 'SupThreads'), 'SupThreads, too');
# a thread that waits in accept() has a number already, of a descriptor that is not there yet
ok((wait_for { near($sup{SupFds}->get, scalar(keys %{PsTest::Proc::fds($server->pid)}), 4) } 20, 'SupFds'),
    'and SupFds');
cmp_ok($sup{SupCpu}->get, '<', 50, 'SupCpu');

# ---- the end ----

kill 'TERM', $pid;
$pv{State}->wait_value('Stopped', 20);
becomes($_, sub { 0 }, "without a process $_ is 0", 0) for qw(Procs Rss CpuTime Cpu Fds);
is($pv{Rss}->severity, 'NO_ALARM', 'and no alarm');
is($server->stop, 3, 'SIGTERM ends it, with what the script ended with');
done_testing();
