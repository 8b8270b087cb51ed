"""Messages out of their rows, with what they showed later."""

from __future__ import annotations

import json
from collections.abc import Sequence

from controller.records import Message, MessageChange
from controller.store.sql_rows import Row, Statements


class MessageReading(Statements):
    """Reads messages for all parts of the contract that return some."""

    def _messages(self, rows: Sequence[Row]) -> list[Message]:
        """Return the messages of these rows, in their order, each with its changes."""
        if not rows:
            return []
        changes: dict[int, list[MessageChange]] = {}
        for row in self._all("changes_of", ids=json.dumps([row["id"] for row in rows])):
            changes.setdefault(row["message_id"], []).append(_change(row))
        return [_message(row, tuple(changes.get(row["id"], ()))) for row in rows]


def _change(row: Row) -> MessageChange:
    return MessageChange(
        id=row["id"],
        conversation_id=row["conversation_id"],
        position=row["position"],
        what=row["what"],
        line=row["line"],
        state=row["state"],
        text=row["text"],
        amount_fen=row["amount_fen"],
        at_ms=row["at_ms"],
        archived_at_ms=row["archived_at_ms"],
    )


def _message(row: Row, changes: tuple[MessageChange, ...]) -> Message:
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        position=row["position"],
        side=row["side"],
        kind=row["kind"],
        text=row["text"],
        time_label=row["time_label"],
        ambiguous=bool(row["ambiguous"]),
        read_at_ms=row["read_at_ms"],
        archived_at_ms=row["archived_at_ms"],
        sender=row["sender"],
        shown_from_ms=row["shown_from_ms"],
        shown_to_ms=row["shown_to_ms"],
        amount_fen=row["amount_fen"],
        state=row["state"],
        length_s=row["length_s"],
        detail=row["detail"],
        fragment=bool(row["fragment"]),
        media_sha256=row["media_sha256"],
        changes=changes,
    )
