"""What stands around a violation: messages, gaps in their places, and how well the account was watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.chatexport import Item, placed
from controller.clock import HOUR_MS
from controller.coverage import Hour
from controller.model import AccountId
from controller.periods import when
from controller.records import Conversation, Message, Violation, ViolationState
from controller.safe import masked, masked_number
from controller.store.base import Tx
from controller.verdicts import Act, Decision
from controller.watched import hours_of

MAX_REACH = 50
_LAST_POSITION = 2**63 - 1
# What a violation has as its detail if it was found in another text than the message's own.
_DETAIL = "detail"
_NUMBERS = frozenset({"@PHONE", "@BANKCARD", "@IDCARD"})
_ELSEWHERE = frozenset({_DETAIL, "transcript", "unfolded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A violation as a person judges it: never without what is missing around it.

    `hour` tells how the account was watched when it was said; `possible` is what the reader can do next,
    `opinions` what was said of an escalated one so far.
    """

    violation: Violation
    chat: Conversation | None
    items: tuple[Item, ...]
    hour: Hour
    history: tuple[Decision, ...]
    possible: tuple[Act, ...]
    opinions: dict[str, ViolationState]
    appeal_until_ms: int | None

    @property
    def text(self) -> str:
        """Return the text in which start and end of the violation count."""
        return self.violation.text

    @property
    def messages(self) -> list[Message]:
        """Return the messages alone, in order."""
        return [item for item in self.items if isinstance(item, Message)]


def with_texts(tx: Tx, found: Sequence[Violation]) -> list[Violation]:
    """Return violations with the text in which start and end count: not always that of the message.

    Words are also found in what stands beside a message, and in what it showed later.
    """
    beside = [one.message_id for one in found if one.detail in _ELSEWHERE and one.message_id is not None]
    messages = {message.id: message for message in tx.messages_by_id(beside)} if beside else {}
    return [replace(one, text=text_of(one, messages.get(one.message_id or 0))) for one in found]


def text_of(violation: Violation, message: Message | None) -> str:
    """Return the text in which a violation was found: of its message, beside it, or what it showed later."""
    if message is None or violation.detail not in _ELSEWHERE:
        return violation.text
    if violation.detail == _DETAIL:
        return message.detail
    later = [change.text for change in message.changes if change.what == violation.detail and change.text]
    return later[-1] if later else violation.text


def shown_text(violation: Violation, text: str) -> str:
    """Return the text of a violation without mobiles and the number it is about, as long as it was."""
    found = text[violation.start : violation.end]
    if violation.kind == "pattern" and found:
        text = text[: violation.start] + hidden_number(violation.word, found) + text[violation.end :]
    return masked(text)


def hidden_number(pattern: str, found: str) -> str:
    """Return a number without its middle, also one whose digits are disguised (l3800138OOO, 一三八…)."""
    shown = masked_number(found)
    if shown != found or pattern not in _NUMBERS:
        return shown
    return found[:3] + "*" * max(len(found) - 7, 0) + found[max(len(found) - 4, 3) :]


def around(
    tx: Tx, violation: Violation, message: Message | None, reach: int
) -> tuple[Conversation | None, tuple[Item, ...]]:
    """Return the chat of a violation and up to `reach` messages before and after it, with what is missing."""
    chat_id = violation.conversation_id if message is None else message.conversation_id
    chat = None if chat_id is None else tx.conversation(chat_id)
    if chat is None:
        return None, ()
    if message is not None:
        same = tx.messages_around(chat.id, message.position, 0)
        before = tx.messages(chat.id, before_position=message.position, limit=reach)
        position = message.position
    else:
        position = _position_of(tx, violation, chat)
        same = []
        before = tx.messages(chat.id, before_position=min(position + 1, _LAST_POSITION), limit=reach)
    after_ids = tx.message_ids_after(
        chat.id,
        position=position,
        message_id=max((one.id for one in same), default=_LAST_POSITION),
        limit=reach,
    )
    messages = [*before, *same, *tx.messages_by_id(after_ids)]
    return chat, between(tx, chat, messages)


def between(tx: Tx, chat: Conversation, messages: list[Message]) -> tuple[Item, ...]:
    """Return messages of a chat that follow each other, with the gaps and removals around and among them."""
    low = messages[0].position if messages else 0
    high = messages[-1].position if messages else _LAST_POSITION
    gaps = [gap for gap in tx.gaps(chat.id) if low <= gap.before_position <= high + 1]
    removals = [gone for gone in tx.removals(chat.id) if low <= gone.last_position + 1 <= high + 1]
    return tuple(placed(messages, gaps, removals))


def hour_around(tx: Tx, account_id: AccountId, at_ms: int, now_ms: int) -> Hour:
    """Return how an account was watched in the hour of a moment, as far as that hour has passed."""
    from_ms = at_ms // HOUR_MS * HOUR_MS
    # Of an hour that has just begun a millisecond is told, and that it was not watched.
    to_ms = max(min(from_ms + HOUR_MS, now_ms), from_ms + 1)
    (hour,) = hours_of(tx, account_id, from_ms, to_ms)
    return hour


def said_ms(violation: Violation, message: Message | None) -> int:
    """Return when a violation came at the earliest, as far as it is known."""
    return violation.at_ms if message is None else when(message)[0]


def _position_of(tx: Tx, violation: Violation, chat: Conversation) -> int:
    """Return the position behind which something happened that is no message; else the end of the chat."""
    gone = [
        removal.last_position
        for removal in tx.removals(chat.id)
        if violation.found_at_ms == removal.archived_at_ms
        or removal.from_ms <= violation.at_ms <= removal.to_ms
    ]
    return gone[-1] if gone else _LAST_POSITION
