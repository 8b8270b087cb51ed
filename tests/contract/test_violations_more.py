"""Exceptions, statistics and samples of the review desk over both databases."""

from __future__ import annotations

import pytest

from controller.capturerules import ExcludedChat
from controller.clock import DAY_MS, HOUR_MS
from controller.core import Core
from controller.deskstats import By, Line, percentile
from controller.errors import BadRequest, SafetyRefusal
from controller.model import AccountId
from controller.samples import MAX_SAMPLES, STRETCH_MESSAGES, Finding, SampleVerdict
from controller.verdicts import Act
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import Handset
from tests.support.findings import find, messages_of, said, told_phone

WANG, LI = "王芳", "李娜"


@pytest.fixture
def phone(core: Core) -> Handset:
    return told_phone(core, 1, WANG)


def decide(core: Core, number: int, what: Act, actor: str, reason: str = "") -> None:
    (outcome,) = core.violations.decide([number], what, actor=actor, reason=reason)
    assert outcome.error is None, outcome.refusal


# ---- exceptions


def test_an_exception_shows_first_what_else_it_would_silence(
    core: Core, phone: Handset, backend: Backend
) -> None:
    old = said(phone, "红包墙纸很久以前", key="old")
    backend.clock.advance(31 * DAY_MS)
    now_ms = backend.clock.now_ms()
    texts = ("我们卖红包墙纸", "红包墙纸打折", "给我发红包", "红包墙纸没有货", "红 包墙纸 的图")
    one, two, three, four, _ = said(phone, *texts, key="new", at_ms=now_ms)
    other = told_phone(core, 2, LI)
    far = said(other, "红包墙纸到货", key="far", at_ms=now_ms)
    mine = find(core, phone, one, "红包")
    opened = find(core, phone, two, "红包")
    find(core, phone, three, "红包")
    confirmed = find(core, phone, four, "红包")
    past = find(core, phone, old[0], "红包")
    elsewhere = find(core, other, far[0], "红包")
    find(core, phone, two, "墙纸", entry_id="L002")
    find(core, phone, two, "红包", rule_id="R002")
    decide(core, confirmed.id, Act.CONFIRM, "ann", "illegal")
    decide(core, past.id, Act.DISMISS, "ann", "wrong_word")

    preview = core.violations.waivers.preview(mine.id, " 红包墙纸 ", reason="r", actor="boss")
    assert preview.phrase == "红包墙纸"
    assert set(preview.open_ids) == {opened.id, elsewhere.id}
    assert preview.confirmed_ids == (confirmed.id,)
    assert preview.past == {"new": 2, "confirmed": 1, "dismissed": 1}
    assert [one.id for one in preview.examples] == [elsewhere.id, past.id, confirmed.id, opened.id]
    # A month back, and not the one before it.
    assert preview.messages == 4
    assert preview.is_complete
    assert not preview.silences_whole_word
    here = core.violations.waivers.preview(
        mine.id, "红包墙纸", accounts=(AccountId("wx001"),), reason="r", actor="boss"
    )
    assert set(here.open_ids) == {opened.id}
    assert here.messages == 3
    whole = core.violations.waivers.preview(mine.id, "红包", reason="r", actor="boss")
    assert whole.silences_whole_word
    assert len(whole.open_ids) == 3
    entry = core.audit.entries(limit=1)[0]
    assert (entry.what, entry.object, entry.reason) == (
        "violation.preview_exception",
        f"{mine.id}: 红包",
        "r",
    )


