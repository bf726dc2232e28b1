#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# Every option of procServ with good, odd and bad values, ours beside the procServ installed here:
# exit code, standard output and standard error, files, the child, and the banner.  Each difference
# is named here and in docs/migrating.md.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Proc;
use PsTest::SideBySide;
use PsTest::Telnet;

deadman(300);
needs(!is_procserv() && -x program(), 'our program');
theirs();

# A difference everywhere: [id, what ours matches, what theirs has]
my @general = (
    ['mode', qr/auto restart mode is /, 'auto restart is '],
    ['log line', qr/\@\@\@ Child log file: [^\n]*\n/, ''],
    ['PROCSERV_INFO', qr/PID=N;[^\r\n]*/, ''],
);

# Where docs/migrating.md has them
my %documented = (
    mode => '`auto restart is ON,`',
    'log line' => '`@@@ Child log file: <file>`',
    allow => '`--allow`',
    number => 'not a number where one is needed',
    chdir => 'a directory that cannot be entered (`-c`)',
    exec => '`-e <file>`',
    command => 'a command that cannot be executed',
    path => 'a command without a path',
    killsig => '`--killsig TERM`',
    name => '`--name`',
    timefmt => "`--timefmt ''`",
    brackets => '`--logstamp` without a format',
    stamp => 'a stamp of more than 63 bytes',
    'pid file' => 'pid file with `-f` or `-d`',
    'info file' => 'info file that cannot be written',
    'exit code' => 'exit code of an end that was asked for',
    'log file' => 'a log file that cannot be opened',
    'no log' => "`-L ''`",
    debug => '`-d`',
    PROCSERV_INFO => '`PROCSERV_INFO`',
    loopback => '`127.0.0.2:20000` without `--allow`',
    octet => '`256.1.1.1:20000`, `-129.0.0.1:20000`',
    $> != 0 ? (owner => 'owner of a unix socket that must not be given') : (),
    mode_bits => 'permissions of a unix socket',
    notation => '`^` notation of keys',
    characters => 'a key of several characters',
    'kill key' => 'kill key disabled',
    'long line' => 'lines, however long they are',
);

is_documented(\@general, \%documented);

my %default; # what theirs did without any odd value

# ---- runs of a child, to its end ----

# name => [options], differences
# The child goes on when all it printed was seen: procServ may lose what came just before the end.
my $until_go = 'until [ -e "$1/go" ]; do sleep 0.05; done';
my @child = ('/bin/sh', '-c', "ulimit -S -c; pwd; echo last; $until_go", 'sh', 'DIR');
# ours ends with one line, theirs goes on as if nothing was given, or as this says
sub refused {
    my ($id, $like, $theirs) = @_;
    return differs => [[$id, qr/\Aexit 1\nstdout:\nstderr:\n[^\n]*$like[^\n]*\n.*\z/s,
        defined $theirs ? $theirs : sub { $default{nothing} }]];
}

# theirs does not start either, and says so otherwise
sub at_start {
    my ($id, $code, $stderr) = @_;
    return differs => [[$id, qr/\Aexit 255\nstdout:\n.*could not execute.*\z/s,
        "exit $code\nstdout:\nstderr:\n${stderr}left:\nsockets:\n"]];
}

sub junk_signal {
    my ($signal) = @_;
    my $says = "procServ: invalid kill signal $signal (>31) - using default (9)\n";
    return sub { $default{nothing} =~ s/(stderr:\n)/$1$says/r };
}

my $no_dir = "No such file or directory";
my $no_child = "exit 0\nstdout:\n" . '@@@ Restarting child "/bin/sh"' . "\r\n"
    . '@@@ The PID of new child "/bin/sh" is: N' . "\r\n\@\@\@ \@\@\@ \@\@\@ \@\@\@ \@\@\@\r\n";
my $ended_255 = "\r\n\@\@\@ \@\@\@ \@\@\@ \@\@\@ \@\@\@\r\n"
    . "\@\@\@ Received a sigChild for process N. Normal exit status = 255\r\n";
