"""The archived history, read stretch by stretch in the order in which it was archived, as rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from controller import behaviours, rulecheck
from controller.findings import Finding, Line
from controller.model import AccountId, PhoneId, Tenure
from controller.records import Conversation, Message
from controller.rulebook import Behaviour, Book
from controller.shelves import Shelf
from controller.splitwords import MOST_PARTS, is_part
from controller.store.base import Tx
from controller.words import Found

# So many messages are read in one piece: some milliseconds of the core's time.
STRETCH = 400
# So many before the first stretch are read as what stood before it: for words over several messages.
WARM_UP = 2_000
_MOST_TAILS = 50_000
# What messages showed later, and what rules call it.
_LATER = {"transcript": rulecheck.IN_TRANSCRIPT, "unfolded": "unfolded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which messages are looked at: those after one id, up to another."""

    after_id: int
    last_id: int
    messages: int


@dataclass(frozen=True, slots=True)
class Further:
    """Another text of a line than its own: `where` says which; `place` is the line's."""

    place: int
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Lines in the order of their ids from `fresh_from` on; before those what stood before in their chats."""

    lines: Sequence[Line]
    fresh_from: int
    further: Sequence[Further]
    zones: Mapping[AccountId, str]
    first_read_ms: Mapping[int, int]
    reached_id: int
    is_last: bool

    @property
    def looked_at(self) -> int:
        """Return how many messages this stretch is about."""
        return len(self.lines) - self.fresh_from


def bounds(tx: Tx, since_ms: int) -> Bounds:
    """Return which messages were archived since a moment, as of now."""
    low, high = 0, tx.last_message_id()
    last_id = high
    # Ids rise with the time of archiving: the first one since then lies where halving leads.
    while low < high:
        middle = (low + high) // 2
        found = tx.message_from(middle + 1)
        if found is None or found[1] >= since_ms:
            high = middle
        else:
            low = found[0]
    return Bounds(after_id=low, last_id=last_id, messages=tx.count_messages_between(low, last_id))


@dataclass(slots=True)
class History:
    """Reads one period for the books it is searched by; remembers how each chat's last lines read."""

    bounds: Bounds
    books: Sequence[Book]
    farm_zone: str
    reached_id: int = -1
    _tails: dict[int, list[Line]] = field(default_factory=dict)
    _tenures: dict[AccountId, Mapping[PhoneId, Sequence[Tenure]]] = field(default_factory=dict)
    _zones: dict[AccountId, str] = field(default_factory=dict)
    _first_read_ms: dict[int, int] = field(default_factory=dict)

    def read(self, tx: Tx, *, limit: int = STRETCH) -> Stretch:
        """Return the next stretch; one transaction, and its answer stands for itself."""
        if self.reached_id < 0:
            self._warm_up(tx)
        lines, further, ids = self._lines(tx, self.reached_id, limit)
        before = [
            line for chat in dict.fromkeys(one.conversation_id for one in lines) for line in self._tail(chat)
        ]
        stretch = Stretch(
            lines=[*before, *lines],
            fresh_from=len(before),
            further=[Further(one.place + len(before), one.where, one.text) for one in further],
            zones=dict(self._zones),
            first_read_ms=dict(self._first_read_ms) if self._looks_at_nights() else {},
            reached_id=ids[-1] if ids else self.bounds.last_id,
            is_last=len(ids) < limit,
        )
        self._remember(lines)
        self.reached_id = stretch.reached_id
        return stretch

    def _warm_up(self, tx: Tx) -> None:
        from_id = max(self.bounds.after_id - WARM_UP, 0)
        ids = tx.message_ids_between(from_id, self.bounds.after_id, limit=WARM_UP)
        lines, _, _ = self._of_ids(tx, ids)
        self._remember(lines)
        self.reached_id = self.bounds.after_id

    def _lines(self, tx: Tx, after_id: int, limit: int) -> tuple[list[Line], list[Further], list[int]]:
        return self._of_ids(tx, tx.message_ids_between(after_id, self.bounds.last_id, limit=limit))

    def _of_ids(self, tx: Tx, ids: Sequence[int]) -> tuple[list[Line], list[Further], list[int]]:
        messages = tx.messages_by_id(ids)
        chats = tx.conversations_by_id(sorted({one.conversation_id for one in messages}))
        lines = [self._line(tx, one, chats[one.conversation_id]) for one in messages]
        further = [one for place, message in enumerate(messages) for one in _further(place, message)]
        return lines, further, list(ids)

    def _line(self, tx: Tx, message: Message, chat: Conversation) -> Line:
        account_id = chat.account_id
        if account_id not in self._tenures:
            account = tx.account(account_id)
            self._tenures[account_id] = tx.tenures_of_account(account_id)
            self._zones[account_id] = (account.time_zone if account else "") or self.farm_zone
        if self._looks_at_nights() and chat.id not in self._first_read_ms:
            self._first_read_ms[chat.id] = tx.first_read_ms(chat.id)
        phone_id, holder = _hands(self._tenures[account_id], account_id, message.read_at_ms)
        return Line(
            message_id=message.id,
            conversation_id=chat.id,
            position=message.position,
            chat_kind=chat.kind,
            phone_id=phone_id or chat.phone_id,
            account_id=account_id,
            holder=holder,
            side=message.side,
            kind=message.kind,
            text=message.text,
            read_at_ms=message.read_at_ms,
            detail=message.detail,
            sender=message.sender,
            amount_fen=message.amount_fen_now,
            from_ms=message.shown_from_ms,
            to_ms=message.shown_to_ms,
        )

    def _looks_at_nights(self) -> bool:
        return any(book.rules_of.get(Behaviour.NIGHT) for book in self.books)

    def _reach(self) -> int:
        return max((rule.within_messages for book in self.books for rule in book.reaching), default=1) - 1

    def _tail(self, chat: int) -> list[Line]:
        """Return what stood before in a chat as far as it matters: neighbours, and short lines at its end."""
        tail = self._tails.get(chat, [])
        short = 0
        while short < min(len(tail), MOST_PARTS) and is_part(
            tail[-1 - short].side, tail[-1 - short].kind, tail[-1 - short].text
        ):
            short += 1
        wanted = max(self._reach(), short)
        return tail[len(tail) - wanted :] if wanted else []

    def _remember(self, lines: Iterable[Line]) -> None:
        if len(self._tails) > _MOST_TAILS:
            self._tails.clear()
        most = max(self._reach(), MOST_PARTS)
        for line in lines:
            tail = self._tails.setdefault(line.conversation_id, [])
            tail.append(line)
            del tail[:-most]


