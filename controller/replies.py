"""How long customers wait for an answer, as far as that was watched and within working hours. Pure.

Working hours are the hours in which chats of the account may be read. Only time counts in which sweeps saw
its chats: nobody is blamed for what was not watched. What a screen does not say is taken in favour of who
answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from controller.clock import DAY_MS, HOUR_MS, MINUTE_MS
from controller.findings import SYSTEM
from controller.records import CoverageSpan
from controller.rulebook import Rule
from controller.sessions import Window
from controller.store.base_rules import Waiting
from controller.weekhours import is_within
from protos.facts import CoverageState

# Spans of coverage are told every few minutes, or when the agent reaches the controller again; then what is
# known is judged.
KNOWN_AFTER_MS = 2 * HOUR_MS
# Nobody looks at who waits longer.
FORGET_AFTER_MS = 7 * DAY_MS
_LOOK_AGAIN_MS = 5 * MINUTE_MS
# Sweeps come at least so often where an account counts as seen.
_SEEN_WITHIN_MS = 10 * MINUTE_MS
NEVER_MS = 2**62


class Said(NamedTuple):
    """A message of a private chat, as far as answers go; `from_ms`–`to_ms` as shown, both 0: not known."""

    message_id: int
    side: str
    kind: str
    read_at_ms: int
    from_ms: int
    to_ms: int


class Verdict(NamedTuple):
    """What became of a wait: rules that it breaks, and when to look again; None: never."""

    broken: list[Rule]
    waited_ms: int
    judge_ms: int | None


def turned(open_: Waiting | None, new: Waiting, said: Sequence[Said], shortest_ms: int) -> list[Waiting]:
    """Return how the waits of a chat stand after messages that follow each other, the open one last if any.

    `new` names chat and person for a wait that begins; one with `judge_ms` 0 is over, and nobody was slow.
    """
    waits: list[Waiting] = []
    for one in said:
        if one.side == SYSTEM or one.kind == SYSTEM:
            continue
        if one.side == "in" and open_ is None:
            since_ms = min(one.to_ms or one.read_at_ms, one.read_at_ms)
            # Not _replace: that takes three times as long, and this is done for each answer.
            _, *who, _, _, _ = new
            open_ = Waiting._make((one.message_id, *who, since_ms, 0, since_ms + shortest_ms))
        elif one.side == "out" and open_ is not None:
            answered_ms = max(one.from_ms or one.read_at_ms - _SEEN_WITHIN_MS, open_.since_ms)
            is_slow = answered_ms - open_.since_ms >= shortest_ms and open_.judge_ms < NEVER_MS
            waits.append(Waiting._make((*open_[:-2], answered_ms, answered_ms if is_slow else 0)))
            open_ = None
    return waits if open_ is None else [*waits, open_]


def judged(
    wait: Waiting,
    rules: Iterable[Rule],
    spans: Sequence[CoverageSpan],
    windows: Sequence[Window],
    *,
    zone_name: str,
    covered_until_ms: int,
    now_ms: int,
) -> Verdict:
    """Return what is to be held against who should have answered, as far as is known by now."""
    looked_at = list(rules)
    until_ms = wait.answered_ms or now_ms
    longest_ms = max((rule.on.minutes for rule in looked_at), default=0) * MINUTE_MS
    waited_ms = watched_ms(spans, windows, zone_name, wait.since_ms, until_ms, enough_ms=longest_ms)
    broken = [rule for rule in looked_at if waited_ms >= rule.on.minutes * MINUTE_MS]
    if len(broken) == len(looked_at):
        return Verdict(broken, waited_ms, None if wait.answered_ms else NEVER_MS)
    is_known = covered_until_ms >= until_ms or now_ms - until_ms >= KNOWN_AFTER_MS
    if (wait.answered_ms and is_known) or now_ms - wait.since_ms > FORGET_AFTER_MS:
        return Verdict(broken, waited_ms, None)
    missing_ms = min(rule.on.minutes * MINUTE_MS - waited_ms for rule in looked_at if rule not in broken)
    return Verdict(broken, waited_ms, now_ms + max(_LOOK_AGAIN_MS, 0 if wait.answered_ms else missing_ms))


def watched_ms(
    spans: Sequence[CoverageSpan],
    windows: Sequence[Window],
    zone_name: str,
    from_ms: int,
    to_ms: int,
    *,
    enough_ms: int,
) -> int:
    """Return how much of a time was seen by sweeps within windows of the week; not on after `enough_ms`."""
    total = 0
    reached = from_ms
    for span in sorted(spans, key=lambda one: one.from_ms):
        if span.state != CoverageState.SEEN:
            continue
        start, end = max(span.from_ms, reached), min(span.to_ms, to_ms)
        reached = max(reached, end)
        for at_ms in range(start, end, MINUTE_MS):
            if is_within(windows, zone_name, at_ms):
                total += min(MINUTE_MS, end - at_ms)
            if total >= enough_ms:
                return total
    return total


def shortest_of(rules: Iterable[Rule]) -> int:
    """Return the milliseconds after which the first of these rules may be broken."""
    return min(rule.on.minutes for rule in rules) * MINUTE_MS
