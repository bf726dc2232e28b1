#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Programs that steer procServ by its texts, as far as their behaviour is known: procServControl of
# old and new, the IocManager of SLAC, a log squasher, the scripts of synApps, manage-procs.  Each
# parser here is a model of one of them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Proc;
use PsTest::Server;
use PsTest::Telnet;
use Time::HiRes qw(sleep time);

deadman(180);
needs(!is_procserv() && -x program(), 'our program');

my $dir = tmpdir();
my @child = ('/bin/sh', '-c', 'echo ready; while read x; do eval "$x"; done');

# ---- procServControl: a sequencer that reads lines of at most 255 bytes ----

# What it knows after these lines; mode: the word of 2.8, or none
sub control_state {
    my ($text, $mode) = @_;
    my %state;
    for (split /\r\n/, $text) {
        die "a line of more than 255 bytes: $_" if length > 255;
        @state{qw(name command)} = ($1, $2) if /^\@\@\@ Child "(\S+) started as: (\S+)/;
        $state{status} = $1 eq 'PID:' ? 'Running' : 'Shutdown' if /^\@\@\@ Child "\S+ (PID:|is)/;
        $state{status} = 'Running' if /^\@\@\@ Restarting child /;
        $state{status} = 'Shutdown' if /^\@\@\@ Child process is shutting /;
        $state{restart} = $1 if /^\@\@\@ Toggled auto restart$mode to (\w+)/;
        $state{restart} = $1 if /^\@\@\@ Use \^X to kill the child, auto restart$mode is (\w+),/;
    }
    return \%state;
}

subtest 'procServControl' => sub {
    my $server = PsTest::Server->start(name => 'ioc1', cmd => \@child) or return fail('start');
    $server->wait_child(1);
    my $client = $server->console(banner => 0);
    my $know = sub {
        my ($name, $value, $seconds) = @_;
        my $state;
        ok(wait_for(sub { $state = control_state($client->text, ' mode'); ($state->{$name} || '') eq $value },
                $seconds, "$name $value", sub { $client->text }), "$name is $value");
        return $state;
    };
    my $state = $know->('status', 'Running', 5);
    is($state->{name}, 'ioc1"', 'IOCNAME, with the quote that its format leaves');
    is($state->{command}, '/bin/sh', 'the command');
    is($state->{restart}, 'ON', 'AUTORESTART');
    is(control_state($client->text, '')->{restart}, undef, 'one made for procServ 2.7 never learns it');
    # STOP: no automatic restart, then the kill key
    $client->send("\x14");
    $know->('restart', 'OFF', 5);
    $client->send("\x18");
    $know->('status', 'Shutdown', 5);
    # START
    $client->send("\x18");
    $know->('status', 'Running', 30);
    # TOGGLE twice: by way of ONESHOT
    $client->send("\x14");
    $know->('restart', 'ONESHOT', 5);
    $client->send("\x14");
    $know->('restart', 'ON', 5);
    # a child that ends by itself
    $client->send("exit 0\r");
    $know->('status', 'Shutdown', 5);
    $client->send("\x12");
    $know->('status', 'Running', 30);
    $server->stop;
};

# ---- SLAC's IocManager and procmgr ----

subtest 'IocManager' => sub {
    my $started = qr/server started at/;
    my $server = PsTest::Server->start(name => 'ioc1', args => ['--noautorestart'], cmd => \@child)
        or return fail('start');
    my $pid = $server->wait_child(1);
    my $client = $server->console(banner => 0);
    ok($client->expect(qr/$started.*plus you/s, 1), 'the banner comes within 1 s');
    my $banner = $client->text;
    is_deeply([$banner =~ /\@\@\@ Child "(.*)" PID: ([0-9]*)/], ['ioc1', $pid], 'name and process of the child');
    like($banner, qr/\@\@\@ Child "(.*)" start/, 'its start');
    is_deeply([$banner =~ /\@\@\@ procServ server PID: ([0-9]*)/], [$server->pid], 'the server');
    like($banner, qr/\@\@\@ Server startup directory: (.*)/, 'its folder');
    unlike($banner, qr/auto restart( mode)? is (?:ON|ONESHOT),/, 'the mode is OFF');

    $client->send("\x18");
    ok($client->expect(qr/process was killed/, 1), 'a kill shows within 1 s');
    $client->send("\x18");
    ok($client->expect(qr/new child/, 1), 'the next key starts it, within 1 s');
    my $second = $server->wait_child(2);
    isnt($second, $pid, 'a new process');
    $client->send("\x14");
    ok($client->expect(qr/\@\@\@ Toggled auto restart/, 1), 'a toggle shows');
    is(($server->console->text =~ /auto restart( mode)? is (ONESHOT),/)[1], 'ONESHOT', 'so does the banner');
    $client->send("\x14\x14");
    ok($client->expect(qr/to OFF\r\n/, 1), 'back to OFF');

    $client->send("\x18");
    ok($client->expect(qr/process was killed/, 1), 'killed again');
    like($server->console->text, qr/\@\@\@ Child "ioc1" is SHUT DOWN/, 'SHUT DOWN');
    $client->send("\x12");
    ok($client->expect(qr/new child/, 1), '^R starts it within 1 s');
    stays { 1 } 0.6, 'the next key'; # sooner, it would belong to that start
    $client->send("\x18");
    ok($client->expect(qr/process was killed/, 1), 'and once more');
    sleep 0.25; # as it does
    $client->send("\x11");
    ok($client->closed_by_peer(5), '^Q, 0.25 s later, ends the server');
    ok($server->wait_exit(10), 'for good');
};

