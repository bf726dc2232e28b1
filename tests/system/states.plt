#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# How the ends of a soft IOC show in the records, as clients of Channel Access and PV Access see
# them: every transition, in order, with the time of the event, and never two of them mixed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use Time::HiRes qw(time);
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my @states = qw(Stopped Waiting Starting Running Stopping Killing Holdoff CrashLoop Unknown);
my @classes = qw(None Clean Error Signal Killed Timeout ExecFail Lost);
# These make one picture of the child, in CA and in the group of PVA.
my @facts = qw(State Running Pid Restarts Crashes ExitClass ExitCode ExitSignal ExitMsg);

# A program with these options and this child, whose pictures are kept: one for each Seq.
sub start {
    my ($name, $args, @cmd) = @_;
    my $server = PsTest::Server->start(
        ioc => 1, name => $name, args => [$ports->ours, @$args], cmd => [@cmd])
        or BAIL_OUT('the program does not start');
    my $self = {server => $server, pictures => []};
    my %now;
    for my $fact (@facts, 'Seq') {
        # One CA client is sent all updates in the order in which they happened: Seq, which comes
        # last of a transition, shows that what was sent before belongs to it.
        $self->{$fact} = pv("$name:PS:$fact", update => sub {
            $now{$fact} = $_[1];
            push @{$self->{pictures}}, {%now} if $fact eq 'Seq' && keys %now > @facts;
        });
    }
    $self->{Seq}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $self->{$_}->monitor(10) for @facts, 'Seq';
    $self->{group} = pva_monitor('-M', 'json', "$name:PS:Status")
        or BAIL_OUT('no PVA: ' . $server->stderr);
    $self->{camonitor} = tool_start('camonitor', '-S', "$name:PS:State");
    wait_for { $self->{camonitor}->stdout =~ /State/ } 20, 'camonitor';
    return $self;
}

sub finish {
    my ($self, $code) = @_;
    $_->stop for @$self{qw(group camonitor)};
    $self->{$_}->close for @facts, 'Seq';
    is($self->{server}->stop, $code, "SIGTERM ends it, code $code");
}

