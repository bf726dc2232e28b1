#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# The build: what is installed holds nothing of the tests, and works where it is moved to.  A Base
# that cannot be used is named in one line.

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

deadman(400);
needs(!is_procserv() && -x program(), 'our program');
needs(PsTest::Ports::tool_dir(), "Base's tools");

my $top = top_dir();
my $dir = tmpdir();
my $copy = "$dir/copy";

# A build changes objects that lie beside the sources: in a copy, those under test stay what they are.
sub copy_tree {
    mkdir $copy or die "$copy: $!";
    my @files = grep { m{/(configure|include|dbd|procServApp|iocBoot|tests|Makefile)$} } glob "$top/*";
    is(system('cp', '-a', @files, $copy), 0, 'the tree is copied');
}

# make with these settings, to its end: (exit code, output).  As from a shell: `make runtests` leaves
# variables of its own in the environment.
sub make {
    my (@words) = @_;
    local %ENV = map { $_ => $ENV{$_} } grep { defined $ENV{$_} }
        qw(PATH HOME TMPDIR LANG EPICS_HOST_ARCH);
    my $proc = PsTest::Proc->start(cmd => ['make', '-s', '-j2', '-C', $copy, @words]);
    $proc->wait_exit(150) or BAIL_OUT('make does not end');
    return ($proc->exit_code, $proc->stdout . $proc->stderr);
}

sub installed {
    my ($where) = @_;
    my $list = `cd '$where' && find . -type f`;
    return sort map { s{^\./}{}r } split /\n/, $list;
}

copy_tree();

subtest 'What is installed' => sub {
    my ($code, $out) = make("INSTALL_LOCATION=$dir/first");
    is($code, 0, 'make INSTALL_LOCATION=...') or diag($out);
    is($out, '', 'in silence');
    my $expected = qr{^(?:bin/[^/]+/procServIoc | lib/[^/]+/lib(?:psCore|psCaRelay|procServ)\.(?:a|so)
        | dbd/(?:procServ(?:Ioc)?|psCaRelay)\.dbd | db/(?:ps\w+\.template|procServ\w*\.acf) | include/ps[A-Z]\w*\.h
        | man/man1/procServIoc\.1 | configure/RELEASE(?:\.\w+)*)$}x;
    ok(!-e $_, 'no link procServ') for map { "$_/procServ" } glob "$dir/first/bin/*";
    ($code, $out) = make("INSTALL_LOCATION=$dir/first", 'PROCSERV_LINK=YES');
    is($code, 0, 'make PROCSERV_LINK=YES') or diag($out);
    is(readlink, 'procServIoc', 'the link') for map { "$_/procServ" } glob "$dir/first/bin/*";
    my @files = installed("$dir/first");
    cmp_ok(scalar @files, '>=', 15, 'files');
    is_deeply([grep { !/$expected/ } @files], [], 'nothing else');
    my %there = map { $_ => 1 } map { s{^(bin|lib)/[^/]+/}{$1/}r } @files;
    ok($there{$_}, $_) for qw(bin/procServIoc lib/libpsCore.so lib/libprocServ.so dbd/procServ.dbd
        dbd/procServIoc.dbd db/psChild.template db/psSystem.template db/psCaRelay.template db/procServ.acf include/psSup.h include/psIoc.h
        include/psCaRelay.h include/psCaRelayEnv.h lib/libpsCaRelay.so dbd/psCaRelay.dbd
        man/man1/procServIoc.1);
};

subtest 'It is moved' => sub {
    my $ports = PsTest::Ports->new->apply;
    $ports->repeater; # or caget starts one that stays
    rename "$dir/first", "$dir/second" or die "$dir/second: $!";
    system 'rm', '-rf', $copy;
    my ($program) = glob "$dir/second/bin/*/procServIoc";
    local $ENV{PS_TEST_PROGRAM} = $program;
    my $version = PsTest::Proc->start(cmd => [$program, '--version']);
    ok($version->wait_exit(10), '--version ends');
    is($version->exit_code, 0, 'well') or diag($version->stderr);
    my $server = PsTest::Server->start(ioc => 1, name => 'MV', cmd => ['/bin/cat'],
        args => ['--ioc-env', 'EPICS_CAS_INTF_ADDR_LIST=127.0.0.1'])
        or BAIL_OUT('the program does not start');
    my %used = map { $_ => 1 } file_text('/proc/' . $server->pid . '/maps') =~ m{(/\S+/lib(?:ps|procS)\S+)}g;
    is_deeply([sort keys %used], [sort glob "$dir/second/lib/*/*.so"], 'with libraries of its own');
    my ($code, $out, $err) = tool('caget', '-t', '-w', 30, 'MV:PS:State');
    is("$code $out", "0 Running\n", 'and its records') or diag($err . $server->stderr);
    is($server->stop, 0, 'SIGTERM ends it');
};

subtest 'A Base without PVAccess' => sub {
    my $real = epics_base();
    my $fake = "$dir/base";
    mkdir $_ or die "$_: $!" for $fake, "$fake/dbd", $copy;
    for (grep { !m{/dbd$} } glob "$real/*") {
        symlink $_, $fake . s{.*/}{/}r or die "$_: $!";
    }
    for (grep { !m{/qsrv\.dbd$} } glob "$real/dbd/*") {
        symlink $_, "$fake/dbd" . s{.*/}{/}r or die "$_: $!";
    }
    is(system('cp', '-a', "$top/configure", "$top/Makefile", $copy), 0, 'the tree is copied');
    open(my $release, '>', "$copy/configure/RELEASE.local") or die "RELEASE.local: $!";
    print $release "EPICS_BASE = $fake\n";
    close $release;
    my ($code, $out) = make();
    isnt($code, 0, 'make fails');
    my @lines = split /\n/, $out;
    is(scalar @lines, 1, 'in one line') or diag($out);
    like($lines[0], qr/\Q$fake\E has no QSRV \(qsrv\.dbd missing .*: build that Base with/,
        'that says what is missing and what to do');
};

done_testing();
