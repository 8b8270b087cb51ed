"""The review desk over both databases: looks, decisions, appeals, exports; nothing unseen, nothing lost."""

from __future__ import annotations

import json
from functools import partial

import pytest

from controller.clock import HOUR_MS
from controller.core import Core
from controller.errors import BadRequest, SafetyRefusal
from controller.model import AccountId, PhoneId
from controller.records import Gap, Message, Violation, ViolationState
from controller.store.base_supervision import Wanted
from controller.verdicts import Act, Reason
from controller.violationexport import COLUMNS, record_of, row_of
from protos.facts import ChatRemoved, CoverageSeen, GapSeen, MessageChanged
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import Handset
from tests.support.findings import find, messages_of, said, told_phone

WANG, LI = "王芳", "李娜"


@pytest.fixture
def phone(core: Core) -> Handset:
    return told_phone(core, 1, WANG)


@pytest.fixture
def violation(core: Core, phone: Handset) -> Violation:
    messages = said(phone, *(f"m{n}" for n in range(1, 9)), "加我微信吧", *(f"m{n}" for n in range(10, 18)))
    return find(core, phone, messages[8], "微信")


def act(core: Core, number: int, what: Act, actor: str, **words: str) -> None:
    reasons = {
        Act.CONFIRM: Reason.AGAINST_RULES,
        Act.DISMISS: Reason.NOT_A_VIOLATION,
        Act.ESCALATE: Reason.SERIOUS,
        Act.CLOSE: Reason.TALKED_TO,
        Act.REOPEN: Reason.SECOND_LOOK,
    }
    words.setdefault("reason", reasons.get(what, ""))
    (outcome,) = core.violations.decide([number], what, actor=actor, **words)
    if outcome.error:
        raise outcome.error


def _marked(violation: Violation) -> str:
    return violation.text[violation.start : violation.end]


def diary(core: Core) -> list[tuple[str, str, str, str]]:
    return [(one.actor, one.what, one.object, one.reason) for one in core.audit.entries()]


# ---- looking


def test_a_violation_is_shown_with_five_messages_on_each_side_and_the_look_is_recorded(
    core: Core, violation: Violation
) -> None:
    context = core.violations.context(violation.id, reason=f"violation {violation.id}", actor="boss")
    assert [one.text for one in context.messages] == [
        *(f"m{n}" for n in range(4, 9)),
        "加我微信吧",
        *(f"m{n}" for n in range(10, 15)),
    ]
    assert _marked(context.violation) == "微信"
    assert context.chat is not None
    assert context.possible == (Act.ASSIGN, Act.CONFIRM, Act.DISMISS, Act.ESCALATE, Act.NOTE)
    assert diary(core)[0] == ("boss", "violation.read", str(violation.id), f"violation {violation.id}")
    assert len(core.violations.context(violation.id, reach=0, reason="r", actor="boss").messages) == 1


def test_nothing_is_shown_without_a_reason_or_a_name(core: Core, violation: Violation) -> None:
    before = core.audit.entries()
    for reason, actor in ((" ", "boss"), ("r", " ")):
        with pytest.raises(BadRequest):
            core.violations.context(violation.id, reason=reason, actor=actor)
    with pytest.raises(BadRequest):
        core.violations.context(99, reason="r", actor="boss")
    with pytest.raises(BadRequest):
        core.violations.exports.page(Wanted(), told="all", reason="", actor="boss")
    with pytest.raises(BadRequest):
        core.violations.read(Wanted(), told="all", actor="")
    assert core.audit.entries() == before


def test_silence_around_a_violation_is_not_shown_as_innocence(core: Core, phone: Handset) -> None:
    hour = START_MS // HOUR_MS * HOUR_MS
    messages = said(phone, "a", "b")
    phone.say(
        GapSeen(
            conversation_key="chat",
            conversation_title="chat",
            before_position=3,
            cause="no_overlap",
            from_ms=START_MS - 1,
            to_ms=START_MS - 1,
        ),
        CoverageSeen(state="seen", cause="", from_ms=hour, to_ms=hour + 600_000),
        CoverageSeen(state="blind", cause="scrambled", from_ms=hour + 600_000, to_ms=hour + 900_000),
    )
    messages = said(phone, "红包给我", first=3)
    found = find(core, phone, messages[2], "红包")
    context = core.violations.context(found.id, reason="r", actor="boss")
    shapes = [one.text if isinstance(one, Message) else one.cause for one in context.items if not _gone(one)]
    assert shapes == ["a", "b", "no_overlap", "红包给我"]
    assert (context.hour.ms["seen"], context.hour.ms["blind"]) == (600_000, 300_000)
    assert context.hour.ms["unwatched"] == 900_000
    assert context.hour.gap_causes == {"no_overlap": 1}