def _further(place: int, message: Message) -> Iterable[Further]:
    if message.detail and message.kind in rulecheck.OWN_DETAIL:
        yield Further(place, rulecheck.IN_DETAIL, message.detail)
    for change in message.changes:
        if change.text and change.what in _LATER:
            yield Further(place, _LATER[change.what], change.text)


def _hands(
    tenures: Mapping[PhoneId, Sequence[Tenure]], account_id: AccountId, at_ms: int
) -> tuple[PhoneId | None, str]:
    """Return on which phone an account was at a moment and who held it; None: on none that is known."""
    found: tuple[int, PhoneId, str] | None = None
    for phone_id, rows in tenures.items():
        then = next((one for one in reversed(rows) if one.since_ms <= at_ms), None)
        if then is not None and then.account_id == account_id and (found is None or then.since_ms > found[0]):
            found = (then.since_ms, phone_id, then.holder)
    return (found[1], found[2]) if found else (None, "")


def examine(shelf: Shelf, stretch: Stretch) -> list[Finding]:
    """Return what a book finds in the fresh lines of a stretch, before rates. Pure, for any thread.

    Deleted chats and late replies are not looked at: these are no lines.
    """
    book, lines, fresh = shelf.book, stretch.lines, stretch.fresh_from
    findings: list[Finding] = []
    if book.rules_on:
        found = shelf.monitor.find_all([line.text for line in lines])
        findings += rulecheck.check(book, lines, found, find_all=shelf.monitor.find_all, fresh_from=fresh)
        by_text: dict[int, list[Found]] = {}
        for number, one in shelf.monitor.find_all([more.text for more in stretch.further]):
            by_text.setdefault(number, []).append(one)
        for number, ones in by_text.items():
            more = stretch.further[number]
            findings += rulecheck.in_line(book, lines[more.place], ones, where=more.where, text=more.text)
    if book.rules_of:
        for line in lines[fresh:]:
            first_read_ms = partial(_first_read, stretch, line.conversation_id)
            zone_name = stretch.zones[line.account_id]
            findings += behaviours.of_message(book, line, zone_name=zone_name, first_read_ms=first_read_ms)
    once = {finding.key: finding for finding in findings}
    return sorted(once.values(), key=lambda finding: finding.line.message_id)


def _first_read(stretch: Stretch, conversation_id: int) -> int:
    return stretch.first_read_ms.get(conversation_id, 0)
