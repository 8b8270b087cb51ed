"""Alerts on both stores: made once, told within the number of an hour, tried again, given up after a day."""

from __future__ import annotations

from typing import Any

import pytest

from controller.alertbook import Alerts, Outgoing
from controller.alerts import AlertState, Target
from controller.clock import DAY_MS, HOUR_MS
from controller.core import Core
from controller.errors import BadRequest
from protos.facts import MessageSeen
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import handset
from tests.support.planted import plant

DUTY = Target(name="duty", severities=("high", "critical"), per_hour=3, language="en")
BOSS = Target(name="boss", severities=("critical",), notified=False, language="zh")


def farm(backend: Backend, *targets: Target) -> Core:
    return backend.core(alerts=targets or (DUTY, BOSS))


def make(backend: Backend, core: Core, **parts: Any) -> int:
    found = plant(backend.store(), at_ms=backend.clock.now_ms(), **parts)
    core.alerts.sweep()
    return found


def states(core: Core, **wanted: Any) -> list[str]:
    return [str(alert.state) for alert in core.alerts.list(**wanted)]


def the(outgoing: Outgoing | None) -> Outgoing:
    assert outgoing is not None
    return outgoing


def said_to(text: str) -> MessageSeen:
    return MessageSeen(
        conversation_key="one",
        conversation_title="One",
        conversation_kind="private",
        position=1,
        side="out",
        kind="text",
        text=text,
        time_label="",
        ambiguous=False,
    )


def send_all(alerts: Alerts, name: str) -> list[str]:
    said = []
    while (outgoing := alerts.take(name)) is not None:
        said.append(outgoing.body)
        alerts.sent(outgoing)
    return said


# ---- what is made


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"severity": "critical"}, ["boss", "duty"]),
        ({"severity": "high"}, ["duty"]),
        ({"severity": "low"}, []),
        ({"severity": "low", "notify": True}, ["duty"]),
        ({"severity": "critical", "origin": "rescan"}, []),
    ],
)
def test_a_target_is_told_of_its_severities_and_of_what_rules_ask(
    backend: Backend, parts: dict[str, Any], told: list[str]
) -> None:
    core = farm(backend)
    make(backend, core, **parts)
    assert sorted(alert.target for alert in core.alerts.list()) == told


def test_a_violation_makes_one_alert_however_often_is_swept(backend: Backend) -> None:
    core = farm(backend, DUTY)
    make(backend, core)
    core.alerts.sweep()
    backend.core(alerts=(DUTY,)).alerts.sweep()  # after a restart
    assert len(send_all(core.alerts, "duty")) == 1
    backend.core(alerts=(DUTY,)).alerts.sweep()
    assert states(core) == ["sent"]


def test_what_shows_late_with_an_earlier_time_is_told_too(backend: Backend) -> None:
    core = farm(backend, DUTY)
    make(backend, core)
    backend.clock.advance(50_000)
    core.alerts.sweep()
    plant(backend.store(), at_ms=START_MS + 1_000)
    core.alerts.sweep()
    assert len(core.alerts.list()) == 2


def test_what_was_found_before_the_last_day_is_no_news(backend: Backend) -> None:
    plant(backend.store(), at_ms=START_MS - DAY_MS - 1)
    plant(backend.store(), at_ms=START_MS - DAY_MS + 60_000)
    core = farm(backend, DUTY)
    core.alerts.sweep()
    assert len(core.alerts.list()) == 1


# ---- what is said


def test_an_alert_names_the_place_and_nobody(backend: Backend) -> None:
    core = farm(backend)
    found = make(backend, core, severity="critical")
    assert the(core.alerts.take("duty")).body == f"L012 offpay, phone 017, 王*, violation {found}"
    zh = the(core.alerts.take("boss"))
    assert zh.body == f"L012 offpay，手机 017，王*，违规 {found}"
    assert zh.title == "违规告警（严重）"


def test_the_text_is_said_only_where_it_may_be_and_with_numbers_hidden(backend: Backend) -> None:
    open_target = Target(name="open", severities=("high",), masked=False, language="en")
    core = backend.core(alerts=(DUTY, open_target))
    phone = handset(core, 7, holder="王芳")
    core.notices.record("王芳", version="v1", how="paper", actor="op")
    phone.say(said_to("加我 zhang_2024ab 或 13800138000 转账"), account_id="wx007")
    chat = core.archive.conversations()[0]
    said = core.archive.messages(chat.id)[0]
    at = said.text.index("转账")
    make(backend, core, message_id=said.id, conversation_id=chat.id, start=at, end=at + 2)
    body = the(core.alerts.take("open")).body
    assert "【转账】" in body
    assert "13800138000" not in body
    assert "zhang_2024ab" not in body
    assert "zh" in body
    assert "王芳" in body
    assert "转账" not in the(core.alerts.take("duty")).body


# ---- how often


def test_beyond_the_number_of_an_hour_one_line_is_told_when_it_is_over(backend: Backend) -> None:
    core = farm(backend, DUTY)
    for at in range(8):
        make(
            backend,
            core,
            severity="critical" if at == 7 else "high",
            category="abuse" if at == 6 else "offpay",
        )
    said = send_all(core.alerts, "duty")
    assert len(said) == 3
    assert states(core) == ["sent", *["beyond"] * 5, "sent", "sent"]  # the most severe first
    backend.clock.advance(HOUR_MS - 1)
    core.alerts.sweep()
    assert core.alerts.take("duty") is None
    backend.clock.advance(1)
    summary = the(core.alerts.take("duty"))
    assert summary.body == "5 more than 3 in an hour, not told one by one: 4 offpay (high), 1 abuse (high)"
    core.alerts.sent(summary)
    assert states(core)[1:6] == ["summed"] * 5
    make(backend, core)
    assert len(send_all(core.alerts, "duty")) == 1  # there is room again


