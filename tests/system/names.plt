#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What a child is called: records refer to it by that name, so a long path must not hide it.

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

my $dir = tmpdir() . '/' . 'd' x 70;
mkdir $dir or BAIL_OUT("$dir: $!");

sub script {
    my ($path) = @_;
    open my $out, '>', $path or BAIL_OUT("$path: $!");
    print $out "#!/bin/sh\necho up\nread x\n";
    close $out;
    chmod 0755, $path;
    return $path;
}

# The child shows as running, under these record names.
sub shows {
    my ($what, $prefix, $name, %o) = @_;
    my $server = PsTest::Server->start(
        ioc => 1, args => [@{delete $o{args} || []}, $ports->ours], %o)
        or BAIL_OUT('the program does not start');
    my $state = pv("$prefix:PS:State");
    $state->wait_connected(30) or BAIL_OUT('no PVs: ' . $server->stderr);
    $state->monitor;
    $server->log_text(qr/^up/m);
    ok($state->wait_value('Running', 10), "$what: State is Running");
    is(pv("$prefix:PS:Name")->get, $name, "$what: Name");
    like($server->log_text, qr/^\@\@\@ The PID of new child "\Q$name\E" is: \d+\r$/m,
        "$what: messages use it, too");
    $server->stop;
}

my $command = script("$dir/st.cmd");
my $check = PsTest::Proc->start(cmd => [program(), '--check', '-P', 0, $command]);
$check->wait_exit(30);
is($check->exit_code, 0, '--check of a command with a long path');
unlike($check->stdout . $check->stderr, qr/without a word/, 'has nothing to riddle about');
shows('a path of more than 63 bytes', 'st_cmd', 'st.cmd', name => '', cmd => [$command]);
shows('blanks around a name', 'my_ioc', 'my ioc', name => ' my ioc ', cmd => [$command]);

my $long = script(tmpdir() . '/' . 'n' x 64);
for my $args ([], ['--check']) {
    my $proc = PsTest::Proc->start(cmd => [program(), @$args, '-f', '-P', 0, $long]);
    $proc->wait_exit(30);
    is($proc->exit_code, 1, "a file name of 64 bytes is refused @$args");
    is($proc->stderr, program()
        . ": --name: the file name of the command is not a name of 1 to 63 bytes; give one\n",
        'in one line');
}
shows('with a name of its own it works', 'X', 'X', name => 'X', cmd => [$long]);

done_testing();
