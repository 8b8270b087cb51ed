"""Violations put into a store as ingest puts them, without words and rules."""

from __future__ import annotations

import itertools
from typing import Any

from controller.model import AccountId, PhoneId
from controller.store.base import Store
from controller.store.base_ingest import NewViolation
from tests.support.clock import START_MS

_keys = itertools.count(1)


def plant(
    store: Store,
    *,
    message_id: int | None = None,
    conversation_id: int | None = None,
    at_ms: int = START_MS,
    **parts: Any,
) -> int:
    """Return the id of a new violation; it is about a message only if one is named."""
    key = f"planted-{next(_keys)}"
    found: dict[str, Any] = {
        "kind": "word",
        "rule_id": "R000",
        "entry_id": "L012",
        "word": "转账",
        "category": "offpay",
        "severity": "high",
        "how": "plain",
        "detail": "",
        "book_version": 1,
        "phone_id": PhoneId("017"),
        "account_id": AccountId("wx017"),
        "holder": "王芳",
        "side": "out",
        "start": 0,
        "end": 0,
        "origin": "live",
        "notify": False,
        "at_ms": at_ms,
        "found_at_ms": at_ms,
        "message_id": message_id,
        "conversation_id": conversation_id,
        **parts,
        "dedupe_key": key,
    }
    with store.transaction() as tx:
        tx.put_violations([(NewViolation(**found), 0)])
        planted = tx.violation_by_key(key)
    assert planted is not None
    return planted.id