my $bad_dir = sub {
    my ($dir) = @_;
    return "${no_child}procServ: child could not chdir to $dir, $no_dir\r\n"
        . "procServ: child could not execute: /bin/sh, $no_dir\r\n$ended_255";
};
my $rest = "\@\@\@ Current time: TIME\r\n\@\@\@ Child process is shutting down, auto restart is disabled\r\n"
    . "\@\@\@ ^R or ^X restarts the child, ^Q quits the server\r\nstderr:\n";

my @runs = (
    ['nothing', []],
    ['--allow', ['--allow'], differs => [['allow', qr/stderr:\n/, "stderr:\nprocServ: --allow not supported\n"]]],
    ['--coresize 0', ['--coresize', 0]],
    ['--coresize 2048', ['--coresize', 2048]],
    ['--coresize -1', ['--coresize', -1]],
    ['--coresize junk', ['--coresize', 'junk'], refused('number', qr/--coresize: 'junk'/)],
    ['-c /', ['-c', '/']],
    ['-c relative', ['-c', '../']],
    ['-c nowhere', ['-c', '/no/such/dir'], differs => [['chdir', qr/\A.*?(?=\@\@\@ Current)/s,
        sub { $bad_dir->('/no/such/dir') }], ['chdir', qr/stderr:\n/, "stderr:\n/no/such/dir: $no_dir\n"]]],
    ['-c empty', ['-c', ''], differs => [['chdir', qr/\A.*?(?=\@\@\@ Current)/s,
        sub { $bad_dir->('') }], ['chdir', qr/stderr:\n/, "stderr:\n$no_dir\n"]]],
    ['-e', ['-e', '/bin/echo'], differs => [['exec', qr{\(as /bin/echo\)}, '(as 0)']]],
    ['-e nothing', ['-e', '/no/such'], at_start('command', 22, "/no/such: $no_dir\n")],
    ['-e empty', ['-e', ''], at_start('command', 22, "$no_dir\n")],
    ['--holdoff 0', ['--holdoff', 0]],
    ['--holdoff -1', ['--holdoff', -1], refused('number', qr/--holdoff: '-1'/)],
    ['--holdoff 1.5', ['--holdoff', 1.5]],
    ['--holdoff junk', ['--holdoff', 'junk'], refused('number', qr/--holdoff: 'junk'/)],
    ['--killsig 15', ['--killsig', 15]],
    ['--killsig -9', ['--killsig', -9]],
    ['--killsig TERM', ['--killsig', 'TERM']],
    ['--killsig 0', ['--killsig', 0], refused('killsig', qr/--killsig: '0'/)],
    ['--killsig 31', ['--killsig', 31]],
    ['--killsig 32', ['--killsig', 32], differs => [['killsig', qr/\A.*\z/s, junk_signal(32)]]],
    ['--killsig 99', ['--killsig', 99], refused('killsig', qr/--killsig: '99'/, junk_signal(99))],
    ['-n', ['-n', 'ioc1']],
    ['-n with blanks', ['-n', ' my  ioc '], differs => [['name', qr/"my  ioc"/, '" my  ioc "']]],
    ['-n empty', ['-n', ''], differs => [
        ['name', qr{Restarting child "/bin/sh"\r\n}, "Restarting child \"\"\r\n\@\@\@    (as /bin/sh)\r\n"],
        ['name', qr{child "/bin/sh" is}, 'child "" is']]],
    ['-n of 64 bytes', ['-n', 'n' x 64], refused('name', qr/--name: 'n+' is too long/,
        sub { $default{'-n'} =~ s/ioc1/'n' x 64/ger })],
    ['-n of 39 bytes', ['-n', 'n' x 39]],
    ['-n UTF-8', ['-n', "\xc3\xa4"]],
    ['--timefmt', ['--timefmt', 'now']],
    ['--timefmt empty', ['--timefmt', ''], differs => [['timefmt', qr/Current time: \r\n/, 'Current time: N/A']]],
    ['--logstamp', ['--logstamp'], differs => [['brackets', qr/\[TIME\] /, 'TIME']]],
    ['--logstamp=', ['--logstamp=']],
    ['--logstamp=text', ['--logstamp=stamp ']],
    ['--logstamp and --timefmt', ['--logstamp', '--timefmt', 'now'],
        differs => [['brackets', qr/\[now\] /, 'now']]],
    ['--logstamp of 100 bytes', ['--logstamp=' . 's' x 100], differs => [['stamp', qr/s{100}/, 's' x 62]]],
    ['-q', ['-q']],
    ['--restrict', ['--restrict']],
    ['-l', ['-l', '0']],
    ['two -n', ['-n', 'one', '-n', 'two']],
    ['-p and -I', ['-p', 'DIR/pid', '-I', 'DIR/info2'], differs => [['pid file', qr/pid:\nN\n/, '']]],
    ['-p nowhere', ['-p', '/no/such/pid'], differs => [['pid file', qr/procServ: unable to open PID[^\n]*\n/, '']]],
    ['-p empty', ['-p', '']],
    ['-I nowhere', ['-I', '/no/such/info'],
        differs => [['info file', qr/procServ: unable to write info file[^\n]*\n/, '']]],
    ['-I empty', ['-I', '']],
    ['PROCSERV_PID', [], env => {PROCSERV_PID => 'envpid'}, differs => [['pid file', qr/envpid:\nN\n/, '']]],
    ['PROCSERV_PID empty', [], env => {PROCSERV_PID => ''}],
    ['no such command', [], cmd => ['/no/such/command'], at_start('command', 22, "/no/such/command: $no_dir\n")],
    ['a command that is not executable', [], cmd => ['/etc/passwd'], at_start('command', 0,
        "procServ: Error - Please change permissions on /etc/passwd to at least ---x--x--x\n"
            . "procServ is not able to continue without execute permission\n")],
    ['a folder as a command', [], cmd => ['/etc'],
        at_start('command', 0, "procServ: /etc is not a regular file\n")],
    ['a command found in PATH', [], cmd => ['sh', '-c', 'exit 0'],
        differs => [['path', qr/\A.*\z/s, "exit 22\nstdout:\nstderr:\nsh: $no_dir\nleft:\nsockets:\n"]]],
    ['a command without #!', [], cmd => ['DIR/script']],
    ['an exit status', [], cmd => ['/bin/sh', '-c', "echo last; $until_go; exit 3", 'sh', 'DIR'],
        differs => [['exit code', qr/exit 3\n/, "exit 0\n"]]],
    ['killed by a signal', [], cmd => ['/bin/sh', '-c', 'kill -SEGV $$']],
    ['-L a file', ['-L', 'DIR/log']],
);

