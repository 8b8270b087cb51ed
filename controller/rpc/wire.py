"""Frames to the controller's values and back; nothing past controller/rpc sees a generated type."""

from __future__ import annotations

from controller.errors import BadRequest
from controller.model import Action, Lease, TaskId
from controller.sessions import Admission, Greeting, PhoneSettings, Pulse, Renewal, Window
from protos import fleet_pb2
from protos.channel import HEARTBEAT_MS, PROTOCOL
from protos.facts import PhoneFacts

_MAX_ID_CHARS = 128
_MAX_OPEN_TASKS = 64
_MAX_BIGINT = 2**63 - 1


def _text(value: str, limit: int = _MAX_ID_CHARS) -> str:
    # PostgreSQL keeps no NUL in a text.
    return value.replace("\0", "\ufffd")[:limit]


def greeting_of(hello: fleet_pb2.Hello, farm_id: str) -> Greeting:
    """Return what a first frame claims; BadRequest if it names no handset or no outbox.

    What another farm told the agent says nothing about the data of this one.
    """
    is_ours = hello.last_farm_id in ("", farm_id)
    if not hello.serial.strip() or not hello.spool_id.strip():
        raise BadRequest("the first frame names no handset or no outbox")
    if hello.spool_highest > _MAX_BIGINT or hello.spool_lowest > hello.spool_highest:
        raise BadRequest("the first frame claims an impossible outbox")
    return Greeting(
        facts=PhoneFacts(
            serial=_text(hello.serial.strip()),
            slot=_text(hello.slot),
            host=_text(hello.host),
            brand=_text(hello.phone.brand),
            model=_text(hello.phone.model),
            android_version=_text(hello.phone.android_version),
            sdk=hello.phone.sdk,
            wechat_version=_text(hello.phone.wechat_version),
            wechat_version_code=min(hello.phone.wechat_version_code, _MAX_BIGINT),
            is_virtual=hello.phone.is_virtual,
            wechat_installer=_text(hello.phone.wechat_installer),
        ),
        agent_version=_text(hello.agent_version),
        boot_id=_text(hello.boot_id),
        spool_id=_text(hello.spool_id),
        spool_lowest=hello.spool_lowest,
        spool_highest=hello.spool_highest,
        open_task_ids=tuple(TaskId(_text(task_id)) for task_id in hello.open_task_ids[:_MAX_OPEN_TASKS]),
        last_farm_epoch=min(hello.last_farm_epoch, _MAX_BIGINT) if is_ours else 0,
        last_phone_epoch=min(hello.last_phone_epoch, _MAX_BIGINT) if is_ours else 0,
        spool_acked=min(hello.spool_acked, _MAX_BIGINT) if is_ours else 0,
    )


def spool_of(batch: fleet_pb2.Batch) -> str:
    """Return the outbox a batch comes from, in the form in which its greeting was kept."""
    return _text(batch.spool_id)


def pulse_of(heartbeat: fleet_pb2.Heartbeat) -> Pulse:
    """Return what a heartbeat says."""
    return Pulse(
        state=_text(heartbeat.state),
        cause=_text(heartbeat.cause),
        held_task_ids=tuple(TaskId(_text(task_id)) for task_id in heartbeat.held_task_ids[:_MAX_OPEN_TASKS]),
        agent_at_ms=heartbeat.agent_at_ms,
        battery_percent=heartbeat.battery_percent,
        temperature_decicelsius=heartbeat.temperature_decicelsius,
        account_id=_text(heartbeat.account_id),
    )


def welcome(admission: Admission, farm_id: str) -> fleet_pb2.Down:
    """Return the first frame down; without a number the handset's phone_id is empty."""
    return fleet_pb2.Down(
        welcome=fleet_pb2.Welcome(
            farm_id=farm_id,
            farm_epoch=admission.farm_epoch,
            phone_id=admission.phone_id or "",
            phone_epoch=admission.phone_epoch,
            high_water=admission.high_water,
            controller_at_ms=admission.at_ms,
            heartbeat_ms=HEARTBEAT_MS,
            settings=_settings(admission.settings),
        )
    )


def settings(allowed: PhoneSettings) -> fleet_pb2.Down:
    """Return the frame that tells what is allowed now."""
    return fleet_pb2.Down(settings=_settings(allowed))


