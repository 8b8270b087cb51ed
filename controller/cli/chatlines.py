"""A chat as lines for people: kinds in words, what messages showed later, gaps in their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from controller.cli.render import Record, counted, moment

_SIDES = {"out": "→", "in": "←"}
_KINDS = {
    "image": "picture",
    "mini_program": "mini program",
    "contact_card": "contact card",
    "chat_record": "chat record",
    "red_packet": "red packet",
    "voice_call": "voice call",
    "video_call": "video call",
    "other": "unknown kind",
}
_MONEY = {"red_packet", "transfer"}
_REMOVED = {
    "cleared": "cleared on the phone",
    "gone": "gone from the phone",
    "friend_deleted": "the friend was deleted on the phone",
}
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000


def lines(messages: list[Record], gaps: list[Record], removals: Sequence[Record] = ()) -> list[str]:
    """Return one line for each message, and one for each gap before the message it stands before."""
    lowest = messages[0]["position"] if messages else 0
    ranked: list[tuple[int, int, Callable[[Record], str], Record]] = [
        *((gap["before_position"], 0, gap_line, gap) for gap in gaps if gap["before_position"] >= lowest),
        *((one["position"], 1, message_line, one) for one in messages),
        *(
            (gone["last_position"], 2, removal_line, gone)
            for gone in removals
            if gone["last_position"] >= lowest
        ),
    ]
    return [show(record) for _, _, show, record in sorted(ranked, key=lambda rank: rank[:2])]


def message_line(message: Record) -> str:
    """Return a message as a line: its place, its time as far as it is known, who, and what."""
    doubt = "  (place in the order not certain)" if message["ambiguous"] else ""
    side = _SIDES.get(message["side"], "·")
    who = f"{message['sender']}: " if message["sender"] else ""
    what = f"{who}{content(message)}{_object(message)}{_later(message)}{doubt}"
    return f"{message['position']:>5}  {came(message):<17} {side} {what}"


def came(message: Record) -> str:
    """Return when a message came, no narrower than shown; "read" where only the reading is known."""
    if message["shown_to_ms"] is None:
        return message["time_label"] or f"read {moment(message['read_at_ms'])[5:16]}"
    first, last = moment(message["shown_from_ms"]), moment(message["shown_to_ms"] - 1)
    if message["shown_to_ms"] - message["shown_from_ms"] <= _MINUTE_MS:
        return first[5:16]
    return f"{first[5:16]}-{last[11:16] if first[:10] == last[:10] else last[5:16]}"


def content(message: Record) -> str:
    """Return what a message says, its kind in words before it unless it is text."""
    kind = str(message["kind"])
    detail = f" ({message['detail']})" if message["detail"] else ""
    text = f"{message['text']}{detail}".strip()
    if message["fragment"]:
        text += " … (folded; only the beginning was read)"
    if kind in {"text", "system"}:
        return text
    facts = [_KINDS.get(kind, kind)]
    if message["length_s"] is not None:
        facts.append(f"{message['length_s']} s")
    if kind in _MONEY:
        facts.append(amount(message["amount_fen"]))
    if message["state"]:
        facts.append(message["state"])
    return f"[{', '.join(facts)}] {text}".rstrip()


def amount(fen: int | None) -> str:
    """Return an amount of money as shown: ¥12.34, or that it was not."""
    return "amount unknown" if fen is None else f"¥{fen // 100}.{fen % 100:02}"


def _object(message: Record) -> str:
    """Return where its picture is; it never leaves the host the phone hangs on."""
    sha256 = message["media_sha256"]
    return f"  (sha256 {sha256} on host {message['media_host']})" if sha256 else ""


def _later(message: Record) -> str:
    told = ""
    for change in message["changes"]:
        if change["what"] == "recalled":
            told += f"  [撤回] {change['line']}".rstrip()
        elif change["text"]:
            told += f"  ({change['what']}: {change['text']})"
    return told


def gap_line(gap: Record) -> str:
    """Return a gap as a line."""
    return f"       -- not captured {_span(gap)}: {gap['cause']} --"


def removal_line(removal: Record) -> str:
    """Return a removal as a line."""
    told = _REMOVED.get(removal["what"], removal["what"])
    return f"       -- {told}, found {_span(removal)} --"


def _span(record: Record) -> str:
    until = moment(record["to_ms"])[5:16]
    return f"{moment(record['from_ms'])[5:16]} to {until}" if record["from_ms"] else f"before {until}"


def watched_line(watched: Record) -> str:
    """Return how a chat was watched, in one line: what is not known to be complete is said to be so."""
    if watched["is_private"]:
        return f"This chat is private: nothing of it is read; {counted(watched['gaps'], 'gap')}."
    seen, passive = watched["seen_until_ms"], watched["passive_until_ms"]
    until = f"watched until {moment(seen)[:16]}" if seen is not None else "never watched by sweeps"
    if passive is not None and passive > (seen or 0):
        until += f", only while in front until {moment(passive)[:16]}"
    day = watched["day"]["ms"]
    unseen_ms = sum(day.values()) - day["seen"]
    return (
        f"Coverage: {until}; {counted(watched['gaps'], 'gap')} in this chat;"
        f" not fully watched for {hours(unseen_ms)} of the last 24 h."
    )


def hours(ms: int) -> str:
    """Return a length of time in hours or minutes: 3.5 h, 12 min."""
    if ms >= _HOUR_MS:
        return f"{ms / _HOUR_MS:.1f} h".replace(".0 ", " ")
    return f"{-(-ms // _MINUTE_MS)} min"
