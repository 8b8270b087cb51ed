"""Commands of the phone's shell that work on lines of text, as toybox has them."""

from __future__ import annotations

import re

from agent.virtual.coreutils import options
from agent.virtual.files import FileError
from agent.virtual.shell import Call, Command
from agent.virtual.shellio import BytesInput, Input, Output, read_all


async def _lines_of(call: Call, paths: list[str]) -> list[str]:
    source: Input = call.stdin
    if paths:
        source = BytesInput(call.handset.files.read(call.path(paths[0])))
    return (await read_all(source)).decode("utf-8", "surrogateescape").splitlines()


async def _grep(call: Call) -> int:
    letters, words = options(call.args)
    if not words:
        return call.fail("no REGEX", 2)
    flags = re.IGNORECASE if "i" in letters else 0
    pattern = re.compile(re.escape(words[0]) if "F" in letters else words[0], flags)
    try:
        lines = await _lines_of(call, words[1:])
    except FileError as error:
        return call.fail(f"{words[1]}: {error.reason}", 2)
    hits = [line for line in lines if bool(pattern.search(line)) is not ("v" in letters)]
    if "c" in letters:
        call.out.line(str(len(hits)))
    elif "q" not in letters:
        for line in hits:
            call.out.line(line)
    return int(not hits)


async def _head(call: Call) -> int:
    count, paths = _count(call.args)
    if paths:
        for line in (await _lines_of(call, paths))[:count]:
            call.out.line(line)
        return 0
    await _first_lines(call.stdin, call.out, count)
    return 0


async def _first_lines(source: Input, out: Output, count: int) -> None:
    left, buffer = count, b""
    while left > 0:
        data = await source.read()
        buffer += data
        while left > 0 and b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            out.write(line + b"\n")
            left -= 1
        if not data:
            out.write(buffer if left > 0 else b"")
            return
        await out.flush()


async def _tail(call: Call) -> int:
    count, paths = _count(call.args)
    for line in (await _lines_of(call, paths))[-count:]:
        call.out.line(line)
    return 0


def _count(args: list[str]) -> tuple[int, list[str]]:
    if args[:1] == ["-n"] and len(args) > 1:
        return int(args[1]), args[2:]
    if args and re.fullmatch(r"-n?\d+", args[0]):
        return int(args[0].lstrip("-n")), args[1:]
    return 10, args


async def _wc(call: Call) -> int:
    letters, paths = options(call.args)
    lines = await _lines_of(call, paths)
    size = sum(len(line.encode("utf-8", "surrogateescape")) + 1 for line in lines)
    call.out.line(str(size if "c" in letters else len(lines)))
    return 0


async def _cut(call: Call) -> int:
    """`cut -dX -fN[,N…] [FILE]`; a line without the sign is given whole, as toybox does."""
    sign, chosen, paths = "\t", "", []
    words = list(call.args)
    while words:
        word = words.pop(0)
        if word[:2] in ("-d", "-f"):
            value = word[2:] or words.pop(0)
            sign, chosen = (value, chosen) if word[1] == "d" else (sign, value)
        else:
            paths.append(word)
    if len(sign) != 1 or not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", chosen):
        return call.fail("bad list")
    try:
        lines = await _lines_of(call, paths)
    except FileError as error:
        return call.fail(f"{paths[0]}: {error.reason}")
    for line in lines:
        fields = line.split(sign)
        picked = [fields[int(n) - 1] for n in chosen.split(",") if int(n) <= len(fields)]
        call.out.line(sign.join(picked) if len(fields) > 1 else line)
    return 0


COMMANDS: dict[str, Command] = {"grep": _grep, "head": _head, "tail": _tail, "wc": _wc, "cut": _cut}
