#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The command line as procServ's users know it: texts, exit codes, daemon.  What is expected was
# seen from procServ 2.9; where a procServ is installed, it is asked too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use IO::Socket::INET;
use Test::More;
use PsTest;
use PsTest::Proc;

deadman(120);
needs(-x program(), 'the program ' . program());

my ($theirs) = grep { -x } '/usr/bin/procServ', '/usr/local/bin/procServ';
my $dir = tmpdir();

# Both are started as "procServ", so that their messages can be compared.
sub start {
    my ($path, $args, %o) = @_;
    return PsTest::Proc->start(
        cmd => ['/bin/bash', '-c', 'exec -a procServ "$0" "$@"', $path, @$args],
        env => {PROCSERV_PID => undef, PROCSERV_DEBUG => undef}, %o);
}

sub run {
    my ($path, $args, %o) = @_;
    my $proc = start($path, $args, %o);
    $proc->wait_exit(20) or return;
    return ($proc->exit_code, $proc->stdout, $proc->stderr);
}

my $usage = <<'END';
Usage: procServ [options] -P <endpoint>... <command args ...>    (-h for help)
       procServ [options] <endpoint> <command args ...>
END
my $version = qr/\AprocServ Process Server [\d.]+.*\n\z/;
my $missing = "procServ: missing argument\n";
my $long = 'x' x 108;

# args, exit code, stdout, stderr; theirs => 0 where an older procServ says it otherwise
my @cases = (
    ['-V', 0, $version, ''],
    ['--version --nosuch', 0, $version, ''],
    ['-h', 0, qr/\A\Q$usage\E/, ''],
    ['-z -h', 0, qr/\A\Q$usage\E/, "procServ: invalid option -- 'z'\n"],
    ['', 1, $usage, $missing],
    ['-P 20001', 1, $usage, $missing],
    ['20001', 1, $usage, $missing],
    ['-z 20001 cat', 1, $usage, "procServ: invalid option -- 'z'\n"],
    ['-r 20001 cat', 1, $usage, "procServ: invalid option -- 'r'\n"],
    ['-fz -y 0', 1, $usage,
        "procServ: invalid option -- 'z'\nprocServ: invalid option -- 'y'\n$missing"],
    ['--ki ^X 20001 cat', 1, $usage,
        "procServ: option '--ki' is ambiguous; possibilities: '--killcmd' '--killsig'\n"],
    ['--lo 0 cat', 1, $usage, "procServ: option '--lo' is ambiguous; possibilities: "
        . "'--logport' '--logfile' '--logstamp' '--logoutcmd'\n"],
    ['--nosuch=4 0 cat', 1, $usage, "procServ: unrecognized option '--nosuch=4'\n"],
    ['--no=4 0 cat', 1, $usage,
        "procServ: option '--noautorestart' doesn't allow an argument\n"],
    ['--chdir', 1, $usage, "procServ: option '--chdir' requires an argument\n$missing"],
    ['-f -k', 1, $usage, "procServ: option requires an argument -- 'k'\n$missing"],
    ['-f -5 cat', 1, $usage, "procServ: invalid option -- '5'\n$missing"],
    ['-f 99999 /bin/cat', 1, '', "procServ: invalid control port 99999 (must be <65536)\n",
        theirs => 0],
    ['-f -P 300.1.1.1:99999 /bin/cat', 1, '',
        "procServ: invalid control port 99999 (must be <65536)\n", theirs => 0],
    ['-f abc /bin/cat', 1, '', "Invalid socket spec 'abc'\n"],
    ['-f 0x10 /bin/cat', 1, '', "Invalid socket spec '0x10'\n"],
    ['-f localhost:20001 /bin/cat', 1, '', "Invalid socket spec 'localhost:20001'\n"],
    ['-f unix: /bin/cat', 1, '', "expected unix socket path spec.\n"],
    ['-f unix:a:b:/x /bin/cat', 1, '', "Unix path+permissions spec unparsable 'a:b:/x'\n"],
    ["-f unix:nouser:::$dir/s /bin/cat", 1, '', "Unknown user 'nouser'\n"],
    ["-f unix::nogrp::$dir/s /bin/cat", 1, '', "Unknown group 'nogrp'\n"],
    ['-f unix:::0600: /bin/cat', 1, '', "expected unix socket path spec.\n"],
    ["-f unix:/$long /bin/cat", 1, '', "Unix path is too long (must be <108)\n"],
    ["-f unix:$dir/none/s /bin/cat", 2, '', qr/\nprocServ: Exiting with error code: 2\n\z/],
);

sub is_like {
    my ($got, $expect, $name) = @_;
    return ref $expect ? like($got, $expect, $name) : is($got, $expect, $name);
}

