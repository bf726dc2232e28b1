#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The IOC shell on a terminal.  Its line editor would catch our signals and act on them at the
# next key only: a program whose terminal nobody touches could not be ended.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;

deadman(120);
needs(!is_procserv() && -x program(), 'our program');
needs(-x '/usr/bin/script', 'script(1), to have a terminal');

my $ports = PsTest::Ports->new->apply;
my $dir = tmpdir();

open(my $fh, '>', "$dir/st.cmd") or die "$dir/st.cmd: $!";
print $fh "procServAdd one -P 0 /bin/cat\niocInit\n";
close $fh;

# In a terminal of its own, whose mode is printed afterwards
sub start {
    my ($option) = @_;
    unlink "$dir/pid";
    my $command = join ' ', program(), $option, '-p', "$dir/pid", $ports->ours, '--script',
        "$dir/st.cmd";
    my $proc = PsTest::Proc->start(stdin => 'pipe', cmd => ['/usr/bin/script', '-qfc',
        "$command; echo \"ended with \$?\"; stty -a", '/dev/null']);
    wait_for { $proc->stdout =~ /epics> / } 30, 'the prompt', sub { $proc->stdout };
    my $pid = file_text("$dir/pid");
    chomp $pid;
    return ($proc, $pid);
}

for my $case (['-f', 'TERM'], ['-d', 'TERM'], ['-d', 'INT']) {
    my ($option, $signal) = @$case;
    my ($proc, $pid) = start($option);
    kill $signal, $pid;
    ok((wait_for { $proc->stdout =~ /ended with 0/ } 15, 'its end', sub { $proc->stdout }),
        "$option: SIG$signal ends it");
    ok((wait_for { $proc->stdout =~ /echoke/ } 10, 'the mode of the terminal'), 'is printed');
    like($proc->stdout, qr/ icanon\b.* echo\b/s, 'the terminal is as before');
    kill 'KILL', $pid if PsTest::Proc::alive($pid);
    $proc->stop;
}

done_testing();
