"""The hierarchy XML: exact format and the traits of the real writer."""

import random
import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from agent.virtual import hierarchy
from agent.virtual.ui import Node, Rect
from tests.support.virtualphone import stub_handset

SCREEN = Rect(0, 0, 1_080, 2_340)
PREFIX = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"


def write(*roots: Node, **options: int) -> str:
    return hierarchy.write(list(roots), SCREEN, **options)


def test_the_exact_text() -> None:
    leaf = Node(
        bounds=Rect(10, 20, 30, 40),
        cls="android.widget.TextView",
        text='a"<&>\n',
        rid="com.tencent.mm:id/obn",
        hint="h",
        long_clickable=True,
    )
    root = Node(bounds=SCREEN, cls="android.widget.FrameLayout", clickable=True, children=[leaf])
    plain = 'password="false" selected="false" visible-to-user="true"'
    lines = [
        PREFIX,
        '<hierarchy rotation="1">',
        f"""  <node index="0" text="" resource-id="" class="android.widget.FrameLayout" \
package="com.tencent.mm" content-desc="" checkable="false" checked="false" clickable="true" \
enabled="true" focusable="false" focused="false" scrollable="false" long-clickable="false" \
{plain} bounds="[0,0][1080,2340]" drawing-order="1" hint="" display-id="0">""",
        f"""    <node index="0" text="a&quot;&lt;&amp;&gt;&#10;" resource-id="com.tencent.mm:id/obn" \
class="android.widget.TextView" package="com.tencent.mm" content-desc="" checkable="false" \
checked="false" clickable="false" enabled="true" focusable="false" focused="false" \
scrollable="false" long-clickable="true" {plain} bounds="[10,20][30,40]" drawing-order="1" \
hint="h" display-id="0" />""",
        "  </node>",
        "</hierarchy>",
    ]
    assert write(root, rotation=1).split("\r\n") == lines


def test_what_is_kept_is_written_anew_where_its_place_changed() -> None:
    kept = Node(bounds=Rect(0, 0, 50, 50), is_kept=True, children=[Node(bounds=Rect(0, 0, 50, 50), text="x")])
    other = Node(bounds=Rect(0, 0, 9, 9))
    for children in ([kept], [other, kept], [kept]):
        root = Node(bounds=SCREEN, children=children)
        plain = [replace(one, is_kept=False, written=None) for one in children]
        assert write(root) == write(Node(bounds=SCREEN, children=plain))
        assert write(root) == write(root)
    deeper = Node(bounds=Rect(0, 0, 20, 20), children=[Node(bounds=SCREEN, children=[kept])])
    assert "[0,0][20,20]" in write(deeper)
    assert "[0,0][50,50]" not in write(deeper)
    assert "display-id" not in write(Node(bounds=SCREEN, children=[kept]), sdk=29)
    strange = hierarchy.nonsense(kept, random.Random(1))
    assert 'text="x"' not in write(strange)


def test_no_roots() -> None:
    assert write() == PREFIX + '<hierarchy rotation="0" />'


def test_attributes_came_with_android_versions() -> None:
    root = Node(bounds=SCREEN)
    assert "drawing-order" not in write(root, sdk=23)
    assert "hint=" not in write(root, sdk=25)
    assert "display-id" not in write(root, sdk=29)


def test_naf_marks_a_clickable_node_without_words() -> None:
    silent = Node(bounds=SCREEN, clickable=True, children=[Node(bounds=SCREEN)])
    assert '<node NAF="true" index="0"' in write(silent)
    silent.children[0].desc = "返回"
    assert "NAF" not in write(silent)


def test_invisible_children_are_left_out_but_keep_their_index() -> None:
    gone = Node(bounds=SCREEN, text="gone", visible=False)
    outside = Node(bounds=Rect(0, 3_000, 100, 3_100), text="outside")
    there = Node(bounds=Rect(0, 2_300, 100, 2_400), text="there")
    tree = etree.fromstring(write(Node(bounds=SCREEN, children=[gone, outside, there])).encode())
    (leaf,) = tree.xpath("//node/node")
    assert (leaf.get("index"), leaf.get("bounds")) == ("2", "[0,2300][100,2340]")


def test_emoji_become_two_dots_and_control_characters_one() -> None:
    root = Node(bounds=SCREEN, text="好😀\x08\ufffe终", desc="tab\tok")
    assert 'text="好....终"' in write(root)
    assert 'content-desc="tab&#9;ok"' in write(root)
    platform = hierarchy.write([root], SCREEN, keeps_emoji=True)
    assert "好😀" in platform


@given(st.text(max_size=40))
def test_whatever_the_text_the_xml_parses(text: str) -> None:
    root = Node(bounds=SCREEN, text=text, desc=text)
    raw = write(root).encode("utf-8", "surrogatepass")
    tree = etree.fromstring(raw)
    shown = tree[0].get("text")
    assert len(shown) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_depth_is_limited() -> None:
    root = Node(bounds=SCREEN, children=[Node(bounds=SCREEN, children=[Node(bounds=SCREEN)])])
    assert write(root, max_depth=2).count("<node") == 2


def test_window_order_changes_and_is_decided_by_the_seed() -> None:
    def orders(seed: int) -> list[str]:
        handset = stub_handset(seed=seed, clock=lambda: 0)
        return [",".join(root.package for root in handset.roots()) for _ in range(20)]

    assert len(set(orders(1))) == 2
    assert orders(1) == orders(1)
    assert orders(1) != orders(2)


def test_a_scrambled_tree_has_its_shape_only() -> None:
    root = Node(bounds=SCREEN, text="secret", children=[Node(bounds=SCREEN, desc="phrase", rid="a:id/obn")])
    xml = write(hierarchy.scrambled(root, random.Random(1)))
    assert xml.count("<node") == 2
    assert not any(word in xml for word in ("secret", "phrase", "obn"))


def test_a_page_of_200_nodes_is_quick() -> None:
    rows = [
        Node(
            bounds=Rect(0, 11 * place, 1_080, 11 * place + 11),
            clickable=True,
            children=[
                Node(bounds=Rect(0, 11 * place, 500, 11 * place + 11), text=f"名字{place}", rid="a:id/n"),
                Node(bounds=Rect(500, 11 * place, 900, 11 * place + 11), text=f"line {place}"),
            ],
        )
        for place in range(66)
    ]
    root = Node(bounds=SCREEN, children=rows)
    write(root)
    best = min(_seconds(root) for _ in range(20))
    assert best < 0.005  # 1 ms on a quiet machine; wide margin for a busy one


def _seconds(root: Node) -> float:
    began = time.perf_counter()
    write(root)
    return time.perf_counter() - began
