"""Trying words and rules: on one sentence, and on the history, before they are put in force."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from controller import bookedits, bookfiles
from controller.bookedits import Document
from controller.clock import DAY_MS, HOUR_MS
from controller.core import Core
from controller.errors import BadRequest, FarmError
from controller.findings import Line
from controller.logs import log_outline
from controller.model import AccountId, PhoneId
from controller.pastlines import Bounds, History, Stretch, examine
from controller.rulecheck import held_by
from controller.shelves import Shelf, prepare
from controller.tryouts import TryOut
from controller.web.apart import apart
from controller.web.desk import Actor, At, Desk
from controller.web.values import Number, Text
from controller.web.words import EntryAsked, row_of
from controller.web.wordtestviews import (
    CountView,
    ExampleView,
    SentenceHit,
    SentencePassed,
    SentenceView,
    TestView,
    WatchedView,
)

router = APIRouter(prefix="/words", tags=["words"])

_MOST_RUNNING = 2
_MOST_KEPT = 20
_LONGEST_WAIT_S = 20.0
# Between two stretches whoever waits for the core has it.
_PAUSE_S = 0.002
_MOST_TEXT_CHARS = 20_000
_SIDES = {"staff": "out", "customer": "in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAsked:
    """What is tried: a file's text as an import takes it, and words; neither: what is in force."""

    file: Text = ""
    name: Text = ""
    replaces: bool = False
    words: list[EntryAsked] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceAsked(TrialAsked):
    """One sentence, and who says it."""

    text: Text
    side: Text = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked(TrialAsked):
    """Since when the history is looked at, and why: what is shown of it is recorded."""

    since_ms: Number
    reason: Text = "trying words"


@dataclass(slots=True)
class _Test:
    test_id: str
    since_ms: int
    until_ms: int
    tryout: TryOut
    reach: Bounds
    state: str = "running"
    why: str = ""
    watched: WatchedView | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Tests:
    """The tests of this process; they are kept in memory, the last few."""

    def __init__(self) -> None:
        self._tests: dict[str, _Test] = {}

    def get(self, test_id: str) -> _Test:
        """Return a test; BadRequest if it is gone."""
        if test_id not in self._tests:
            raise BadRequest("no such test: they are kept only for a while; begin it again")
        return self._tests[test_id]

    def be_room(self) -> None:
        """Refuse when enough are on their way."""
        if sum(test.state == "running" for test in self._tests.values()) >= _MOST_RUNNING:
            raise BadRequest(f"{_MOST_RUNNING} tests are on their way; wait for one of them")

    def begin(self, at: Desk, test: _Test) -> None:
        """Let a test run."""
        self._tests[test.test_id] = test
        for old in list(self._tests)[: max(len(self._tests) - _MOST_KEPT, 0)]:
            if self._tests[old].state != "running":
                del self._tests[old]
        test.task = asyncio.get_running_loop().create_task(_run(at, test))


def _tests(request: Request) -> Tests:
    state = request.app.state
    if not hasattr(state, "word_tests"):
        state.word_tests = Tests()
    found: Tests = state.word_tests
    return found


@router.post("/try", summary="Try one sentence")
async def try_sentence(at: At, asked: SentenceAsked) -> SentenceView:
    """Return what a sentence hits, by what is in force or by what is tried; it is kept nowhere."""
    if asked.side not in _SIDES:
        raise BadRequest(f"who says it is one of {', '.join(_SIDES)}")
    if not asked.text.strip() or len(asked.text) > _MOST_TEXT_CHARS:
        raise BadRequest(f"a sentence has 1 to {_MOST_TEXT_CHARS} characters")
    shelf = await _tried(at, asked)
    return await apart(_sentence, shelf, asked.text, _SIDES[asked.side])


@router.post("/tests", summary="Test on the history")
async def begin_test(at: At, actor: Actor, request: Request, asked: HistoryAsked) -> TestView:
    """Look through the history with what is tried beside what is in force; nothing found is kept."""
    tests = _tests(request)
    tests.be_room()
    shelf = await _tried(at, asked)
    current = at.core.books.current()

    def begin(core: Core) -> tuple[Bounds, int]:
        if not asked.reason.strip():
            raise BadRequest("say why the history is looked at (reason)")
        reach = core.books.reach(asked.since_ms)
        told = f"{reach.messages} messages since {asked.since_ms}, book {current.version}"
        core.audit.record(actor=actor, what="words.test", object=told, reason=asked.reason)
        return reach, core.clock.now_ms()

    reach, now_ms = await at.ask(begin)
    test = _Test(
        test_id=uuid.uuid4().hex,
        since_ms=asked.since_ms,
        until_ms=now_ms,
        tryout=TryOut(current, shelf),
        reach=reach,
    )
    tests.begin(at, test)
    return await _shown(test, 0)


@router.get("/tests/{test_id}", summary="Show a test")
async def show_test(
    request: Request, test_id: Text, wait_s: Annotated[float, Query(ge=0, le=_LONGEST_WAIT_S)] = 0
) -> TestView:
    """Return how a test stands, as soon as it is done or after `wait_s`."""
    return await _shown(_tests(request).get(test_id), wait_s)


async def _shown(test: _Test, wait_s: float) -> TestView:
    if wait_s > 0 and test.state == "running":
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(test.done.wait(), wait_s)
    return _view(test)


