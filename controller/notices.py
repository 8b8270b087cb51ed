"""The records that holders were told of monitoring; without one nothing of a chat is kept."""

from __future__ import annotations

from controller.audit import enter
from controller.errors import BadRequest
from controller.ledger import Ledger
from controller.model import Notice


class Notices:
    """Records by holder; the newest counts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def record(self, holder: str, *, version: str, how: str, actor: str) -> Notice:
        """Keep that a holder was told, so that capture may begin; BadRequest if a part is missing."""
        parts = {"holder": holder.strip(), "version": version.strip(), "how": how.strip()}
        missing = [name for name, text in parts.items() if not text]
        if missing:
            raise BadRequest(f"a notice needs: {', '.join(missing)}")
        with self._ledger.work() as work:
            notice = Notice(**parts, recorded_by=actor.strip(), at_ms=work.now_ms)
            work.tx.add_notice(notice)
            enter(work, actor=actor, what="notice.record", object_=notice.holder, reason=notice.how)
            for phone in work.tx.phones():
                if phone.holder == notice.holder:
                    work.touch(phone.phone_id)
        return notice

    def current(self, holder: str) -> Notice | None:
        """Return the newest record of a holder."""
        with self._ledger.look() as tx:
            return tx.notice(holder.strip())

    def all(self) -> list[Notice]:
        """Return the newest record of each holder."""
        with self._ledger.look() as tx:
            return tx.notices()
