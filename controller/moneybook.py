"""Red packets and transfers as the screens showed them: a book to read, nothing here touches money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.ledger import Ledger
from controller.model import AccountId, PhoneId
from controller.periods import Period
from controller.records import Conversation, Message
from controller.store.base import Tx
from protos.facts import MessageKind

MONEY = (MessageKind.RED_PACKET, MessageKind.TRANSFER)
_PAGE = 200
# So many are looked at for one answer, as the core does nothing else meanwhile.
MAX_LOOKED_AT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose money is asked for; no phones and no account: everybody's."""

    phone_ids: tuple[PhoneId, ...] = ()
    account_id: AccountId | None = None
    period: Period = field(default_factory=Period)
    before_id: int | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One red packet or transfer as shown, with its chat; amount and state are those of `message`, now."""

    message: Message
    chat: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries, newest first; `next_before_id` None: there are no more."""

    entries: tuple[Entry, ...]
    next_before_id: int | None


class MoneyBook:
    """The book for its readers; a look at it is a look at chats, so it is recorded by the caller."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(self, asked: Asked) -> Page:
        """Return the next entries."""
        found: list[Entry] = []
        before_id, looked_at = asked.before_id, 0
        with self._ledger.look() as tx:
            while True:
                ids = tx.money_messages(account_id=asked.account_id, before_id=before_id, limit=_PAGE)
                messages = tx.messages_by_id(ids)
                for entry in _entries(tx, messages, asked):
                    found.append(entry)
                    if len(found) == asked.limit:
                        return Page(entries=tuple(found), next_before_id=entry.message.id)
                if len(ids) < _PAGE or asked.period.is_over(messages[-1]):
                    return Page(entries=tuple(found), next_before_id=None)
                before_id, looked_at = ids[-1], looked_at + len(ids)
                if looked_at >= MAX_LOOKED_AT:
                    return Page(entries=tuple(found), next_before_id=before_id)


def _entries(tx: Tx, messages: Sequence[Message], asked: Asked) -> list[Entry]:
    found: list[Entry] = []
    chats: dict[int, Conversation | None] = {}
    for message in messages:
        if message.conversation_id not in chats:
            chats[message.conversation_id] = tx.conversation(message.conversation_id)
        chat = chats[message.conversation_id]
        is_asked = chat is not None and (not asked.phone_ids or chat.phone_id in asked.phone_ids)
        if chat is not None and is_asked and asked.period.has(message):
            found.append(Entry(message=message, chat=chat))
    return found
