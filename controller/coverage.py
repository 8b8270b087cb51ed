"""How well accounts were watched, by the hour: time by state, causes, gaps. Silence is no innocence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from controller.clock import HOUR_MS
from controller.model import AccountId
from controller.records import CoverageSpan
from protos.facts import CoverageState

# What no span covers: the agent, its host or the link was away, and nobody says what happened meanwhile.
UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Something of an account that is missing within a time; `from_ms` 0: since when is not known."""

    cause: str
    from_ms: int
    to_ms: int


@dataclass(slots=True, kw_only=True)
class Hour:
    """One UTC hour of one account, as far as it was asked for: milliseconds by state, and what is missing.

    `ms` has every CoverageState and UNWATCHED; together they are the length of the hour asked for. `causes`
    has milliseconds by "state: cause", `gap_causes` how many gaps lie in this hour, wholly or in part.
    """

    account_id: AccountId
    from_ms: int
    to_ms: int
    ms: dict[str, int] = field(default_factory=dict)
    causes: dict[str, int] = field(default_factory=dict)
    gap_causes: dict[str, int] = field(default_factory=dict)

    @property
    def gaps(self) -> int:
        """Return how many gaps lie in this hour."""
        return sum(self.gap_causes.values())


def by_hours(
    account_id: AccountId, spans: Sequence[CoverageSpan], holes: Sequence[Hole], from_ms: int, to_ms: int
) -> list[Hour]:
    """Return the hours of a period in order, first and last cut to it; of two spans the earlier holds."""
    hours = [_empty(account_id, start, end) for start, end in _hours(from_ms, to_ms)]
    if not hours:
        return []
    first = hours[0].from_ms // HOUR_MS
    reached = from_ms
    for span in sorted(spans, key=lambda one: (one.from_ms, one.to_ms)):
        start, end = max(span.from_ms, reached), min(span.to_ms, to_ms)
        for part_start, part_end in _hours(start, end):
            _watch(hours[part_start // HOUR_MS - first], span, part_end - part_start)
        reached = max(reached, end)
    for hole in holes:
        since = hole.from_ms or hole.to_ms
        if since >= to_ms or hole.to_ms < from_ms:
            continue
        begins, ends = max(since, from_ms) // HOUR_MS - first, hole.to_ms // HOUR_MS - first
        for hour in hours[begins : ends + 1]:
            hour.gap_causes[hole.cause] = hour.gap_causes.get(hole.cause, 0) + 1
    return hours


def _empty(account_id: AccountId, from_ms: int, to_ms: int) -> Hour:
    ms = {**{str(state): 0 for state in CoverageState}, UNWATCHED: to_ms - from_ms}
    return Hour(account_id=account_id, from_ms=from_ms, to_ms=to_ms, ms=ms)


def _hours(from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    while from_ms < to_ms:
        end = min((from_ms // HOUR_MS + 1) * HOUR_MS, to_ms)
        yield from_ms, end
        from_ms = end


def _watch(hour: Hour, span: CoverageSpan, length_ms: int) -> None:
    # A state of a later release is not taken for watching.
    state = span.state if span.state in hour.ms else CoverageState.PAUSED.value
    hour.ms[state] += length_ms
    hour.ms[UNWATCHED] -= length_ms
    if span.cause:
        named = f"{span.state}: {span.cause}"
        hour.causes[named] = hour.causes.get(named, 0) + length_ms


def summed(hours: Sequence[Hour]) -> Hour:
    """Return hours of one account as one; a gap over several hours counts in each of them."""
    total = Hour(
        account_id=hours[0].account_id, from_ms=hours[0].from_ms, to_ms=hours[-1].to_ms, ms=dict(hours[0].ms)
    )
    total.causes.update(hours[0].causes)
    total.gap_causes.update(hours[0].gap_causes)
    for hour in hours[1:]:
        for mine, other in (
            (total.ms, hour.ms),
            (total.causes, hour.causes),
            (total.gap_causes, hour.gap_causes),
        ):
            for name, value in other.items():
                mine[name] = mine.get(name, 0) + value
    return total
