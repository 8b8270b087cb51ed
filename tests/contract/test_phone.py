"""What every handset keeps: the same suite on a virtual phone and, with --phone SERIAL, on a real one.

Only looks, scrolls and steps back: nothing here has an effect outside the phone.
"""

import os
import re
import time

import pytest

from agent.capture.chatlist import read_rows
from agent.errors import NotInTime, NotRecognised
from agent.hand import Hand, HandWatch
from agent.phone import SPOT_LIFE_S, Phone
from agent.virtual.scenario import load_scenario
from agent.wechat.identity import read_account
from agent.wechat.newfriends import read_requests
from agent.wechat.pages import Health
from agent.wechat.screens import ScreenName
from agent.wechat.spots import Spot
from tests.support.adb import adb_server, bundled_adb, until
from tests.support.commits import MARK
from tests.support.hand import SCENARIOS
from tests.support.handset import handsets


@pytest.fixture(scope="module")
def serial(request):
    return request.config.getoption("--phone", default=None)


@pytest.fixture(scope="module")
def virtual(serial):
    """The hands on the virtual phone, None on a real one."""
    if serial:
        yield None
        return
    with adb_server(bundled_adb()) as adb, handsets(load_scenario(SCENARIOS / "chats.toml"), adb) as hands:
        yield hands


@pytest.fixture(scope="module")
def phone(serial, virtual):
    if virtual is not None:
        yield virtual.open(virtual.farm.phones[0])
        return
    port = int(os.environ.get("ANDROID_ADB_SERVER_PORT", "5037"))
    opened = Phone.open(serial, adb_host="127.0.0.1", adb_port=port)
    yield opened
    opened.close()


def test_facts_are_filled(phone, virtual):
    facts = phone.facts()
    assert facts.serial
    assert facts.brand
    assert facts.model
    assert facts.sdk >= 26
    assert re.fullmatch(r"\d+(\.\d+)+", facts.wechat_version)
    assert facts.wechat_version_code > 0
    assert facts.is_virtual == (virtual is not None)


def test_ping_is_quick(phone):
    phone.ping()
    began_s = time.monotonic()
    phone.ping()
    assert time.monotonic() - began_s < 3


def test_battery_is_plausible(phone):
    percent, decidegrees = phone.battery()
    assert 0 <= percent <= 100
    assert 0 <= decidegrees < 700


def test_wechat_comes_to_the_front(phone):
    phone.bring_wechat()
    page = phone.page()
    assert page.package == "com.tencent.mm"
    assert page.health is Health.OK
    screen = phone.screen()
    assert screen is not None
    assert screen.name is ScreenName.CHATS


def test_two_looks_at_a_still_page_have_one_shape(phone):
    phone.home()
    until(lambda: phone.page().shape() == phone.page().shape(), "two equal looks", 5)


def test_account_is_read_and_the_list_of_chats_is_back(phone, virtual):
    account = read_account(phone)
    assert account
    if virtual is not None:
        assert account == virtual.farm.phones[0].account_id
    screen = phone.screen()
    assert screen is not None
    assert screen.name is ScreenName.CHATS


def test_new_friends_are_listed(phone):
    assert isinstance(read_requests(phone).rows, tuple)
    phone.bring_wechat()


def test_rows_of_the_list_bear_true_names(phone):
    rows = read_rows(phone.home(), phone.true_texts)
    assert rows
    assert all(seen.row.title for seen in rows)
    assert all(not seen.area.is_empty() for seen in rows)


def test_scroll_moves_the_list_by_about_what_it_says(phone):
    screen = phone.home()
    first = screen.lists()[0]
    moved = phone.scroll(screen.spot(first), first.box, share=-0.3)
    assert moved < 0
    phone.expect(ScreenName.CHATS, what="the list of chats")
    screen = phone.home()
    assert phone.scroll(screen.spot(first), first.box, share=0.3) == -moved


def test_screenshot_is_a_picture(phone):
    assert phone.screenshot()[:4] in (b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"\x89PNG")


def test_old_sight_is_not_tapped(phone):
    screen = phone.home()
    x, y = screen.root.box.centre
    old = Spot(x=x, y=y, screen=screen.name, read_at_s=screen.page.read_at_s - SPOT_LIFE_S - 0.1)
    with pytest.raises(NotRecognised):
        phone.tap(old)
    with pytest.raises(NotRecognised):
        phone.commit(old, MARK)


def test_wait_names_what_did_not_come(phone):
    phone.home()
    with pytest.raises(NotInTime, match="a request page"):
        phone.expect(ScreenName.REQUEST, what="a request page", within_s=0.5)


def test_search_field_takes_chinese_and_emoji(phone):
    """Typing into the search field looks nobody up: the row that searches is not tapped."""
    chats = phone.home()
    phone.tap(chats.spot(chats.page.pressable(chats.in_bar(chats.starting("plus_menu"))[0])))
    menu = phone.expect(ScreenName.PLUS_MENU, what="the menu")
    phone.tap(menu.spot(menu.page.pressable(menu.texts("menu_add_friend")[0])))
    page = phone.expect(ScreenName.ADD_FRIEND, what="the page for adding")
    phone.tap(page.spot(page.page.pressable(page.starting("add_friend_entry")[0])))
    for text in ("你好，世界", "ab😀👍🏽 12", '\'; rm -rf & "引号"'):
        screen = phone.expect(ScreenName.SEARCH, what="the search page")
        phone.type_into(screen, screen.fields()[0], text)
        screen = phone.expect(ScreenName.SEARCH, what="the search page")
        assert phone.true_text(screen.fields()[0]) == text
    phone.bring_wechat()


def test_hand_is_seen_and_our_own_touches_are_not(phone, virtual):
    if virtual is None:
        pytest.skip("needs a finger")
    hand = Hand()
    watch = HandWatch(hand, phone.touches)
    watch.start()
    try:
        until(lambda: hand.is_watched, "the watch")
        screen = phone.home()
        phone.tap(screen.spot(screen.page.pressable(screen.tabs()[0])))
        assert not hand.is_on()
        virtual.farm.phones[0].touch(1, 1)
        until(hand.is_on, "the touch to be seen")
    finally:
        watch.close()
