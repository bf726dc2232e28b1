#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# What Base throws when its PVA server finds no interface has a stack trace: only its first
# line is reported, and the child runs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::PV;
use PsTest::Proc;
use PsTest::Server;

deadman(100);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
my $dir = tmpdir();

# Start it, and wait for the one line.
sub told {
    my ($name, @args) = @_;
    my $then = ref $args[-1] eq 'CODE' ? pop @args : undef;
    my $server = PsTest::Server->start(ioc => 1, name => 'F', cmd => ['/bin/cat'], @args)
        or BAIL_OUT('the program does not start');
    ok($server->wait_child(1), "$name: the child runs");
    my $told = wait_for { $server->log_text =~ /^(\@\@\@ (?:no PVs|PVs by Channel Access only): .*)\r\n/m ? $1 : undef }
        30, 'the line that reports it', sub { $server->log_text . $server->stderr };
    my ($line, $why) = ($told || '') =~ /^\@\@\@ ((?:no PVs|PVs by Channel Access only): (.*))/;
    my $shown = $line =~ /^no/ ? "none: $why" : "F:PS: ($line)";
    like(banner($server), qr/^\@\@\@ PVs: \Q$shown\E\r\n/m, 'so does the banner of a later client');
    $then->($server) if $then;
    $server->stop;
    return $told;
}

sub banner {
    my ($server) = @_;
    my $client = $server->console;
    return $client->text;
}

sub script {
    my ($name, $text) = @_;
    open(my $out, '>', "$dir/$name") or die "$dir/$name: $!";
    print $out $text;
    close $out or die "$dir/$name: $!";
    return "$dir/$name";
}

my $foreign = 'EPICS_CAS_INTF_ADDR_LIST: 203.0.113.77 is not an address of this host';
is(told('an option', args => [$ports->ours, '--ioc-env', 'EPICS_CAS_INTF_ADDR_LIST=203.0.113.77']),
    "\@\@\@ no PVs: $foreign", 'a foreign interface is reported');
for my $init ('', "iocInit\n") {
    my $script = script('env.cmd', "epicsEnvSet EPICS_CAS_INTF_ADDR_LIST 203.0.113.77\n$init");
    is(told('a script', args => [$ports->ours, '--script', $script]), "\@\@\@ no PVs: $foreign",
        'a foreign interface of a script is reported');
}

{
    my $server = PsTest::Server->start(ioc => 1, name => 'F', cmd => ['/bin/cat'], args => [$ports->ours])
        or BAIL_OUT('the program does not start');
    ok((wait_for { (tool('pvget', '-w', 5, 'F:PS:Pid'))[0] == 0 } 30, 'its PVs'), 'PVs are served');
    ok((wait_for { banner($server) =~ /^\@\@\@ PVs: F:PS:\r\n\@\@\@ Child "F" PID: /m } 10, 'the line',
            sub { banner($server) }), 'the banner shows their prefix, before the line of the process');
    $server->stop;
    my $acf = script('bad.acf', "ASG(DEFAULT) {\n");
    $server = PsTest::Server->start(ioc => 1, name => 'F', cmd => ['/bin/cat'],
        args => [$ports->ours, '--acf', $acf]) or BAIL_OUT('the program does not start');
    ok((wait_for { banner($server) =~ /^\@\@\@ PVs: F:PS: \(PVs are read-only: .*\)\r\n/m } 30, 'the line',
            sub { banner($server) }), 'and that they are read-only');
    $server->stop;
    $server = PsTest::Server->start(name => 'F', cmd => ['/bin/cat'])
        or BAIL_OUT('the program does not start');
    unlike(banner($server), qr/PVs/, 'with --no-ioc, the banner says nothing of PVs');
    $server->stop;
    my $check = PsTest::Proc->start(cmd => [program(), '--check', '-n', 'my ioc', '-P', 0, '/bin/cat']);
    ok($check->wait_exit(40), '--check ends');
    like($check->stdout, qr/^good PVs: my_ioc:PS:$/m, 'and shows the prefix') or diag($check->stderr);
}

{
    # who wants no CA server misses none
    my $server = PsTest::Server->start(ioc => 1, name => 'F', cmd => ['/bin/cat'],
        args => [$ports->ours, '--ioc-env', 'EPICS_IOC_IGNORE_SERVERS=rsrv'])
        or BAIL_OUT('the program does not start');
    my $pid = $server->wait_child(1);
    my ($code, $out, $err) = tool('pvget', '-w', 30, 'F:PS:Pid');
    ok($code == 0 && $out =~ /\b$pid\b/, 'without a CA server the PVs are served by PVA')
        or diag($out . $err);
    ok((stays { $server->log_text !~ /no PVs/ } 1, 'no complaint'), 'and nothing is missed')
        or diag($server->log_text);
    $server->stop;
}

SKIP: {
    # Base's PVA server throws where there is no network, with its stack trace after the reason.  The
    # CA server runs by then.
    skip('no network name spaces here', 4) if system('unshare -n true 2>/dev/null');
    my $alone = script('alone', "#!/bin/sh\nexec unshare -n sh -c 'ip link set lo up; exec \"\$0\" \"\$\@\"' '"
        . program() . "' \"\$\@\"\n");
    chmod 0755, $alone;
    local $ENV{PS_TEST_PROGRAM} = $alone;
    delete local @ENV{qw(EPICS_CAS_INTF_ADDR_LIST EPICS_PVAS_INTF_ADDR_LIST)};
    like(told('no network', port => "unix:$dir/console", sub {
            my ($server) = @_;
            my ($caget) = PsTest::Ports::tool_dir() . '/caget';
            my $value = `nsenter -t @{[$server->pid]} -n $caget -w 10 -t F:PS:State 2>&1`;
            is($value, "Running\n", 'Channel Access works');
        }), qr/^\@\@\@ PVs by Channel Access only: .{0,30}network interface.{0,20}$/, 'the reason, in one line');
}

done_testing();
