"""Every class of warning, met by the real agent under the real controller: no lasting tap follows.

All phones of the farm live through the same story, each with its own warning: at work until it meets it;
agents restarted; controller restarted; called off by WeChat and lifted by a named person; at work again.
What was seen at each stage is kept, and each case is judged by a test of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import Scenario, parse_scenario
from controller.core import Core
from controller.errors import BadRequest
from controller.model import Held, PhoneId
from tests.support.adb import AdbServer, adb_binaries, adb_server
from tests.support.warnrig import Sight, Told, WarnRig, warn_rig

# The first test waits for the whole story of all phones.
pytestmark = pytest.mark.timeout(300)

REST, SIGNED_OUT, ENDED, WAITS, GOES_ON = "rest", "signed_out", "ended", "waits", "goes_on"
TASKS = 2
# Agents in one process share one connection, and the controller takes 32 streams on each.
FARM_SIZE = 28
FIRST_LIMIT_S = 90.0
AGAIN_LIMIT_S = 25.0


@dataclass(frozen=True)
class Case:
    """One warning and what must come of it; `cause` is the class people are shown, or the task's outcome."""

    warning: str
    surface: str
    at: str
    effect: str
    cause: str = ""
    text: str = ""
    form: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the case's id."""
        form = f"-{self.form}" if self.form else ""
        return f"{self.warning}-{self.surface}-{self.at or 'now'}{form}{'-words' if self.text else ''}"


def stop(warning: str, surface: str, at: str, **more: Any) -> Case:
    return Case(warning, surface, at, REST, more.pop("cause", warning), **more)


