#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The process in which a script is tried has nothing of the threads and descriptors of the program:
# what it runs behaves as it will when the script is run.  It does not outlive the program.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Fcntl;
use POSIX ();
use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::Server;

deadman(60);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
my $dir = tmpdir();

# The trial waits for somebody to write to the pipe.
POSIX::mkfifo("$dir/pipe", 0600) or die "mkfifo: $!";
open(my $out, '>', "$dir/st.cmd") or die "st.cmd: $!";
print $out "< $dir/pipe\n";
close $out or die "st.cmd: $!";

# As a program leaves it to us that ignores PIPE, and blocks USR1
$SIG{PIPE} = 'IGNORE';
my $set = POSIX::SigSet->new(POSIX::SIGUSR1);
POSIX::sigprocmask(POSIX::SIG_BLOCK(), $set);

my $server = PsTest::Server->start(ioc => 1, name => 'T', cmd => ['/bin/cat'],
    args => [$ports->ours, '--script', "$dir/st.cmd"])
    or BAIL_OUT('the program does not start');

sub trial_of {
    my ($parent) = @_;
    for my $path (glob '/proc/[0-9]*/cmdline') {
        my ($pid) = $path =~ /(\d+)/;
        next unless file_text($path) =~ /\0--check-ioc/;
        my ($state, $ppid) = PsTest::Proc::stat_fields($pid);
        return $pid if defined $ppid && $ppid == $parent;
    }
    return;
}

my $pid = wait_for { trial_of($server->pid) } 20, 'the trial', sub { $server->stderr };
PsTest::Proc::remember($pid);
# There is a reader once the trial has done all that it does with signals and descriptors.
my $pipe;
wait_for { sysopen($pipe, "$dir/pipe", O_WRONLY | O_NONBLOCK) } 20, 'the trial to read the pipe',
    sub { $server->stderr };

my %status = file_text("/proc/$pid/status") =~ /^(\w+):\s*(.*)$/mg;
is(hex $status{SigBlk}, 0, 'no signal is blocked') or diag($status{SigBlk});
is(hex($status{SigIgn}) & ~(1 << 12), 0, 'none is ignored, but what Base ignores: PIPE')
    or diag($status{SigIgn});
my %ours = map { readlink($_) => 1 } glob '/proc/' . $server->pid . '/fd/*';
my @shared = grep { /socket|ptmx|eventpoll|anon_inode/ } map { readlink } glob "/proc/$pid/fd/*";
is("@shared", '', 'it has no socket, terminal or event of the program');
is((split ' ', (file_text("/proc/$pid/stat") =~ /\) (.*)$/s)[0])[38], 0, 'it is not in real time');

is($server->stop, 0, 'SIGTERM ends the program');
ok((wait_for { !PsTest::Proc::alive($pid) } 10, 'the end of the trial'), 'and the trial');

done_testing();
