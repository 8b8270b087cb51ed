"""What people may decide about a violation: every state, every act, every person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from controller.clock import DAY_MS
from controller.errors import BadRequest, FarmError, SafetyRefusal
from controller.model import AccountId, PhoneId
from controller.records import Violation, ViolationState
from controller.verdicts import (
    APPEAL_MS,
    MAX_NOTE_CHARS,
    REASONS,
    Act,
    Decision,
    Reason,
    appeal_after,
    appeal_until_ms,
    decide,
    is_same_person,
    opinions,
    possible,
    verdict_of,
)

HOLDER = "王芳"
NEW = ViolationState.NEW
CONFIRMED = ViolationState.CONFIRMED
DISMISSED = ViolationState.DISMISSED
ESCALATED = ViolationState.ESCALATED
CLOSED = ViolationState.CLOSED
T0 = 1_000_000

BLANK = Violation(
    id=7,
    message_id=1,
    conversation_id=1,
    phone_id=PhoneId("001"),
    account_id=AccountId("wx001"),
    holder=HOLDER,
    word="w",
    start=0,
    end=1,
    text="w",
    side="out",
    state=NEW,
    found_at_ms=T0,
)


class Case:
    """A violation in somebody's hands: each act is decided and kept as the store would keep it."""

    def __init__(self) -> None:
        self.violation = BLANK
        self.history: list[Decision] = []
        self.now_ms = T0

    def act(self, act: Act, actor: str, **words: str) -> Decision:
        decision = decide(
            self.violation, self.history, act, actor, now_ms=self.now_ms, **{**words_for(act), **words}
        )
        self.history.append(decision)
        self.violation = replace(
            self.violation,
            state=decision.to_state,
            assignee=decision.assignee,
            appeal=appeal_after(self.violation, act),
        )
        return decision

    def run(self, *steps: tuple[Act, str]) -> Case:
        for act, actor in steps:
            self.act(act, actor)
        return self

    def can(self, actor: str) -> set[str]:
        return {str(act) for act in possible(self.violation, self.history, actor, self.now_ms)}


def words_for(act: Act) -> dict[str, str]:
    """Return words with which an act is complete."""
    reasons = REASONS.get(act, ())
    return {
        "reason": reasons[0] if reasons else "",
        "note": "text" if act in {Act.NOTE, Act.APPEAL, Act.UPHOLD} else "",
        "assignee": "a" if act is Act.ASSIGN else "",
    }


def after(*steps: tuple[Act, str]) -> Case:
    return Case().run(*steps)


C, D, E, X, R, A, U, G = (
    Act.CONFIRM,
    Act.DISMISS,
    Act.ESCALATE,
    Act.CLOSE,
    Act.REOPEN,
    Act.APPEAL,
    Act.UPHOLD,
    Act.GRANT,
)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([(C, "a")], CONFIRMED),
        ([(D, "a")], DISMISSED),
        ([(E, "a")], ESCALATED),
        ([(C, "a"), (X, "a")], CLOSED),
        ([(D, "a"), (X, "a")], CLOSED),
        ([(C, "a"), (R, "a")], NEW),
        ([(D, "a"), (R, "b")], NEW),
        ([(C, "a"), (X, "a"), (R, "a")], NEW),
        # Escalated: two different persons who agree, the one who escalated may be one of them.
        ([(E, "a"), (C, "a")], ESCALATED),
        ([(E, "a"), (C, "b")], ESCALATED),
        ([(E, "a"), (C, "a"), (C, "b")], CONFIRMED),
        ([(E, "a"), (D, "b"), (D, "c")], DISMISSED),
        ([(E, "a"), (C, "b"), (D, "c")], ESCALATED),
        ([(E, "a"), (C, "b"), (D, "c"), (C, "d")], CONFIRMED),
        ([(E, "a"), (C, "b"), (D, "c"), (C, "c")], CONFIRMED),
        ([(E, "a"), (C, "b"), (D, "b")], ESCALATED),
        ([(E, "a"), (C, "b"), (D, "b"), (C, "c")], ESCALATED),
        ([(E, "a"), (C, "b"), (D, "b"), (D, "c")], DISMISSED),
        # What two decided one person cannot decide alone by opening it again, nor with an opinion of before.
        ([(E, "a"), (C, "a"), (C, "b"), (R, "c")], ESCALATED),
        ([(E, "a"), (C, "a"), (C, "b"), (R, "c"), (D, "c")], ESCALATED),
        ([(E, "a"), (C, "a"), (C, "b"), (R, "c"), (C, "c")], ESCALATED),
        # Appeals.
        ([(C, "a"), (A, HOLDER)], CONFIRMED),
        ([(C, "a"), (A, HOLDER), (G, "b")], DISMISSED),
        ([(C, "a"), (A, HOLDER), (U, "b")], CONFIRMED),
        ([(C, "a"), (X, "a"), (A, HOLDER)], CLOSED),
        ([(C, "a"), (X, "a"), (A, HOLDER), (U, "b")], CLOSED),
        ([(C, "a"), (X, "a"), (A, HOLDER), (G, "b")], DISMISSED),
    ],
)
def test_a_state_follows_from_what_was_decided(
    steps: Sequence[tuple[Act, str]], state: ViolationState
) -> None:
    case = after(*steps)
    assert case.violation.state is state
    for before, one in zip([None, *case.history], case.history, strict=False):
        assert one.from_state is (before.to_state if before else NEW)


