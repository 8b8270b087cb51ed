"""The contract once, over named statements; the two databases differ only below it."""

from __future__ import annotations

from controller.model import AuditEntry, Notice, TaskState
from controller.records import ViolationState
from controller.store.sql_alerts import AlertSql
from controller.store.sql_archive import ArchiveSql
from controller.store.sql_books import BookSql
from controller.store.sql_capture import CaptureSql
from controller.store.sql_chats import ChatSql
from controller.store.sql_clients import ClientSql
from controller.store.sql_ingest import IngestSql
from controller.store.sql_people import JobDecisionSql, PeopleSql
from controller.store.sql_phones import PhoneSql
from controller.store.sql_quotas import QuotaSql
from controller.store.sql_rows import Row, Statements
from controller.store.sql_rules import RuleSql
from controller.store.sql_samples import SampleSql
from controller.store.sql_violations import ViolationSql

# Ids count from 1; nothing has this one.
_AFTER_LAST_ID = 2**63 - 1


class FarmSql(Statements):
    """The farm itself, its people and its diary."""

    def clock_ms(self) -> int:
        """Return the farm's clock as kept."""
        return int(self._the("clock")["clock_ms"])

    def advance_clock(self, now_ms: int) -> int:
        """Raise the farm's clock to at least `now_ms`, keep it, and return it."""
        self._do("raise_clock", now_ms=now_ms)
        return self.clock_ms()

    def farm_epoch(self) -> int:
        """Return the epoch of this farm's data."""
        return int(self._the("farm_epoch")["epoch"])

    def add_notice(self, notice: Notice) -> None:
        """Keep the record that a holder was told."""
        self._do(
            "add_notice",
            holder=notice.holder,
            version=notice.version,
            how=notice.how,
            recorded_by=notice.recorded_by,
            at_ms=notice.at_ms,
        )

    def notices(self) -> list[Notice]:
        """Return the newest record of each holder."""
        return [_notice(row) for row in self._all("notices")]

    def add_audit(self, *, at_ms: int, actor: str, what: str, object_: str, reason: str) -> None:
        """Append one line to the diary."""
        self._do("add_audit", at_ms=at_ms, actor=actor, what=what, object=object_, reason=reason)

    def audit_entries(self, *, before_id: int | None, limit: int) -> list[AuditEntry]:
        """Return the newest lines, newest first."""
        before = _AFTER_LAST_ID if before_id is None else before_id
        rows = self._all("audit_entries", before_id=before, max_rows=limit)
        return [AuditEntry(**dict(row)) for row in rows]


class CountSql(Statements):
    """The farm at a glance."""

    def count_jobs_running(self) -> int:
        """Return how many jobs run."""
        return self._count("count_jobs_running")

    def count_tasks(self) -> dict[TaskState, int]:
        """Return how many tasks have each state."""
        return {TaskState(row["state"]): int(row["found"]) for row in self._all("count_tasks")}

    def count_violations(self, state: ViolationState) -> int:
        """Return how many violations have a state."""
        return self._count("count_violations", state=state)

    def count_messages(self) -> int:
        """Return how many messages are archived."""
        return self._count("count_messages")

    def count_gaps(self) -> int:
        """Return how many gaps are recorded, of chats and of spools."""
        return self._count("count_gaps")

    def count_refused_events(self) -> int:
        """Return how many chat events were dropped because no notice is recorded."""
        return self._count("count_refused_events")


class SqlTx(
    FarmSql,
    PhoneSql,
    JobDecisionSql,
    QuotaSql,
    ArchiveSql,
    CountSql,
    PeopleSql,
    ClientSql,
    CaptureSql,
    ChatSql,
    IngestSql,
    RuleSql,
    ViolationSql,
    SampleSql,
    AlertSql,
    BookSql,
):
    """Everything that can be done inside one transaction."""


def _notice(row: Row) -> Notice:
    return Notice(**dict(row))
