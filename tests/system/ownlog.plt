#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The log of procServIoc itself, and what Base prints: it never gets into what children print.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Fcntl;
use POSIX ();
use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::PV;
use PsTest::Server;
use PsTest::Telnet;

deadman(240);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
my $dir = tmpdir();
my $stamp = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /;

sub script {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$dir/$name: $!";
    print $out $text;
    close $out or die "$dir/$name: $!";
    return "$dir/$name";
}

# Wait until the file has what is looked for.
sub logged {
    my ($file, $pattern, $what) = @_;
    return ok((wait_for { file_text($file) =~ $pattern } 30, "$pattern in $file",
            sub { file_text($file) }), $what);
}

my $script = script('host.cmd', <<"END");
procServAdd a "-P 0 -L $dir/a.log -- /bin/cat"
no_such_command
procServAdd b "-P 0 -L /no/such/log -- /bin/cat"
dbLoadRecords("@{[top_dir()]}/db/psChild.template", "P=OL:PS:,CHILD=a")
iocInit
dbpf OL:PS:Restart.DISP 1
END

subtest 'A daemon with a script' => sub {
    my $start = PsTest::Proc->start(cmd => [program(), $ports->ours, '-q', '-p', "$dir/pid",
            '--script', $script, '-L', "$dir/own.log"]);
    ok($start->wait_exit(40), 'it starts');
    is($start->exit_code, 0, 'well');
    my ($pid) = file_text("$dir/pid") =~ /(\d+)/;
    PsTest::Proc::remember($pid);
    logged("$dir/own.log", qr/^$stamp.*by procServIoc .*: process $pid starts, with script \Q$script\E$/m,
        'version, pid and script');
    logged("$dir/own.log", qr/^$stamp.*host\.cmd line 2: Command no_such_command not found/m,
        'an error of the script');
    logged("$dir/own.log", qr{^$stamp.*unable to open log file /no/such/log$}m,
        'a log that cannot be opened');
    logged("$dir/own.log", qr/^${stamp}the PVs are served/m, 'the start of its IOC');

    rename "$dir/own.log", "$dir/own.1" or die "rename: $!";
    kill 'HUP', $pid;
    ok((wait_for { -e "$dir/own.log" } 10, 'a new file'), 'SIGHUP opens it again');
    unlink "$dir/a.log";
    mkdir "$dir/a.log";
    kill 'HUP', $pid;
    tool('caput', '-c', '-w', 20, 'OL:PS:Restart', 1);
    logged("$dir/own.log", qr/^${stamp}a: put by .* refused: the record is disabled \(DISP\)$/m,
        'a put that was refused');
    kill 'TERM', $pid;
    logged("$dir/own.log", qr/^${stamp}ending: SIGTERM\n(.*\n)*${stamp}all children are down; exit code 0$/m,
        'why it ends, and with which code');
    ok((wait_for { !PsTest::Proc::alive($pid) } 20, 'the end'), 'it ends');
    my @bare = grep { !/^$stamp/ } split /\n/, file_text("$dir/own.1") . file_text("$dir/own.log");
    is_deeply(\@bare, [], 'every line has the time before it');
};

subtest 'In the foreground' => sub {
    my $server = PsTest::Server->start(ioc => 1, name => 'OWN', cmd => ['/bin/cat'],
        args => [$ports->ours, '--own-log', "$dir/fg.log"]) or return fail('start');
    logged("$dir/fg.log", qr/^${stamp}the PVs are served/m, 'the IOC serves');
    is($server->stop, 0, 'it ends');
    logged("$dir/fg.log", qr/^${stamp}ending: SIGTERM$/m, 'by SIGTERM');
};

subtest 'A log of a child that fails' => sub {
    plan(skip_all => 'no /dev/full') if !-c '/dev/full';
    symlink '/dev/full', "$dir/full" or die "symlink: $!";
    my $server = PsTest::Server->start(name => 'F', log => 0, cmd => ['/bin/cat'],
        args => ['-L', "$dir/full", '--own-log', "$dir/full.own"]) or return fail('start');
    logged("$dir/full.own", qr/^${stamp}procServ: F: log file \Q$dir\E\/full: No space left/m,
        'lost');
    is($server->stop, 0, 'it ends');
};

subtest 'One that cannot be opened' => sub {
    my $server = PsTest::Server->start(
        name => 'N', cmd => ['/bin/cat'], args => ['--own-log', "$dir/no/such"])
        or return fail('start');
    ok((wait_for { $server->stderr =~ m{: unable to open log file \Q$dir\E/no/such\n} } 10,
            'the line', sub { $server->stderr }), 'is reported');
    is($server->stop, 0, 'and ends nothing');
    my $check = PsTest::Proc->start(cmd => [program(), '--check', '--no-ioc', '--own-log',
            "$dir/no/such", '-P', 0, '/bin/cat']);
    ok($check->wait_exit(20) && $check->exit_code == 1, '--check finds it');
    like($check->stdout, qr{^bad  own log \Q$dir\E/no/such: No such file}m, 'and says why');
};

