"""The part of the store's contract about how chats may be read, and what is read out of captured ones."""

from __future__ import annotations

from typing import Protocol

from controller.capturerules import CaptureRules, ExcludedChat, OnceExcluded, VersionInForce
from controller.coverage import Hole
from controller.model import AccountId, Notice
from controller.records import Conversation, CoverageSpan, Gap


class CaptureRows(Protocol):
    """Notices in full, rules of capture, private chats."""

    def notices_of(self, holder: str) -> list[Notice]:
        """Return all records of a holder, oldest first."""

    def withdraw_notices(self, holder: str, at_ms: int) -> int:
        """Let the records of a holder hold no longer; return how many did until now."""

    def notice_versions(self) -> list[VersionInForce]:
        """Return which version of the notice was in force from when on, oldest first."""

    def put_version_in_force(self, version: str, since_ms: int) -> None:
        """Keep that a version is in force from now on; the one already in force stays."""

    def capture_rules(self, account_id: AccountId) -> CaptureRules | None:
        """Return what was decided for an account; None if nobody ever decided."""

    def all_capture_rules(self, account_id: AccountId) -> list[CaptureRules]:
        """Return what was ever decided for an account, oldest first."""

    def set_capture_rules(self, rules: CaptureRules) -> None:
        """Keep what is decided for an account."""

    def exclude_chat(self, chat: ExcludedChat) -> None:
        """Keep that a chat is private; one that is already stays as first decided."""

    def include_chat(self, account_id: AccountId, key: str, at_ms: int) -> bool:
        """Keep that a chat is not private any more from now on; False if it was not."""

    def once_excluded(self, account_id: AccountId) -> list[OnceExcluded]:
        """Return which chats were private for a time that is over."""

    def excluded_chats(self, account_id: AccountId) -> list[ExcludedChat]:
        """Return the private chats of an account by title."""

    def coverage_spans(self, account_id: AccountId, *, from_ms: int, to_ms: int) -> list[CoverageSpan]:
        """Return the spans of an account that lie in a period, wholly or in part, in order."""

    def watched_until(self, account_id: AccountId, state: str) -> int | None:
        """Return the end of the last span of a state of an account; None: there is none."""

    def gaps_of_account(self, account_id: AccountId, *, from_ms: int, to_ms: int) -> list[Gap]:
        """Return the gaps in chats of an account that lie in a period, wholly or in part."""

    def event_holes(self, account_id: AccountId, *, from_ms: int, to_ms: int) -> list[Hole]:
        """Return which events of a phone were lost that may be of a period, while it had the account."""

    def count_gaps_of(self, conversation_id: int) -> int:
        """Return how many gaps a chat has."""

    def money_messages(self, *, account_id: AccountId | None, before_id: int | None, limit: int) -> list[int]:
        """Return ids of red packets and transfers below an id, newest first."""

    def conversations_from(
        self, from_id: int, *, account_id: AccountId | None, limit: int
    ) -> list[Conversation]:
        """Return chats by id, from one on."""

    def message_ids_after(
        self, conversation_id: int, *, position: int, message_id: int, limit: int
    ) -> list[int]:
        """Return ids of a chat's messages in order of position, then id, after one message."""
