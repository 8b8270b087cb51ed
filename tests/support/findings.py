"""Violations as the monitor would leave them, for tests of the desk: no rule has to find anything."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from controller.core import Core
from controller.keeping import keep_once
from controller.model import AccountId
from controller.records import Message, Violation
from controller.store.base_ingest import NewViolation
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, handset, message

_keys = itertools.count(1)


def told_phone(core: Core, number: int, holder: str) -> Handset:
    """Return a phone whose holder was told, so that its chats are kept."""
    core.notices.record(holder, version="1", how="signed", actor="op")
    return handset(core, number, holder=holder)


def said(
    phone: Handset, *texts: str, key: str = "chat", side: str = "out", first: int = 1, at_ms: int = START_MS
) -> list[Message]:
    """Let messages be archived, and return all of their chat."""
    phone.say(
        *(
            replace(message(text, position, key=key, side=side), conversation_title=key)
            for position, text in enumerate(texts, first)
        ),
        at_ms=at_ms,
    )
    return messages_of(phone.core, key)


def messages_of(core: Core, key: str) -> list[Message]:
    chat = next(chat for chat in core.archive.conversations(limit=1_000) if chat.key == key)
    return core.archive.messages(chat.id, limit=1_000)


def find(core: Core, phone: Handset, found_in: Message | None, word: str = "", **parts: Any) -> Violation:
    """Leave a violation: a word in a message, or something that is about none."""
    core_phone = core.fleet.phone(phone.phone_id)
    text = found_in.text if found_in else ""
    start = max(text.find(word), 0)
    new: dict[str, Any] = {
        "kind": "word",
        "rule_id": "R001",
        "entry_id": "L001",
        "word": word,
        "category": "offpay",
        "severity": "high",
        "how": "plain",
        "detail": "",
        "book_version": 1,
        "phone_id": phone.phone_id,
        "account_id": core_phone.account_id or AccountId(""),
        "holder": core_phone.holder,
        "side": found_in.side if found_in else "",
        "start": start,
        "end": start + len(word),
        "origin": "live",
        "dedupe_key": f"test:{next(_keys)}",
        "notify": False,
        "at_ms": found_in.read_at_ms if found_in else core.clock.now_ms(),
        "found_at_ms": core.clock.now_ms(),
        "message_id": found_in.id if found_in else None,
        "conversation_id": found_in.conversation_id if found_in else None,
    }
    made = NewViolation(**{**new, **parts})
    with core._ledger.work() as work:
        assert keep_once(work.tx, [made]) == 1
        kept = work.tx.violation_by_key(made.dedupe_key)
    assert kept is not None
    return kept
