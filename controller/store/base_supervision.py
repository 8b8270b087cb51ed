"""The part of the store's contract that keeps what the monitor found and what people decided."""

from __future__ import annotations

from typing import Protocol

from controller.model import PhoneId
from controller.records import Violation, ViolationState


class ViolationRows(Protocol):
    """Violations, and the decisions about them."""

    def violations(
        self, *, since_ms: int, state: ViolationState | None, phone_id: PhoneId | None, limit: int
    ) -> list[Violation]:
        """Return violations found since a moment, newest first."""

    def violation(self, violation_id: int) -> Violation | None:
        """Return a violation."""
