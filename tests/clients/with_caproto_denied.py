# SPDX-License-Identifier: EPICS
"""caproto as another user, which it claims by LOGNAME: everything is read, nothing is commanded."""
import getpass

from caproto import AccessRights
from caproto.threading.client import Context

from common import DEADLINE, PREFIX, SUP, ok

context = Context(timeout=DEADLINE)
commands = [PREFIX + name for name in ("Start", "Stop", "Restart", "Kill", "Signal", "Grace", "AutoRestart")]
commands += [SUP + name for name in ("StartAll", "StopAll", "RestartAll", "Stagger")]
pvs = context.get_pvs(*commands, PREFIX + "Starts", PREFIX + "CmdSeq", timeout=DEADLINE)
for pv in pvs:
    pv.wait_for_connection(timeout=DEADLINE)
before = [pv.read(timeout=DEADLINE).data[0] for pv in pvs[-2:]]
allowed = [pv.name for pv in pvs if pv.access_rights & AccessRights.WRITE]
ok(not allowed, f"{getpass.getuser()} may write to no command and no setting", allowed)
pvs[2].write([1], wait=False, timeout=DEADLINE)  # what caput does without -c
pvs[10].write([5], wait=False, timeout=DEADLINE)
after = [pv.read(timeout=DEADLINE).data[0] for pv in pvs[-2:]]
ok(before == after, "a put all the same leads to nothing", before, after)
ok(pvs[10].read(timeout=DEADLINE).data[0] != 5, "and sets nothing")
context.disconnect()