subtest 'procmgr: restart mode ON, ^X, then ^Q after 0.25 s' => sub {
    my $server = PsTest::Server->start(name => 'ioc1', cmd => \@child) or return fail('start');
    $server->wait_child(1);
    my $client = $server->console;
    $client->send("\x18");
    ok($client->expect(qr/process was killed/, 1), 'killed');
    sleep 0.25;
    $client->send("\x11");
    ok($client->closed_by_peer(5), 'in the hold-off, ^Q ends the server');
    ok($server->wait_exit(10), 'for good');
};

# ---- the log squasher: one line for each restart ----

subtest 'The log squasher' => sub {
    my $server = PsTest::Server->start(name => 'ioc1', args => ['--holdoff', 0], cmd => \@child)
        or return fail('start');
    my $client = $server->console;
    for my $number (1 .. 3) {
        $server->wait_child($number);
        $client->send($number < 3 ? "kill -SEGV \$\$\r" : "exit 4\r");
    }
    $server->wait_child(4);
    my $rule = '@@@ @@@ @@@ @@@ @@@';
    my @block = (qr/\@\@\@ Received a sigChild for process \d+\. (?:Normal exit status = \d+|The process was killed by signal \d+)/,
        qr/\@\@\@ Current time: .+/, qr/\@\@\@ Child process is shutting down, a new one will be restarted shortly/,
        qr/\@\@\@ \^R or \^X restarts the child, \^Q quits the server/, qr/\@\@\@ Restarting child "ioc1"/,
        qr/\@\@\@    \(as \S+\)/, qr/\@\@\@ The PID of new child "ioc1" is: \d+/);
    my @lines = split /\r\n/, $server->log_text(qr/(?:ready.*){4}/s);
    my $squashed = 0;
    for my $i (reverse 0 .. $#lines - @block - 1) {
        next if $lines[$i] ne $rule || ($lines[$i + @block + 1] || '') ne $rule;
        next if grep { $lines[$i + 1 + $_] !~ /\A$block[$_]\z/ } 0 .. $#block;
        splice @lines, $i, @block + 1;
        ++$squashed;
    }
    is($squashed, 3, 'finds each restart');
    is(scalar(grep { /^\@\@\@ (?!\@\@\@|Restarting|   \(as|The PID)/ } @lines), 0, 'and nothing else of ours')
        or diag(join "\n", @lines);
    like($server->log_text, qr/Received a sigChild for process \d+\. The process was killed by signal 11\r\n/,
        'a checker finds the crash');
    $server->stop;
};

# ---- scripts of synApps: a daemon, found by name, its console by the info file ----

subtest 'synApps' => sub {
    my ($info, $pid_file) = map { "$dir/synapps.$_" } qw(info pid);
    my $path = "$dir/procServ";
    symlink program(), $path or die "$path: $!";
    my $start = PsTest::Proc->start(cmd => ['/bin/sh', '-c', 'procServ "$@"', 'sh', '--no-ioc', '-n', 'ioc1', '-i', '^D^C',
            '-I', $info, '-p', $pid_file, '-P', "unix:$dir/synapps.sock", '-P', 0, @child], env => {PATH => "$dir:$ENV{PATH}"});
    ok($start->wait_exit(20), 'the daemon starts');
    like($start->stderr, qr/^procServ: spawning daemon process: (\d+)$/m, 'procmgr finds its number');
    my ($pid) = $start->stderr =~ /process: (\d+)/ or return;
    PsTest::Proc::remember($pid);
    my @lines = split /\n/, file_text($info);
    is($lines[0], "pid:$pid", 'first line: the process');
    is($lines[-1], "unix:$dir/synapps.sock", 'last line: the first console');
    like($lines[1], qr/^tcp:127\.0\.0\.1:\d+$/, 'the other one before it');
    is(file_text("/proc/$pid/comm"), "procServ\n", 'pgrep -x and pidof find it by the name of the link');
    my $child = wait_for { (PsTest::Proc::descendants($pid))[0] } 10, 'the child';
    is((PsTest::Proc::stat_fields($child))[1], $pid, "the child's parent is that process");
    like(file_text("/proc/$child/environ"), qr/(?:^|\0)PROCSERV_INFO=PID=$pid;CTL=tcp:[\d.:]+;CTL=unix:\Q$dir\E\/synapps\.sock(?:\0|$)/,
        "and what synApps' alive publishes");
    kill 'TERM', $pid;
    ok(wait_for(sub { !PsTest::Proc::alive($pid) }, 10, 'its end'), 'ends');
    ok(!-e $info, 'and its info file with it');
    unlink $path;
};

subtest 'pgrep procServ' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/cat']) or return fail('start');
    like(file_text('/proc/' . $server->pid . '/comm'), qr/procServ/, 'finds procServIoc, too');
    $server->stop;
};