CASES = (
    # What is said of the account, wherever it is said.
    stop("TOO_FREQUENT", "dialog", "home"),
    stop("TOO_FREQUENT", "toast", "home", form=6),
    stop("TOO_FREQUENT", "banner", "home"),
    stop("TOO_FREQUENT", "page", "home"),
    stop("TOO_FREQUENT", "text", "search"),
    stop("TOO_FREQUENT", "text", "search", form=1),
    stop("TOO_FREQUENT", "dialog", "search", form=5),
    stop("TOO_FREQUENT", "toast", "search"),
    stop("TOO_FREQUENT", "toast", "add"),
    stop("TOO_FREQUENT", "dialog", "send", form=7),
    stop("TOO_FREQUENT", "toast", "send"),
    stop("TOO_FREQUENT", "page", "send"),
    stop("RISK_ACCOUNT", "dialog", "home"),
    stop("RISK_ACCOUNT", "page", "home"),
    stop("RISK_ACCOUNT", "banner", "home", form=2),
    stop("RISK_ACCOUNT", "text", "search", form=1),
    stop("RISK_ACCOUNT", "dialog", "send"),
    stop("REALNAME", "dialog", "send"),
    stop("REALNAME", "page", "home"),
    stop("VERSION_TOO_LOW", "dialog", "home"),
    stop("VERSION_TOO_LOW", "page", "search"),
    stop("WECOM_ERRORS", "dialog", "search"),
    stop("GROUP_LIMIT", "dialog", "home", form=3),
    stop("STRANGER_CAP", "toast", "send"),
    stop("COMMENT_RESTRICTED", "dialog", "home"),
    stop("SEND_LIMIT", "toast", "home"),
    stop("LOGIN_PAGE", "page", "home", form=2),
    stop("LOGIN_PAGE", "dialog", "search", form=4),
    stop("SOMETHING_NEW", "dialog", "home", text="系统检测到新的情况，请联系我们", cause="UNKNOWN_DIALOG"),
    stop("SOMETHING_NEW", "dialog", "send", text="系统检测到新的情况，请联系我们", cause="UNKNOWN_DIALOG"),
    stop("SOMETHING_NEW", "page", "home", text="系统检测到新的情况，请联系我们", cause="UNKNOWN_PAGE"),
    # A person has to sign in.
    Case("KICKED", "dialog", "home", SIGNED_OUT),
    Case("KICKED", "dialog", "search", SIGNED_OUT, more={"standing": True}),
    Case("LOGIN_EXPIRED", "dialog", "home", SIGNED_OUT),
    Case("LOGIN_EXPIRED", "page", "search", SIGNED_OUT),
    Case("LOGIN_PAGE", "login", "search", SIGNED_OUT),
    Case("NEW_DEVICE_FACE", "verify", "home", SIGNED_OUT),
    # An answer about one person.
    Case("NOT_FOUND", "text", "search", ENDED, "not_found", more={"standing": False}),
    Case("NOT_FOUND", "dialog", "search", ENDED, "not_found", form=2),
    Case("PEER_ABNORMAL", "text", "search", ENDED, "peer_abnormal", form=2, more={"standing": False}),
    Case("WECOM_USER", "dialog", "search", ENDED, "wecom_user"),
    Case("BLOCKED_ADD", "toast", "add", ENDED, "blocked_by_peer"),
    Case("CANNOT_BE_ADDED", "dialog", "add", ENDED, "cannot_be_added"),
    Case("PEER_DELETED_ACCOUNT", "dialog", "search", ENDED, "peer_abnormal"),
    # What passes by itself.
    Case("NETWORK", "banner", "home", WAITS, "NETWORK"),
    Case("OUTAGE", "page", "home", WAITS, "OUTAGE", more={"standing": True}),
    # What is only to be known.
    Case("PEER_RISK", "banner", "home", GOES_ON),
    Case("BACKGROUND_RESTRICTED", "banner", "home", GOES_ON),
    Case("UPDATE", "dialog", "home", GOES_ON),
    Case("TEEN_MODE", "dialog", "home", GOES_ON),
    Case("PERMISSION", "dialog", "home", GOES_ON),
    Case("FRIEND_LIMIT", "dialog", "home", GOES_ON),
    Case("GROUP_LIMIT", "dialog", "home", GOES_ON),
    # Other people's words, in names and chats: see the scenario.
    Case("", "", "", GOES_ON),
)
BY_SERIAL = {f"VP{n:03}": case for n, case in enumerate(CASES, 1)}
OTHERS = f"VP{len(CASES):03}"
HOLDS = {REST: "backoff", SIGNED_OUT: "logged_out", WAITS: "preparing"}


def mobile(serial: str, n: int) -> str:
    return f"138{int(serial[2:]):04}{n:04}"


def scenario(serials: Sequence[str]) -> Scenario:
    people = "\n".join(
        f'[[people]]\nnickname = "{f"操作频繁，请稍后再试{n}" if serial == OTHERS else f"客户{serial}{n}"}"\n'
        f'mobile = "{mobile(serial, n)}"'
        for serial in serials
        for n in range(TASKS)
    )
    phones = "\n".join(
        f'[[phones]]\nserial = "{serial}"\naccount_id = "farm_{serial[2:]}"\nnickname = "客服"'
        for serial in serials
    )
    account = f"farm_{len(CASES):03}"
    return parse_scenario(
        f"""
{phones}
{people}
[[people]]
nickname = "网络不可用，请检查你的网络设置"
mobile = "13900000001"
friend_of = ["{account}"]
[[people]]
nickname = "微信(操作频繁)"
mobile = "13900000002"
friend_of = ["{account}"]
[[chats]]
accounts = ["{account}"]
peer = "13900000001"
lines = [{{text = "操作过于频繁，请稍后再试"}}, {{text = "账号存在安全风险", side = "out"}}]
unread = 1
[[chats]]
accounts = ["{account}"]
peer = "13900000002"
lines = [
  {{text = "请完成实名认证", side = "in"}},
  {{text = "\\"操作过于频繁，请稍后再试\\"撤回了一条消息", side = "system"}},
]
unread = 1
""",
        name="warnings",
    )


