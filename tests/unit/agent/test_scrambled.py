"""On a page whose tree was scrambled nothing is touched that the good page did not mean."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from agent.errors import AgentError, Unreadable, WrongLanguage
from agent.virtual import hierarchy
from agent.wechat import friends
from agent.wechat.clients import PACKAGE, without_ids
from agent.wechat.pages import Health, Node, Page, read_page
from agent.wechat.screens import Screen, ScreenName, recognise
from agent.wechat.sense import Sense, sense_of, stop_at_nonsense
from agent.wechat.spots import person_on
from agent.wechat.steps import only
from tests.support.glass import SCREEN, Glass, table

PEOPLE = """
[[people]]
nickname = "应答快"
mobile = "13800000001"
[[people]]
nickname = "小满"
wechat_id = "xiaoman"
friend_of = ["all"]
[[chats]]
peer = "xiaoman"
history = 3
"""
WAY = ("更多功能", "添加朋友", "微信号/手机号")
# The steps of an add: how to get there, and what its flow touches there.
PAGES: dict[ScreenName, tuple[tuple[str, ...], Callable[[Screen], Node]]] = {
    ScreenName.CHATS: ((), lambda one: only(one.in_bar(one.starting("plus_menu")), what="the plus")),
    ScreenName.PLUS_MENU: (WAY[:1], lambda one: only(one.texts("menu_add_friend"), what="the entry")),
    ScreenName.ADD_FRIEND: (WAY[:2], lambda one: only(one.starting("add_friend_entry"), what="the box")),
    ScreenName.PROFILE: (
        (*WAY, "搜索:"),
        lambda one: only(one.texts("add_to_contacts"), what="the button"),
    ),
    ScreenName.REQUEST: ((*WAY, "搜索:", "添加到通讯录"), friends._send_button),
}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def good(name: ScreenName) -> Page:
    glass = Glass(PEOPLE)
    for label in PAGES[name][0]:
        if label == "搜索:":
            glass.type("13800000001")
        glass.tap(label)
    return glass.page()


GOOD = {name: good(name) for name in PAGES}


def target(screen: Screen) -> Node:
    """Return what a flow would touch on this page."""
    return PAGES[screen.name][1](screen)


def meant(page: Page, name: ScreenName, changed: Page) -> bool:
    """Tell whether nothing would be touched on the changed page, or just what the good one means."""
    screen = recognise(changed, table())
    if screen is None or screen.name not in PAGES:
        return True
    try:
        touched = screen.page.pressable(target(screen)).box
    except AgentError:
        return True
    whole = recognise(page, table())
    assert whole is not None
    return screen.name is name and touched == whole.page.pressable(target(whole)).box


def rewritten(page: Page, **how: object) -> Page:
    nodes = tuple(node._replace(**{key: act(node) for key, act in how.items()}) for node in page.nodes)  # type: ignore[operator]  # each value is a function of the node
    return replace(page, nodes=nodes)


def test_the_good_pages_are_told_and_have_their_targets() -> None:
    for name, page in GOOD.items():
        screen = recognise(page, table())
        assert screen is not None
        assert screen.name is name
        assert target(screen).box


@hypothesis.settings(max_examples=120, deadline=None)
@hypothesis.given(name=st.sampled_from(list(PAGES)), seed=st.integers(0, 2**32), share=st.floats(0.05, 1.0))
def test_words_without_sense_never_lead_elsewhere(name: ScreenName, seed: int, share: float) -> None:
    rng = random.Random(seed)

    def word(text: str) -> str:
        return "".join(rng.choices(LETTERS, k=len(text))) if text and rng.random() < share else text

    page = GOOD[name]
    assert meant(
        page, name, rewritten(page, text=lambda one: word(one.text), desc=lambda one: word(one.desc))
    )


@hypothesis.settings(max_examples=120, deadline=None)
@hypothesis.given(name=st.sampled_from(list(PAGES)), seed=st.integers(0, 2**32))
def test_shuffled_ids_change_no_target_and_no_name(name: ScreenName, seed: int) -> None:
    rng = random.Random(seed)
    page = GOOD[name]
    ids = [node.rid for node in page.nodes]
    rng.shuffle(ids)
    changed = rewritten(page, rid=lambda one: ids[one.at])
    assert meant(page, name, changed)
    screen = recognise(changed, table())
    if screen is not None and screen.name is ScreenName.PROFILE:
        person = person_on(screen)
        assert person is None or person.text == "应答快"


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(name=st.sampled_from(list(PAGES)), seed=st.integers(0, 2**32), share=st.floats(0.3, 1.0))
def test_nodes_without_words_never_lead_elsewhere(name: ScreenName, seed: int, share: float) -> None:
    rng = random.Random(seed)
    gone = {node.at for node in GOOD[name].nodes if rng.random() < share}
    changed = rewritten(
        GOOD[name],
        text=lambda one: "" if one.at in gone else one.text,
        desc=lambda one: "" if one.at in gone else one.desc,
    )
    assert meant(GOOD[name], name, changed)


def scrambled_page(glass: Glass, act: object, seed: int) -> Page:
    rng = random.Random(seed)
    roots = [act(root, rng) for root in glass.drawn()]  # type: ignore[operator]  # one of the tree's own faults
    xml = hierarchy.write(roots, SCREEN)
    return read_page(xml, package=PACKAGE, activity=glass.app.activity(), read_at_s=0.0)


def test_a_tree_without_words_is_scrambled_by_its_health() -> None:
    page = scrambled_page(Glass(PEOPLE), hierarchy.scrambled, 1)
    assert page.health is Health.SCRAMBLED
    assert recognise(page, table()) is None


def test_a_tree_scrambled_anew_each_time_never_stands_still_and_says_why() -> None:
    glass = Glass(PEOPLE)
    one, two = (scrambled_page(glass, hierarchy.nonsense, seed) for seed in (1, 2))
    assert one.shape() != two.shape()
    assert recognise(one, table()) is None
    assert sense_of(one, table()) is Sense.NONE
    with pytest.raises(Unreadable) as raised:
        stop_at_nonsense(one, table())
    assert raised.value.health == "scrambled"


def test_ids_that_change_between_two_looks_are_no_still_page() -> None:
    page = GOOD[ScreenName.CHATS]
    other = rewritten(page, rid=lambda one: f"{one.rid}x" if one.rid else "")
    assert page.shape() != other.shape()


def test_few_words_among_many_nodes_and_boxes_of_nothing_are_no_health() -> None:
    node = f'<node class="a" text="" package="{PACKAGE}" bounds="[0,0][9,9]" />'
    word = f'<node class="a" text="微信" package="{PACKAGE}" bounds="[0,0][9,9]" />'
    flat = f'<node class="a" text="微信" package="{PACKAGE}" bounds="[0,0][0,0]" />'

    def health(inner: str) -> Health:
        root = f'<node class="a" text="" package="{PACKAGE}" bounds="[0,0][9,9]">{inner}</node>'
        xml = f"<?xml version='1.0'?><hierarchy>{root}</hierarchy>"
        return read_page(xml, package=PACKAGE, activity="com.tencent.mm.ui.LauncherUI", read_at_s=0.0).health

    assert health(node * 60 + word) is Health.SCRAMBLED
    assert health(node * 30 + word * 4) is Health.OK
    assert health(flat * 5 + word * 2) is Health.EMPTY


def test_another_language_is_told_and_not_recognised() -> None:
    glass = Glass(f'[client]\nlanguage = "en"\n{PEOPLE}')
    page = glass.page()
    assert recognise(page, table()) is None
    assert sense_of(page, table()) is Sense.FOREIGN
    with pytest.raises(WrongLanguage):
        stop_at_nonsense(page, table(), is_home_only=True)


@pytest.mark.parametrize("name", list(PAGES))
def test_pages_of_an_add_are_told_without_a_single_id(name: ScreenName) -> None:
    screen = recognise(GOOD[name], without_ids(table()))
    assert screen is not None
    assert screen.name is name
    assert target(screen).box