# What the group said, a picture an update, numbers as names where CA has names.
sub group_pictures {
    my ($self) = @_;
    my @found;
    for my $line ($self->{group}->stdout =~ /^(.*\})$/mg) {
        my %is = (State => $states[$line =~ /\bstate:\{value:\{index:(\d+)/ ? $1 : 8],
            ExitClass => $classes[$line =~ /\bexitClass:\{value:\{index:(\d+)/ ? $1 : 0]);
        for my $name (qw(Seq Pid Restarts Crashes ExitCode ExitSignal Running)) {
            $is{$name} = $line =~ /[{,]\l$name:(-?\d+)/ ? $1 : 'none';
        }
        $is{Running} = $is{Running} eq 1 ? 'Up' : 'Down';
        $is{ExitMsg} = $line =~ /\bexitMsg:"([^"]*)"/ ? $1 : 'none';
        push @found, \%is;
    }
    return @found;
}

# Each update of the group is the picture that CA had for the same Seq.
sub group_fits {
    my ($self, $least) = @_;
    my $last = $self->{Seq}->last->{value};
    wait_for { my @all = group_pictures($self); @all && $all[-1]{Seq} eq $last } 20,
        'the group to show the last transition';
    my %shown = map { $_->{Seq}{value} => $_ } @{$self->{pictures}};
    my ($compared, @mixed) = (0);
    for my $group (group_pictures($self)) {
        my $ca = $shown{$group->{Seq}} or next; # CA does not promise every update
        $compared++;
        my @differ = grep { $group->{$_} ne $ca->{$_}{value} } @facts;
        push @mixed, "Seq $group->{Seq}: " . join ', ',
            map { "$_ $group->{$_} instead of $ca->{$_}{value}" } @differ if @differ;
    }
    cmp_ok($compared, '>=', $least, "at least $least updates of the group were compared");
    ok(!@mixed, 'no update of the group mixes two transitions') or diag(join "\n", @mixed);
}

sub seq_complete {
    my ($self) = @_;
    my @seq = $self->{Seq}->values;
    my @missing = grep { $seq[$_] != $seq[$_ - 1] + 1 } 1 .. $#seq;
    return ok(!@missing, 'no transition is missing') || diag("Seq: @seq");
}

# The pictures after the first $from, once there are $number of them.
sub pictures {
    my ($self, $from, $number) = @_;
    my $all = $self->{pictures};
    wait_for { @$all >= $from + $number } 20, "$number transitions",
        sub { 'there are: ' . join ', ', map { $_->{State}{value} } @$all[$from .. $#$all] };
    return @$all[$from .. $from + $number - 1];
}

sub is_picture {
    my ($picture, $name, %want) = @_;
    my @wrong;
    for my $fact (sort keys %want) {
        my ($value, $severity) = ref $want{$fact} eq 'ARRAY' ? @{$want{$fact}} : $want{$fact};
        my $got = $picture->{$fact} || {value => 'nothing', severity => 'none'};
        push @wrong, "$fact is $got->{value}, not $value"
            unless ref $value ? $got->{value} =~ $value : $got->{value} eq $value;
        push @wrong, "$fact is $got->{severity}, not $severity"
            if $severity && $got->{severity} ne $severity;
    }
    ok(!@wrong, $name) or diag(join "\n", @wrong);
}

# Between two instants, as the clock of this machine had them; a time stamp may be a little early.
sub is_stamped {
    my ($entry, $from, $to, $name) = @_;
    my $stamp = $entry->{time} || 0;
    ok($stamp >= $from - 0.01 && $stamp <= $to + 0.01, "$name has the time of the event")
        or diag(sprintf '%.3f s after it, seen after %.3f s', $stamp - $from, $to - $from);
}

my $pid_up = qr/^[1-9]\d*$/;

subtest 'A soft IOC dies in four ways' => sub {
    my $dir = tmpdir();
    my $soft_ioc = PsTest::Ports::tool_dir() . '/softIoc -d ' . top_dir()
        . '/iocBoot/quickstart/ioc.db';
    my $script = "$dir/ioc";
    open(my $out, '>', $script) or die "$script: $!";
    print $out "#!/bin/sh\n[ -e '$dir/three' ] || exec $soft_ioc\n$soft_ioc\nexit 3\n";
    close $out;
    chmod 0755, $script;

    my $self = start('S', ['--holdoff', '0'], $script);
    my $server = $self->{server};
    ok($self->{State}->wait_value('Running', 10), 'it runs');
    my ($code, $text) = tool('caget', '-t', '-w', 20, 'TST:amplitude');
    is($code, 0, 'the soft IOC answers beside our own PVs');

    my $restarts = 0;
    my $class = ['None', 'NO_ALARM'];
    for my $case ([KILL => 9], [SEGV => 11]) {
        my ($name, $number) = @$case;
        # the next one has a shell around it
        if ($name eq 'SEGV') {
            open(my $flag, '>', "$dir/three") or die $!;
        }
        my $pid = $self->{Pid}->reached($pid_up, 10)->{value};
        is($pid, $server->wait_child($restarts + 1), "SIG$name: Pid is that of the child");
        my $from = @{$self->{pictures}};
        my $event = time;
        kill $name, $pid;
        my ($dead, $new) = pictures($self, $from, 2);
        my $seen = time;
        $restarts++;
        is_picture($dead, "SIG$name: the end", State => ['Starting', 'NO_ALARM'], Running => 'Down',
            Pid => 0, ExitClass => ['Signal', 'MINOR'], ExitCode => -1, ExitSignal => $number,
            ExitMsg => qr/^killed by SIG$name/, Restarts => $restarts, Crashes => $restarts);
        is_picture($new, "SIG$name: the new child", State => ['Running', 'NO_ALARM'],
            Running => 'Up', Pid => qr/^(?!$pid$)[1-9]/, ExitClass => ['Signal', 'NO_ALARM'],
            ExitCode => -1, ExitSignal => $number, Restarts => $restarts);
        is_stamped($dead->{$_}, $event, $seen, "SIG$name: $_") for qw(State ExitClass Seq);
        is_stamped($new->{$_}, $dead->{Seq}{time}, $seen, "SIG$name: then $_")
            for qw(State Pid Seq);
    }
    is(pv('S:PS:ExitSignalName')->get, 'SIGSEGV', 'ExitSignalName');

    my $from = @{$self->{pictures}};
    my $pid = $self->{Pid}->last->{value};
    my $client = $server->console;
    $client->send("\r");
    ok($client->expect(qr/epics>/, 20), 'a prompt on the console');
    unlink "$dir/three";
    my $event = time;
    $client->send("exit\r");
    my ($dead, $new) = pictures($self, $from, 2);
    my $seen = time;
    is_picture($dead, 'exit 3: the end', State => 'Starting', Pid => 0, Running => 'Down',
        ExitClass => ['Error', 'MINOR'], ExitCode => 3, ExitSignal => -1, ExitMsg => qr/\b3\b/,
        Restarts => 3, Crashes => 3);
    is_picture($new, 'exit 3: the new child', State => 'Running', Running => 'Up',
        Pid => qr/^(?!$pid$)[1-9]/, ExitClass => ['Error', 'NO_ALARM'], Restarts => 3);
    is_stamped($dead->{$_}, $event, $seen, "exit 3: $_") for qw(State ExitClass ExitCode Seq);

    rename $script, "$script.away" or die $!;
    $from = @{$self->{pictures}};
    $event = time;
    kill 'KILL', $self->{Pid}->last->{value};
    ($dead, my $failed) = pictures($self, $from, 2);
    $seen = time;
    is_picture($failed, 'exec fails', State => ['Holdoff', 'MINOR'], Pid => 0,
        ExitClass => ['ExecFail', 'MINOR'], ExitCode => -1, ExitSignal => -1);
    is_stamped($failed->{$_}, $event, $seen, "exec fails: $_") for qw(State ExitClass Seq);
    my $message = pv('S:PS:ExitMsg.VAL$')->get;
    like($message, qr/\Q$script\E.*No such file or directory/, 'ExitMsg has path and reason');
    rename "$script.away", $script or die $!;
    ok($self->{State}->wait_value('Running', 20), 'it runs again when it can');
    is($self->{ExitClass}->reached(qr/./)->{severity}, 'NO_ALARM', 'and ExitClass is no alarm');

    seq_complete($self);
    my @stamps = map { $_->{time} } $self->{Seq}->history;
    ok(!(grep { $stamps[$_] < $stamps[$_ - 1] } 1 .. $#stamps), 'time stamps never go back');
    group_fits($self, 10);
    my @tool;
    my @want = $self->{State}->values;
    ok((wait_for {
            @tool = $self->{camonitor}->stdout =~ /^S:PS:State +\S+ \S+ (\w+)/mg;
            "@tool" eq join ' ', @want[$#want - $#tool .. $#want];
        } 10, "camonitor to show @want", sub { "it shows @tool" }), 'camonitor shows them all');
    finish($self, 0); # it runs: no earlier end counts
};

subtest 'Exit status 3 with automatic restart off' => sub {
    my $self = start('T', ['--noautorestart'], '/bin/sh', '-c', 'read x; exit 3');
    $self->{State}->wait_value('Running', 10);
    my $client = $self->{server}->console;
    my $event = time;
    $client->send("\r");
    my $stopped = $self->{State}->wait_value('Stopped', 10);
    ok($stopped, 'State is Stopped');
    my $picture = (pictures($self, $#{$self->{pictures}}, 1))[0];
    is_picture($picture, 'the end', State => ['Stopped', 'MINOR'], Pid => 0, Restarts => 0,
        ExitClass => ['Error', 'MINOR'], ExitCode => 3, ExitSignal => -1);
    is_stamped($stopped, $event, time, 'State');
    seq_complete($self);
    group_fits($self, 1);
    finish($self, 3);
};

subtest 'Sixty crashes as fast as they come' => sub {
    my $self = start('U', ['-w', '--holdoff', '0', '--max-restarts', 60], '/bin/sh', '-c',
        'kill -$(($$ % 2 * 8 + 3)) $$');
    is($self->{State}->last->{value}, 'Waiting', 'it waits for the first start');
    pv('U:PS:Start')->put(1);
    ok($self->{State}->wait_value('CrashLoop', 30), 'a crash loop');
    is($self->{State}->last->{severity}, 'MAJOR', 'is a MAJOR alarm');
    my $last = $self->{pictures}[-1];
    is_picture($last, 'at its end', Restarts => 60, Crashes => 61, Pid => 0);
    my @seq = $self->{Seq}->values;
    cmp_ok($seq[-1] - $seq[0], '>=', 120, 'there were more than 120 transitions');
    group_fits($self, 20);
    finish($self, 0);
};

done_testing();
