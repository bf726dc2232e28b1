# SPDX-License-Identifier: EPICS
# Shell functions shared by quickstart, check and the scripts in tools/.  Source it, do not run it.
# shellcheck shell=bash

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/procServIoc

# The EPICS Base we build where there is none.  BASE_RECIPE is raised when it is built differently.
BASE_VERSION=7.0.8.1
BASE_RECIPE=1

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
    warn "$*"
    exit 1
}

# Is $1 a folder with a built EPICS Base?
isBase() {
    [ -n "${1:-}" ] && [ -f "$1/configure/CONFIG_BASE_VERSION" ] && [ -d "$1/dbd" ] && [ -d "$1/bin" ]
}

# Folder of the cached Base for this kind of machine; a shared home may serve several.
cachedBaseDir() {
    local id=linux ver=
    if [ -r /etc/os-release ]; then
        # shellcheck disable=SC1091
        id=$(. /etc/os-release && echo "${ID:-linux}")
        # shellcheck disable=SC1091
        ver=$(. /etc/os-release && echo "${VERSION_ID:-}")
    fi
    echo "$CACHE/base-$BASE_VERSION-$id$ver-$(uname -m)-r$BASE_RECIPE"
}

# EPICS_BASE as configure/RELEASE.local names it, or nothing
baseOfRelease() {
    local f=$TOP/configure/RELEASE.local
    [ -f "$f" ] || return 0
    sed -n 's/^[[:space:]]*EPICS_BASE[[:space:]]*[:?]\{0,1\}=[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*$/\1/p' "$f" |
        tail -n 1
}

# The Base in use: environment, configure/RELEASE.local, cache; nothing if there is none.
findBase() {
    local b
    if [ -n "${EPICS_BASE:-}" ]; then
        isBase "$EPICS_BASE" || die "EPICS_BASE=$EPICS_BASE is not a built EPICS Base"
        echo "$EPICS_BASE"
        return
    fi
    b=$(baseOfRelease)
    if [ -n "$b" ] && isBase "$b"; then
        echo "$b"
        return
    fi
    b=$(cachedBaseDir)
    if [ -f "$b/.complete" ]; then
        echo "$b"
    fi
}

# EPICS_HOST_ARCH of the Base in $1
hostArch() {
    if [ -n "${EPICS_HOST_ARCH:-}" ]; then
        echo "$EPICS_HOST_ARCH"
    elif [ -f "$1/lib/perl/EpicsHostArch.pl" ]; then
        perl "$1/lib/perl/EpicsHostArch.pl"
    else
        perl "$1/startup/EpicsHostArch.pl"
    fi
}

# How many jobs make may run: at most 2 unless PS_JOBS says otherwise; others work here too.
makeJobs() {
    local n
    n=$(nproc 2>/dev/null || echo 1)
    [ "$n" -le 2 ] || n=2
    echo "${PS_JOBS:-$n}"
}

# Build with make, arguments $@ (targets, settings); quietly, the log is printed if it fails.
build() {
    local log=$TOP/O.build.log t0=$SECONDS
    say "Building procServIoc ..."
    if ! make -C "$TOP" -j"$(makeJobs)" "$@" >"$log" 2>&1; then
        grep -E 'error|warning|undefined|\*\*\*' "$log" | head -n 40 >&2 || true
        die "the build failed; the whole log is in $log"
    fi
    say "Built after $((SECONDS - t0)) s."
}

# freePort ADDRESS...: print a port number that is free there and on all of them, UDP and TCP
freePort() {
    perl -MIO::Socket::INET -e '
        TRY: for (1 .. 100) {
            my ($port, @held) = (0);
            for my $addr (@ARGV) {
                for my $proto ("tcp", "udp") {
                    my $s = IO::Socket::INET->new(LocalAddr => $addr, LocalPort => $port,
                        Proto => $proto, $proto eq "tcp" ? (Listen => 1) : ()) or next TRY;
                    $port = $s->sockport;
                    push @held, $s;
                }
            }
            print "$port\n";
            exit 0;
        }
        exit 1' "$@"
}

# isFreePort PORT ADDRESS...: is it free there, UDP and TCP?
isFreePort() {
    perl -MIO::Socket::INET -e '
        my ($port, @addrs) = @ARGV;
        for my $addr (@addrs) {
            IO::Socket::INET->new(LocalAddr => $addr, LocalPort => $port, Proto => "tcp",
                Listen => 1, ReuseAddr => 1) or exit 1;
            IO::Socket::INET->new(LocalAddr => $addr, LocalPort => $port, Proto => "udp")
                or exit 1;
        }' "$@"
}