# ---- manage-procs: its launcher's command line, `status` and `attach` ----

subtest "manage-procs' launcher" => sub {
    my $run = "$dir/procserv-ioc1";
    mkdir $_ or die "$_: $!" for $run, "$dir/bin", "$dir/home";
    symlink program(), "$dir/bin/procServ" or die "procServ: $!";
    open(my $script, '>', "$dir/home/st.cmd") or die "st.cmd: $!";
    print $script "#!/bin/sh\nstty raw -echo\necho \"ready \$PROCSERV_NAME \$IOCNAME \$1 \$2\"\nexec cat -v\n";
    close $script;
    chmod 0755, "$dir/home/st.cmd";
    my $server = PsTest::Proc->start(dir => $dir, env => {PATH => "$dir/bin:$ENV{PATH}", PROCSERV_NAME => 'ioc1',
            IOCNAME => 'ioc1', PROCSERV_DEBUG => undef, PROCSERV_PID => undef, EPICS_CAS_INTF_ADDR_LIST => '127.0.0.1',
            EPICS_CAS_AUTO_BEACON_ADDR_LIST => 'NO', EPICS_CAS_BEACON_ADDR_LIST => '127.0.0.1'},
        cmd => ['/bin/sh', '-c', 'exec procServ "$@"', 'sh', '--foreground', '--logfile', '-', '--name', 'ioc1',
            '--ignore', '^D^C^]', '--logoutcmd', '^D', '--chdir', "$dir/home", '--info-file', "$run/info", '--port',
            "unix:$run/control", './st.cmd', 'a b', 'c']);
    ok(wait_for(sub { $server->stdout =~ /ready ioc1 ioc1 a b c/ }, 30, 'the child', sub { $server->stderr }),
        'the child runs in its folder, with its words and its environment; the log is on standard output');
    # status
    my ($first, $last) = (split /\n/, file_text("$run/info"))[0, -1];
    is($first, 'pid:' . $server->pid, 'status: running');
    is($last, "unix:$run/control", 'attach: by this socket');
    my $client = PsTest::Telnet->new($last);
    ok($client->expect(qr/\^D closes this connection|plus you/), 'attached');
    $client->send("x\x03\x1dy\x04");
    ok($client->closed_by_peer(5), '^D detaches');
    my $next = PsTest::Telnet->new($last);
    $next->send("\x05z");
    ok($next->expect(qr/\^Ez/), 'the child runs on');
    ok(wait_for(sub { $server->stdout =~ /\^Ez/ }, 10, 'the log to have it'), 'the log has it');
    like($server->stdout, qr/\nxy\^Ez/, 'and neither ^C nor ^] came to the child');
    is($server->stop, 0, 'systemctl stop: exit code 0');
    ok(!-e "$run/control" && !-e "$run/info", 'nothing is left');
};

done_testing();
