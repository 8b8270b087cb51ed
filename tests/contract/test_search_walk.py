"""Search goes back through the archive in steps: whatever their size, it finds what one look would find."""

from __future__ import annotations

import random

import pytest

from controller import grams
from controller.model import AccountId, PhoneId
from controller.store import sql_slices
from controller.store.base import Store
from controller.store.base_ingest import NewMessage
from protos.facts import MessageSeen
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import handset

WORDS = ("发货", "优惠", "微信", "琥珀", "vip")
HOW_MANY = 150
QUERIES = ("发货", "优惠 微信", "发货微信", "琥", "vip", "发货 优惠 微信 vip", "没有")
PLACES = {PhoneId("001"): AccountId("wx001"), PhoneId("002"): AccountId("wx002")}

Said = tuple[Store, list[tuple[str, PhoneId]]]


@pytest.fixture
def said(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Said:
    """Return a store that is searched in small steps, and what was said on which phone, in order."""
    monkeypatch.setattr("controller.store.sql_chats._FIRST_REACH", 2)
    monkeypatch.setattr(sql_slices, "SLICE_BITS", 3)
    monkeypatch.setattr(sql_slices, "NEWEST_READ", 5)
    draw = random.Random(7)
    talk = [
        ("".join(draw.sample(WORDS, draw.randint(1, 4))), draw.choice(list(PLACES))) for _ in range(HOW_MANY)
    ]
    store = backend.store()
    core = backend.core()
    assert {handset(core, n).phone_id for n in (1, 2)} == set(PLACES)
    with store.transaction() as tx:
        chats = {
            phone: tx.conversation_for(account_id=account, phone_id=phone, key="k", title="", kind="private")
            for phone, account in PLACES.items()
        }
        made = [new(n, text, phone, chats[phone]) for n, (text, phone) in enumerate(talk, 1)]
        ids = tx.put_messages(made[: HOW_MANY // 2]) + tx.put_messages(made[HOW_MANY // 2 :])
    assert ids == list(range(1, HOW_MANY + 1))
    return store, talk


def new(n: int, text: str, phone_id: PhoneId, chat: int) -> NewMessage:
    seen = MessageSeen(
        conversation_key="k",
        conversation_title="",
        conversation_kind="private",
        position=n,
        side="in",
        kind="text",
        text=text,
        time_label="",
        ambiguous=False,
    )
    told = " ".join((grams.of_text(text), grams.of_phone(phone_id), grams.of_account(PLACES[phone_id])))
    return NewMessage.of(chat, n, "spool", n, seen, START_MS, START_MS, told)


def found(store: Store, query: str, phone_id: PhoneId | None, page: int) -> list[int]:
    """Return what is found page by page, as people read it."""
    words = query.split()
    kept: list[int] = []
    before: int | None = None
    with store.transaction() as tx:
        while ids := tx.search(grams.of_queries(words), phone_id=phone_id, before_id=before, limit=page):
            assert ids == sorted(ids, reverse=True)
            kept += [
                one.id
                for one in tx.messages_by_id(ids)
                if all(grams.contains(one.text, word) for word in words)
            ]
            before = ids[-1]
    return kept


@pytest.mark.parametrize("page", [1, 4, 1_000])
@pytest.mark.parametrize("phone_id", [None, PhoneId("002")])
def test_every_message_is_found_once_newest_first(said: Said, phone_id: PhoneId | None, page: int) -> None:
    store, talk = said
    for query in QUERIES:
        wanted = [
            n
            for n, (text, phone) in reversed(list(enumerate(talk, 1)))
            if phone_id in (None, phone) and all(word in text for word in query.split())
        ]
        assert found(store, query, phone_id, page) == wanted


def test_a_transcript_is_found_in_the_slice_of_its_message(
    said: Said,
) -> None:
    store, _ = said
    with store.transaction() as tx:
        tx.index_message(3, "明天 天发 发货")
        tx.index_message(HOW_MANY, "明天")
    with store.transaction() as tx:
        assert tx.search(["明天"], limit=9) == [HOW_MANY, 3]


def test_slices_are_walked_to_the_first_message() -> None:
    assert list(sql_slices.walk(1)) == []
    assert list(sql_slices.walk(2)) == [(0,)]
    assert list(sql_slices.walk(1 << sql_slices.SLICE_BITS)) == [(0,)]
    steps = list(sql_slices.walk((12 << sql_slices.SLICE_BITS) + 1))
    assert steps == [(12,), (11, 10, 9, 8, 7, 6, 5, 4), (3, 2, 1, 0)]


def test_no_gram_of_a_slice_begins_as_those_of_another() -> None:
    codes = {sql_slices.code_of(slice_) for slice_ in range(5_000)}
    assert len(codes) == 5_000
    assert not [code for code in codes if any(code[:n] in codes for n in range(1, len(code)))]
