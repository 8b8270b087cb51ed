"""Violations as lines for people: the hit marked, the chat around it, how it was watched, the decisions."""

from __future__ import annotations

from controller.cli.chatlines import gap_line, hours, message_line, removal_line
from controller.cli.render import Record, counted, moment

_SIDES = {"out": "staff", "in": "customer"}
_HOUR_MS = 3_600_000
_BEFORE, _HIT = "  ", "▶ "
_WRITTEN = {
    "folded": "in other forms of its characters",
    "noise": "with signs or blanks between",
    "repeat": "with characters repeated",
    "homophone": "with characters of the same sound",
    "shape": "with characters that look alike",
    "pinyin": "in pinyin",
    "initials": "by its initials",
    "numeral": "with numerals",
    "split": "with characters in parts",
    "emoji": "with symbols",
    "mixed": "in several disguises",
}


def marked(found: Record) -> str:
    """Return the text with what matched in 【】; what was seen if it is about no text."""
    text, start, end = found["text"], found["start"], found["end"]
    if not text:
        return str(found["detail"])
    if start >= end:
        return str(text)
    return f"{text[:start]}【{text[start:end]}】{text[end:]}"


def by_whom(found: Record) -> str:
    """Return which side a violation is of."""
    return _SIDES.get(found["side"], str(found["side"]) or "-")


def what(found: Record) -> str:
    """Return what was found in few words: entry and category, or what somebody did."""
    named = " ".join(part for part in (found["entry_id"], found["category"]) if part)
    return named or str(found["word"] or found["kind"])


def heading(found: Record, chat: Record | None = None) -> list[str]:
    """Return who, what, where and by which version, before the chat is shown."""
    word = f" 「{found['word']}」" if found["word"] and found["word"] != what(found) else ""
    how = f", written {_WRITTEN[found['how']]}" if found["how"] in _WRITTEN else ""
    who = f"{found['phone_id']} {found['account_id']}, {found['holder'] or 'nobody'}; by {by_whom(found)}"
    where = f"; chat {chat['conversation_id']} with {chat['title']}" if chat else ""
    again = f", {counted(found['repeats'], 'time')} more" if found["repeats"] else ""
    appeal = f", appeal {found['appeal']}" if found["appeal"] else ""
    held = f", with {found['assignee']}" if found["assignee"] else ""
    return [
        f"violation {found['violation_id']}: {found['state']}{appeal}{held}",
        f"  {found['severity']} {found['rule_id']} {what(found)}{word}{how}{again}",
        f"  {who}{where}",
        f"  found {moment(found['found_at_ms'])} by book {found['book_version']} ({found['origin']})",
    ]


def context_lines(items: list[Record], found: Record | None = None, *, with_ids: bool = False) -> list[str]:
    """Return messages, gaps and removals in order; the message of a violation has an arrow, the hit marks.

    With ids each message begins with its id.
    """
    lines = []
    for item in items:
        if (message := item["message"]) is None:
            lines.append(_BEFORE + (gap_line(item["gap"]) if item["gap"] else removal_line(item["removal"])))
            continue
        is_hit = found is not None and message["message_id"] == found["message_id"]
        if is_hit and found is not None and found["text"] == message["text"]:
            message = {**message, "text": marked(found)}
        number = f"[{message['message_id']}] " if with_ids else ""
        lines.append((_HIT if is_hit else _BEFORE) + number + message_line(message))
    return lines


def beside(items: list[Record], found: Record) -> str:
    """Return the line of a hit that stands in no message as it was read, as in a transcript; else empty."""
    shown = any(item["message"] is not None and item["message"]["text"] == found["text"] for item in items)
    where = f" ({found['detail']})" if found["detail"] and found["text"] else ""
    return "" if shown or not marked(found) else f"{_HIT}{marked(found)}{where}"


def coverage_line(hour: Record) -> str:
    """Return how an account was watched in an hour: what was not seen is never shown as nothing."""
    length_ms = sum(hour["ms"].values())
    seen_ms = hour["ms"].get("seen", 0)
    from_to = f"{moment(hour['from_ms'])[5:16]} to {moment(hour['to_ms'])[11:16]}"
    gaps = f"; {counted(hour['gaps'], 'gap')}" if hour["gaps"] else ""
    if seen_ms >= length_ms:
        return f"Coverage {from_to}: all chats of this account were followed{gaps}."
    causes = ", ".join(
        f"{cause} {hours(ms)}" for cause, ms in hour["causes"].items() if not cause.startswith("seen")
    )
    unwatched_ms = hour["ms"].get("unwatched", 0)
    # What nobody watched has no cause that was told; left out it would read as if it were little.
    unwatched = f"unwatched {hours(unwatched_ms)}" if unwatched_ms else ""
    if unwatched and hour["to_ms"] % _HOUR_MS:
        unwatched += ", or not told yet"
    why = ", ".join(part for part in (causes, unwatched) if part)
    why = f" ({why})" if why else ""
    return (
        f"Coverage {from_to}: not fully watched for {hours(length_ms - seen_ms)}{why}{gaps};"
        " what is not here may still have been said."
    )


def history_lines(history: list[Record]) -> list[str]:
    """Return what was decided, oldest first."""
    return [f"  {moment(one['at_ms'])[:16]}  {one['actor']}: {_decided(one)}{_note(one)}" for one in history]


def _decided(one: Record) -> str:
    to = f" -> {one['to_state']}" if one["to_state"] != one["from_state"] else ""
    who = f" to {one['assignee'] or 'nobody'}" if one["act"] == "assign" else ""
    reason = f" ({one['reason']})" if one["reason"] else ""
    return f"{one['act']}{who}{to}{reason}"


def _note(one: Record) -> str:
    return f": {one['note']}" if one["note"] else ""


def next_of(shown: Record) -> str:
    """Return what the reader can type next about a violation."""
    number, acts = shown["violation"]["violation_id"], shown["possible"]
    if "uphold" in acts:
        return f"farm violations answer {number} --uphold --reason evidence_stands --text TEXT, or --grant"
    if "confirm" in acts and "dismiss" in acts:
        others = ", ".join(f"--{act}" for act in ("dismiss", "escalate") if act in acts)
        confirm = f"farm violations review {number} --confirm --reason against_rules"
        return f"{confirm}, or {others}; their reasons: farm violations reasons"
    if shown["violation"]["state"] == "escalated":
        return "another person must say the same; farm violations list --state escalated"
    closes = "no_action_needed" if shown["violation"]["state"] == "dismissed" else "talked_to"
    for act, reason in (("close", closes), ("reopen", "second_look")):
        if act in acts:
            return f"farm violations review {number} --{act} --reason {reason}"
    if "appeal" in acts:
        return f"farm violations appeal {number} --by {shown['violation']['holder']} --text TEXT"
    return "farm violations list --state new"
