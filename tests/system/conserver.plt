#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# conserver in front of our consoles, by a unix socket and by telnet, as manage-procs sets it up.

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
needs(find_command('conserver'), 'conserver: install the package conserver-server');
needs(find_command('console'), 'console: install the package conserver-client');

my $dir = tmpdir();
chmod 0755, $dir;

# A conserver with this console; returns it and its port.
sub start_conserver {
    my ($console) = @_;
    my $port = PsTest::Ports::free_port();
    my %text = (passwd => '', cf => <<"END");
config * {
    daemonmode off;
    defaultaccess rejected;
    logfile $dir/conserver.log;
    passwdfile $dir/passwd;
    sslrequired no;
}
default * { master localhost; rw *; logfile $dir/&.log; }
console ioc1 { $console }
access * { trusted 127.0.0.1; }
END
    for my $name (keys %text) {
        open(my $out, '>', "$dir/$name") or die "$dir/$name: $!";
        print $out $text{$name};
        close $out;
    }
    my $conserver = PsTest::Proc->start(
        cmd => [find_command('conserver'), '-C', "$dir/cf", '-p', $port, '-M', '127.0.0.1', '-n']);
    wait_for { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") } 10, 'conserver to listen',
        sub { $conserver->stdout . $conserver->stderr . file_text("$dir/conserver.log") };
    return ($conserver, $port);
}

my $path = "$dir/control";
for my $case (['by a unix socket', sub { "type uds; uds $path;" }, '-P', "unix:$path"],
    ['by telnet', sub { "type host; host 127.0.0.1; portbase 0; portinc 1; port $_[0];" }]) {
    my ($how, $console, @args) = @$case;
    subtest "A console $how" => sub {
        my $server = start_server(@args);
        my ($conserver, $port) = start_conserver($console->(@args ? 0 : port_of($server)));
        my $connected = qr/1 user\(s\) and/;
        wait_for { my $c = $server->console; $c && $c->text =~ $connected } 10, 'conserver to connect',
            sub { file_text("$dir/conserver.log") };
        my $client = PsTest::Terminal->start(cmd => [find_command('console'), '-C', '/dev/null',
            '-M', '127.0.0.1', '-p', $port, '-l', 'tester', 'ioc1'], env => {HOME => $dir, TERM => 'xterm'});
        ok($client->expect(qr/\[Enter `\^Ec\?' for help\]/), 'a client attaches') or diag($client->text);
        $client->wait_raw;
        session($server, $client, greeted => 1);
        like(file_text("$dir/ioc1.log"), qr/Welcome to procServ.*answer=hello/s, "conserver's log has it all");
        $client->send("\x05c.");
        ok($client->wait_exit(10), '^Ec. detaches');
        is($conserver->stop, 0, 'conserver ends');
        still_runs($server);
    };
}

done_testing();