subtest 'Base prints into no output of a child' => sub {
    # On one port: the second PVA server has to take another, and says so on standard output.
    my $first = PsTest::Server->start(ioc => 1, name => 'A1', cmd => ['/bin/cat'], args => [$ports->ours])
        or return fail('start');
    ok((wait_for { (tool('pvget', '-w', 5, 'A1:PS:Pid'))[0] == 0 } 30, 'its PVs'), 'one serves');
    for my $own ([], ['--own-log', "$dir/noise.own"]) {
        my $second = PsTest::Proc->start(cmd => [program(), $ports->ours, '-f', '-L', '-',
                '--logstamp=LOG ', '-n', 'B1', @$own, '-P', 0, '/bin/cat']);
        my $where = @$own ? 'own log' : 'standard error';
        my $said = sub { @$own ? file_text("$dir/noise.own") : $second->stderr };
        ok((wait_for { $said->() =~ /EPICS Base: .*dynamically assigned TCP port/ } 30,
                "its remark on $where", sub { $second->stderr . $second->stdout }),
            "Base's remark is on $where");
        is($second->stop, 0, 'it ends');
        my @others = grep { !/^LOG / } split /\n/, $second->stdout;
        is_deeply(\@others, [], 'standard output has what the child and procServ print');
    }
    $first->stop;
};

subtest 'Two servers with one prefix' => sub {
    my @servers;
    for my $number (1, 2) {
        push @servers, PsTest::Server->start(ioc => 1, name => 'TWICE', cmd => ['/bin/cat'],
            args => [$ports->ours, '--own-log', "$dir/twice$number.own"]) || return fail('start');
        logged("$dir/twice$number.own", qr/^${stamp}the PVs are served: TWICE:PS:/m, "number $number serves");
    }
    my $line = 'another procServIoc on this host (process ' . $servers[0]->pid
        . ') serves PVs with the same prefix TWICE:PS:, too; a client may reach either';
    ok((wait_for { $servers[1]->log_text =~ /^\@\@\@ \Q$line\E\r$/m } 30, 'the line',
            sub { $servers[1]->log_text }), 'the second one says so');
    unlike($servers[0]->log_text, qr/another procServIoc/, 'the first one does not');
    $_->stop for @servers;
};

# Names of the threads of a process.
sub threads {
    my ($pid) = @_;
    return map { my $name = file_text($_); chomp $name; $name } glob "/proc/$pid/task/*/comm";
}

# errlog is held by a pipe that nobody reads until the supervisor is gone: a log that fails at the end
# is reported there.
subtest 'Standard error that is stalled over the end' => sub {
    plan(skip_all => 'no /dev/full') if !-c '/dev/full';
    my $base = "$dir/stalled";
    POSIX::mkfifo("$base.err", 0600) or die "mkfifo: $!";
    sysopen(my $pipe, "$base.err", O_RDWR | O_NONBLOCK) or die "$base.err: $!";
    my $proc = PsTest::Proc->start(
        env => {MALLOC_PERTURB_ => 165},
        cmd => ['/bin/sh', '-c', 'exec "$@" 2>"$0"', "$base.err", program(), '-f', '--no-ioc', '-n', 'S',
            '-L', "$base.log", '--own-log', "$base.own", '-I', "$base.info", '-P', 0, '/bin/cat']);
    logged("$base.own", qr/: process \d+ starts, with no PVs$/m, 'it begins');
    ok((wait_for { file_text("$base.info") =~ /^tcp:/m } 20, 'the info file'), 'and runs');
    1 while syswrite $pipe, 'x' x 4096; # before the log can fail: the first failure alone is reported
    unlink "$base.log";
    symlink '/dev/full', "$base.log" or die "symlink: $!";
    $proc->signal('HUP');
    ok((wait_for { grep { (readlink $_ || '') eq '/dev/full' } glob '/proc/' . $proc->pid . '/fd/*' } 10,
            'its new log'), 'its log will fail');
    my ($endpoint) = file_text("$base.info") =~ /^(tcp:.*)$/m;
    my $client = PsTest::Telnet->new($endpoint) or return fail('connect');
    $client->send("a line for the log\r");
    ok((wait_for { grep { file_text("$_/comm") eq "errlog\n" && file_text("$_/wchan") =~ /pipe|fifo/ }
                glob '/proc/' . $proc->pid . '/task/*' } 10, 'errlog to write'), 'and errlog is held');
    $proc->signal('TERM');
    ok((wait_for { !$proc->running || !grep { /^ps(Loop|Log)/ } threads($proc->pid) } 20, 'the end of its threads',
            sub { join ' ', threads($proc->pid) }), 'the supervisor ends');
    my $text = '';
    wait_for { sysread $pipe, $text, 65536, length $text; !$proc->running } 20, 'the end';
    sysread $pipe, $text, 65536, length $text;
    $text =~ s/x+/x/;
    is($proc->exit_signal, 0, 'no signal ends it');
    is($proc->exit_code, 0, 'and it ends well');
    like($text, qr/S: log file .*: No space left/, 'what was held is written');
};

subtest 'A long line of a script' => sub {
    my $long = join '', map { sprintf '%05d.', $_ } 1 .. 400;
    my $script = script('long.cmd', "echo $long\necho after\nprocServAdd l \"-P 0 -- /bin/cat\"\n");
    my $proc = PsTest::Proc->start(cmd => [program(), $ports->ours, '-f', '--script', $script,
            '--own-log', "$dir/long.own"]);
    logged("$dir/long.own", qr/^${stamp}the PVs are served/m, 'the IOC serves');
    (my $text = file_text("$dir/long.own")) =~ s/\n$stamp//g;
    like($text, qr/\Q$long\E/, 'is in the own log as a whole');
    is($proc->stop, 0, 'it ends');
};

done_testing();
