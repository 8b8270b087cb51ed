"""What an adb stream may be opened for: shell, exec, sync, sockets, reverse, framebuffer and small ones."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.virtual.channel import Channel
from agent.virtual.filesync import serve_sync
from agent.virtual.handset import Handset
from agent.virtual.paint import rgba
from agent.virtual.shellservice import serve_exec, serve_shell_v1, serve_shell_v2

FRAMEBUFFER_VERSION = 1
_FRAMEBUFFER = struct.Struct("<13I")
# What adbd of a user build says.
_ANSWERS = {
    "root": "adbd cannot run as root in production builds\n",
    "unroot": "adbd not running as root\n",
    "tcpip": "restarting in TCP mode port: {rest}\n",
    "usb": "restarting in USB mode\n",
    "remount": 'Not running as root. Try "adb root" first.\n',
}


class AdbStream(Channel, Protocol):
    """A Channel that tells when the host hangs up."""

    on_hangup: Callable[[], None] | None


class HostSide(Protocol):
    """What a service may ask of the connection it came through."""

    async def connect_host(self, address: str) -> Channel:
        """Open a stream to an address on the host."""

    def drop(self) -> None:
        """Cut the connection."""


Service = Callable[[AdbStream], Awaitable[None]]


def service_for(handset: Handset, host: HostSide, name: str) -> Service | None:
    """Return what serves a stream of this name; None = refused (CLSE)."""
    kind, _, rest = name.partition(":")
    family = kind.split(",")[0]
    match family:
        case "shell":
            return _shell(handset, kind, rest)
        case "exec":
            return lambda stream: _until_hangup(stream, serve_exec(handset, stream, rest))
        case "sync":
            return lambda stream: serve_sync(handset.files, stream)
        case "reverse":
            return lambda stream: _reverse(handset, host, stream, rest)
        case "framebuffer":
            return lambda stream: _framebuffer(handset, stream)
        case _:
            return _small(handset, family, rest) or _socket(handset, family, rest)


def _shell(handset: Handset, kind: str, command: str) -> Service:
    options = kind.split(",")[1:]
    if "v2" not in options:
        return lambda stream: _until_hangup(stream, serve_shell_v1(handset, stream, command))
    is_pty = "pty" in options
    return lambda stream: _until_hangup(stream, serve_shell_v2(handset, stream, command, is_pty=is_pty))


async def _until_hangup(stream: AdbStream, work: Awaitable[None]) -> None:
    # adbd gives a shell a PTY: when the stream closes, SIGHUP ends all that runs in it.
    task = asyncio.ensure_future(work)

    def sighup() -> None:
        task.cancel()

    stream.on_hangup = sighup
    await task


def _small(handset: Handset, family: str, rest: str) -> Service | None:
    match family:
        case "root" | "unroot" | "tcpip" | "usb" | "remount":
            return _say(_ANSWERS[family].format(rest=rest))
        case "reboot":
            return lambda stream: _reboot(handset, stream)
        case "track-jdwp" | "track-app" | "jdwp":
            return _idle
        case _:
            return None


def _say(text: str) -> Service:
    async def say(stream: AdbStream) -> None:
        await stream.write(text.encode())

    return say


async def _idle(stream: AdbStream) -> None:
    while await stream.read():
        pass


async def _reboot(handset: Handset, stream: AdbStream) -> None:
    await stream.close()
    handset.reboot()


def _socket(handset: Handset, family: str, name: str) -> Service | None:
    if family not in ("tcp", "localabstract", "local", "localreserved", "localfilesystem", "dev"):
        return None
    listener = handset.listener(f"{family}:{name}")
    if listener is None:
        return None
    # Not cancelled on hang-up: a program on the phone finishes what it was asked for.
    return listener


async def _framebuffer(handset: Handset, stream: AdbStream) -> None:
    width, height, pixels = rgba(handset)
    # version, bits per pixel, size, width, height, then offset and length of red, blue, green, alpha
    head = (FRAMEBUFFER_VERSION, 32, len(pixels), width, height, 0, 8, 16, 8, 8, 8, 24, 8)
    await stream.write(_FRAMEBUFFER.pack(*head))
    await stream.write(pixels)


async def _reverse(handset: Handset, host: HostSide, stream: AdbStream, request: str) -> None:
    verb, _, rest = request.partition(":")
    if verb == "forward":
        await stream.write(_forward(handset, host, rest))
    elif verb == "list-forward":
        lines = "".join(f"UsbFfs {local} {remote}\n" for local, (remote, _) in handset.reverses.items())
        await stream.write(f"{len(lines):04x}{lines}".encode())
    elif verb == "killforward":
        known = handset.reverses.pop(rest, None)
        await stream.write(b"OKAY" if known else _fail(f"listener '{rest}' not found"))
    elif verb == "killforward-all":
        handset.reverses.clear()
        await stream.write(b"OKAY")
    else:
        await stream.write(_fail("unknown reverse request"))


def _forward(handset: Handset, host: HostSide, rest: str) -> bytes:
    no_rebind = rest.startswith("norebind:")
    local, _, remote = rest.removeprefix("norebind:").partition(";")
    if not local or not remote:
        return _fail("bad reverse request")
    chosen = ""
    if local == "tcp:0":
        port = handset.free_port()
        local, chosen = f"tcp:{port}", f"{len(str(port)):04x}{port}"
    if no_rebind and local in handset.reverses:
        return _fail("cannot rebind existing socket")
    handset.reverses[local] = (remote, host.connect_host)
    return b"OKAY" + chosen.encode()


def _fail(text: str) -> bytes:
    return f"FAIL{len(text):04x}{text}".encode()
