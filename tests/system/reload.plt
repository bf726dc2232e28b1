#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The IOC shell's asInit reads the access security file again: a good one holds at once, a bad one
# changes nothing, whatever Base would do with it.

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

deadman(100);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
my $dir = tmpdir();

sub spew {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
    return "$dir/$name";
}

my $group = 'ASG(PS_CMD) { RULE(1, READ) RULE(0, %s, TRAPWRITE) { UAG(u) HAG(h) } }';
my $heads = "UAG(u) {\$(PS_USERS)}\nHAG(h) {\${PS_HOSTS}}\nASG(DEFAULT) { RULE(1, READ) }\n"
    . "ASG(PS_RO) { RULE(1, READ) }\nASG(PS_CONSOLE) { RULE(1, READ) }\n";
my $none = $heads . "ASG(PS_CMD) { RULE(1, READ) }\n";
my $good = $heads . sprintf("$group\n", 'WRITE');
my $bad = "ASG(PS_CMD { RULE(1, READ) }\n";
my $fatal = 'UAG(' . 'x' x 40000 . ") {root}\n";

my $acf = spew('rules.acf', $none);
# The script does every 0.2 s what we ask for; nothing when it is tried.
my $script =
    spew('st.cmd', "iocInit\n" . "epicsThreadSleep 0.2\n< $dir/next\n" x 150);
spew('next', '');
my $server = PsTest::Server->start(ioc => 1, name => 'T', cmd => ['sleep', 1000],
    args => [$ports->ours, '--acf', $acf, '--script', $script])
    or BAIL_OUT('the program does not start');

# Change the file, let the script read it, and put.  What caput says.
sub change {
    my ($name, $text, $wanted) = @_;
    spew('rules.acf', $text);
    spew('new', "asInit\necho \"read $name\"\n");
    rename "$dir/new", "$dir/next" or die $!;
    wait_for { $server->stderr =~ /^read $name$/m } 30, "the rules of '$name' to be read";
    spew('new', '');
    rename "$dir/new", "$dir/next" or die $!;
    my ($code, undef, $error) = tool('caput', '-c', '-w', 20, 'T:PS:Grace', 7);
    is($code ? 'denied' : 'allowed', $wanted, "$name: a put is $wanted");
    diag($error) if $code && $wanted eq 'allowed';
}

wait_for { $server->stderr =~ /^iocRun/m } 30, 'the IOC', sub { $server->stderr };
my ($code) = tool('caput', '-c', '-w', 20, 'T:PS:Grace', 7);
isnt($code, 0, 'no rule: a put is denied');
change('good', $good, 'allowed');
change('bad', $bad, 'allowed');
like($server->stderr, qr/^asInit: access security: .*rules\.acf: syntax error/m, 'the reason is reported');
change('fatal', $fatal, 'allowed');
change('none', $none, 'denied');
change('again', $good, 'allowed');
ok($server->running, 'the program runs on');
is($server->stop, 0, 'SIGTERM ends it');

done_testing();
