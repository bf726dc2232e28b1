# SPDX-License-Identifier: EPICS
"""What the tests with real clients share: the records that there are, and how a point is reported.

Each client is a script of its own, since two libraries of Channel Access in one process would share
its signals and its exit.  It prints "ok - ..." and "not ok - ..." for tests/system/pvclients.plt.
"""
import re
import sys
import time
from pathlib import Path

DB = Path(__file__).resolve().parents[2] / "db"
PREFIX = sys.argv[1]  # of the child's records
SUP = PREFIX + "Sup:"
DEADLINE = 30


def records(template, prefix):
    """Names of all records of an installed template."""
    text = (DB / template).read_text()
    found = re.findall(r'^record\((\w+), "\$\(P\)(\w+)"\)', text, re.M)
    assert found, f"no record in {template}"
    return {prefix + name: kind for kind, name in found}


def all_records():
    """Names and types of the records of one child and of the supervisor."""
    return records("psChildAll.template", PREFIX) | records("psSystem.template", SUP)


def ok(good, what, *more):
    print(("ok" if good else "not ok") + " - " + what + (" # " + repr(more) if more and not good else ""),
          flush=True)


def until(condition, what):
    """Wait until it holds: its value, or a failed point."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    ok(False, f"waited {DEADLINE} s for {what}")
    return None
