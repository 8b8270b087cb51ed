"""How well accounts and chats were watched, out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from controller.clock import DAY_MS, HOUR_MS
from controller.coverage import Hole, Hour, by_hours, summed
from controller.ledger import Ledger
from controller.model import AccountId
from controller.records import Gap
from controller.store.base import Tx
from protos.facts import CoverageState

MAX_HOURS = 31 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How a chat was watched: until when its account's chats were, and how much of it is missing.

    `seen_until_ms`: sweeps ran until then, None: never. `passive_until_ms`: until then only the chat in front
    was read. `hour`: the last 24 hours of the account. `is_private`: nothing of it is read any more.
    """

    seen_until_ms: int | None
    passive_until_ms: int | None
    gaps: int
    day: Hour
    is_private: bool


def hours_of(tx: Tx, account_id: AccountId, from_ms: int, to_ms: int) -> list[Hour]:
    """Return the hours of a period of an account out of the store."""
    spans = tx.coverage_spans(account_id, from_ms=from_ms, to_ms=to_ms)
    holes = [_hole(gap) for gap in tx.gaps_of_account(account_id, from_ms=from_ms, to_ms=to_ms)]
    holes += tx.event_holes(account_id, from_ms=from_ms, to_ms=to_ms)
    return by_hours(account_id, spans, holes, from_ms, to_ms)


def _hole(gap: Gap) -> Hole:
    return Hole(cause=gap.cause, from_ms=gap.from_ms, to_ms=gap.to_ms)


class Coverage:
    """How well accounts and chats were watched."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def hours(self, account_ids: Sequence[AccountId], *, from_ms: int, to_ms: int) -> list[Hour]:
        """Return the hours of accounts, not those to come; at most MAX_HOURS, the last ones, of each."""
        until_ms = min(to_ms, self._ledger.clock.now_ms())
        since_ms = max(from_ms, until_ms - MAX_HOURS * HOUR_MS)
        with self._ledger.look() as tx:
            return [
                hour for account_id in account_ids for hour in hours_of(tx, account_id, since_ms, until_ms)
            ]

    def of_chats(self, chats: Sequence[tuple[int, AccountId, str]]) -> list[Watched]:
        """Return how chats, given by id, account and key, were watched."""
        now_ms = self._ledger.clock.now_ms()
        with self._ledger.look() as tx:
            accounts = {account_id: _Account(tx, account_id, now_ms) for _, account_id, _ in chats}
            return [accounts[account_id].watched(tx, chat_id, key) for chat_id, account_id, key in chats]


class _Account:
    def __init__(self, tx: Tx, account_id: AccountId, now_ms: int) -> None:
        self._seen_until_ms = tx.watched_until(account_id, CoverageState.SEEN)
        self._passive_until_ms = tx.watched_until(account_id, CoverageState.PASSIVE)
        self._day = summed(hours_of(tx, account_id, now_ms - DAY_MS, now_ms))
        self._private = {chat.key for chat in tx.excluded_chats(account_id)}

    def watched(self, tx: Tx, conversation_id: int, key: str) -> Watched:
        return Watched(
            seen_until_ms=self._seen_until_ms,
            passive_until_ms=self._passive_until_ms,
            gaps=tx.count_gaps_of(conversation_id),
            day=self._day,
            is_private=key in self._private,
        )
