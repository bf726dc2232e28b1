# SPDX-License-Identifier: EPICS
"""ophyd-async: a Device that fills itself, from nothing but the prefix of the supervisor."""
import asyncio

from ophyd_async.core import Device, SignalR, SignalRW, StrictEnum, TriggerableCommand, observe_value
from ophyd_async.epics.core import PviDeviceConnector

from common import DEADLINE, PREFIX, SUP, ok

ID = PREFIX.split(":")[0].replace("-", "_")


class Mode(StrictEnum):
    NEVER = "Never"
    ALWAYS = "Always"
    ONE_SHOT = "OneShot"
    ON_FAILURE = "OnFailure"


class Ioc(Device):
    """The same with types, where a program wants them checked."""
    pid: SignalR[int]
    health: SignalR[str]
    auto_restart: SignalRW[Mode]
    grace: SignalRW[float]
    restart_process: TriggerableCommand

    def __init__(self, prefix, name=""):
        super().__init__(name=name, connector=PviDeviceConnector(prefix))


async def follow(signal, seen):
    async for value in observe_value(signal):
        seen.append(value)


async def wait_for(condition, what):
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        ok(False, f"waited {DEADLINE} s for {what}")


async def untyped():
    sup = Device(name="sup", connector=PviDeviceConnector(SUP))
    await sup.connect(timeout=DEADLINE)
    ioc = getattr(sup, f"child_{ID}", None)
    ok(ioc is not None, f"the supervisor has child_{ID}", [name for name, _ in sup.children()])
    count = sum(1 for _ in ioc.children())
    ok(count > 40, f"with {count} signals and commands")
    ok(await ioc.state.get_value() == "Running" and ioc.state.name == f"sup-child_{ID}-state", "state is read")
    states = []
    following = asyncio.create_task(follow(ioc.state, states))
    await wait_for(lambda: states, "the first update")
    pid = await ioc.pid.get_value()
    await ioc.restart_process.trigger()
    ok(await ioc.pid.get_value() not in (0, pid), "restart_process is done when another process runs")
    ok(await ioc.cmd_state.get_value() == "Done", "cmd_state is Done by then")
    await wait_for(lambda: states[-1] == "Running", "Running")
    ok("Stopping" in states or "Killing" in states, "a monitor sees each state", states)
    following.cancel()
    ok(await sup.stagger.get_value() == 0.25, "stagger is as --stagger says")
    await sup.stop_all.trigger()
    ok(await ioc.state.get_value() == "Stopped", "stop_all of the supervisor stops it")
    await sup.start_all.trigger()
    ok(await ioc.state.get_value() == "Running", "start_all starts it")


async def typed():
    ioc = Ioc(PREFIX, name="ioc")
    await ioc.connect(timeout=DEADLINE)
    ok(await ioc.auto_restart.get_value() == Mode.ALWAYS, "an enumeration is one of Python's")
    await ioc.grace.set(3.5)
    ok(await ioc.grace.get_value() == 3.5, "a setting is set, and its readback is read")
    ok(await ioc.lockout.get_value() == "No" and await ioc.lockout_msg.get_value() == "", "so is a lockout")
    reading = await ioc.pid.read()
    ok(reading["ioc-pid"]["value"] > 0 and reading["ioc-pid"]["alarm_severity"] == 0, "read() as bluesky does",
       reading)


asyncio.run(untyped())
asyncio.run(typed())
