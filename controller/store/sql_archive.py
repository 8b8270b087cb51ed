"""Events and what was read out of them, as statements."""

from __future__ import annotations

from typing import Any

from controller.model import AccountId, PhoneId
from controller.records import (
    BlindScreen,
    Conversation,
    Gap,
    Message,
    StoredEvent,
    Warned,
)
from controller.store.sql_messages import MessageReading

_AFTER_LAST_POSITION = 2**63 - 1


class ArchiveSql(MessageReading):
    """See controller.store.base.ArchiveRows."""

    def lock_spool(self, phone_id: PhoneId, spool_id: str, now_ms: int) -> int:
        """Return the highest contiguous seq archived of a spool, 0 for a new one; locks."""
        known = self._one("lock_spool", phone_id=phone_id, spool_id=spool_id)
        if known is None:
            self._do("add_spool", phone_id=phone_id, spool_id=spool_id, now_ms=now_ms)
            known = self._the("lock_spool", phone_id=phone_id, spool_id=spool_id)
        return int(known["high_water"])

    def high_water(self, phone_id: PhoneId, spool_id: str) -> int:
        """Return the highest contiguous seq archived of a spool, 0 for an unknown one."""
        row = self._one("high_water", phone_id=phone_id, spool_id=spool_id)
        return int(row["high_water"]) if row else 0

    def set_high_water(self, phone_id: PhoneId, spool_id: str, seq: int) -> None:
        """Keep the highest contiguous seq archived of a spool."""
        self._do("set_high_water", phone_id=phone_id, spool_id=spool_id, seq=seq)

    def event(self, phone_id: PhoneId, spool_id: str, seq: int) -> StoredEvent | None:
        """Return an archived event."""
        row = self._one("event", phone_id=phone_id, spool_id=spool_id, seq=seq)
        return StoredEvent(**{**dict(row), "phone_id": PhoneId(row["phone_id"])}) if row else None

    def add_conflict(
        self,
        phone_id: PhoneId,
        spool_id: str,
        seq: int,
        *,
        body: bytes | None,
        body_hash: bytes,
        archived_at_ms: int,
    ) -> None:
        """Keep a second body for a place that holds another one."""
        self._do(
            "add_conflict",
            phone_id=phone_id,
            spool_id=spool_id,
            seq=seq,
            body=body,
            body_hash=body_hash,
            archived_at_ms=archived_at_ms,
        )

    def conflicts(self) -> int:
        """Return how many bodies came for a place that holds another one."""
        return self._count("conflicts")

    def add_event_gap(
        self, phone_id: PhoneId, spool_id: str, *, from_seq: int, to_seq: int, cause: str, at_ms: int
    ) -> None:
        """Keep once that the agent no longer has these events of a spool."""
        self._do(
            "add_event_gap",
            phone_id=phone_id,
            spool_id=spool_id,
            from_seq=from_seq,
            to_seq=to_seq,
            cause=cause,
            at_ms=at_ms,
        )

    def conversation_for(
        self, *, account_id: AccountId, phone_id: PhoneId, key: str, title: str, kind: str
    ) -> int:
        """Return the id of a chat, made if new; locks. Its title and phone become those given."""
        row = self._the(
            "conversation_for", account_id=account_id, phone_id=phone_id, key=key, title=title, kind=kind
        )
        return int(row["id"])

    def untitled_conversation(self, *, account_id: AccountId, phone_id: PhoneId, key: str) -> int:
        """Return the id of a chat, made without its title if new; locks."""
        row = self._the("untitled_conversation", account_id=account_id, phone_id=phone_id, key=key)
        return int(row["id"])

    def lock_conversation(self, conversation_id: int) -> None:
        """Hold a chat until the transaction ends; locks."""
        self._the("lock_conversation", conversation_id=conversation_id)

    def bases_of(self, conversation_id: int, spool_id: str) -> list[tuple[int, int]]:
        """Return from which of its positions on a spool begins where in a chat; empty: nowhere yet."""
        rows = self._all("place_base", conversation_id=conversation_id, spool_id=spool_id)
        return [(int(row["from_position"]), int(row["base"])) for row in rows]

    def writers(self, conversation_id: int, spool_id: str) -> tuple[int, int]:
        """Return the last position in a chat of a spool, and the last one of all others; 0: none."""
        row = self._the("writers", conversation_id=conversation_id, spool_id=spool_id)
        return int(row["own"] or 0), int(row["others"] or 0)

    def take_turn(self, conversation_id: int, spool_id: str, from_position: int) -> int:
        """Let a spool go on behind everything in a chat, from one of its positions on; returns its base."""
        last = int(self._the("last_position", conversation_id=conversation_id)["found"] or 0)
        base = last - from_position + 1
        self._do(
            "add_turn",
            conversation_id=conversation_id,
            spool_id=spool_id,
            from_position=from_position,
            base=base,
        )
        return base

    def place_base(self, conversation_id: int, spool_id: str) -> tuple[int, bool]:
        """Place a new spool behind a chat's messages; returns where, and whether others are before it."""
        placed = self._the("add_place_base", conversation_id=conversation_id, spool_id=spool_id)
        return int(placed["base"]), int(placed["others"]) > 0

    def add_gap(self, gap: Gap) -> None:
        """Keep what could not be captured (its id is ignored)."""
        self._do(
            "add_gap",
            conversation_id=gap.conversation_id,
            before_position=gap.before_position,
            cause=gap.cause,
            from_ms=gap.from_ms,
            to_ms=gap.to_ms,
        )

    def stretch_gap(self, conversation_id: int, *, cause: str, before_position: int, to_ms: int) -> bool:
        """Let a gap that ends one position before end here; False if there is none."""
        stretched = self._do(
            "stretch_gap",
            conversation_id=conversation_id,
            cause=cause,
            before_position=before_position,
            to_ms=to_ms,
        )
        return stretched > 0

    def add_warning(self, warned: Warned) -> None:
        """Keep a platform warning (its id is ignored)."""
        self._do(
            "add_warning",
            phone_id=warned.phone_id,
            account_id=warned.account_id,
            warning=warned.warning,
            surface=warned.surface,
            text=warned.text,
            task_id=warned.task_id,
            activity=warned.activity,
            picture=warned.picture,
            picture_sha256=warned.picture_sha256,
            at_ms=warned.at_ms,
            archived_at_ms=warned.archived_at_ms,
        )

    def picture_warning(self, warned: Warned, *, from_ms: int) -> bool:
        """Fill the picture into the newest equal warning archived since a moment; False if none lacks one."""
        filled = self._do(
            "picture_warning",
            phone_id=warned.phone_id,
            warning=warned.warning,
            text=warned.text,
            task_id=warned.task_id,
            picture=warned.picture,
            picture_sha256=warned.picture_sha256,
            from_ms=from_ms,
        )
        return filled == 1

    def warnings(self, *, phone_id: PhoneId | None = None, limit: int) -> list[Warned]:
        """Return the newest platform warnings, newest first."""
        rows = self._all("warnings", phone_id=phone_id or "", max_rows=limit)
        return [Warned(**dict(row)) for row in rows]

    def add_blind_screen(self, blind: BlindScreen) -> None:
        """Keep that an agent could not read a screen (its id is ignored)."""
        self._do(
            "add_blind_screen",
            phone_id=blind.phone_id,
            cause=blind.cause,
            detail=blind.detail,
            activity=blind.activity,
            picture=blind.picture,
            picture_sha256=blind.picture_sha256,
            at_ms=blind.at_ms,
            archived_at_ms=blind.archived_at_ms,
        )

    def blind_screens(self, phone_id: PhoneId, *, limit: int) -> list[BlindScreen]:
        """Return the screens of a phone that could not be read, newest first."""
        rows = self._all("blind_screens", phone_id=phone_id, max_rows=limit)
        return [BlindScreen(**dict(row)) for row in rows]

    def conversations(
        self, *, phone_id: PhoneId | None, account_id: AccountId | None, limit: int
    ) -> list[Conversation]:
        """Return chats, the most recently archived first."""
        rows = self._all(
            "conversations", phone_id=phone_id or "", account_id=account_id or "", max_rows=limit
        )
        return [Conversation(**dict(row)) for row in rows]

    def conversation(self, conversation_id: int) -> Conversation | None:
        """Return a chat."""
        row = self._one("conversation", conversation_id=conversation_id)
        return Conversation(**dict(row)) if row else None

    def messages(self, conversation_id: int, *, before_position: int | None, limit: int) -> list[Message]:
        """Return the last messages of a chat before a position, in order of position."""
        before = _AFTER_LAST_POSITION if before_position is None else before_position
        rows = self._all("messages", conversation_id=conversation_id, before_position=before, max_rows=limit)
        return self._messages(list(reversed(rows)))

    def message(self, message_id: int) -> Message | None:
        """Return a message."""
        row = self._one("message", message_id=message_id)
        return self._messages([row])[0] if row else None

    def messages_around(self, conversation_id: int, position: int, reach: int) -> list[Message]:
        """Return the messages of a chat at most `reach` positions away, in order."""
        bounds: dict[str, Any] = {"low": position - reach, "high": position + reach}
        return self._messages(self._all("messages_around", conversation_id=conversation_id, **bounds))

    def gaps(self, conversation_id: int) -> list[Gap]:
        """Return what could not be captured of a chat, in order."""
        return [Gap(**dict(row)) for row in self._all("gaps", conversation_id=conversation_id)]
