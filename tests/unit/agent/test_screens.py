"""A page is told by activity, title or text, and an element of its own; nothing else is taken for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.wechat.clients import PACKAGE, tables
from agent.wechat.pages import read_page
from agent.wechat.screens import ScreenName, recognise
from tests.support.glass import Glass, table

DUMPS = Path(__file__).parents[3] / ".." / "shared" / "dumps"
PEOPLE = """
[[people]]
nickname = "应答快"
mobile = "13800000001"
[[people]]
nickname = "双号"
mobile = "13800000002"
trait = "wecom"
[[people]]
nickname = "小满😊"
wechat_id = "xiaoman"
friend_of = ["all"]
[[people]]
nickname = "不让加"
mobile = "13800000003"
trait = "cannot_be_added"
[[chats]]
peer = "xiaoman"
history = 3
[[chats]]
kind = "service"
title = "订阅号消息"
lines = [{ text = "早报" }]
[[posts]]
author = "xiaoman"
text = "新店"
"""


def to_profile(glass, mobile="13800000001"):
    glass.tap("更多功能")
    glass.tap("添加朋友")
    glass.tap("微信号/手机号")
    glass.type(mobile)
    glass.tap("搜索:")


ADD = ("更多功能", "添加朋友")
TAPS = {
    "chats": (),
    "plus_menu": ADD[:1],
    "add_friend": ADD,
    "search": (*ADD, "微信号/手机号"),
    "chat": ("小满",),
    "find": ("搜索",),
    "chat_info": ("小满", "更多信息"),
    "moments": ("发现", "朋友圈"),
    "moments_popup": ("发现", "朋友圈", "评论"),
}


def to_new_friends(glass):
    glass.tap("通讯录", at=-1)
    glass.tap("新的朋友")


def to_accept(glass):
    glass.world.ask(glass.account, glass.world.person("13800000001"), "", is_expired=False)
    glass.app.stage.open("accept_request", "13800000001")


def to_tags(glass):
    glass.app.stage.open("remark", "xiaoman")
    glass.tap("添加标签")


def to_request(glass, mobile="13800000001"):
    to_profile(glass, mobile)
    glass.tap("添加到通讯录")


def to_login(glass):
    glass.account.is_logged_out = True
    glass.app.stop()


WAYS = {
    "contacts": lambda glass: glass.tap("通讯录", at=-1),
    "discover": lambda glass: glass.tap("发现", at=-1),
    "me": lambda glass: glass.tap("我", at=-1),
    "new_friends": to_new_friends,
    "accept": to_accept,
    "remark": lambda glass: glass.app.stage.open("remark", "xiaoman"),
    "tags": to_tags,
    "find_more": lambda glass: glass.app.stage.open("search_more", "小满"),
    "profile": lambda glass: to_profile(glass, "13800000001"),
    "wecom_choice": lambda glass: to_profile(glass, "13800000002"),
    "request": to_request,
    "dialog": lambda glass: to_request(glass, "13800000003"),
    "login": to_login,
    "web": lambda glass: glass.world.warn(glass.account, "RISK_ACCOUNT", "page"),
}


def reach(glass, name):
    """Go to a screen by touches."""
    for label in TAPS.get(name, ()):
        glass.tap(label)
    WAYS.get(name, lambda _: None)(glass)


@pytest.mark.parametrize("version", ["8.0.66", "8.0.43", "8.0.5"])
@pytest.mark.parametrize("name", list(ScreenName))
def test_every_screen_is_told_in_every_version_and_window_order(name, version):
    glass = Glass(f'[client]\nversion_name = "{version}"\nversion_code = 1\n{PEOPLE}')
    reach(glass, name)
    for order in (1, -1):
        screen = recognise(glass.page(order=order), glass.table)
        assert screen is not None
        assert screen.name is name


@pytest.mark.parametrize("name", [one for one in ScreenName if one not in ("login", "web", "dialog")])
def test_the_activity_is_part_of_the_proof(name):
    glass = Glass(PEOPLE)
    reach(glass, name)
    page = glass.page()
    assert (
        recognise(replace(page, activity="com.tencent.mm.plugin.remittance.ui.RemittanceUI"), glass.table)
        is None
    )
    assert recognise(replace(page, package="com.tencent.wework"), glass.table) is None


def test_a_page_whose_activity_changed_first_is_not_told():
    glass = Glass(PEOPLE)
    to_profile(glass)
    assert (
        recognise(replace(glass.page(), activity=glass.table.activity("friend_request")), glass.table) is None
    )
    assert recognise(replace(glass.page(), activity=glass.table.activity("new_friends")), glass.table) is None


def test_dialog_hides_the_page_under_it():
    glass = Glass(PEOPLE)
    reach(glass, "dialog")
    screen = glass.screen()
    assert any("隐私设置" in text for text in screen.words())
    assert "添加到通讯录" not in screen.words()


def test_service_chat_has_no_footer_and_is_a_chat():
    glass = Glass(PEOPLE)
    glass.tap("订阅号消息")
    assert glass.screen().name is ScreenName.CHAT
    assert not glass.screen().fields()


def test_names_that_imitate_the_client_do_not_make_a_menu():
    people = "".join(
        f'[[people]]\nnickname = "{name}"\nwechat_id = "p{n}"\nfriend_of = ["all"]\n'
        f'[[chats]]\npeer = "p{n}"\nhistory = 1\n'
        for n, name in enumerate(("发起群聊", "添加朋友", "扫一扫", "新的朋友"))
    )
    assert Glass(people).screen().name is ScreenName.CHATS


def test_a_tree_without_sense_is_no_screen():
    glass = Glass(PEOPLE)
    page = glass.page()
    blank = tuple(node._replace(text="", desc="") for node in page.nodes)
    assert recognise(replace(page, nodes=blank), glass.table) is None


def test_tab_that_is_tapped_is_the_lowest_of_its_name():
    screen = Glass(PEOPLE).screen()
    assert [tab.text for tab in screen.tabs()] == ["微信", "通讯录", "发现", "我"]
    assert min(tab.box.top for tab in screen.tabs()) > 2000


# -- pages of real clients; the folder is not part of the project

real = pytest.mark.skipif(not DUMPS.is_dir(), reason="no dumps of real clients beside the checkout")


def read_dump(path, activity):
    package = "com.tencent.wework" if path.name.startswith("wecom") else PACKAGE
    return read_page(path.read_text(encoding="utf-8"), package=package, activity=activity, read_at_s=0.0)


def dumps(pattern):
    return sorted(DUMPS.glob(pattern)) if DUMPS.is_dir() else []


ACTIVITIES = sorted({one for table_ in tables() for ones in table_.activities.values() for one in ones})
STOPS = frozenset({ScreenName.LOGIN, ScreenName.WEB, ScreenName.DIALOG})
HARMLESS = ("wechat_main", "personal_chat", "chat_hierarchy", "addfriend_error")
MONEY_AND_PICKERS = [one for one in dumps("wx_*.xml") if not any(word in one.name for word in HARMLESS)]


@real
@pytest.mark.parametrize("path", [*MONEY_AND_PICKERS, *dumps("wecom_*.xml")], ids=lambda path: path.stem)
def test_money_pages_pickers_and_wecom_are_never_taken_for_a_page_we_act_on(path):
    for one in tables():
        for activity in ACTIVITIES:
            page = read_dump(path, activity)
            screen = recognise(page, one)
            assert screen is None or screen.name in STOPS
            if path.name.startswith("wecom"):
                assert recognise(replace(page, package=PACKAGE), one) is None


@real
def test_real_home_is_told_although_its_window_claims_a_chat():
    screen = recognise(
        read_dump(DUMPS / "wx_800x_JianfeiMa_wechat_main.xml", "com.tencent.mm.ui.LauncherUI"), table("8.0.5")
    )
    assert screen is not None
    assert screen.name is ScreenName.CHATS


@real
def test_real_dialog_is_a_dialog():
    screen = recognise(
        read_dump(DUMPS / "wx_800x_JianfeiMa_dialog.xml", "com.tencent.mm.ui.LauncherUI"), table("8.0.5")
    )
    assert screen is not None
    assert screen.name is ScreenName.DIALOG
