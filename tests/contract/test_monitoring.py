"""The monitor in the path of every message, over both databases: each finding once, by one version."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from controller.core import Core
from controller.errors import SafetyRefusal
from controller.model import AccountId
from controller.records import Violation
from protos import crashpoint
from protos.facts import ChatRemoved, CoverageSeen, Fact, MessageChanged, MessageSeen
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, body, customers, handset, message

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
WORDS = ("微信", "红包", "转账")
ON = {"on": {"words": ["微信"]}}


def rules(core: Core, *said: Mapping[str, Any], **parts: Any) -> None:
    """Put rules R1, R2, … in force."""
    numbered = [{"id": f"R{n}", **rule} for n, rule in enumerate(said, 1)]
    core.books.edit(lambda book: {**book, "rules": numbered, **parts}, actor="admin", act="rules")


def signed(core: Core, number: int = 1, holder: str = "王芳") -> Handset:
    core.notices.record(holder, version="1", how="signed", actor="op")
    return handset(core, number, holder=holder)


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core(words=WORDS)


@pytest.fixture
def phone(core: Core) -> Handset:
    return signed(core)


def found(core: Core) -> list[Violation]:
    """Return all violations in the order in which they were found."""
    return list(reversed(core.violations.list(limit=1_000)))


def stands(core: Core) -> list[tuple[str, str, int | None, int, int]]:
    return [(one.rule_id, one.word, _position(core, one), one.start, one.end) for one in found(core)]


def _position(core: Core, violation: Violation) -> int | None:
    if violation.message_id is None:
        return None
    with core._ledger.look() as tx:
        said = tx.message(violation.message_id)
    assert said is not None
    return said.position


def picture(kind: str, position: int, **parts: Any) -> MessageSeen:
    return replace(message("", position), kind=kind, **parts)


def said_at(text: str, position: int, at_ms: int, side: str = "out") -> MessageSeen:
    return replace(message(text, position, side=side), shown_from_ms=at_ms, shown_to_ms=at_ms + SECOND_MS)


# ---- words


def test_a_violation_names_its_rule_entry_version_and_place(core: Core, phone: Handset) -> None:
    rules(core, {**ON, "severity": "critical", "name": "引流"})
    phone.say(message("好的", 1), message("加我微信", 2, side="out"))
    (violation,) = found(core)
    with core._ledger.look() as tx:
        version = tx.book_version()
    assert (violation.rule_id, violation.word, violation.start, violation.end) == ("R1", "微信", 2, 4)
    assert (violation.book_version, violation.severity, violation.notify) == (version, "critical", True)
    assert (violation.holder, violation.side, violation.text) == ("王芳", "out", "加我微信")
    assert violation.origin == "live"
    assert violation.entry_id


def test_a_rule_looks_only_at_its_side_and_staff(core: Core, phone: Handset) -> None:
    other = signed(core, 2, holder="李娜")
    rules(
        core,
        {**ON, "direction": "staff", "scope": {"groups": ["sales"]}},
        {**ON, "direction": "customer"},
        groups={"sales": ["李娜"]},
    )
    phone.say(message("微信", 1, side="out"), message("微信", 2, side="in"))
    other.say(message("微信", 1, side="out"))
    assert [(one.rule_id, one.holder, one.side) for one in found(core)] == [
        ("R2", "王芳", "in"),
        ("R1", "李娜", "out"),
    ]


def test_a_word_split_over_messages_of_several_batches_is_found_once(core: Core, phone: Handset) -> None:
    for n, text in enumerate(["加", "我", "微", "信", "哈"], 1):
        phone.say(message(text, n), at_ms=START_MS + n * SECOND_MS)
    (violation,) = found(core)
    first = core.archive.messages(core.archive.conversations()[0].id)[2]
    assert (violation.text, violation.start, violation.end) == ("信", 0, 1)
    assert violation.detail == f"joined: 2 messages from {first.id}"


def test_a_word_split_within_one_batch_is_found_too(core: Core, phone: Handset) -> None:
    phone.say(message("你", 1), message("微", 2), message("信", 3), message("微", 4, side="in"))
    assert stands(core) == [("R000", "微信", 3, 0, 1)]


def test_terms_near_each_other_count_over_batches(core: Core, phone: Handset) -> None:
    rules(core, {**ON, "all_of": ["汇款"], "within_messages": 3})
    phone.say(message("加微信吧朋友们大家好", 1))
    assert found(core) == []
    phone.say(message("好的没有问题的老板", 2))
    phone.say(message("马上汇款给你好不好", 3))
    assert stands(core) == [("R1", "微信", 1, 1, 3)]
    phone.say(message("再汇款给你一次好不好", 4))
    assert len(found(core)) == 1


def test_a_transcript_is_matched_and_what_was_shown_before_is_not_found_again(
    core: Core, phone: Handset
) -> None:
    phone.say(picture("voice", 1), picture("voice", 2, detail="加微信"))
    phone.say(
        MessageChanged(conversation_key="chat", position=1, what="transcript", text="发红包"),
        MessageChanged(conversation_key="chat", position=2, what="transcript", text="加微信"),
    )
    assert [(one.word, one.detail, one.start) for one in found(core)] == [
        ("微信", "detail", 1),
        ("红包", "transcript", 1),
    ]


def test_an_unfolded_text_brings_only_what_is_new(core: Core, phone: Handset) -> None:
    phone.say(replace(message("加微信然后", 1), fragment=True))
    phone.say(
        MessageChanged(conversation_key="chat", position=1, what="unfolded", text="加微信然后给你发红包")
    )
    assert [(one.word, one.detail, one.start) for one in found(core)] == [
        ("微信", "", 1),
        ("红包", "unfolded", 8),
    ]


# ---- the same again


def test_the_same_text_again_soon_is_counted_and_not_a_violation_of_its_own(
    backend: Backend, core: Core, phone: Handset
) -> None:
    rules(core, {**ON, "collapse_s": 600})
    phone.say(message("加微信", 1), message("加微信", 2), message("加微信吧", 3))
    phone.say(message("加微信", 4), at_ms=START_MS + 599 * SECOND_MS)
    phone.say(message("加微信", 5), at_ms=START_MS + 601 * SECOND_MS)
    assert [(one.text, one.repeats) for one in found(core)] == [("加微信", 2), ("加微信吧", 0), ("加微信", 0)]


def test_what_somebody_decided_on_takes_in_nothing_more(core: Core, phone: Handset) -> None:
    rules(core, {**ON, "collapse_s": 600})
    phone.say(message("加微信", 1))
    (first,) = found(core)
    core.violations.decide([first.id], "confirm", reason="against_rules", actor="boss")
    phone.say(message("加微信", 2))
    assert [(one.state, one.repeats) for one in found(core)] == [("confirmed", 0), ("new", 0)]


def test_a_rate_counts_over_batches_and_starts_again(core: Core, phone: Handset) -> None:
    rules(core, {**ON, "rate": {"count": 3, "window_s": 60, "per": "holder"}})
    for n, second in enumerate([0, 10, 20, 30, 40, 50], 1):
        phone.say(message(f"微信{n}", n), at_ms=START_MS + second * SECOND_MS)
    assert [position for *_, position, _, _ in stands(core)] == [3, 6]


# ---- behaviours


def test_money_cards_and_codes_break_rules(core: Core, phone: Handset) -> None:
    rules(
        core,
        {"on": {"behaviour": "transfer", "min_amount_fen": 10_000}, "direction": "staff"},
        {"on": {"behaviour": "red_packet"}},
        {"on": {"behaviour": "contact_card"}},
        {"on": {"behaviour": "qr"}},
    )
    phone.say(
        picture("transfer", 1, amount_fen=9_999),
        picture("transfer", 2, amount_fen=10_000),
        replace(picture("transfer", 3, amount_fen=10_000), side="in"),
        picture("red_packet", 4),
        picture("contact_card", 5),
        picture("image", 6, detail="二维码"),
        picture("image", 7),
    )
    assert [(rule, word, position) for rule, word, position, *_ in stands(core)] == [
        ("R1", "transfer", 2),
        ("R2", "red_packet", 4),
        ("R3", "contact_card", 5),
        ("R4", "qr", 6),
    ]
    assert found(core)[0].detail == "amount_fen=10000"


def test_an_amount_that_shows_later_breaks_the_rule_then_and_once(core: Core, phone: Handset) -> None:
    rules(core, {"on": {"behaviour": "red_packet", "min_amount_fen": 5_000}})
    phone.say(picture("red_packet", 1, state="pending"))
    assert found(core) == []
    for state in ("opened", "expired"):
        phone.say(
            MessageChanged(conversation_key="chat", position=1, what="state", state=state, amount_fen=5_200)
        )
    assert [(one.word, one.detail) for one in found(core)] == [("red_packet", "amount_fen=5200")]


@pytest.mark.parametrize(
    ("what", "word"),
    [("cleared", "chat_cleared"), ("gone", "chat_gone"), ("friend_deleted", "friend_deleted")],
)
def test_a_chat_that_was_deleted_breaks_a_rule(core: Core, phone: Handset, what: str, word: str) -> None:
    rules(core, {"on": {"behaviour": word}, "severity": "high"}, ON)
    phone.say(message("早", 1))
    removed = ChatRemoved(
        conversation_key="chat", conversation_title="title", what=what, last_position=1, from_ms=1, to_ms=9
    )
    phone.say(removed)
    (violation,) = found(core)
    assert (violation.word, violation.kind, violation.message_id, violation.holder) == (
        word,
        "behaviour",
        None,
        "王芳",
    )
    assert violation.conversation_id == core.archive.conversations()[0].id


def test_a_night_is_that_of_the_accounts_zone(core: Core, phone: Handset) -> None:
    # 10:30 UTC is 18:30 in Shanghai and 11:30 in London of winter.
    rules(core, {"on": {"behaviour": "night", "hours": "18:00-06:00"}, "direction": "staff"})
    phone.say(said_at("在吗", 1, START_MS), said_at("在", 2, START_MS, side="in"))
    assert [(one.word, one.side) for one in found(core)] == [("night", "out")]
    with core._ledger.work() as work:
        work.tx.set_time_zone(AccountId("wx001"), "Europe/London")
    phone.say(replace(said_at("还在吗", 1, START_MS), conversation_key="other"))
    assert len(found(core)) == 1


# ---- answers


def watched(from_ms: int, to_ms: int, state: str = "seen") -> CoverageSeen:
    return CoverageSeen(from_ms=from_ms, to_ms=to_ms, state=state, cause="")


def waited(core: Core, phone: Handset, *coverage: CoverageSeen, answers: bool = True) -> list[Violation]:
    """Let a customer wait for an hour and return what is held against whom two hours later."""
    rules(core, {"on": {"behaviour": "slow_reply", "minutes": 30}, "severity": "high"})
    began, ended = START_MS, START_MS + 60 * MINUTE_MS
    phone.say(said_at("多少钱", 1, began, side="in"), at_ms=began)
    clock: Any = core.clock
    clock.advance(3 * 60 * MINUTE_MS)
    told: list[Fact] = [*coverage]
    if answers:
        told.append(said_at("三百", 2, ended))
    phone.say(*told, at_ms=ended + MINUTE_MS)
    core.sweep()
    return found(core)


def test_a_late_answer_is_held_against_who_has_the_phone(core: Core, phone: Handset) -> None:
    (violation,) = waited(core, phone, watched(START_MS, START_MS + 60 * MINUTE_MS))
    assert (violation.word, violation.holder, violation.text) == ("slow_reply", "王芳", "多少钱")
    assert violation.detail == "waited at least 30 minutes"
    core.sweep()
    assert len(found(core)) == 1


@pytest.mark.parametrize(
    "coverage",
    [
        (),
        (watched(START_MS, START_MS + 29 * MINUTE_MS),),
        (watched(START_MS, START_MS + 60 * MINUTE_MS, "passive"),),
    ],
    ids=["none", "half", "passive"],
)
def test_what_was_not_watched_is_held_against_nobody(
    core: Core, phone: Handset, coverage: Sequence[CoverageSeen]
) -> None:
    assert waited(core, phone, *coverage) == []


def test_who_is_not_answered_at_all_is_found_by_the_sweep(core: Core, phone: Handset) -> None:
    spans = [watched(START_MS + n * 60 * MINUTE_MS, START_MS + (n + 1) * 60 * MINUTE_MS) for n in range(2)]
    (violation,) = waited(core, phone, *spans, answers=False)
    assert violation.detail == "waited at least 30 minutes, not answered"
    clock: Any = core.clock
    clock.advance(60 * MINUTE_MS)
    core.sweep()
    phone.say(said_at("三百", 2, START_MS + 240 * MINUTE_MS), at_ms=START_MS + 240 * MINUTE_MS)
    core.sweep()
    assert len(found(core)) == 1


# ---- before sending


def test_what_the_system_would_say_is_refused_by_the_book_of_now(core: Core, phone: Handset) -> None:
    submit = partial(
        core.jobs.submit_friend_adds,
        pool=[phone.phone_id],
        greeting="你好，发票寄哪里",
        source_name="list.csv",
        actor="op",
    )
    job = submit(customers(2)).job
    core.books.add([{"word": "发票"}], actor="admin")
    with pytest.raises(SafetyRefusal, match="发票"):
        submit(customers(2, first=10))
    # What was taken in before does not go out any more either.
    phone.lease()
    assert {task.cause for task in core.jobs.tasks(job.id)} >= {"sensitive_word"}


def test_a_rule_that_does_not_hold_lets_it_go(core: Core, phone: Handset) -> None:
    rules(core, {**ON, "actions": ["record"]})
    core.jobs.submit_friend_adds(
        customers(1), pool=[phone.phone_id], greeting="加微信", source_name="list.csv", actor="op"
    )
    assert phone.take().task.query


# ---- versions, doubles, ends


def test_the_next_message_is_seen_by_the_next_version(core: Core, phone: Handset) -> None:
    phone.say(message("刷单", 1))
    core.books.add([{"word": "刷单"}], actor="admin")
    # Looked at by the former version already when the new one came.
    stale = core.archive.batch(phone.phone_id, phone.spool_id, 2, [body(message("刷单代购", 2))])
    core.books.add([{"word": "代购"}], actor="admin")
    late = core.archive.batch(phone.phone_id, phone.spool_id, 3, [body(message("代购", 3))])
    core.books.remove(["刷单"], actor="admin")
    assert core.archive.accept_all([stale, late]) == [2, 3]
    version = core.books.current().version
    assert [(one.word, one.start, one.book_version) for one in found(core)] == [
        ("代购", 2, version),
        ("代购", 0, version),
    ]


def test_no_message_is_missed_or_seen_by_half_a_version(backend: Backend) -> None:
    core = backend.core(words=())
    phone = signed(core)
    # Each version finds exactly one of both words: a half-changed one would find both or none.
    core.books.add([{"id": "A", "word": "红包"}], actor="admin")
    bodies = [body(message(f"红包转账{n}", n)) for n in range(1, 241)]
    editor = backend.core(words=()) if backend.kind == "postgresql" else core
    swapped: dict[str, Callable[[Any], Any]] = {
        word: lambda book, word=word: {**book, "entries": [{"id": word, "word": word}]}
        for word in ("红包", "转账")
    }
    versions: list[int] = []
    turn = threading.Lock()  # a core is called from one thread at a time
    has_begun, has_changed = threading.Event(), threading.Event()  # neither is over before the other begins

    def deliver() -> None:
        reached = 0
        while reached < len(bodies):
            assert reached < len(bodies) // 2 or has_changed.wait(10)
            batch = core.archive.batch(phone.phone_id, "s", reached + 1, bodies[reached : reached + 6])
            with turn:
                (result,) = core.archive.accept_all([batch])
            assert isinstance(result, int), result
            reached = result
            has_begun.set()

    def change() -> None:
        assert has_begun.wait(10)
        for n in range(12):
            word = ("转账", "红包")[n % 2]
            if editor is core:
                with turn:
                    versions.append(editor.books.edit(swapped[word], actor="admin", act="swap") or 0)
            else:
                versions.append(editor.books.edit(swapped[word], actor="admin", act="swap") or 0)
            has_changed.set()

    race([deliver, change])
    words_of = {
        version: {entry["word"] for entry in core.books.document(version)["entries"]}
        for version in range(1, max(versions) + 1)
    }
    violations = found(core)
    assert Counter(one.message_id for one in violations) == Counter(range(1, 241))
    assert all({one.word} == words_of[one.book_version] for one in violations)
    assert len({one.book_version for one in violations}) > 1


def test_two_controllers_and_doubled_batches_make_each_violation_once(backend: Backend) -> None:
    cores = [backend.core(words=WORDS) for _ in range(4)]
    phone = signed(cores[0])
    counted = {"on": {"words": ["红包"]}, "rate": {"count": 10, "window_s": 60}, "collapse_s": 0}
    rules(cores[0], {**ON, "collapse_s": 0}, counted)
    bodies = [body(message("微信红包", n), at_ms=START_MS + n) for n in range(1, 61)]

    def deliver(core: Core, first: int) -> None:
        reached = 0
        while reached < len(bodies):
            batch = bodies[max(0, reached - first) : reached + 7]
            reached = core.archive.accept(phone.phone_id, "s", max(0, reached - first) + 1, batch)

    race([partial(deliver, core, n) for n, core in enumerate(cores)])
    by_rule = Counter(one.rule_id for one in found(cores[0]))
    assert by_rule == {"R1": 60, "R2": 6}


def test_two_controllers_count_one_rate_of_a_holder(backend: Backend) -> None:
    cores = [backend.core(words=WORDS) for _ in range(2)]
    phones = [signed(cores[0], 1), signed(cores[0], 2)]
    rules(cores[0], {**ON, "collapse_s": 0, "rate": {"count": 4, "window_s": 60, "per": "holder"}})

    def deliver(core: Core, phone: Handset) -> None:
        for n in range(1, 21):
            core.archive.accept(phone.phone_id, "s", n, [body(message(f"微信{n}", n))])

    race([partial(deliver, core, phone) for core, phone in zip(cores, phones, strict=True)])
    assert len(found(cores[0])) == 10


def test_an_end_before_the_commit_leaves_nothing_and_doubles_nothing(core: Core, phone: Handset) -> None:
    rules(core, {**ON, "collapse_s": 600, "rate": {"count": 2, "window_s": 60}})
    bodies = [body(message("微信", n)) for n in range(1, 5)]

    class Ended(Exception):
        pass

    def end() -> None:
        raise Ended

    for _ in range(3):
        crashpoint.arm("core.before_commit", 1, end)
        with pytest.raises(Ended):
            core.archive.accept(phone.phone_id, "s", 1, bodies)
        assert found(core) == []
    core.archive.accept(phone.phone_id, "s", 1, bodies)
    core.archive.accept(phone.phone_id, "s", 1, bodies)
    assert [(one.text, one.repeats) for one in found(core)] == [("微信", 1)]
