"""How long it takes to find the newest 50 messages that contain a word, among a million or more.

The texts are sales talk; the words asked for are common, rare, or common and seldom together. Found ids
are read and compared with the text, as the search of people does. Each is asked with and without a phone;
printed are the median and the worst of warm repeats, and a full scan with LIKE in the same run. Ends with 1
if the median of a word is over its goal; what else is asked for is printed beside.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from controller import grams
from controller.clock import SystemClock
from controller.model import AccountId, PhoneId
from controller.store import open_store
from controller.store.base import Store
from controller.store.base_ingest import NewMessage
from protos.facts import MessageSeen
from scripts.benches.ingest import AT_MS, fresh_urls
from tests.support.corefarm import core_on, handset
from tests.support.salestalk import SalesTalk

NOBODY_SAID = "无此一说"
GOALS_MS = {"sqlite": 5.0, "postgresql": 20.0}
PHONES, CHATS_EACH = 50, 20
# Common and rare words of two and of four characters, and one that nobody said: what the goal is about.
WORDS = ("我们", "客户", "翡翠", "谢谢没有", "快递订单", "琥珀麒麟", NOBODY_SAID)
# Common words that are seldom together, and a single character: what else people ask for.
OTHERS = ("我们 您好 客户", "价格 微信 红包", "好")
NEWEST, REPEATS, GROUP = 50, 15, 5_000


def chats_of(store: Store) -> list[tuple[PhoneId, AccountId, int]]:
    """Make phones and chats; returns phone, account and id of each chat."""
    core = core_on(store, SystemClock())
    phones = [handset(core, number).phone_id for number in range(1, PHONES + 1)]
    made = []
    with store.transaction() as tx:
        for phone_id in phones:
            account_id = AccountId(f"wx{phone_id}")
            for chat in range(CHATS_EACH):
                id_ = tx.conversation_for(
                    account_id=account_id, phone_id=phone_id, key=f"k{chat}", title="", kind="private"
                )
                made.append((phone_id, account_id, id_))
    return made


def messages(chats: Sequence[tuple[PhoneId, AccountId, int]], count: int) -> Iterator[NewMessage]:
    """Return so many messages, chat after chat."""
    for n, text in enumerate(SalesTalk(1).texts(count)):
        phone_id, account_id, conversation_id = chats[n % len(chats)]
        seen = MessageSeen(
            conversation_key="",
            conversation_title="",
            conversation_kind="private",
            position=n,
            side="out",
            kind="text",
            text=text,
            time_label="",
            ambiguous=False,
        )
        places = (
            grams.of_phone(phone_id),
            grams.of_account(account_id),
            grams.of_conversation(conversation_id),
        )
        found = " ".join((grams.of_text(text), *places))
        yield NewMessage.of(conversation_id, n, "bench", n, seen, AT_MS + n, AT_MS + n, found)


def filled(store: Store, count: int) -> None:
    """Archive so many messages."""
    waiting = messages(chats_of(store), count)
    began = time.perf_counter()
    while group := list(islice(waiting, GROUP)):
        with store.transaction() as tx:
            tx.put_messages(group)
    print(f"{store.kind}: {count:,} messages archived in {time.perf_counter() - began:.0f} s", flush=True)


def newest(store: Store, text: str, phone_id: PhoneId | None) -> int:
    """Return how many of the newest messages with all words of a text are found, as people search."""
    words = text.split()
    with store.transaction() as tx:
        found: list[int] = []
        before: int | None = None
        while len(found) < NEWEST:
            ids = tx.search(grams.of_queries(words), phone_id=phone_id, before_id=before, limit=NEWEST)
            if not ids:
                break
            read = tx.messages_by_id(ids)
            found += [m.id for m in read if all(grams.contains(m.text, word) for word in words)]
            before = ids[-1]
        return len(found)


def scan_ms(store: Any, word: str) -> float:
    """Return how long a scan of all texts takes."""
    connection = store._conn  # noqa: SLF001 -- no verb: people never search so
    sql = "SELECT count(*) FROM messages WHERE text LIKE "
    began = time.perf_counter()
    with store.transaction():
        if store.kind == "sqlite":
            connection.execute(sql + "?", [f"%{word}%"]).fetchone()
        else:
            connection.execute(sql + "%s", [f"%{word}%"]).fetchone()
    return (time.perf_counter() - began) * 1_000


def measured(kind: str, count: int) -> float:
    """Print what one kind of database needs; returns the slowest median in milliseconds."""
    slowest = 0.0
    with fresh_urls(kind) as fresh:
        store = open_store(fresh())
        try:
            filled(store, count)
            if kind == "postgresql":
                # What autovacuum does within a minute on a database that is used.
                analyse: Any = store
                analyse._conn.execute("VACUUM ANALYZE")  # noqa: SLF001 -- no verb: not the product's
            for word in (*WORDS, *OTHERS):
                for phone_id in (None, PhoneId("017")):
                    took = []
                    for _ in range(REPEATS):
                        began = time.perf_counter()
                        hits = newest(store, word, phone_id)
                        took.append((time.perf_counter() - began) * 1_000)
                    median = statistics.median(took[1:])
                    slowest = max(slowest, median) if word in WORDS else slowest
                    where = "one phone" if phone_id else "all phones"
                    others = f"first {took[0]:.1f}, worst {max(took):.1f}"
                    told = f"  {word:<8} {where:<10} {hits:>3} found  median {median:6.2f} ms, {others}"
                    print(told)
            print(f"  a scan with LIKE: {scan_ms(store, NOBODY_SAID):.0f} ms", flush=True)
        finally:
            store.close()
    return slowest


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", choices=sorted(GOALS_MS), action="append", help="default: both")
    parser.add_argument("--messages", type=int, default=1_000_000)
    asked = parser.parse_args()
    missed = False
    for kind in asked.store or ("sqlite", "postgresql"):
        slowest = measured(kind, asked.messages)
        is_met = slowest < GOALS_MS[kind]
        verdict = "met" if is_met else "missed"
        print(f"  slowest median {slowest:.2f} ms, goal {GOALS_MS[kind]:.0f} ms: {verdict}")
        missed = missed or not is_met
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
