#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Whatever is wrong with the IOC, the child runs, SIGTERM ends all in time, and console, log and
# --check say what is wrong in one line.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use IO::Socket::INET;
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

my $dir = tmpdir();
my $template = top_dir() . '/db/psChild.template';

sub write_file {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$dir/$name: $!";
    print $out $text;
    close $out;
    return "$dir/$name";
}

my @soft_ioc = (PsTest::Ports::tool_dir() . '/softIoc', '-d',
    top_dir() . '/iocBoot/quickstart/ioc.db');
my $number = 0;
my ($ports, $name);

# Ports of its own for each: nobody is found by another's clients.
sub fresh {
    $ports = PsTest::Ports->new->apply;
    $name = 'F' . ++$number;
}

# Our options come first: later ones of --ioc-env win.
sub args { return ('-n', $name, $ports->ours, @_); }

sub start {
    my ($args, @cmd) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => '', args => [args(@$args)],
        cmd => @cmd ? \@cmd : ['/bin/cat']);
    $server or BAIL_OUT('the program does not start');
    return $server;
}

sub check {
    return PsTest::Proc->start(cmd => [program(), '--check', args(@_), 0, '/bin/cat']);
}

sub ends_in_time {
    my ($server, $seconds) = @_;
    my $child = ($server->child_pids)[-1];
    my $begin = time;
    is($server->stop, 0, 'SIGTERM ends it');
    cmp_ok(time - $begin, '<', scaled($seconds || 5), 'in time');
    ok(!PsTest::Proc::alive($child), 'and the child');
}

# The child runs, one line on console and log says $line, --check says it, too.
sub is_told {
    my ($line, $server, $check) = @_;
    my $pid = $server->wait_child(1);
    ok($pid && PsTest::Proc::alive($pid), 'the child runs');
    my @told;
    ok((wait_for { @told = $server->log_text =~ /^\@\@\@ (no PVs.*)\r$/mg } 20, 'the line',
        sub { $server->log_text . $server->stderr }), 'the log has the line');
    ok(@told == 1 && $told[0] =~ /^no PVs: $line/, 'in one line what is wrong') or diag("@told");
    my @said = $server->stderr =~ /(no PVs.*)/g;
    is("@said", "@told", 'standard error says the same');
    my $console = $server->console;
    $console->send("hello\r");
    ok($console->expect(qr/hello\r\n/), 'the console works');
    $console->send("\x18");
    ok($server->wait_child(2), 'the child can be restarted');
    if ($check) {
        $check->wait_exit(30);
        is($check->exit_code, 1, '--check exits 1');
        my @bad = $check->stdout =~ /^bad +(.*)$/mg;
        ok(@bad == 1 && $bad[0] =~ /^$line/, 'and says it in one line')
            or diag($check->stdout . $check->stderr);
    }
    ends_in_time($server);
}

for my $case (
    ['EPICS_CAS_INTF_ADDR_LIST=192.0.2.1',
        qr/EPICS_CAS_INTF_ADDR_LIST: 192\.0\.2\.1 is not an address/],
    ['EPICS_PVAS_INTF_ADDR_LIST=192.0.2.1',
        qr/EPICS_PVAS_INTF_ADDR_LIST: 192\.0\.2\.1 is not an address/],
    ['EPICS_CAS_INTF_ADDR_LIST=oops.invalid',
        qr/EPICS_CAS_INTF_ADDR_LIST: oops\.invalid is neither an address/],
    ['EPICS_PVAS_INTF_ADDR_LIST=300.0.0.1',
        qr/EPICS_PVAS_INTF_ADDR_LIST: 300\.0\.0\.1 is neither an address/],
    ['EPICS_CAS_SERVER_PORT=many', qr/EPICS_CAS_SERVER_PORT: many is not a port/],
    ['EPICS_PVA_BROADCAST_PORT=80', qr/EPICS_PVAS?_BROADCAST_PORT: 80 is not a port/],
    ) {
    my ($setting, $line) = @$case;
    subtest $setting => sub {
        fresh();
        delete $ENV{EPICS_PVAS_BROADCAST_PORT};
        my @args = ('--ioc-env', $setting);
        is_told($line, start(['--holdoff', 0, @args]), check(@args));
    };
}

