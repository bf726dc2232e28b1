# SPDX-License-Identifier: EPICS
"""The supervisors that tools/bench compares: how each is started, watched and ended."""

import os
import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

START_SEC = 15
STOP_SEC = 5
SHARED = struct.Struct("7Q")
SHARED_NAMES = ("pid", "bytes", "longestNs", "writeSince", "begun", "ended", "floods")


class Failure(Exception):
    """A measurement that could not be made; the reason goes under the table."""


@dataclass
class Kind:
    """One column of the table."""

    key: str
    title: str
    program: Path
    style: str  # "procServ" or "pump": how its command line looks
    options: list = field(default_factory=list)
    ioc: bool = False


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def wait_for(what, condition, seconds):
    """The first true value of condition(); Failure after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"{what}: nothing within {seconds:g} s")
        time.sleep(0.005)
    return value


def cpu_seconds(pid):
    """CPU time of all threads of a process, in nanosecond resolution: its own CPU clock."""
    return time.clock_gettime((~pid << 3) | 2)


def settle(pid, quiet=0.4, seconds=10):
    """Wait until a process has used no CPU time to speak of for `quiet` seconds."""
    deadline = time.monotonic() + seconds
    before = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(quiet)
        used, before = cpu_seconds(pid) - before, cpu_seconds(pid)
        if used < 0.01 * quiet:
            return
    raise Failure(f"still busy after {seconds} s")


def free_port():
    """A port free for TCP and UDP on this host."""
    for _ in range(100):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
            except OSError:
                continue
            return tcp.getsockname()[1]
    raise Failure("no free port")


def epics_environment():
    """Loopback only, ports of its own: for one IOC and its clients."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("EPICS_")}
    for name in ("PROCSERV_PID", "PROCSERV_DEBUG", "NOTIFY_SOCKET"):
        env.pop(name, None)
    env.update(
        EPICS_CA_AUTO_ADDR_LIST="NO",
        EPICS_CA_ADDR_LIST="127.0.0.1",
        EPICS_CA_SERVER_PORT=str(free_port()),
        EPICS_CA_REPEATER_PORT=str(free_port()),
        EPICS_CAS_INTF_ADDR_LIST="127.0.0.1",
        EPICS_CAS_AUTO_BEACON_ADDR_LIST="NO",
        EPICS_CAS_BEACON_ADDR_LIST="127.0.0.1",
        EPICS_PVA_AUTO_ADDR_LIST="NO",
        EPICS_PVA_ADDR_LIST="127.0.0.1",
        EPICS_PVA_SERVER_PORT=str(free_port()),
        EPICS_PVA_BROADCAST_PORT=str(free_port()),
        EPICS_PVAS_INTF_ADDR_LIST="127.0.0.1",
        EPICS_PVAS_AUTO_BEACON_ADDR_LIST="NO",
        EPICS_PVAS_BEACON_ADDR_LIST="127.0.0.1",
    )
    return env


def end_process(process, first=signal.SIGTERM, seconds=3):
    """End a process of ours: politely, then for sure."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Shared:
    """What a child of ours publishes (child.c: benchShared)."""

    def __init__(self, path):
        self.path = path

    def read(self):
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        if len(data) != SHARED.size:
            data = bytes(SHARED.size)
        return dict(zip(SHARED_NAMES, SHARED.unpack(data)))

    def pid(self):
        return self.read()["pid"]

    def longest_write(self):
        """The child's longest write, ns, one that hangs now included."""
        now = now_ns()
        state = self.read()
        return max(state["longestNs"], now - state["writeSince"] if state["writeSince"] else 0)


class Server:
    """One supervisor with one child, in a folder of its own; a context manager."""

    def __init__(self, kind, child, folder, extra=()):
        self.kind = kind
        self.folder = Path(folder)
        self.shared = Shared(self.folder / "shared")
        self.stamps = self.folder / "stamps"
        self.env = epics_environment()
        self.info = self.folder / "info"
        self.children = [self.shared]
        self.argv = self.command_line([str(word) for word in child], list(extra))
        self.process = None

    def command_line(self, child, extra):
        program = str(self.kind.program)
        if self.kind.style == "pump":
            return [program, str(self.info), *child]
        return [program, "-f", "-q", "--holdoff", "0", "-n", "bench", "-I", str(self.info),
                "-P", "0", *self.kind.options, *extra, *child]

    def __enter__(self):
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.env)
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def wait_ready(self):
        wait_for("start of the supervisor", self.has_started, START_SEC)
        wait_for("start of the child", self.shared.pid, START_SEC)
        settle(self.process.pid)

    def has_started(self):
        if self.process.poll() is not None:
            said = (self.folder / "out").read_text(errors="replace").strip()[-200:]
            raise Failure(f"the supervisor ended with {self.process.returncode}: {said}")
        return self.port()

    def port(self):
        try:
            lines = self.info.read_text().splitlines()
        except FileNotFoundError:
            return None
        ports = [line.rsplit(":", 1)[1] for line in lines if line.startswith("tcp:")]
        return ports[-1] if ports else None

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def go(self):
        os.kill(self.shared.pid(), signal.SIGUSR2)

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        if self.process:
            end_process(self.process)
        self.end_child()

    def watch(self, children):
        """More children that must be gone in the end."""
        self.children += children

    def end_child(self):
        """A supervisor that had to be killed would leave its children running, but not here."""
        for shared in self.children:
            pid = shared.pid()
            if pid and is_ours(pid, shared.path):
                os.kill(pid, signal.SIGKILL)

    def pv(self, suffix):
        return f"bench:PS:{suffix}"


def is_ours(pid, shared_path):
    """Is the process with this pid still the child that was given this file?"""
    try:
        return os.fsencode(shared_path) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def keep_core_dumps_away():
    """A child that is killed on purpose must leave nothing on the disk."""
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
