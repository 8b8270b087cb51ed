"""The diary: who did what to which object, when and why."""

from __future__ import annotations

from controller.errors import BadRequest
from controller.ledger import Ledger, Work
from controller.model import AuditEntry

_MAX_ENTRIES = 500


def named(actor: str) -> str:
    """Return the name of who acts; BadRequest if there is none."""
    if not actor.strip():
        raise BadRequest("say who does this")
    return actor.strip()


def enter(work: Work, *, actor: str, what: str, object_: str, reason: str = "") -> None:
    """Write a line in the transaction of what it tells about; BadRequest if nobody is named."""
    work.tx.add_audit(
        at_ms=work.now_ms, actor=named(actor), what=what, object_=object_, reason=reason.strip()
    )


class Audit:
    """The diary for its readers, and for acts that change nothing else."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def entries(self, *, before_id: int | None = None, limit: int = 100) -> list[AuditEntry]:
        """Return the newest lines before an id, newest first."""
        with self._ledger.look() as tx:
            return tx.audit_entries(before_id=before_id, limit=min(limit, _MAX_ENTRIES))

    def record(self, *, actor: str, what: str, object: str, reason: str = "") -> None:  # noqa: A002 as in AuditEntry
        """Write a line about an act such as looking at a chat; BadRequest if nobody is named."""
        with self._ledger.work() as work:
            enter(work, actor=actor, what=what, object_=object, reason=reason)
