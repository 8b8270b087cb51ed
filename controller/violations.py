"""Sensitive words found in captured messages."""

from __future__ import annotations

import builtins
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from controller.errors import BadRequest
from controller.ledger import Ledger
from controller.model import PhoneId
from controller.records import Hit, Message, Violation, ViolationState
from controller.words import Matcher
from protos.facts import MessageSeen

_MAX_ROWS = 1_000
_MAX_REACH = 50
# Lines of the client itself ("you recalled a message") are nobody's words.
_SYSTEM = "system"
# No text of an archived event holds it, so that no word is found across two of them.
_BETWEEN = "\0"


def found_in(match: Matcher, messages: Sequence[MessageSeen]) -> builtins.list[tuple[int, Hit]]:
    """Return the sensitive words of messages, each with the place of its message among them."""
    # One long text is searched many times faster than as many short ones.
    texts = ["" if _SYSTEM in {seen.side, seen.kind} else seen.text for seen in messages]
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    found = []
    for hit in match(_BETWEEN.join(texts)):
        place = bisect_right(starts, hit.start) - 1
        start = starts[place]
        found.append((place, Hit(word=hit.word, start=hit.start - start, end=hit.end - start)))
    return found


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
            message = None if violation.message_id is None else tx.message(violation.message_id)
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
