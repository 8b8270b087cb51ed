"""What is shown of chats: messages with what they showed later, gaps, removals, and how they were watched."""

from __future__ import annotations

from dataclasses import dataclass

from controller.coverage import Hour
from controller.records import ChatRemoval, Conversation, Gap, Message, MessageChange
from controller.safe import masked
from controller.watched import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class HourView:
    """An hour of an account, or several: milliseconds by state (seen, passive, blind, paused, unwatched).

    `causes` has milliseconds by "state: cause", `gap_causes` gaps by cause; together these are `gaps`.
    """

    account_id: str
    from_ms: int
    to_ms: int
    ms: dict[str, int]
    causes: dict[str, int]
    gaps: int
    gap_causes: dict[str, int]


def hour_view(hour: Hour) -> HourView:
    """Show an hour."""
    return HourView(
        account_id=hour.account_id,
        from_ms=hour.from_ms,
        to_ms=hour.to_ms,
        ms=hour.ms,
        causes=hour.causes,
        gaps=hour.gaps,
        gap_causes=hour.gap_causes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedView:
    """How a chat was watched: by sweeps until `seen_until_ms`, while in front until `passive_until_ms`.

    None: never. `gaps`: of this chat in all; `day`: the last 24 h of its account; private: it is not read.
    """

    seen_until_ms: int | None
    passive_until_ms: int | None
    gaps: int
    is_private: bool
    day: HourView


def watched_view(watched: Watched) -> WatchedView:
    """Show how a chat was watched."""
    return WatchedView(
        seen_until_ms=watched.seen_until_ms,
        passive_until_ms=watched.passive_until_ms,
        gaps=watched.gaps,
        is_private=watched.is_private,
        day=hour_view(watched.day),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A captured chat of a work account."""

    conversation_id: int
    phone_id: str
    account_id: str
    title: str
    kind: str
    messages: int
    last_at_ms: int | None
    watched: WatchedView


def conversation_view(chat: Conversation, watched: Watched) -> ConversationView:
    """Show a chat without its messages."""
    return ConversationView(
        conversation_id=chat.id,
        phone_id=chat.phone_id,
        account_id=chat.account_id,
        title=masked(chat.title),
        kind=chat.kind,
        messages=chat.messages,
        last_at_ms=chat.last_at_ms,
        watched=watched_view(watched),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """What a message showed later: recalled (with the line that said so), state, transcript or unfolded."""

    what: str
    line: str
    state: str
    text: str
    amount_fen: int | None
    at_ms: int
    archived_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message with its three times: shown on the phone, read by the agent, archived.

    `shown_from_ms` and `shown_to_ms` are the half-open time in which the screen places it, None: unknown.
    `amount_fen` and `state` are as shown last, `first_…` as shown first; None and "" where nothing was shown.
    `fragment`: only the beginning of its text was read.
    `media_sha256`: its picture, an object that stays on the host of the phone, `media_host`; both "": none.
    """

    message_id: int
    position: int
    side: str
    sender: str
    kind: str
    text: str
    detail: str
    time_label: str
    shown_from_ms: int | None
    shown_to_ms: int | None
    amount_fen: int | None
    state: str
    first_amount_fen: int | None
    first_state: str
    length_s: int | None
    fragment: bool
    media_sha256: str
    media_host: str
    ambiguous: bool
    is_recalled: bool
    changes: list[ChangeView]
    read_at_ms: int
    archived_at_ms: int


def message_view(message: Message, *, host: str, is_revealed: bool = False) -> MessageView:
    """Show a message of a phone on `host`; unless revealed, mobiles in its texts are masked."""
    shown = str if is_revealed else masked
    is_placed = message.shown_to_ms > 0
    return MessageView(
        message_id=message.id,
        position=message.position,
        side=message.side,
        sender=shown(message.sender),
        kind=message.kind,
        text=shown(message.text),
        detail=shown(message.detail),
        time_label=message.time_label,
        shown_from_ms=message.shown_from_ms if is_placed else None,
        shown_to_ms=message.shown_to_ms if is_placed else None,
        amount_fen=_known(message.amount_fen_now),
        state=message.state_now,
        first_amount_fen=_known(message.amount_fen),
        first_state=message.state,
        length_s=_known(message.length_s),
        fragment=message.fragment,
        media_sha256=message.media_sha256,
        media_host=host if message.media_sha256 else "",
        ambiguous=message.ambiguous,
        is_recalled=message.is_recalled,
        changes=[_change_view(change, is_revealed=is_revealed) for change in message.changes],
        read_at_ms=message.read_at_ms,
        archived_at_ms=message.archived_at_ms,
    )


def _change_view(change: MessageChange, *, is_revealed: bool) -> ChangeView:
    shown = str if is_revealed else masked
    return ChangeView(
        what=change.what,
        line=shown(change.line),
        state=change.state,
        text=shown(change.text),
        amount_fen=_known(change.amount_fen),
        at_ms=change.at_ms,
        archived_at_ms=change.archived_at_ms,
    )


def _known(value: int) -> int | None:
    return None if value < 0 else value


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    """What could not be captured; it stands before the message at `before_position`."""

    before_position: int
    cause: str
    from_ms: int
    to_ms: int


def gap_view(gap: Gap) -> GapView:
    """Show a gap."""
    return GapView(before_position=gap.before_position, cause=gap.cause, from_ms=gap.from_ms, to_ms=gap.to_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalView:
    """The chat, or what stood in it up to `last_position`, was removed: cleared, gone, friend_deleted."""

    what: str
    last_position: int
    from_ms: int
    to_ms: int


def removal_view(removal: ChatRemoval) -> RemovalView:
    """Show a removal."""
    return RemovalView(
        what=removal.what,
        last_position=removal.last_position,
        from_ms=removal.from_ms,
        to_ms=removal.to_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView:
    """A chat with its last messages in order, its gaps, and what was removed on the phone."""

    conversation: ConversationView
    messages: list[MessageView]
    gaps: list[GapView]
    removals: list[RemovalView]
