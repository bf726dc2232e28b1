#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What the system refuses: --check says so before a start meets it, and a start names the call.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(mkfifo);
use Test::More;
use PsTest;
use PsTest::Proc;

deadman(120);
needs(!is_procserv() && -x program(), 'our program');

my $dir = tmpdir();
my $count = 0;

# The program with a log, by way of another command that withholds something from it.
sub begin {
    my ($by, $log, @args) = @_;
    return PsTest::Proc->start(
        cmd => [@$by, program(), '--no-ioc', '-f', '-n', 'c', '-L', $log, @args,
            "unix:$dir/socket" . ++$count, '/bin/cat'],
        env => {PROCSERV_PID => undef, PROCSERV_DEBUG => undef});
}

# Exit code and output of --check.
sub checked {
    my ($by, $log) = @_;
    my $proc = begin($by, $log, '--check');
    $proc->wait_exit(20) or return (-1, '');
    return ($proc->exit_code, $proc->stdout);
}

# What the log says of a start; @_ is the command that withholds something.
sub says_in_log {
    my ($by, $text) = @_;
    my $log = "$dir/log$count";
    my $proc = begin($by, $log);
    ok((wait_for { file_text($log) =~ $text } 20, "$text", sub { file_text($log) . $proc->stderr }),
        'a start names the call that was refused');
    $proc->stop;
}

sub refused {
    my ($by, $text) = @_;
    my ($code, $out) = checked($by, "$dir/unused");
    is($code, 1, '--check fails') or diag $out;
    like($out, qr/^bad  start: $text$/m, 'and says why');
    says_in_log($by, qr/^c?.*cannot start child: $text\r$/m);
    ok(!-e "$dir/unused", 'no log was made by --check');
}

subtest 'nothing is refused' => sub {
    my ($code, $out) = checked([], "$dir/good");
    is($code, 0, 'good') or diag $out;
    like($out, qr/^good log file: \Q$dir\E\/good$/m, 'the log, too');
    ok(!-e "$dir/good", 'which was not made');
};

subtest 'pidfd_open() is refused' => sub {
    my $deny = PsTest::built('psTestDeny', 'tests/childprog/O.ARCH') or die 'psTestDeny is not built';
    plan(skip_all => 'no filter of system calls here') if system($deny, 'pidfd', '/bin/true');
    refused([$deny, 'pidfd'], qr/cannot watch a process: pidfd_open: Operation not permitted/);
};

subtest 'there are no terminals' => sub {
    my @hide = ('unshare', '-m', '/bin/sh', '-c', 'mount -t tmpfs none /dev/pts && exec "$@"', 'x');
    plan(skip_all => 'the mounts of this process cannot be changed')
        if system("@hide[0..3] 'mount -t tmpfs none /dev/pts' 2>/dev/null");
    refused(\@hide, qr/cannot open a pseudo terminal: \w[\w ]*: \w[\w \/]*/);
};

subtest 'a log that a start could not open' => sub {
    mkfifo("$dir/fifo", 0600) or die "$dir/fifo: $!";
    my @cases = (
        ['fifo', qr/a FIFO that nobody reads/],
        ['no/such/log', qr/No such file or directory/],
        ['.', qr/Is a directory/],
    );
    if ($> == 0) {
        mkdir "$dir/theirs" or die "$dir/theirs: $!";
        symlink("$dir/victim", "$dir/theirs/link") or die "$dir/theirs/link: $!";
        system('chown', '-h', 'nobody', "$dir/theirs/link") == 0 or die 'chown';
        push @cases, ['theirs/link', qr/a symbolic link of another user/];
    } else {
        mkdir "$dir/closed", 0500 or die "$dir/closed: $!";
        push @cases, ['closed/log', qr/Permission denied/];
    }
    for my $case (@cases) {
        my ($log, $text) = @$case;
        my ($code, $out) = checked([], "$dir/$log");
        is($code, 1, "--check of $log fails") or diag $out;
        like($out, qr/^bad  log file \Q$dir\/$log\E: .*$text/m, 'and says why');
        my $proc = begin([], "$dir/$log");
        my $told = qr/: unable to open log file \Q$dir\/$log\E\n.*: log file \Q$dir\/$log\E: .*$text/;
        ok((wait_for { $proc->stderr =~ $told } 20, "$told", sub { $proc->stderr }),
            'as a start does');
        $proc->stop;
    }
    ok(!-e "$dir/victim", 'the target of a link that is not followed is not made');
};

