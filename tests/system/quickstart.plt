#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
#
# ./quickstart --tour: the tour that a new user is given does what it says, and leaves nothing.

use strict;
use warnings;
use FindBin;
use Test::More;

my $top = "$FindBin::Bin/../../..";
plan skip_all => 'needs the program' unless glob "$top/bin/*/procServIoc";
plan tests => 3;

$SIG{ALRM} = sub { BAIL_OUT('the tour takes more than 3 minutes') };
alarm 180;
my @tour = `'$top/quickstart' --no-install --no-build --tour 2>&1`;
my $status = $?;
alarm 0;
is($status, 0, 'tour_OnLoopback_EndsWithStatus0') or diag(@tour);
cmp_ok(scalar(grep { /^ok / } @tour), '>=', 20, 'its steps were made');
is_deeply([grep { /^FAILED/ } @tour], [], 'none of them failed');
