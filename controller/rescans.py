"""The history searched again by the book in force: what it finds becomes violations, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from controller.audit import enter
from controller.errors import BadRequest
from controller.findings import Finding, Tally, rated, violation_of
from controller.keeping import keep, keep_once
from controller.ledger import Ledger, Work
from controller.pastlines import Bounds, History, Stretch, bounds, examine
from controller.shelves import Shelf
from controller.store.base_books import Scan, ScanState

ORIGIN = "rescan"
_MAX_SCANS = 100


@dataclass(slots=True)
class Running:
    """A search on its way: which book, how far, and what rates have counted."""

    scan: Scan
    shelf: Shelf
    history: History
    marks: Tally = field(default_factory=Tally)

    def found_in(self, stretch: Stretch) -> list[Finding]:
        """Return what stands of a stretch. Pure but for the counts of rates; for any one thread."""
        return rated(examine(self.shelf, stretch), self.marks)


class Rescans:
    """Searches of the history; one at a time, so that they take the core's time in turns."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def begin(self, since_ms: int, *, reason: str, actor: str) -> Scan:
        """Ask for a search of what came since a moment; BadRequest without a reason, or while one runs."""
        if not reason.strip():
            raise BadRequest("say why the history is searched again (reason)")
        with self._ledger.work() as work:
            tx = work.tx
            shelf = work.shelf()
            running = tx.scans(state=ScanState.RUNNING, limit=1)
            if running:
                raise BadRequest(f"search {running[0].id} is on its way: farm words rescan --status")
            found = bounds(tx, since_ms)
            scan = tx.add_scan(
                Scan(
                    id=0,
                    book_version=shelf.version,
                    since_ms=since_ms,
                    after_message_id=found.after_id,
                    last_message_id=found.last_id,
                    looked_at=0,
                    found=0,
                    state=ScanState.RUNNING,
                    asked_by=actor,
                    at_ms=work.now_ms,
                    ended_at_ms=None,
                )
            )
            told = f"search {scan.id}, book {shelf.version}, {found.messages} messages"
            enter(work, actor=actor, what="words.rescan", object_=told, reason=reason)
            return scan

    def list(self, *, limit: int = 20) -> list[Scan]:
        """Return searches, newest first."""
        with self._ledger.look() as tx:
            return tx.scans(state=None, limit=max(1, min(limit, _MAX_SCANS)))

    def stop(self, scan_id: int, *, actor: str) -> Scan:
        """Stop a search where it stands; BadRequest if it does not run. What it found stays."""
        with self._ledger.work() as work:
            scan = work.tx.lock_scan(scan_id)
            if scan is None or scan.state is not ScanState.RUNNING:
                raise BadRequest(f"search {scan_id} does not run")
            stopped = replace(scan, state=ScanState.STOPPED, ended_at_ms=work.now_ms)
            work.tx.save_scan(stopped)
            enter(work, actor=actor, what="words.rescan.stop", object_=f"search {scan_id}")
            return stopped

    # ---- for whoever runs them

    def next(self) -> Scan | None:
        """Return the search that waits longest to go on; None: there is none."""
        with self._ledger.look() as tx:
            waiting = tx.scans(state=ScanState.RUNNING, limit=_MAX_SCANS)
        return waiting[-1] if waiting else None

    def resumed(self, scan: Scan, shelf: Shelf) -> Running:
        """Return a search where it stands, with the book that it began with."""
        reach = Bounds(after_id=scan.after_message_id, last_id=scan.last_message_id, messages=0)
        farm_zone = self._ledger.settings.time_zone
        history = History(bounds=reach, books=[shelf.book], farm_zone=farm_zone)
        return Running(scan=scan, shelf=shelf, history=history)

    def read(self, running: Running) -> Stretch:
        """Return the next stretch of a search."""
        with self._ledger.look() as tx:
            return running.history.read(tx)

    def keep(self, running: Running, stretch: Stretch, findings: Sequence[Finding]) -> bool:
        """Keep what a stretch brought and how far the search came, at once; False if it goes on no more.

        Another controller may be at the same search: whoever comes second keeps nothing, and stops.
        """
        with self._ledger.work() as work:
            scan = work.tx.lock_scan(running.scan.id)
            if scan != running.scan:
                return False
            added = self._keep(work, running, findings)
            running.scan = replace(
                scan,
                after_message_id=stretch.reached_id,
                looked_at=scan.looked_at + stretch.looked_at,
                found=scan.found + added,
                state=ScanState.DONE if stretch.is_last else ScanState.RUNNING,
                ended_at_ms=work.now_ms if stretch.is_last else None,
            )
            work.tx.save_scan(running.scan)
        return not stretch.is_last

    def _keep(self, work: Work, running: Running, findings: Sequence[Finding]) -> int:
        """Make violations of findings; returns how many were not there before."""
        version = running.shelf.version
        # What rates counted for the history is apart from what they count for today.
        counted = [one for one in findings if one.rule.rate is not None and one.rule.keeps]
        rows = [violation_of(one, version, origin=ORIGIN, found_at_ms=work.now_ms) for one in counted]
        added = keep_once(work.tx, rows)
        plain = [one for one in findings if one.rule.rate is None]
        return added + keep(work.tx, plain, version, found_at_ms=work.now_ms, origin=ORIGIN)