# What cannot be used costs itself only, and is reported in one line.
for my $case (
    ['EPICS_CAS_INTF_ADDR_LIST=192.0.2.1 localhost',
        qr/EPICS_CAS_INTF_ADDR_LIST: 192\.0\.2\.1 is not an address of this host: ignored/],
    ['EPICS_PVAS_INTF_ADDR_LIST=oops.invalid 127.0.0.1',
        qr/EPICS_PVAS_INTF_ADDR_LIST: oops\.invalid is neither an address.*: ignored/],
    ['EPICS_CAS_BEACON_ADDR_LIST=oops:x 127.0.0.1',
        qr/EPICS_CAS_BEACON_ADDR_LIST: oops:x is neither an address.*: ignored/],
    ['EPICS_CAS_INTF_ADDR_LIST=localhost', undef],
    ) {
    my ($setting, $line) = @$case;
    subtest $setting => sub {
        fresh();
        $ports->repeater;
        my $check = check('--ioc-env', $setting);
        my $server = start(['--ioc-env', $setting]);
        my $pid = $server->wait_child(1);
        for my $tool (qw(caget pvget)) {
            my ($code, $out, $err) = tool($tool, '-w', 20, "$name:PS:Pid");
            ok($code == 0 && $out =~ /\b$pid\b/, "its PVs are served: $tool")
                or diag($out . $err . $server->stderr);
        }
        my @told = $server->log_text =~ /^\@\@\@ (.*: ignored)\r$/mg;
        ok($line ? @told == 1 && $told[0] =~ /^$line$/ : !@told, 'the log has one line about it')
            or diag("@told");
        $check->wait_exit(30);
        is($check->exit_code, 0, '--check finds it good');
        @told = $check->stdout =~ /^(.*: ignored)$/mg;
        ok($line ? @told == 1 && $told[0] =~ /^good warning: $line$/ : !@told,
            'with a warning, if there is a reason') or diag($check->stdout);
        ends_in_time($server);
    };
}

subtest 'A bad interface of ours is not the soft IOC\'s' => sub {
    fresh();
    $ports->repeater;
    my $server = start(['--ioc-env', 'EPICS_CAS_INTF_ADDR_LIST=192.0.2.1'], @soft_ioc);
    $server->wait_child(1);
    my ($code, $out, $err) = tool('caget', '-t', '-w', 20, 'TST:amplitude');
    is($code, 0, 'which is served') or diag("$out$err");
    ends_in_time($server);
};

sub hold {
    my ($port, $proto) = @_;
    return IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Proto => $proto,
        $proto eq 'tcp' ? (Listen => 1) : ()) || die "port $port: $!";
}

for my $case (['CA' => 'ca'], ['PVA' => 'pva_search']) {
    my ($server_name, $which) = @$case;
    subtest "Somebody else holds the UDP port of $server_name" => sub {
        fresh();
        my $held = hold($ports->{$which}, 'udp');
        my $port = $ports->{$which};
        my $line = qr/the $server_name server's UDP port $port on 127\.0\.0\.1: Address already/;
        is_told($line, start(['--holdoff', 0]), check());
    };
}

subtest 'Somebody else has the TCP ports' => sub {
    fresh();
    $ports->repeater;
    my @held = map { hold($ports->{$_}, 'tcp') } qw(ca pva);
    my $server = start([]);
    my $pid = $server->wait_child(1);
    for my $tool (qw(caget pvget)) {
        my ($code, $out, $err) = tool($tool, '-w', 20, "$name:PS:Pid");
        ok($code == 0 && $out =~ /\b$pid\b/, "others are taken: $tool") or diag("$out$err");
    }
    ends_in_time($server);
};

