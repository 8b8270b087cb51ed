"""How chats may be read, and what is read out of captured ones, as statements."""

from __future__ import annotations

import json
from collections.abc import Sequence

from controller.capturerules import (
    CaptureMode,
    CaptureRules,
    ExcludedChat,
    MediaPolicy,
    OnceExcluded,
    VersionInForce,
)
from controller.coverage import Hole
from controller.model import AccountId, Notice, PhoneId, Tenure
from controller.records import Conversation, CoverageSpan, Gap
from controller.sessions import Window
from controller.store.base_ingest import LONGEST_SPAN_MS
from controller.store.sql_rows import Row, Statements, tenure_of
from controller.tenures import was_bound

_AFTER_LAST_ID = 2**63 - 1


class CaptureSql(Statements):
    """See controller.store.base_capture.CaptureRows."""

    def notices_of(self, holder: str) -> list[Notice]:
        """Return all records of a holder, oldest first."""
        return [Notice(**dict(row)) for row in self._all("notices_of", holder=holder)]

    def withdraw_notices(self, holder: str, at_ms: int) -> int:
        """Let the records of a holder hold no longer; return how many did until now."""
        return self._do("withdraw_notices", holder=holder, at_ms=at_ms)

    def notice_versions(self) -> list[VersionInForce]:
        """Return which version of the notice was in force from when on, oldest first."""
        return [VersionInForce(row["version"], row["since_ms"]) for row in self._all("notice_versions")]

    def put_version_in_force(self, version: str, since_ms: int) -> None:
        """Keep that a version is in force from now on; the one already in force stays."""
        self._do("put_version_in_force", version=version, since_ms=since_ms)

    def capture_rules(self, account_id: AccountId) -> CaptureRules | None:
        """Return what was decided for an account; None if nobody ever decided."""
        decided = self.all_capture_rules(account_id)
        return decided[-1] if decided else None

    def all_capture_rules(self, account_id: AccountId) -> list[CaptureRules]:
        """Return what was ever decided for an account, oldest first."""
        return [_rules(row) for row in self._all("capture_rules", account_id=account_id)]

    def set_capture_rules(self, rules: CaptureRules) -> None:
        """Keep what is decided for an account."""
        self._do(
            "set_capture_rules",
            account_id=rules.account_id,
            mode=rules.mode,
            capture_windows=_pairs(rules.capture_windows),
            sweep_windows=_pairs(rules.sweep_windows),
            media=rules.media,
            first_days=rules.first_days,
            first_pages=rules.first_pages,
            set_by=rules.set_by,
            set_at_ms=rules.set_at_ms,
        )

    def exclude_chat(self, chat: ExcludedChat) -> None:
        """Keep that a chat is private; one that is already stays as first decided."""
        self._do(
            "exclude_chat",
            account_id=chat.account_id,
            key=chat.key,
            title=chat.title,
            reason=chat.reason,
            excluded_by=chat.excluded_by,
            at_ms=chat.at_ms,
        )

    def include_chat(self, account_id: AccountId, key: str, at_ms: int) -> bool:
        """Keep that a chat is not private any more from now on; False if it was not."""
        return self._do("include_chat", account_id=account_id, key=key, at_ms=at_ms) == 1

    def once_excluded(self, account_id: AccountId) -> list[OnceExcluded]:
        """Return which chats were private for a time that is over."""
        rows = self._all("once_excluded", account_id=account_id)
        return [OnceExcluded(row["key"], row["at_ms"], row["ended_at_ms"]) for row in rows]

    def excluded_chats(self, account_id: AccountId) -> list[ExcludedChat]:
        """Return the private chats of an account by title."""
        rows = self._all("excluded_chats", account_id=account_id)
        return [ExcludedChat(**{**dict(row), "account_id": AccountId(row["account_id"])}) for row in rows]

    def coverage_spans(self, account_id: AccountId, *, from_ms: int, to_ms: int) -> list[CoverageSpan]:
        """Return the spans of an account that lie in a period, wholly or in part, in order."""
        rows = self._all(
            "coverage_of_account",
            account_id=account_id,
            since_ms=from_ms - LONGEST_SPAN_MS,
            from_ms=from_ms,
            to_ms=to_ms,
        )
        return [
            CoverageSpan(
                **{
                    **dict(row),
                    "phone_id": PhoneId(row["phone_id"]),
                    "account_id": AccountId(row["account_id"]),
                }
            )
            for row in rows
        ]

    def watched_until(self, account_id: AccountId, state: str) -> int | None:
        """Return the end of the last span of a state of an account; None: there is none."""
        row = self._one("watched_until", account_id=account_id, state=state)
        return int(row["to_ms"]) if row else None

    def gaps_of_account(self, account_id: AccountId, *, from_ms: int, to_ms: int) -> list[Gap]:
        """Return the gaps in chats of an account that lie in a period, wholly or in part."""
        rows = self._all("gaps_of_account", account_id=account_id, from_ms=from_ms, to_ms=to_ms)
        return [Gap(**dict(row)) for row in rows]

    def event_holes(self, account_id: AccountId, *, from_ms: int, to_ms: int) -> list[Hole]:
        """Return which events of a phone were lost that may be of a period, while it had the account."""
        rows = self._all("event_holes", account_id=account_id, from_ms=from_ms, to_ms=to_ms)
        tenures = {row["phone_id"]: tuple[Tenure, ...]() for row in rows}
        for phone_id in tenures:
            tenures[phone_id] = tuple(tenure_of(row) for row in self._all("tenures", phone_id=phone_id))
        return [
            Hole(cause=row["cause"], from_ms=row["since_ms"], to_ms=row["until_ms"])
            for row in rows
            if was_bound(
                tenures[row["phone_id"]], account_id, row["since_ms"] or row["until_ms"], row["until_ms"]
            )
        ]

    def count_gaps_of(self, conversation_id: int) -> int:
        """Return how many gaps a chat has."""
        return self._count("count_gaps_of", conversation_id=conversation_id)

    def money_messages(self, *, account_id: AccountId | None, before_id: int | None, limit: int) -> list[int]:
        """Return ids of red packets and transfers below an id, newest first."""
        before = _AFTER_LAST_ID if before_id is None else before_id
        rows = self._all("money_messages", account_id=account_id or "", before_id=before, max_rows=limit)
        return [int(row["id"]) for row in rows]

    def conversations_from(
        self, from_id: int, *, account_id: AccountId | None, limit: int
    ) -> list[Conversation]:
        """Return chats by id, from one on."""
        rows = self._all("conversations_from", from_id=from_id, account_id=account_id or "", max_rows=limit)
        return [Conversation(**dict(row)) for row in rows]

    def message_ids_after(
        self, conversation_id: int, *, position: int, message_id: int, limit: int
    ) -> list[int]:
        """Return ids of a chat's messages in order of position, then id, after one message."""
        rows = self._all(
            "message_ids_after",
            conversation_id=conversation_id,
            position=position,
            message_id=message_id,
            max_rows=limit,
        )
        return [int(row["id"]) for row in rows]


def _rules(row: Row) -> CaptureRules:
    return CaptureRules(
        account_id=AccountId(row["account_id"]),
        mode=CaptureMode(row["mode"]),
        capture_windows=_windows(row["capture_windows"]),
        sweep_windows=_windows(row["sweep_windows"]),
        media=MediaPolicy(row["media"]),
        first_days=row["first_days"],
        first_pages=row["first_pages"],
        set_by=row["set_by"],
        set_at_ms=row["set_at_ms"],
    )


def _windows(text: str) -> tuple[Window, ...]:
    return tuple(Window(start_min=start, end_min=end) for start, end in json.loads(text))


def _pairs(windows: Sequence[Window]) -> str:
    return json.dumps([[window.start_min, window.end_min] for window in windows])