async def _tried(at: Desk, asked: TrialAsked) -> Shelf:
    """Return the book that is tried; the one in force if nothing is."""
    if not asked.file and not asked.words:
        return at.core.books.current()
    document = await at.ask(lambda core: core.books.document())
    change = await apart(_change, asked)
    prepared = await apart(lambda: prepare(change(document), int(document["version"])))
    return prepared.shelf


def _change(asked: TrialAsked) -> Callable[[Document], Document]:
    given = bookfiles.read(asked.file.encode("utf-8", "replace"), asked.name) if asked.file else None

    def change(document: Document) -> Document:
        known = document
        if given is not None:
            known = bookedits.merged(known, given, replaces=asked.replaces)
        if asked.words:
            rows = [row_of(known, one) for one in asked.words]
            known = bookedits.merged(known, {"entries": rows})
        return known

    return change


async def _run(at: Desk, test: _Test) -> None:
    history = History(
        bounds=test.reach,
        books=[test.tryout.now.book, test.tryout.then.book],
        farm_zone=at.core.settings.time_zone,
    )

    def read(core: Core) -> Stretch:
        return core.books.stretch(history)

    try:
        while True:
            stretch = await at.ask(read)
            await apart(test.tryout.look_at, stretch)
            if stretch.is_last:
                break
            await asyncio.sleep(_PAUSE_S)
        test.watched = await _watched(at, test)
        test.state = "done"
    except asyncio.CancelledError:
        test.state, test.why = "failed", "the controller was stopped"
        raise
    except FarmError as error:
        test.state, test.why = "failed", str(error)
    except Exception as error:  # noqa: BLE001  whoever waits for the test must hear of its end
        log_outline("a test of words failed", error)
        test.state, test.why = "failed", "something unexpected happened; see the controller's log"
    finally:
        test.done.set()


async def _watched(at: Desk, test: _Test) -> WatchedView:
    """Return how well the accounts were watched: a day of an account a turn, so that nobody waits long."""
    accounts = await at.ask(lambda core: sorted({p.account_id for p in core.fleet.phones() if p.account_id}))
    accounts = sorted({*accounts, *(AccountId(one) for one in test.tryout.accounts)})
    seen = total = gaps = 0
    for account_id in accounts:
        from_ms = max(test.since_ms, test.until_ms - 31 * DAY_MS)
        while from_ms < test.until_ms:
            to_ms = min(from_ms + 7 * DAY_MS, test.until_ms)
            hours = await at.ask(_hours, account_id, from_ms, to_ms)
            seen += hours[0]
            total += hours[1]
            gaps += hours[2]
            from_ms = to_ms
    return WatchedView(
        accounts=len(accounts),
        from_ms=max(test.since_ms, test.until_ms - 31 * DAY_MS),
        to_ms=test.until_ms,
        seen_ms=seen,
        total_ms=total,
        gaps=gaps,
    )


def _hours(core: Core, account_id: AccountId, from_ms: int, to_ms: int) -> tuple[int, int, int]:
    hours = core.coverage.hours([account_id], from_ms=from_ms, to_ms=to_ms)
    seen = sum(hour.ms["seen"] for hour in hours)
    return seen, sum(sum(hour.ms.values()) for hour in hours), sum(hour.gaps for hour in hours)


def _sentence(shelf: Shelf, text: str, side: str) -> SentenceView:
    line = Line(
        message_id=1,
        conversation_id=1,
        position=1,
        chat_kind="private",
        phone_id=PhoneId(""),
        account_id=AccountId(""),
        holder="",
        side=side,
        kind="text",
        text=text,
        read_at_ms=HOUR_MS,
    )
    stretch = Stretch(
        lines=[line],
        fresh_from=0,
        further=(),
        zones={line.account_id: "UTC"},
        first_read_ms={},
        reached_id=1,
        is_last=True,
    )
    found = shelf.monitor.find(text)
    fired = [one for one in examine(shelf, stretch) if one.kind != "behaviour"]
    return SentenceView(
        version=shelf.version,
        hits=[
            SentenceHit(
                start=one.start,
                end=one.end,
                word=one.word,
                entry_id=one.entry_id,
                rule_id=one.rule.id,
                severity=one.severity,
                how=one.how,
            )
            for one in fired
        ],
        found=[
            SentenceHit(
                start=one.start,
                end=one.end,
                word=one.word,
                entry_id=one.entry_id,
                rule_id="",
                severity=shelf.book.entries[one.entry_id].severity,
                how=one.how,
            )
            for one in found
        ],
        passed=[SentencePassed(**one._asdict()) for one in shelf.monitor.passed_over(text)],
        is_held=held_by(shelf.book, text, found) is not None,
    )


def _view(test: _Test) -> TestView:
    tryout = test.tryout
    counts = sorted(tryout.counts.values(), key=lambda one: (-one.added, -one.gone, -one.then, one.word))
    return TestView(
        test_id=test.test_id,
        state=test.state,
        why=test.why,
        version=tryout.now.version,
        looked_at=tryout.looked_at,
        messages=test.reach.messages,
        counts=[CountView(**_fields(one)) for one in counts],
        examples=[ExampleView(**_fields(one)) for one in tryout.examples],
        watched=test.watched,
    )


def _fields(value: Any) -> dict[str, Any]:
    return {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(value).items()}
