"""System properties: getprop and setprop."""

from __future__ import annotations

from agent.virtual.handset import Handset
from agent.virtual.shell import Call, Command


def properties_of(phone: Handset) -> dict[str, str]:
    """Return all properties of a phone; those set by hand win."""
    return {
        "ro.serialno": phone.serial,
        "ro.boot.serialno": phone.serial,
        "ro.build.version.sdk": str(phone.sdk),
        "ro.build.version.release": phone.android_version,
        "ro.build.type": "user",
        "ro.build.display.id": f"VIRTUAL.{phone.android_version}",
        "ro.product.brand": phone.brand,
        "ro.product.manufacturer": phone.brand,
        "ro.product.model": phone.model,
        "ro.product.name": phone.product,
        "ro.product.device": phone.product,
        "ro.product.cpu.abi": "arm64-v8a",
        "ro.debuggable": "0",
        "ro.secure": "1",
        "sys.boot_completed": "1",
        "init.svc.adbd": "running",
        "persist.sys.timezone": "Asia/Shanghai",
        "persist.sys.locale": "zh-CN",
        **phone.own_properties,
    }


async def _getprop(call: Call) -> int:
    known = properties_of(call.handset)
    if call.args:
        default = call.args[1] if len(call.args) > 1 else ""
        call.out.line(known.get(call.args[0], default))
        return 0
    for name, value in sorted(known.items()):
        call.out.line(f"[{name}]: [{value}]")
    return 0


async def _setprop(call: Call) -> int:
    if len(call.args) != 2:
        return call.fail("Needs 2 arguments")
    name, value = call.args
    if name.startswith("ro."):
        return call.fail(f"failed to set property '{name}' to '{value}'")
    call.handset.own_properties[name] = value
    return 0


COMMANDS: dict[str, Command] = {"getprop": _getprop, "setprop": _setprop}
