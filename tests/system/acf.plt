#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# How the rules of access security stand, and that a record loads them again: a bad file changes
# nothing but what is said.

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
needs(defined getpwuid($<), 'a name for uid ' . $<);

my $ports = PsTest::Ports->new->apply;
$ports->repeater;
needs_ca();

my $dir = tmpdir();
my $acf = "$dir/rules.acf";

sub spew {
    my ($text) = @_;
    open(my $out, '>', $acf) or die "$acf: $!";
    print $out $text;
    close $out or die "$acf: $!";
}

my $heads = "UAG(u) {\$(PS_USERS)}\nHAG(h) {\${PS_HOSTS}}\nASG(DEFAULT) { RULE(1, READ) }\n"
    . "ASG(PS_RO) { RULE(1, READ) }\nASG(PS_CONSOLE) { RULE(1, READ) }\n";
my $closed = $heads . "ASG(PS_CMD) { RULE(1, READ) }\n";
my $good = $heads . "ASG(PS_CMD) { RULE(1, READ) RULE(0, WRITE, TRAPWRITE) { UAG(u) HAG(h) } }\n";
my $bad = "ASG(PS_CMD { RULE(1, READ) }\n";

sub start {
    my (@args) = @_;
    my $server = PsTest::Server->start(ioc => 1, name => 'T', cmd => ['sleep', 1000],
        args => [$ports->ours, @args]) or BAIL_OUT('the program does not start');
    my %pv = map { $_ => pv("T:PS:Sup:$_") } qw(AcfState AcfReload AcfMsg.VAL$);
    $pv{Grace} = pv('T:PS:Grace');
    $_->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr) for values %pv;
    return ($server, %pv);
}

subtest 'Loaded again' => sub {
    spew($good);
    my ($server, %pv) = start('--acf', $acf);
    is($pv{AcfState}->reached('Active', 10)->{severity}, 'NO_ALARM', 'the rules are active');

    spew($bad);
    ok($pv{AcfReload}->put_wait(1, 30), 'a put ends');
    is($pv{AcfReload}->severity, 'INVALID', 'that of a bad file in an alarm');
    is($pv{AcfState}->reached('Error', 10)->{severity}, 'MAJOR', 'AcfState is Error');
    like($pv{'AcfMsg.VAL$'}->reached(qr/syntax error/, 10)->{value}, qr/syntax error/, 'AcfMsg has the reason');
    like($server->stderr, qr/access security: \S+\@127\.0\.0\.1 has asked for a reload: .*syntax error/,
        'one line says who has asked, and what is wrong');
    like($server->log_text(qr/put T:PS:Sup:AcfReload 1/), qr/^\@\@\@ \S+ \S+ \S+\@\S+ put T:PS:Sup:AcfReload 1\r$/m,
        'and the log has the put');
    ok($pv{Grace}->put_wait(7), 'the old rules hold');
    is($pv{Grace}->get, 7, 'so a command is taken');

    spew($good);
    ok($pv{AcfReload}->put_wait(1, 30), 'a put ends');
    is($pv{AcfReload}->severity, 'NO_ALARM', 'that of a good file without alarm');
    is($pv{AcfState}->reached('Active', 10)->{severity}, 'NO_ALARM', 'and the error is over');
    is($pv{'AcfMsg.VAL$'}->reached('the rules are active', 10)->{value}, 'the rules are active', 'in words');

    spew($closed);
    ok($pv{AcfReload}->put_wait(1, 30), 'rules that let nobody write');
    my ($code) = tool('caput', '-c', '-w', 20, 'T:PS:Grace', 8);
    isnt($code, 0, 'hold from now on');
    is($pv{Grace}->get, 7, 'a command is refused');
    is($pv{AcfState}->get, 'Active', 'they are active');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A bad file at the start' => sub {
    spew($bad);
    my ($server, %pv) = start('--acf', $acf);
    is($pv{AcfState}->reached('Error', 10)->{severity}, 'MAJOR', 'is an error');
    like($pv{'AcfMsg.VAL$'}->reached(qr/syntax error/, 10)->{value}, qr/syntax error/, 'AcfMsg has the reason');
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'No rules' => sub {
    my ($server, %pv) = start('--insecure-pvs');
    is($pv{AcfState}->reached('None', 10)->{severity}, 'MINOR', 'are an alarm');
    ok($pv{AcfReload}->put_wait(1, 30), 'to load them again');
    is($pv{AcfReload}->severity, 'INVALID', 'is refused, as there are none');
    is($pv{AcfState}->get, 'None', 'and no error of the rules');
    is($server->stop, 0, 'SIGTERM ends it');
};

done_testing();
