"""Dumps are read whatever a message does to them; a bad tree is a state, an attack is refused."""

import hypothesis
import hypothesis.strategies as st
import pytest

from agent.errors import Unreadable
from agent.wechat.pages import DUMP_LIMIT_BYTES, Box, Health, read_page, repair
from agent.wechat.truetext import Sighting, looks_like, true_texts
from tests.support.glass import Glass

MM = "com.tencent.mm"
HEAD = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\r\n"


def node(text="", cls="android.widget.TextView", bounds="[0,0][10,10]", inner="", package=MM, **more):
    extra = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<node text="{text}" class="{cls}" package="{package}" bounds="{bounds}"{extra}>{inner}</node>'


def tree(*nodes):
    return f'{HEAD}<hierarchy rotation="0">{"".join(nodes)}</hierarchy>'


def read(xml, activity="com.tencent.mm.ui.LauncherUI", package=MM):
    return read_page(xml, package=package, activity=activity, read_at_s=1.0)


def test_nodes_keep_order_place_and_kinship():
    page = read(tree(node("甲", inner=node("乙") + node("丙", inner=node("丁"))), node("戊")))
    assert [one.text for one in page.nodes] == ["甲", "乙", "丙", "丁", "戊"]
    assert [one.parent for one in page.nodes] == [-1, 0, 0, 2, -1]
    assert [one.text for one in page.inside(page.nodes[2])] == ["丙", "丁"]
    assert [one.text for one in page.children(page.nodes[0])] == ["乙", "丙"]
    assert [one.text for one in page.roots()] == ["甲", "戊"]


def test_touch_reaches_the_nearest_clickable_ancestor():
    page = read(tree(node(inner=node(clickable="true", bounds="[0,0][5,5]", inner=node("甲")))))
    assert page.pressable(page.nodes[2]).box == Box(0, 0, 5, 5)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&#55357;&#56832;", "\U0001f600"),
        ("&#xD83D;&#xDE00;", "\U0001f600"),
        ("&#65;&#55357;&#56832;&#66;", "A\U0001f600B"),
        ("a&#55357;b", "a\ufffdb"),
        ("a&#8;b", "ab"),
        ("a\x08b", "ab"),
        ("a\udc00b", "ab"),
        ("&#99999999;", "\ufffd"),
        ("a&#10;b", "a\nb"),
        ("&#34;&#60;&#38;", '"<&'),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_text_no_parser_accepts_is_repaired(written, text):
    assert read(tree(node(written), node("x"))).nodes[0].text == text


@hypothesis.given(st.text())
def test_repair_never_leaves_what_xml_forbids(text):
    wild = tree(node(text.replace("<", "").replace('"', "").replace("&", ""), inner=node("甲")))
    assert read(repair(wild)).nodes[-1].text == "甲"


@pytest.mark.parametrize(
    "xml",
    [
        f'{HEAD}<!DOCTYPE a [<!ENTITY b "c">]><hierarchy/>',
        tree("<node"),
        "pong",
        tree(node("甲" * DUMP_LIMIT_BYTES)),
    ],
)
def test_what_is_no_plain_tree_is_unreadable(xml):
    with pytest.raises(Unreadable):
        read(xml)


def test_deep_trees_are_read():
    xml = tree(
        "".join(f'<node text="{n}" class="a" package="{MM}" bounds="[0,0][9,9]">' for n in range(200))
        + "</node>" * 200
    )
    page = read(xml)
    assert len(page.nodes) == 200
    assert page.nodes[0].end == 200


@pytest.mark.parametrize(
    ("xml", "health"),
    [
        ("", Health.EMPTY),
        (f'{HEAD}<hierarchy rotation="0" />', Health.EMPTY),
        (f'{HEAD}<hierarchy rotation="1" />', Health.EMPTY),
        (tree(node()), Health.EMPTY),
        (tree(node(bounds="[0,0][0,0]", inner=node("甲"))), Health.EMPTY),
        (tree(node("甲", package="com.android.systemui", inner=node("乙"))), Health.EMPTY),
        (tree(node(inner=node() + node() + node())), Health.SCRAMBLED),
        (tree(node(inner=node("\ue123\ue0aa") + node("\ue001") + node("甲"))), Health.SCRAMBLED),
        (tree(node(inner=node("甲") + node(cls="android.webkit.WebView"))), Health.WEBVIEW),
        (tree(node(inner=node("甲") + node("乙"))), Health.OK),
    ],
)
def test_health(xml, health):
    assert read(xml).health is health


def test_web_activity_is_never_ok():
    activity = "com.tencent.mm.plugin.webview.ui.tools.MMWebViewUI"
    assert read(tree(node(inner=node("甲"))), activity).health is Health.WEBVIEW


def test_shape_ignores_window_order_and_other_packages():
    one, two = node("甲", inner=node("乙")), node("丙", inner=node("丁"))
    clock = node("10:00", package="com.android.systemui")
    later = node("10:01", package="com.android.systemui")
    assert read(tree(one, two, clock)).shape() == read(tree(later, two, one)).shape()
    assert read(tree(one, two)).shape() != read(tree(one, node("丙", inner=node("戊")))).shape()


def test_dots_of_a_dump_match_only_what_it_would_write_so():
    assert looks_like("林..小满", "林😀小满")
    assert looks_like("好的.", "好的\x07")
    assert looks_like("a..b", "a..b")
    assert not looks_like("林..小满", "林小满")
    assert not looks_like("林..小满", "王😀小满")
    assert not looks_like("林小满", "林😀满")


def test_true_text_is_taken_by_place_and_only_where_it_may_hide():
    page = read(tree(node("..", bounds="[0,0][9,9]"), node("..", bounds="[0,9][9,20]"), node("甲")))
    asked = []

    def ask(cls):
        asked.append(cls)
        return [
            Sighting(Box(0, 0, 9, 9), "😀"),
            Sighting(Box(0, 9, 9, 20), "😂"),
            Sighting(Box(0, 0, 9, 9), "甲乙丙"),
        ]

    assert true_texts(page.nodes, ask) == {0: "😀", 1: "😂", 2: "甲"}
    assert asked == ["android.widget.TextView"]


def test_text_that_moved_away_is_left_out_not_guessed():
    page = read(tree(node("..", bounds="[0,0][9,9]")))
    assert true_texts(page.nodes, lambda _: [Sighting(Box(0, 5, 9, 14), "😀")]) == {}


def test_virtual_client_is_read_with_every_order_of_windows():
    glass = Glass()
    assert glass.page().shape() == glass.page(order=-1).shape()
    assert glass.page().health is Health.OK
