"""What people do in chats beside their words, as rules look at it: money, cards, deletions, the night. Pure.

That a picture is a QR code only the client's own words tell: pictures are not read. Which of several accounts
of a person deleted a friend is not told either; it counts for who has the phone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from controller import grams
from controller.clock import MINUTE_MS
from controller.findings import SYSTEM, Finding, Line
from controller.hours import zone
from controller.records import ChatRemoval
from controller.rulebook import Behaviour, Book, Rule
from controller.waiving import waived
from controller.words.lexicon import Severity

BEHAVIOUR = "behaviour"
QR_WORD = "二维码"
_OF_KIND = {
    "red_packet": Behaviour.RED_PACKET,
    "transfer": Behaviour.TRANSFER,
    "contact_card": Behaviour.CONTACT_CARD,
}
_OF_REMOVAL = {
    "cleared": Behaviour.CHAT_CLEARED,
    "gone": Behaviour.CHAT_GONE,
    "friend_deleted": Behaviour.FRIEND_DELETED,
}
# Without a time on the screen it was said at most so long before it was read, where sweeps go on.
_READ_AT_LEAST_MS = 10 * MINUTE_MS


def of_message(book: Book, line: Line, *, zone_name: str, first_read_ms: Callable[[], int]) -> list[Finding]:
    """Return what rules on behaviours find in a message; `first_read_ms`: when its chat was read first."""
    if SYSTEM in (line.side, line.kind):
        return []
    findings = of_money(book, line, line.amount_fen)
    if line.kind == "contact_card":
        findings += _each(book, Behaviour.CONTACT_CARD, line, "")
    if line.kind == "image" and any(QR_WORD in grams.fold(text) for text in (line.text, line.detail)):
        findings += _each(book, Behaviour.QR, line, "")
    for rule in book.rules_of.get(Behaviour.NIGHT, ()):
        if concerns(book, rule, line) and (night := _night(rule, line, zone_name, first_read_ms)):
            # One a chat and night, unless the rule counts how many there are.
            key = f"{line.message_id}" if rule.rate else f"c{line.conversation_id}:{night}"
            findings.append(finding_of(rule, line, Behaviour.NIGHT, key=key, detail=f"night of {night}"))
    return findings


def of_money(book: Book, line: Line, amount_fen: int) -> list[Finding]:
    """Return what rules find in a red packet or a transfer that shows an amount; -1: it shows none."""
    behaviour = _OF_KIND.get(line.kind)
    if behaviour not in (Behaviour.RED_PACKET, Behaviour.TRANSFER) or behaviour is None:
        return []
    detail = f"amount_fen={amount_fen}" if amount_fen >= 0 else ""
    findings = _each(book, behaviour, line, detail)
    return [
        one for one in findings if amount_fen >= one.rule.on.min_amount_fen or not one.rule.on.min_amount_fen
    ]


def of_removal(book: Book, line: Line, removal: ChatRemoval) -> list[Finding]:
    """Return what rules find in a chat that was cleared or deleted; `line` says on what phone and whose."""
    behaviour = _OF_REMOVAL.get(removal.what)
    if behaviour is None:
        return []
    key = f"c{removal.conversation_id}:{removal.last_position}:{removal.from_ms}:{removal.to_ms}"
    return [
        finding_of(rule, line, behaviour, key=key, detail="")
        for rule in book.rules_of.get(behaviour, ())
        if concerns(book, rule, line)
    ]


def finding_of(rule: Rule, line: Line, behaviour: Behaviour, *, key: str, detail: str) -> Finding:
    """Return the finding of a rule on a behaviour."""
    return Finding(
        rule=rule,
        line=line,
        kind=BEHAVIOUR,
        entry_id="",
        word=behaviour,
        category="",
        severity=rule.severity or Severity.MEDIUM,
        how="",
        detail=detail,
        start=0,
        end=0,
        key=f"{rule.id}:{behaviour}:{key}",
    )


def _each(book: Book, behaviour: Behaviour, line: Line, detail: str) -> list[Finding]:
    return [
        finding_of(rule, line, behaviour, key=str(line.message_id), detail=detail)
        for rule in book.rules_of.get(behaviour, ())
        if concerns(book, rule, line)
    ]


def concerns(book: Book, rule: Rule, line: Line) -> bool:
    """Tell whether a rule on a behaviour looks at who is behind a line."""
    if not rule.looks_at(line.side) or not rule.scope.has(line.account_id, line.holder, line.chat_kind):
        return False
    waivers = [waiver for waiver in book.waivers if not waiver.entry]
    return not waived(
        waivers, line.text, 0, len(line.text), rule_id=rule.id, entry_id="", account_id=line.account_id
    )


def _night(rule: Rule, line: Line, zone_name: str, first_read_ms: Callable[[], int]) -> str:
    """Return the evening's date of the night in which a message was certainly said; empty if it was not."""
    if line.from_ms:
        # Never narrower than the screen says; half-open.
        first, last = line.from_ms, max(line.from_ms, min(line.to_ms - 1, line.read_at_ms))
    else:
        first, last = line.read_at_ms - _READ_AT_LEAST_MS, line.read_at_ms
    night = _night_of(rule.on.hours, zone_name, first)
    if not night or night != _night_of(rule.on.hours, zone_name, last):
        return ""
    if not line.from_ms:
        # At its first visit a chat shows what was said long ago.
        since_ms = first_read_ms()
        if not since_ms or since_ms > first - _READ_AT_LEAST_MS:
            return ""
    return night


def first_ms(from_ms: int, read_at_ms: int) -> int:
    """Return when a message was said at the earliest; `from_ms`: as the screen places it, 0: it does not."""
    return from_ms or read_at_ms - _READ_AT_LEAST_MS


def is_night(rules: Sequence[Rule], zone_name: str, at_ms: int) -> bool:
    """Tell whether a moment is of a night that one of the rules looks at."""
    return any(_night_of(rule.on.hours, zone_name, at_ms) for rule in rules)


def _night_of(hours: tuple[int, int], zone_name: str, at_ms: int) -> str:
    return _night_of_minute(hours, zone_name, at_ms // MINUTE_MS)


@lru_cache(maxsize=8_192)
def _night_of_minute(hours: tuple[int, int], zone_name: str, at_min: int) -> str:
    # Night begins and ends with a minute, and many messages are of one.
    try:
        local = datetime.fromtimestamp(at_min * 60, tz=zone(zone_name))
    except (OverflowError, ValueError, OSError):
        return ""
    first, last = hours
    minute = local.hour * 60 + local.minute
    if first < last:
        return local.date().isoformat() if first <= minute < last else ""
    if minute >= first:
        return local.date().isoformat()
    return (local.date() - timedelta(days=1)).isoformat() if minute < last else ""
