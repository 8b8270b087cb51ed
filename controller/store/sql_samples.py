"""Stretches of chats for a person to read, as statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from controller.model import AccountId
from controller.records import Conversation, Message
from controller.store.base_supervision import Sample, SamplesWanted
from controller.store.sql_messages import MessageReading

_AFTER_LAST_ID = 2**63 - 1


class SampleSql(MessageReading):
    """See controller.store.base_supervision.SampleRows."""

    def sample_accounts(self, holders: Sequence[str]) -> list[AccountId]:
        """Return the accounts that ever had a phone, or one of these holders, by name."""
        rows = self._all("sample_accounts", holders=json.dumps(list(holders), ensure_ascii=False))
        return [AccountId(row["account_id"]) for row in rows]

    def quiet_chats(self, account_id: AccountId, since_ms: int) -> list[Conversation]:
        """Return the chats of an account with messages and without a violation since a moment."""
        rows = self._all("quiet_chats", account_id=account_id, since_ms=since_ms)
        return [Conversation(**dict(row)) for row in rows]

    def count_messages_since(self, conversation_id: int, since_ms: int) -> int:
        """Return how many messages of a chat were read since a moment."""
        return self._count("count_messages_since", conversation_id=conversation_id, since_ms=since_ms)

    def stretch(self, conversation_id: int, *, since_ms: int, skipped: int, limit: int) -> list[Message]:
        """Return messages of a chat read since a moment, in order, after so many of them."""
        rows = self._all(
            "stretch", conversation_id=conversation_id, since_ms=since_ms, skipped=skipped, max_rows=limit
        )
        return self._messages(rows)

    def messages_between(self, conversation_id: int, low: int, high: int) -> list[Message]:
        """Return the messages of a chat at positions from one to another, both included, in order."""
        return self._messages(
            self._all("messages_around", conversation_id=conversation_id, low=low, high=high)
        )

    def add_sample(self, sample: Sample) -> Sample:
        """Keep a sample (its id is ignored) and return it with its id."""
        row = self._the(
            "add_sample",
            draw_id=sample.draw_id,
            conversation_id=sample.conversation_id,
            from_message_id=sample.from_message_id,
            to_message_id=sample.to_message_id,
            holder=sample.holder,
            drawn_by=sample.drawn_by,
            drawn_at_ms=sample.drawn_at_ms,
        )
        return replace(sample, id=int(row["id"]))

    def samples(self, wanted: SamplesWanted, *, limit: int) -> list[Sample]:
        """Return samples, newest first."""
        which = {None: "", True: "open", False: "judged"}[wanted.is_open]
        before_id = _AFTER_LAST_ID if wanted.before_id is None else wanted.before_id
        rows = self._all("samples", draw_id=wanted.draw_id, which=which, before_id=before_id, max_rows=limit)
        return [Sample(**dict(row)) for row in rows]

    def lock_sample(self, sample_id: int) -> Sample | None:
        """Return a sample; locks."""
        row = self._one("lock_sample", sample_id=sample_id)
        return Sample(**dict(row)) if row else None

    def save_sample(self, sample: Sample) -> None:
        """Keep what a person said about a sample."""
        self._do(
            "save_sample",
            sample_id=sample.id,
            verdict=sample.verdict,
            note=sample.note,
            reviewed_by=sample.reviewed_by,
            reviewed_at_ms=sample.reviewed_at_ms,
        )
