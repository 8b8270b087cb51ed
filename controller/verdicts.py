"""What people may decide about a violation, who may, and how it stands then: pure functions.

Persons are told apart by the names under which they act: whoever lets them name themselves must trust them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.clock import DAY_MS
from controller.errors import BadRequest, SafetyRefusal
from controller.records import Violation, ViolationState

# So long after the verdict a person can appeal.
APPEAL_MS = 30 * DAY_MS
MAX_NOTE_CHARS = 2_000


class Act(StrEnum):
    """What somebody does about a violation; each is a record of its own that nothing ever changes."""

    ASSIGN = "assign"
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    ESCALATE = "escalate"
    CLOSE = "close"
    REOPEN = "reopen"
    NOTE = "note"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    GRANT = "grant"


class Appeal(StrEnum):
    """How the appeal of the person stands; a violation has at most one."""

    NONE = ""
    OPEN = "open"
    UPHELD = "upheld"  # the verdict stays
    GRANTED = "granted"  # the violation is dismissed


class Reason(StrEnum):
    """Why something was decided; which ones an act may have is in REASONS."""

    AGAINST_RULES = "against_rules"
    ILLEGAL = "illegal"
    HARM_TO_CUSTOMER = "harm_to_customer"
    HARM_TO_COMPANY = "harm_to_company"
    PLATFORM_RISK = "platform_risk"
    REPEATED = "repeated"
    NOT_A_VIOLATION = "not_a_violation"
    WRONG_WORD = "wrong_word"
    QUOTED_RULE = "quoted_rule"
    CUSTOMER_SAID_IT = "customer_said_it"
    ALLOWED_BY_MANAGER = "allowed_by_manager"
    DUPLICATE = "duplicate"
    OTHER = "other"
    UNCLEAR = "unclear"
    SERIOUS = "serious"
    SECOND_OPINION = "second_opinion"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    TALKED_TO = "talked_to"
    TRAINED = "trained"
    WARNED = "warned"
    MEASURES_TAKEN = "measures_taken"
    NO_ACTION_NEEDED = "no_action_needed"
    NEW_INFORMATION = "new_information"
    JUDGED_BY_MISTAKE = "judged_by_mistake"
    WRONG_PERSON = "wrong_person"
    SECOND_LOOK = "second_look"
    EVIDENCE_STANDS = "evidence_stands"
    NO_NEW_FACTS = "no_new_facts"
    APPEAL_GRANTED = "appeal_granted"


# Closed lists, so that they can be counted; an act that is not here has no reason.
REASONS: Mapping[Act, tuple[Reason, ...]] = {
    Act.CONFIRM: (
        Reason.AGAINST_RULES,
        Reason.ILLEGAL,
        Reason.HARM_TO_CUSTOMER,
        Reason.HARM_TO_COMPANY,
        Reason.PLATFORM_RISK,
        Reason.REPEATED,
        Reason.OTHER,
    ),
    Act.DISMISS: (
        Reason.NOT_A_VIOLATION,
        Reason.WRONG_WORD,
        Reason.QUOTED_RULE,
        Reason.CUSTOMER_SAID_IT,
        Reason.ALLOWED_BY_MANAGER,
        Reason.DUPLICATE,
        Reason.OTHER,
    ),
    Act.ESCALATE: (
        Reason.UNCLEAR,
        Reason.SERIOUS,
        Reason.SECOND_OPINION,
        Reason.CONFLICT_OF_INTEREST,
    ),
    Act.CLOSE: (
        Reason.TALKED_TO,
        Reason.TRAINED,
        Reason.WARNED,
        Reason.MEASURES_TAKEN,
        Reason.NO_ACTION_NEEDED,
    ),
    Act.REOPEN: (
        Reason.NEW_INFORMATION,
        Reason.JUDGED_BY_MISTAKE,
        Reason.WRONG_PERSON,
        Reason.SECOND_LOOK,
    ),
    Act.UPHOLD: (Reason.EVIDENCE_STANDS, Reason.NO_NEW_FACTS),
    Act.GRANT: (Reason.APPEAL_GRANTED,),
}

# Whoever is told something must be told what: the one who appealed, and whoever reads the history.
_NEED_TEXT = frozenset({Act.NOTE, Act.APPEAL, Act.UPHOLD})

_NEW, _CONFIRMED, _DISMISSED = ViolationState.NEW, ViolationState.CONFIRMED, ViolationState.DISMISSED
_ESCALATED, _CLOSED = ViolationState.ESCALATED, ViolationState.CLOSED
_FROM: Mapping[Act, frozenset[ViolationState]] = {
    Act.ASSIGN: frozenset({_NEW, _ESCALATED, _CONFIRMED}),
    Act.CONFIRM: frozenset({_NEW, _ESCALATED}),
    Act.DISMISS: frozenset({_NEW, _ESCALATED}),
    Act.ESCALATE: frozenset({_NEW}),
    Act.CLOSE: frozenset({_CONFIRMED, _DISMISSED}),
    Act.REOPEN: frozenset({_CONFIRMED, _DISMISSED, _CLOSED}),
    Act.NOTE: frozenset(ViolationState),
    Act.APPEAL: frozenset({_CONFIRMED, _CLOSED}),
}
# While a person waits for the answer nothing else moves.
_WHILE_APPEALED = (Act.ASSIGN, Act.NOTE, Act.UPHOLD, Act.GRANT)
_OF_THE_HOLDER = frozenset({Act.NOTE, Act.APPEAL})
_VERDICTS: Mapping[Act, ViolationState] = {Act.CONFIRM: _CONFIRMED, Act.DISMISS: _DISMISSED}
_APPEALS: Mapping[Act, Appeal] = {
    Act.APPEAL: Appeal.OPEN,
    Act.UPHOLD: Appeal.UPHELD,
    Act.GRANT: Appeal.GRANTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody did about a violation, when, and why; `assignee` is who has it from then on."""

    id: int
    violation_id: int
    at_ms: int
    actor: str
    act: Act
    from_state: ViolationState
    to_state: ViolationState
    assignee: str
    reason: str
    note: str

    @property
    def has_moved(self) -> bool:
        """Tell whether the violation stood otherwise before."""
        return self.from_state is not self.to_state


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person's: width, case and blanks do not count; nobody is no person."""
    return bool(_person(one)) and _person(one) == _person(other)


