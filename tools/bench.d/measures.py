# SPDX-License-Identifier: EPICS
"""What tools/bench measures.  Each measure takes a Bench and a Kind, and returns {row: value}.

A value is a number in the row's unit, or a text that says why there is none.
"""

import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack

from servers import STOP_SEC, Failure, Shared, now_ns, settle, wait_for

LINE_BYTES = 80
STAMP_BYTES = 22
MB = 1e6
BURSTS = (100, 10)  # full run, quick run


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def stamps(path, kind):
    """The instants that the child noted with this letter, ns."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [int(line[2:]) for line in lines if line.startswith(kind)]


def wait_lives(server, lives, seconds):
    """Wait until the child has begun the life after the last that counts."""
    size = (2 * lives + 1) * STAMP_BYTES

    def reached():
        return server.stamps.exists() and server.stamps.stat().st_size >= size

    wait_for(f"{lives} restarts", reached, seconds)


# ---- restarts ----

def restart(bench, kind):
    """From the child's last instruction to the first of the next."""
    lives = bench.size(10, 4) if kind.key == "procserv" else bench.size(40, 20)
    with bench.server(kind, "die", "STAMPS", lives, 20) as server:
        server.go()
        wait_lives(server, lives, 30)
        deaths, starts = stamps(server.stamps, "D"), stamps(server.stamps, "S")
    return {"restart": median([s - d for d, s in zip(deaths, starts[1:])]) / 1e6}


