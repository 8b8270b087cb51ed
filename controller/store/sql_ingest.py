"""Events and messages by the thousand, as statements."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.model import PhoneId
from controller.store.base_ingest import ChatSaid, NewEvent, NewMessage, NewViolation
from controller.store.sql_rows import Statements

# What a batch asks about its account, after its phone; locks first.
_OF_ACCOUNT = ("lock_account", "account", "capture_rules", "excluded_chats", "once_excluded")


class IngestSql(Statements):
    """See controller.store.base_ingest.IngestRows."""

    def expect_batches(self, phone_ids: Sequence[PhoneId]) -> None:
        """Lock phones and their accounts, and learn their rules, at once where one by one takes longer."""
        phones = self._ask_ahead("lock_phone", "phone_id", sorted(set(phone_ids)))
        accounts = sorted({phone["account_id"] for phone in phones if phone["account_id"]})
        for name in _OF_ACCOUNT:
            self._ask_ahead(name, "account_id", accounts)
        self._ask_ahead(
            "notices_of", "holder", sorted({phone["holder"] for phone in phones if phone["holder"]})
        )

    def conversations_for(self, chats: Sequence[ChatSaid]) -> list[int]:
        """Return the ids of chats, each another one, made if new; locks. They are called as given then."""
        rows = self._all("conversations_for", rows=json.dumps(list(chats)))
        ids = {(row["account_id"], row["key"]): int(row["id"]) for row in rows}
        return [ids[chat.account_id, chat.key] for chat in chats]

    def bases_in(self, conversation_ids: Sequence[int], spool_id: str) -> dict[int, list[tuple[int, int]]]:
        """Return from which of its positions on a spool begins where in chats; without those it is not in."""
        found: dict[int, list[tuple[int, int]]] = {}
        for row in self._all("bases_in", ids=json.dumps(list(conversation_ids)), spool_id=spool_id):
            found.setdefault(int(row["conversation_id"]), []).append((row["from_position"], row["base"]))
        return found

    def place_bases(self, conversation_ids: Sequence[int], spool_id: str) -> dict[int, tuple[int, bool]]:
        """Place a new spool behind the messages of chats; returns where, and whether others are before it."""
        rows = self._all("add_place_bases", ids=json.dumps(list(conversation_ids)), spool_id=spool_id)
        return {int(row["conversation_id"]): (int(row["base"]), int(row["others"]) > 0) for row in rows}

    def put_high_waters(self, reached: Mapping[tuple[PhoneId, str], int]) -> None:
        """Keep the highest contiguous seq archived of spools, by phone and spool."""
        self._put("put_high_waters", [(seq, *spool) for spool, seq in sorted(reached.items())])

    def put_events(self, events: Iterable[NewEvent]) -> None:
        """Archive events whose places the caller knows to be free, because it holds their spools."""
        self._put("put_events", events)

    def put_messages(self, messages: Sequence[NewMessage]) -> list[int]:
        """Archive messages that no event brought before, count and index them; returns their ids, rising."""
        if not messages:
            return []
        listed = self._the("new_message_ids", how_many=len(messages))["ids"]
        # One row: many would be made into as many mappings.
        ids = [int(id_) for id_ in str(listed).split(",")]
        rows = [(id_, *new) for id_, new in zip(ids, messages, strict=True)]
        self._put("put_messages", [row[:-1] for row in rows])  # all but the grams
        if told := [(row[0], row[-1]) for row in rows if row[-1]]:
            self._put_grams(told)
        at_ms = messages[-1].archived_at_ms
        # In one order everywhere, so that two controllers cannot wait for each other.
        counts = sorted(Counter(new.conversation_id for new in messages).items())
        self._put("count_new_messages", [(how_many, at_ms, id_) for id_, how_many in counts])
        return ids

    def _put_grams(self, rows: Sequence[tuple[int, str]]) -> None:
        self._put("put_grams", rows)


def violation_row(new: NewViolation, repeats: int) -> tuple[Any, ...]:
    """Return a violation as put_violations takes it."""
    return (
        new.kind,
        new.rule_id,
        new.entry_id,
        new.word,
        new.category,
        new.severity,
        new.how,
        new.detail,
        new.book_version,
        new.message_id,
        new.conversation_id,
        new.phone_id,
        new.account_id,
        new.holder,
        new.side,
        new.start,
        new.end,
        new.origin,
        new.dedupe_key,
        int(new.notify),
        "new",
        new.at_ms,
        new.found_at_ms,
        new.found_at_ms,
        repeats,
    )
