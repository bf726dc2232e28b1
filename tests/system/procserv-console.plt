#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Each key in each state, ours beside the procServ installed here: what clients, log clients and the
# log get, byte for byte.  Each difference is named here and in docs/migrating.md.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Proc;
use PsTest::SideBySide;
use PsTest::Terminal;

deadman(400);
needs(!is_procserv() && -x program(), 'our program');
theirs();

my @general = (
    ['mode', qr/auto restart mode is /, 'auto restart is '],
    ['toggled', qr/Toggled auto restart mode/, 'Toggled auto restart'],
    ['got a kill', qr/\r\n\@\@\@ Got a kill command\r\n/, ''],
    ['log line', qr/\@\@\@ Child log file: [^\n]*\n/, ''],
);

is_documented(\@general, {
    mode => '`auto restart is ON,`',
    'log line' => '`@@@ Child log file: <file>`',
    toggled => '`Toggled auto restart to OFF`',
    'got a kill' => '`@@@ Got a kill command`',
    oneshot => 'ON, OFF and ONESHOT',
    notation => '`^` notation of keys',
    'cr lf' => 'CR LF from netcat',
    end => 'end of the server',
    window => 'window size',
    half => 'a client that closes its sending side',
    sga => 'SUPPRESS-GO-AHEAD',
    terminal => 'banner on the `-f` terminal',
});

# Prints what it is typed, and control characters as ^X
my @echo = ('/bin/sh', '-c', 'stty raw -echo; echo ready; exec cat -v');
# The end of a process: procServ's lines come in either order
my $gone = qr/sigChild.*quits the server[^\n]*\n|quits the server.*sigChild[^\n]*\n/s;
# Answers lines, as an IOC does.  It ends when its last line was seen: procServ may lose that else.
my @lines = ('/bin/sh', '-c', 'echo ready; while read x; do echo "answer=$x"; [ "$x" = exit ] && break; done; '
    . 'until [ -e go ]; do sleep 0.05; done');
sub finish {
    my ($both) = @_;
    $both->type('a', "exit\r");
    $both->see('a', qr/answer=exit\r\n/);
    for my $one ($both->each) {
        open(my $go, '>', "$one->{dir}/go") or die "go: $!";
    }
    $both->see('a', $gone);
    unlink "$_->{dir}/go" for $both->each;
}

sub scenario {
    my ($name, $args, $cmd, $steps, @differences) = @_;
    subtest $name => sub {
        my $both = PsTest::SideBySide->console_both($args, $cmd);
        $steps->($both);
        $both->same('all of it', @differences);
    };
}

my $started = qr/Restarting child.*ready\r?\n/s;

# ---- while it runs ----

scenario('Running: ^R and ^Q are typed to the child', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "\x12\x11.");
    $both->see('a', qr/\^R\^Q\./);
});

scenario('Running: ^T, to OFF and back', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "\x14");
    $both->see('a', qr/Toggled.*to OFF\r\n/);
    $both->type('a', "\x14\x14", "\x14");
    $both->see('a', qr/Toggled.*to ON\r\n/);
}, ['oneshot', qr/\r\n\@\@\@ Toggled[^\n]*ONESHOT\r\n/, '']);

scenario('Running: ^X, for two clients', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->attach('b');
    $both->type('a', "\x18");
    $both->see($_, $gone) for 'a', 'b';
});

scenario('Running: a key among other bytes', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "one\x14two");
    $both->see('a', qr/onetwo/);
    $both->type('a', "\x14\x14", "\x14");
    $both->see('a', qr/Toggled.*to ON\r\n/);
}, ['oneshot', qr/\r\n\@\@\@ Toggled[^\n]*ONESHOT\r\n/, '']);

scenario('Running: the logout key', ['-x', '^D'], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->attach('b');
    # What follows the key in the same packet goes nowhere, with procServ to the child.
    $both->type('a', "abcdef\r\x04", "abc\x04def\r");
    $both->closed('a');
    $both->see('b', qr/answer=abcdef\r\n/);
    $both->attach('c'); # its banner counts the others
});

scenario('Running: keys that are off, or others', ['-k', '', '--autorestartcmd', 't', '-x', 'q'], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "\x18\x14t.");
    $both->see('a', qr/to OFF.*\^X\^T\.|\^X\^T\..*to OFF/s);
    $both->type('a', 'q');
    $both->closed('a');
});

scenario('Running: ignored characters', ['-i', '^D^Cx^^'], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "a\x04b\x03cxd^e\x05.");
    $both->see('a', qr/abcde\^E\./);
});

scenario("Running: the launcher's --ignore", ['-i', '^D^C^]'], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "a\x04\x03\x1d^].", "a\x04\x03]^^.");
    $both->see('a', qr/a\S*\./);
}, ['notation', qr/a\^\]\./, 'a.']);