sub start_run {
    my ($run) = @_;
    my ($name, $args, %o) = @$run;
    my @cmd = @{$o{cmd} || \@child};
    my @log = $o{no_log} ? () : ('-L', '-');
    my @endpoint = exists $o{endpoint} ? $o{endpoint} : 0;
    @endpoint = () if !defined $endpoint[0];
    return start_both(['-f', @log, '--noautorestart', @$args, @endpoint, @cmd], env => $o{env},
        before => sub {
            open(my $script, '>', "$_[0]/script") or die "script: $!";
            print $script "echo script\n";
            close $script;
            chmod 0755, "$_[0]/script";
        });
}

my $ended = qr/shutting down, auto restart is disabled\r\n(?:.*\n)*?.*quits the server\r\n/;
sub end_run {
    my ($one) = @_;
    my $proc = $one->{proc};
    my $last = qr/last\r\n|shutting down/;
    wait_for { !$proc->running || ($proc->stdout . file_text("$one->{dir}/log")) =~ $last } 10, 'its output';
    open(my $go, '>', "$one->{dir}/go") or die "go: $!";
    wait_for {
        my $text = $proc->stdout . file_text("$one->{dir}/log");
        return 1 if !$proc->running;
        return $text =~ $ended && ($one->{side} eq 'ours' || $text =~ /Received a sigChild/);
    } 10, 'the end of the child',
        sub { $proc->stdout . $proc->stderr };
    my %files = map { $_ => file_text("$one->{dir}/$_") } grep { -e "$one->{dir}/$_" } qw(pid info2 envpid log);
    $proc->signal('TERM');
    $proc->wait_exit(10);
    $files{sockets} = join ' ', map { s{.*/}{}r . sprintf ' %04o', (stat)[2] & 07777 } grep { -S } glob "$one->{dir}/*";
    $proc->signal('TERM');
    $proc->wait_exit(10);
    $files{left} = join ' ', sort grep { !/^(script|log|go)$/ } map { s{.*/}{}r } glob "$one->{dir}/*";
    return transcript($one, %files);
}

