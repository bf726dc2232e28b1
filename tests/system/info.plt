#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What others find us by: endpoints, info file, pid file, PROCSERV_INFO, unix sockets.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Errno qw(EADDRINUSE EEXIST ENOENT);
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use PsTest;
use PsTest::Server;

deadman(180);
needs(-x program(), 'the program ' . program());

my $dir = tmpdir();

sub mode_of { return sprintf '%04o', (lstat $_[0])[2] & 07777; }

# A child that prints the variable, then waits.
my @tell = ('/bin/sh', '-c', 'echo "[$PROCSERV_INFO]"; exec cat');

subtest 'Info file and PROCSERV_INFO name all endpoints' => sub {
    my $abstract = "psTest-$$";
    my $server = PsTest::Server->start(
        args => ['-P', "unix:$dir/s1", '-P', "unix:\@$abstract", '-l', '127.0.0.1:0', '-P', '0'],
        port => undef, cmd => \@tell) or return fail('start');
    my @endpoints = $server->endpoints;
    is(@endpoints, 4, 'four of them');
    like($endpoints[0], qr/^tcp:127\.0\.0\.1:[1-9]\d*$/, 'the log endpoint first, its real port');
    like($endpoints[1], qr/^tcp:127\.0\.0\.1:[1-9]\d*$/,
        'then the control endpoints, the last first');
    is_deeply([@endpoints[2, 3]], ["unix:\@$abstract", "unix:$dir/s1"], 'to the first');
    is(file_text($server->info_file),
        join('', map { "$_\n" } 'pid:' . $server->pid, @endpoints), 'nothing else but the pid');
    for my $endpoint (@endpoints) {
        my $client = $server->console(endpoint => $endpoint);
        ok($client && $client->is_open, "$endpoint answers");
        $client->close if $client;
    }
    SKIP: {
        skip('procServ 2.7 has no PROCSERV_INFO', 1) if is_procserv();
        my $expect = join ';', 'PID=' . $server->pid, "LOG=$endpoints[0]",
            map { "CTL=$_" } @endpoints[1 .. 3];
        ok((wait_for { index($server->log_text, "[$expect]\r\n") >= 0 } 10, "[$expect] in the log",
            sub { $server->log_text }), 'the child has it in PROCSERV_INFO');
    }
    $server->stop;
    ok(!-e $server->info_file, 'no info file at the end');
};

subtest 'Pid file' => sub {
    plan(skip_all => 'procServ 2.7 writes none with -f') if is_procserv();
    my $server = PsTest::Server->start(args => ['-p', "$dir/pid"], cmd => ['/bin/cat'])
        or return fail('start');
    ok((wait_for { file_text("$dir/pid") eq $server->pid . "\n" } 10, 'the pid in the pid file'),
        'holds the pid');
    $server->stop;
    ok(!-e "$dir/pid", 'is removed at the end');

    $server = PsTest::Server->start(env => {PROCSERV_PID => "$dir/pid2"}, cmd => ['/bin/cat'])
        or return fail('start');
    ok((wait_for { file_text("$dir/pid2") eq $server->pid . "\n" } 10, 'the pid in the pid file'),
        'PROCSERV_PID names it, too');
    $server->stop;

    $server = PsTest::Server->start(args => ['-p', "$dir/no/such/pid"], cmd => ['/bin/cat'])
        or return fail('start');
    ok($server->running, 'one that cannot be written ends nothing');
    like($server->stderr, qr/unable to open PID file \Q$dir\E\/no\/such\/pid/, 'but is reported');
    $server->stop;
};

# A second server with the same pid file, in the foreground.
sub second {
    my (@args) = @_;
    return PsTest::Proc->start(
        cmd => [program(), '-f', '--no-ioc', '-p', "$dir/locked", @args, '-P', 0, '/bin/cat']);
}

subtest 'One server per pid file' => sub {
    plan(skip_all => 'procServ overwrites it') if is_procserv();
    my $server = PsTest::Server->start(args => ['-p', "$dir/locked"], cmd => ['/bin/cat'])
        or return fail('start');
    my $text = $server->pid . "\n";
    my $refused = "PID file $dir/locked belongs to process " . $server->pid . ', which runs';
    my $second = second('-I', "$dir/second.info");
    ok($second->wait_exit(20), 'a second one ends');
    is($second->exit_code, EADDRINUSE, 'with EADDRINUSE');
    is($second->stderr, program() . ": $refused\n", 'and one line says which process has it');
    my $daemon = PsTest::Proc->start(
        cmd => [program(), '--no-ioc', '-p', "$dir/locked", '-P', 0, '/bin/cat']);
    ok($daemon->wait_exit(20), 'so does a daemon');
    is($daemon->exit_code, EADDRINUSE, 'with the same code');
    my $check = second('--check');
    ok($check->wait_exit(20) && $check->exit_code == 1, '--check finds it');
    like($check->stdout, qr/^bad  pid file \Q$dir\E\/locked: it belongs to process ${\$server->pid}/m,
        'and names the process');
    is(file_text("$dir/locked"), $text, 'the file is the first one\'s');
    my $info = PsTest::Proc->start(
        cmd => [program(), '-f', '--no-ioc', '-I', $server->info_file, '-P', 0, '/bin/cat']);
    ok((wait_for { $info->stderr =~ /info file .* belongs to process/ } 20,
            'the line about the info file'), 'a second one with the same info file says so');
    like(file_text($server->info_file), qr/^pid:${\$server->pid}\n/, 'and leaves it alone');
    is($info->stop, 0, 'but runs');
    ok(-e $server->info_file, 'its end does not remove it either');
    $server->stop;
    ok(!-e "$dir/locked", 'the first one removes its file');
};

