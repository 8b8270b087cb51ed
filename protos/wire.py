"""Events between plain facts and sealed protobuf bytes; nothing past this module sees a generated type."""

from __future__ import annotations

import re
from dataclasses import asdict
from operator import attrgetter
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from protos import facts, fleet_pb2
from protos.facts import Event, Fact

# Field of the oneof -> value class. Field names of both are the same; a test proves it.
KINDS: dict[str, type[Any]] = {
    "phone_state_changed": facts.PhoneStateChanged,
    "task_armed": facts.TaskArmed,
    "task_ended": facts.TaskEnded,
    "task_returned": facts.TaskReturned,
    "message_seen": facts.MessageSeen,
    "gap_seen": facts.GapSeen,
    "platform_warned": facts.PlatformWarned,
    "screen_unknown": facts.ScreenUnknown,
    "event_set_aside": facts.EventSetAside,
    "friend_accepted": facts.FriendAccepted,
    "friend_request_seen": facts.FriendRequestSeen,
    "add_observed": facts.AddObserved,
    "client_learned": facts.ClientLearned,
    "message_changed": facts.MessageChanged,
    "chat_removed": facts.ChatRemoved,
    "coverage_seen": facts.CoverageSeen,
}
_FIELDS = {cls: name for name, cls in KINDS.items()}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Unsealable(ValueError):
    """These bytes are not an event."""


def kind_of(fact: Fact) -> str:
    """Return the wire's name of a fact's kind; `unknown` for one this release does not know."""
    return _FIELDS.get(type(fact), "unknown")


def _clean(value: Any) -> Any:
    # A lone surrogate in screen text must not stop an event: protobuf refuses it.
    if isinstance(value, tuple):
        return tuple(_clean(one) for one in value)
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _put(body: Any, name: str, value: Any) -> None:
    """Set a field: tuples are lists of the wire, tuples of pairs its maps."""
    field = body.DESCRIPTOR.fields_by_name[name]
    if not isinstance(value, tuple):
        setattr(body, name, value)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        getattr(body, name).update(dict(value))
    else:
        getattr(body, name).extend(value)


def _get(part: Any, name: str) -> Any:
    value = getattr(part, name)
    if isinstance(value, str | int | bytes | bool | float):
        return value
    return tuple(sorted(value.items())) if hasattr(value, "items") else tuple(value)


def seal(event: Event) -> bytes:
    """Return the bytes that are kept, sent and archived for this event."""
    pb = fleet_pb2.Event(
        uid=event.uid, at_ms=event.at_ms, phone_epoch=event.phone_epoch, account_id=_clean(event.account_id)
    )
    fields = {name: _clean(value) for name, value in asdict(event.fact).items()}
    body = getattr(pb, _FIELDS[type(event.fact)])
    body.SetInParent()
    for name, value in fields.items():
        _put(body, name, value)
    return pb.SerializeToString()


class _Reader:
    """Reads a kind whose fields are all plain in one go: an archive reads ten thousand events a second."""

    def __init__(self, kind: str, cls: type[Any], names: tuple[str, ...]) -> None:
        self._kind = attrgetter(kind)
        self._values = attrgetter(*names)
        self._cls = cls
        # Straight into the slots: __init__ of a frozen value takes three times as long, and checks nothing.
        self._setters = tuple(getattr(cls, name).__set__ for name in names)

    def read(self, pb: Any) -> Any:
        """Return the fact of an event."""
        fact = object.__new__(self._cls)
        for put, value in zip(self._setters, self._values(self._kind(pb)), strict=True):
            put(fact, value)
        return fact


def _reader(kind: str, cls: type[Any]) -> _Reader | None:
    part = fleet_pb2.Event.DESCRIPTOR.fields_by_name[kind].message_type
    fields = part.fields if part is not None else ()
    is_plain = not any(field.is_repeated or field.message_type is not None for field in fields)
    return _Reader(kind, cls, tuple(field.name for field in fields)) if is_plain and len(fields) > 1 else None


_READERS: dict[str | None, _Reader | None] = {kind: _reader(kind, cls) for kind, cls in KINDS.items()}


def unseal(body: bytes) -> Event:
    """Return the event in these bytes; raises Unsealable. Unknown kinds become UnknownFact."""
    pb = fleet_pb2.Event()
    try:
        pb.ParseFromString(body)
    except DecodeError as error:
        raise Unsealable(str(error)) from error
    kind = pb.WhichOneof("fact")
    fact: Fact = facts.UnknownFact()
    if (reader := _READERS.get(kind)) is not None:
        fact = reader.read(pb)
    elif kind is not None and (cls := KINDS.get(kind)) is not None:
        part = getattr(pb, kind)
        fact = cls(**{f.name: _get(part, f.name) for f in part.DESCRIPTOR.fields})
    return Event(uid=pb.uid, at_ms=pb.at_ms, phone_epoch=pb.phone_epoch, account_id=pb.account_id, fact=fact)


class MessageRow(NamedTuple):
    """A message as one flat row: the fields of its event and of MessageSeen, under the same names."""

    at_ms: int
    phone_epoch: int
    account_id: str
    conversation_key: str
    conversation_title: str
    conversation_kind: str
    position: int
    side: str
    kind: str
    text: str
    time_label: str
    ambiguous: bool
    sender: str
    shown_from_ms: int
    shown_to_ms: int
    amount_fen: int
    state: str
    length_s: int
    detail: str
    fragment: bool
    media_sha256: str


_OF_EVENT = 3
_HEAD = attrgetter(*MessageRow._fields[:_OF_EVENT])
_SEEN = attrgetter(*MessageRow._fields[_OF_EVENT:])


def message_row(body: bytes) -> MessageRow | None:
    """Return the message in these bytes at half the price of `unseal`; None if they are anything else."""
    try:
        pb = fleet_pb2.Event.FromString(body)
    except DecodeError:
        return None
    if not pb.HasField("message_seen"):
        return None
    # Not MessageRow(...): that takes four times as long.
    return tuple.__new__(MessageRow, (*_HEAD(pb), *_SEEN(pb.message_seen)))
