"""What is read without a parser is exactly what the parser reads; anything odd is left to the parser."""

import hypothesis
import hypothesis.strategies as st

from agent.virtual import hierarchy
from agent.virtual.ui import Node as Drawn
from agent.virtual.ui import Rect
from agent.wechat.pages import Health, parsed_nodes, read_page
from agent.wechat.quicktree import Unlike, quick_nodes
from tests.support.glass import SCREEN, Glass

PACKAGE = "com.tencent.mm"


def either(xml):
    """Return what is read quickly, None if that is refused; it must be what the parser finds."""
    try:
        quick = quick_nodes(xml)
    except Unlike:
        return None
    assert quick == parsed_nodes(xml)
    return quick


words = st.text(st.characters(max_codepoint=0x1F9FF), max_size=6)
boxes = st.builds(
    lambda left, top, width, height: Rect(left, top, left + width, top + height),
    *(st.integers(0, 900), st.integers(0, 2000), st.integers(1, 900), st.integers(1, 900)),
)


def drawn(children):
    return st.builds(
        Drawn,
        bounds=boxes,
        package=st.sampled_from([PACKAGE, "com.android.systemui"]),
        cls=st.sampled_from(["android.view.View", "android.widget.TextView"]),
        text=words,
        desc=words,
        hint=st.sampled_from(["", "搜索", "a&b"]),
        rid=st.sampled_from(["", "com.tencent.mm:id/abc"]),
        clickable=st.booleans(),
        enabled=st.booleans(),
        selected=st.booleans(),
        scrollable=st.booleans(),
        focused=st.booleans(),
        children=children,
    )


trees = st.recursive(drawn(st.just([])), lambda inner: drawn(st.lists(inner, max_size=3)), max_leaves=8)


@hypothesis.given(st.lists(trees, max_size=3), st.sampled_from([23, 25, 33]), st.booleans())
def test_any_tree_of_the_server_is_read_as_the_parser_reads_it(roots, sdk, keeps_emoji):
    xml = hierarchy.write(roots, SCREEN, sdk=sdk, keeps_emoji=keeps_emoji)
    nodes = either(xml)
    assert nodes is not None or not roots or "&amp;b" in xml


PAGE = hierarchy.write(
    [
        Drawn(
            bounds=Rect(0, 0, 100, 200),
            package=PACKAGE,
            text="a&<>\"'\n",
            clickable=True,
            children=[Drawn(bounds=Rect(0, 0, 50, 50), package=PACKAGE, clickable=True)],
        ),
        Drawn(bounds=Rect(0, 0, 9, 9), package=PACKAGE, desc="乙"),
    ],
    SCREEN,
)
ODD = [*"\"'<>&;#/=[], \t\n\r\x00\x0b\ufffe\ud83d０x", "</node>", "<node ", "<!-- -->", "<![CDATA[x]]>"]
ODD += [
    "&#55357;&#56832;",
    "&#10;",
    "&#0;",
    "&#x41;",
    "&#1114112;",
    "&nbsp;",
    "&amp;",
    ' text="twice"',
    "<a/>",
]


@hypothesis.given(
    st.lists(
        st.tuples(st.integers(0, len(PAGE)), st.integers(0, 12), st.sampled_from(["", *ODD])),
        min_size=1,
        max_size=3,
    )
)
def test_a_tree_changed_anywhere_is_refused_or_read_as_the_parser_reads_it(changes):
    xml = PAGE
    for at, length, put in changes:
        xml = xml[:at] + put + xml[at + length :]
    either(xml)


def test_every_character_counts():
    for at in range(len(PAGE)):
        for put in ("", '"', "<", "&", " "):
            either(PAGE[:at] + put + PAGE[at + 1 :])


def test_a_changed_word_of_the_form_is_refused():
    for old, new in [
        ("checked=", "chicken="),
        ('"true"', '"yes"'),
        ("/hierarchy", "/hierarch"),
        ("bounds", "b"),
    ]:
        assert old in PAGE
        assert either(PAGE.replace(old, new, 1)) is None


def test_all_pages_of_a_client_are_read_quickly():
    glass = Glass()
    xml = hierarchy.write(glass.drawn(), SCREEN)
    nodes = either(xml)
    assert nodes
    page = read_page(xml, package=PACKAGE, activity="com.tencent.mm.ui.LauncherUI", read_at_s=0.0)
    assert page.health is Health.OK
    assert list(page.nodes) == nodes


def test_a_tree_deeper_than_the_parser_goes_is_left_to_it():
    node = Drawn(bounds=Rect(0, 0, 9, 9), package=PACKAGE)
    for _ in range(230):
        node = Drawn(bounds=Rect(0, 0, 9, 9), package=PACKAGE, children=[node])
    assert either(hierarchy.write([node], SCREEN, max_depth=400)) is None
