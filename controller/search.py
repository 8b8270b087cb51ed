"""Messages that contain words: candidates of the index are compared; every search is recorded."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from controller import grams
from controller.audit import enter
from controller.errors import BadRequest
from controller.ledger import Ledger
from controller.model import AccountId, PhoneId
from controller.periods import Period
from controller.records import Conversation, Message
from controller.safe import masked
from controller.store.base import Tx

_PAGE = 200
_SHORTEST_PAGE = 10
MAX_WORDS = 20
MAX_TEXT_CHARS = 200
# So many candidates are compared for one answer, as the core does nothing else meanwhile.
MAX_CANDIDATES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Words that must all be there, in whatever order, and where to look; no phones: all of them."""

    words: tuple[str, ...]
    phone_ids: tuple[PhoneId, ...] = ()
    account_id: AccountId | None = None
    conversation_id: int | None = None
    period: Period = field(default_factory=Period)
    before_id: int | None = None  # go on below this message
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Messages that match, newest first, with their chats; `next_before_id` None: there are no more."""

    messages: tuple[Message, ...]
    chats: dict[int, Conversation]
    next_before_id: int | None


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a search, split at blanks; BadRequest if there is nothing to look for."""
    words = tuple(dict.fromkeys(text.split()))
    if not words or not grams.of_queries(words):
        raise BadRequest("say what to look for: letters, digits or characters")
    if len(words) > MAX_WORDS or len(text) > MAX_TEXT_CHARS:
        raise BadRequest(f"a search has at most {MAX_WORDS} words and {MAX_TEXT_CHARS} characters")
    return words


def matches(message: Message, words: Sequence[str]) -> bool:
    """Tell whether a message has all words, in its text or in what it showed beside or later."""
    texts = (message.text, message.detail, *(change.text for change in message.changes))
    return all(any(grams.contains(text, word) for text in texts) for word in words)


def find(tx: Tx, query: Query) -> Found:
    """Return the next messages that match."""
    wanted = grams.of_queries(query.words)
    phones = query.phone_ids or (None,)
    # Of each phone a page is read before the first message is compared.
    page = max(_PAGE // len(phones), _SHORTEST_PAGE)
    sources = [_candidates(tx, query, wanted, phone_id, page) for phone_id in phones]
    found: list[Message] = []
    reached: int | None = None
    for seen, message in enumerate(heapq.merge(*sources, key=lambda one: -one.id), start=1):
        reached = message.id
        if query.period.has(message) and matches(message, query.words):
            found.append(message)
        if len(found) == query.limit or seen == MAX_CANDIDATES:
            break
    else:
        reached = None
    chats = {message.conversation_id: tx.conversation(message.conversation_id) for message in found}
    return Found(
        messages=tuple(found),
        chats={chat_id: chat for chat_id, chat in chats.items() if chat is not None},
        next_before_id=reached,
    )


def _candidates(
    tx: Tx, query: Query, wanted: list[str], phone_id: PhoneId | None, page: int
) -> Iterator[Message]:
    before_id = query.before_id
    while True:
        ids = tx.search(
            wanted,
            phone_id=phone_id,
            account_id=query.account_id,
            conversation_id=query.conversation_id,
            before_id=before_id,
            limit=page,
        )
        for message in tx.messages_by_id(ids):
            if query.period.is_over(message):
                return
            yield message
        if len(ids) < page:
            return
        before_id = ids[-1]


class Search:
    """Searches over all chats."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, query: Query, *, reason: str, actor: str) -> Found:
        """Return the next messages that match; the search is recorded, so it needs a reason (BadRequest)."""
        if not reason.strip():
            raise BadRequest("say why you search chats (reason); the search is recorded")
        where = ",".join(query.phone_ids) or query.account_id or query.conversation_id or "all"
        with self._ledger.work() as work:
            # In the diary, where looks stand: what somebody looked for is part of the look.
            told = f"{where}: {masked(' '.join(query.words))}"
            enter(work, actor=actor, what="chat.search", object_=told, reason=reason)
            return find(work.tx, query)
