"""Lines of chats and literal matching, for tests of rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controller.findings import Finding, Line
from controller.model import AccountId, PhoneId
from controller.rulebook import Book, read_book
from controller.rulecheck import check
from controller.words.found import Found

AT_MS = 1_800_000_000_000
SECOND_MS = 1_000
ENTRIES = [
    {"id": "L1", "word": "微信", "severity": "high"},
    {"id": "L2", "word": "转账", "severity": "low"},
    {"id": "L3", "word": "加我", "severity": "medium"},
]


def book(*rules: dict[str, Any], **parts: Any) -> Book:
    """Return a book of the entries above; without rules that of a book that has none."""
    document: dict[str, Any] = {"entries": ENTRIES, **parts}
    if rules:
        document["rules"] = [{"id": f"R{n}", **rule} for n, rule in enumerate(rules, 1)]
    return read_book(document, 3)


def line(text: str, position: int = 1, **parts: Any) -> Line:
    """Return a line said by staff in a private chat, one second after the one before."""
    return Line(
        **{
            "message_id": 100 + position,
            "conversation_id": 1,
            "position": position,
            "chat_kind": "private",
            "phone_id": PhoneId("001"),
            "account_id": AccountId("wx1"),
            "holder": "王芳",
            "side": "out",
            "kind": "text",
            "text": text,
            "read_at_ms": AT_MS + position * SECOND_MS,
            **parts,
        }
    )


def find_all(texts: Sequence[str]) -> list[tuple[int, Found]]:
    """Return where the words of ENTRIES stand literally."""
    found: list[tuple[int, Found]] = []
    for place, text in enumerate(texts):
        for entry in ENTRIES:
            id_, word = entry["id"], entry["word"]
            starts = [at for at in range(len(text)) if text.startswith(word, at)]
            found += [(place, Found(id_, word, at, at + len(word), "plain")) for at in starts]
    return found


def checked(book_: Book, *lines: Line, fresh_from: int = 0) -> list[Finding]:
    """Return what rules on words find in lines."""
    found = find_all([one.text for one in lines])
    return check(book_, lines, found, find_all=find_all, fresh_from=fresh_from)


def told(findings: Sequence[Finding]) -> list[tuple[str, str, int, int, int]]:
    """Return of each finding its rule, word, position and stretch."""
    return [(one.rule.id, one.word, one.line.position, one.start, one.end) for one in findings]