# procServ now and then loses what a child printed just before its end.  Then it is asked again.
my %last_words = ('-c nowhere' => qr/could not execute/, '-c empty' => qr/could not execute/,
    '-e' => qr/ulimit/, 'a command without #!' => qr/^script\r$/m);
sub asked_again {
    my ($case, $text, $start, $finish) = @_;
    for (1 .. 20) {
        return $text if !$last_words{$case->[0]} || $text =~ $last_words{$case->[0]};
        my $both = $start->($case);
        $finish->($both->{ours});
        $text = $finish->($both->{theirs});
    }
    return $text;
}

# Several at a time: procServ waits up to half a second before it does anything.
sub in_waves {
    my ($cases, $start, $finish) = @_;
    my @cases = @$cases;
    while (my @wave = splice @cases, 0, 8) {
        my @started = map { [$_, $start->($_)] } @wave;
        for (@started) {
            my ($case, $both) = @$_;
            my ($name, $args, %o) = @$case;
            my %text = map { $_ => $finish->($both->{$_}) } qw(ours theirs);
            $text{theirs} = asked_again($case, $text{theirs}, $start, $finish);
            $default{$name} = $text{theirs};
            compare($name, $text{ours}, $text{theirs}, @{$o{differs} || []});
        }
    }
}

subtest 'Runs of a child' => sub {
    in_waves(\@runs, \&start_run, \&end_run);
};

# ---- endpoints: the info file, PROCSERV_INFO, sockets ----

my @info = (cmd => ['/bin/sh', '-c', "echo \$PROCSERV_INFO; echo last; $until_go", 'sh', 'DIR']);
sub endpoint {
    my ($name, $endpoint, @more) = @_;
    return ["endpoint '$name'", ['-I', 'DIR/info2'], endpoint => $endpoint, @info, @more];
}
my ($user, $group) = (scalar getpwuid $>, scalar getgrgid $));
my @endpoints = (
    map({ endpoint($_, $_) } '0', '00', ' 0', '0 ', '127.0.0.1:0', '127.0.0.1 : 0', '0.0.0.0:0',
        '+0', 'unix:DIR/s', 'unix::::DIR/s', 'unix:::0600:DIR/s', "unix:$user:$group:0660:DIR/s", 'unix:@DIR/s',
        'unix:::0600:@DIR/s', 'unix:', 'unix:a:b', 'unix:a:b:c', ':0', 'x', '0x', '0:0', '1.2.3:0', ''),
    endpoint('127.0.0.2:0', '127.0.0.2:0', differs => [['loopback', qr/127\.0\.0\.2/, '127.0.0.1']]),
    endpoint('256.0.0.1:0', '256.0.0.1:0', refused('octet', qr/<256/, sub { $default{"endpoint '0'"} })),
    endpoint('unix:::4777:DIR/s', 'unix:::4777:DIR/s', refused('mode_bits', qr/permissions '4777'/,
        sub { $default{"endpoint 'unix:DIR/s'"} =~ s/s 0666/s 4777/r })),
    endpoint('unix:::abc:DIR/s', 'unix:::abc:DIR/s', refused('mode_bits', qr/permissions 'abc'/,
        sub { $default{"endpoint 'unix:DIR/s'"} =~ s/s 0666/s 0000/r })),
    ["four endpoints", ['-I', 'DIR/info2', '-P', 'unix:DIR/s', '-P', 'unix:@DIR/a', '-l', 0, '-P', 0],
        endpoint => undef, @info],
    ["two -l", ['-I', 'DIR/info2', '-l', 0, '-l', 'unix:DIR/log.sock'], @info],
    ["--restrict", ['-I', 'DIR/info2', '--restrict', '-l', 0], @info],
    ["-l of an address", ['-I', 'DIR/info2', '-l', '127.0.0.1:0'], @info],
);

# Only root may give a socket away.
push @endpoints, endpoint('unix:root:::DIR/s', 'unix:root:::DIR/s', differs => [['owner', qr/\Aexit 1\n.*\z/s,
    sub { $default{"endpoint 'unix:DIR/s'"} }]]) if $> != 0;