scenario('Running: Enter in all its forms', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    for my $enter ("\r", "\n", "\r\0") {
        $both->type('a', "line$enter");
        $both->see('a', qr/answer=line\r\n/);
    }
});

scenario('Running: CR LF', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "line\r\nnext\r.");
    $both->see('a', qr/next\^M\./);
}, ['cr lf', qr/line\^Mnext/, "line^M\nnext"]);

# A client that speaks telnet is asked for the size of its window.
my $naws = ['window', qr/\xff\xfd\x1f/, ''];
my $sga = ['sga', qr/\xff\xfb\x03\xff\xfd\x03/, ''];

scenario('Running: bytes, and commands of telnet', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    # What comes first must be text: see "Other protocols" in console.md.
    $both->type('a', "first\r");
    $both->see('a', qr/first\^M/);
    # NOP, AYT, IP, BRK, EC, EL, GA; a subnegotiation; IAC IAC; CR NUL; UTF-8
    $both->type('a', "a\xff\xf1\xff\xf6\xff\xf4\xff\xf3\xff\xf7\xff\xf8\xff\xf9b\xff\xfa\x18\x00xterm\xff\xf0c"
        . "\xff\xffd\r\0e\xc3\xa4.");
    $both->see('a', qr/\./);
}, $naws, $sga);

scenario('Running: telnet options that are refused', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    # DO TIMING-MARK, DO BINARY, WILL TTYPE, WILL NEW-ENVIRON, DONT ECHO
    $both->type('a', "\xff\xfd\x06\xff\xfd\x00\xff\xfb\x18\xff\xfb\x27.");
    $both->see('a', qr/\./);
}, $naws, $sga);

scenario('A log client', ['-l', 0], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('l', log => 1);
    $both->type('l', "lost\r\x18\x14\x11");
    $both->attach('a');
    $both->type('a', "hello\r");
    $both->see($_, qr/answer=hello\r\n/) for 'a', 'l';
});

for my $stamp ('--logstamp=LOG ', '--logstamp=', '--logstamp=%%|') {
    scenario("Log and log client with $stamp", ['-l', 0, $stamp], \@lines, sub {
        my ($both) = @_;
        $both->logged(qr{(?<![-/\w])ready\r?$}m);
        $both->attach('l', log => 1);
        $both->attach('a');
        $both->type('a', "hello\r");
        $both->see($_, qr/answer=hello\r\n/) for 'a', 'l';
        $both->type('a', "\r");
        $both->see($_, qr/answer=\r\n/) for 'a', 'l';
    });
}

# ---- while it does not run ----

scenario('Hold-off: typing is lost, ^R starts', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    finish($both);
    $both->type('a', "lost\r");
    $both->attach('b');
    $both->type('a', "\x12");
    $both->see($_, $started) for 'a', 'b';
    $both->type('a', "hello\r");
    $both->see('a', qr/answer=hello\r\n/);
});

scenario('Hold-off: ^X starts, ^T toggles', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "\x18");
    $both->see('a', $gone);
    $both->type('a', "\x14");
    $both->see('a', qr/to OFF\r\n/);
    $both->type('a', "\x18");
    $both->see('a', $started);
    finish($both);
});

scenario('Hold-off: ^Q ends', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    finish($both);
    $both->type('a', "\x11");
    $both->closed('a');
    $both->ends;
});

scenario('Hold-off of 1 s: it starts again', ['--holdoff', 1], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    finish($both);
    $both->see('a', $started);
});

for my $key (["\x12", '^R'], ["\x18", '^X']) {
    scenario("--wait: $key->[1] starts", ['-w'], \@lines, sub {
        my ($both) = @_;
        $both->attach('a');
        $both->type('a', "lost\r$key->[0]");
        $both->see('a', $started);
        $both->type('a', "hello\r");
        $both->see('a', qr/answer=hello\r\n/);
    });
    scenario("OFF: $key->[1] starts", ['--noautorestart'], \@lines, sub {
        my ($both) = @_;
        $both->logged(qr{(?<![-/\w])ready\r?$}m);
        $both->attach('a');
        finish($both);
        $both->type('a', $key->[0]);
        $both->see('a', $started);
        finish($both);
        $both->attach('b');
    });
}

scenario('--wait: ^T, then ^Q ends', ['-w', '-x', 'x'], \@lines, sub {
    my ($both) = @_;
    $both->attach('a');
    $both->type('a', "\x14");
    $both->see('a', qr/to OFF\r\n/);
    $both->attach('b');
    $both->type('b', 'x');
    $both->closed('b');
    $both->type('a', "\x11");
    $both->closed('a');
    $both->ends;
});