def _gone(item: object) -> bool:
    return not isinstance(item, Message | Gap)


def test_what_is_about_no_message_is_shown_where_it_happened(core: Core, phone: Handset) -> None:
    said(phone, *(f"m{n}" for n in range(1, 8)))
    phone.say(
        ChatRemoved(
            conversation_key="chat",
            conversation_title="chat",
            what="cleared",
            last_position=6,
            from_ms=START_MS,
            to_ms=START_MS,
        )
    )
    chat_id = messages_of(core, "chat")[0].conversation_id
    found = find(core, phone, None, kind="behaviour", word="", conversation_id=chat_id, at_ms=START_MS)
    context = core.violations.context(found.id, reach=2, reason="r", actor="boss")
    shapes = [one.text if isinstance(one, Message) else type(one).__name__ for one in context.items]
    assert shapes == ["m5", "m6", "ChatRemoval", "m7"]
    nowhere = find(core, phone, None, kind="behaviour")
    assert core.violations.context(nowhere.id, reason="r", actor="boss").items == ()


def test_what_was_found_beside_the_text_is_marked_where_it_stands(core: Core, phone: Handset) -> None:
    (message,) = said(phone, "[语音]")
    phone.say(MessageChanged(conversation_key="chat", position=1, what="transcript", text="发红包给我"))
    found = find(core, phone, message, detail="transcript", start=1, end=3, word="红包")
    context = core.violations.context(found.id, reason="r", actor="boss")
    assert _marked(context.violation) == _marked(core.violations.get(found.id)) == "红包"
    assert [_marked(one) for one in core.violations.read(Wanted(), told="x", actor="boss")] == ["红包"]
    page = core.violations.exports.page(Wanted(), told="all", reason="r", actor="boss")
    assert page.entries[0].violation.text == "发红包给我"


def test_violations_are_filtered_and_paged_without_a_hole(
    core: Core, phone: Handset, backend: Backend
) -> None:
    other = told_phone(core, 2, LI)
    mine = said(phone, *(f"红包 {n}" for n in range(6)))
    theirs = said(other, "加微信", key="other")
    ids = [find(core, phone, message, "红包").id for message in mine]
    backend.clock.advance(HOUR_MS)
    odd = find(
        core,
        other,
        theirs[0],
        "微信",
        rule_id="R002",
        entry_id="L009",
        category="poach",
        severity="critical",
        kind="pattern",
    )
    act(core, ids[0], Act.CONFIRM, "boss")
    act(core, ids[1], Act.ASSIGN, "boss", assignee="ann")
    core.violations.appeal(ids[0], by=WANG, text="no", actor=WANG)

    def got(**parts: object) -> list[int]:
        wanted = Wanted(**parts)  # type: ignore[arg-type]  # the fields are typed where they are read
        return [one.id for one in core.violations.read(wanted, told="x", actor="boss")]

    assert got() == [odd.id, *reversed(ids)]
    for parts in (
        {"holder": LI},
        {"rule_id": "R002"},
        {"entry_id": "L009"},
        {"category": "poach"},
        {"severity": "critical"},
        {"kind": "pattern"},
        {"phone_ids": (other.phone_id,)},
        {"account_id": AccountId("wx002")},
        {"since_ms": START_MS + 1},
        {"conversation_id": theirs[0].conversation_id},
        {"holder": LI, "state": ViolationState.NEW},
    ):
        assert got(**parts) == [odd.id], parts
    assert got(state=ViolationState.CONFIRMED) == [ids[0]]
    assert got(appeal="open") == got(holder=WANG, appeal="open") == [ids[0]]
    assert got(assignee="ann") == got(assignee="ann", state=ViolationState.NEW) == [ids[1]]
    assert got(assignee="", holder=LI) == [odd.id]
    assert got(until_ms=START_MS + 1) == list(reversed(ids))
    assert got(phone_ids=(phone.phone_id, other.phone_id)) == [odd.id, *reversed(ids)]
    assert got(phone_ids=(PhoneId("099"),)) == got(holder="somebody") == []
    for wanted in (Wanted(), Wanted(holder=WANG), Wanted(state=ViolationState.NEW)):
        whole = [one.id for one in core.violations.read(wanted, told="x", actor="boss")]
        pages: list[int] = []
        before_id: int | None = None
        while page := core.violations.read(wanted, before_id=before_id, limit=2, told="x", actor="boss"):
            pages += [one.id for one in page]
            before_id = pages[-1]
        assert pages == whole


# ---- deciding


