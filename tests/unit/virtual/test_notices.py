"""Scripted warnings: when they come, where they are shown, how long they stand."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from agent.errors import ConfigWrong, LoggedOut, NotNow, PlatformWarning
from agent.virtual.farm import VirtualFarm
from agent.virtual.notices import Moment, Surface, planned
from agent.virtual.scenario import Scenario, Warn, parse_scenario
from agent.virtual.world import Answer
from agent.wechat.notices import heed_banner
from agent.wechat.screens import ScreenName
from tests.support.glass import Glass

PEER = """
[[people]]
nickname = "小满"
mobile = "13800000001"
[[people]]
nickname = "网络不可用，请检查你的网络设置"
mobile = "13800000002"
friend_of = ["all"]
[[chats]]
peer = "13800000002"
lines = [{text = "操作过于频繁，请稍后再试"}]
"""


def glass(warning: str, surface: str, **how: Any) -> Glass:
    made = Glass(PEER)
    made.world.notices.script(made.account, Warn(warning=warning, surface=surface, **how))  # type: ignore[arg-type]  # a plain word
    return made


def send(made: Glass) -> Answer:
    return made.world.send_request(made.account, made.world.person("13800000001"), "你好", "")


def test_at_a_moment_a_warning_of_the_account_stands_and_another_comes_once() -> None:
    standing, once = glass("TOO_FREQUENT", "dialog", at="send"), glass("PEER_ABNORMAL", "dialog", at="send")
    assert [send(standing) for _ in range(3)] == [Answer.WARNED] * 3
    assert [send(once) for _ in range(2)] == [Answer.WARNED, Answer.SENT]
    truth = standing.world.truth.phones()[0]
    assert (truth["requests"], truth["refused"], truth["after_warning"]) == ([], {"send": 3}, 2)


def test_a_warning_may_stand_for_a_time() -> None:
    made = glass("TOO_FREQUENT", "dialog", at="send", lasts_s=60.0)
    assert send(made) is Answer.SENT  # no time passes for it in a world whose time is scaled to nothing
    [notice] = planned(Warn(warning="TOO_FREQUENT", at="send"), until_ms=5_000)
    assert notice.is_standing
    assert notice.until_ms == 5_000


def test_one_that_stands_from_now_on_is_met_again_by_a_client_started_again() -> None:
    made = glass("RISK_ACCOUNT", "dialog", standing=True)
    assert made.screen().name is ScreenName.DIALOG
    made.app.back()
    assert made.screen().name is ScreenName.CHATS
    made.app.stop()
    assert made.screen().name is ScreenName.DIALOG


def test_called_off_nothing_is_left_and_whoever_was_signed_out_is_in_again() -> None:
    made = glass("LOGIN_EXPIRED", "page")
    assert made.screen().name is ScreenName.LOGIN
    made.world.notices.calm(made.account)
    assert made.screen().name is ScreenName.CHATS
    assert send(made) is Answer.SENT


@pytest.mark.parametrize(
    ("warning", "surface", "screen"),
    [
        ("KICKED", "dialog", ScreenName.DIALOG),
        ("RISK_ACCOUNT", "page", ScreenName.WEB),
        ("VERSION_TOO_LOW", "page", ScreenName.WEB),
        ("OUTAGE", "page", ScreenName.WEB),
        ("NEW_DEVICE_FACE", "page", ScreenName.LOGIN),
        ("RISK_ACCOUNT", "verify", ScreenName.LOGIN),
        ("RISK_ACCOUNT", "login", ScreenName.LOGIN),
        ("RISK_ACCOUNT", "banner", ScreenName.CHATS),
    ],
)
def test_each_surface_is_a_screen_of_its_own(warning: str, surface: str, screen: ScreenName) -> None:
    assert glass(warning, surface).screen().name is screen


def test_the_strip_over_the_chats_is_heeded_and_rows_are_not() -> None:
    heed_banner(Glass(PEER).screen())
    for warning, error in (
        ("NETWORK", NotNow),
        ("RISK_ACCOUNT", PlatformWarning),
        ("TOO_FREQUENT", PlatformWarning),
    ):
        with pytest.raises(error):
            heed_banner(glass(warning, "banner").screen())
    heed_banner(glass("PEER_RISK", "banner").screen())


def test_a_strip_without_any_chat_is_heeded_too() -> None:
    made = Glass()
    made.world.notices.script(made.account, Warn(warning="TOO_FREQUENT", surface="banner"))
    with pytest.raises(PlatformWarning):
        heed_banner(made.screen())


def test_a_toast_comes_over_a_search_that_goes_on() -> None:
    made = glass("TOO_FREQUENT", "toast", at="search")
    assert made.world.search(made.account, "13800000001").answer is Answer.FOUND
    made.drawn()
    assert made.app.take_toast() == "操作过于频繁，请稍后再试"


def test_a_grey_line_stands_in_the_chat_that_was_written_in() -> None:
    made = glass("REJECTED", "system_line", at="reply")
    chat = made.account.chats["13800000002"]
    made.world.send(made.account, chat, "您好")
    made.drawn()
    assert [line.side for line in chat.lines] == ["in", "out", "system"]
    assert chat.lines[-1].text == "消息已发出，但被对方拒收了。"


def test_a_grey_line_of_the_account_stands_with_the_team() -> None:
    made = glass("RISK_ACCOUNT", "system_line", form=2)
    made.drawn()
    assert made.account.chats_in_order()[0].title == "微信团队"


def test_forms_are_those_of_the_client() -> None:
    made = glass("TOO_FREQUENT", "dialog", form=6)
    assert "操作過於頻繁，請稍後再試" in made.screen().words()


def test_what_is_refused_by_a_scenario() -> None:
    with pytest.raises(ConfigWrong):
        parse_scenario('[[warnings]]\nwarning = "NOT_FOUND"\nsurface = "text"\nat = "home"')
    with pytest.raises(ConfigWrong):
        parse_scenario('[[warnings]]\nwarning = "NOT_FOUND"\nsurface = "nowhere"')
    with pytest.raises(ValueError, match="search"):
        planned(Warn(warning="NOT_FOUND", surface="text", at="now"))
    assert planned(Warn(warning="NOT_FOUND", surface="text"))[0].at is Moment.SEARCH
    assert {one.value for one in Surface} >= {"banner", "system_line", "login", "verify"}


def _post(farm: VirtualFarm, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{farm.control_url}{path}", data=json.dumps(body).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_the_control_endpoint_warns_and_calls_off() -> None:
    scenario: Scenario = parse_scenario(
        '[phones_like]\ncount = 2\n[[warnings]]\nwarning = "KICKED"\naccounts = ["farm_002"]\nat = "home"'
    )
    with VirtualFarm(scenario, time_scale=0) as farm:
        _post(farm, "/phones/VP001/warn", {"warning": "RISK_ACCOUNT", "at": "send", "standing": True})
        notices = farm.do(lambda: [list(one.notices) for one in farm.world.accounts.values()])
        assert [[(one.warning, one.at) for one in each] for each in notices] == [
            [("RISK_ACCOUNT", "send")],
            [("KICKED", "home")],
        ]
        _post(farm, "/phones/VP001/calm", {})
        assert not farm.do(lambda: farm.world.accounts["farm_001"].notices)


def test_sign_out_is_no_warning_of_the_platform() -> None:
    from agent.wechat.warnings import judge

    with pytest.raises(LoggedOut):
        judge(" ".join(glass("KICKED", "dialog").screen().words()), surface="dialog")
