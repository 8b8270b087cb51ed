"""What events tell of chats: messages, what became of them, gaps and removals, each in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from controller import grams
from controller.chatplaces import Bases, Places, Told, Writer, base_in
from controller.ledger import Work
from controller.model import AccountId, PhoneId
from controller.monitoring import Spoken, Watch
from controller.readings import Mark
from controller.records import ChatRemoval, Gap, MessageChange
from controller.reports import Source, account_of
from controller.store.base_ingest import ChatSaid, NewMessage
from protos.facts import ChatRemoved, Event, GapSeen, MessageChanged, MessageSeen
from protos.wire import MessageRow

_MAX_NUMBER = 2**63 - 1


class Seen(NamedTuple):
    """What was read in an event before it came to the core's thread."""

    grams: str
    mark: Mark | None


class First(NamedTuple):
    """The first message of a chat that nobody met before."""

    source: Source
    said: ChatSaid
    at_ms: int


class ChatIntake:
    """The chats of one transaction; messages wait until `finish`, everything else is written at once."""

    def __init__(
        self,
        work: Work,
        known: Places,
        watch: Watch,
    ) -> None:
        self._work = work
        self._watch = watch
        self._messages: list[NewMessage] = []
        self._marks: dict[int, Mark] = {}  # of messages that rules look at, by their place
        self._spoken: list[Spoken] = []  # where each message was said
        self._waiting_in: set[int] = set()  # chats whose messages wait
        # Of the last message: how its chat was named, its position, the chat's id and base.
        self._last: tuple[tuple[Any, ...], int, int, int] | None = None
        self._held: set[int] = set()  # chats that were written in this transaction, and so are locked
        self._known = known
        self._chats: dict[tuple[str, str], tuple[int, Told]] = {}
        self._bases: dict[tuple[int, str], Bases] = {}
        self._writers: dict[int, Writer] = {}
        self._effects: dict[type[Any], Callable[[Source, Event, Any, Seen], None]] = {
            MessageSeen: self._message,
            MessageChanged: self._change,
            ChatRemoved: self._removal,
            GapSeen: self._gap,
        }

    def take(self, source: Source, event: Event, seen: Seen) -> bool:
        """Take a fact about a chat in; False if it is about something else."""
        effect = self._effects.get(type(event.fact))
        if effect is None:
            return False
        if type(event.fact) is not MessageSeen:
            self._last = None
        effect(source, event, event.fact, seen)
        return True

    def take_run(
        self,
        source: Source,
        account_id: AccountId,
        rows: Sequence[MessageRow],
        told: Sequence[str],
        marks: Mapping[int, Mark],
    ) -> bool:
        """Take messages of one chat in that follow each other in a spool, the first from `source`.

        False if they have to be taken one by one; then none is. `marks` are by place among them.
        """
        first, last = rows[0], rows[-1]
        if any(row.position <= before.position for before, row in pairwise(rows)):
            return False
        phone, spool_id = source.phone, source.spool_id
        key, title, kind = first.conversation_key, first.conversation_title, first.conversation_kind
        self._last = None
        chat = self._chat(source, account_id, key=key, title=title, kind=kind)
        base = self._base(source, first.at_ms, chat, first.position, is_new=True)
        if base + last.position > _MAX_NUMBER or not self._goes_on(chat, source, base):
            return False
        if any(told):
            tokens = _tokens(phone.phone_id, account_id, chat)
            told = [f"{text_grams} {tokens}" if text_grams else "" for text_grams in told]
        now_ms, numbered = self._work.now_ms, enumerate(zip(rows, told, strict=True), source.seq)
        new = [
            NewMessage.of_row(chat, base, spool_id, seq, row, now_ms, text_grams)
            for seq, (row, text_grams) in numbered
        ]
        self._wait(new, Spoken(phone.phone_id, account_id, phone.holder, kind), marks)
        return True

    def expect(self, spool_id: str, firsts: Sequence[First]) -> None:
        """Find or make chats with few statements: of each the first message of a spool that may be kept."""
        tx = self._work.tx
        ids = tx.conversations_for([first.said for first in firsts])
        # Where an outbox begins depends on the messages of former ones, which may wait here.
        if not self._waiting_in.isdisjoint(ids):
            self.finish()
        bases = tx.bases_in(ids, spool_id)
        new = [id_ for id_ in ids if id_ not in bases]
        placed = tx.place_bases(new, spool_id) if new else {}
        for (source, chat, at_ms), id_ in zip(firsts, ids, strict=True):
            self._chats[chat.account_id, chat.key] = (
                id_,
                (chat.phone_id, source.phone.epoch, chat.title, chat.kind),
            )
            self._held.add(id_)
            if id_ in placed:
                self._place(id_, source, at_ms, *placed[id_])
                self._bases[id_, spool_id] = ((0, placed[id_][0]),)
            else:
                self._bases[id_, spool_id] = tuple(bases[id_])

    def knows(self, account_id: AccountId, key: str) -> bool:
        """Tell whether a chat was met before."""
        return (account_id, key) in self._chats or (account_id, key) in self._known.chats

    def finish(self) -> None:
        """Write the messages that wait."""
        if not self._messages:
            return
        messages, spoken, marks = self._messages, self._spoken, self._marks
        self._messages, self._spoken, self._marks, self._waiting_in = [], [], {}, set()
        ids = self._work.tx.put_messages(messages)
        self._watch.messages(messages, ids, spoken, marks)

    def keep(self) -> None:
        """Let later transactions know of the places found here; only after the commit."""
        self._known.learn(self._chats, self._bases, self._writers)

    def refused(self, source: Source, event: Event, cause: str) -> None:
        """Show where a chat event was not kept; of a chat that is not known not even its title is."""
        from_ms = to_ms = event.at_ms
        match event.fact:
            # The hole ends with this message.
            case MessageSeen(conversation_key=key, position=place):
                before, is_new = place + 1, True
            case MessageChanged(conversation_key=key, position=place):
                before, is_new = place + 1, False
            case ChatRemoved(conversation_key=key, last_position=place):
                before, is_new = place + 1, False
            case GapSeen(conversation_key=key, before_position=place, from_ms=from_ms, to_ms=to_ms):
                before, is_new = place, True
            case _:
                return
        self._last = None
        conversation_id = self._untitled(source, event, key)
        base = self._base(source, event.at_ms, conversation_id, place, is_new=is_new)
        before = min(base + before, _MAX_NUMBER)
        if not self._work.tx.stretch_gap(conversation_id, cause=cause, before_position=before, to_ms=to_ms):
            self._add_gap(conversation_id, before, cause, from_ms, to_ms)

    # ---- places

    def _chat(self, source: Source, account_id: AccountId, *, key: str, title: str, kind: str) -> int:
        known = self._chats.get((account_id, key)) or self._known.chats.get((account_id, key))
        # Within one epoch of a phone nobody else speaks of its chats.
        said = (source.phone.phone_id, source.phone.epoch, title, kind)
        if known is not None and (known[1] == said or (not kind and known[1][:3] == said[:3])):
            return known[0]
        conversation_id = self._work.tx.conversation_for(
            account_id=account_id, phone_id=source.phone.phone_id, key=key, title=title, kind=kind
        )
        self._chats[account_id, key] = (conversation_id, said)
        self._held.add(conversation_id)
        return conversation_id

    def _untitled(self, source: Source, event: Event, key: str) -> int:
        account_id = account_of(source, event.account_id)
        known = self._chats.get((account_id, key)) or self._known.chats.get((account_id, key))
        if known is not None and known[1][:2] == (source.phone.phone_id, source.phone.epoch):
            return known[0]
        return self._work.tx.untitled_conversation(
            account_id=account_id, phone_id=source.phone.phone_id, key=key
        )

    def _base(
        self, source: Source, at_ms: int, conversation_id: int, position: int, *, is_new: bool = False
    ) -> int:
        """Return where positions of a spool begin, for one of them; `is_new`: it may be its next one."""
        place = (conversation_id, source.spool_id)
        bases = self._bases.get(place) or self._known.bases.get(place)
        if bases is None:
            bases = tuple(self._work.tx.bases_of(conversation_id, source.spool_id))
            bases = bases or ((0, self._new_base(conversation_id, source, at_ms)),)
            self._bases[place] = bases
        if is_new and self._writer(conversation_id) != _writer_of(source):
            bases = self._after_others(conversation_id, source, at_ms, bases, position)
        return base_in(bases, position)

    def _writer(self, conversation_id: int) -> Writer | None:
        return self._writers.get(conversation_id) or self._known.writers.get(conversation_id)

    def _goes_on(self, conversation_id: int, source: Source, base: int) -> bool:
        """Tell whether the next positions of a spool have this base, as long as nothing else is written."""
        place = (conversation_id, source.spool_id)
        bases = self._bases.get(place) or self._known.bases.get(place)
        is_last_base = bases is not None and bases[-1][1] == base
        return is_last_base and self._writer(conversation_id) == _writer_of(source)

    def _after_others(
        self, conversation_id: int, source: Source, at_ms: int, bases: Bases, position: int
    ) -> Bases:
        """Let a spool go on behind what others wrote since: an account came back to a phone."""
        self._finish_chat(conversation_id)
        own, others = self._work.tx.writers(conversation_id, source.spool_id)
        place = base_in(bases, position) + position
        if place <= own:
            return bases  # late: it has its place, and who wrote last is as it was
        if place <= others:
            self._work.tx.lock_conversation(conversation_id)
            base = self._work.tx.take_turn(conversation_id, source.spool_id, position)
            self._add_gap(conversation_id, base + position, "spool_changed", 0, at_ms)
            bases = (*bases, (position, base))
            self._bases[conversation_id, source.spool_id] = bases
        self._writers[conversation_id] = _writer_of(source)
        return bases

    def _finish_chat(self, conversation_id: int) -> None:
        # Others may go on waiting: many small writes take several times as long as a large one.
        if conversation_id in self._waiting_in:
            self.finish()

    def _new_base(self, conversation_id: int, source: Source, at_ms: int) -> int:
        # Where a new outbox begins depends on the messages of the former ones, which may wait here.
        self._finish_chat(conversation_id)
        if conversation_id not in self._held:
            self._work.tx.lock_conversation(conversation_id)
        base, follows_other = self._work.tx.place_base(conversation_id, source.spool_id)
        self._place(conversation_id, source, at_ms, base, follows_other)
        return base

    def _place(
        self, conversation_id: int, source: Source, at_ms: int, base: int, follows_other: bool
    ) -> None:
        self._writers[conversation_id] = _writer_of(source)
        if follows_other:
            # A new outbox knows nothing of what was read before: between both something may be missing.
            self._add_gap(conversation_id, base + 1, "spool_changed", 0, at_ms)

    # ---- facts

    def _message(self, source: Source, event: Event, fact: MessageSeen, seen: Seen) -> None:
        account_id, phone = account_of(source, event.account_id), source.phone
        key, title, kind = fact.conversation_key, fact.conversation_title, fact.conversation_kind
        # Mostly messages of one chat follow each other.
        named = (phone.phone_id, phone.epoch, _writer_of(source), account_id, key, title, kind)
        if self._last is not None and self._last[0] == named and fact.position > self._last[1]:
            conversation_id, base = self._last[2:]
        else:
            conversation_id = self._chat(source, account_id, key=key, title=title, kind=kind)
            base = self._base(source, event.at_ms, conversation_id, fact.position, is_new=True)
            self._last = (named, fact.position, conversation_id, base)
            if not self._goes_on(conversation_id, source, base):
                self._last = None
        text_grams = seen.grams
        if text_grams:
            text_grams = f"{text_grams} {_tokens(phone.phone_id, account_id, conversation_id)}"
        new = NewMessage.of(
            conversation_id,
            min(base + fact.position, _MAX_NUMBER),
            source.spool_id,
            source.seq,
            fact,
            event.at_ms,
            self._work.now_ms,
            text_grams,
        )
        marks = {} if seen.mark is None else {0: seen.mark}
        self._wait([new], Spoken(phone.phone_id, account_id, phone.holder, kind), marks)

    def _wait(self, messages: Sequence[NewMessage], spoken: Spoken, marks: Mapping[int, Mark]) -> None:
        """Let messages of one chat wait for `finish`; `marks` by place among them."""
        for place, mark in marks.items():
            self._marks[len(self._messages) + place] = mark
        self._waiting_in.add(messages[0].conversation_id)
        self._messages += messages
        self._spoken += [spoken] * len(messages)

    def _change(self, source: Source, event: Event, fact: MessageChanged, seen: Seen) -> None:
        conversation_id = self._untitled(source, event, fact.conversation_key)
        base = self._base(source, event.at_ms, conversation_id, fact.position)
        change = MessageChange(
            id=0,
            conversation_id=conversation_id,
            position=min(base + fact.position, _MAX_NUMBER),
            what=fact.what,
            line=fact.line,
            state=fact.state,
            text=fact.text,
            amount_fen=fact.amount_fen,
            at_ms=event.at_ms,
            archived_at_ms=self._work.now_ms,
        )
        # Its message may have come in this very transaction.
        self._finish_chat(conversation_id)
        message_id = self._work.tx.add_change(change, spool_id=source.spool_id, seq=source.seq)
        if message_id is None:
            return
        if seen.grams:
            self._work.tx.index_message(message_id, seen.grams)
        if self._watch.may_care(change, seen.mark):
            message, chat = self._work.tx.message(message_id), self._work.tx.conversation(conversation_id)
            if message is not None and chat is not None:
                self._watch.changed(message, chat.kind, _sayer(source, event), change, seen.mark or Mark())

    def _removal(self, source: Source, event: Event, fact: ChatRemoved, _: Seen) -> None:
        conversation_id = self._chat(
            source,
            account_of(source, event.account_id),
            key=fact.conversation_key,
            title=fact.conversation_title,
            kind="",
        )
        base = self._base(source, event.at_ms, conversation_id, fact.last_position)
        removal = ChatRemoval(
            id=0,
            conversation_id=conversation_id,
            phone_id=source.phone.phone_id,
            account_id=account_of(source, event.account_id),
            what=fact.what,
            last_position=min(base + fact.last_position, _MAX_NUMBER),
            from_ms=fact.from_ms,
            to_ms=fact.to_ms,
            archived_at_ms=self._work.now_ms,
        )
        self._work.tx.add_removal(removal)
        chat = self._work.tx.conversation(conversation_id)
        self._watch.removed(removal, chat.kind if chat else "", source.phone.holder, event.at_ms)

    def _gap(self, source: Source, event: Event, fact: GapSeen, _: Seen) -> None:
        conversation_id = self._chat(
            source,
            account_of(source, event.account_id),
            key=fact.conversation_key,
            title=fact.conversation_title,
            kind="",
        )
        base = self._base(source, event.at_ms, conversation_id, fact.before_position, is_new=True)
        before = min(base + fact.before_position, _MAX_NUMBER)
        self._add_gap(conversation_id, before, fact.cause, fact.from_ms, fact.to_ms)

    def _add_gap(self, conversation_id: int, before: int, cause: str, from_ms: int, to_ms: int) -> None:
        self._work.tx.add_gap(
            Gap(
                id=0,
                conversation_id=conversation_id,
                before_position=min(before, _MAX_NUMBER),
                cause=cause,
                from_ms=from_ms,
                to_ms=to_ms,
            )
        )


def _sayer(source: Source, event: Event) -> tuple[PhoneId, AccountId, str]:
    return source.phone.phone_id, account_of(source, event.account_id), source.phone.holder


def _writer_of(source: Source) -> Writer:
    return source.spool_id, source.phone.held_since_ms


@lru_cache(maxsize=4_096)
def _tokens(phone_id: str, account_id: AccountId, conversation_id: int) -> str:
    return " ".join(
        (grams.of_phone(phone_id), grams.of_account(account_id), grams.of_conversation(conversation_id))
    )
