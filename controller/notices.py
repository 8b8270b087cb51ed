"""The records that holders were told of monitoring; without a current one nothing of a chat is kept."""

from __future__ import annotations

from dataclasses import dataclass

from controller.audit import enter
from controller.capturerules import told_by, version_at, why_not_told
from controller.errors import BadRequest
from controller.ledger import Ledger, Work
from controller.model import Notice
from controller.store.base import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A holder, the newest record, and why nothing may be captured; `why` is empty if it may."""

    holder: str
    record: Notice | None
    wanted: str  # the version in force; empty: any
    why: str


def standing_of(tx: Tx, holder: str, now_ms: int) -> Standing:
    """Return how a holder stands now."""
    records, versions = tx.notices_of(holder), tx.notice_versions()
    return Standing(
        holder=holder,
        record=told_by(records, versions, now_ms) or (records[-1] if records else None),
        wanted=version_at(versions, now_ms),
        why=why_not_told(records, versions, now_ms),
    )


class Notices:
    """Records by holder: of the version in force, and not withdrawn, one counts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def put_in_force(self) -> None:
        """Keep since when the configured version is in force; what was read before it stays covered."""
        version = self._ledger.settings.notice_version
        if not version:
            return
        with self._ledger.work(keeps_time=False) as work:
            work.tx.put_version_in_force(version, work.now_ms)

    def record(self, holder: str, *, version: str, how: str, actor: str) -> Notice:
        """Keep that a holder was told, so that capture may begin; BadRequest if a part is missing.

        Another version than the one in force may be recorded before a change; it counts from then on.
        """
        parts = {"holder": holder.strip(), "version": version.strip(), "how": how.strip()}
        missing = [name for name, text in parts.items() if not text]
        if missing:
            raise BadRequest(f"a notice needs: {', '.join(missing)}")
        with self._ledger.work() as work:
            notice = Notice(
                holder=parts["holder"],
                version=parts["version"],
                how=parts["how"],
                recorded_by=actor.strip(),
                at_ms=work.now_ms,
            )
            work.tx.add_notice(notice)
            told = f"version {notice.version}; {notice.how}"
            enter(work, actor=actor, what="notice.record", object_=notice.holder, reason=told)
            _touch_phones(work, notice.holder)
        return notice

    def withdraw(self, holder: str, *, reason: str, actor: str) -> int:
        """End all records of a holder from now on and return how many; what was captured before stays.

        BadRequest without a reason, or if there is nothing to withdraw.
        """
        name = holder.strip()
        if not reason.strip():
            raise BadRequest("say why the notice is withdrawn (reason)")
        with self._ledger.work() as work:
            ended = work.tx.withdraw_notices(name, work.now_ms)
            if not ended:
                raise BadRequest("this holder has no notice that could be withdrawn")
            enter(work, actor=actor, what="notice.withdraw", object_=name, reason=reason)
            _touch_phones(work, name)
        return ended

    def standing(self, holder: str) -> Standing:
        """Return how a holder stands now."""
        with self._ledger.look() as tx:
            return standing_of(tx, holder.strip(), self._now_ms(tx))

    def history(self, holder: str) -> list[Notice]:
        """Return all records of a holder, oldest first."""
        with self._ledger.look() as tx:
            return tx.notices_of(holder.strip())

    def all(self) -> list[Standing]:
        """Return how each holder stands that holds a phone or was ever told, by name."""
        with self._ledger.look() as tx:
            names = {notice.holder for notice in tx.notices()}
            names |= {phone.holder for phone in tx.phones() if phone.holder}
            now_ms = self._now_ms(tx)
            return [standing_of(tx, name, now_ms) for name in sorted(names)]

    def _now_ms(self, tx: Tx) -> int:
        # A record made this moment is dated by the farm's clock, which may be ahead of the wall clock.
        return max(self._ledger.clock.now_ms(), tx.clock_ms())


def _touch_phones(work: Work, holder: str) -> None:
    for phone in work.tx.phones():
        if phone.holder == holder:
            work.touch(phone.phone_id)
