#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The records of the supervisor where there is only a script; and what is said, once, where the
# resources of children cannot be read.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Fail;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");
needs(PsTest::Fail::library(), 'tests/childprog/psTestFail.so');

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $dir = tmpdir();
my $script = "$dir/st.cmd";
open my $out, '>', $script or BAIL_OUT("$script: $!");
print $out qq{procServAdd sa -P unix:$dir/sa.sock sleep 600\n},
    qq{dbLoadRecords "psChild.template", "P=sa:PS:,CHILD=sa"\n};
close $out;

sub value { return pv($_[0])->get(30); }

for (['a name', 'H:PS:Sup:', '-n', 'H'], ['a prefix', 'G:x:Sup:', '--prefix', 'G:x:'],
    ['both', 'F:x:Sup:', '-n', 'H', '--prefix', 'F:x:']) {
    my ($what, $prefix, @args) = @$_;
    subtest "a script, and $what" => sub {
        my $proc = PsTest::Proc->start(cmd => [program(), '-f', $ports->ours, @args, '--script', $script]);
        my $children = pv("${prefix}NumChildren");
        ok($children->wait_connected(30), "the records have the prefix $prefix") or diag($proc->stderr);
        ok($children->wait_value(1, 10), 'the child of the script counts');
        is(value("${prefix}CaRelay"), 'Off', 'the records of the relay are there, too');
        my $heart = pv("${prefix}Heartbeat");
        my $first = $heart->get(30);
        ok((wait_for { $heart->get > $first } 10, 'the heart to beat'), 'the heart beats');
        is(value('sa:PS:State'), 'Running', 'no record of a child that is not there gets in the way');
        is($proc->stop, 0, 'SIGTERM ends it');

        my $check = PsTest::Proc->start(cmd => [program(), '--check', $ports->ours, @args, '--script', $script]);
        ok($check->wait_exit(30), '--check');
        is($check->exit_code, 0, 'finds nothing bad') or diag($check->stdout);
        like($check->stdout, qr/^good PVs: \Q$prefix\E$/m, 'and shows the prefix');
    };
}

# One line says that nothing is read; the child is supervised all the same.
sub is_blind {
    my ($proc, $line, $name) = @_;
    my $state = pv("$name:PS:State");
    ok($state->wait_connected(30), 'the PVs are there') or diag($proc->stderr);
    ok($state->wait_value('Running', 10), 'the child runs');
    ok((wait_for { $proc->stderr =~ $line } 20, 'the line', sub { $proc->stderr }), 'a line says so');
    is(pv("$name:PS:$_")->severity(30), 'INVALID', "$_ is INVALID") for qw(Cpu Rss Procs Fds IoRead);
    is(pv("$name:PS:Sup:SupRss")->severity(30), 'INVALID', 'so is SupRss');
    is(pv("$name:PS:Sup:AnyAlarm")->severity(30), 'NO_ALARM', 'what has nothing to do with it is not');
    my $uptime = pv("$name:PS:Sup:Heartbeat");
    my $first = $uptime->get(30);
    ok((wait_for { $uptime->get > $first + 2 } 20, 'more periods'), 'time goes by');
    my $count = () = $proc->stderr =~ /$line/g;
    is($count, 1, 'it is said once') or diag($proc->stderr);
    is(pv("$name:PS:Restart")->put_wait(1, 20) ? 1 : 0, 1, 'a restart works');
    is($proc->stop, 0, 'SIGTERM ends it');
}

sub command {
    my ($name, @args) = @_;
    return (program(), '-f', '-n', $name, @args, $ports->ours, '--stat-period', '0.5', "unix:$dir/$name.sock",
        'sleep', '600');
}

subtest 'no thread to read it' => sub {
    my $fail = PsTest::Fail->new('thread psStat');
    my $proc = PsTest::Proc->start(env => $fail->env, cmd => [command('K')]);
    is_blind($proc, qr/no memory or thread to read \/proc: what the children use is not known/, 'K');
};

done_testing();