sub compare {
    my ($path, $case) = @_;
    my ($args, $code, $out, $err) = @$case;
    my @got = run($path, [split ' ', $args]);
    is($got[0], $code, "exit code of '$args'");
    is_like($got[1], $out, 'its stdout');
    is_like($got[2], $err, 'its stderr');
}

subtest 'Mistakes are reported as by procServ' => sub {
    compare(program(), $_) for @cases;
};

subtest 'So does the procServ installed here' => sub {
    plan skip_all => 'no procServ to ask: apt-get install procserv' if !$theirs;
    for my $case (@cases) {
        my (undef, undef, undef, undef, %o) = @$case;
        compare($theirs, $case) unless defined $o{theirs} && !$o{theirs};
    }
};

# ---- daemon ----

# Started in the background: what the caller sees, then what it left running.
sub daemon_ok {
    my ($path, $name, $args, $expect_err) = @_;
    my $pid_file = "$dir/pid";
    my ($code, $out, $err) = run($path, ['-p', $pid_file, @$args]);
    # ours is there when the caller goes on, procServ's was not always
    wait_for { -s $pid_file } 5, 'the pid file' if $path ne program();
    my $pid = file_text($pid_file);
    is($code, 0, "$name: exit code 0");
    is($out, '', 'nothing on stdout');
    like($pid, qr/\A\d+\n\z/, 'the pid file is there') or return;
    chomp $pid;
    PsTest::Proc::remember($pid);
    $expect_err =~ s/PID/$pid/;
    is($err, $expect_err, 'stderr');
    my @stat = PsTest::Proc::stat_fields($pid);
    is($stat[3], $pid, 'it leads a session');
    # standard error is let go of right after the caller was told
    wait_for { (PsTest::Proc::fds($pid)->{2} || '') eq '/dev/null' } 5, 'standard error to be let go';
    my $fds = PsTest::Proc::fds($pid);
    is($fds->{$_}, '/dev/null', "descriptor $_ is /dev/null") for 0 .. 2;
    is(readlink "/proc/$pid/cwd", readlink "/proc/$$/cwd", 'in the same directory');
    kill 'TERM', $pid;
    ok(wait_for(sub { !PsTest::Proc::alive($pid) }, 10, 'its end'), 'SIGTERM ends it');
    ok(!-e $pid_file, 'the pid file is gone') or unlink $pid_file;
}

my @daemons = (
    ['without a log', [0, '/bin/sleep', 60], "procServ: spawning daemon process: PID\n"
        . "Warning: No log file and no port for log connections specified.\n"],
    ['with a log port', ['-l', 0, 0, '/bin/sleep', 60],
        "procServ: spawning daemon process: PID\nWarning: No log file specified.\n"],
    ['with a log file', ['-L', "$dir/log", 0, '/bin/sleep', 60],
        "procServ: spawning daemon process: PID\n"],
    ['with -L -', ['-L', '-', 0, '/bin/sleep', 60], "procServ: spawning daemon process: PID\n"],
    ['quiet', ['-q', 0, '/bin/sleep', 60], ''],
);

subtest 'A daemon' => sub {
    daemon_ok(program(), $_->[0], ['--no-ioc', @{$_->[1]}], $_->[2]) for @daemons;
};

subtest 'The daemon of the procServ installed here' => sub {
    plan skip_all => 'no procServ to ask: apt-get install procserv' if !$theirs;
    daemon_ok($theirs, @$_) for @daemons;
};

subtest 'A port in use is an exit code' => sub {
    my $busy = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no port: $!";
    my $port = $busy->sockport;
    for my $args ([$port], ['-f', $port], ['-l', $port, '-P', 0]) {
        my ($code, $out, $err) = run(program(), ['--no-ioc', '--restrict', @$args, '/bin/cat']);
        is($code, 98, "@$args: EADDRINUSE");
        like($err, qr/\A.*Address already in use\nprocServ: Exiting with error code: 98\n\z/, 'reported');
    }
};

# ---- in the foreground ----

subtest 'The exit code of a oneshot is the child\'s' => sub {
    for my $case (['exit 0', 0], ['exit 3', 3], ['kill -SEGV $$', 139]) {
        my ($code, $out, $err) = run(program(),
            ['--no-ioc', qw(-f -o --holdoff 0 0 /bin/sh -c), $case->[0]]);
        is($code, $case->[1], $case->[0]);
        is("$out$err", '', 'nothing is printed');
    }
    my ($code, $out) = run(program(),
        ['--no-ioc', qw(-f -o -L - 0 /bin/echo hello)]);
    like($out, qr/\A\@\@\@ Restarting child .*\nhello\r\n.*oneshot mode: server will exit\r\n\z/s,
        '-L - logs to stdout');
};

