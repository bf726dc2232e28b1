#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# A console over `ssh -L`, which is how people reach one from another host.  The sshd is our own:
# on 127.0.0.1, with keys and settings in a folder of this test.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use IO::Socket::INET;
use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Proc;
use PsTest::Session;
use PsTest::Terminal;

deadman(150);
needs(-x program(), 'the program ' . program());
needs(PsTest::Terminal->available, 'script(1), to have a terminal');
needs(find_command('sshd'), 'sshd: install the package openssh-server');
needs(find_command($_), "$_: install the package openssh-client") for qw(ssh ssh-keygen);
needs(find_command('inetutils-telnet'), 'telnet: install the package inetutils-telnet');

my $dir = tmpdir();
my $user = getpwuid $>;

sub run {
    my (@cmd) = @_;
    my $proc = PsTest::Proc->start(cmd => \@cmd);
    $proc->wait_exit(30);
    is($proc->exit_code, 0, "$cmd[0]") or diag($proc->stderr);
}

run(find_command('ssh-keygen'), '-q', '-t', 'ed25519', '-N', '', '-f', "$dir/$_") for qw(host user);
rename "$dir/user.pub", "$dir/authorized" or die "$dir/authorized: $!";

sub listens {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
}

my $ssh_port = PsTest::Ports::free_port();
my @sshd = (find_command('sshd'), '-D', '-e', '-f', '/dev/null', map { ('-o', $_) }
    "ListenAddress=127.0.0.1:$ssh_port", "HostKey=$dir/host", "AuthorizedKeysFile=$dir/authorized",
    'PidFile=none', 'StrictModes=no', 'UsePAM=no', 'PasswordAuthentication=no', 'PermitRootLogin=yes');
# As root it wants a folder that only an sshd started by the system has: in a mount namespace
@sshd = ('unshare', '-m', '/bin/sh', '-c', 'mount -t tmpfs none /run && mkdir /run/sshd && exec "$0" "$@"',
    @sshd) if $> == 0 && !-d '/run/sshd';
my $sshd = PsTest::Proc->start(cmd => \@sshd);
wait_for { listens($ssh_port) || !$sshd->running } 20, 'sshd to listen', sub { $sshd->stderr };
needs($sshd->running, 'an sshd that starts: ' . $sshd->stderr);

for my $case (['a port', sub { '127.0.0.1:' . port_of($_[0]) }],
    ['a unix socket', sub { "$dir/control" }, '-P', "unix:$dir/control"]) {
    my ($what, $target, @args) = @$case;
    subtest "Through ssh to $what" => sub {
        my $server = start_server(@args);
        my $port = PsTest::Ports::free_port();
        my $ssh = PsTest::Proc->start(cmd => [find_command('ssh'), '-F', 'none', '-N', '-i', "$dir/user",
            '-p', $ssh_port, '-L', "127.0.0.1:$port:" . $target->($server),
            map({ ('-o', $_) } 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes',
                'IdentitiesOnly=yes', 'ExitOnForwardFailure=yes'), "$user\@127.0.0.1"]);
        # nothing connects to it here: the console would see that
        my $hex = sprintf '0100007F:%04X ', $port;
        wait_for { file_text('/proc/net/tcp') =~ /$hex/ || !$ssh->running } 20, 'ssh to listen',
            sub { $ssh->stderr . $sshd->stderr };
        # some accounts are locked
        plan(skip_all => "$user cannot log in: " . ($ssh->stderr =~ s/\n.*//sr)) if $> != 0 && !$ssh->running;
        my $client = PsTest::Terminal->start(env => {HOME => $dir, TERM => 'xterm'},
            cmd => [find_command('inetutils-telnet'), '127.0.0.1', $port]);
        session($server, $client);
        leave($server, $client, ["\x1d", qr/telnet> /], "quit\r");
        $ssh->stop;
    };
}

done_testing();
