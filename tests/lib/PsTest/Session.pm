# SPDX-License-Identifier: EPICS
package PsTest::Session;

# What a person does on a console, with any client program: sees the greeting, types a line and gets
# its echo and the answer once, restarts the child, and leaves it running.

use strict;
use warnings;

use Exporter qw(import);
use PsTest;
use PsTest::Server;
use Test::More;

our @EXPORT = qw(find_command needs_commands start_server port_of session leave
    still_runs);

# Where a command is, or what to install.
sub find_command {
    my ($name) = @_;
    my ($found) = grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin';
    return $found;
}

# Skip a subtest without these commands; or fail, where nothing may be skipped.
sub needs_commands {
    my ($package, @names) = @_;
    my @missing = grep { !find_command($_) } @names;
    return if !@missing;
    BAIL_OUT("no @missing: install the package $package") if $ENV{PS_TEST_STRICT};
    plan(skip_all => "no @missing: install the package $package");
}

# A child that answers each line.
my @child = ('/bin/sh', '-c', 'echo ready; while read line; do echo "answer=$line"; done');

sub start_server {
    my (@args) = @_;
    my $server = PsTest::Server->start(port => undef, args => [@args ? @args : ('-P', 0)], cmd => \@child)
        or BAIL_OUT('the program does not start');
    $server->wait_child(1);
    return $server;
}

sub port_of {
    my ($server) = @_;
    return ($server->endpoints)[-1] =~ /^tcp:.*:(\d+)$/ ? $1 : die 'no port';
}

# With a client that is connected: what everybody does.  line => 1: its terminal, if it has one,
# sends whole lines.  echoes => 2: and prints them itself.  greeted => 1: somebody before it has the
# greeting.
sub session {
    my ($server, $client, %o) = @_;
    $o{greeted}
        || ok($client->expect(qr/\@\@\@ Welcome to procServ .*connected \(plus you\)\r*\n/s), 'the greeting')
        || return;
    my $enter = $o{line} ? "\n" : "\r";
    $client->wait_raw unless $o{line};
    $client->send("hello$enter");
    ok($client->expect(qr/answer=hello\r*\n/), 'a line is answered') or return;
    my @lines = grep { /hello/ } split /\r*\n/, $client->matched;
    s/^.*\xff\xfd"// for @lines; # the greeting, where nobody takes it for telnet
    is_deeply(\@lines, [('hello') x ($o{echoes} || 1), 'answer=hello'],
        'its echo and its answer are there once');
    if (!$o{line}) {
        $client->send('k');
        ok($client->expect(qr/k/), 'a key is sent at once');
        $client->send("ey$enter");
        ok($client->expect(qr/answer=key\r*\n/), 'the line it is of, too');
    }
    my $end = $o{line} ? $enter : '';
    $client->send("\x18$end");
    ok($client->expect(qr/killed by signal 9.*quits the server/s), 'the kill key ends the child');
    $client->send("\x18$end");
    ok($client->expect(qr/The PID of new child "T" is: \d+\r*\n.*ready/s), 'and starts the next');
    unlike($server->log_text(qr/ready.*ready/s), qr/answer=\r*\n/, 'no Enter counted twice');
}

# Leaves by these keys, or by the end of its program; the child runs on.
sub leave {
    my ($server, $client, @keys) = @_;
    for my $step (@keys) {
        my ($key, $prompt) = ref $step ? @$step : ($step);
        $client->send($key);
        $client->expect($prompt) if $prompt;
    }
    kill 'TERM', $client->inner if !@keys && $client->running;
    ok($client->wait_exit(10), 'the client ends');
    still_runs($server);
}

# With nobody connected any more, the child runs on.
sub still_runs {
    my ($server) = @_;
    my $other;
    ok((wait_for {
        $other = $server->console or return 0;
        return $other->text =~ /\@\@\@ 0 user\(s\) and 0 logger\(s\)/;
    } 10, 'its connection to end'), 'nobody is connected');
    my ($pid) = $other->text =~ /Child "T" PID: (\d+)\r\n/;
    is($pid, ($server->child_pids)[-1], 'the child runs on');
    $server->stop;
}

1;
