#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What a put leads to: the records show it when a put that waits returns, and of puts in quick
# succession none is lost.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(120);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

# A program with this child, and its PVs connected: nothing may wait for a connection later.
sub start {
    my ($args, @cmd) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => 'T', args => [$ports->ours, @$args],
        cmd => [@cmd]) or BAIL_OUT('the program does not start');
    my %pv = map { $_ => pv("T:PS:$_") } qw(State Pid CmdState CmdMsg CmdLast CmdSeq Restart Start
        Stop Signal SignalNum Grace Grace_RBV);
    $_->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr) for values %pv;
    $pv{State}->wait_value('Running', 10);
    return ($server, %pv);
}

# Put, wait, and at once ask for these: what they were when the put returned.
sub put_and_get {
    my ($pv, $value, @asked) = @_;
    my %got;
    $pv->{channel}->put_callback(sub {
        for my $asked (@asked) {
            $asked->{channel}->get_callback(sub {
                my (undef, $status, $data) = @_;
                $got{$asked->name =~ s/.*://r} = $status ? "$status" : $data->{value};
            }, $asked->dbr_type);
        }
        CA->flush_io;
    }, $value);
    wait_for { keys %got == @asked } 15, 'the end of a put to ' . $pv->name;
    return %got;
}

subtest 'A put that waits returns when the records show what it led to' => sub {
    my ($server, %pv) = start(['--holdoff', 0], 'sleep', 1000);
    my (@wrong, $pid);
    for my $round (1 .. 15) {
        for my $case (['Stop', 'Stopped'], ['Start', 'Running'], ['Restart', 'Running']) {
            my ($command, $state) = @$case;
            my %now = put_and_get($pv{$command}, 1, @pv{qw(State Pid CmdState CmdLast)});
            push @wrong, "$round: after $command State is $now{State}" if $now{State} ne $state;
            push @wrong, "$round: after $command Pid is $now{Pid}"
                if ($now{Pid} > 0) ne ($state eq 'Running') || $pid && $now{Pid} eq $pid;
            push @wrong, "$round: after $command CmdState is $now{CmdState} of $now{CmdLast}"
                if "$now{CmdState} $now{CmdLast}" ne "Done $command";
            $pid = $now{Pid};
        }
    }
    ok(!@wrong, 'Stop, Start and Restart') or diag(join "\n", @wrong);

    @wrong = ();
    for my $seconds (1 .. 20) {
        my %now = put_and_get($pv{Grace}, $seconds, $pv{Grace_RBV});
        push @wrong, "$now{Grace_RBV} after $seconds" if $now{Grace_RBV} ne $seconds;
    }
    ok(!@wrong, 'a setting and its readback') or diag(join "\n", @wrong);

    my %now = put_and_get($pv{SignalNum}, 70, $pv{CmdState});
    is($now{CmdState}, 'Denied', 'a number that is no signal is refused');
    is($pv{SignalNum}->severity, 'INVALID', 'and an alarm');
    %now = put_and_get($pv{SignalNum}, 18, $pv{CmdLast});
    is($now{CmdLast}, 'Signal SIGCONT', 'a signal');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'Puts in quick succession' => sub {
    my $child = child_program();
    my ($server, %pv) = start(['--holdoff', 0], '/bin/sh', '-c',
        'trap "echo hup" HUP; trap "echo term" TERM; trap "echo int" INT; trap "echo usr1" USR1
         echo ready; while :; do sleep 1000 & wait; done');
    wait_for { $server->log_text =~ /^ready\r?$/m } 10, 'the child' ;
    my $seq = $pv{CmdSeq}->get;
    # one message to the server: it has nothing between them to wait for
    $pv{Signal}{channel}->put($_) for qw(HUP TERM INT USR1);
    $pv{SignalNum}{channel}->put(18); # CONT
    CA->flush_io;
    ok((wait_for {
            my $log = $server->log_text;
            4 == grep { $log =~ /^$_\b/m } qw(hup term int usr1);
        } 10, 'four signals', sub { $server->log_text }), 'each signal arrived');
    ok((wait_for { $pv{CmdSeq}->get == $seq + 5 } 10, 'five commands',
            sub { 'CmdSeq went from ' . $seq . ' to ' . $pv{CmdSeq}->get }), 'as five commands');
    my @who = $server->log_text(qr/(?:^\@\@\@ [^\n]* put T:PS:Signal.*?){5}/ms)
        =~ /^\@\@\@ .* (\S+\@127\.0\.0\.1) put T:PS:Signal\w* \d+\r$/mg;
    is(scalar @who, 5, 'and the log shows the user of each');

    my $restarts = $server->child_pids;
    $pv{Restart}{channel}->put(1) for 1 .. 3;
    CA->flush_io;
    ok($server->wait_child($restarts + 1), 'three puts of Restart');
    ok((stays { $restarts + 1 == (my @pids = $server->child_pids) } 0.5, 'one restart'),
        'are one restart');

    $pv{Stop}->put_wait(1);
    $pv{Signal}->monitor;
    $pv{Signal}->put('HUP');
    ok((wait_for { my $last = $pv{Signal}->last; $last->{severity} eq 'INVALID' } 10, 'an alarm'),
        'a signal for nobody is an alarm, though nobody waited');
    is($pv{Signal}->last->{value}, 'Idle', 'and the record is idle again');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A record that is disabled' => sub {
    my $dir = tmpdir();
    open(my $rules, '>', "$dir/all.acf") or die $!;
    print $rules "ASG(DEFAULT) { RULE(1, READ) }\nASG(PS_RO) { RULE(1, READ) }\n",
        "ASG(PS_CONSOLE) { RULE(1, READ) }\n",
        "ASG(PS_CMD) { RULE(1, READ) RULE(1, WRITE, TRAPWRITE) }\n";
    close $rules;
    my ($server, %pv) = start(['--acf', "$dir/all.acf"], 'sleep', 1000);
    my $disable = pv('T:PS:Stop.DISP', type => 'DBR_TIME_LONG');
    $disable->put_wait(1);
    ok(!$pv{Stop}->put_wait(1), 'refuses a put that waits');
    is($pv{CmdState}->reached('Denied', 10)->{value}, 'Denied', 'and CmdState says so');
    my $by = pv('T:PS:CmdBy.VAL$')->get;
    like($by, qr/\@127\.0\.0\.1$/, 'CmdBy shows the user');
    my $refused = () = $server->log_text(qr/ refused: /) =~ /put T:PS:Stop refused: /g;
    is($refused, 1, 'the log reports it once');
    my $seq = $pv{CmdSeq}->get;
    $disable->put_wait(0);
    $refused = () = $server->log_text =~ /put T:PS:Stop refused: /g;
    is($refused, 1, 'to enable it is no put that was refused');
    is($pv{CmdSeq}->get, $seq, 'and no command');
    ok($pv{Stop}->put_wait(1), 'then it takes one');
    is($pv{CmdState}->get, 'Done', 'that is done');
    is($server->stop, 0, 'SIGTERM ends it');
};

done_testing();