def test_a_decision_is_a_record_and_the_diary_has_it(
    core: Core, violation: Violation, backend: Backend
) -> None:
    act(core, violation.id, Act.ASSIGN, "boss", assignee="ann")
    backend.clock.advance(60_000)
    act(core, violation.id, Act.CONFIRM, "ann", note="clear enough")
    kept = core.violations.get(violation.id)
    assert (kept.state, kept.assignee, kept.changed_at_ms) == ("confirmed", "ann", START_MS + 60_000)
    told = [
        (one.act, one.actor, one.from_state, one.to_state, one.reason, one.note, one.at_ms)
        for one in core.violations.history(violation.id)
    ]
    assert told == [
        ("assign", "boss", "new", "new", "", "", START_MS),
        ("confirm", "ann", "new", "confirmed", "against_rules", "clear enough", START_MS + 60_000),
    ]
    # What somebody wrote may quote a chat: it stands in the history alone.
    assert diary(core)[0] == ("ann", "violation.confirm", str(violation.id), "against_rules")


def test_many_at_once_are_decided_each_for_itself(core: Core, phone: Handset) -> None:
    other = told_phone(core, 2, "boss")
    ids = [find(core, phone, message, "红包").id for message in said(phone, "红包", "红包 2", "红包 3")]
    own = find(core, other, said(other, "红包", key="own")[0], "红包").id
    act(core, ids[1], Act.DISMISS, "ann")
    outcomes = core.violations.decide(
        [ids[2], own, 99, ids[1], ids[0], ids[0]], Act.CONFIRM, actor="boss", reason="illegal"
    )
    assert [(one.violation_id, one.decision is not None) for one in outcomes] == [
        (ids[2], True),
        (own, False),
        (99, False),
        (ids[1], False),
        (ids[0], True),
    ]
    assert [type(one.error) for one in outcomes[1:4]] == [SafetyRefusal, BadRequest, BadRequest]
    assert "what can be done: close, reopen, note" in outcomes[3].refusal
    assert [core.violations.get(number).state for number in (*ids, own)] == [
        "confirmed",
        "dismissed",
        "confirmed",
        "new",
    ]


@pytest.mark.parametrize(
    ("what", "words"),
    [(Act.CONFIRM, {"reason": "why"}), (Act.NOTE, {}), (Act.APPEAL, {"note": "x"})],
)
def test_what_is_wrong_for_all_is_refused_at_once(
    core: Core, violation: Violation, what: Act, words: dict[str, str]
) -> None:
    with pytest.raises(BadRequest):
        core.violations.decide([violation.id], what, actor="boss", **words)
    with pytest.raises(BadRequest):
        core.violations.decide([], Act.NOTE, actor="boss", note="x")
    assert core.violations.history(violation.id) == []


