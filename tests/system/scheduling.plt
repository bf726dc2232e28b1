#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Supervision runs as the program was started, not at the real-time priority that EPICS threads
# get where they may: the supervised IOC's threads come first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Proc;

deadman(60);
needs(-x program(), 'the program ' . program());
plan(skip_all => 'procServ has one thread') if is_procserv();

my $dir = tmpdir();

# {name of a thread => 'policy priority'}
sub threads {
    my ($pid) = @_;
    my %found;
    for my $path (glob "/proc/$pid/task/*/stat") {
        my ($name, $rest) = file_text($path) =~ /\((.*)\) (.*)$/s or next;
        $found{$name} = join ' ', (split ' ', $rest)[38, 37];
    }
    return \%found;
}

sub check {
    my ($what, $main, $log, @before) = @_;
    my $proc = PsTest::Proc->start(
        cmd => [@before, program(), '-f', '--no-ioc', '-L', "$dir/log", '-P', '0', 'cat']);
    my %expect = (procServIoc => "@$main", psLoop => "@$main", psLog => "@$log");
    my $found; # each thread changes it for itself when it begins
    my $good = wait_for {
        $found = threads($proc->pid);
        !grep { !defined $found->{$_} || $found->{$_} ne $expect{$_} } keys %expect;
    } 10, 'policy and priority of the threads', sub { explain($found), $proc->stderr };
    ok($good, "$what: main and loop are at policy and priority @$main, the log's writer at @$log");
    $proc->stop;
}

my @other = (0, 0);
check('As a shell starts it', [@other], [@other]);

SKIP: {
    my $may = PsTest::Proc->start(cmd => ['chrt', '-f', '20', 'true']);
    skip('no right to real-time scheduling here', 1)
        unless $may->wait_exit(10) && defined $may->exit_code && $may->exit_code == 0;
    check('By chrt -f 20', [1, 20], [@other], 'chrt', '-f', '20');
}

done_testing();
