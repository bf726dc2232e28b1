#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# A test that cannot run here is skipped, and is no failure; but where nothing may be skipped it is.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Proc;

deadman(60);
my $dir = tmpdir();
my $lib = "$FindBin::Bin/../../lib";
$lib = "$FindBin::Bin/../lib" unless -d "$lib/PsTest";

# Base's CA.pm without the library that belongs to it
mkdir $_ or die "$_: $!" for "$dir/lib", "$dir/lib/perl";
open(my $module, '>', "$dir/lib/perl/CA.pm") or die "CA.pm: $!";
print $module "package CA;\nEND { CA->context_destroy; }\nrequire Cap5;\n1;\n";
close $module;

sub run {
    my (%env) = @_;
    my $proc = PsTest::Proc->start(env => {EPICS_BASE => $dir, %env},
        cmd => [$^X, "-I$lib", '-MTest::More', '-MPsTest::PV', '-e', 'needs_ca; ok(1); done_testing']);
    $proc->wait_exit(20);
    return $proc;
}

my $skipped = run(PS_TEST_STRICT => undef);
is($skipped->exit_code, 0, 'a test without what it needs is no failure') or diag($skipped->stderr);
is($skipped->stdout, "1..0 # SKIP needs Base's CA.pm: Can't locate Cap5.pm\n", 'it is skipped');

my $failed = run(PS_TEST_STRICT => 1);
isnt($failed->exit_code, 0, 'where nothing may be skipped it is');
like($failed->stdout, qr/^Bail out! .* needs Base's CA\.pm: Can't locate Cap5\.pm$/m, 'and says why');

done_testing();
