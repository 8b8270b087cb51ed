"""What a handset says of itself through its shell: which properties are asked, and how the answers read."""

from __future__ import annotations

import re

from agent.wechat.builds import Build
from protos.facts import PhoneFacts

VIRTUAL_BRAND = "phonefarm"
# Compiled before the fork, once for all phones.
_BATTERY = re.compile(r"^\s*(level|temperature):\s*(-?\d+)", re.MULTILINE)
_PROPERTIES = (
    "ro.serialno",
    "ro.product.brand",
    "ro.product.model",
    "ro.build.version.release",
    "ro.build.version.sdk",
)
FACTS_LINE = "; ".join(f"getprop {name}" for name in _PROPERTIES)


def facts_of(said: str, build: Build) -> PhoneFacts:
    """Return the facts in the answer to FACTS_LINE; slot and host are not the handset's to know."""
    serial, brand, model, release, sdk = (line.strip() for line in [*said.splitlines(), *[""] * 5][:5])
    return PhoneFacts(
        serial=serial,
        brand=brand,
        model=model,
        android_version=release,
        sdk=int(sdk) if sdk.isdigit() else 0,
        wechat_version=build.version_name,
        wechat_version_code=build.version_code,
        wechat_installer=build.installer,
        is_virtual=brand == VIRTUAL_BRAND,
    )


def battery_of(said: str) -> tuple[int, int]:
    """Return percent, -1 if unknown, and tenths of a degree Celsius, 0 if unknown, of `dumpsys battery`."""
    values = dict(_BATTERY.findall(said))
    return int(values.get("level", -1)), int(values.get("temperature", 0))