subtest 'Debug mode shows the console' => sub {
    for my $how ('-d', 'PROCSERV_DEBUG') {
        my ($code, $out) = run(program(),
            ['--no-ioc', $how eq '-d' ? '-d' : (), qw(-o 0 /bin/echo hello)],
            env => {PROCSERV_DEBUG => $how eq '-d' ? undef : ''});
        is($code, 0, $how);
        like($out, qr/hello\r\n/, 'console traffic is on stdout');
    }
};

subtest 'Signals in the foreground' => sub {
    for my $case (['-f', 'INT', 1], ['-f', 'QUIT', 1], ['-d', 'USR1', 1], ['-d', 'INT', 0],
        ['-d', 'QUIT', 0], ['-f', 'TERM', 0]) {
        my ($option, $signal, $survives) = @$case;
        my $proc = start(program(), ['--no-ioc', $option, '-I', "$dir/info", 0, '/bin/sleep', 60]);
        wait_for { -e "$dir/info" } 10, 'the info file';
        $proc->signal($signal);
        if ($survives) {
            ok(stays(sub { $proc->running }, 0.3, 'it runs'), "$option: survives $signal");
        }
        is($survives ? $proc->stop : $proc->wait_exit(10) && $proc->exit_code, 0, "$option: ends well");
        ok(!-e "$dir/info", 'the info file is gone');
    }
};

subtest 'The child gets our environment and PROCSERV_INFO, nothing of Base' => sub {
    my $proc = PsTest::Proc->start(cmd => ['/usr/bin/env', '-i', 'A=1', 'PWD=/nowhere', program(),
            '--no-ioc', qw(-f -o -L - 0 /usr/bin/env)]);
    $proc->wait_exit(10);
    my @vars = sort $proc->stdout =~ /^(\w+=.*?)\r$/mg;
    is_deeply([map { s/^(PROCSERV_INFO)=PID=\d+;CTL=tcp:127.0.0.1:\d+$/$1/r } @vars],
        ['A=1', 'PROCSERV_INFO', 'PWD=/nowhere'], 'exactly');
};

subtest 'Started without standard descriptors' => sub {
    my $proc = PsTest::Proc->start(cmd => ['/bin/bash', '-c', 'exec "$0" "$@" <&- >&- 2>&-',
            program(), '--no-ioc', '-f', '-I', "$dir/info", 0, '/bin/sleep', 60]);
    wait_for { -s "$dir/info" } 10, 'the info file';
    my $fds = PsTest::Proc::fds($proc->pid);
    is($fds->{$_}, '/dev/null', "descriptor $_") for 0 .. 2;
    is($proc->stop, 0, 'ends well');
};

subtest 'A file that can\'t be written does not stop it' => sub {
    my ($code, $out, $err) = run(program(),
        ['--no-ioc', qw(-f -o -p /nonexistent/pid -I /nonexistent/info 0 /bin/true)]);
    is($code, 0, 'exit code');
    is($err, "procServ: unable to open PID file /nonexistent/pid\n"
        . "procServ: unable to write info file /nonexistent/info: No such file or directory\n", 'reported');
    symlink "$dir/victim", "$dir/link";
    ($code, $out, $err) = run(program(), ['--no-ioc', qw(-f -o -p), "$dir/link", qw(0 /bin/true)]);
    like($err, qr/unable to open PID file/, 'a symbolic link is not followed');
    ok(!-e "$dir/victim", 'not even created');
};

subtest 'PROCSERV_PID' => sub {
    my $proc = start(program(), ['--no-ioc', '-f', 0, '/bin/sleep', 60],
        env => {PROCSERV_PID => "$dir/envpid"});
    ok(wait_for(sub { file_text("$dir/envpid") eq $proc->pid . "\n" }, 10, 'the pid file'), 'names it');
    $proc->stop;
    ok(!-e "$dir/envpid", 'and goes with it');
};

subtest '--check starts nothing and says what is wrong' => sub {
    my ($code, $out, $err) = run(program(), ['--no-ioc', '--check', '-c', '/', 0, '/bin/cat']);
    is($code, 0, 'good') or diag($out, $err);
    unlike($out, qr/^bad/m, 'nothing is bad');
    my $busy = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no port: $!";
    for my $case (
        [['0', '/no/such'], qr{/no/such}],
        [['-c', '/no/dir', 0, '/bin/cat'], qr{/no/dir}],
        [['-L', '/', 0, '/bin/cat'], qr{log file /: Is a directory}],
        [[$busy->sockport, '/bin/cat'], qr/Address already in use/],
        [['-p', '/no/dir/pid', 0, '/bin/cat'], qr{pid file /no/dir/pid: No such file}],
        [['abc', '/bin/cat'], qr/Invalid socket spec 'abc'/],
    ) {
        ($code, $out, $err) = run(program(), ['--no-ioc', '--check', @{$case->[0]}]);
        is($code, 1, "bad: @{$case->[0]}") or diag($out, $err);
        like($out, qr/^bad .*$case->[1]/m, 'reported');
    }
};

done_testing();
