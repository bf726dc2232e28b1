# SPDX-License-Identifier: EPICS
"""p4p: every record by PV Access, and the groups as tables and structures."""
from p4p.client.thread import Context, RemoteError

from common import DEADLINE, PREFIX, SUP, all_records, ok, records, until

context = Context("pva", nt=False)  # structures as they are
names = list(all_records())
got = context.get(names, timeout=DEADLINE, throw=False)
unread = [name for name, value in zip(names, got) if isinstance(value, Exception)]
ok(not unread, f"{len(names)} records are read", unread)


def value(name):
    return context.get(name, timeout=DEADLINE).value


def columns(table):
    """NTTable to a dictionary of columns."""
    return table.value.todict()


state = value(PREFIX + "State")
ok(state.choices[state.index] == "Running", "State is Running")

# ---- the table of exits ----
tables = []
subscription = context.monitor(PREFIX + "Exits", tables.append)
until(lambda: tables, "the first table")
exits = context.get(PREFIX + "Exits")
ok(exits.getID() == "epics:nt/NTTable:1.0", "Exits is an NTTable", exits.getID())
ok(list(columns(exits)) == ["time", "how", "status", "run"] and len(exits.labels) == 4,
   "with its columns in the order of its headings", list(columns(exits)), list(exits.labels))

before = len(tables)
pid = value(PREFIX + "Pid")
context.put(PREFIX + "Signal", {"value.index": 9}, wait=True, timeout=DEADLINE)
until(lambda: value(PREFIX + "Pid") not in (0, pid), "the next process")
until(lambda: len(tables) > before, "the table to grow")
got = columns(tables[-1])
ok(len(tables) == before + 1, "one update per exit", [columns(table) for table in tables])
ok(got["status"][0] == 128 + 9 and got["how"][0] == "Killed" and got["time"][0] > 1.7e9,
   "its first row is the last exit", got)
ok(len({len(column) for column in got.values()}) == 1, "all columns have the same length", got)
ok(tables[-1].timeStamp.secondsPastEpoch > 1.7e9, "it has a time stamp")

# ---- the table of all children ----
updates = []
following = context.monitor(SUP + "Table", updates.append)
until(lambda: updates, "the first table")
order = ["name", "state", "health", "pid", "uptime", "restarts", "exit", "msg", "prefix"]
ok(updates[0].getID() == "epics:nt/NTTable:1.0" and list(columns(updates[0])) == order and
   len(updates[0].labels) == len(order), "Table is an NTTable of these columns", list(columns(updates[0])))
pid = value(PREFIX + "Pid")
context.put(SUP + "RestartAll", 1, wait=True, timeout=DEADLINE)
new = value(PREFIX + "Pid")
row = until(lambda: [name for name in [columns(updates[-1])] if list(name["pid"]) == [new]], "the new process in the table")
ok(pid != new and row[0]["prefix"][0] == PREFIX and row[0]["state"][0] == "Running", "it shows the new process", row)
ok(all(len({len(column) for column in columns(update).values()}) == 1 for update in updates),
   "all columns have the same length in each update")
ok(all((columns(update)["pid"][0] > 0) == (columns(update)["state"][0] in ("Running", "Stopping", "Killing"))
       for update in updates), "no update mixes two states", [columns(update) for update in updates])
following.close()

# ---- commands ----
pid = value(PREFIX + "Pid")
context.put(PREFIX + "Restart", 1, wait=True, timeout=DEADLINE)
new = value(PREFIX + "Pid")
ok(new not in (0, pid), "put(wait=True) of Restart returns when another process runs", pid, new)
status = context.get(PREFIX + "Status")
ok(status.cmdState.value.index == 2 and status.pid == new, "Status has it all in one structure", status)
try:
    context.put(PREFIX + "Pid", 1, timeout=DEADLINE)
    ok(False, "a put to a status record is refused")
except RemoteError as error:
    ok(True, f"a put to a status record is refused: {error}")

# ---- PVI ----


def pvi_of(prefix, template, sub_devices):
    """Every entry names a record of the template, and is called as the record is."""
    entries = context.get(prefix + "PVI").value.todict()
    there = records(template, prefix)
    used = []
    for name, entry in entries.items():
        for access, pv in entry.items():
            if access == "d":
                sub_devices.append(pv)
                continue
            used.append(pv)
            plain = pv[len(prefix):].removesuffix("_RBV").lower()
            called = name.removesuffix("_process").removeprefix("child_").replace("_", "")
            if pv not in there or plain != called or access not in "rwx":
                ok(False, f"{prefix}PVI {name}.{access} is {pv}")
    return [name for name, kind in there.items() if name not in used]


children = []
missing = pvi_of(SUP, "psSystem.template", children)
ok(all(name[len(SUP):].startswith(("Fan", "Table")) for name in missing), "PVI of the supervisor has all records but those of the table", missing)
ok(children == [PREFIX + "PVI"], "and the child", children)
missing = pvi_of(PREFIX, "psChildAll.template", [])
ok(all(name[len(PREFIX):].startswith(("Fan", "Tick", "ExitHist", "PviName")) for name in missing),
   "PVI of the child has all records but those of tables and processing", missing)
context.close()
