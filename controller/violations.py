"""Violations for those who judge them: looks that are recorded, and decisions that nothing ever changes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from controller.audit import enter
from controller.deskstats import DeskStats
from controller.errors import BadRequest
from controller.ledger import Ledger
from controller.model import PhoneId
from controller.records import Violation, ViolationState
from controller.rulings import Outcome, known, rule_on, rule_on_one
from controller.samples import Samples
from controller.store.base_supervision import Wanted
from controller.verdicts import Act, Decision, appeal_until_ms, opinions, possible, reason_of
from controller.violationcontext import MAX_REACH, Context, around, hour_around, said_ms, with_texts
from controller.violationexport import ViolationExports
from controller.waivers import Waivers
from controller.wordbooks import WordBooks

__all__ = ["Outcome", "Violations", "Wanted"]

_MAX_ROWS = 1_000
# So many are decided at once, as the core does nothing else meanwhile.
MAX_DECIDED = 500


class Violations:
    """Violations, with everything that the desk does about them."""

    def __init__(self, ledger: Ledger, books: WordBooks) -> None:
        self._ledger = ledger
        self.waivers = Waivers(ledger, books)
        self.stats = DeskStats(ledger)
        self.samples = Samples(ledger)
        self.exports = ViolationExports(ledger)

    # ---- reading

    def get(self, violation_id: int) -> Violation:
        """Return a violation; BadRequest if there is none. Not recorded: for what shows nobody its text."""
        with self._ledger.look() as tx:
            violation = tx.violation(violation_id)
            if violation is None:
                raise BadRequest(f"no violation {violation_id}")
            return with_texts(tx, [violation])[0]

    def list(
        self,
        *,
        since_ms: int = 0,
        state: ViolationState | None = None,
        phone_id: PhoneId | None = None,
        limit: int = 100,
    ) -> builtins.list[Violation]:
        """Return the violations found since a moment, newest first. Not recorded, see `read`."""
        phones = () if phone_id is None else (phone_id,)
        wanted = Wanted(since_ms=since_ms, state=state, phone_ids=phones)
        with self._ledger.look() as tx:
            return with_texts(tx, tx.violations(wanted, before_id=None, limit=_bounded(limit)))

    def read(
        self,
        wanted: Wanted,
        *,
        before_id: int | None = None,
        limit: int = 100,
        told: str,
        reason: str = "",
        actor: str,
    ) -> builtins.list[Violation]:
        """Return violations below an id, newest first; recorded, with `told` as what was asked for."""
        with self._ledger.work() as work:
            enter(work, actor=actor, what="violations.read", object_=told, reason=reason)
            found = work.tx.violations(wanted, before_id=before_id, limit=_bounded(limit))
            return with_texts(work.tx, found)

    def context(self, violation_id: int, *, reach: int = 5, reason: str, actor: str) -> Context:
        """Return a violation with up to `reach` messages before and after it, and what is missing there.

        The look is recorded, so it needs a reason. BadRequest if there is no such violation.
        """
        if not reason.strip():
            raise BadRequest("say why you read this violation (reason); the look is recorded")
        with self._ledger.work() as work:
            tx = work.tx
            (violation,) = with_texts(tx, [known(tx.lock_violations([violation_id]), violation_id)])
            # Written down before the first word is handed out.
            enter(work, actor=actor, what="violation.read", object_=str(violation_id), reason=reason)
            message = None if violation.message_id is None else tx.message(violation.message_id)
            chat, items = around(tx, violation, message, max(0, min(reach, MAX_REACH)))
            history = tx.decisions([violation_id])[violation_id]
            return Context(
                violation=violation,
                chat=chat,
                items=items,
                hour=hour_around(tx, violation.account_id, said_ms(violation, message), work.now_ms),
                history=tuple(history),
                possible=possible(violation, history, actor, work.now_ms),
                opinions=opinions(history),
                appeal_until_ms=appeal_until_ms(violation, history),
            )

    def history(self, violation_id: int) -> builtins.list[Decision]:
        """Return all decisions about a violation, oldest first; BadRequest if there is no such violation."""
        self.get(violation_id)
        with self._ledger.look() as tx:
            return tx.decisions([violation_id])[violation_id]

    # ---- deciding

    def decide(
        self,
        violation_ids: Sequence[int],
        act: Act,
        *,
        actor: str,
        reason: str = "",
        note: str = "",
        assignee: str = "",
    ) -> builtins.list[Outcome]:
        """Do one thing about violations, and return what became of it for each, in the order asked for.

        One transaction; what is refused leaves the others alone. BadRequest if it is wrong for all of them.
        """
        ids = builtins.list(dict.fromkeys(violation_ids))
        if act is Act.APPEAL:
            raise BadRequest("an appeal says who appeals")
        if not 1 <= len(ids) <= MAX_DECIDED:
            raise BadRequest(f"name 1 to {MAX_DECIDED} violations")
        reason_of(act, reason, note)
        with self._ledger.work() as work:
            return rule_on(work, ids, act, actor, reason=reason, note=note, assignee=assignee)

    def appeal(self, violation_id: int, *, by: str, text: str, actor: str) -> Decision:
        """Keep that the holder objects; `actor` types it in. BadRequest, SafetyRefusal."""
        with self._ledger.work() as work:
            return rule_on_one(work, violation_id, Act.APPEAL, by, note=text, typed_by=actor)

    def answer(self, violation_id: int, act: Act, *, text: str, reason: str = "", actor: str) -> Decision:
        """Uphold a verdict or grant the appeal against it, with a text for who appealed.

        BadRequest, SafetyRefusal.
        """
        if act not in {Act.UPHOLD, Act.GRANT}:
            raise BadRequest("an appeal is upheld or granted")
        with self._ledger.work() as work:
            return rule_on_one(work, violation_id, act, actor, reason=reason, note=text)


def _bounded(limit: int) -> int:
    return max(1, min(limit, _MAX_ROWS))