ALWAYS = {"note"}


@pytest.mark.parametrize(
    ("steps", "others", "holder"),
    [
        ([], {"assign", "confirm", "dismiss", "escalate"}, set()),
        ([(C, "a")], {"assign", "close", "reopen"}, {"appeal"}),
        ([(D, "a")], {"close", "reopen"}, set()),
        ([(E, "a")], {"assign", "confirm", "dismiss"}, set()),
        ([(C, "a"), (X, "a")], {"reopen"}, {"appeal"}),
        ([(D, "a"), (X, "a")], {"reopen"}, set()),
        ([(C, "a"), (A, HOLDER)], {"assign", "uphold", "grant"}, set()),
        ([(C, "a"), (A, HOLDER), (U, "b")], {"assign", "close", "reopen"}, set()),
        ([(C, "a"), (A, HOLDER), (G, "b")], {"close"}, set()),
        ([(C, "a"), (A, HOLDER), (G, "b"), (X, "b")], set(), set()),
        # One appeal, however often it is judged anew.
        ([(C, "a"), (A, HOLDER), (U, "b"), (R, "b"), (C, "b")], {"assign", "close", "reopen"}, set()),
    ],
)
def test_what_can_be_done_next(steps: Sequence[tuple[Act, str]], others: set[str], holder: set[str]) -> None:
    case = after(*steps)
    assert case.can("z") == others | ALWAYS
    assert case.can(HOLDER) == holder | ALWAYS


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize(
    "steps",
    [
        [],
        [(C, "a")],
        [(D, "a")],
        [(E, "a")],
        [(C, "a"), (X, "a")],
        [(C, "a"), (A, HOLDER)],
        [(C, "a"), (A, HOLDER), (G, "b")],
        [(E, "a"), (C, "z")],
    ],
)
@pytest.mark.parametrize("actor", ["z", "a", HOLDER])
def test_what_is_possible_is_just_what_is_decided(
    act: Act, steps: Sequence[tuple[Act, str]], actor: str
) -> None:
    case = after(*steps)
    can = str(act) in case.can(actor)
    try:
        case.act(act, actor)
    except FarmError:
        assert not can
    else:
        assert can


@pytest.mark.parametrize("name", [HOLDER, " 王芳 ", "王 芳"])
@pytest.mark.parametrize("act", [C, D, E, X, R, U, G, Act.ASSIGN])
def test_nobody_judges_a_violation_about_themselves(act: Act, name: str) -> None:
    ready: dict[Act, list[tuple[Act, str]]] = {
        X: [(C, "a")],
        R: [(C, "a")],
        U: [(C, "a"), (A, HOLDER)],
        G: [(C, "a"), (A, HOLDER)],
    }
    case = after(*ready.get(act, []))
    with pytest.raises(SafetyRefusal):
        case.act(act, name)


def test_nobody_is_given_a_violation_about_themselves() -> None:
    with pytest.raises(SafetyRefusal):
        Case().act(Act.ASSIGN, "a", assignee=HOLDER)


def test_a_violation_about_nobody_is_judged_by_anybody_and_appealed_by_nobody() -> None:
    case = Case()
    case.violation = replace(BLANK, holder="")
    assert case.can("a") == {"assign", "confirm", "dismiss", "escalate", "note"}
    case.act(C, "a")
    assert appeal_until_ms(case.violation, case.history) is None
    for name in ("a", ""):
        with pytest.raises(FarmError):
            case.act(A, name)