@dataclass
class Story:
    """What was seen at the end of each stage, who came there late, and what the controller said to leases."""

    late: dict[str, set[str]] = field(default_factory=dict)
    sights: dict[str, Sight] = field(default_factory=dict)
    leases: dict[str, object] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)  # reasons with which no rest was lifted

    def note(self, stage: str, sight: Sight, late: set[str]) -> None:
        """Keep what stands now on the phones of one farm."""
        kept = self.sights.setdefault(stage, Sight({}, {}))
        kept.told.update(sight.told)
        kept.truth.update(sight.truth)
        self.late.setdefault(stage, set()).update(late)

    def told(self, stage: str, serial: str) -> Told:
        """Return what the controller showed of a phone that came there in time."""
        told = self.sights[stage].told[serial]
        assert serial not in self.late[stage], told
        return told

    def truth(self, stage: str, serial: str) -> dict[str, Any]:
        """Return what had really happened."""
        return self.sights[stage].truth[serial]


STAGES = ("met", "agent again", "controller again")


def is_there(sight: Sight, serial: str) -> bool:
    """Tell whether a phone has come where its warning leads."""
    case, told = BY_SERIAL[serial], sight.told[serial]
    if case.effect not in HOLDS:
        return told.is_over
    is_cause = not case.cause or told.cause == case.cause
    return bool(sight.truth[serial]["warnings"]) and told.state == HOLDS[case.effect] and is_cause


def script(farm: VirtualFarm) -> None:
    for phone in farm.phones:
        case = BY_SERIAL[phone.serial]
        if case.warning:
            farm.warn(
                phone.account_id,
                case.warning,
                case.surface,  # type: ignore[arg-type]  # a table of plain words
                case.text,
                at=case.at,
                form=case.form,
                **case.more,
            )


def lift(rig: WarnRig, phone: VirtualPhone, story: Story) -> None:
    """Call everything off, and lift the rest by name; without a reason that is refused."""
    rig.farm.calm(phone.account_id)
    if BY_SERIAL[phone.serial].effect != REST:
        rig.restart_agent(phone)
        return
    number = rig.phone_id(phone)
    for reason in ("", "已处理"):
        try:
            rig.core(partial(clear, number=number, reason=reason))
        except BadRequest:
            story.refused.setdefault(phone.serial, []).append(reason)


def clear(core: Core, number: PhoneId, reason: str) -> None:
    core.fleet.clear(number, reason=reason, actor="王芳")


def ask(core: Core, number: PhoneId) -> object:
    """Ask for a task as an agent would that has forgotten everything."""
    return core.jobs.lease(number, epoch=core.fleet.phone(number).epoch, spool_id="another")


@pytest.fixture(scope="module")
def adb() -> Iterator[AdbServer]:
    with adb_server(adb_binaries()["bundled"]) as server:
        yield server


@pytest.fixture(scope="module")
def story(adb: AdbServer, tmp_path_factory: pytest.TempPathFactory) -> Story:
    told = Story()
    everybody = list(BY_SERIAL)
    for at in range(0, len(everybody), FARM_SIZE):
        live(told, tmp_path_factory.mktemp("warned"), everybody[at : at + FARM_SIZE], adb)
    return told


