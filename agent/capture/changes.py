"""What an archived message shows now that it did not when it was read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent.capture.align import is_recall
from agent.model import Bubble
from protos.facts import MessageKind


@dataclass(frozen=True, slots=True)
class Change:
    """One archived position and what became of it: recalled, state, transcript or unfolded."""

    position: int
    what: str
    now: Bubble


def changes(known: Sequence[Bubble], now: Sequence[Bubble], *, first_position: int) -> Iterator[Change]:
    """Yield what became of messages, each beside its new sighting; the first stands at `first_position`."""
    for position, (then, seen) in enumerate(zip(known, now, strict=True), start=first_position):
        for what in _whats(then, seen):
            yield Change(position, what, seen)


def merged(then: Bubble, now: Bubble) -> Bubble:
    """Return what is known of a message after another sighting: nothing that was seen once is forgotten."""
    if is_recall(now):
        return now
    is_longer = then.fragment or not now.fragment
    spans = sorted((one for one in (_span(then), _span(now)) if one[1]), key=lambda span: span[1] - span[0])
    from_ms, to_ms = spans[0] if spans else (0, 0)
    return replace(
        now,
        text=now.text if is_longer else then.text,
        fragment=now.fragment and then.fragment,
        state=now.state or then.state,
        amount_fen=now.amount_fen if now.amount_fen >= 0 else then.amount_fen,
        detail=now.detail or then.detail,
        media_sha256=then.media_sha256 or now.media_sha256,  # what was archived
        shown_from_ms=from_ms,
        shown_to_ms=to_ms,
    )


def _whats(then: Bubble, now: Bubble) -> Iterator[str]:
    if is_recall(now):
        if not is_recall(then):
            yield "recalled"
        return
    is_state_new = now.state not in ("", then.state)
    if is_state_new or (now.amount_fen >= 0 and now.amount_fen != then.amount_fen):
        yield "state"
    if now.kind == MessageKind.VOICE and now.detail not in ("", then.detail):
        yield "transcript"
    if then.fragment and not now.fragment:
        yield "unfolded"


def _span(bubble: Bubble) -> tuple[int, int]:
    return bubble.shown_from_ms, bubble.shown_to_ms
