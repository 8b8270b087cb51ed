"""What agents say in their sessions, and what they are answered: values, free of protobuf."""

from __future__ import annotations

from dataclasses import dataclass

from controller.model import UNKNOWN_BATTERY, PhoneId, TaskId
from protos.facts import PhoneFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTable:
    """Ids of one build of the client that a person accepted: pairs of role and id."""

    version_name: str
    version_code: int
    installer: str
    base: str
    ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Part of a week in minutes from Monday 00:00 by the local clock, half-open."""

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSettings:
    """What the controller allows on one phone now."""

    capture_allowed: bool = False
    unattended: bool = False
    account_id: str = ""
    sweep_pause_ms: int = 5_000
    assist: bool = False
    assist_wait_ms: int = 120_000
    tables: tuple[LearnedTable, ...] = ()
    capture_mode: str = "sweep"  # sweep | passive | off
    capture_windows: tuple[Window, ...] = ()
    sweep_windows: tuple[Window, ...] = ()
    time_zone: str = ""
    excluded_keys: tuple[str, ...] = ()
    first_pages: int = 0  # 0: the agent's own
    first_days: int = 0
    media: str = ""
    hand_quiet_ms: int = 0
    shown_notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a handset's first frame claims."""

    facts: PhoneFacts
    agent_version: str = ""
    boot_id: str = ""
    spool_id: str
    spool_lowest: int = 0
    spool_highest: int = 0
    open_task_ids: tuple[TaskId, ...] = ()
    last_farm_epoch: int = 0  # what the agent, or the mark on its phone, was told last
    last_phone_epoch: int = 0
    spool_acked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer to a greeting; `phone_id` is None while the handset has no number."""

    phone_id: PhoneId | None
    phone_epoch: int
    farm_epoch: int
    high_water: int
    at_ms: int
    settings: PhoneSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a heartbeat says."""

    state: str
    cause: str = ""
    held_task_ids: tuple[TaskId, ...] = ()
    agent_at_ms: int = 0
    battery_percent: int = UNKNOWN_BATTERY
    temperature_decicelsius: int = 0
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """How long a lease still runs; 0: it is gone, stop before the commit tap."""

    task_id: TaskId
    lease_ms: int
