"""What rules need and find, as statements."""

from __future__ import annotations

import json
from collections.abc import Sequence

from controller.model import AccountId, PhoneId
from controller.store.base_ingest import NewViolation
from controller.store.base_rules import Alike, Stood, Waiting
from controller.store.sql_ingest import violation_row
from controller.store.sql_rows import Row, Statements


class RuleSql(Statements):
    """See controller.store.base_rules.RuleRows."""

    def put_violations(self, rows: Sequence[tuple[NewViolation, int]], *, are_new: bool = False) -> None:
        """Keep violations, each with how often it was found again; one whose key is there already is not.

        With `are_new` the caller knows that no key is.
        """
        self._put(
            "put_new_violations" if are_new else "put_violations",
            [violation_row(new, repeats) for new, repeats in rows],
        )

    def known_keys(self, keys: Sequence[str]) -> set[str]:
        """Return those of these dedupe keys of which there is a violation."""
        return {str(row["dedupe_key"]) for row in self._all("known_keys", keys=json.dumps(list(keys)))}

    def alike(self, conversation_ids: Sequence[int], *, since_ms: int) -> list[Alike]:
        """Return the violations of words read in chats since then that wait for a decision, in order."""
        rows = self._all("alike", ids=json.dumps(list(conversation_ids)), since_ms=since_ms)
        return [
            Alike(
                row["id"],
                row["rule_id"],
                row["entry_id"],
                row["conversation_id"],
                row["start_index"],
                row["text"],
                row["message_id"],
                row["said_ms"],
            )
            for row in rows
        ]

    def add_repeats(self, violation_id: int, how_many: int) -> bool:
        """Count further findings with a violation; False if somebody decided on it meanwhile."""
        return self._do("add_repeats", violation_id=violation_id, how_many=how_many) == 1

    def lines_before(self, places: Sequence[tuple[int, int, int]]) -> list[Stood]:
        """Return what stands up to so many positions before places: (chat, position, so many), in order."""
        wanted = json.dumps([[chat, max(before - reach, 0), before] for chat, before, reach in places])
        return [_stood(row) for row in self._all("lines_before", wanted=wanted)]

    def first_read_ms(self, conversation_id: int) -> int:
        """Return when the first message of a chat was read; 0 if there is none."""
        row = self._one("first_read", conversation_id=conversation_id)
        return int(row["read_at_ms"]) if row else 0

    def lock_marks(self, rule_id: str, subject: str) -> None:
        """Let no other transaction count for a rule and a subject; locks."""
        self._all("lock_marks", counted=f"{rule_id}:{subject}")

    def add_mark(self, rule_id: str, subject: str, at_ms: int, message_id: int) -> None:
        """Keep that a rule counted something."""
        self._do("add_mark", rule_id=rule_id, subject=subject, at_ms=at_ms, message_id=message_id)

    def count_marks(self, rule_id: str, subject: str, *, after_ms: int, until_ms: int) -> int:
        """Return how many marks lie within a time, its end included."""
        return self._count(
            "count_marks", rule_id=rule_id, subject=subject, after_ms=after_ms, until_ms=until_ms
        )

    def clear_marks(self, rule_id: str, subject: str, *, until_ms: int) -> None:
        """Drop the marks up to a moment."""
        self._do("clear_marks", rule_id=rule_id, subject=subject, until_ms=until_ms)

    def waiting_in(self, conversation_ids: Sequence[int]) -> list[Waiting]:
        """Return the messages of these chats that nobody has answered yet; at most one a chat."""
        return [
            _waiting(row) for row in self._all("waiting_in", ids=json.dumps(sorted(set(conversation_ids))))
        ]

    def put_waiting(self, waiting: Sequence[Waiting]) -> None:
        """Keep messages that wait, or how they stand now."""
        self._put("put_waiting", waiting)

    def drop_waiting(self, message_ids: Sequence[int]) -> None:
        """Forget messages that wait no longer."""
        self._put("drop_waiting", [(message_id,) for message_id in message_ids])

    def waiting_to_judge(self, now_ms: int, *, limit: int) -> list[Waiting]:
        """Return the messages to look at now, the longest due first; locks, those of others are left out."""
        return [_waiting(row) for row in self._all("waiting_to_judge", now_ms=now_ms, max_rows=limit)]

    def covered_until(self, account_id: AccountId) -> int:
        """Return until when it is known how an account was watched; 0: nothing is."""
        row = self._one("covered_until", account_id=account_id)
        return int(row["to_ms"]) if row else 0


def _stood(row: Row) -> Stood:
    return Stood(
        row["id"],
        row["conversation_id"],
        row["position"],
        row["side"],
        row["kind"],
        row["text"],
        row["detail"],
        row["sender"],
        row["read_at_ms"],
        row["shown_from_ms"],
        row["shown_to_ms"],
    )


def _waiting(row: Row) -> Waiting:
    return Waiting(
        row["message_id"],
        row["conversation_id"],
        PhoneId(row["phone_id"]),
        AccountId(row["account_id"]),
        row["holder"],
        row["since_ms"],
        row["answered_ms"],
        row["judge_ms"],
    )