def test_a_bulk_that_breaks_half_way_leaves_nothing(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [find(core, phone, message, "红包").id for message in said(phone, "红包", "红包 2")]
    calls: list[int] = []

    def full(*_: object, **__: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("no space left")

    monkeypatch.setattr("controller.rulings.enter", full)
    with pytest.raises(OSError, match="no space"):
        core.violations.decide(ids, Act.CONFIRM, actor="boss", reason="illegal")
    assert [core.violations.get(number).state for number in ids] == ["new", "new"]
    assert [core.violations.history(number) for number in ids] == [[], []]


def test_an_appeal_is_typed_in_for_its_person_and_answered_by_another(
    core: Core, violation: Violation
) -> None:
    act(core, violation.id, Act.CONFIRM, "ann")
    with pytest.raises(SafetyRefusal):
        core.violations.appeal(violation.id, by="ann", text="no", actor="ann")
    with pytest.raises(BadRequest):
        core.violations.appeal(violation.id, by=WANG, text=" ", actor=WANG)
    with pytest.raises(BadRequest):
        core.violations.answer(violation.id, Act.CONFIRM, text="x", actor="boss")
    core.violations.appeal(violation.id, by=WANG, text="the customer asked for it", actor="front desk")
    assert core.violations.get(violation.id).appeal == "open"
    assert core.violations.history(violation.id)[-1].actor == WANG
    assert diary(core)[0] == ("front desk", "violation.appeal", str(violation.id), "")
    for actor in ("ann", WANG):
        with pytest.raises(SafetyRefusal):
            core.violations.answer(violation.id, Act.GRANT, text="x", actor=actor)
    answer = core.violations.answer(violation.id, Act.GRANT, text="you are right", actor="boss")
    kept = core.violations.get(violation.id)
    assert (answer.reason, kept.state, kept.appeal) == ("appeal_granted", "dismissed", "granted")


def test_racing_judges_leave_one_verdict(backend: Backend) -> None:
    core = backend.core()
    phone = told_phone(core, 1, WANG)
    ids = [
        find(core, phone, message, "红包").id for message in said(phone, *(f"红包 {n}" for n in range(15)))
    ]
    cores = [backend.core() for _ in range(4)]

    def judge(core: Core, what: Act, actor: str) -> list[bool]:
        reason = {Act.CONFIRM: "illegal", Act.DISMISS: "duplicate"}[what]
        won = []
        for number in ids:
            (outcome,) = core.violations.decide([number], what, actor=actor, reason=reason)
            won.append(outcome.decision is not None)
        return won

    acts = [Act.CONFIRM, Act.DISMISS, Act.CONFIRM, Act.DISMISS]
    wins = race(
        [
            partial(judge, one, what, f"judge {n}")
            for n, (one, what) in enumerate(zip(cores, acts, strict=True))
        ]
    )
    assert [sum(row) for row in zip(*wins, strict=True)] == [1] * len(ids)
    for number in ids:
        (decision,) = core.violations.history(number)
        assert core.violations.get(number).state is decision.to_state


def test_racing_opinions_of_two_persons_make_one_verdict_and_of_one_person_none(backend: Backend) -> None:
    core = backend.core()
    phone = told_phone(core, 1, WANG)
    ids = [
        find(core, phone, message, "红包").id for message in said(phone, *(f"红包 {n}" for n in range(15)))
    ]
    core.violations.decide(ids, Act.ESCALATE, actor="boss", reason="serious")
    cores = [backend.core() for _ in range(4)]

    def confirm(core: Core, actor: str) -> None:
        for number in ids:
            core.violations.decide([number], Act.CONFIRM, actor=actor, reason="illegal")

    race([partial(confirm, one, "ann") for one in cores])
    assert {core.violations.get(number).state for number in ids} == {ViolationState.ESCALATED}
    race([partial(confirm, one, name) for one, name in zip(cores, ("bob", "bob", "cyd", "dan"), strict=True)])
    for number in ids:
        states = [one.to_state for one in core.violations.history(number)]
        assert states == ["escalated", "escalated", "confirmed"]


# ---- out of the store


def test_an_export_has_every_violation_with_its_whole_history_and_masks_numbers(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = said(phone, "打我电话 13800138000", "=红包 13912345678", "卡 6222020200112233445")
    plain = find(core, phone, messages[1], "红包")
    number = find(core, phone, messages[0], "13800138000", kind="pattern", entry_id="P01", rule_id="R002")
    card = find(core, phone, messages[2], "6222020200112233445", kind="pattern", entry_id="P02")
    act(core, plain.id, Act.CONFIRM, "ann", note="call 13700137000")
    monkeypatch.setattr("controller.violationexport._PAGE", 2)
    pages = [core.violations.exports.page(Wanted(), told="all", reason="audit", actor="boss")]
    while (next_id := pages[-1].next_before_id) is not None:
        pages.append(
            core.violations.exports.page(
                Wanted(), before_id=next_id, told="all", reason="audit", actor="boss"
            )
        )
    entries = [entry for page in pages for entry in page.entries]
    assert [entry.violation.id for entry in entries] == [card.id, number.id, plain.id]
    assert [line[1:] for line in diary(core)[:2]] == [
        ("violations.export", f"all, on below violation {number.id}", "audit"),
        ("violations.export", "all", "audit"),
    ]
    shown = json.dumps([record_of(entry) for entry in entries], ensure_ascii=False)
    for secret in ("13800138000", "13912345678", "13700137000", "6222020200112233445"):
        assert secret not in shown
    masked, open_ = record_of(entries[1]), record_of(entries[1], is_revealed=True)
    assert len(masked["text"]) == len(open_["text"])
    assert open_["text"] == "打我电话 13800138000"
    whole = record_of(entries[2], is_revealed=True)
    assert whole["history"][0]["note"] == "call 13700137000"
    assert (whole["verdict"], whole["judged"]["actor"]) == ("confirmed", "ann")
    assert json.loads(json.dumps(whole)) == whole
    cells = dict(zip(COLUMNS, row_of(record_of(entries[2]), lambda at: f"t{at}"), strict=True))
    assert (cells["judged_by"], cells["reason"], cells["verdict"]) == ("ann", "against_rules", "confirmed")
    assert cells["text"] == "=红包 139****5678"


def test_what_was_opened_again_has_no_verdict_in_an_export(core: Core, violation: Violation) -> None:
    act(core, violation.id, Act.CONFIRM, "ann")
    act(core, violation.id, Act.REOPEN, "ann")
    (entry,) = core.violations.exports.page(Wanted(), told="all", reason="r", actor="boss").entries
    assert (record_of(entry)["verdict"], record_of(entry)["judged"]) == ("", None)
    assert [one.act for one in entry.history] == ["confirm", "reopen"]