subtest 'A pid file whose server was killed' => sub {
    plan(skip_all => 'procServ overwrites it') if is_procserv();
    my $server = PsTest::Server->start(args => ['-p', "$dir/locked"], cmd => ['/bin/cat'])
        or return fail('start');
    PsTest::Proc::remember($server->wait_child(1));
    $server->signal('KILL');
    $server->wait_exit(10);
    ok(-e "$dir/locked", 'stays');
    my $next = second();
    ok((wait_for { file_text("$dir/locked") eq $next->pid . "\n" } 10, 'the new pid'),
        'and is taken over');
    is($next->stop, 0, 'by a server that runs');
};

subtest 'A restart in the same instant' => sub {
    plan(skip_all => 'procServ overwrites it') if is_procserv();
    # It takes a second to stop: SIGTERM is ignored, then the grace is over.
    my $server = PsTest::Server->start(
        args => ['-p', "$dir/locked", '--grace', 1, '--killsig', 'TERM'],
        cmd => ['/bin/sh', '-c', 'trap "" TERM; echo ready; exec sleep 1000'])
        or return fail('start');
    $server->log_text(qr/^ready\r?$/m);
    my ($endpoint) = ($server->endpoints)[-1] =~ /^tcp:(.*)/;
    $server->signal('TERM');
    my $next = PsTest::Proc->start(
        cmd => [program(), '-f', '--no-ioc', '-p', "$dir/locked", '-P', $endpoint, '/bin/cat']);
    ok($server->wait_exit(20), 'the first one ends');
    ok((wait_for { file_text("$dir/locked") eq $next->pid . "\n" } 10, 'the pid of the second',
            sub { $next->stderr }),
        'the second one waits for it, and gets file and port');
    is($next->stop, 0, 'and runs');

    $server = PsTest::Server->start(args => ['-p', "$dir/locked"], cmd => ['/bin/cat'])
        or return fail('start');
    my $waiting = second();
    $waiting->signal('TERM');
    ok($waiting->wait_exit(20), 'SIGTERM ends one that waits');
    is($server->stop, 0, 'and the first one is not concerned');
};

subtest 'A daemon holds nothing that it inherited' => sub {
    pipe(my $read, my $write) or die "pipe: $!";
    my $pid = fork;
    if (!$pid) {
        # descriptors above 2, as a cron job has them
        POSIX::dup2(fileno $write, $_) for 3, 7, 200;
        open(STDIN, '<', '/dev/null');
        open(STDERR, '>', "$dir/daemon.err");
        my @cmd = (program(), is_procserv() ? () : '--no-ioc', '-q', '-p', "$dir/daemon.pid",
            '-P', 0, '/bin/cat');
        exec {$cmd[0]} @cmd or POSIX::_exit(127);
    }
    close $write;
    waitpid $pid, 0;
    is($?, 0, 'it starts');
    ok((wait_for { file_text("$dir/daemon.pid") =~ /\d\n/ } 10, 'the pid file'), 'has its pid');
    my ($daemon) = file_text("$dir/daemon.pid") =~ /(\d+)/;
    PsTest::Proc::remember($daemon);
    SKIP: {
        skip('procServ keeps them', 1) if is_procserv();
        my $gone = wait_for {
            vec(my $bits = '', fileno $read, 1) = 1;
            select($bits, undef, undef, 0) && !sysread($read, my $byte, 1);
        } 10, 'the end of the pipe', sub { explain(PsTest::Proc::fds($daemon)) };
        ok($gone, 'the pipe is closed while it runs');
    }
    kill 'TERM', $daemon;
    ok((wait_for { !PsTest::Proc::alive($daemon) } 10, 'the end of the daemon'), 'it ends');
};

