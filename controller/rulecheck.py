"""What rules on words find in messages: decided on the lines of chats, without a store. Pure.

Live messages, history that is searched again, and a book that is only tried out are all decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from controller import grams
from controller.findings import SYSTEM, Finding, Line
from controller.rulebook import Book, Chats, Rule, RuleAction, Term
from controller.splitwords import FindAll, Split, split_words
from controller.waiving import waived
from controller.words.found import Found
from controller.words.lexicon import EntryType

# Texts in which start and end of a finding count, where it is not the message's own.
IN_DETAIL = "detail"
IN_TRANSCRIPT = "transcript"
# What these kinds of messages hold in their detail is said by who sent them.
OWN_DETAIL = frozenset({"voice", "link", "mini_program", "contact_card"})


def check(
    book: Book,
    lines: Sequence[Line],
    found: Iterable[tuple[int, Found]],
    *,
    find_all: FindAll,
    fresh_from: int = 0,
) -> list[Finding]:
    """Return what rules on words find in lines from `fresh_from` on; those before stood before them.

    `found` are the occurrences in the texts of all lines, by place. Lines that hold nothing of interest may
    be left out. Rates are not applied, see controller.findings.rated.
    """
    by_line: dict[int, list[Found]] = {}
    for place, one in found:
        by_line.setdefault(place, []).append(one)
    findings = [
        finding
        for place in sorted(by_line)
        if place >= fresh_from
        for finding in in_line(book, lines[place], by_line[place])
    ]
    for split in split_words(lines, find_all, fresh_from):
        findings += _of_split(book, split)
    if book.reaching:
        findings += _reaching(book, lines, by_line, fresh_from)
    return list({finding.key: finding for finding in findings}.values())


def in_line(
    book: Book, line: Line, found: Sequence[Found], *, where: str = "", text: str = ""
) -> list[Finding]:
    """Return what rules find in one line alone; `where` names another text of it than its own: `text`."""
    here = text if where else line.text
    # What is unfolded begins as what was folded: there the same place is the same finding.
    mark = "t" if where in (IN_DETAIL, IN_TRANSCRIPT) else ""
    findings = []
    for one in found:
        for rule in book.rules_on.get(one.entry_id, ()):
            if rule.within_messages == 1 and _looks_at(rule, line) and _has_terms(rule, here, found):
                finding = _finding(book, rule, line, one, mark=mark, detail=where)
                if not _is_waived(book, finding, here, one):
                    findings.append(finding)
    return findings


def held_by(book: Book, text: str, found: Sequence[Found]) -> Found | None:
    """Return the first occurrence for which a rule refuses a text that the system itself would say.

    Who will say it is not known yet: a rule holds it back wherever it is in force, but for groups alone. One
    with a rate forbids no single text.
    """
    for one in found:
        for rule in book.rules_on.get(one.entry_id, ()):
            if RuleAction.HOLD not in rule.actions or not rule.looks_at("out") or rule.rate is not None:
                continue
            if rule.scope.chats is Chats.GROUP or not _has_terms(rule, text, found):
                continue
            everywhere = [waiver for waiver in book.waivers if not waiver.accounts]
            if not waived(
                everywhere,
                text,
                one.start,
                one.end,
                rule_id=rule.id,
                entry_id=one.entry_id,
                account_id="",
            ):
                return one
    return None


def _looks_at(rule: Rule, line: Line) -> bool:
    # A rule that only holds back the system's own texts keeps nothing.
    return (
        rule.keeps
        and SYSTEM not in (line.side, line.kind)
        and rule.looks_at(line.side)
        and rule.scope.has(line.account_id, line.holder, line.chat_kind)
    )


def _has_terms(rule: Rule, text: str, found: Sequence[Found]) -> bool:
    return all(_stands(term, text, found) for term in rule.all_of) and not any(
        _stands(term, text, found) for term in rule.none_of
    )


def _stands(term: Term, text: str, found: Sequence[Found]) -> bool:
    if term.entry_id:
        return any(one.entry_id == term.entry_id for one in found)
    return grams.contains(text, term.text)


def _finding(book: Book, rule: Rule, line: Line, one: Found, *, mark: str = "", detail: str = "") -> Finding:
    entry = book.entries[one.entry_id]
    return Finding(
        rule=rule,
        line=line,
        kind="pattern" if entry.type is EntryType.PATTERN else "word",
        entry_id=entry.id,
        word=entry.word,
        category=entry.category,
        severity=rule.severity or entry.severity,
        how=one.how,
        detail=detail,
        start=one.start,
        end=one.end,
        key=f"{rule.id}:{entry.id}:{line.message_id}:{mark}{one.start}",
    )


def _is_waived(book: Book, finding: Finding, text: str, within: Found) -> bool:
    return waived(
        book.waivers,
        text,
        within.start,
        within.end,
        rule_id=finding.rule.id,
        entry_id=finding.entry_id,
        account_id=finding.line.account_id,
    )


def _of_split(book: Book, split: Split) -> list[Finding]:
    findings = []
    for rule in book.rules_on.get(split.found.entry_id, ()):
        if not rule.joined or rule.within_messages > 1 or not _looks_at(rule, split.last):
            continue
        if _has_terms(rule, split.text, [split.within]):
            detail = f"joined: {split.parts} messages from {split.first.message_id}"
            finding = _finding(book, rule, split.last, split.found, mark="j", detail=detail)
            if not _is_waived(book, finding, split.text, split.within):
                findings.append(finding)
    return findings


# ---- rules that look at neighbouring messages


def _reaching(
    book: Book, lines: Sequence[Line], by_line: Mapping[int, Sequence[Found]], fresh_from: int
) -> list[Finding]:
    chats: dict[int, list[int]] = {}
    for place, line in enumerate(lines):
        if SYSTEM not in (line.side, line.kind):
            chats.setdefault(line.conversation_id, []).append(place)
    findings = []
    for place, one, rule in _anchors(book, lines, by_line):
        line = lines[place]
        near = [
            other
            for other in chats[line.conversation_id]
            if abs(lines[other].position - line.position) < rule.within_messages
        ]
        if _is_complete(rule, lines, by_line, near, place, fresh_from):
            finding = _finding(book, rule, line, one)
            if not _is_waived(book, finding, line.text, one):
                findings.append(finding)
    return findings


def _anchors(
    book: Book, lines: Sequence[Line], by_line: Mapping[int, Sequence[Found]]
) -> Iterable[tuple[int, Found, Rule]]:
    for place, found in by_line.items():
        for one in found:
            for rule in book.rules_on.get(one.entry_id, ()):
                if rule.within_messages > 1 and _looks_at(rule, lines[place]):
                    yield place, one, rule


def _is_complete(
    rule: Rule,
    lines: Sequence[Line],
    by_line: Mapping[int, Sequence[Found]],
    near: Sequence[int],
    anchor: int,
    fresh_from: int,
) -> bool:
    """Tell whether all that a rule wants stands near its word, and did not before the fresh lines came."""

    def holds(place: int, term: Term) -> bool:
        return _stands(term, lines[place].text, by_line.get(place, ()))

    # What comes later takes nothing back: the same is found live and when history is searched again.
    before = [place for place in near if lines[place].position <= lines[anchor].position]
    if any(holds(place, term) for term in rule.none_of for place in before):
        return False
    is_new = anchor >= fresh_from
    for term in rule.all_of:
        holding = [place for place in near if holds(place, term)]
        if not holding:
            return False
        is_new = is_new or all(place >= fresh_from for place in holding)
    return is_new