def live(told: Story, folder: Path, serials: Sequence[str], adb: AdbServer) -> None:
    """Live through the story with these phones."""
    with warn_rig(folder, scenario(serials), adb) as rig:
        script(rig.farm)
        rig.core(rig.assign)
        rig.core(
            lambda core: rig.add(
                core, {serial: [mobile(serial, n) for n in range(TASKS)] for serial in serials}
            )
        )
        late = rig.in_turn(rig.start_agent, is_there, FIRST_LIMIT_S)
        told.note("met", rig.look(), late)

        before = rig.look()

        def is_back(sight: Sight, serial: str) -> bool:
            return sight.told[serial].epoch > before.told[serial].epoch and is_there(sight, serial)

        rig.stop_agents()
        late = rig.in_turn(rig.start_agent, is_back, AGAIN_LIMIT_S)
        told.note("agent again", rig.look(), late)

        before = rig.look()
        rig.stop_controller()
        rig.start_controller()

        def has_settled(sight: Sight, serial: str) -> bool:
            # A phone is `preparing` for a moment after the link came back.
            is_free = BY_SERIAL[serial].effect != ENDED or sight.told[serial].state in ("ready", "busy")
            return is_back(sight, serial) and is_free

        late = rig.wait(serials, has_settled, AGAIN_LIMIT_S)
        told.note("controller again", rig.look(), late)

        for phone in rig.farm.phones:
            if BY_SERIAL[phone.serial].effect == REST:
                told.leases[phone.serial] = rig.core(partial(ask, number=rig.phone_id(phone)))
        late = rig.in_turn(
            lambda phone: lift(rig, phone, told),
            lambda sight, serial: sight.told[serial].is_over,
            FIRST_LIMIT_S,
        )
        told.note("lifted", rig.look(), late)


def cases(*effects: str) -> list[Any]:
    return [
        pytest.param(serial, case, id=case.name)
        for serial, case in BY_SERIAL.items()
        if case.effect in effects
    ]


def serials(*effects: str) -> list[Any]:
    return [
        pytest.param(serial, id=case.name) for serial, case in BY_SERIAL.items() if case.effect in effects
    ]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("serial", "case"), cases(REST))
def test_the_account_rests_and_not_a_tap_follows(story: Story, serial: str, case: Case, stage: str) -> None:
    told, truth = story.told(stage, serial), story.truth(stage, serial)
    assert (told.state, told.cause) == ("backoff", case.cause)
    assert truth["after_warning"] == 0
    assert sum(truth["refused"].values()) <= 1
    assert truth["searches"] == story.truth("met", serial)["searches"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("serial", serials(SIGNED_OUT))
def test_a_phone_that_must_sign_in_waits_for_a_person(story: Story, serial: str, stage: str) -> None:
    assert story.told(stage, serial).state == "logged_out"
    assert story.truth(stage, serial)["after_warning"] == 0


@pytest.mark.parametrize(("serial", "case"), cases(ENDED))
def test_an_answer_about_one_person_ends_one_task(story: Story, serial: str, case: Case) -> None:
    assert story.told("met", serial).outcomes == [case.cause, "requested"]
    assert story.told("controller again", serial).state in ("ready", "busy")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("serial", "case"), cases(WAITS))
def test_what_passes_by_itself_is_waited_for(story: Story, serial: str, case: Case, stage: str) -> None:
    told = story.told(stage, serial)
    assert (told.state, told.cause) == ("preparing", case.cause)
    assert told.outcomes == [""] * TASKS
    assert story.truth(stage, serial)["after_warning"] == 0


@pytest.mark.parametrize(("serial", "case"), cases(GOES_ON))
def test_work_goes_on_past_a_notice_and_past_the_words_of_others(
    story: Story, serial: str, case: Case
) -> None:
    assert story.told("met", serial).outcomes == ["requested"] * TASKS
    shown = {one["warning"] for one in story.truth("met", serial)["warnings"]}
    assert shown == ({case.warning} if case.warning else set())


@pytest.mark.parametrize("serial", serials(REST))
def test_a_resting_account_gets_no_task_by_any_way(story: Story, serial: str) -> None:
    assert isinstance(story.leases[serial], Held)
    assert story.refused[serial] == [""]


@pytest.mark.parametrize("serial", serials(REST, SIGNED_OUT, WAITS))
def test_work_goes_on_once_it_is_over(story: Story, serial: str) -> None:
    assert story.told("lifted", serial).outcomes[-1] == "requested"
    requests = story.truth("lifted", serial)["requests"]
    assert requests
    assert all(one["count"] == 1 for one in requests)
