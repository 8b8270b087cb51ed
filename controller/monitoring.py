"""The monitor in the path of messages: what rules find becomes violations in the archive's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from controller import behaviours, replies
from controller.capturerules import CaptureRules
from controller.clock import MINUTE_MS
from controller.findings import SYSTEM, Finding, Line
from controller.keeping import keep
from controller.ledger import Ledger, Work
from controller.model import AccountId, PhoneId
from controller.readings import Mark
from controller.records import ChatRemoval, Message, MessageChange
from controller.replies import Said
from controller.rulebook import Behaviour
from controller.rulecheck import IN_DETAIL, check, in_line
from controller.rules import MONEY
from controller.shelves import Shelf
from controller.splitwords import MOST_PARTS
from controller.store.base_ingest import NewMessage
from controller.store.base_rules import Stood, Waiting

UNFOLDED = "unfolded"
# Who said a message: phone, account, holder.
Sayer = tuple[PhoneId, AccountId, str]


class Spoken(NamedTuple):
    """Where a message was said: on which phone, with which account, by or to whom, in what kind of chat."""

    phone_id: PhoneId
    account_id: AccountId
    holder: str
    chat_kind: str


# Some tens of milliseconds at most.
_JUDGED_AT_ONCE = 100


class Watch:
    """What the rules of one transaction find; everything is written at once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._shelf = work.shelf()
        self._zones: dict[AccountId, str] = {}
        self._slow = self._shelf.book.rules_of.get(Behaviour.SLOW_REPLY, ())

    @property
    def shelf(self) -> Shelf:
        """Return the version that finds everything in this transaction."""
        return self._shelf

    def messages(
        self, new: Sequence[NewMessage], ids: Sequence[int], spoken: Sequence[Spoken], marks: dict[int, Mark]
    ) -> None:
        """Keep what rules find in messages that were archived just now; `marks` by place among them."""
        places = sorted({*marks, *self._at_night(new, spoken)})
        if places:
            fresh = [_line(new[place], ids[place], spoken[place]) for place in places]
            findings = self._found(new, places, fresh, [marks.get(place) or Mark() for place in places])
            self._keep(findings, new_from_id=ids[0])
        if self._slow:
            self._answers(new, ids, spoken)

    def changed(
        self, message: Message, chat_kind: str, sayer: Sayer, change: MessageChange, mark: Mark
    ) -> None:
        """Keep what rules find in what an archived message shows now."""
        book = self._shelf.book
        line = _line_of(message, chat_kind, sayer)
        findings = in_line(book, line, mark.found, where=change.what, text=change.text)
        if change.what == UNFOLDED:
            # What was read of it before was counted then.
            same = _common(message.text, change.text)
            findings = [one for one in findings if one.rule.rate is None or one.end > same]
        if change.amount_fen >= 0 and change.amount_fen != message.amount_fen:
            findings += behaviours.of_money(book, line, change.amount_fen)
        self._keep(findings)

    def may_care(self, change: MessageChange, mark: Mark | None) -> bool:
        """Tell whether rules have anything to look at in a change."""
        is_money = change.amount_fen >= 0 and any(one in self._shelf.book.rules_of for one in MONEY)
        return is_money or (mark is not None and bool(mark.found))

    def removed(self, removal: ChatRemoval, chat_kind: str, holder: str, at_ms: int) -> None:
        """Keep what rules find in a chat that was cleared or deleted."""
        line = Line(
            message_id=0,
            conversation_id=removal.conversation_id,
            position=removal.last_position,
            chat_kind=chat_kind,
            phone_id=removal.phone_id,
            account_id=removal.account_id,
            holder=holder,
            side="out",
            kind="",
            text="",
            read_at_ms=at_ms,
        )
        self._keep(behaviours.of_removal(self._shelf.book, line, removal))

    # ---- inside

    def _at_night(self, new: Sequence[NewMessage], spoken: Sequence[Spoken]) -> list[int]:
        """Return the places of messages that may have been said in a night that rules look at."""
        rules = self._shelf.book.rules_of.get(Behaviour.NIGHT, ())
        sides = {side for side in ("in", "out") if any(rule.looks_at(side) for rule in rules)}
        minutes: dict[tuple[AccountId, int], bool] = {}
        found = []
        for place, one in enumerate(new if sides else ()):
            if one.side not in sides:
                continue
            account_id, first_ms = (
                spoken[place].account_id,
                behaviours.first_ms(one.shown_from_ms, one.read_at_ms),
            )
            minute = (account_id, first_ms // MINUTE_MS)
            is_night = minutes.get(minute)
            if is_night is None:
                is_night = minutes[minute] = behaviours.is_night(rules, self._zone(account_id), first_ms)
            if is_night:
                found.append(place)
        return found

    def _found(
        self, new: Sequence[NewMessage], places: Sequence[int], fresh: Sequence[Line], marks: Sequence[Mark]
    ) -> list[Finding]:
        book, monitor = self._shelf.book, self._shelf.monitor
        tails = self._tails(new, places, fresh, marks)
        lines = [*tails, *fresh]
        found = [(len(tails) + n, one) for n, mark in enumerate(marks) for one in mark.found]
        if book.reaching and tails:
            found = [*monitor.find_all([line.text for line in tails]), *found]
        findings = check(book, lines, found, find_all=monitor.find_all, fresh_from=len(tails))
        for line, mark in zip(fresh, marks, strict=True):
            if mark.in_detail:
                findings += in_line(book, line, mark.in_detail, where=IN_DETAIL, text=line.detail)
            if book.rules_of:
                findings += behaviours.of_message(
                    book,
                    line,
                    zone_name=self._zone(line.account_id),
                    first_read_ms=lambda line=line: self._work.tx.first_read_ms(line.conversation_id),  # type: ignore[misc]  # bound now
                )
        return findings

    def _tails(
        self, new: Sequence[NewMessage], places: Sequence[int], fresh: Sequence[Line], marks: Sequence[Mark]
    ) -> list[Line]:
        """Return what stood before the lines for which that matters."""
        nearest = max((rule.within_messages for rule in self._shelf.book.reaching), default=1) - 1
        wanted: dict[tuple[int, int], int] = {}
        chats: dict[int, Line] = {}
        for place, line, mark in zip(places, fresh, marks, strict=True):
            reach = nearest if mark.found or mark.has_term else 0
            # Behind a message of the same flush it is known whether it is a part too.
            if mark.is_part and not (place and _follows(new[place - 1], line)):
                reach = max(reach, MOST_PARTS)
            if reach:
                wanted[line.conversation_id, line.position] = reach
                chats[line.conversation_id] = line
        if not wanted:
            return []
        here = {(line.conversation_id, line.position) for line in fresh}
        stood = {
            (one.conversation_id, one.position): one
            for one in self._work.tx.lines_before([(*place, reach) for place, reach in wanted.items()])
        }
        return [_line_before(one, chats[place[0]]) for place, one in stood.items() if place not in here]

    def _zone(self, account_id: AccountId) -> str:
        if Behaviour.NIGHT not in self._shelf.book.rules_of:
            return ""
        if account_id not in self._zones:
            account = self._work.tx.account(account_id)
            self._zones[account_id] = (account.time_zone if account else "") or self._work.time_zone
        return self._zones[account_id]

    def _keep(self, findings: Sequence[Finding], *, new_from_id: int = 0) -> None:
        if findings:
            work, version = self._work, self._shelf.version
            keep(work.tx, findings, version, found_at_ms=work.now_ms, new_from_id=new_from_id)

    def _answers(self, new: Sequence[NewMessage], ids: Sequence[int], spoken: Sequence[Spoken]) -> None:
        chats: dict[int, list[int]] = {}
        for place, (one, where) in enumerate(zip(new, spoken, strict=True)):
            if where.chat_kind == "private":
                chats.setdefault(one.conversation_id, []).append(place)
        if not chats:
            return
        tx, shortest_ms = self._work.tx, replies.shortest_of(self._slow)
        waiting = {wait.conversation_id: wait for wait in tx.waiting_in(list(chats))}
        kept: list[Waiting] = []
        for chat, places in chats.items():
            places.sort(key=lambda n: new[n].position)
            said = [_said(new[place], ids[place]) for place in _turns(new, places)]
            where = spoken[places[-1]]
            fresh = Waiting(0, chat, where.phone_id, where.account_id, where.holder, 0, 0, 0)
            before = waiting.get(chat)
            kept += [w for w in replies.turned(before, fresh, said, shortest_ms) if w != before]
        # Who was answered among these very messages was never kept as waiting.
        over = [wait.message_id for wait in kept if not wait.judge_ms and wait.message_id < ids[0]]
        tx.put_waiting([wait for wait in kept if wait.judge_ms])
        tx.drop_waiting(over)


# ---- who waits too long


def sweep(ledger: Ledger) -> None:
    """Judge the answers that are due; call it every few seconds."""
    with ledger.look() as tx:
        if not tx.waiting_to_judge(ledger.clock.now_ms(), limit=1):
            return
    with ledger.work() as work:
        shelf = work.shelf()
        rules = shelf.book.rules_of.get(Behaviour.SLOW_REPLY, ())
        due = work.tx.waiting_to_judge(work.now_ms, limit=_JUDGED_AT_ONCE)
        findings: list[Finding] = []
        kept: list[Waiting] = []
        over: list[int] = []
        for wait in due:
            judge_ms = _judge(work, shelf, wait, findings) if rules else None
            if judge_ms is None:
                over.append(wait.message_id)
            else:
                kept.append(wait._replace(judge_ms=judge_ms))
        work.tx.put_waiting(kept)
        work.tx.drop_waiting(over)
        keep(work.tx, findings, shelf.version, found_at_ms=work.now_ms)


def _judge(work: Work, shelf: Shelf, wait: Waiting, findings: list[Finding]) -> int | None:
    tx, account_id = work.tx, wait.account_id
    message = tx.message(wait.message_id)
    if message is None:
        return None
    line = _line_of(message, "private", (wait.phone_id, account_id, wait.holder))._replace(side="out")
    rules = [
        rule
        for rule in shelf.book.rules_of[Behaviour.SLOW_REPLY]
        if behaviours.concerns(shelf.book, rule, line)
    ]
    if not rules:
        return None
    account = tx.account(account_id)
    capture = tx.capture_rules(account_id) or CaptureRules(account_id=account_id)
    verdict = replies.judged(
        wait,
        rules,
        tx.coverage_spans(account_id, from_ms=wait.since_ms, to_ms=wait.answered_ms or work.now_ms),
        capture.capture_windows,
        zone_name=(account.time_zone if account else "") or work.time_zone,
        covered_until_ms=tx.covered_until(account_id),
        now_ms=work.now_ms,
    )
    for rule in verdict.broken:
        waited = f"waited at least {verdict.waited_ms // 60_000} minutes"
        told = waited if wait.answered_ms else f"{waited}, not answered"
        findings.append(
            behaviours.finding_of(rule, line, Behaviour.SLOW_REPLY, key=str(wait.message_id), detail=told)
        )
    return verdict.judge_ms


# ---- lines


def _line(new: NewMessage, message_id: int, where: Spoken) -> Line:
    return Line(
        message_id=message_id,
        conversation_id=new.conversation_id,
        position=new.position,
        chat_kind=where.chat_kind,
        phone_id=where.phone_id,
        account_id=where.account_id,
        holder=where.holder,
        side=new.side,
        kind=new.kind,
        text=new.text,
        read_at_ms=new.read_at_ms,
        detail=new.detail,
        sender=new.sender,
        amount_fen=new.amount_fen,
        from_ms=new.shown_from_ms,
        to_ms=new.shown_to_ms,
    )


def _line_before(stood: Stood, chat: Line) -> Line:
    return chat._replace(
        message_id=stood.message_id,
        position=stood.position,
        side=stood.side,
        kind=stood.kind,
        text=stood.text,
        read_at_ms=stood.read_at_ms,
        detail=stood.detail,
        sender=stood.sender,
        amount_fen=-1,
        from_ms=stood.shown_from_ms,
        to_ms=stood.shown_to_ms,
    )


def _line_of(message: Message, chat_kind: str, sayer: Sayer) -> Line:
    return Line(
        message_id=message.id,
        conversation_id=message.conversation_id,
        position=message.position,
        chat_kind=chat_kind,
        phone_id=sayer[0],
        account_id=sayer[1],
        holder=sayer[2],
        side=message.side,
        kind=message.kind,
        text=message.text,
        read_at_ms=message.read_at_ms,
        detail=message.detail,
        sender=message.sender,
        amount_fen=message.amount_fen,
        from_ms=message.shown_from_ms,
        to_ms=message.shown_to_ms,
    )


def _turns(new: Sequence[NewMessage], places: Sequence[int]) -> list[int]:
    """Return the places at which somebody else began to speak: who waits for whom depends on these alone."""
    turns, last_side = [], ""
    for place in places:
        side = new[place].side
        if side != last_side and SYSTEM not in (side, new[place].kind):
            turns.append(place)
            last_side = side
    return turns


def _said(new: NewMessage, message_id: int) -> Said:
    return Said(message_id, new.side, new.kind, new.read_at_ms, new.shown_from_ms, new.shown_to_ms)


def _follows(before: NewMessage, line: Line) -> bool:
    return (before.conversation_id, before.position + 1) == (line.conversation_id, line.position)


def _common(first: str, second: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
