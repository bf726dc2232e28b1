# SPDX-License-Identifier: EPICS
package PsTest::SideBySide;

# Our program beside the procServ that is installed.  Both get the same command lines and the same
# typing; what they print must be the same but for the differences that a test names.
#
# A difference is [id, pattern of ours, what theirs has instead]: all of ours that matches is
# replaced; a sub is called with theirs.  Or it is [id, undef, undef, pattern of what only theirs has]: that is removed.  Then both
# must be equal.  A difference that is not there any more is a failure, and
# so is one whose id is not in the table of phrases that docs/migrating.md must contain.

use strict;
use warnings;

use Exporter qw(import);
use PsTest;
use PsTest::Proc;
use PsTest::Telnet;
use Test::More;

our @EXPORT = qw(theirs start_both both_do compare is_documented all_seen transcript);

our @sides = qw(ours theirs);
my ($theirs) = grep { -x } '/usr/bin/procServ', '/usr/local/bin/procServ';
my $count = 0;
my (%phrases, @general, %seen);

# The installed procServ of a version that these tests know, or the script is skipped.
sub theirs {
    needs($theirs, 'procServ to compare with: install the package procserv');
    my $version = `$theirs -V`;
    needs($version =~ /^procServ Process Server 2\.7\./, "procServ 2.7, this is $version");
    return $theirs;
}

# Give the differences that appear everywhere, and the phrase of the manual for each id.
sub is_documented {
    my ($general, $ids) = @_;
    @general = @$general;
    %phrases = %$ids;
    my $page = file_text(top_dir() . '/docs/migrating.md');
    ok(index($page, $phrases{$_}) >= 0, "migrating.md has '$phrases{$_}'") for sort keys %phrases;
}

# To be called at the end: each difference that the table has was there.
sub all_seen {
    ok($seen{$_}, "the difference '$_' is still there") for sort keys %phrases;
}

# What both print of their own: process numbers, times, paths and ports.
sub normal {
    my ($text, $one) = @_;
    $text =~ s/\Q$one->{dir}\E/DIR/g;
    $text =~ s/\((?:procServ Process Server )[^)]*\)/(VERSION)/g;
    $text =~ s/(process |PID: |is: |PID=|pid:|process: )\d+/$1N/g;
    $text =~ s/^((?:env)?pid:\n)\d+$/$1N/mg;
    $text =~ s/(tcp:[\d.]+):[1-9]\d*/$1:PORT/g;
    $text =~ s/\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}/TIME/g;
    # procServ's order depends on what it sees first
    my $line = qr/[^\n@]*\@\@\@ /; # with a stamp before it
    my $gone = qr/${line}Current\ time:\ (?:[^\n@]*\n|N\/A)
        ${line}Child\ process\ is\ shutting\ down[^\n]*\n(?:${line}\^R\ or[^\n]*\n)?/x;
    my $reaped = qr/[^\n@]*\r\n${line}\@\@\@ \@\@\@ \@\@\@ \@\@\@\r\n${line}Received a sigChild[^\n]*\n/;
    $text =~ s/($gone)($reaped)/$2$1/g;
    return $text;
}

# Start both with these words after the program, each in a folder of its own, with what PsTest::Proc
# takes.  terminal => class: by that instead of PsTest::Proc.  A word FILE... is that file there.
# Returns {ours => one, theirs => one}.
sub start_both {
    my ($args, %o) = @_;
    my %both;
    my $number = ++$count;
    for my $side (@sides) {
        my $dir = tmpdir() . "/both$number-$side";
        mkdir $dir or die "$dir: $!";
        $o{before}->($dir) if $o{before};
        my @words = map { s/DIR/$dir/gr } @$args;
        my @program = $side eq 'ours' ? (program(), '--no-ioc') : ($theirs);
        my $class = $o{class} || 'PsTest::Proc';
        my $proc = $class->start(dir => $dir, stdin => $o{stdin},
            cmd => ['/bin/bash', '-c', 'exec -a procServ "$0" "$@"', @program, @words],
            env => {PROCSERV_PID => undef, PROCSERV_DEBUG => undef, LC_ALL => 'C', TZ => 'UTC',
                %{$o{env} || {}}});
        $both{$side} = {proc => $proc, dir => $dir, side => $side, clients => {}, order => []};
    }
    return \%both;
}

# Call a sub for each side.
sub both_do(&$) {
    my ($what, $both) = @_;
    $what->($both->{$_}) for @sides;
}

# What is equal for both: the exit code, what was printed, and what the caller adds as name => text.
sub transcript {
    my ($one, %more) = @_;
    my $text = 'exit ' . $one->{proc}->exit_code . "\n";
    $text .= "stdout:\n" . $one->{proc}->stdout . "stderr:\n" . $one->{proc}->stderr;
    $text .= "$_:\n$more{$_}" for sort keys %more;
    return normal($text, $one);
}

# Are the two transcripts equal, but for the general differences and these?
sub compare {
    my ($name, $ours, $theirs, @differences) = @_;
    for my $difference (@general) {
        my ($id, $pattern, $text) = @$difference;
        $seen{$id} = 1 if $ours =~ s/$pattern/expand($text, $1)/ge;
    }
    for my $difference (@differences) {
        my ($id, $pattern, $text, $only_theirs) = @$difference;
        die "$name: no phrase for $id" if !exists $phrases{$id};
        if ($only_theirs ? $theirs =~ s/$only_theirs//g : $ours =~ s/$pattern/expand($text, $1, $theirs)/ge) {
            $seen{$id} = 1;
        } else {
            fail("$name: the difference '$id' is gone: take it out of this test and of migrating.md");
        }
    }
    return pass($name) if $ours eq $theirs;
    fail($name);
    my @ours = split /(?<=\n)/, PsTest::printable($ours);
    my @theirs = split /(?<=\n)/, PsTest::printable($theirs);
    while (@ours && @theirs && $ours[0] eq $theirs[0]) {
        shift @ours;
        shift @theirs;
    }
    while (@ours && @theirs && $ours[-1] eq $theirs[-1]) {
        pop @ours;
        pop @theirs;
    }
    diag("ours:\n", map({ "  $_" } @ours), "\ntheirs:\n", map { "  $_" } @theirs);
    return 0;
}

sub expand {
    my ($text, $group, $theirs) = @_;
    return $text->($theirs) if ref $text;
    $text =~ s/\$1/$group/;
    return $text;
}

1;
