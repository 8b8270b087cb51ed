"""What is shown of violations: the hit with its place, what was decided, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.core import Core
from controller.errors import UnknownPhone
from controller.records import ChatRemoval, Conversation, Gap, Message, Violation
from controller.safe import masked
from controller.verdicts import Decision
from controller.violationcontext import Context, shown_text
from controller.web.chatsearch import ChatName, ItemView, chat_name
from controller.web.chatviews import HourView, gap_view, hour_view, message_view, removal_view


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationView:
    """Something that a rule looks for was found: text[start:end] is what matched, empty for behaviours.

    `kind`: word, pattern, behaviour, sample. `how`: by which technique the word was written. `book_version`:
    of the words and rules that found it. `origin`: live, rescan, sample. `repeats`: so many further times the
    same was found within minutes. `state`: new, confirmed, dismissed, escalated, closed. `appeal`: empty,
    open, upheld, granted. `at_ms`: when the message was read, or the behaviour seen.
    """

    violation_id: int
    kind: str
    rule_id: str
    entry_id: str
    word: str
    category: str
    severity: str
    how: str
    detail: str
    text: str
    start: int
    end: int
    side: str
    phone_id: str
    account_id: str
    holder: str
    conversation_id: int | None
    message_id: int | None
    state: str
    assignee: str
    appeal: str
    repeats: int
    notify: bool
    book_version: int
    origin: str
    at_ms: int
    found_at_ms: int
    changed_at_ms: int


def violation_view(found: Violation) -> ViolationView:
    """Show a violation."""
    return ViolationView(
        violation_id=found.id,
        kind=found.kind,
        rule_id=found.rule_id,
        entry_id=found.entry_id,
        word=masked(found.word),
        category=found.category,
        severity=found.severity,
        how=found.how,
        detail=masked(found.detail),
        text=shown_text(found, found.text),
        start=found.start,
        end=found.end,
        side=found.side,
        phone_id=found.phone_id,
        account_id=found.account_id,
        holder=found.holder,
        conversation_id=found.conversation_id,
        message_id=found.message_id,
        state=found.state,
        assignee=found.assignee,
        appeal=found.appeal,
        repeats=found.repeats,
        notify=found.notify,
        book_version=found.book_version,
        origin=found.origin,
        at_ms=found.at_ms,
        found_at_ms=found.found_at_ms,
        changed_at_ms=found.changed_at_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """What somebody did about a violation; no record is ever changed."""

    decision_id: int
    violation_id: int
    at_ms: int
    actor: str
    act: str
    from_state: str
    to_state: str
    assignee: str
    reason: str
    note: str


def decision_view(decision: Decision) -> DecisionView:
    """Show a decision."""
    return DecisionView(
        decision_id=decision.id,
        violation_id=decision.violation_id,
        at_ms=decision.at_ms,
        actor=decision.actor,
        act=decision.act,
        from_state=decision.from_state,
        to_state=decision.to_state,
        assignee=decision.assignee,
        reason=decision.reason,
        note=masked(decision.note),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextView:
    """A violation with the messages around it, gaps and removals in their places.

    `hour`: how its account was watched in the hour when it was said; what was not seen is not known.
    `possible`: what the caller can do next. `opinions`: what was said of an escalated one, by person.
    `appeal_until_ms`: until when the holder can appeal, null: not now.
    """

    violation: ViolationView
    chat: ChatName | None
    items: list[ItemView]
    hour: HourView
    history: list[DecisionView]
    possible: list[str]
    opinions: dict[str, str]
    appeal_until_ms: int | None


def context_view(core: Core, context: Context) -> ContextView:
    """Show a violation with what stands around it."""
    host = host_of(core, context.chat)
    return ContextView(
        violation=violation_view(context.violation),
        chat=None if context.chat is None else chat_name(context.chat),
        items=[item_view(_hidden(item, context.violation), host=host) for item in context.items],
        hour=hour_view(context.hour),
        history=[decision_view(decision) for decision in context.history],
        possible=[str(act) for act in context.possible],
        opinions={name: str(state) for name, state in context.opinions.items()},
        appeal_until_ms=context.appeal_until_ms,
    )


def _hidden(item: Message | Gap | ChatRemoval, found: Violation) -> Message | Gap | ChatRemoval:
    """Return the message of a violation with the same numbers hidden as in the violation's own text."""
    if not isinstance(item, Message) or item.id != found.message_id or item.text != found.text:
        return item
    return replace(item, text=shown_text(found, item.text))


def item_view(item: Message | Gap | ChatRemoval, *, host: str) -> ItemView:
    """Show a message of a phone on `host`, a gap or a removal."""
    match item:
        case Message():
            return ItemView(message=message_view(item, host=host))
        case Gap():
            return ItemView(gap=gap_view(item))
        case ChatRemoval():
            return ItemView(removal=removal_view(item))


def host_of(core: Core, chat: Conversation | None) -> str:
    """Return the host on which the pictures of a chat are; empty if its phone is not known."""
    if chat is None:
        return ""
    try:
        return core.fleet.phone(chat.phone_id).facts.host
    except UnknownPhone:
        return ""
