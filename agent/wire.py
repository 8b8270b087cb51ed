"""Frames of the session between values and protobuf; only session.py and this see a generated type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from agent.actions import ACTIONS
from agent.model import Action, LearnedTable, LeasedTask, Settings, Window
from protos import channel
from protos.facts import PhoneFacts
from protos.fleet_pb2 import Batch, Down, Heartbeat, Hello, Task, Up, Want
from protos.fleet_pb2 import PhoneFacts as PbPhoneFacts
from protos.fleet_pb2 import Settings as PbSettings
from protos.fleet_pb2 import Window as PbWindow

_MODES = ("sweep", "passive", "off")


class UnknownAction(ValueError):
    """This release does not know the action of a task."""


class StopReason(StrEnum):
    """Why a controller ends a session for good."""

    SUPERSEDED = "superseded"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What the controller says first."""

    farm_id: str
    farm_epoch: int
    phone_id: str
    phone_epoch: int
    high_water: int
    heartbeat_ms: int
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a heartbeat tells of the phone."""

    state: str
    cause: str = ""
    battery_percent: int = -1
    temperature_decicelsius: int = 0
    account_id: str = ""


def hello_up(
    facts: PhoneFacts,
    *,
    version: str,
    boot_id: str,
    spool_id: str,
    lowest: int,
    highest: int,
    open_task_ids: Sequence[str],
    last_farm_id: str = "",
    last_farm_epoch: int = 0,
    last_phone_epoch: int = 0,
    acked: int = 0,
) -> Up:
    """Return the first frame."""
    phone = {
        f.name: getattr(facts, f.name) for f in fields(facts) if f.name not in ("serial", "slot", "host")
    }
    return Up(
        hello=Hello(
            protocol=channel.PROTOCOL,
            agent_version=version,
            host=facts.host,
            serial=facts.serial,
            slot=facts.slot,
            boot_id=boot_id,
            spool_id=spool_id,
            spool_lowest=lowest,
            spool_highest=highest,
            open_task_ids=open_task_ids,
            phone=PbPhoneFacts(**phone),
            last_farm_id=last_farm_id,
            last_farm_epoch=last_farm_epoch,
            last_phone_epoch=last_phone_epoch,
            spool_acked=acked,
        )
    )


def batch_up(spool_id: str, first_seq: int, bodies: Sequence[bytes]) -> Up:
    """Return the frame for events that follow each other without a hole."""
    return Up(batch=Batch(spool_id=spool_id, first_seq=first_seq, events=bodies))


def want_up(tasks: int) -> Up:
    """Return the frame that says how many tasks can be taken."""
    return Up(want=Want(tasks=tasks))


def heartbeat_up(pulse: Pulse, *, held_task_ids: Sequence[str], at_ms: int) -> Up:
    """Return a heartbeat; it renews the leases of the named tasks."""
    return Up(
        heartbeat=Heartbeat(
            state=pulse.state,
            cause=pulse.cause,
            held_task_ids=held_task_ids,
            agent_at_ms=at_ms,
            battery_percent=pulse.battery_percent,
            temperature_decicelsius=pulse.temperature_decicelsius,
            account_id=pulse.account_id,
        )
    )


def welcome_of(down: Down) -> Welcome:
    """Return the values of a Welcome frame."""
    pb = down.welcome
    return Welcome(
        farm_id=pb.farm_id,
        farm_epoch=pb.farm_epoch,
        phone_id=pb.phone_id,
        phone_epoch=pb.phone_epoch,
        high_water=pb.high_water,
        heartbeat_ms=pb.heartbeat_ms or channel.HEARTBEAT_MS,
        settings=settings_of(pb.settings),
    )


def settings_of(pb: PbSettings) -> Settings:
    """Return what the controller allows."""
    return Settings(
        capture_allowed=pb.capture_allowed,
        # Both at once would be a contradiction: the careful one counts.
        unattended=pb.unattended and not pb.assist,
        account_id=pb.account_id,
        sweep_pause_ms=pb.sweep_pause_ms or Settings().sweep_pause_ms,
        assist=pb.assist,
        assist_wait_ms=pb.assist_wait_ms or Settings().assist_wait_ms,
        tables=tuple(
            LearnedTable(
                version_name=table.version_name,
                version_code=table.version_code,
                installer=table.installer,
                base=table.base,
                ids=tuple(sorted(table.ids.items())),
            )
            for table in pb.tables
        ),
        capture_mode=pb.capture_mode
        if pb.capture_mode in _MODES
        else ("off" if pb.capture_mode else "sweep"),
        capture_windows=_windows(pb.capture_windows),
        sweep_windows=_windows(pb.sweep_windows),
        time_zone=pb.time_zone or Settings().time_zone,
        excluded_keys=tuple(pb.excluded_keys),
        first_pages=pb.first_pages or Settings().first_pages,
        first_days=pb.first_days or Settings().first_days,
        media=pb.media,
        hand_quiet_ms=pb.hand_quiet_ms or Settings().hand_quiet_ms,
        shown_notice=pb.shown_notice,
    )


def _windows(found: Iterable[PbWindow]) -> tuple[Window, ...]:
    return tuple(Window(start_min=one.start_min, end_min=one.end_min) for one in found)


def task_of(pb: Task, *, from_boot_ms: int, boot_id: str) -> LeasedTask:
    """Return a leased task that ends so long after `from_boot_ms` of this host; raises UnknownAction."""
    return LeasedTask(
        task_id=pb.task_id,
        job_id=pb.job_id,
        attempt=pb.attempt,
        permit_id=pb.permit_id,
        phone_epoch=pb.phone_epoch,
        until_boot_ms=from_boot_ms + pb.lease_ms,
        boot_id=boot_id,
        action=_action_of(pb),
    )


def _action_of(pb: Task) -> Action:
    kind = pb.WhichOneof("action")
    if kind is None or kind not in ACTIONS:
        raise UnknownAction(f"task {pb.task_id} asks for an action that this release does not know")
    part = getattr(pb, kind)
    # Field names of the message and of the value are the same.
    values: dict[str, Any] = {}
    for field in fields(ACTIONS[kind]):
        value = getattr(part, field.name)
        values[field.name] = value if isinstance(value, str | int) else tuple(value)
    return ACTIONS[kind](**values)
