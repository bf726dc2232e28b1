# SPDX-License-Identifier: EPICS
"""pyepics, with the libca that its wheel brings."""
import epics
from epics import dbr

from common import DEADLINE, PREFIX, SUP, all_records, ok, until

pvs = {name: epics.PV(name, connection_timeout=DEADLINE) for name in all_records()}
unconnected = [name for name, pv in pvs.items() if not pv.wait_for_connection(timeout=DEADLINE)]
ok(not unconnected, f"{len(pvs)} records connect", unconnected)
unread = [name for name, pv in pvs.items() if pv.get(timeout=DEADLINE) is None and pv.count > 0]
ok(not unread, "and are read", unread)
ok(pvs[PREFIX + "State"].get(as_string=True) == "Running", "State is Running")
ok(pvs[PREFIX + "State"].enum_strs[7] == "CrashLoop", "with its words")
message = epics.caget(PREFIX + "StateMsg.VAL$", as_string=True)
ok(message.startswith("Running: pid "), "a long text by VAL$", message)

# monitors: one for values, one that archivers have, which asks for DBE_LOG only
values, logged = [], []
by_value = epics.PV(PREFIX + "State", auto_monitor=dbr.DBE_VALUE,
                    callback=lambda value=None, **kw: values.append(value))
by_log = epics.PV(PREFIX + "Pid", auto_monitor=dbr.DBE_LOG,
                  callback=lambda value=None, **kw: logged.append(value))
until(lambda: values and logged, "the first updates")

pid = pvs[PREFIX + "Pid"].get(use_monitor=False)
pvs[PREFIX + "Restart"].put(1, wait=True, timeout=DEADLINE)
new = pvs[PREFIX + "Pid"].get(use_monitor=False)
ok(new not in (0, pid), "put(wait=True) of Restart returns when another process runs", pid, new)
ok(pvs[PREFIX + "CmdState"].get(use_monitor=False, as_string=True) == "Done", "CmdState is Done by then")
until(lambda: values[-1] == 3 and logged[-1] == new, "the last updates")
ok(4 in values or 5 in values, "a monitor of State sees each state", values)
ok(logged[-1] == new, "a monitor with DBE_LOG only sees the new pid", logged)

grace = pvs[PREFIX + "Grace"]
grace.put(4.5, use_complete=True)
until(lambda: grace.put_complete, "the end of a put with use_complete")
ok(pvs[PREFIX + "Grace_RBV"].get(use_monitor=False) == 4.5, "put(use_complete=True) of a setting")

access = pvs[PREFIX + "Pid"].write_access
ok(not access, "there is no write access to a status record")
ok(pvs[PREFIX + "Stop"].write_access, "but to a command")

pvs[SUP + "StopAll"].put(1, wait=True, timeout=DEADLINE)
ok(pvs[PREFIX + "State"].get(use_monitor=False, as_string=True) == "Stopped", "StopAll stops it")
pvs[SUP + "StartAll"].put(1, wait=True, timeout=DEADLINE)
ok(pvs[PREFIX + "State"].get(use_monitor=False, as_string=True) == "Running", "StartAll starts it")
ok(pvs[SUP + "CmdMsg"].get(use_monitor=False) == "1 of 1 done", "and says so")
epics.ca.finalize_libca()
