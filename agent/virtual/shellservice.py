"""Shells as adb streams: version 1 (raw), version 2 (framed), exec, and interactive."""

from __future__ import annotations

import asyncio
import struct

from agent.virtual.channel import Channel
from agent.virtual.commands import COMMANDS
from agent.virtual.faults import SHELL
from agent.virtual.handset import Handset
from agent.virtual.shell import Shell
from agent.virtual.shellfaults import struck
from agent.virtual.shellio import Input, NoInput, Output, QueueInput

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN, WINDOW_SIZE = range(6)
_FRAME = struct.Struct("<BI")
PROMPT = "virtual:{cwd} $ "
INTERRUPT, END_OF_TEXT = b"\x03", b"\x04"


def new_shell(handset: Handset) -> Shell:
    """Return a shell with all commands of the phone."""
    return Shell(handset, COMMANDS)


async def serve_shell_v1(handset: Handset, channel: Channel, command: str) -> None:
    """Run a command, stdout and stderr as one raw stream; no command = interactive."""
    out = Output(channel.write)
    shell = new_shell(handset)
    try:
        if command:
            async with struck(handset.faults, SHELL):
                await shell.run(command, _ChannelInput(channel), out, out)
        else:
            await _interactive(shell, _ChannelInput(channel), out, is_pty=True)
    finally:
        _end(shell.jobs)


async def serve_exec(handset: Handset, channel: Channel, command: str) -> None:
    """Run a command on a raw stream without a terminal."""
    out = Output(channel.write)
    async with struck(handset.faults, SHELL):
        await new_shell(handset).run(command, _ChannelInput(channel), out, out)


async def serve_shell_v2(handset: Handset, channel: Channel, command: str, *, is_pty: bool) -> None:
    """Run a command with framed stdin, stdout, stderr and exit code."""
    stdin = QueueInput(limit=1_024)

    async def to_stdout(data: bytes) -> None:
        await channel.write(_FRAME.pack(STDOUT, len(data)) + data)

    async def to_stderr(data: bytes) -> None:
        await channel.write(_FRAME.pack(STDERR, len(data)) + data)

    out = Output(to_stdout)
    err = out if is_pty else Output(to_stderr)
    shell = new_shell(handset)
    reader = asyncio.create_task(_unframe(channel, stdin))
    try:
        if command:
            async with struck(handset.faults, SHELL):
                status = await shell.run(command, stdin, out, err)
        else:
            status = await _interactive(shell, stdin, out, is_pty=is_pty, err=err)
        await channel.write(_FRAME.pack(EXIT, 1) + bytes([status & 0xFF]))
    finally:
        reader.cancel()
        _end(shell.jobs)


class _ChannelInput:
    """A channel as standard input."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def read(self) -> bytes:
        return await self._channel.read()


async def _unframe(channel: Channel, stdin: QueueInput) -> None:
    buffer = bytearray()
    while data := await channel.read():
        buffer += data
        while len(buffer) >= _FRAME.size:
            kind, length = _FRAME.unpack_from(buffer)
            if len(buffer) < _FRAME.size + length:
                break
            payload = bytes(buffer[_FRAME.size : _FRAME.size + length])
            del buffer[: _FRAME.size + length]
            if kind == STDIN and payload:
                await stdin.feed(payload)
            elif kind == CLOSE_STDIN:
                await stdin.feed(b"")
    await stdin.feed(b"")


async def _interactive(
    shell: Shell, stdin: Input, out: Output, *, is_pty: bool, err: Output | None = None
) -> int:
    """Read lines and run them until `exit` or the end of input; a terminal echoes and prompts."""
    lines = _Lines(stdin, out, is_pty=is_pty)
    while True:
        if is_pty:
            out.write(PROMPT.format(cwd=shell.cwd))
            await out.flush()
        line = await lines.next()
        if line is None:
            return shell.status
        words = line.split()
        if words[:1] == ["exit"]:
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else shell.status
        await shell.run(line, NoInput(), out, err or out)


class _Lines:
    """Cuts input into lines; a terminal echoes what is typed."""

    def __init__(self, stdin: Input, out: Output, *, is_pty: bool) -> None:
        self._stdin, self._out, self._is_pty = stdin, out, is_pty
        self._buffer = b""

    async def next(self) -> str | None:
        """Return the next line, None at the end of input."""
        while b"\n" not in self._buffer:
            data = await self._stdin.read()
            if not data or END_OF_TEXT in data:
                rest, self._buffer = self._buffer, b""
                return rest.decode("utf-8", "replace") if rest else None
            if INTERRUPT in data:
                data = data.rpartition(INTERRUPT)[2]
                self._buffer = b""
            data = data.replace(b"\r", b"\n")
            if self._is_pty:
                self._out.write(data.replace(b"\n", b"\r\n"))
                await self._out.flush()
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "replace")


def _end(jobs: set[asyncio.Task[int]]) -> None:
    for job in list(jobs):
        job.cancel()
