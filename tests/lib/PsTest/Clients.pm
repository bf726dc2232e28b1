# SPDX-License-Identifier: EPICS
package PsTest::Clients;

# Clients in Python of other projects, in an environment of the tests' own (tools/setup --clients).
#
#   needs_clients();
#   client('with_p4p', 'T:PS:', 60, LOGNAME => 'eve');      # a subtest of the points that it prints

use strict;
use warnings;

use Exporter qw(import);
use PsTest;
use PsTest::Proc;
use Test::More;

our @EXPORT = qw(needs_clients client);

my $python;

# Skip the script where they cannot be had.  Where nothing may be skipped that is a failure, unless
# the registry is to blame: whether it answers says nothing about this project.
sub needs_clients {
    my $setup = PsTest::Proc->start(cmd => [top_dir() . '/tools/setup', '--clients']);
    # the first time they are fetched from the registry
    my $done = $setup->wait_exit(600);
    $setup->stop(1) unless $done;
    my ($dir) = $setup->stdout =~ /^(\/.*)\n\z/m;
    my ($why) = $setup->stderr =~ /^setup: (.*)$/m;
    plan(skip_all => $why) if ($why || '') =~ /^the registry of Python/;
    needs($done && !$setup->exit_code && $dir, 'clients in Python: ' . ($why || $setup->stderr || 'no answer'));
    $python = "$dir/bin/python";
}

sub client {
    my ($script, $prefix, $seconds, %env) = @_;
    subtest $script => sub {
        my $proc = PsTest::Proc->start(cmd => [$python, '-u', top_dir() . "/tests/clients/$script.py", $prefix],
            env => {PYTHONDONTWRITEBYTECODE => 1, %env});
        ok($proc->wait_exit($seconds), 'it ends') or $proc->stop(1);
        my $points = 0;
        for my $line (split /\n/, $proc->stdout) {
            $line =~ /^(not )?ok - (.*)/ or next;
            $points++;
            ok(!$1, $2);
        }
        ok($points, 'it has tried something');
        is($proc->exit_code, 0, 'without an error') or diag($proc->stdout, $proc->stderr);
    };
}

1;
