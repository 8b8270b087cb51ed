"""All commands of the phone's shell, by name."""

from __future__ import annotations

from agent.virtual import (
    conditions,
    coreutils,
    dumpsys,
    inputcommands,
    packagecommands,
    properties,
    systemcommands,
    textcommands,
)
from agent.virtual.shell import Command

COMMANDS: dict[str, Command] = {
    **coreutils.COMMANDS,
    **textcommands.COMMANDS,
    **conditions.COMMANDS,
    **properties.COMMANDS,
    **packagecommands.COMMANDS,
    **dumpsys.COMMANDS,
    **inputcommands.COMMANDS,
    **systemcommands.COMMANDS,
}