subtest 'Found by the name of procServ' => sub {
    mkdir "$dir/bin" or die "mkdir: $!";
    symlink program(), "$dir/bin/procServ" or die "symlink: $!";
    my @no_ioc = is_procserv() ? () : '--no-ioc';
    my @shown = grep { -x "/usr/bin/$_->[0]" || -x "/bin/$_->[0]" }
        (['pgrep', '-x', 'procServ'], ['pidof', 'procServ'], ['killall', '-v', '-0', 'procServ']);
    for my $ioc (\@no_ioc, is_procserv() ? () : ['--ioc-env', 'EPICS_IOC_IGNORE_SERVERS=rsrv qsrv']) {
        my $start = PsTest::Proc->start(cmd => ["$dir/bin/procServ", @$ioc, '-q', '-p',
                "$dir/named.pid", '-P', 0, '/bin/cat']);
        ok($start->wait_exit(40), "@$ioc: a daemon starts");
        ok((wait_for { file_text("$dir/named.pid") =~ /\d\n/ } 10, 'the pid file'), 'it has a pid');
        my ($pid) = file_text("$dir/named.pid") =~ /(\d+)/;
        PsTest::Proc::remember($pid);
        is(file_text("/proc/$pid/comm"), "procServ\n", 'its name is procServ');
        for my $tool (@shown) {
            my $found = PsTest::Proc->start(cmd => $tool);
            $found->wait_exit(20);
            like($found->stdout . $found->stderr, qr/\b$pid\b/, "@$tool finds it");
        }
        kill 'TERM', $pid;
        wait_for { !PsTest::Proc::alive($pid) } 20, 'the end';
    }
    unlink "$dir/bin/procServ";
};

subtest 'Unix sockets: permissions' => sub {
    for my $case (["unix:$dir/m1", "$dir/m1", '0666'], ["unix:::0600:$dir/m2", "$dir/m2", '0600']) {
        my ($spec, $path, $mode) = @$case;
        my $server = PsTest::Server->start(
            args => ['-P', $spec], port => undef, cmd => ['/bin/cat'])
            or return fail('start');
        is(mode_of($path), $mode, "$spec has mode $mode");
        is(($server->endpoints)[0], "unix:$path", 'the info file leaves the permissions out');
        $server->stop;
        ok(is_procserv() || !-e $path, 'it is gone at the end');
    }
};

subtest 'Unix sockets: what is at the path' => sub {
    plan(skip_all => 'procServ removes whatever is there') if is_procserv();
    my $path = "$dir/path";
    my $dead = IO::Socket::UNIX->new(Local => $path, Listen => 1);
    close $dead;
    ok(-S $path, 'a dead socket is there');
    my $server = PsTest::Server->start(
        args => ['-P', "unix:$path"], port => undef, cmd => ['/bin/cat'])
        or return fail('start');
    my $client = $server->console;
    ok($client, 'it is replaced');

    my $second = PsTest::Proc->start(
        cmd => [program(), '-f', '--no-ioc', '-P', "unix:$path", '/bin/cat']);
    ok($second->wait_exit(10), 'a second program on a live one ends');
    is($second->exit_code, EADDRINUSE, 'with EADDRINUSE');
    isnt($second->stderr, '', 'and says why');
    $client->send("still here\r");
    ok($client->expect(qr/still here\r\nstill here\r\n/), 'the first works on');
    my $another = $server->console;
    ok($another, 'and can be reached');
    $server->stop;

    open(my $file, '>', $path) or die "$path: $!";
    print $file "precious\n";
    close $file;
    my $third = PsTest::Proc->start(
        cmd => [program(), '-f', '--no-ioc', '-P', "unix:$path", '/bin/cat']);
    ok($third->wait_exit(10), 'on another file it ends');
    is($third->exit_code, EEXIST, 'with EEXIST');
    is(file_text($path), "precious\n", 'and leaves it alone');
};

subtest 'Endpoints that cannot be opened' => sub {
    my $server = PsTest::Server->start(cmd => ['/bin/cat']) or return fail('start');
    my ($port) = ($server->endpoints)[0] =~ /:(\d+)$/;
    my @no_ioc = is_procserv() ? () : '--no-ioc';
    my $log = tmpdir() . '/started';
    for my $case (
        [$port, EADDRINUSE, 'a port in use'],
        ["unix:$dir/no/such/socket", ENOENT, 'a directory that is not there'],
        ['no-endpoint', 1, 'no endpoint at all'],
        ['70000', 1, 'a port too large'],
        ) {
        my ($spec, $code, $name) = @$case;
        my $other = PsTest::Proc->start(
            cmd => [program(), '-f', @no_ioc, '-P', $spec,
                '/bin/sh', '-c', "echo >$log; exec cat"]);
        ok($other->wait_exit(10), "$name ends the program");
        is($other->exit_code, $code, "with code $code");
        isnt($other->stderr, '', 'and says why');
    }
    ok(!-e $log, 'no child was started');
    $server->stop;
};

done_testing();