def _settings(allowed: PhoneSettings) -> fleet_pb2.Settings:
    return fleet_pb2.Settings(
        capture_allowed=allowed.capture_allowed,
        unattended=allowed.unattended,
        account_id=allowed.account_id,
        sweep_pause_ms=allowed.sweep_pause_ms,
        assist=allowed.assist,
        assist_wait_ms=allowed.assist_wait_ms,
        tables=[
            fleet_pb2.ClientTable(
                version_name=table.version_name,
                version_code=table.version_code,
                installer=table.installer,
                base=table.base,
                ids=dict(table.ids),
            )
            for table in allowed.tables
        ],
        capture_mode=allowed.capture_mode,
        capture_windows=_windows(allowed.capture_windows),
        sweep_windows=_windows(allowed.sweep_windows),
        time_zone=allowed.time_zone,
        excluded_keys=allowed.excluded_keys,
        first_pages=allowed.first_pages,
        first_days=allowed.first_days,
        media=allowed.media,
        hand_quiet_ms=allowed.hand_quiet_ms,
        shown_notice=allowed.shown_notice,
    )


def _windows(windows: tuple[Window, ...]) -> list[fleet_pb2.Window]:
    return [fleet_pb2.Window(start_min=one.start_min, end_min=one.end_min) for one in windows]


def ack(spool_id: str, up_to_seq: int) -> fleet_pb2.Down:
    """Return the frame that says up to where a spool is archived."""
    return fleet_pb2.Down(ack=fleet_pb2.Ack(spool_id=spool_id, up_to_seq=up_to_seq))


def nack(spool_id: str, expected_seq: int) -> fleet_pb2.Down:
    """Return the frame that says where a spool must go on."""
    return fleet_pb2.Down(nack=fleet_pb2.Nack(spool_id=spool_id, expected_seq=expected_seq))


def task(lease: Lease, lease_ms: int) -> fleet_pb2.Down:
    """Return the frame that puts a task into an agent's hands for so many milliseconds."""
    frame = fleet_pb2.Task(
        task_id=lease.task.id,
        job_id=lease.job.id,
        attempt=lease.task.attempt,
        permit_id=lease.permit_id,
        phone_epoch=lease.phone_epoch,
        lease_ms=lease_ms,
        not_after_ms=lease.until_ms,
    )
    task, job = lease.task, lease.job
    match task.action:
        case Action.FRIEND_ADD:
            add = fleet_pb2.FriendAdd(
                query=task.query,
                query_kind=task.query_kind,
                greeting=job.greeting,
                remark=task.remark,
                tags=task.tags,
            )
            frame.friend_add.CopyFrom(add)
        case Action.MOMENTS_LIKE:
            like = fleet_pb2.MomentsLike(
                peer_name=task.query, max_age_days=job.max_age_days, known_posts=lease.known_posts
            )
            frame.moments_like.CopyFrom(like)
        case Action.FRIEND_ACCEPT:
            accept = fleet_pb2.FriendAccept(peer_name=task.query, remark=task.remark, tags=task.tags)
            frame.friend_accept.CopyFrom(accept)
        case Action.FIRST_REPLY:
            frame.first_reply.CopyFrom(fleet_pb2.FirstReply(peer_name=task.query, text=job.greeting))
        case Action.CONTACT_MARK:
            mark = fleet_pb2.ContactMark(peer_name=task.query, remark=task.remark, tags=task.tags)
            frame.contact_mark.CopyFrom(mark)
    return fleet_pb2.Down(task=frame)


def calibrate(request_id: str) -> fleet_pb2.Down:
    """Return the frame that asks an agent to learn the ids of its client."""
    return fleet_pb2.Down(calibrate=fleet_pb2.Calibrate(request_id=request_id))


def lease_renewed(renewal: Renewal) -> fleet_pb2.Down:
    """Return the frame that says how long a lease still runs."""
    return fleet_pb2.Down(
        lease_renewed=fleet_pb2.LeaseRenewed(task_id=renewal.task_id, lease_ms=renewal.lease_ms)
    )


def stop(reason: str) -> fleet_pb2.Down:
    """Return the last frame: superseded, revoked or shutting_down."""
    return fleet_pb2.Down(stop=fleet_pb2.Stop(reason=reason))


def check_protocol(hello: fleet_pb2.Hello) -> bool:
    """Tell whether this release understands the agent's frames."""
    return bool(hello.protocol == PROTOCOL)
