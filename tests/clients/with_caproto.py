# SPDX-License-Identifier: EPICS
"""caproto, which is Channel Access in Python alone."""
from caproto import AccessRights, SubscriptionType
from caproto.threading.client import Context

from common import DEADLINE, PREFIX, SUP, all_records, ok, until

context = Context(timeout=DEADLINE)
names = list(all_records())
pvs = dict(zip(names, context.get_pvs(*names, timeout=DEADLINE)))
for pv in pvs.values():
    pv.wait_for_connection(timeout=DEADLINE)
ok(True, f"{len(pvs)} records connect")


def value(name):
    data = pvs[name].read(data_type="native", timeout=DEADLINE).data
    data = data[0] if len(data) else None
    return data.decode() if isinstance(data, bytes) else data


def words(name):
    return pvs[name].read(data_type=0, timeout=DEADLINE).data[0].decode()  # DBR_STRING


for name in names:
    value(name)
ok(True, "and are read")
ok(words(PREFIX + "State") == "Running", "State is Running")

states = []
subscription = pvs[PREFIX + "State"].subscribe(mask=SubscriptionType.DBE_LOG)


def collect(sub, response):  # caproto keeps no reference to it
    states.append(response.data[0])


subscription.add_callback(collect)
until(lambda: states, "the first update")

pid = value(PREFIX + "Pid")
pvs[PREFIX + "Restart"].write([1], wait=True, notify=True, timeout=DEADLINE)
new = value(PREFIX + "Pid")
ok(new not in (0, pid), "write(notify=True) of Restart returns when another process runs", pid, new)
ok(words(PREFIX + "CmdState") == "Done", "CmdState is Done by then")
until(lambda: len(states) > 1 and states[-1] == 3, "Running")
ok(any(state in (4, 5) for state in states), "a monitor with DBE_LOG only sees each state", states)

ok(not pvs[PREFIX + "Pid"].access_rights & AccessRights.WRITE, "there is no write access to a status record")
ok(pvs[PREFIX + "Stop"].access_rights & AccessRights.WRITE, "but to a command")
pvs[SUP + "Stagger"].write([0.5], wait=True, notify=True, timeout=DEADLINE)
ok(until(lambda: value(SUP + "Stagger_RBV") == 0.5, "Stagger_RBV"), "a setting of the supervisor")
pvs[SUP + "Stagger"].write([0.25], wait=True, notify=True, timeout=DEADLINE)
context.disconnect()