def test_the_same_person_is_no_second_one_however_the_name_is_written() -> None:
    case = after((E, "Anna Li"), (C, "Anna Li"))
    with pytest.raises(SafetyRefusal):
        case.act(C, "anna  li")
    with pytest.raises(SafetyRefusal):
        case.act(C, "\uff21nna Li")
    assert case.violation.state is ESCALATED
    case.act(D, "anna li")
    assert opinions(case.history) == {"anna li": DISMISSED}


def test_an_appeal_is_answered_by_somebody_who_has_not_judged_it() -> None:
    case = after((C, "a"), (R, "b"), (C, "b"), (A, HOLDER))
    for name in ("a", "b", HOLDER):
        for act in (U, G):
            with pytest.raises(SafetyRefusal):
                case.act(act, name)
    assert case.act(G, "c").reason == Reason.APPEAL_GRANTED


def test_who_only_gave_an_opinion_has_judged_it() -> None:
    case = after((E, "a"), (D, "x"), (C, "a"), (C, "b"), (A, HOLDER))
    with pytest.raises(SafetyRefusal):
        case.act(U, "x")
    assert case.can("x") == {"assign", "note"}


def test_only_the_person_it_is_about_appeals_and_once() -> None:
    case = after((C, "a"))
    with pytest.raises(SafetyRefusal):
        case.act(A, "somebody")
    case.act(A, HOLDER)
    with pytest.raises(BadRequest, match="waits for an answer"):
        case.act(A, HOLDER)
    case.act(U, "b")
    with pytest.raises(BadRequest, match="one appeal was upheld"):
        case.act(A, HOLDER)


def test_an_appeal_comes_within_thirty_days_of_the_verdict() -> None:
    case = after((C, "a"))
    case.now_ms = T0 + 5 * DAY_MS
    case.act(X, "a")
    assert appeal_until_ms(case.violation, case.history) == T0 + APPEAL_MS
    case.now_ms = T0 + APPEAL_MS + 1
    with pytest.raises(BadRequest, match="cannot be appealed any more"):
        case.act(A, HOLDER)
    case.now_ms = T0 + APPEAL_MS
    case.act(A, HOLDER)
    assert case.violation.appeal == "open"


def test_a_verdict_given_anew_can_be_appealed_anew() -> None:
    case = after((C, "a"))
    case.now_ms = T0 + APPEAL_MS + 1
    case.run((R, "a"), (C, "a"))
    assert appeal_until_ms(case.violation, case.history) == case.now_ms + APPEAL_MS


def test_a_granted_appeal_is_final() -> None:
    case = after((C, "a"), (A, HOLDER), (G, "b"))
    with pytest.raises(BadRequest, match="which is final"):
        case.act(R, "c")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (C, {"reason": ""}),
        (C, {"reason": "quoted_rule"}),
        (C, {"reason": "because"}),
        (C, {"reason": "other"}),
        (D, {"reason": "appeal_granted"}),
        (E, {"reason": ""}),
        (Act.NOTE, {"note": " "}),
        (Act.NOTE, {"note": "x" * (MAX_NOTE_CHARS + 1)}),
        (Act.NOTE, {"reason": "other"}),
        (Act.ASSIGN, {"reason": "unclear"}),
    ],
)
def test_an_act_has_a_reason_of_its_own_list(act: Act, words: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        Case().act(act, "a", **words)


def test_an_answer_says_why() -> None:
    with pytest.raises(BadRequest, match="text is needed"):
        after((C, "a"), (A, HOLDER)).act(U, "b", note="")
    assert Case().act(C, "a", reason="other", note="see the contract").note == "see the contract"


def test_somebody_acts() -> None:
    with pytest.raises(BadRequest):
        Case().act(C, "  ")


def test_an_assignment_stays_until_another_one() -> None:
    case = Case()
    case.act(Act.ASSIGN, "boss", assignee="a")
    assert case.act(C, "b").assignee == "a"
    assert case.act(Act.ASSIGN, "boss", assignee="").assignee == ""


def test_notes_change_nothing() -> None:
    case = after((C, "a"), (X, "a"), (Act.NOTE, HOLDER), (Act.NOTE, "b"))
    assert case.violation.state is CLOSED
    assert [one.has_moved for one in case.history] == [True, True, False, False]
    verdict = verdict_of(case.history)
    assert verdict is not None
    assert verdict.actor == "a"


def test_nobody_is_no_person() -> None:
    assert not is_same_person("", " ")
    assert is_same_person("\uff21B c", "ab C")