# ---- several keys in one packet, and clients that do not stay ----

scenario('Stopped: ^R^R in one packet start one', ['--noautorestart'], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    finish($both);
    $both->type('a', "\x12\x12");
    $both->see('a', $started);
    $both->type('a', "hello\r");
    $both->see('a', qr/answer=hello\r\n/);
});

scenario('Stopped: ^T^Q in one packet', ['-w'], \@lines, sub {
    my ($both) = @_;
    $both->attach('a');
    $both->type('a', "\x14\x11");
    $both->closed('a');
    $both->ends;
});

scenario('Running: ^T and ^X in one packet', [], \@echo, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->type('a', "\x14\x18");
    $both->see('a', $gone);
    $both->attach('b');
});

scenario('Stopped: a client that types ^R and closes', ['--noautorestart'], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    finish($both);
    $both->attach('b');
    $both->type('b', "\x12");
    $_->{clients}{b}->half_close for $both->each;
    $both->see('a', $started);
}, ['half', qr/(?<=the server\r\n\xff\xfb\x01\xff\xfd"\n)\@\@\@ Restarting child.*?(?=\nlog:)/s, '']);

# ---- connections, files, the end ----

scenario('A connection that is half closed', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->attach('b');
    $both->type('a', "hello\r");
    $both->see($_, qr/answer=hello\r\n/) for 'a', 'b';
    $_->{clients}{a}->half_close for $both->each;
    $both->closed('a');
});

scenario('SIGHUP: the log is moved away', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    for my $one ($both->each) {
        rename "$one->{dir}/log", "$one->{dir}/old" or die "old: $!";
    }
    $both->signal('HUP');
    for my $one ($both->each) {
        wait_for { -e "$one->{dir}/log" } 10, 'the new log';
    }
    $both->attach('a');
    $both->type('a', "hello\r");
    $both->see('a', qr/answer=hello\r\n/);
    $both->logged(qr/answer=hello\r\n/);
});

my @at_end = (
    ['end', qr/\r*\n\@\@\@ \@\@\@ [^\n]*\n\@\@\@ Received a sigChild[^\n]*signal 9\r*\n/, ''],
    ['end', qr/auto restart is disabled/, 'a new one will be restarted shortly'],
);

scenario('SIGTERM, with a client that came after the child', [], \@lines, sub {
    my ($both) = @_;
    $both->logged(qr{(?<![-/\w])ready\r?$}m);
    $both->attach('a');
    $both->signal('TERM');
    $both->closed('a');
    $both->ends;
}, @at_end, ['end', qr/(?<=connected \(plus you\)\r\n\xff\xfb\x01\xff\xfd"\n)\@\@\@ Current time.*?quits the server\r\n/s, '']);

# ---- the terminal of -f, and other standard inputs ----

subtest '-f on a terminal' => sub {
    plan(skip_all => 'no script(1), to have a terminal') if !PsTest::Terminal->available;
    my $both = start_both(['-f', '-n', 'ioc1', 0, @lines], class => 'PsTest::Terminal');
    my %text;
    for my $side (qw(ours theirs)) {
        my $terminal = $both->{$side}{proc};
        ok($terminal->expect(qr/ready\r*\n/), "$side: the child runs");
        $terminal->wait_raw;
        $terminal->send("hello\r");
        ok($terminal->expect(qr/answer=hello\r*\n/), "$side: a line is answered");
        $terminal->send("\x14");
        ok($terminal->expect(qr/to OFF\r*\n/), "$side: a key works");
        kill 'TERM', $terminal->inner;
        $terminal->wait_exit(10);
        $text{$side} = transcript($both->{$side});
    }
    compare('all of it', @text{qw(ours theirs)},
        $at_end[0], ['terminal', qr/\@\@\@ procServ server PID.*?is SHUT DOWN\r*\n/s, ''],
        ['terminal', undef, undef, qr/\xff\xfb\x01\xff\xfd"/]);
};

for my $stdin ('/dev/null', 'pipe') {
    subtest "-f, standard input is $stdin" => sub {
        my $both = start_both(['-f', '-L', 'DIR/log', 0, @lines], stdin => $stdin);
        my %text;
        for my $side (qw(ours theirs)) {
            my $one = $both->{$side};
            wait_for { file_text("$one->{dir}/log") =~ /ready/ } 10, 'the child';
            syswrite $one->{proc}->stdin, "typed\n" if $stdin eq 'pipe';
            ok((stays { file_text("$one->{dir}/log") !~ /typed/ } 0.3, 'nothing typed'), "$side: it is not read");
            $one->{proc}->stop;
            $text{$side} = transcript($one);
        }
        compare('all of it', @text{qw(ours theirs)});
    };
}

all_seen();
done_testing();
