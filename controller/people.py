"""Values about persons: friends of accounts, whom nobody may contact, and whose requests are accepted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controller.hours import ALL_WEEK, WHOLE_DAY
from controller.model import AccountId, QueryKind, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """A contact of one account, under the name its client shows; `target` is how a list named the person."""

    account_id: AccountId
    peer_name: str
    target: str = ""  # empty if no list ever named this person
    tags: tuple[str, ...] = ()
    since_ms: int
    how: str  # the outcome or the sighting that told it


class SuppressionAct(StrEnum):
    """What was decided about contacting a person."""

    SUPPRESS = "suppress"
    RELEASE = "release"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One decision about contacting a person, who took it and why; decisions are only ever added."""

    act: SuppressionAct
    at_ms: int
    actor: str
    source: str
    reason: str  # emptied when the person is forgotten: it is free text


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """How the store recognises a person: as lists say it, and by the farm's own keyed digest of that."""

    target: str
    digest: str

    @property
    def forgotten(self) -> str:
        """Return what stands for the target in the tasks of a person who was forgotten."""
        return f"~{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What stands against contacting a person: the task that stands for them, a decision, a friendship."""

    task: Task | None = None
    is_suppressed: bool = False
    friend_of: AccountId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactView:
    """Everything known of one person over the whole fleet."""

    target: str
    kind: QueryKind
    tasks: tuple[Task, ...]
    friends: tuple[Friend, ...]
    history: tuple[Suppression, ...]  # oldest first
    is_suppressed: bool
    is_forgotten: bool
    # Tasks under other queries whose outcome named the same contact of the same account: perhaps one person.
    perhaps_same: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptPolicy:
    """Whether an account accepts those who ask it, when, what it says then, and which tags they get."""

    is_on: bool = False
    hours: tuple[int, int] = WHOLE_DAY  # [from, to) in minutes of the account's own day
    weekdays: frozenset[int] = ALL_WEEK  # ISO: Monday is 1
    reply: str = ""  # empty: nothing is said
    tags: tuple[str, ...] = ()
    set_by: str = ""
    set_at_ms: int = 0