def test_two_controllers_never_tell_more_than_the_number(backend: Backend) -> None:
    cores = [farm(backend, DUTY) for _ in range(3)]
    for _ in range(9):
        make(backend, cores[0])

    def work(core: Core) -> list[str]:
        return send_all(core.alerts, "duty")

    said = race([lambda core=core: work(core) for core in cores])  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    assert sum(map(len, said)) == 3
    assert sorted(states(cores[0])) == ["beyond"] * 6 + ["sent"] * 3


# ---- what fails


def test_what_failed_is_tried_again_later_each_time_and_nothing_else_before(backend: Backend) -> None:
    core = farm(backend, DUTY)
    make(backend, core)
    make(backend, core)
    pauses = []
    for _ in range(9):
        core.alerts.not_sent(the(core.alerts.take("duty")), "http_500")
        assert core.alerts.take("duty") is None
        soonest = min(alert.next_at_ms for alert in core.alerts.list())
        pauses.append((soonest - backend.clock.now_ms()) // 1000)
        backend.clock.advance(soonest - backend.clock.now_ms())
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    counts = core.alerts.counts()["duty"]
    assert (counts.waiting, counts.failing) == (2, 1)
    assert core.status().alerts_failing == 1
    assert len(send_all(core.alerts, "duty")) == 2
    assert core.status().alerts_failing == 0


def test_when_a_target_answers_again_what_waited_goes_out(backend: Backend) -> None:
    core = farm(backend, DUTY)
    make(backend, core)
    for pause_s in (30, 60, 120):
        core.alerts.not_sent(the(core.alerts.take("duty")), "http_500")
        backend.clock.advance(pause_s * 1000)
    core.alerts.not_sent(the(core.alerts.take("duty")), "http_500")
    make(backend, core)
    core.alerts.sent(the(core.alerts.take("duty")))
    assert core.alerts.take("duty") is not None


def test_a_line_that_failed_is_tried_again(backend: Backend) -> None:
    core = farm(backend, DUTY)
    for _ in range(5):
        make(backend, core)
    send_all(core.alerts, "duty")
    backend.clock.advance(HOUR_MS)
    core.alerts.not_sent(the(core.alerts.take("duty")), "timeout")
    assert core.alerts.take("duty") is None
    backend.clock.advance(30_000)
    core.alerts.sent(the(core.alerts.take("duty")))
    assert sorted(states(core)) == ["sent"] * 3 + ["summed"] * 2


def test_after_a_day_it_is_given_up_and_a_person_can_have_it_tried_again(backend: Backend) -> None:
    core = farm(backend, DUTY)
    make(backend, core)
    core.alerts.not_sent(the(core.alerts.take("duty")), "timeout")
    backend.clock.advance(DAY_MS)
    core.alerts.sweep()
    assert [(alert.state, alert.error) for alert in core.alerts.list()] == [("failed", "timeout")]
    assert core.status().alerts_failed == 1
    assert core.alerts.take("duty") is None
    assert core.alerts.retry(None, actor="op") == 1
    assert len(send_all(core.alerts, "duty")) == 1
    assert core.alerts.retry(None, actor="op") == 0  # what was sent is never sent again
    assert core.audit.entries()[0].what == "alerts.retry"


def test_alerts_of_a_target_that_is_gone_are_given_up(backend: Backend) -> None:
    make(backend, farm(backend, DUTY))
    core = backend.core()
    assert core.alerts.counts()["duty"].waiting == 1
    backend.clock.advance(DAY_MS)
    core.alerts.sweep()
    assert [(alert.state, alert.error) for alert in core.alerts.list()] == [("failed", "nobody_sends")]
    with pytest.raises(BadRequest, match="no alert target duty"):
        core.alerts.take("duty")


# ---- who has it in hands


def test_in_hands_it_is_nobody_elses_and_comes_back_when_they_are_gone(backend: Backend) -> None:
    core, other = farm(backend, DUTY), farm(backend, DUTY)
    make(backend, core)
    first = the(core.alerts.take("duty"))
    assert other.alerts.take("duty") is None
    backend.clock.advance(first.until_ms - backend.clock.now_ms())
    second = the(other.alerts.take("duty"))
    core.alerts.not_sent(first, "timeout")  # it is not in these hands any more
    assert states(core) == ["sending"]
    other.alerts.sent(second)
    core.alerts.not_sent(first, "timeout")
    assert states(core) == ["sent"]


def test_many_alerts_are_made_by_several_sweeps(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.alertbook._MOST_AT_ONCE", 4)
    core = farm(backend, DUTY)
    for _ in range(10):
        plant(backend.store())
    for made in (4, 8, 10, 10):
        core.alerts.sweep()
        assert len(core.alerts.list()) == made


def test_states_are_told_apart_in_lists(backend: Backend) -> None:
    core = farm(backend)
    make(backend, core, severity="critical")
    core.alerts.sent(the(core.alerts.take("boss")))
    assert states(core, state=AlertState.SENT) == ["sent"]
    assert [alert.target for alert in core.alerts.list(target="duty")] == ["duty"]
    newest = core.alerts.list(limit=1)[0].id
    assert [alert.id for alert in core.alerts.list(before_id=newest)] == [newest - 1]