# A port of 127.0.0.1 that nobody has.
sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no port: $!";
    return $socket->sockport;
}

sub check {
    my @args = @_;
    my $proc = PsTest::Proc->start(cmd => [program(), '--check', @args]);
    $proc->wait_exit(60);
    return ($proc->exit_code, $proc->stdout);
}

subtest 'two that ask for one endpoint' => sub {
    my $port = free_port();
    my ($code, $out) = check('--no-ioc', '-n', 'T', '-P', $port, '-P', $port, '/bin/cat');
    is($code, 1, 'one child that asks twice') or diag($out);
    like($out, qr/^bad +control endpoint tcp:127\.0\.0\.1:$port: already used by "T"$/m, 'reported');
    ($code, $out) = check('--no-ioc', '-n', 'T', '--restrict', '-P', $port, '-l', 0, '-P', 0, '/bin/cat');
    is($code, 0, 'any free port is another one each time') or diag($out);

    my $script = "$dir/two.cmd";
    my $dead = IO::Socket::UNIX->new(Local => "$dir/dead", Listen => 1) or die "$dir/dead: $!";
    close $dead;
    for my $case ([$port, "control endpoint tcp:127.0.0.1:$port"], ["unix:$dir/s", "control endpoint unix:$dir/s"],
        ["unix:$dir/dead", "control endpoint unix:$dir/dead"]) {
        my ($spec, $name) = @$case;
        open(my $file, '>', $script) or die "$script: $!";
        print $file "procServAdd one -P $spec /bin/cat\nprocServAdd two -P $spec /bin/cat\n";
        close $file or die "$script: $!";
        ($code, $out) = check('--script', $script);
        is($code, 1, "two children of a script: $spec") or diag($out);
        like($out, qr/^bad +\Q$name\E: already used by "one"$/m, 'reported');
    }
    open(my $file, '>', $script) or die "$script: $!";
    print $file "procServAdd two -P $port /bin/cat\n";
    close $file or die "$script: $!";
    ($code, $out) = check('--script', $script, '-n', 'T', '-P', $port, '/bin/cat');
    is($code, 1, 'the child of the command line and one of the script') or diag($out);
    like($out, qr/^bad +control endpoint tcp:127\.0\.0\.1:$port: Address already in use$/m, 'reported');
    ok(!-e "$dir/s", 'no socket is left');
};

subtest 'a child whose log is the own log' => sub {
    my ($code, $out) = check('--no-ioc', '-P', 0, '--own-log', "$dir/one.log", '-L', "$dir/one.log", '/bin/cat');
    is($code, 1, 'that of the command line') or diag($out);
    like($out, qr/^bad +log file \Q$dir\E\/one\.log: it is the own log already$/m, 'reported');
    ($code, $out) = check('--no-ioc', '-P', 0, '--own-log', "$dir/one.log", '-L', "$dir/two.log", '/bin/cat');
    is($code, 0, 'two files are two logs') or diag($out);
    my $script = "$dir/own.cmd";
    open(my $file, '>', $script) or die "$script: $!";
    print $file "procServAdd one \"-P 0 -L $dir/one.log /bin/cat\"\n";
    close $file or die "$script: $!";
    ($code, $out) = check('--script', $script, '-L', "$dir/one.log");
    is($code, 1, 'one of a script') or diag($out);
    like($out, qr/^bad +log file \Q$dir\E\/one\.log: it is the own log already$/m, 'reported');
};

subtest 'a script whose interpreter is not there' => sub {
    open(my $out, '>', "$dir/st.cmd") or die "$dir/st.cmd: $!";
    print $out "#! /no/such/softIoc -x\n";
    close $out;
    chmod 0755, "$dir/st.cmd";
    my $check = PsTest::Proc->start(cmd => [program(), '--check', '--no-ioc', '-P', 0, "$dir/st.cmd"]);
    ok($check->wait_exit(20) && $check->exit_code == 1, '--check fails');
    like($check->stdout, qr{^bad  command: cannot execute \Q$dir\E/st\.cmd: its interpreter /no/such/softIoc: No such file}m,
        'and names the interpreter');
    open($out, '>', "$dir/dos.cmd") or die "$dir/dos.cmd: $!";
    print $out "#!/bin/sh\r\ntrue\r\n";
    close $out;
    chmod 0755, "$dir/dos.cmd";
    $check = PsTest::Proc->start(cmd => [program(), '--check', '--no-ioc', '-P', 0, "$dir/dos.cmd"]);
    ok($check->wait_exit(20) && $check->exit_code == 1, '--check fails for one with CR LF');
    like($check->stdout, qr{: its interpreter /bin/sh: the line ends in CR LF}, 'and says so');
};

