#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Real clients on the console: telnet of several makes, socat, netcat, expect.  Each does what
# PsTest::Session has: greeting, a line, restart, and away.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Proc;
use PsTest::Session;
use PsTest::Terminal;

deadman(240);
needs(-x program(), 'the program ' . program());
needs(PsTest::Terminal->available, 'script(1), to have a terminal');

my $dir = tmpdir();

my @telnets = (
    # name, package, command and words, how to leave
    ['inetutils telnet', 'inetutils-telnet', 'inetutils-telnet 127.0.0.1 PORT', ["\x1d", qr/telnet> /],
        "quit\r"],
    ['BusyBox telnet', 'busybox', 'busybox telnet 127.0.0.1 PORT', ["\x1d", qr/Console escape/], 'e'],
    ['PuTTY by telnet', 'putty-tools', 'plink -telnet -P PORT 127.0.0.1'],
    ['socat on TCP', 'socat', 'socat -,raw,echo=0,escape=0x1d tcp:127.0.0.1:PORT', "\x1d"],
    # as `manage-procs attach` does
    ['socat on a unix socket', 'socat', 'socat -,raw,echo=0 unix-connect:PATH', "\x04"],
);

for my $telnet (@telnets) {
    my ($name, $package, $line, @keys) = @$telnet;
    subtest $name => sub {
        my ($command, @words) = split ' ', $line;
        needs_commands($package, $command);
        my $path = "$dir/console";
        my $server = start_server($line =~ /PATH/ ? ('-x', '^D', '-P', "unix:$path") : ());
        my $port = $line =~ /PATH/ ? 0 : port_of($server);
        s/PORT/$port/, s/PATH/$path/ for @words;
        my $client = PsTest::Terminal->start(cmd => [find_command($command), @words],
            env => {HOME => $dir, TERM => 'xterm'});
        session($server, $client);
        leave($server, $client, @keys);
    };
}

subtest 'PuTTY without telnet' => sub {
    needs_commands('putty-tools', 'plink');
    my $server = start_server();
    my $client = PsTest::Terminal->start(cmd => [find_command('plink'), '-raw', '-P', port_of($server), '127.0.0.1'],
        env => {HOME => $dir, TERM => 'xterm'});
    # nothing tells it that the child prints what is typed, so the terminal does, too
    session($server, $client, line => 1, echoes => 2);
    leave($server, $client);
};

# netcat, as scripts use it: no terminal, lines that end in LF
for my $case (['TCP', '127.0.0.1', 'PORT'], ['a unix socket', '-U', 'PATH']) {
    my ($where, @words) = @$case;
    subtest "netcat on $where" => sub {
        needs_commands('netcat-openbsd', 'nc');
        my $path = "$dir/console";
        my $server = start_server($where eq 'TCP' ? () : ('-P', "unix:$path"));
        my $port = $where eq 'TCP' ? port_of($server) : 0;
        s/PORT/$port/, s/PATH/$path/ for @words;
        my $client = PsTest::Terminal->start(cmd => [find_command('nc'), @words], no_terminal => 1);
        session($server, $client, line => 1);
        leave($server, $client);
    };
}

subtest 'An expect script' => sub {
    needs_commands('expect', 'expect');
    needs_commands('inetutils-telnet', 'inetutils-telnet');
    my $server = start_server();
    my $port = port_of($server);
    my $script = "$dir/script.exp";
    open(my $out, '>', $script) or die "$script: $!";
    print $out <<"END";
set timeout 10
proc step {pattern} {
    expect {
        -re \$pattern {puts "OK \$pattern"}
        timeout {puts "TIMEOUT \$pattern"; exit 1}
        eof {puts "EOF \$pattern"; exit 1}
    }
}
spawn inetutils-telnet 127.0.0.1 $port
step "plus you"
send "hello\\r"
step "hello\\r+\\nanswer=hello\\r+\\n"
send "\\x18"
step "killed by signal 9.*quits the server"
send "\\x12"
step "The PID of new child .*ready"
send "\\x1d"
step "telnet> "
send "quit\\r"
expect eof
puts "DONE"
END
    close $out;
    my $expect = PsTest::Proc->start(cmd => [find_command('expect'), '-f', $script], env => {TERM => 'xterm'});
    $expect->wait_exit(60);
    like($expect->stdout, qr/DONE\n\z/, 'gets through') or diag($expect->stdout, $expect->stderr);
    unlike($server->log_text(qr/ready.*ready/s), qr/hello.*hello.*hello/s, 'each byte once');
    leave($server, $expect);
};

done_testing();