sub records { return "dbLoadRecords(\"$template\", \"P=X:PS:,CHILD=$name\")\n"; }
for my $case (
    ['a database that is not there', 'none.db', undef, qr/cannot load \Q$dir\E\/none\.db/],
    ['a bad database', 'bad.db', "record(ai, \"x\") {\n    field(NOPE, \"1\")\n}\n",
        qr/cannot load \Q$dir\E\/bad\.db: .*NOPE/],
    ['a database that includes itself', 'self.db', qq(include "$dir/self.db"\n),
        qr/.*\Q$dir\E\/self\.db/],
    ['a database that makes Base exit', 'long.db', 'record(ai, "' . 'x' x 40000 . "\") {}\n",
        qr/\Q$dir\E\/long\.db\.cmd: .*ended with status 1 while loading records: .*overflow/],
    ) {
    my ($what, $db, $text, $line) = @$case;
    subtest "A script with $what" => sub {
        fresh();
        write_file($db, $text) if defined $text;
        my $script = write_file("$db.cmd", qq(dbLoadRecords("$dir/$db")\n) . records() . "iocInit\n");
        is_told($line, start(['--holdoff', 0, '--script', $script]), check('--script', $script));
    };
}

subtest 'A script that is not there' => sub {
    fresh();
    my @script = ('--script', "$dir/none.cmd");
    my $reason = qr/cannot read the script \Q$dir\E\/none\.cmd: No such file/;
    for my $case (['the foreground', '-f', 0, '/bin/cat'], ['a daemon', 0, '/bin/cat'],
        ['the foreground without a command', '-f'], ['a daemon without a command']) {
        my ($what, @words) = @$case;
        my $proc = PsTest::Proc->start(cmd => [program(), '-p', "$dir/pid",
            $what =~ /without/ ? $ports->ours : args(), @script, @words]);
        $proc->wait_exit(20) or $proc->stop;
        is($proc->exit_code, 1, "$what: exit code 1");
        my @said = split /\n/, $proc->stderr;
        ok(@said == 1 && $said[0] =~ /^\S+: $reason/, 'and one line says why') or diag("@said");
        ok(!-e "$dir/pid", 'nothing was started');
    }
    my $check = check(@script);
    $check->wait_exit(30);
    is($check->exit_code, 1, '--check exits 1');
    like($check->stdout, qr/^bad +\Q$dir\E\/none\.cmd: No such file/m, 'and says why');
    my $proc = PsTest::Proc->start(cmd => [program(), '-f', args('--script', $dir), 0, '/bin/cat']);
    $proc->wait_exit(20) or $proc->stop;
    is($proc->exit_code, 1, 'a folder is no script');
    like($proc->stderr, qr/cannot read the script \Q$dir\E: Is a directory/, 'and one line says so');
};

subtest 'A script whose rules are bad' => sub {
    fresh();
    my $script = write_file('rules.cmd', qq(asSetFilename("$dir/none.acf")\n) . records() . "iocInit\n");
    is_told(qr/access security: \Q$dir\E\/none\.acf: No such file/,
        start(['--holdoff', 0, '--script', $script]), check('--script', $script));
};

for my $where ('before', 'after') {
    subtest "A script that calls exit $where iocInit" => sub {
        fresh();
        $ports->repeater;
        my $script = write_file("exit-$where.cmd",
            records() . ($where eq 'before' ? "exit\niocInit\n" : "iocInit\nexit\nnothing\n"));
        my $server = start(['--script', $script]);
        my $pid = $server->wait_child(1);
        my ($code, $out, $err) = tool('caget', '-t', '-w', 20, 'X:PS:Name');
        is($code, 0, 'its PVs are served') or diag("$out$err");
        ok($server->running && PsTest::Proc::alive($pid), 'the child runs on');
        ends_in_time($server);
    };
}

subtest 'A script that never ends' => sub {
    fresh();
    my $script = write_file('sleep.cmd', records() . "epicsThreadSleep 1000\n");
    my $server = start(['--script', $script]);
    ok($server->wait_child(1), 'the child runs');
    ok((wait_for { $server->stderr =~ /epicsThreadSleep/ } 20, 'the script to hang'), 'it hangs');
    ends_in_time($server);
};

done_testing();
