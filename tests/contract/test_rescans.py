"""Words tried on the history and the history searched again, over both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller import bookedits
from controller.core import Core
from controller.errors import BadRequest
from controller.pastlines import History, bounds
from controller.records import Violation
from controller.rescans import Running
from controller.shelves import Shelf, prepare
from controller.store.base_books import ScanState
from controller.tryouts import TryOut
from protos.facts import MessageChanged
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, handset, message

HOUR_MS = 3_600_000


@pytest.fixture
def phone(core: Core) -> Handset:
    core.notices.record("王芳", version="1", how="signed", actor="op")
    return handset(core, 1, holder="王芳")


def tried(core: Core, part: dict[str, Any]) -> Shelf:
    document = core.books.document()
    return prepare(bookedits.merged(document, part), core.books.current().version).shelf


def try_out(core: Core, then: Shelf, *, since_ms: int = 0, limit: int = 7) -> TryOut:
    tryout = TryOut(core.books.current(), then)
    history = History(
        bounds=core.books.reach(since_ms),
        books=[tryout.now.book, then.book],
        farm_zone="Asia/Shanghai",
    )
    while True:
        with core._ledger.look() as tx:
            stretch = history.read(tx, limit=limit)
        tryout.look_at(stretch)
        if stretch.is_last:
            return tryout


def resumed(core: Core) -> Running:
    scan = core.rescans.next()
    assert scan is not None
    document = core.books.document(scan.book_version)
    return core.rescans.resumed(scan, prepare(document, scan.book_version - 1).shelf)


def step(core: Core, running: Running, *, limit: int = 5) -> bool:
    with core._ledger.look() as tx:
        stretch = running.history.read(tx, limit=limit)
    return core.rescans.keep(running, stretch, running.found_in(stretch))


def run(core: Core) -> None:
    running = resumed(core)
    while step(core, running):
        pass


def found(core: Core) -> list[Violation]:
    return sorted(core.violations.list(limit=1_000), key=lambda one: (one.message_id or 0, one.start))


# ---- trying out


def test_a_tryout_tells_what_a_change_would_find_and_keeps_nothing(core: Core, phone: Handset) -> None:
    core.books.add([{"word": "旧词"}], actor="li")
    texts = ["你好", "走飞单吧", "这里有旧词", "在吗", "飞单吧，都走飞单 13800138000"]
    phone.say(*(message(text, n + 1) for n, text in enumerate(texts)))
    before = found(core)
    then = tried(core, {"entries": [{"word": "飞单"}]})
    then = prepare(bookedits.without_entries(then.document, ["旧词"]), 2).shelf
    tryout = try_out(core, then)
    assert {one.word: (one.now, one.then, one.added, one.gone) for one in tryout.counts.values()} == {
        "飞单": (0, 3, 3, 0),
        "旧词": (1, 0, 0, 1),
    }
    assert tryout.looked_at == len(texts)
    assert found(core) == before
    assert core.books.current().version == 2
    new = [one for one in tryout.examples if one.is_new]
    assert [one.text[one.start : one.end] for one in new] == ["飞单"] * 3
    assert new[0].before == ("→ 你好",)
    assert new[0].after == ("→ 这里有旧词", "→ 在吗")
    assert (new[0].phone_id, new[0].holder) == ("001", "王芳")
    # Nobody's number is shown for a trial.
    assert all("13800138000" not in one.text for one in new)
    assert "138****8000" in new[2].text


def test_words_over_several_messages_are_tried_over_the_borders_of_stretches(
    core: Core, phone: Handset
) -> None:
    phone.say(*(message(text, n + 1) for n, text in enumerate("好的吗加我微信可以吗")))
    then = tried(core, {"entries": [{"word": "加我微信"}]})
    for limit in (1, 2, 3, 100):
        tryout = try_out(core, then, limit=limit)
        assert [(one.word, one.added) for one in tryout.counts.values()] == [("加我微信", 1)], limit


def test_what_a_message_showed_later_is_tried_too(core: Core, phone: Handset) -> None:
    phone.say(
        replace(message("", 1), kind="voice"),
        MessageChanged(conversation_key="chat", position=1, what="transcript", text="我们走飞单"),
    )
    tryout = try_out(core, tried(core, {"entries": [{"word": "飞单"}]}))
    assert [(one.word, one.added) for one in tryout.counts.values()] == [("飞单", 1)]


def test_only_what_was_archived_since_then_is_looked_at(backend: Backend) -> None:
    core = backend.core()
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="王芳")
    for n in range(6):
        phone.say(message("走飞单吧", n + 1))
        backend.clock.advance(HOUR_MS)
    with core._ledger.look() as tx:
        for hours, wanted in ((0, 6), (1, 5), (3, 3), (5, 1), (6, 0), (1_000, 0)):
            assert bounds(tx, START_MS + hours * HOUR_MS).messages == wanted, hours
    then = tried(core, {"entries": [{"word": "飞单"}]})
    assert try_out(core, then, since_ms=START_MS + 2 * HOUR_MS).looked_at == 4
    assert try_out(core, then, since_ms=START_MS + 99 * HOUR_MS).looked_at == 0


def test_an_empty_history_says_so(core: Core) -> None:
    tryout = try_out(core, tried(core, {"entries": [{"word": "飞单"}]}))
    assert (tryout.looked_at, tryout.counts, tryout.from_ms) == (0, {}, 0)


# ---- searching again


def test_a_search_finds_what_was_said_before_a_word_was_known(core: Core, phone: Handset) -> None:
    phone.say(
        *(message(text, n + 1) for n, text in enumerate(["你好", "走飞单吧", "好", "飞单吧，都走飞单"]))
    )
    assert found(core) == []
    core.books.add([{"word": "飞单"}], actor="li")
    scan = core.rescans.begin(0, reason="a new word", actor="li")
    assert (scan.state, scan.book_version, scan.last_message_id) == (ScanState.RUNNING, 2, 4)
    entry = core.audit.entries()[0]
    assert (entry.what, entry.actor, entry.reason) == ("words.rescan", "li", "a new word")
    run(core)
    assert [(one.text, one.word, one.origin, one.book_version) for one in found(core)] == [
        ("走飞单吧", "飞单", "rescan", 2),
        ("飞单吧，都走飞单", "飞单", "rescan", 2),
        ("飞单吧，都走飞单", "飞单", "rescan", 2),
    ]
    assert {(one.holder, one.phone_id) for one in found(core)} == {("王芳", "001")}
    ended = core.rescans.list()[0]
    assert (ended.state, ended.looked_at, ended.found) == (ScanState.DONE, 4, 3)
    assert core.rescans.next() is None


def test_what_was_found_live_is_not_found_again(core: Core, phone: Handset) -> None:
    core.books.add([{"word": "飞单"}], actor="li")
    phone.say(message("走飞单吧", 1))
    live = found(core)
    for _ in range(2):
        core.rescans.begin(0, reason="once more", actor="li")
        run(core)
    assert [one.word for one in live] == ["飞单"]
    assert found(core) == live
    assert core.rescans.list()[0].found == 0


def test_a_search_goes_on_where_it_stood_after_a_restart(backend: Backend) -> None:
    core = backend.core()
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="王芳")
    phone.say(*(message(f"走飞单吧{n}", n + 1) for n in range(23)))
    core.books.add([{"word": "飞单"}], actor="li")
    core.rescans.begin(0, reason="r", actor="li")
    running = resumed(core)
    assert step(core, running)
    assert step(core, running)
    # The book changes meanwhile; a search is by one book from its begin to its end.
    core.books.remove(["飞单"], actor="li")
    again = backend.core()
    assert again.rescans.list()[0].looked_at == 10
    run(again)
    assert len({one.message_id for one in found(again)}) == 23
    assert {one.book_version for one in found(again)} == {2}
    assert (again.rescans.list()[0].looked_at, again.rescans.list()[0].found) == (23, 23)


def test_two_at_one_search_keep_each_finding_once(core: Core, phone: Handset) -> None:
    phone.say(*(message(f"走飞单吧{n}", n + 1) for n in range(12)))
    core.books.add([{"word": "飞单"}], actor="li")
    core.rescans.begin(0, reason="r", actor="li")
    one, other = resumed(core), resumed(core)
    assert step(core, one)
    # Whoever comes second keeps nothing, and goes on no more.
    assert not step(core, other)
    run(core)
    assert len(found(core)) == 12
    assert core.rescans.list()[0].looked_at == 12


def test_searches_take_turns_need_a_reason_and_can_be_stopped(core: Core, phone: Handset) -> None:
    phone.say(*(message(f"走飞单吧{n}", n + 1) for n in range(12)))
    with pytest.raises(BadRequest, match="why"):
        core.rescans.begin(0, reason=" ", actor="li")
    core.books.add([{"word": "飞单"}], actor="li")
    scan = core.rescans.begin(0, reason="r", actor="li")
    with pytest.raises(BadRequest, match=f"search {scan.id} is on its way"):
        core.rescans.begin(0, reason="r", actor="li")
    running = resumed(core)
    assert step(core, running)
    core.rescans.stop(scan.id, actor="wang")
    assert not step(core, running)
    assert core.rescans.next() is None
    assert len(found(core)) == 5
    with pytest.raises(BadRequest, match="does not run"):
        core.rescans.stop(scan.id, actor="wang")


def test_a_waiver_silences_a_search_too(core: Core, phone: Handset) -> None:
    phone.say(message("买一台飞单机", 1), message("走飞单吧", 2))
    core.books.add([{"id": "L1", "word": "飞单"}], actor="li")
    with core._ledger.work() as work:
        core.books.add_waiver(work, entry="L1", phrase="飞单机", why="a machine", actor="wang")
    core.rescans.begin(0, reason="r", actor="li")
    run(core)
    assert [one.text for one in found(core)] == ["走飞单吧"]


def test_the_same_said_again_at_once_counts_with_what_was_found(core: Core, phone: Handset) -> None:
    part = {"entries": [{"word": "飞单"}], "rules": [{"id": "R1", "on": {"categories": ["*"]}}]}
    core.books.edit(lambda known: bookedits.merged(known, part, replaces=True), actor="li", act="import")
    phone.say(*(message("走飞单吧", n + 1) for n in range(4)))
    live = found(core)
    assert [(one.text, one.repeats) for one in live] == [("走飞单吧", 3)]
    core.rescans.begin(0, reason="r", actor="li")
    run(core)
    assert found(core) == live


def test_a_rate_counts_the_history_apart_from_today(core: Core, phone: Handset) -> None:
    phone.say(*(message(f"走飞单吧{n}", n + 1) for n in range(7)))
    rule = {"id": "R1", "on": {"words": ["飞单"]}, "rate": {"count": 3, "window_s": 3600, "per": "chat"}}
    part = {"entries": [{"word": "飞单"}], "rules": [rule]}
    core.books.edit(lambda known: bookedits.merged(known, part, replaces=True), actor="li", act="import")
    core.rescans.begin(0, reason="r", actor="li")
    run(core)
    assert [one.text for one in found(core)] == ["走飞单吧2", "走飞单吧5"]
    # Of today nothing is counted yet: two more are too few.
    phone.say(message("走飞单吧a", 8), message("走飞单吧b", 9))
    assert len(found(core)) == 2
    phone.say(message("走飞单吧c", 10))
    assert len(found(core)) == 3
