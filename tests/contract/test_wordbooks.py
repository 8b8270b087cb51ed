"""Words and rules in versions over both databases: whole or not at all, and in force for the next message."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from controller import bookedits
from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import BadRequest, BookChanged, BookWrong, ConfigWrong
from controller.shelves import GRACE_MS, Prepared, Shelves, packed, prepare, unpacked
from controller.web.bookwatch import BookWatch
from controller.wordbooks import default_document
from tests.support.backends import Backend, race
from tests.support.clock import START_MS

OWN = "own"


def words(core: Core) -> set[str]:
    return {entry.word for entry in core.books.current().book.lexicon.entries}


def found(core: Core, text: str) -> list[str]:
    return [one.word for one in core.books.current().monitor.find(text)]


def many(count: int) -> list[dict[str, Any]]:
    # Characters that no sentence of these tests holds, so that nothing is found by chance.
    return [
        {"word": chr(0x5200 + n // 100) + chr(0x6B00 + n % 100) + "乂", "category": OWN} for n in range(count)
    ]


# ---- the beginning


def test_a_farm_begins_with_the_words_of_its_configuration(backend: Backend) -> None:
    core = backend.core(words=("私人微信", " 私人微信 ", "转账给我", ""))
    assert words(core) == {"私人微信", "转账给我"}
    (line,) = core.books.history()
    assert (line.version, line.actor, line.act, line.at_ms) == (1, "configuration", "begin", START_MS)
    entries = core.books.document()["entries"]
    assert all(entry["id"].startswith("C") for entry in entries)
    assert {(entry["category"], entry["severity"]) for entry in entries} == {(OWN, "high")}
    # Nobody did this: it is no line of the diary.
    assert core.audit.entries() == []


def test_a_farm_begins_with_the_default_words_and_rules(backend: Backend) -> None:
    core = backend.core(words=("烦我",), words_default=True)
    document = core.books.document()
    assert "烦我" in words(core)
    assert len(document["entries"]) == len(default_document()["entries"]) + 1
    assert len(core.books.current().book.rules) > 3
    # Somebody looks for every one of them.
    assert set(core.books.current().book.rules_on) == {entry["id"] for entry in document["entries"]}


def test_another_start_makes_the_configured_words_equal_and_leaves_the_rest(backend: Backend) -> None:
    core = backend.core(words=("甲词", "乙词"))
    core.books.add([{"word": "手写词"}], actor="li")
    assert backend.core(words=("乙词", "甲词")).books.current().version == 2
    changed = backend.core(words=("乙词", "丙词"))
    assert words(changed) == {"乙词", "丙词", "手写词"}
    newest = changed.books.history()[0]
    assert (newest.version, newest.act) == (3, "configure")
    assert "丙词" in newest.note
    assert "甲词" in newest.note


def test_a_word_that_a_person_added_is_not_doubled_by_the_configuration(backend: Backend) -> None:
    core = backend.core()
    core.books.add([{"word": "飞单"}], actor="li")
    again = backend.core(words=("飞单",))
    assert [entry["word"] for entry in again.books.document()["entries"]] == ["飞单"]


def test_controllers_that_start_at_once_make_one_first_version(backend: Backend) -> None:
    if backend.kind == "sqlite":
        pytest.skip("a SQLite file has one controller")
    stores = [backend.store() for _ in range(4)]

    def start(at: int) -> int:
        from tests.support.corefarm import core_on

        return core_on(stores[at], backend.clock, words=("甲词",)).books.current().version

    assert race([lambda at=at: start(at) for at in range(4)]) == [1, 1, 1, 1]


@pytest.mark.parametrize("word", ["长" * 65, "。", "a\x07b"], ids=["long", "nothing to see", "control"])
def test_a_configured_word_that_can_be_none_is_told_at_the_start(backend: Backend, word: str) -> None:
    with pytest.raises(ConfigWrong, match="words"):
        backend.core(words=(word,))


# ---- changes


def test_a_change_is_in_force_when_it_returns_and_stands_in_the_history(core: Core) -> None:
    assert found(core, "我们走飞单") == []
    assert core.books.add([{"word": "飞单", "category": OWN}], actor="li", note="第3次例会") == 2
    assert found(core, "我们走飞单") == ["飞单"]
    line = core.books.history()[0]
    assert (line.version, line.actor, line.act, line.note) == (2, "li", "add", "第3次例会")
    entry = core.audit.entries()[0]
    assert (entry.actor, entry.what, entry.object) == ("li", "words.add", "book 2")
    assert core.books.remove(["飞单"], actor="wang") == 3
    assert found(core, "我们走飞单") == []
    # What was in force then is still there.
    assert [one["word"] for one in core.books.document(2)["entries"]] == ["飞单"]
    assert core.books.document(3)["entries"] == []
    assert [line.version for line in core.books.history(limit=2)] == [3, 2]
    assert [line.version for line in core.books.history(before_version=2)] == [1]
    with pytest.raises(BadRequest, match="no version 9"):
        core.books.document(9)


def test_a_change_that_changes_nothing_makes_no_version(core: Core) -> None:
    core.books.add([{"word": "飞单"}], actor="li")
    assert core.books.add([{"word": "飞单"}], actor="li") is None
    assert core.books.current().version == 2


def test_nobody_unnamed_changes_words(core: Core) -> None:
    with pytest.raises(BadRequest, match="who"):
        core.books.add([{"word": "飞单"}], actor=" ")
    assert core.books.current().version == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a word without characters": ({"entries": [{"id": "L7", "word": " "}]}, "L7"),
    "an id twice": (
        {
            "entries": [
                {"id": "L1", "word": "甲词"},
                {"id": "L2", "word": "乙词"},
                {"id": "L2", "word": "丙词"},
            ]
        },
        "L2.*twice",
    ),
    "a severity nobody knows": ({"entries": [{"id": "L7", "word": "飞单", "severity": "huge"}]}, "L7"),
    "a category nobody described": (
        {"entries": [{"id": "L7", "word": "飞单", "category": "nope"}]},
        "L7.*nope",
    ),
    "a rule on a missing word": ({"rules": [{"id": "R7", "on": {"words": ["没有"]}}]}, "R7"),
    "a rule without anything": ({"rules": [{"id": "R7", "on": {}}]}, "R7"),
    "a rule with a strange key": ({"rules": [{"id": "R7", "on": {"categories": ["*"]}, "loud": True}]}, "R7"),
    "an exception for everything": ({"exceptions": [{"id": "X7"}]}, "X7"),
    "a key that is no part": ({"ruels": []}, "ruels"),
    "no object": ([1], "JSON object"),  # type: ignore[dict-item]  # what a file may hold
    "nothing": ({}, "empty"),
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG.keys())
def test_a_book_that_cannot_be_used_is_refused_whole(core: Core, given: tuple[Any, str]) -> None:
    document, named = given
    core.books.add([{"word": "旧词"}], actor="li")
    good = {"entries": [{"word": "新词"}, *document.get("entries", [])]} if isinstance(document, dict) else {}
    whole = {**document, **(good if document else {})} if isinstance(document, dict) else document
    for replaces in (False, True):
        with pytest.raises(BadRequest, match=named):
            core.books.edit(
                lambda known, replaces=replaces: bookedits.merged(known, whole, replaces=replaces),
                actor="li",
                act="import",
            )
    assert core.books.current().version == 2
    assert found(core, "旧词新词") == ["旧词"]
    assert len(core.books.history()) == 2


def test_a_version_made_from_an_older_one_is_refused(core: Core) -> None:
    base = core.books.document()
    first = prepare(bookedits.merged(base, {"entries": [{"word": "甲词"}]}), 1)
    second = prepare(bookedits.merged(base, {"entries": [{"word": "乙词"}]}), 1)
    assert core.books.put(first, actor="li", act="add") == 2
    with pytest.raises(BookChanged):
        core.books.put(second, actor="wang", act="add")
    assert found(core, "甲词乙词") == ["甲词"]
    assert [line.version for line in core.books.history()] == [2, 1]


def test_racing_changes_lose_nothing(backend: Backend) -> None:
    cores = [backend.core()] if backend.kind == "sqlite" else [backend.core() for _ in range(4)]

    def add(core: Core, at: int) -> None:
        for n in range(3):
            core.books.add([{"word": f"词{at}号{n}"}], actor=f"p{at}")

    race([lambda core=core, at=at: add(core, at) for at, core in enumerate(cores)])
    wanted = {f"词{at}号{n}" for at in range(len(cores)) for n in range(3)}
    cores[0].books.adopt()
    assert words(cores[0]) == wanted
    versions = [line.version for line in cores[0].books.history()]
    assert versions == list(range(len(wanted) + 1, 0, -1))


def test_a_change_whose_transaction_fails_is_in_force_nowhere(core: Core) -> None:
    prepared = prepare(bookedits.merged(core.books.document(), {"entries": [{"word": "飞单"}]}), 1)

    def fail() -> None:
        with core._ledger.work() as work:
            core.books.put_in(work, prepared, actor="li", act="add")
            assert work.shelf().version == 2
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert core.books.current().version == 1
    assert found(core, "飞单") == []
    assert core.books.put(prepared, actor="li", act="add") == 2


# ---- the configuration's own, imports


def test_configured_words_change_in_the_configuration_only(backend: Backend) -> None:
    core = backend.core(words=("甲词",))
    with pytest.raises(BadRequest, match="configuration"):
        core.books.remove(["甲词"], actor="li")
    core.books.edit(
        lambda known: bookedits.merged(known, {"entries": [{"word": "乙词"}]}, replaces=True),
        actor="li",
        act="import",
    )
    assert words(core) == {"甲词", "乙词"}
    core.books.add([{"word": "甲词", "severity": "low"}], actor="li")
    assert {entry["severity"] for entry in core.books.document()["entries"] if entry["word"] == "甲词"} == {
        "high"
    }


def test_an_import_replaces_only_the_parts_it_has(core: Core) -> None:
    core.books.edit(
        lambda known: bookedits.merged(
            known,
            {
                "entries": [{"id": "L1", "word": "甲词"}, {"id": "L2", "word": "乙词"}],
                "rules": [{"id": "R1", "on": {"categories": ["*"]}}],
                "groups": {"sales": ["王芳"]},
                "allow": {"phrases": ["甲词典"]},
            },
        ),
        actor="li",
        act="import",
    )
    core.books.edit(
        lambda known: bookedits.merged(known, {"entries": [{"id": "L9", "word": "甲词"}]}, replaces=True),
        actor="li",
        act="import",
    )
    document = core.books.document()
    assert [entry["word"] for entry in document["entries"]] == ["甲词"]
    assert [rule["id"] for rule in document["rules"]] == ["R1"]
    assert (document["groups"], document["allow"]["phrases"]) == ({"sales": ["王芳"]}, ["甲词典"])


def test_a_whole_book_comes_back_as_it_went_out(core: Core) -> None:
    core.books.add([{"word": "飞单"}, {"word": "@PHONE"}], actor="li")
    book = json.loads(json.dumps(core.books.document()))
    assert unpacked(packed(book)) == book
    core.books.remove(["飞单"], actor="li")
    core.books.edit(lambda known: bookedits.merged(known, book, replaces=True), actor="li", act="import")
    assert {**core.books.document(), "version": 0} == {**book, "version": 0}


# ---- exceptions


def test_an_exception_is_part_of_a_version_made_in_a_transaction_of_others(core: Core) -> None:
    core.books.add([{"id": "L1", "word": "飞单"}], actor="li")
    with core._ledger.work() as work:
        waiver = core.books.add_waiver(
            work, entry="L1", phrase="飞单纸", why="a kind of paper", violation_id=7, actor="wang"
        )
        second = core.books.add_waiver(work, entry="L1", phrase="飞单机", why="a machine", actor="wang")
        assert core.books.current().version == 2
    assert (waiver.id, second.id) == ("X003", "X004")
    assert (waiver.by, waiver.at_ms, waiver.violation_id) == ("wang", START_MS, 7)
    assert [one.phrase for one in core.books.current().book.waivers] == ["飞单纸", "飞单机"]
    assert core.books.remove_waiver("X003", why="no such paper", actor="li") == 5
    assert [one.id for one in core.books.current().book.waivers] == ["X004"]
    for act in (
        lambda: core.books.remove_waiver("X003", why="again", actor="li"),
        lambda: core.books.remove_waiver("X004", why=" ", actor="li"),
    ):
        with pytest.raises(BadRequest):
            act()


# ---- several controllers


def test_another_controllers_change_is_seen_by_the_next_transaction(backend: Backend) -> None:
    if backend.kind == "sqlite":
        pytest.skip("a SQLite file has one controller")
    one, other = backend.core(), backend.core()
    one.books.add([{"word": "飞单"}], actor="li")
    assert found(other, "飞单") == []
    assert other.books.newer() is not None
    with other._ledger.work() as work:
        assert work.shelf().version == 2
    assert found(other, "飞单") == ["飞单"]
    assert other.books.newer() is None
    # And the other way round: nobody has to be told.
    other.books.add([{"word": "私单"}], actor="wang")
    assert one.books.adopt() == 3


def test_a_large_newer_version_is_waited_for_at_most_so_long(backend: Backend) -> None:
    core = backend.core()
    steady = [0]
    shelves = Shelves(lambda: steady[0])
    with core._ledger.look() as tx:
        assert shelves.load(tx).version == 1
    core.books.edit(
        lambda known: bookedits.merged(known, {"entries": many(600), "note": str(time.time_ns())}),
        actor="li",
        act="import",
    )
    # As another process has it, which never made these words ready.
    from controller.shelves import _monitors

    _monitors._kept.clear()
    shelves.has_helper = True
    with core._ledger.look() as tx:
        assert shelves.load(tx).version == 1
        steady[0] += GRACE_MS - 1
        assert shelves.load(tx).version == 1
        steady[0] += 1
        assert shelves.load(tx).version == 2


def test_a_watch_puts_another_controllers_version_in_force(backend: Backend) -> None:
    """Nothing is archived meanwhile: the change is noticed all the same, and made ready apart."""
    if backend.kind == "sqlite":
        pytest.skip("a SQLite file has one controller")
    one, other = backend.core(), backend.core()

    async def watched() -> None:
        thread = CoreThread()
        watch = BookWatch(other, thread)
        watch.start()
        try:
            await asyncio.sleep(0)
            one.books.add([{"word": "飞单"}], actor="li")
            began = time.perf_counter()
            while other.books.current().version != 2:
                assert time.perf_counter() - began < 30
                await asyncio.sleep(0.02)
        finally:
            await watch.stop()
            thread.close()

    asyncio.run(watched())
    assert found(other, "走飞单") == ["飞单"]


# ---- ten thousand words


def test_words_by_the_ten_thousand_keep_nobody_waiting(core: Core) -> None:
    """The core answers others while words are made ready elsewhere; only putting them in is its own work."""
    document = core.books.document()
    made: list[Prepared] = []

    def make() -> None:
        made.append(prepare(bookedits.merged(document, {"entries": many(20_000)}), 1))

    thread = threading.Thread(target=make)
    answered, longest_s, began = 0, 0.0, time.perf_counter()
    thread.start()
    while thread.is_alive():
        asked = time.perf_counter()
        core.books.history()
        longest_s = max(longest_s, time.perf_counter() - asked)
        answered += 1
    made_s = time.perf_counter() - began
    asked = time.perf_counter()
    assert core.books.put(made[0], actor="li", act="import") == 2
    put_s = time.perf_counter() - asked
    # Made where the core runs, one call would take all of that time. Shares: how fast a machine is differs;
    # the automata take theirs, a quarter, in one piece with Python's lock held.
    assert longest_s < made_s / 2, (longest_s, made_s)
    assert put_s < made_s / 2, (put_s, made_s)
    assert answered > 20
    assert len(words(core)) == 20_000


def test_the_body_that_is_kept_is_small(core: Core) -> None:
    document = bookedits.merged(core.books.document(), {"entries": many(10_000)})
    assert len(packed(document)) < len(json.dumps(document)) / 4


def test_a_wrong_rule_is_told_before_the_words_are_made_ready(core: Core) -> None:
    document = {**core.books.document(), "rules": [{"id": "R1", "on": {"words": ["nobody"]}}]}
    with pytest.raises(BookWrong, match="R1"):
        prepare(document, 1)
