#!/usr/bin/env perl
# SPDX-License-Identifier: EPICS
# --script runs an IOC shell script, and leaves nothing of its own in the working directory.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../lib";

use Test::More;
use PsTest;
use PsTest::Ports;
use PsTest::Server;

deadman(60);
needs(!is_procserv() && -x program(), 'our program');

my $ports = PsTest::Ports->new->apply;
delete $ENV{EPICS_IOCSH_HISTFILE};
my $dir = tmpdir() . '/cwd';
mkdir $dir or die "$dir: $!";
open(my $script, '>', "$dir/st.cmd") or die "$dir/st.cmd: $!";
print $script "epicsEnvSet WORD done\necho \$(WORD) > $dir/ran\n";
close $script or die "$dir/st.cmd: $!";

my $server = PsTest::Server->start(
    ioc => 1, name => 'S', cmd => ['/bin/cat'], dir => $dir,
    args => [$ports->ours, '--script', 'st.cmd'])
    or BAIL_OUT('the program does not start');
ok((wait_for { file_text("$dir/ran") eq "done\n" } 30, 'what the script writes',
    sub { $server->log_text . $server->stderr }), 'the script runs');
$server->stop; # the IOC shell writes its history when the script ends
opendir(my $handle, $dir) or die "$dir: $!";
is_deeply([sort grep { !/^\.\.?$/ } readdir $handle], ['ran', 'st.cmd'], 'it leaves no history file');

done_testing();