def test_a_preview_says_when_there_is_more_than_it_looked_at(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = said(phone, *(f"红包墙纸 {n}" for n in range(6)))
    mine, *_ = [find(core, phone, message, "红包") for message in messages]
    assert core.violations.waivers.preview(mine.id, "红包墙纸", reason="r", actor="a").is_complete
    monkeypatch.setattr("controller.waivers._MOST_ALIKE", 3)
    assert not core.violations.waivers.preview(mine.id, "红包墙纸", reason="r", actor="a").is_complete
    monkeypatch.setattr("controller.waivers._MOST_ALIKE", 100)
    monkeypatch.setattr("controller.waivers._MOST_MESSAGES", 3)
    cut = core.violations.waivers.preview(mine.id, "红包墙纸", reason="r", actor="a")
    assert (cut.messages, cut.is_complete) == (3, False)


def test_a_false_alarm_becomes_an_exception_in_one_step(core: Core, phone: Handset) -> None:
    (message,) = said(phone, "我们卖红包墙纸")
    found = find(core, phone, message, "红包")
    version = core.books.current().version
    waived = core.violations.waivers.dismiss(
        found.id, "红包墙纸", reason="wrong_word", note="a product", actor="boss"
    )
    assert core.violations.get(found.id).state == "dismissed"
    assert waived.book_version == version + 1 == core.books.current().version
    (waiver,) = core.books.current().book.waivers
    assert (waiver.id, waiver.rule, waiver.entry, waiver.phrase, waiver.violation_id, waiver.by) == (
        waived.waiver_id,
        "R001",
        "L001",
        "红包墙纸",
        found.id,
        "boss",
    )
    (decision,) = core.violations.history(found.id)
    assert decision.note == f"a product [exception {waiver.id}, book {waived.book_version}]"
    assert (decision.act, decision.reason) == ("dismiss", "wrong_word")
    # One that was dismissed before gets its exception all the same.
    again = core.violations.waivers.dismiss(found.id, "卖红包", actor="ann")
    assert [one.act for one in core.violations.history(found.id)] == ["dismiss", "note"]
    assert again.book_version == version + 2


@pytest.mark.parametrize(
    ("phrase", "parts"),
    [
        ("墙纸", {}),
        ("", {}),
        ("红包钱", {}),
        ("红包" * 200, {}),
        ("红包墙纸", {"accounts": ("wx002",)}),
    ],
)
def test_what_would_not_silence_this_very_violation_is_no_exception(
    core: Core, phone: Handset, phrase: str, parts: dict[str, tuple[str, ...]]
) -> None:
    found = find(core, phone, said(phone, "我们卖红包墙纸")[0], "红包")
    version = core.books.current().version
    with pytest.raises(BadRequest):
        core.violations.waivers.preview(found.id, phrase, reason="r", actor="boss", **parts)
    with pytest.raises(BadRequest):
        core.violations.waivers.dismiss(found.id, phrase, actor="boss", **parts)
    assert (core.violations.history(found.id), core.books.current().version) == ([], version)


def test_who_may_not_dismiss_makes_no_exception_either(core: Core, phone: Handset) -> None:
    found = find(core, phone, said(phone, "我们卖红包墙纸")[0], "红包")
    version = core.books.current().version
    with pytest.raises(SafetyRefusal):
        core.violations.waivers.dismiss(found.id, "红包墙纸", actor=WANG)
    decide(core, found.id, Act.ESCALATE, "boss", "serious")
    with pytest.raises(BadRequest, match="two persons"):
        core.violations.waivers.dismiss(found.id, "红包墙纸", actor="ann")
    for name in ("ann", "bob"):
        decide(core, found.id, Act.DISMISS, name, "wrong_word")
    with pytest.raises(SafetyRefusal):
        core.violations.waivers.dismiss(found.id, "红包墙纸", actor=WANG)
    behaviour = find(core, phone, None, kind="behaviour")
    with pytest.raises(BadRequest, match="change the rule"):
        core.violations.waivers.dismiss(behaviour.id, "x", actor="ann")
    assert core.books.current().version == version


def test_dismissal_and_exception_are_both_or_nothing(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find(core, phone, said(phone, "我们卖红包墙纸")[0], "红包")
    version = core.books.current().version

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("controller.waivers.rule_on_one", full)
        with pytest.raises(OSError, match="no space"):
            core.violations.waivers.dismiss(found.id, "红包墙纸", actor="boss")
    assert core.violations.get(found.id).state == "new"
    with core._ledger.look() as tx:
        assert tx.book_version() == version == core.books.current().version
    with monkeypatch.context() as patch:
        patch.setattr("controller.wordbooks.WordBooks.add_waiver", full)
        with pytest.raises(OSError, match="no space"):
            core.violations.waivers.dismiss(found.id, "红包墙纸", actor="boss")
    assert core.violations.history(found.id) == []


# ---- statistics


def line(core: Core, by: By, key: str, **parts: int) -> Line:
    (found,) = [one for one in core.violations.stats.by(by, **parts) if one.key == key]
    return found


def test_statistics_count_hits_verdicts_and_time(
    core: Core, phone: Handset, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = told_phone(core, 2, LI)
    ids = [find(core, phone, message, "红包").id for message in said(phone, *(f"红包 {n}" for n in range(6)))]
    find(core, other, said(other, "微信", key="o")[0], "微信", rule_id="R002", entry_id="L002")
    for minute, (number, what, reason) in enumerate(
        (
            (ids[0], Act.CONFIRM, "illegal"),
            (ids[1], Act.DISMISS, "duplicate"),
            (ids[2], Act.DISMISS, "wrong_word"),
            (ids[3], Act.CONFIRM, "illegal"),
        ),
        1,
    ):
        backend.clock.advance(60_000)
        decide(core, number, what, "ann" if minute < 3 else "bob", reason)
    decide(core, ids[4], Act.ESCALATE, "ann", "unclear")
    decide(core, ids[4], Act.CONFIRM, "ann", "illegal")
    decide(core, ids[1], Act.CLOSE, "ann", "no_action_needed")
    core.violations.appeal(ids[3], by=WANG, text="no", actor=WANG)
    core.violations.answer(ids[3], Act.GRANT, text="", actor="cyd")

    rule = line(core, By.RULE, "R001")
    assert (rule.hits, rule.open, rule.escalated, rule.confirmed, rule.dismissed) == (6, 1, 1, 1, 3)
    assert (rule.judged, rule.false_alarm_share) == (4, 0.75)
    assert (rule.appeals, rule.granted) == (1, 1)
    assert (rule.median_ms, rule.p90_ms) == (120_000, 240_000)
    other_rule = line(core, By.RULE, "R002")
    assert (other_rule.hits, other_rule.false_alarm_share, other_rule.median_ms) == (1, None, None)
    assert [one.key for one in core.violations.stats.by(By.RULE)] == ["R001", "R002"]
    for by, key in (
        (By.ENTRY, "L001"),
        (By.HOLDER, WANG),
    ):
        assert line(core, by, key) == Line(**{**_parts(rule), "key": key})
    assert line(core, By.CATEGORY, "offpay").hits == line(core, By.SEVERITY, "high").hits == 7
    ann, bob, none = (line(core, By.JUDGE, name) for name in ("ann", "bob", ""))
    assert (ann.hits, ann.confirmed, ann.dismissed, ann.granted) == (2, 1, 1, 0)
    assert (bob.hits, bob.confirmed, bob.dismissed, bob.granted) == (2, 0, 2, 1)
    assert (none.hits, none.judged) == (3, 0)
    decide(core, ids[0], Act.REOPEN, "ann", "second_look")
    assert line(core, By.JUDGE, "ann").confirmed == 0
    assert line(core, By.RULE, "R001").open == 2
    whole = core.violations.stats.by(By.JUDGE)
    monkeypatch.setattr("controller.deskstats.STEP", 2)
    counting = core.violations.stats.counting(By.JUDGE)
    steps = [counting.go_on() for _ in range(4)]
    assert steps == [True, True, True, False]
    assert counting.lines() == whole
    assert core.violations.stats.by(By.RULE, since_ms=START_MS + 1) == []
    backend.clock.advance(60_000)
    late = find(core, other, messages_of(core, "o")[0], "微信", rule_id="R003")
    assert [one.key for one in core.violations.stats.by(By.RULE, since_ms=late.found_at_ms)] == ["R003"]
    assert core.violations.stats.by(By.RULE, until_ms=START_MS) == []
    with pytest.raises(BadRequest):
        core.violations.stats.by(By.RULE, since_ms=5, until_ms=5)


def _parts(one: Line) -> dict[str, object]:
    return {name: getattr(one, name) for name in Line.__dataclass_fields__}


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([], 50, None),
        ([7], 50, 7),
        ([7], 90, 7),
        ([1, 2], 50, 1),
        (list(range(1, 11)), 90, 9),
        ([1, 5], 0, 1),
    ],
)
def test_percentiles_are_values_that_were_there(values: list[int], percent: int, found: int | None) -> None:
    assert percentile(values, percent) == found


# ---- samples


def test_a_sample_is_a_stretch_of_a_chat_in_which_nothing_was_found(core: Core, phone: Handset) -> None:
    other = told_phone(core, 2, LI)
    said(phone, *(f"m{n}" for n in range(50)), key="long")
    said(phone, "short", key="short")
    flagged = said(phone, "红包", key="flagged")
    find(core, phone, flagged[0], "红包")
    said(other, "theirs", key="theirs")
    draw = core.violations.samples.draw(10, since_ms=START_MS - DAY_MS, seed=7, actor="boss")
    chats = {chat.id: chat.key for chat in core.archive.conversations()}
    assert sorted(chats[one.conversation_id] for one in draw.samples) == ["long", "short", "theirs"]
    assert {one.holder for one in draw.samples} == {WANG, LI}
    assert (draw.wanted, draw.seed) == (10, 7)
    # Accounts in turn: the one with few messages is not the last.
    assert {one.holder for one in draw.samples[:2]} == {WANG, LI}
    views = [core.violations.samples.read(one.id, reason="r", actor="boss") for one in draw.samples]
    assert sorted(len(view.messages) for view in views) == [1, 1, STRETCH_MESSAGES]
    for view in views:
        positions = [message.position for message in view.messages]
        assert positions == list(range(positions[0], positions[0] + len(positions)))
        assert view.hour.account_id == view.chat.account_id
    whats = [entry.what for entry in core.audit.entries(limit=4)]
    assert whats == ["sample.read"] * 3 + ["sample.draw"]
    again = core.violations.samples.draw(10, since_ms=START_MS - DAY_MS, seed=7, actor="boss")
    assert [(one.from_message_id, one.to_message_id) for one in again.samples] == [
        (one.from_message_id, one.to_message_id) for one in draw.samples
    ]
    listed = core.violations.samples.list(draw_id=draw.draw_id)
    assert [one.id for one in listed] == [one.id for one in reversed(draw.samples)]


def test_samples_are_of_the_people_and_the_time_asked_for(
    core: Core, phone: Handset, backend: Backend
) -> None:
    said(phone, *(f"m{n}" for n in range(5)), key="wang")
    backend.clock.advance(HOUR_MS)
    core.fleet.assign(phone.phone_id, account_id="wx001", holder=LI, actor="op")
    core.notices.record(LI, version="1", how="signed", actor="op")
    backend.clock.advance(HOUR_MS)
    since_ms = backend.clock.now_ms()
    said(phone, *(f"n{n}" for n in range(5)), key="li", at_ms=since_ms)
    said(phone, "later", key="wang", first=6, at_ms=since_ms)

    def drawn(**parts: object) -> dict[str, str]:
        found = core.violations.samples.draw(9, actor="boss", **parts)  # type: ignore[arg-type]  # typed where read
        chats = {chat.id: chat.key for chat in core.archive.conversations()}
        return {chats[one.conversation_id]: one.holder for one in found.samples}

    # The chat that both had is drawn only where one of them had all of it.
    assert drawn(since_ms=START_MS) == {"li": LI}
    assert drawn(since_ms=since_ms) == {"li": LI, "wang": LI}
    assert drawn(since_ms=since_ms, holders=(WANG,)) == {}
    assert drawn(since_ms=since_ms, holders=(LI, "x")) == {"li": LI, "wang": LI}
    assert drawn(since_ms=since_ms, holders=("nobody",)) == {}
    assert drawn(since_ms=backend.clock.now_ms() + 1) == {}
    for count in (0, MAX_SAMPLES + 1):
        with pytest.raises(BadRequest):
            core.violations.samples.draw(count, since_ms=0, actor="boss")


def test_chats_that_became_private_are_not_drawn(core: Core, phone: Handset) -> None:
    said(phone, "a", key="open")
    (message,) = said(phone, "b", key="private")
    chat = core.archive.conversation(message.conversation_id)
    with core._ledger.work() as work:
        work.tx.exclude_chat(
            ExcludedChat(
                account_id=chat.account_id,
                key=chat.key,
                title=chat.title,
                reason="family",
                excluded_by="op",
                at_ms=work.now_ms,
            )
        )
    draw = core.violations.samples.draw(9, since_ms=0, actor="boss")
    assert [one.conversation_id for one in draw.samples] == [messages_of(core, "open")[0].conversation_id]


def test_a_finding_in_a_sample_is_a_violation_that_waits_for_a_verdict(core: Core, phone: Handset) -> None:
    messages = said(phone, *(f"m{n}" for n in range(5)), "换个地方聊", key="chat")
    (sample,) = core.violations.samples.draw(1, since_ms=0, actor="boss").samples
    with pytest.raises(SafetyRefusal):
        core.violations.samples.judge(sample.id, SampleVerdict.CLEAN, actor=WANG)
    for finding in (
        None,
        Finding(message_id=999, category="poach"),
        Finding(message_id=messages[5].id, category=" "),
        Finding(message_id=messages[5].id, category="poach", severity="huge"),
        Finding(message_id=messages[5].id, category="poach", start=2, end=9),
        Finding(message_id=messages[5].id, category="poach", start=4, end=2),
    ):
        with pytest.raises(BadRequest):
            core.violations.samples.judge(sample.id, SampleVerdict.FINDING, finding=finding, actor="ann")
    finding = Finding(message_id=messages[5].id, category="poach", severity="critical", start=0, end=4)
    with pytest.raises(BadRequest):
        core.violations.samples.judge(sample.id, SampleVerdict.CLEAN, finding=finding, actor="ann")
    assert core.violations.samples.list(is_open=True) == [sample]
    judged, violation = core.violations.samples.judge(
        sample.id, SampleVerdict.FINDING, note="moves the customer", finding=finding, actor="ann"
    )
    assert violation is not None
    assert (judged.verdict, judged.reviewed_by, judged.reviewed_at_ms) == ("finding", "ann", START_MS)
    assert core.violations.samples.list(is_open=False) == [judged]
    kept = core.violations.get(violation.id)
    assert (kept.kind, kept.rule_id, kept.holder, kept.state) == ("sample", "SAMPLE", WANG, "new")
    assert (kept.category, kept.severity, kept.text[kept.start : kept.end]) == (
        "poach",
        "critical",
        "换个地方",
    )
    with pytest.raises(BadRequest, match="judged by ann"):
        core.violations.samples.judge(sample.id, SampleVerdict.CLEAN, actor="bob")
    # Its chat is not quiet any more.
    assert core.violations.samples.draw(1, since_ms=0, actor="boss").samples == ()
    decide(core, kept.id, Act.CONFIRM, "bob", "against_rules")


def test_a_sample_is_read_with_a_reason_or_not_at_all(core: Core, phone: Handset) -> None:
    said(phone, "m")
    (sample,) = core.violations.samples.draw(1, since_ms=0, actor="boss").samples
    for number, reason in ((sample.id, " "), (99, "r")):
        with pytest.raises(BadRequest):
            core.violations.samples.read(number, reason=reason, actor="boss")
    with pytest.raises(BadRequest):
        core.violations.samples.judge(99, SampleVerdict.CLEAN, actor="boss")


def test_what_was_waived_is_not_found_again_from_the_next_message_on(backend: Backend) -> None:
    core = backend.core(words=("红包",))
    phone = told_phone(core, 1, WANG)
    said(phone, "我们卖红包墙纸")
    (found,) = core.violations.list()
    assert core.violations.waivers.preview(found.id, "红包墙纸", reason="r", actor="boss").messages == 1
    waived = core.violations.waivers.dismiss(found.id, "红包墙纸", actor="boss")
    backend.clock.advance(HOUR_MS)
    said(phone, "红包墙纸又到货了", "给我发红包吧", first=2, at_ms=backend.clock.now_ms())
    later, before = core.violations.list()
    assert (before.id, later.text) == (found.id, "给我发红包吧")
    assert later.book_version == waived.book_version > found.book_version
