#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Health through what an operator asks for: restarts and stops that need SIGKILL leave it OK, a
# start that then fails does not.

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

# It says "up N" when it ignores TERM, from then on.
my $child = tmpdir() . '/stubborn';
open my $script, '>', $child or BAIL_OUT("$child: $!");
print $script "#!/bin/sh\ntrap '' TERM\necho up \$\$\nwhile :; do sleep 1; done\n";
close $script;
chmod 0755, $child;

my $server = PsTest::Server->start(
    ioc => 1, name => 'H', cmd => [$child],
    args => [$ports->ours, '--killsig', 'TERM', '--grace', '0.3', '--holdoff', 0])
    or BAIL_OUT('the program does not start');
my %pv = map { $_ => pv("H:PS:$_") } qw(Health State ExitClass Restart Stop Start Kill CmdState
    CmdMsg);
$pv{State}->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
$_->monitor for @pv{qw(Health State ExitClass)};
my $lives = 0;

sub is_up {
    $lives++;
    ok($pv{State}->wait_value('Running', 10), 'it runs');
    # it must have set its trap before it is asked to end
    return $server->log_text(qr/(?:^up \d+\r?\n.*?){$lives}/ms);
}

# All that Health ever showed.
sub healths { return join ' ', sort keys %{{map { $_ => 1 } $pv{Health}->values}}; }

# States come from one server in order: what Health was shown with it has arrived, too.
sub is_ok {
    my ($what) = @_;
    is(healths(), 'OK', "Health is OK through $what");
    is($pv{Health}->severity, 'NO_ALARM', 'without alarm');
}

is_up();
for my $i (1 .. 2) {
    ok($pv{Restart}->put_wait(1, 20), "restart $i");
    is_up();
}
is_ok('restarts that needed SIGKILL');

ok($pv{Stop}->put_wait(1, 20), 'a stop');
ok($pv{State}->wait_value('Stopped', 10), 'is over');
ok($pv{ExitClass}->wait_value('Timeout', 10), 'it needed SIGKILL');
is($pv{ExitClass}->severity, 'MINOR', 'which ExitClass shows');
is_ok('a stop that needed SIGKILL');

ok($pv{Start}->put_wait(1, 20), 'a start');
is_up();
ok($pv{Kill}->put_wait(1, 20), 'a kill, and a start as AutoRestart says');
is_up();
is_ok('a kill');

unlink $child;
ok($pv{Restart}->put_wait(1, 20), 'a restart of what is no more there');
is($pv{CmdState}->get, 'Failed', 'fails');
ok($pv{Health}->wait_value('Transient', 10), 'Health shows it');
is($pv{Health}->severity, 'MINOR', 'as an alarm');
$server->stop;

done_testing();
