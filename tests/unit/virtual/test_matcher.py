"""Selector objects: the By path and the UiSelector path, with their real traits."""

from typing import Any

import pytest
from uiautomator2._selector import Selector

from agent.virtual.matcher import BadSelector, find_all, is_plain
from agent.virtual.ui import Node, Rect

SCREEN = Rect(0, 0, 1_000, 2_000)


def node(top: int = 0, *, height: int = 100, **fields: Any) -> Node:
    return Node(bounds=Rect(0, top, 1_000, top + height), **fields)


def row(name: str, top: int) -> Node:
    label = node(top, height=50, text=name, cls="TextView", rid="app:id/name")
    mark = node(top + 50, height=50, cls="CheckBox", checkable=True, checked=name == "two", rid="app:id/mark")
    return node(top, cls="Row", clickable=True, children=[label, mark])


ROWS = [row(name, 100 * place) for place, name in enumerate(("one", "two", "three"))]
LIST = node(0, height=300, cls="List", scrollable=True, children=ROWS)
PAGE = Node(bounds=SCREEN, cls="Frame", children=[LIST, node(400, text="outside", desc="far 远")])
OTHER = Node(bounds=Rect(0, 0, 1_000, 50), cls="Bar", package="com.android.systemui", text="10:30")


def texts(selector: dict[str, Any], field: str = "text") -> list[str]:
    return [getattr(hit.node, field) for hit in find_all(selector, [OTHER, PAGE], PAGE, SCREEN)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "two"}, ["two"]),
        ({"textContains": "o"}, ["one", "two", "outside"]),
        ({"textStartsWith": "t"}, ["two", "three"]),
        ({"textMatches": "t.*"}, ["two", "three"]),
        ({"textMatches": "t"}, []),  # the whole value must match
        ({"descriptionContains": "远"}, ["outside"]),
        ({"description": "far 远"}, ["outside"]),
        ({"descriptionMatches": "f.+"}, ["outside"]),
        ({"descriptionStartsWith": "far"}, ["outside"]),
        ({"resourceId": "app:id/name"}, ["one", "two", "three"]),
        ({"resourceIdMatches": ".*name", "textContains": "w"}, ["two"]),
        ({"classNameMatches": "Text.*"}, ["one", "two", "three"]),
        ({"packageName": "com.android.systemui"}, ["10:30"]),
        ({"packageNameMatches": ".*systemui"}, ["10:30"]),
    ],
)
def test_plain_selectors_look_through_all_windows(fields: dict[str, Any], expected: list[str]) -> None:
    assert texts(Selector(**fields)) == expected


def test_flags() -> None:
    assert texts(Selector(scrollable=True), "cls") == ["List"]
    assert texts(Selector(clickable=True), "cls") == ["Row"] * 3
    assert texts(Selector(checkable=True), "cls") == ["CheckBox"] * 3
    assert texts(Selector(enabled=False)) == []


def test_checked_is_mistaken_for_checkable_beside_another_attribute() -> None:
    assert len(texts(Selector(checked=True))) == 1
    assert len(texts(Selector(checked=True, className="CheckBox"))) == 3
    assert len(texts(Selector(checked=True, className="CheckBox", instance=0))) == 1  # UiSelector is right


def test_place_looks_in_the_focused_window_only() -> None:
    assert texts(Selector(className="Bar")) == ["10:30"]
    assert texts(Selector(className="Bar", instance=0)) == []
    assert texts(Selector(resourceId="app:id/name", instance=1)) == ["two"]
    assert texts(Selector(resourceId="app:id/name", instance=7)) == []
    assert texts(Selector(className="Row", index=2), "bounds") == [ROWS[2].bounds]


def test_children_and_siblings() -> None:
    assert texts(Selector(className="List").child(text="two")) == ["two"]
    assert texts(Selector(className="Row", instance=2).child(className="TextView")) == ["three"]
    assert texts(Selector(className="Row").child(text="three")) == ["three"]  # all rows are tried
    assert texts(Selector(text="two").sibling(className="CheckBox"), "checked") == [True]
    assert texts(Selector(className="List").child(className="Row", instance=1).child(text="two")) == ["two"]
    assert texts(Selector(className="Frame").child(className="TextView")) == ["one", "two", "three"]
    assert texts(Selector(text="outside").child(text="two")) == []


def test_invisible_and_clipped_nodes_are_not_found() -> None:
    hidden = node(0, visible=False, children=[node(0, text="hidden")])
    beyond = node(2_100, text="beyond")
    page = Node(bounds=SCREEN, children=[hidden, beyond, node(10, text="there")])
    found = find_all(Selector(textMatches=".+"), [page], page, SCREEN)
    assert [hit.node.text for hit in found] == ["there"]
    assert found[0].index == 2  # the hidden ones keep their index


def test_bounds_are_clipped_to_the_parent() -> None:
    page = Node(bounds=SCREEN, children=[node(0, height=100, children=[node(50, height=400, text="long")])])
    (found,) = find_all(Selector(text="long"), [page], page, SCREEN)
    assert found.bounds == Rect(0, 50, 1_000, 100)


def test_which_path_a_selector_takes() -> None:
    assert is_plain(Selector(text="a"))
    assert not is_plain(Selector(text="a", instance=0))
    assert not is_plain(Selector(text="a").child(text="b"))


@pytest.mark.parametrize(
    "selector",
    [
        {"mask": 4, "textMatches": "("},
        {"mask": "x"},
        {"mask": 1, "text": "a", "childOrSibling": ["child"], "childOrSiblingSelector": []},
        {"mask": 1, "text": "two", "childOrSibling": ["uncle"], "childOrSiblingSelector": [{"mask": 0}]},
    ],
)
def test_malformed_selectors_are_refused(selector: dict[str, Any]) -> None:
    with pytest.raises((BadSelector, ValueError)):
        texts(selector)
