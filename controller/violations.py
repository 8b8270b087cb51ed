"""Sensitive words found in captured messages."""

from __future__ import annotations

import builtins

from controller.errors import BadRequest
from controller.ledger import Ledger, Work
from controller.model import AccountId, Phone, PhoneId
from controller.records import Message, Violation, ViolationState
from controller.words import Matcher

_MAX_ROWS = 1_000
_MAX_REACH = 50
# Lines of the client itself ("you recalled a message") are nobody's words.
_SYSTEM = "system"


def find(
    work: Work,
    match: Matcher,
    list_version: str,
    *,
    message: Message,
    message_id: int,
    phone: Phone,
    account: AccountId,
) -> int:
    """Record the sensitive words of a message in the transaction that archives it; returns how many."""
    if message.side == _SYSTEM or message.kind == _SYSTEM:
        return 0
    hits = match(message.text)
    for hit in hits:
        work.tx.add_violation(
            hit,
            message_id=message_id,
            conversation_id=message.conversation_id,
            phone_id=phone.phone_id,
            account_id=account,
            holder=phone.holder,
            list_version=list_version,
            now_ms=work.now_ms,
        )
    return len(hits)


class Violations:
    """Violations for their readers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, violation_id: int) -> Violation:
        """Return a violation; BadRequest if there is none."""
        with self._ledger.look() as tx:
            violation = tx.violation(violation_id)
        if violation is None:
            raise BadRequest(f"no violation {violation_id}")
        return violation

    def context(self, violation_id: int, *, reach: int = 5) -> builtins.list[Message]:
        """Return the messages around a violation, `reach` before and after; BadRequest if there is none."""
        violation = self.get(violation_id)
        with self._ledger.look() as tx:
            message = tx.message(violation.message_id)
            if message is None:
                return []
            return tx.messages_around(message.conversation_id, message.position, min(reach, _MAX_REACH))

    def list(
        self,
        *,
        since_ms: int = 0,
        state: ViolationState | None = None,
        phone_id: PhoneId | None = None,
        limit: int = 100,
    ) -> builtins.list[Violation]:
        """Return the violations found since a moment, newest first."""
        with self._ledger.look() as tx:
            return tx.violations(
                since_ms=since_ms, state=state, phone_id=phone_id, limit=max(1, min(limit, _MAX_ROWS))
            )