def burst(bench, kind):
    """A child writes 64 KiB and exits at once, again and again: what a client does not get."""
    lives, size = bench.size(*BURSTS), 65536
    expected = lives * (size // LINE_BYTES)
    with bench.server(kind, "burst", "STAMPS", lives, size) as server:
        got = run_load(bench, server, 1, -1, 90)
    if not got["complete"]:
        raise Failure(f"not done in 90 s: {got['lines']} of {expected} lines came")
    return {"burst": (expected - got["lines"]) * LINE_BYTES / 1e3}


def sigterm(bench, kind):
    """From SIGTERM to the end of the supervisor, its child running."""
    with bench.server(kind, "idle") as server:
        begin = now_ns()
        server.process.terminate()
        try:
            server.process.wait(STOP_SEC)
        except subprocess.TimeoutExpired:
            return {"sigterm": f"over {STOP_SEC * 1000}"}
        return {"sigterm": (now_ns() - begin) / 1e6}


# ---- throughput ----

def run_load(bench, server, clients, rate, deadline):
    """Let clients read one flood (load.c); its report as a dictionary of numbers."""
    words = [bench.helper("load"), server.port(), server.shared.pid(), clients, rate,
             int(deadline * 1000)]
    text = bench.run(words, deadline + 20)
    return {name: int(value) for name, value in (word.split("=") for word in text.split())}


def flood(bench, kind, size, clients=1, rate=-1, deadline=20, extra=(), text=None):
    """One flood of `size` bytes: the report, and what child and server say to it.

    With `text`, a CA client monitors that PV meanwhile; its updates are counted.
    """
    size -= size % LINE_BYTES
    with ExitStack() as stack:
        server = stack.enter_context(bench.server(kind, "flood", size, extra=extra))
        if text:
            stack.enter_context(bench.repeater(server))
            updates = stack.enter_context(bench.monitor(server, text, "text"))
        cpu = server.cpu()
        got = run_load(bench, server, clients, rate, deadline)
        got["cpu"] = server.cpu() - cpu
        got["longest"] = server.shared.longest_write() / 1e6
        if not got["complete"]:
            got["longest"] = f"over {got['longest']:.0f}"  # it ended with the clients only
        got["written"] = server.shared.read()["bytes"]
        got["expected"] = size // LINE_BYTES
        got["mbps"] = got["lines"] * LINE_BYTES / MB / (got["elapsed"] / 1e9)
        got["lost"] = (got["expected"] - got["lines"]) * LINE_BYTES
        got["updates"] = len(updates.read_text().splitlines()) if text else 0
    return got


def throughput(clients, full, quick):
    """Clients that all read: MB/s each, CPU seconds for each GB that the child writes."""

    def measure(bench, kind):
        got = flood(bench, kind, bench.size(full, quick), clients, deadline=30)
        row = f"clients{clients}"
        cpu = got["cpu"] / (got["written"] / 1e9) if got["written"] else "nothing written"
        return {row: got["mbps"], row + "cpu": cpu,
                row + "lost": got["lost"] / 1e3 if got["complete"] else "not done in time"}

    return measure


def slow_reader(rate, full, quick, deadlines):
    """A good client beside one that reads `rate` MB/s."""

    def measure(bench, kind):
        deadline = bench.size(*deadlines)
        got = flood(bench, kind, bench.size(full, quick), rate=int(rate * MB), deadline=deadline)
        row = f"beside{rate}"
        values = {row: got["mbps"], row + "write": got["longest"]}
        late = "not done in time"
        values[row + "lost"] = got["lost"] / 1e3 if got["complete"] else late
        if rate:
            lost = (got["expected"] - got["slow_lines"]) * LINE_BYTES / MB
            values[row + "slowlost"] = lost if got["slow_complete"] else late
        return values

    return measure


def out_monitored(bench, kind):
    """One client, and a CA client that monitors the console's text; beside it one flood without."""
    size = bench.size(100_000_000, 50_000_000)
    alone = flood(bench, kind, size)
    watched = flood(bench, kind, size, text="Out")
    if watched["updates"] < 2:
        raise Failure("Out was not updated")
    return {"out": watched["mbps"], "outratio": watched["mbps"] / alone["mbps"]}


def paced(bench, kind):
    """CPU of a supervisor whose child prints 1 MB/s; with an IOC also while Out is monitored."""
    seconds = bench.size(20, 6)

    def share(text=None):
        with ExitStack() as stack:
            server = stack.enter_context(bench.server(kind, "pace", int(MB)))
            if text:
                stack.enter_context(bench.repeater(server))
                stack.enter_context(bench.monitor(server, text, "text"))
            time.sleep(2)  # its start is over
            before, since = server.cpu(), time.monotonic()
            time.sleep(seconds)
            return 100 * (server.cpu() - before) / (time.monotonic() - since)

    values = {"paced": share()}
    if kind.key == "ioc":
        values["pacedout"] = share("Out")
    return values


def log_to_disk(bench, kind):
    """One client, and a log file on a disk; the log must be whole."""
    with bench.folder() as folder:
        log = folder / "log"
        got = flood(bench, kind, bench.size(30_000_000, 4_000_000), deadline=30,
                    extra=["-L", str(log)])
        whole = count_lines(log)
    return {"disk": got["mbps"], "diskcpu": got["cpu"] / (got["written"] / 1e9),
            "disklost": (got["expected"] - whole) * LINE_BYTES / 1e3}


def count_lines(path):
    """Whole lines of the flood in a log file."""
    with open(path, "rb") as file:
        return sum(1 for line in file if len(line) in (80, 81) and line[:1] == b"L")


def stalled_log(bench, kind):
    """One client, and a log on a disk that takes nothing: a FIFO that nobody empties."""
    with bench.folder() as folder:
        log = folder / "log"
        os.mkfifo(log)
        reader = os.open(log, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            got = flood(bench, kind, bench.size(30_000_000, 10_000_000), deadline=bench.size(5, 3),
                        extra=["-L", str(log)])
        finally:
            os.close(reader)
    return {"stalled": got["mbps"], "stalledwrite": got["longest"]}


# ---- keys ----

def type_keys(bench, server, count):
    text = bench.run([bench.helper("keys"), server.port(), count, 2000], 30)
    times = [int(word) for word in text.split()]
    if -1 in times:
        raise Failure(f"{times.count(-1)} keys without an echo")
    return [t / 1e3 for t in times]


def keys(bench, kind):
    """One client types to a child that echoes."""
    with bench.server(kind, "echo") as server:
        times = type_keys(bench, server, bench.size(500, 200))
    return {"key": median(times), "key99": percentile(times, 0.99)}


# ---- what it costs to be there ----

def memory(pid):
    """(private, resident) MB of a process.

    Private is what it has written to.  Pages of program files are left out: whether they count as
    private depends on who else runs the same program or library at the moment.
    """
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        sizes = dict(re.findall(r"^(\w+): +(\d+) kB", file.read(), re.MULTILINE))
    return int(sizes["Private_Dirty"]) * 1024 / MB, int(sizes["Rss"]) * 1024 / MB


def wakeups(pid):
    """How often the threads of a process have waited so far."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(),
                                   re.MULTILINE)[1])
    return total


def resident(bench, kinds):
    """Memory and wakeups of idle supervisors, all watched in the same seconds."""
    seconds = bench.size(10, 5)
    beacons = bench.size(30, 8)  # a CA server's become rare only after a while
    values = {}
    with ExitStack() as stack:
        servers = {}
        for kind in kinds:
            try:
                servers[kind.key] = stack.enter_context(bench.server(kind, "idle"))
            except Failure as failure:
                bench.note("memory, wakeups", kind, failure)
        time.sleep(beacons)
        before = {key: wakeups(server.process.pid) for key, server in servers.items()}
        begin = time.monotonic()
        time.sleep(seconds)
        for key, server in servers.items():
            pid = server.process.pid
            rate = (wakeups(pid) - before[key]) / (time.monotonic() - begin)
            private, rss = memory(pid)
            values[key] = {"wakeups": rate, "private": private, "rss": rss,
                           "threads": len(os.listdir(f"/proc/{pid}/task"))}
    return values


# ---- the IOC ----

def first_after(instants, moment):
    return next((t for t in instants if t > moment), None)


def monitor_death(bench, kind):
    """From the child's last instruction to the first update of State at a CA client."""
    lives = bench.size(40, 20)
    with bench.server(kind, "die", "STAMPS", lives, 60) as server, bench.repeater(server):
        with bench.monitor(server, "State") as path:
            server.go()
            wait_lives(server, lives, 30)
            time.sleep(0.2)
            updates = [int(line.split()[0]) for line in path.read_text().splitlines()]
        deaths = stamps(server.stamps, "D")
    seen = [first_after(updates, d) for d in deaths]
    times = [(s - d) / 1e6 for s, d in zip(seen, deaths) if s]
    if len(times) < lives:
        raise Failure(f"{lives - len(times)} of {lives} deaths were not seen by the CA client")
    return {"death": median(times), "death99": percentile(times, 0.99)}


def put_signal(bench, kind):
    """From caput of Signal to the child's handler."""
    count, usr1 = bench.size(40, 20), 10
    with bench.server(kind, "signals", "STAMPS") as server, bench.repeater(server):
        text = bench.run([bench.helper("ca"), "put", server.pv("Signal"), usr1, count, 40], 30,
                         server.env)
        handled = stamps(server.stamps, "G")
    puts = [int(word) for word in text.split()]
    if len(handled) != len(puts):
        raise Failure(f"{len(puts)} puts, {len(handled)} signals")
    times = [(g - p) / 1e6 for g, p in zip(handled, puts)]
    return {"signal": median(times), "signal99": percentile(times, 0.99)}


def add_siblings(bench, folder, count, *child):
    """An IOC shell script with further children and their records: (options, pids' files)."""
    lines, shared = [], []
    for number in range(count):
        file = folder / f"sibling{number}"
        words = [child[0], str(file), *map(str, child[1:])]
        command = " ".join([str(bench.helper("child")), *words])
        lines.append(f'procServAdd sib{number} "-P 0 --holdoff 0 -- {command}"')
        lines.append(bench.records.format(prefix=f"sib{number}:PS:", child=f"sib{number}"))
        shared.append(Shared(file))
    script = folder / "st.cmd"
    script.write_text("\n".join(lines) + "\n", encoding="ascii")
    return ["--script", str(script)], shared


def keys_beside_restarts(bench, kind):
    """Typing while a sibling dies and is started again, twenty times per second."""
    with bench.folder() as folder:
        options, siblings = add_siblings(bench, folder, 1, "die", folder / "deaths", 100000, 50)
        with bench.server(kind, "echo", extra=options) as server:
            server.watch(siblings)
            os.kill(wait_for("start of the sibling", siblings[0].pid, 10), signal.SIGUSR2)
            times = type_keys(bench, server, bench.size(500, 200))
        died = len(stamps(folder / "deaths", "D"))
    if died < 5:
        raise Failure(f"the sibling was restarted {died} times only")
    return {"keysibling": median(times), "keysibling99": percentile(times, 0.99)}


def further_child(bench, kind):
    """What each child beyond the first adds, its records included."""
    count, private = 10, []
    for siblings in (0, count):
        with bench.folder() as folder:
            options, files = add_siblings(bench, folder, siblings, "idle")
            with bench.server(kind, "idle", extra=options) as server:
                server.watch(files)
                for file in files:
                    wait_for("start of a sibling", file.pid, 10)
                settle(server.process.pid)
                private.append(memory(server.process.pid)[0])
    return {"further": (private[1] - private[0]) / count}


def thread_seconds(pid, name):
    """CPU that the thread of that name has used, to the nanosecond; None: there is none."""
    for task in os.scandir(f"/proc/{pid}/task"):
        with open(f"{task.path}/comm", encoding="ascii") as comm:
            if comm.read().strip() == name:
                with open(f"{task.path}/schedstat", encoding="ascii") as schedstat:
                    return int(schedstat.read().split()[0]) * 1e-9
    return None


def many_children(bench, kind):
    """200 idle children with all their records: what reading /proc costs at the default period of
    5 s, and what all of it costs."""
    children = bench.size(200, 50)
    seconds = bench.size(40, 12)
    with bench.folder() as folder:
        options, files = add_siblings(bench, folder, children - 1, "idle")
        with bench.server(kind, "idle", extra=options) as server:
            server.watch(files)
            for file in files:
                wait_for("start of a sibling", file.pid, 30)
            pid = server.process.pid
            wait_for("the thread that reads", lambda: thread_seconds(pid, "psStat"), 10)
            time.sleep(6)  # the first reading is over
            reading, used, waits = thread_seconds(pid, "psStat"), server.cpu(), wakeups(pid)
            since = time.monotonic()
            time.sleep(seconds)
            elapsed = time.monotonic() - since
            percent = 100 / elapsed * 200 / children
            return {"reading": percent * (thread_seconds(pid, "psStat") - reading),
                    "idle200": percent * (server.cpu() - used),
                    "idle200wakeups": (wakeups(pid) - waits) / elapsed}