subtest 'Endpoints' => sub {
    in_waves(\@endpoints, \&start_run, \&end_run);
};

# ---- banners ----

# While the child waits for its first start: nothing depends on time.
my $help_line = qr/\@\@\@ \^R restarts the child, \^Q quits the server\r\n/;
my $help_cut = "\@\@\@ ^R or \r\n";
my $log_reason = qr/procServ: \S+ log file [^\n]*: No such file[^\n]*\n/;
my $chatter = [debug => undef, undef, qr/(?<=stdout:\n)Setting up.*?(?=stderr:\n)/s];
my @banners = (
    ['nothing else', []],
    map({ ["-k '$_'", ['-k', $_]] } '^A', '^Z', 'k', '^^', "\cA"),
    map({ ["-x '$_'", ['-x', $_]] } '', '^D', 'q', '^^'),
    map({ ["--autorestartcmd '$_'", ['--autorestartcmd', $_]] } '', '^B', 't'),
    map({ ["-i '$_'", ['-i', $_]] } '', '^D', 'abc', '^^'),
    ["-k ''", ['-k', ''], differs => [['kill key', $help_line, $help_cut]]],
    ["-k '^a'", ['-k', '^a'], differs => [['notation', qr/(Use|or) \^A/, '$1 ^']]],
    ["-k '^]'", ['-k', '^]'], differs => [['notation', qr/(Use|or) \^\]/, '$1 ^']]],
    ["-k 'XX'", ['-k', 'XX'], refused('characters', qr/'XX' is not one key/,
        sub { $default{"-k 'k'"} =~ s/(Use|or) k /$1 X /gr })],
    ["-i '^D^C^]'", ['-i', '^D^C^]']],
    ["all keys off", ['-k', '', '--autorestartcmd', '', '-x', ''],
        differs => [['kill key', $help_line, $help_cut]]],
    ['-n', ['-n', 'ioc1']],
    ['-n as the command', ['-n', '/bin/cat']],
    ['-c', ['-c', '/']],
    ['-c relative', ['-c', '..']],
    ['--noautorestart', ['--noautorestart']],
    ['-l', ['-l', '0']],
    ['--timefmt', ['--timefmt', 'now']],
    ['-L', ['-L', 'DIR/log']],
    ['-L -', ['-L', '-']],
    ['-L nowhere', ['-L', '/no/such/log'], differs => [['log file', $log_reason, '']]],
    ["-L ''", ['-L', ''], differs => [['no log', qr/stderr:\n/, "stderr:\nprocServ: unable to open log file \n"]]],
    ['-c of 400 bytes', ['-c', '/' . 'd' x 200 . '/' . 'e' x 200], differs => [
        ['long line', qr{/e+\r\n[^\n]*started as[^\n]*\n}, sub { $_[0] =~ m{(/e+)\@} ? $1 : '' }],
        ['chdir', undef, undef, qr{/d+/e+: No such[^\n]*\n}]]],
    ['-d', ['-d'], differs => [$chatter]],
    ['PROCSERV_DEBUG', [], env => {PROCSERV_DEBUG => ''}, differs => [$chatter]],
);

sub start_banner {
    my ($case) = @_;
    my ($name, $args, %o) = @$case;
    my @foreground = $name =~ /-d|DEBUG/ ? () : '-f';
    return start_both([@foreground, '-w', '-I', 'DIR/info', @$args, '-P', 0, '/bin/cat'], env => $o{env});
}

sub end_banner {
    my ($one) = @_;
    my $info;
    wait_for { !$one->{proc}->running || ($info = file_text("$one->{dir}/info")) =~ /^tcp.*\n\z/m } 10, 'the info file';
    my $banner = '';
    if ($one->{proc}->running) {
        my ($endpoint) = $info =~ /^(tcp:127\S+)\n\z/m;
        my $client = PsTest::Telnet->new($endpoint);
        wait_for { $client->options >= 2 } 10, 'the greeting', sub { $client->tell };
        $banner = $client->raw . "\n";
        $client->close;
        $one->{proc}->signal('TERM');
        $one->{proc}->wait_exit(10);
    }
    return transcript($one, banner => $banner);
}

subtest 'Banners' => sub {
    in_waves(\@banners, \&start_banner, \&end_banner);
};

all_seen();
done_testing();
