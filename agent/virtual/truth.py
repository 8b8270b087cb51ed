"""What really happened on the virtual phones: every tap that had an effect, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True, eq=False)
class PhoneTruth:
    """The effects of one phone's account."""

    serial: str
    account_id: str
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    likes: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)  # buttons that agree to an update or a permission
    refused: dict[str, int] = field(default_factory=dict)  # taps that a warning answered, by kind
    searches: int = 0
    after_warning: int = 0  # taps that last, made while a warning was in force
    is_warned: bool = False
    is_hand: bool = False  # what happens now is done by a person
    hand_sent: list[dict[str, Any]] = field(default_factory=list)  # messages that a person sent by touches
    opened: dict[str, int] = field(default_factory=dict)  # chat key -> how often, by injected touches
    hand_opened: dict[str, int] = field(default_factory=dict)  # the same by a person


class Truth:
    """Counters per phone; what tests compare the controller's belief with."""

    def __init__(self) -> None:
        self._phones: dict[str, PhoneTruth] = {}

    def join(self, serial: str, account_id: str) -> None:
        """Count from now on for this phone."""
        self._phones[account_id] = PhoneTruth(serial=serial, account_id=account_id)

    def of(self, account_id: str) -> PhoneTruth:
        """Return the counters of an account's phone."""
        return self._phones[account_id]

    def requested(self, account_id: str, peer: str, query: str, now_ms: int) -> None:
        """A friend request went out to the platform."""
        _count(self.of(account_id).requests, peer, now_ms, peer=peer, query=query)

    def added(self, account_id: str, peer: str, query: str, now_ms: int) -> None:
        """A tap made somebody a friend at once."""
        _count(self.of(account_id).added, peer, now_ms, peer=peer, query=query)

    def liked(self, account_id: str, post_id: str, author: str, now_ms: int, *, taken_back: bool) -> None:
        """A tap set or took back a like: `count` both, `made` and `taken_back` each."""
        entry = _count(self.of(account_id).likes, post_id, now_ms, post=post_id, author=author)
        entry["made"] = entry.get("made", 0) + int(not taken_back)
        entry["taken_back"] = entry.get("taken_back", 0) + int(taken_back)

    def sent(self, account_id: str, peer: str, text: str, now_ms: int) -> None:
        """A tap on the send button of a chat sent a message."""
        if self.of(account_id).is_hand:
            self.of(account_id).hand_sent.append({"peer": peer, "text": text, "at_ms": now_ms})
            return
        self.of(account_id).sent.append({"peer": peer, "text": text, "at_ms": now_ms})
        _count(self.of(account_id).said, peer, now_ms, peer=peer)

    def accepted(self, account_id: str, peer: str, now_ms: int) -> None:
        """A tap accepted the request of a person."""
        _count(self.of(account_id).accepted, peer, now_ms, peer=peer)

    def marked(self, account_id: str, peer: str, remark: str, tags: Sequence[str], now_ms: int) -> None:
        """A tap saved remark and tags of a friend."""
        entry = _count(self.of(account_id).marks, peer, now_ms, peer=peer)
        entry["remark"], entry["tags"] = remark, list(tags)

    def agreed(self, account_id: str, label: str) -> None:
        """A tap agreed to something that is not the agent's to agree to."""
        self.of(account_id).agreed.append(label)

    def warned(self, account_id: str, warning: str, surface: str, now_ms: int) -> None:
        """The platform warned this account."""
        phone = self.of(account_id)
        phone.is_warned = True
        phone.warnings.append({"warning": warning, "surface": surface, "at_ms": now_ms})

    def tapped(self, account_id: str) -> None:
        """A tap that lasts was made, whatever came of it."""
        phone = self.of(account_id)
        phone.after_warning += int(phone.is_warned and not phone.is_hand)

    def opened(self, account_id: str, peer: str) -> None:
        """A touch opened a chat, which marks it as read."""
        phone = self.of(account_id)
        entries = phone.hand_opened if phone.is_hand else phone.opened
        entries[peer] = entries.get(peer, 0) + 1

    def refused(self, account_id: str, kind: str) -> None:
        """A tap that lasts had no effect but a warning."""
        entries = self.of(account_id).refused
        entries[kind] = entries.get(kind, 0) + 1

    def calmed(self, account_id: str) -> None:
        """The platform warns this account no more."""
        self.of(account_id).is_warned = False

    def phones(self) -> list[dict[str, Any]]:
        """Return the counters as JSON values, in the order in which the phones joined."""
        return [
            {
                "serial": one.serial,
                "account": one.account_id,
                "requests": list(one.requests.values()),
                "added": list(one.added.values()),
                "likes": list(one.likes.values()),
                "sent": one.sent,
                "accepted": list(one.accepted.values()),
                "said": list(one.said.values()),
                "marks": list(one.marks.values()),
                "warnings": one.warnings,
                "agreed": one.agreed,
                "searches": one.searches,
                "refused": one.refused,
                "after_warning": one.after_warning,
                "hand_sent": one.hand_sent,
                "opened": one.opened,
                "hand_opened": one.hand_opened,
            }
            for one in self._phones.values()
        ]


def _count(entries: dict[str, dict[str, Any]], key: str, now_ms: int, **first: Any) -> dict[str, Any]:
    entry = entries.setdefault(key, {**first, "count": 0, "first_at_ms": now_ms})
    entry["count"] += 1
    entry["last_at_ms"] = now_ms
    return entry
