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
use Time::HiRes qw(time);

our @EXPORT = qw(theirs start_both compare is_documented all_seen transcript);

our @sides = qw(ours theirs);
my ($theirs) = grep { -x } '/usr/bin/procServ', '/usr/local/bin/procServ';
my $count = 0;
my (%phrases, @general, %seen);

# The installed procServ of a version that these tests know, or the script is skipped.
sub theirs {
    needs($theirs, 'procServ to compare with: install the package procserv');
    my $version = `$theirs -V`;
    chomp $version;
    plan(skip_all => "the differences are those of procServ 2.7, this is $version") if $version !~ / 2\.7\./;
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
        $both{$side} = {proc => $proc, dir => $dir, side => $side, clients => {}};
    }
    return \%both;
}

# What is equal for both: the exit code, what was printed, and what the caller adds as name => text.
sub transcript {
    my ($one, %more) = @_;
    my $text = 'exit ' . $one->{proc}->exit_code . "\n";
    $text .= "stdout:\n" . $one->{proc}->stdout . "stderr:\n" . $one->{proc}->stderr;
    $text .= "$_:\n$more{$_}" for sort keys %more;
    return normal($text, $one);
}

# ---- both with a console, step by step ----

# Start both with these options, a log, and this child; waits for their endpoints.
sub console_both {
    my ($class, $args, $cmd, %o) = @_;
    my @log = grep { $_ eq '-L' } @$args;
    my $self = bless {both => start_both(['-f', '-I', 'DIR/info', @log ? () : ('-L', 'DIR/log'), @$args, '-P', 0,
            @$cmd], %o)}, $class;
    for my $one ($self->each) {
        wait_for { !$one->{proc}->running || file_text("$one->{dir}/info") =~ /^tcp:127\S+\n\z/m } 10,
            "the info file of $one->{side}", sub { $one->{proc}->stderr };
    }
    return $self;
}

sub each { return @{$_[0]{both}}{@sides}; }

# Connect a client of this name to the control endpoint, or to the log endpoint; after the greeting.
sub attach {
    my ($self, $name, %o) = @_;
    for my $one ($self->each) {
        my @endpoints = grep { /^(tcp|unix):/ } split /\n/, file_text("$one->{dir}/info");
        my $client = PsTest::Telnet->new($endpoints[$o{log} ? 0 : -1]) or next;
        $one->{clients}{$name} = $client;
        wait_for { $client->options >= 2 } 10, "$one->{side}: the greeting", sub { $client->tell };
        $client->{pos} = length $client->{text};
    }
}

# Type the same into both, or to each its own.
sub type {
    my ($self, $name, $ours, $theirs) = @_;
    for my $one ($self->each) {
        my $bytes = $one->{side} eq 'theirs' && defined $theirs ? $theirs : $ours;
        $one->{clients}{$name}->send_raw($bytes) if length $bytes;
    }
}

# Wait until both print this, after what was seen before.
sub see {
    my ($self, $name, $pattern) = @_;
    for my $one ($self->each) {
        ok($one->{clients}{$name}->expect($pattern), "$one->{side}: seen: $pattern");
    }
}

# Both close this connection.
sub closed {
    my ($self, $name) = @_;
    ok($_->{clients}{$name}->closed_by_peer(10), "$_->{side}: closes the connection of $name") for $self->each;
}

# Wait until the log of both matches.
sub logged {
    my ($self, $pattern) = @_;
    for my $one ($self->each) {
        ok(wait_for(sub { file_text("$one->{dir}/log") =~ $pattern }, 10, "$one->{side}: log: $pattern",
                sub { file_text("$one->{dir}/log") }), "$one->{side}: logged: $pattern");
    }
}

sub signal { my ($self, $name) = @_; $_->{proc}->signal($name) for $self->each; }

sub ends { my ($self) = @_; ok($_->{proc}->wait_exit(15), "$_->{side}: ends") for $self->each; }

# What was seen until now must be equal, but for these differences; then both end, if they have not.
# The log may be a little behind, since a thread of its own writes ours, and one client behind another.
sub same {
    my ($self, $name, @differences) = @_;
    my @seen;
    my $look = sub {
        my @all;
        for my $one ($self->each) {
            push @seen, {seen($one)};
            my %text = %{$seen[-1]};
            push @all, normal(join('', map { "$_:\n$text{$_}" } sort keys %text), $one);
        }
        @seen = @seen[-2, -1];
        my ($ours, $theirs) = replaced(@all, @differences);
        return $ours eq $theirs;
    };
    my $end = time + scaled(2);
    PsTest::pump(0.02) until $look->() || time > $end;
    my @text;
    for my $one ($self->each) {
        $one->{proc}->signal('TERM');
        $one->{proc}->wait_exit(15);
        push @text, transcript($one, %{shift @seen});
    }
    return compare($name, @text, @differences);
}

sub seen {
    my ($one) = @_;
    my %clients = %{$one->{clients}};
    return (log => file_text("$one->{dir}/log") . "\n",
        map { $_ => $clients{$_}->raw =~ s/(\xff\xfd")/$1\n/r . "\n" } keys %clients);
}

# Ours with all that differs replaced, theirs, and whether each of these differences was there
sub replaced {
    my ($ours, $theirs, @differences) = @_;
    my @there;
    for my $difference (@general, @differences) {
        my (undef, $pattern, $text, $only_theirs) = @$difference;
        push @there, $only_theirs ? scalar $theirs =~ s/$only_theirs//g
            : scalar $ours =~ s/$pattern/expand($text, $1, $theirs)/ge;
    }
    return ($ours, $theirs, @there);
}

# Are the two transcripts equal, but for the general differences and these?
sub compare {
    my ($name, $ours, $theirs, @differences) = @_;
    ($ours, $theirs, my @there) = replaced($ours, $theirs, @differences);
    for my $number (0 .. $#there) {
        my ($id) = @{(@general, @differences)[$number]};
        die "$name: no phrase for $id" if !exists $phrases{$id};
        $seen{$id} = 1 if $there[$number];
        fail("$name: the difference '$id' is gone: take it out of this test and of migrating.md")
            if !$there[$number] && $number >= @general;
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
