"""The core: every decision of the farm, blocking, for one thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from controller import monitoring
from controller.accepting import Accepting
from controller.alertbook import Alerts
from controller.archive import Archive
from controller.audit import Audit
from controller.captures import Captures
from controller.chatexport import Exports
from controller.clienttables import ClientTables
from controller.clock import Clock
from controller.customers import Customers
from controller.fleet import Fleet
from controller.friends import Friends
from controller.jobs import Jobs
from controller.ledger import Change, ChangeKind, CoreSettings, Ledger, Watcher
from controller.model import Status
from controller.moneybook import MoneyBook
from controller.notices import Notices
from controller.overrides import Quotas
from controller.records import ViolationState
from controller.rescans import Rescans
from controller.search import Search
from controller.store.base import Store
from controller.violations import Violations
from controller.watched import Coverage
from controller.wordbooks import WordBooks

__all__ = ["Change", "ChangeKind", "Core", "CoreSettings"]


class Core:
    """All parts of the core over one store; call it from one thread (see CoreThread)."""

    def __init__(self, store: Store, clock: Clock, settings: CoreSettings) -> None:
        ledger = Ledger(store, clock, settings)
        self._ledger = ledger
        self.settings = settings
        self.clock = clock
        self.books = WordBooks(ledger)
        self.books.open()
        self.rescans = Rescans(ledger)
        self.fleet = Fleet(ledger)
        self.quotas = Quotas(ledger)
        self.jobs = Jobs(ledger)
        self.contacts = Customers(ledger)
        self.friends = Friends(ledger)
        self.accepting = Accepting(ledger)
        self.violations = Violations(ledger, self.books)
        self.archive = Archive(ledger)
        self.notices = Notices(ledger)
        self.notices.put_in_force()
        self.captures = Captures(ledger)
        self.coverage = Coverage(ledger)
        self.search = Search(ledger)
        self.moneybook = MoneyBook(ledger)
        self.exports = Exports(ledger)
        self.audit = Audit(ledger)
        self.clients = ClientTables(ledger)
        self.alerts = Alerts(ledger)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` on the core's thread after each change is committed; returns the way to stop."""
        return self._ledger.watch(watcher)

    def sweep(self) -> None:
        """Mark silent phones absent and tasks without word unknown; call it every few seconds."""
        self.fleet.sweep()
        self.jobs.sweep()
        monitoring.sweep(self._ledger)
        self.alerts.sweep()

    def status(self) -> Status:
        """Return the farm at a glance."""
        phones = self.fleet.phones()
        alerts = self.alerts.counts().values()
        with self._ledger.look() as tx:
            now_ms, until_ms = max(self.clock.now_ms(), tx.clock_ms()), tx.frozen_until_ms()
            return Status(
                at_ms=self.clock.now_ms(),
                store=self._ledger.store.kind,
                phones=dict(Counter(phone.state for phone in phones)),
                sightings=len(tx.sightings()),
                jobs_running=tx.count_jobs_running(),
                tasks=tx.count_tasks(),
                violations_new=tx.count_violations(ViolationState.NEW),
                messages=tx.count_messages(),
                gaps=tx.count_gaps(),
                refused_no_notice=tx.count_refused_events(),
                clock_cause=self._ledger.clock_cause(tx),
                restored_until_ms=until_ms if until_ms > now_ms else None,
                alert_targets=len(self.alerts.targets),
                alerts_waiting=sum(counts.waiting + counts.beyond for counts in alerts),
                alerts_failing=sum(counts.failing for counts in alerts),
                alerts_failed=sum(counts.failed for counts in alerts),
            )