def _person(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def decide(
    violation: Violation,
    history: Sequence[Decision],
    act: Act,
    actor: str,
    *,
    reason: str = "",
    note: str = "",
    assignee: str = "",
    now_ms: int,
) -> Decision:
    """Return the record of an act (its id is 0); `history` is all of the violation's, oldest first.

    BadRequest if words are missing or the violation does not stand so that this can be done;
    SafetyRefusal if this person may not do it.
    """
    why = reason_of(act, reason, note)
    _be_possible(violation, history, act, now_ms)
    _be_allowed(violation, history, act, actor)
    if act is Act.ASSIGN and is_same_person(assignee, violation.holder):
        raise SafetyRefusal("nobody judges a violation about themselves; assign it to another person")
    return Decision(
        id=0,
        violation_id=violation.id,
        at_ms=now_ms,
        actor=actor.strip(),
        act=act,
        from_state=violation.state,
        to_state=_state_after(violation, history, act, actor),
        assignee=assignee.strip() if act is Act.ASSIGN else violation.assignee,
        reason=why,
        note=note.strip(),
    )


def appeal_after(violation: Violation, act: Act) -> Appeal:
    """Return how the appeal stands after an act that was decided."""
    return _APPEALS.get(act, Appeal(violation.appeal))


def reason_of(act: Act, reason: str, note: str) -> str:
    """Return the reason of an act; BadRequest if it is none of its list, or a text is missing or too long."""
    if len(note.strip()) > MAX_NOTE_CHARS:
        raise BadRequest(f"a note has at most {MAX_NOTE_CHARS} characters")
    may_be = REASONS.get(act, ())
    if not reason and len(may_be) == 1:
        reason = may_be[0]
    if not may_be and reason:
        raise BadRequest(f"{act} has no reason; say it in the note")
    if may_be and reason not in may_be:
        wrong = f"no reason {reason[:40]!r}; " if reason else ""
        raise BadRequest(f"{wrong}say why, the reason to {act} is one of {', '.join(may_be)}")
    if not note.strip() and (act in _NEED_TEXT or reason == Reason.OTHER):
        raise BadRequest(f"{act}: a text is needed (note){', as the reason is other' if reason else ''}")
    return reason


def possible(violation: Violation, history: Sequence[Decision], actor: str, now_ms: int) -> tuple[Act, ...]:
    """Return what a person can do next about a violation."""

    def may(act: Act) -> bool:
        try:
            _be_allowed(violation, history, act, actor)
        except (BadRequest, SafetyRefusal):
            return False
        return True

    return tuple(act for act in _acts(violation, history, now_ms) if may(act))


def opinions(history: Sequence[Decision]) -> dict[str, ViolationState]:
    """Return who thinks what of an escalated violation so far: names as given, their last word.

    Only what was said since it was escalated last.
    """
    found: dict[str, tuple[str, ViolationState]] = {}
    for one in history:
        if one.to_state is _ESCALATED and one.has_moved:
            found.clear()
        elif one.act in _VERDICTS:
            found[_person(one.actor)] = (one.actor, _VERDICTS[one.act])
    return dict(found.values())


def verdict_of(history: Iterable[Decision]) -> Decision | None:
    """Return the decision by which a violation was last confirmed or dismissed; None: never."""
    found = None
    for one in history:
        if one.to_state in {_CONFIRMED, _DISMISSED} and one.has_moved:
            found = one
    return found


def appeal_until_ms(violation: Violation, history: Sequence[Decision]) -> int | None:
    """Return until when the person can appeal; None: not as the violation stands, or not again."""
    verdict = verdict_of(history)
    if violation.appeal or violation.state not in _FROM[Act.APPEAL] or not violation.holder:
        return None
    if verdict is None or verdict.to_state is not _CONFIRMED:
        return None
    return verdict.at_ms + APPEAL_MS


def has_judged(history: Iterable[Decision], actor: str) -> bool:
    """Tell whether a person ever said what a violation is."""
    return any(one.act in _VERDICTS and is_same_person(one.actor, actor) for one in history)


# ---- inside


def _acts(violation: Violation, history: Sequence[Decision], now_ms: int) -> list[Act]:
    """Return what can be done next by somebody."""
    if violation.appeal == Appeal.OPEN:
        return list(_WHILE_APPEALED)
    acts = [act for act in Act if violation.state in _FROM.get(act, ())]
    until_ms = appeal_until_ms(violation, history)
    if Act.APPEAL in acts and (until_ms is None or now_ms > until_ms):
        acts.remove(Act.APPEAL)
    if Act.REOPEN in acts and violation.appeal == Appeal.GRANTED:
        acts.remove(Act.REOPEN)
    return acts


def _be_possible(violation: Violation, history: Sequence[Decision], act: Act, now_ms: int) -> None:
    acts = _acts(violation, history, now_ms)
    if act in acts:
        return
    stands = f"violation {violation.id} is {violation.state}{_why_not(violation, act)}"
    raise BadRequest(f"{stands}; what can be done: {', '.join(acts)}")


def _why_not(violation: Violation, act: Act) -> str:
    if violation.appeal == Appeal.OPEN:
        return " and its appeal waits for an answer"
    if act is Act.APPEAL and violation.appeal:
        return f" and its one appeal was {violation.appeal}"
    if act is Act.APPEAL and violation.state in _FROM[Act.APPEAL]:
        return " and cannot be appealed any more"
    if act is Act.REOPEN and violation.appeal == Appeal.GRANTED:
        return " and its appeal was granted, which is final"
    if act in {Act.UPHOLD, Act.GRANT}:
        return " and nobody has appealed"
    return ""


def _be_allowed(violation: Violation, history: Sequence[Decision], act: Act, actor: str) -> None:
    if not _person(actor):
        raise BadRequest("say who does this")
    if act is Act.APPEAL:
        if not is_same_person(actor, violation.holder):
            raise SafetyRefusal("only the person whom a violation is about can appeal")
        return
    if act not in _OF_THE_HOLDER and is_same_person(actor, violation.holder):
        raise SafetyRefusal("nobody judges a violation about themselves; another person must do it")
    if act in {Act.UPHOLD, Act.GRANT} and has_judged(history, actor):
        raise SafetyRefusal("an appeal is answered by a person who has not judged the violation before")
    if violation.state is _ESCALATED and act in _VERDICTS:
        said = {_person(name): state for name, state in opinions(history).items()}
        if said.get(_person(actor)) is _VERDICTS[act]:
            raise SafetyRefusal(
                "you said so already; an escalated violation needs a second person who agrees"
            )


def _state_after(violation: Violation, history: Sequence[Decision], act: Act, actor: str) -> ViolationState:
    """Return how a violation stands after an act that is possible and allowed."""
    match act:
        case Act.CONFIRM | Act.DISMISS:
            return _after_verdict(violation, history, _VERDICTS[act], actor)
        case Act.ESCALATE:
            return _ESCALATED
        case Act.CLOSE:
            return _CLOSED
        case Act.REOPEN:
            # One person cannot take alone what two had to decide.
            was_escalated = any(one.to_state is _ESCALATED for one in history)
            return _ESCALATED if was_escalated else _NEW
        case Act.GRANT:
            return _DISMISSED
        case _:
            return violation.state


def _after_verdict(
    violation: Violation, history: Sequence[Decision], verdict: ViolationState, actor: str
) -> ViolationState:
    if violation.state is _NEW:
        return verdict
    others = [name for name, said in opinions(history).items() if said is verdict]
    is_agreed = any(not is_same_person(name, actor) for name in others)
    return verdict if is_agreed else _ESCALATED
