#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Who may give commands: nobody but who runs the program, unless a file of rules says otherwise;
# and what becomes of a bad file.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use File::Copy qw(copy);
use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::PV;
use PsTest::Server;

deadman(200);
needs(!is_procserv() && -x program(), 'our program');
my $bin = PsTest::Ports::tool_dir();
needs($bin, "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $dir = tmpdir();
my $me = getpwuid($<);
needs(defined $me, 'a name for uid ' . $<);

sub write_file {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$dir/$name: $!";
    print $out $text;
    close $out;
    return "$dir/$name";
}

sub start {
    my ($name, @args) = @_;
    my $server = PsTest::Server->start(
        ioc => 1, name => $name, args => [$ports->ours, @args], cmd => ['/bin/cat'])
        or BAIL_OUT('the program does not start');
    pv("$name:PS:State")->wait_value('Running', 30) or BAIL_OUT('no PVs: ' . $server->stderr);
    return $server;
}

sub value { return pv($_[0])->get; }

# ---- another user ----

my $setpriv = (grep { -x } map { "$_/setpriv" } split /:/, $ENV{PATH})[0];
my $other = 'nobody';
my $other_uid = getpwnam($other);
my $why_not_other = $> != 0 ? 'only root can be another user'
    : !$setpriv ? 'there is no setpriv' : !defined $other_uid ? "there is no user $other" : '';

# The tools where anybody may run them: Base may be in a closed home.
sub open_tools {
    my $tools = "$dir/tools";
    mkdir $tools or die "$tools: $!";
    my %needed;
    for my $name (qw(caget caput pvget pvput)) {
        $needed{"$bin/$name"} = 1;
        my $libs = qx(ldd '$bin/$name');
        $needed{$_} = 1 for $libs =~ m{=> (\S+/lib(?:ca|Com|pv\w*|nt)\.so\S*)}g;
    }
    for my $file (sort keys %needed) {
        copy($file, $tools) or die "$file: $!";
    }
    chmod 0755, $dir, $tools, glob "$tools/*";
    return $tools;
}
my $tools = $why_not_other ? undef : open_tools();

# Run a tool as the other user: (code, all it said)
sub as_other {
    my ($name, @args) = @_;
    my $proc = PsTest::Proc->start(env => {LD_LIBRARY_PATH => $tools},
        cmd => [$setpriv, '--reuid', $other_uid, '--clear-groups', '--', "$tools/$name", @args]);
    $proc->wait_exit(30) or $proc->stop;
    return ($proc->exit_code, $proc->stdout . $proc->stderr);
}

sub as_me {
    my ($code, $out, $err) = tool(@_);
    return ($code, "$out$err");
}

# By caput, caput -c and pvput, and the client gets the reason.
sub is_denied {
    my ($run, $who, $pv, $value) = @_;
    for my $case (
        [qr/Write access denied/, 'caput', $pv, $value],
        [qr/Write access denied/, 'caput', '-c', '-w', 30, $pv, $value],
        [qr/not permitted/i, 'pvput', $pv, $value],
        ) {
        my ($message, @words) = @$case;
        my ($code, $text) = $run->(@words);
        ok($code == 1 && $text =~ $message, "@words of $who is denied, and gets the reason")
            or diag("exit code $code, $text");
    }
}

subtest 'The rules that hold without a file' => sub {
    my $server = start('A');
    my $pid = value('A:PS:Pid');
    SKIP: {
        skip($why_not_other, 1) if $why_not_other;
        my ($code, $text) = as_other('caget', '-t', 'A:PS:Pid');
        ok($code == 0 && $text =~ /^$pid$/m, "$other reads by caget") or diag($text);
        ($code, $text) = as_other('pvget', 'A:PS:Pid');
        ok($code == 0 && $text =~ /\b$pid\b/, 'and by pvget') or diag($text);
        is_denied(\&as_other, $other, 'A:PS:Restart', 1);
        is_denied(\&as_other, $other, 'A:PS:Holdoff', 7);
        is(value('A:PS:CmdSeq'), 0, 'none of it was a command');
        is(value('A:PS:Pid'), $pid, 'the child is the same');
        unlike($server->log_text, qr/ put /, 'nothing is reported of puts that never came');
    }
    for my $record (qw(State Seq Pid ExitMsg Holdoff_RBV CmdBy Tick Fan1)) {
        is_denied(\&as_me, $me, "A:PS:$record", 1) if $record eq 'Pid';
        my $before = value("A:PS:$record");
        my ($code) = as_me('caput', "A:PS:$record", 1);
        is($code, 1, "$record is not writable, not even for $me");
        is(value("A:PS:$record"), $before, 'and is as before') if $record ne 'Tick';
    }
    for my $field (qw(State.SCAN Pid.INP Pid.DISP Restart.DISP Restart.OUT Restart.SCAN Holdoff.DRVH
            WindowCrashes.ASG Restart.ASG)) {
        my ($code) = as_me('caput', "A:PS:$field", 1);
        is($code, 1, "nor is $field");
    }
    my ($code, $text) = as_me(qw(caput -c -w 30 A:PS:Restart 1));
    is($code, 0, "$me may restart it by caput") or diag($text);
    ($code, $text) = as_me(qw(pvput A:PS:Stop 1));
    is($code, 0, 'and stop it by pvput') or diag($text);
    ok(pv('A:PS:State')->wait_value('Stopped', 10), 'which it is');
    is(value('A:PS:CmdBy'), "$me\@127.0.0.1", 'CmdBy');
    $server->stop;
};

subtest 'A file of rules' => sub {
    my $file = write_file('good.acf', <<"END");
UAG(theirs) {"$other"}
HAG(here) {\$(PS_HOSTS)}
ASG(DEFAULT) { RULE(1, READ) }
ASG(PS_RO) { RULE(1, READ) }
ASG(PS_CONSOLE) { RULE(1, READ) }
ASG(PS_CMD) {
    RULE(1, READ)
    RULE(0, WRITE, TRAPWRITE) { UAG(theirs) HAG(here) }
}
END
    my $check = PsTest::Proc->start(cmd => [program(), '--check', $ports->ours, '--acf', $file,
        '-n', 'B', 0, '/bin/cat']);
    $check->wait_exit(30);
    is($check->exit_code, 0, '--check finds it good') or diag($check->stdout);
    unlike($check->stdout, qr/warning/, 'without a warning');

    my $server = start('B', '--acf', $file);
    is_denied(\&as_me, $me, 'B:PS:Restart', 1);
    SKIP: {
        skip($why_not_other, 1) if $why_not_other;
        my ($code, $text) = as_other(qw(caput -c -w 30 B:PS:Restart 1));
        is($code, 0, "$other may") or diag($text);
        ok(pv('B:PS:CmdSeq')->wait_value(1, 10), 'it is a command');
        is(value('B:PS:CmdBy'), "$other\@127.0.0.1", 'of theirs');
        like($server->log_text(qr/ put B:PS:Restart 1\r$/m),
            qr/^\@\@\@ .* \Q$other\E\@127\.0\.0\.1 put B:PS:Restart 1\r$/m,
            'as the log shows');
    }
    $server->stop;

    $file = write_file('poor.acf', "ASG(DEFAULT) { RULE(1, READ) RULE(1, WRITE) }\n");
    $check = PsTest::Proc->start(cmd => [program(), '--check', $ports->ours, '--acf', $file,
        '-n', 'B', 0, '/bin/cat']);
    $check->wait_exit(30);
    is($check->exit_code, 0, 'one without our groups is no error');
    like($check->stdout, qr/warning: \Q$file\E: it has no ASG\(PS_CMD\)/, 'but --check warns');
};

subtest 'Rules that name nobody' => sub {
    my $file = write_file('nameless.acf', <<'END');
ASG(DEFAULT) { RULE(1, READ) }
ASG(PS_RO) { RULE(1, READ) }
ASG(PS_CMD) { RULE(1, READ) RULE(0, WRITE) }
END
    my $server = start('N', '--acf', $file);
    my ($code, $text) = as_me(qw(caput -c -w 30 N:PS:Restart 1));
    is($code, 0, 'a put without TRAPWRITE') or diag($text);
    is(value('N:PS:CmdBy.VAL$'), 'unknown (no TRAPWRITE)', 'CmdBy does not claim to know who');
    like($server->log_text(qr/ put N:PS:Restart 1\r$/m),
        qr/^\@\@\@ \S+ \S+ unknown \(no TRAPWRITE\) put N:PS:Restart 1\r$/m, 'nor does the log');
    my @warned = $server->stderr =~ /^procServ: access security.*$/mg;
    is(scalar @warned, 2, 'two warnings at the start') or diag("@warned");
    like("@warned", qr/ASG\(PS_CMD\) has a rule to WRITE without TRAPWRITE/, 'of that rule');
    like("@warned", qr/no ASG\(PS_CONSOLE\)/, 'and of the group that is missing');
    $server->stop;
};

subtest 'A bad file of rules' => sub {
    my $number = 0;
    for my $case (
        ['a syntax error',
            write_file('bad.acf', "ASG(DEFAULT) {\n    RULE(1, READ)\n}\nUAG(x) {a,\n}\n"),
            qr/syntax error at line \d/],
        ['a token that makes Base abort', write_file('long.acf', 'UAG(' . 'x' x 40000 . ') {a}'),
            qr/SIGABRT while building the IOC: .*overflow/],
        ['a file that is not there', "$dir/none.acf", qr/No such file or directory/],
        ) {
        my ($what, $file, $reason) = @$case;
        my $name = 'C' . ++$number;
        my @args = ('--acf', $file, $number == 1 ? '--insecure-pvs' : ());
        my $check = PsTest::Proc->start(
            cmd => [program(), '--check', $ports->ours, @args, '-n', $name, 0, '/bin/cat']);
        my $server = start($name, @args);
        my $pid = $server->wait_child(1);
        ok($pid && PsTest::Proc::alive($pid), "$what: the child runs");
        is_denied(\&as_me, $me, "$name:PS:Restart", 1);
        is(value("$name:PS:Pid"), $pid, 'the records are served');
        my $line = qr/PVs are read-only: .*\Q$file\E.*$reason/;
        for my $place (['the log', $server->log_text(qr/read-only/)],
            ['standard error', $server->stderr]) {
            my ($where, $text) = @$place;
            my @told = $text =~ /^(.*read-only.*?)\r?$/mg;
            ok(@told == 1 && $told[0] =~ $line, "one line of $where says what, and where")
                or diag($text);
        }
        $check->wait_exit(30);
        is($check->exit_code, 1, '--check exits 1');
        my @bad = $check->stdout =~ /^bad +(.*)$/mg;
        ok(@bad == 1 && $bad[0] =~ /\Q$file\E.*$reason/, 'and says it in one line')
            or diag($check->stdout);
        my $console = $server->console;
        $console->send("hello\r");
        ok($console->expect(qr/hello\r\nhello\r\n/), 'the console works');
        is($server->stop, 0, 'and so does SIGTERM');
    }
};

subtest 'No rules at all' => sub {
    my $server = start('D', '--insecure-pvs');
    ok((wait_for { $server->log_text =~ /^\@\@\@ PVs are open: .*--insecure-pvs/m } 10, 'a warning',
        sub { $server->log_text }), 'the log warns');
    SKIP: {
        skip($why_not_other, 1) if $why_not_other;
        my $pid = value('D:PS:Pid');
        my ($code, $text) = as_other(qw(caput -c -w 30 D:PS:Restart 1));
        is($code, 0, "$other may command") or diag($text);
        ok(pv('D:PS:Pid')->wait_value(qr/^(?!(?:0|$pid)$)/, 5), 'and it is done');
    }
    my ($code) = as_me(qw(caput -c -w 30 D:PS:Pid 1));
    isnt($code, 0, 'status records are not writable, even so');
    isnt(value('D:PS:Pid'), 1, 'and keep their values');
    $server->stop;
};

done_testing();
