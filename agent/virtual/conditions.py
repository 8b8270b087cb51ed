"""`test` and `[`: what a shell script may ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.virtual.shell import Call, Command

TROUBLE = 2
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


class _BadTest(Exception):
    """The words are no condition."""


async def bracket(call: Call) -> int:
    """Run `[ … ]`."""
    if call.args[-1:] != ["]"]:
        return call.fail("missing ]", TROUBLE)
    return _run(call, call.args[:-1])


async def test(call: Call) -> int:
    """Run `test …`."""
    return _run(call, call.args)


def _run(call: Call, words: Sequence[str]) -> int:
    try:
        return int(not _either(call, list(words)))
    except (_BadTest, ValueError) as error:
        return call.fail(f"{error}", TROUBLE)


def _either(call: Call, words: list[str]) -> bool:
    for joint, combine in (("-o", any), ("-a", all)):
        if joint in words[1:-1]:
            place = words.index(joint, 1)
            return combine([_either(call, words[:place]), _either(call, words[place + 1 :])])
    if words[:1] == ["!"]:
        return not _either(call, words[1:])
    return _single(call, words)


def _single(call: Call, words: list[str]) -> bool:
    match words:
        case []:
            return False
        case [text]:
            return bool(text)
        case ["-n", text]:
            return bool(text)
        case ["-z", text]:
            return not text
        case [("-e" | "-f" | "-d" | "-s" | "-r" | "-w" | "-x") as kind, path]:
            return _file(call, kind, path)
        case [left, operator, right] if operator in _TEXTS:
            return _TEXTS[operator](left, right)
        case [left, operator, right] if operator in _NUMBERS:
            return _NUMBERS[operator](int(left), int(right))
        case _:
            raise _BadTest("bad condition")


def _file(call: Call, kind: str, path: str) -> bool:
    entry = call.handset.files.get(call.path(path))
    if entry is None:
        return False
    if kind == "-f":
        return not entry.is_dir
    if kind == "-d":
        return entry.is_dir
    return entry.size > 0 if kind == "-s" else True


COMMANDS: dict[str, Command] = {"[": bracket, "test": test}
