# SPDX-License-Identifier: EPICS
"""The table of tools/bench: rows, and how samples become cells."""

import os
import platform
import re
from dataclasses import dataclass
from datetime import date

from measures import median

BEGIN = "<!-- tools/bench --write: begin -->"
END = "<!-- tools/bench --write: end -->"


@dataclass
class Row:
    """One line of the table; `key` is what the measures call it."""

    key: str
    title: str
    unit: str
    digits: int = 3  # significant ones


ROWS = [
    Row("restart", "child's death to next start, hold-off 0", "ms"),
    Row("clients1", "one client", "MB/s"),
    Row("clients1cpu", "… CPU", "s/GB"),
    Row("clients10", "ten clients, each", "MB/s"),
    Row("clients10cpu", "… CPU", "s/GB"),
    Row("clients200", "200 clients, each", "MB/s"),
    Row("clients200cpu", "… CPU", "s/GB"),
    Row("clients200lost", "… most lost by one", "kB"),
    Row("beside0", "one client beside one that never reads", "MB/s"),
    Row("beside0lost", "… bytes lost by the good one", "kB"),
    Row("beside0write", "… longest write of the child", "ms"),
    Row("beside1", "one client beside one that reads 1 MB/s", "MB/s"),
    Row("beside1slowlost", "… bytes lost by the slow one", "MB"),
    Row("beside1write", "… longest write of the child", "ms"),
    Row("beside20", "one client beside one that reads 20 MB/s", "MB/s"),
    Row("beside20slowlost", "… bytes lost by the slow one", "MB"),
    Row("beside20write", "… longest write of the child", "ms"),
    Row("out", "one client, and Out monitored", "MB/s"),
    Row("outratio", "… of that without", ""),
    Row("paced", "CPU while the child prints 1 MB/s", "% of a core"),
    Row("pacedout", "… and Out is monitored", "% of a core"),
    Row("disk", "one client, and a log to disk", "MB/s"),
    Row("diskcpu", "… CPU", "s/GB"),
    Row("disklost", "… lost in the log", "kB"),
    Row("stalled", "one client, and a log on a disk that stalls", "MB/s"),
    Row("stalledwrite", "… longest write of the child", "ms"),
    Row("burst", "64 KiB and exit, {lives} times: lost", "kB"),
    Row("key", "key to echo, median", "µs"),
    Row("key99", "… 99 %", "µs"),
    Row("keysibling", "key to echo while a sibling restarts, median", "µs"),
    Row("keysibling99", "… 99 %", "µs"),
    Row("death", "child's death to CA monitor, median", "ms"),
    Row("death99", "… 99 %", "ms"),
    Row("signal", "caput of Signal to the child's handler, median", "ms"),
    Row("signal99", "… 99 %", "ms"),
    Row("sigterm", "SIGTERM to the end, child running", "ms"),
    Row("private", "memory written by itself", "MB"),
    Row("rss", "resident memory, libraries included", "MB"),
    Row("further", "memory of a further child", "MB"),
    Row("reading", "CPU of reading what 200 children use, every 5 s", "% of a core"),
    Row("idle200", "… of all, with 200 idle children", "% of a core"),
    Row("idle200wakeups", "… wakeups", "1/s", 2),
    Row("threads", "threads", ""),
    Row("wakeups", "idle wakeups", "1/s", 2),
]


def number(value, digits):
    """A number with so many significant digits, without an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, digits - len(str(int(abs(value)))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(samples, row):
    """Median, and the lowest and highest of several samples; a text outweighs numbers."""
    texts = [s for s in samples if isinstance(s, str)]
    if texts:
        return texts[0]
    if not samples:
        return ""
    middle = number(median(samples), row.digits)
    low, high = number(min(samples), row.digits), number(max(samples), row.digits)
    return middle if low == high else f"{middle} ({low} to {high})"


def machine():
    """Facts about this machine that say nothing about where it stands."""
    kernel = re.match(r"[\d.]+", platform.release())
    return (f"{os.cpu_count()} cores, Linux {kernel[0] if kernel else '?'}, "
            f"{platform.machine()}, {date.today().isoformat()}")


def table(kinds, results, facts, lives):
    """The Markdown table; rows without any value are left out."""
    lines = [
        "| | unit | " + " | ".join(kind.title for kind in kinds) + " |",
        "|---|---|" + "---|" * len(kinds),
    ]
    for row in ROWS:
        cells = [cell(results.get((row.key, kind.key), []), row) for kind in kinds]
        if any(cells):
            title = row.title.format(lives=lives)
            lines.append(f"| {title} | {row.unit} | " + " | ".join(cells) + " |")
    return "\n".join([facts, "", *lines])


def write_into(path, text):
    """Put the table between the markers of a page."""
    page = path.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