subtest 'watchdogs' => sub {
    my $check = sub {
        my $proc = PsTest::Proc->start(cmd => [program(), '--check', '--no-ioc', '-P', 0, @_, '/bin/cat']);
        $proc->wait_exit(20);
        return ($proc->exit_code, $proc->stdout . $proc->stderr);
    };
    my ($code, $out) = $check->('--silent-after', 10, '--hung-action', 'restart',
        '--hung-command', 'gcore $PS_PID', '--event-command', 'mail -s "$PS_EVENT" me');
    is($code, 0, 'good') or diag($out);
    like($out, qr/^good hung command: gcore \$PS_PID$/m, 'the hung command is shown');
    like($out, qr/^good event command: mail -s "\$PS_EVENT" me$/m, 'the event command, too');
    open(my $plain, '>', "$dir/plain.sh") or die "$dir/plain.sh: $!";
    close $plain;
    for my $case (["$dir/none.sh now", 'No such file'], ["  $dir/plain.sh", 'Permission denied']) {
        my ($command, $reason) = @$case;
        ($code, $out) = $check->('--event-command', $command, '--silent-after', 1, '--hung-action', 'restart',
            '--hung-command', $command);
        is($code, 1, "$command is bad") or diag($out);
        like($out, qr/^bad +$_ command: cannot execute \S+: $reason/m, "as $_ command") for qw(hung event);
    }
    chmod 0755, "$dir/plain.sh" or die "$dir/plain.sh: $!";
    for my $command ("$dir/plain.sh; $dir/none.sh", '$HOME/none.sh', 'X=/none true', '( /none )') {
        ($code, $out) = $check->('--event-command', $command);
        is($code, 0, "$command is not judged") or diag($out);
    }
    for my $bad (
        [['--hung-action', 'restart'], qr/hung-action: nothing finds out that it is hung/],
        [['--silent-after', 1, '--hung-command', 'x'], qr/hung-command: it runs before a restart/],
        [['--ready-action', 'restart'], qr/ready-action: no rule says when it is ready; give --ready-/],
        [['--ready-timeout', 9], qr/ready-timeout: no rule says when it is ready; give --ready-/],
        [['--ready-match', '', '--ready-timeout', 9], qr/ready-timeout: no rule says when/],
        [['--watch-after', 1], qr/watch-after: of which PV\? Give --watch-pv, too/],
        [['--watch-pv', 'a', '--watch-after', 1], qr/watch-pv: needs the IOC that --no-ioc/],
        [['--silent-after', 'x'], qr/silent-after: 'x' must be a number of seconds/],
        [['--silent-after', 1, '--hung-action', 'stop'], qr/hung-action: 'stop' must be alarm or/],
    ) {
        ($code, $out) = $check->(@{$bad->[0]});
        is($code, 1, "bad: @{$bad->[0]}");
        like($out, $bad->[1], 'and says what is wrong');
    }
};

subtest 'a link of another user in the place of a log that is open' => sub {
    plan(skip_all => 'only root can make one') if $> != 0;
    mkdir "$dir/place" or die "$dir/place: $!";
    my $proc = begin([], "$dir/place/log");
    ok((wait_for { file_text("$dir/place/log") =~ /PID of new child/ } 20, 'the log'), 'it is open');
    rename "$dir/place/log", "$dir/place/old" or die "rename: $!";
    symlink("$dir/victim2", "$dir/place/log") or die "symlink: $!";
    system('chown', '-h', 'nobody', "$dir/place/log") == 0 or die 'chown';
    $proc->signal('HUP');
    ok((wait_for { $proc->stderr =~ /log file \Q$dir\E\/place\/log: it is a symbolic link of another user/ } 20,
            'the line about it', sub { $proc->stderr }), 'SIGHUP reports it');
    ok(!-e "$dir/victim2", 'and does not follow it');
    ok((wait_for { file_text("$dir/place/old") =~ /symbolic link of another user/ } 20, 'the old file'),
        'the old file is written on');
    $proc->stop;
};

done_testing();
