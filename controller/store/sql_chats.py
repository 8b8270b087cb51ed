"""What is known of chats beside their messages, and search, as statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from controller import grams as tokens
from controller.model import AccountId, PhoneId
from controller.records import ChatRemoval, CoverageSpan, Message, MessageChange
from controller.store.base_ingest import LONGEST_SPAN_MS
from controller.store.sql_messages import MessageReading

# Newest first means to look among the newest ids first: what is common is found there, what is rare is rare
# in all of them. Each further look goes so many times as far back.
_FIRST_REACH = 32_768
_FURTHER = 8
# How rare a gram is, is told by how far back its so many newest messages reach.
_PROBED = 100
_RARE_ONE_IN = 500
_FEW_GRAMS = 2
_TOLD = ("phone_id", "account_id", "from_ms", "to_ms", "state", "cause")


class ChatSql(MessageReading):
    """See controller.store.base_ingest.ChatRows."""

    def index_message(self, message_id: int, grams: str) -> None:
        """Let a message be found by further grams, as those of a transcript; see controller.grams."""
        if grams:
            self._do("add_grams", message_id=message_id, grams=grams)

    def search(
        self,
        grams: Sequence[str],
        *,
        phone_id: PhoneId | None = None,
        account_id: AccountId | None = None,
        conversation_id: int | None = None,
        before_id: int | None = None,
        limit: int,
    ) -> list[int]:
        """Return ids of messages below `before_id` that have all grams, newest first."""
        if not grams:
            return []
        places = []
        if phone_id is not None:
            places.append(tokens.of_phone(phone_id))
        if account_id is not None:
            places.append(tokens.of_account(account_id))
        if conversation_id is not None:
            places.append(tokens.of_conversation(conversation_id))
        high = self._after_last() if before_id is None else min(before_id, self._after_last())
        return self._newest(list(grams), places, high=high, limit=limit)

    def _newest(self, grams: list[str], places: list[str], *, high: int, limit: int) -> list[int]:
        """Return ids below `high`, as SQLite finds them; for PostgreSQL see controller.store.sql_slices."""
        wanted = self._telling(grams) + places
        reach, found = _FIRST_REACH, list[int]()
        while high > 1 and len(found) < limit:
            low = max(high - reach, 1)
            rows = self._all(
                "search",
                match=" ".join(_of_fts5(token) for token in wanted),
                low=low,
                high=high,
                max_rows=limit - len(found),
            )
            found += [int(row["id"]) for row in rows]
            high, reach = low, reach * _FURTHER
        return found

    def _after_last(self) -> int:
        return self._count("last_message_id") + 1

    def _telling(self, grams: list[str]) -> list[str]:
        """Return the grams worth asking for: of many the rarest alone, if that one is rare enough.

        SQLite walks along the lists of all that are asked for.
        """
        if len(grams) < _FEW_GRAMS:
            return grams
        after_last, reaches = self._after_last(), list[int]()
        for gram in grams:
            row = self._one("back_to", match=_of_fts5(gram), how_many=_PROBED)
            reaches.append(after_last - int(row["id"]) if row else after_last)
        longest = max(reaches)
        is_rare = longest > _PROBED * _RARE_ONE_IN and min(reaches) < longest
        return [grams[reaches.index(longest)]] if is_rare else grams

    def messages_by_id(self, message_ids: Sequence[int]) -> list[Message]:
        """Return those of these messages that are there, in the order asked for."""
        rows = self._all("messages_by_id", ids=json.dumps(list(message_ids)))
        found = {message.id: message for message in self._messages(rows)}
        return [found[id_] for id_ in message_ids if id_ in found]

    def add_change(self, change: MessageChange, *, spool_id: str, seq: int) -> int | None:
        """Keep what a message showed later (its id is ignored); returns the message's id if it is there."""
        self._do(
            "add_change",
            conversation_id=change.conversation_id,
            spool_id=spool_id,
            seq=seq,
            position=change.position,
            what=change.what,
            line=change.line,
            state=change.state,
            text=change.text,
            amount_fen=change.amount_fen,
            at_ms=change.at_ms,
            archived_at_ms=change.archived_at_ms,
        )
        found = self._the(
            "message_at",
            conversation_id=change.conversation_id,
            position=change.position,
            spool_id=spool_id,
        )["found"]
        return None if found is None else int(found)

    def add_removal(self, removal: ChatRemoval) -> None:
        """Keep that a chat, or what stood in it, was gone from its phone (its id is ignored)."""
        self._do(
            "add_removal",
            conversation_id=removal.conversation_id,
            phone_id=removal.phone_id,
            account_id=removal.account_id,
            what=removal.what,
            last_position=removal.last_position,
            from_ms=removal.from_ms,
            to_ms=removal.to_ms,
            archived_at_ms=removal.archived_at_ms,
        )

    def removals(self, conversation_id: int) -> list[ChatRemoval]:
        """Return when a chat was found gone or cleared, in order."""
        rows = self._all("removals", conversation_id=conversation_id)
        return [ChatRemoval(**dict(row)) for row in rows]

    def add_coverage(self, span: CoverageSpan) -> None:
        """Keep how a phone was watched (its id is ignored), as far as no span covers that time yet."""
        for from_ms, to_ms in _hours(span.from_ms, span.to_ms):
            taken = self._all(
                "spans_over",
                phone_id=span.phone_id,
                from_ms=from_ms,
                to_ms=to_ms,
                longest_ms=LONGEST_SPAN_MS,
            )
            for free_from, free_to in _free(
                from_ms, to_ms, [(row["from_ms"], row["to_ms"]) for row in taken]
            ):
                self._keep_span(replace(span, from_ms=free_from, to_ms=free_to))

    def _keep_span(self, span: CoverageSpan) -> None:
        """Keep a span within an hour that covers what no other does; if it goes on, as more of the former."""
        told = {name: getattr(span, name) for name in _TOLD}
        hour_ms = span.from_ms // LONGEST_SPAN_MS * LONGEST_SPAN_MS
        if not self._do("extend_span", hour_ms=hour_ms, **told):
            self._do("add_span", **told)


def _of_fts5(token: str) -> str:
    # Tokens hold no quotes: only letters, digits, signs, and the mark of those that are no text.
    return f'"{token.removesuffix(tokens.PREFIX)}"' + (" *" if token.endswith(tokens.PREFIX) else "")


def _hours(from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """Return a span in pieces that do not go beyond a full UTC hour."""
    starts = [from_ms, *range((from_ms // LONGEST_SPAN_MS + 1) * LONGEST_SPAN_MS, to_ms, LONGEST_SPAN_MS)]
    return list(zip(starts, [*starts[1:], to_ms], strict=True))


def _free(from_ms: int, to_ms: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what of a span lies beside others; those in order."""
    free = []
    for taken_from, taken_to in taken:
        if from_ms < taken_from:
            free.append((from_ms, taken_from))
        from_ms = max(from_ms, taken_to)
    if from_ms < to_ms:
        free.append((from_ms, to_ms))
    return free
