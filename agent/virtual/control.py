"""The control endpoint of the virtual farm: a little HTTP with JSON on loopback, for demos and tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from agent.virtual.paint import png
from agent.virtual.plannedtalk import HandWhat, Written
from agent.virtual.scenario import Warn

if TYPE_CHECKING:
    from agent.virtual.rack import Farm, Slot

HOST = "127.0.0.1"
BODY_LIMIT_BYTES = 65_536
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found"}


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """A fault to plan; an empty name clears all."""

    name: str = ""
    method: str = "*"
    count: int | None = 1
    ms: int = 0


class TrapBody(msgspec.Struct, forbid_unknown_fields=True):
    """A trap to set; an empty name clears all."""

    name: str = ""
    after_dumps: int = 0
    dumps: int | None = 1


class TouchBody(msgspec.Struct, forbid_unknown_fields=True):
    """A touch by hand, in pixels."""

    x: float
    y: float


class SayBody(Written, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of a chat, of any kind."""

    account: str
    peer: str


class RecallBody(msgspec.Struct, forbid_unknown_fields=True):
    """The message to take back, counted from the last one."""

    account: str
    peer: str
    nth_last: int = 1


class RemoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the staff member removes of a chat."""

    account: str
    peer: str
    what: Literal["clear", "row", "friend", "hide"]


class HandBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a person's hand does; see agent.virtual.hand."""

    what: HandWhat
    peer: str = ""
    text: str = ""
    share: float = 0.5
    nth_last: int = 1


class ControlServer:
    """Serves one request a connection."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._server: asyncio.Server | None = None
        self.url = ""
        self._phone_acts: dict[str, Callable[[Slot, bytes], Awaitable[None]]] = {
            "unplug": self._unplug,
            "plug": self._plug,
            "fault": self._fault,
            "trap": self._trap,
            "warn": self._warn,
            "calm": self._calm,
            "touch": self._touch,
            "hand": self._hand,
        }

    @classmethod
    async def open(cls, farm: Farm, *, port: int = 0) -> Self:
        """Listen on loopback; port 0 = a free one."""
        control = cls(farm)
        control._server = await asyncio.start_server(control._serve, HOST, port)
        control.url = f"http://{HOST}:{control._server.sockets[0].getsockname()[1]}"
        return control

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            method, path, body = await _request(reader)
            status, kind, answer = await self._answer(method, path, body)
            head = (
                f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + answer)
            await writer.drain()
        writer.close()

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        parts = [part for part in path.partition("?")[0].split("/") if part]
        try:
            if method == "GET" and len(parts) == 3 and parts[0] == "phones" and parts[2] == "screen":
                return 200, "image/png", png(self._farm.slot(parts[1]).handset)
            value = self._get(parts) if method == "GET" else await self._post(parts, body)
        except LookupError:
            return _json(404, {"error": "no such path, phone, account, peer, message or thing to touch"})
        except (ValueError, msgspec.MsgspecError) as err:
            return _json(400, {"error": str(err)})
        return _json(200, value)

    def _get(self, parts: list[str]) -> Any:
        match parts:
            case ["truth"]:
                return self._farm.truth()
            case ["phones"]:
                return self._phones()
            case ["world"]:
                return self._world()
            case ["transcript", account]:
                return self._farm.transcript(account)
        raise KeyError(parts)

    async def _post(self, parts: list[str], body: bytes) -> Any:
        match parts:
            case ["say"]:
                say = msgspec.json.decode(body, type=SayBody)
                more = {"kind": say.kind, "sender": say.sender, **say.more()}
                self._farm.say(say.account, say.peer, say.text, say.side, **more)
            case ["recall"]:
                recall = msgspec.json.decode(body, type=RecallBody)
                self._farm.recall(recall.account, recall.peer, recall.nth_last - 1)
            case ["remove"]:
                remove = msgspec.json.decode(body, type=RemoveBody)
                self._farm.remove(remove.account, remove.peer, remove.what)
            case ["phones", serial, act]:
                await self._phone_acts[act](self._farm.slot(serial), body)
            case _:
                raise KeyError(parts)
        return {"ok": True}

    def _phones(self) -> list[dict[str, Any]]:
        return [
            {
                "serial": slot.handset.serial,
                "address": slot.port.address,
                "account": slot.account.account_id,
                "nickname": slot.account.nickname,
                "wechat_version": slot.account.client.version_name,
                "activity": slot.handset.front.activity(),
                "faults": slot.handset.faults.to_json(),
            }
            for slot in self._farm.slots
        ]

    def _world(self) -> dict[str, Any]:
        world = self._farm.world
        return {
            "people": [
                {
                    "key": one.key,
                    "mobile": one.mobile,
                    "wechat_id": one.wechat_id,
                    "nickname": one.nickname,
                    "trait": one.trait,
                    "accepts_after_s": one.accepts_after_s,
                }
                for one in world.people.values()
            ],
            "accounts": [
                {"account": one.account_id, "serial": one.serial, "friends": sorted(one.friends)}
                for one in world.accounts.values()
            ],
            "expected": world.expected,
            "expected_by_account": world.expected_by_account,
        }

    async def _unplug(self, slot: Slot, _body: bytes) -> None:
        await slot.port.unplug()

    async def _plug(self, slot: Slot, _body: bytes) -> None:
        await slot.port.plug()

    async def _fault(self, slot: Slot, body: bytes) -> None:
        fault = msgspec.json.decode(body, type=FaultBody)
        if fault.name:
            slot.handset.faults.set(fault.name, fault.method, fault.count, fault.ms)
        else:
            slot.handset.faults.clear()

    async def _trap(self, slot: Slot, body: bytes) -> None:
        trap = msgspec.json.decode(body, type=TrapBody)
        if trap.name:
            slot.handset.traps.set(trap.name, after_dumps=trap.after_dumps, dumps=trap.dumps)
        else:
            slot.handset.traps.clear()
            slot.handset.uncover()

    async def _warn(self, slot: Slot, body: bytes) -> None:
        self._farm.world.notices.script(slot.account, msgspec.json.decode(body, type=Warn))

    async def _calm(self, slot: Slot, _body: bytes) -> None:
        self._farm.world.notices.calm(slot.account)

    async def _touch(self, slot: Slot, body: bytes) -> None:
        touch = msgspec.json.decode(body, type=TouchBody)
        slot.handset.touch_by_hand(touch.x, touch.y)

    async def _hand(self, slot: Slot, body: bytes) -> None:
        hand = msgspec.json.decode(body, type=HandBody)
        slot.hand.do(hand.what, hand.peer, text=hand.text, share=hand.share, nth_last=hand.nth_last)


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, *_ = [*first.split(" "), "", ""]
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = headers.get("content-length", "0")
    size = min(int(length), BODY_LIMIT_BYTES) if length.isdigit() else 0
    return method, path, await reader.readexactly(size)


def _json(status: int, value: Any) -> tuple[int, str, bytes]:
    return status, "application/json", msgspec.json.encode(value)
