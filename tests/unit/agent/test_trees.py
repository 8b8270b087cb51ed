"""Trees that come again are known by their bytes; a glimpse tells whether the client's windows changed."""

import json

import pytest

from agent.errors import AnswerLost
from agent.trees import KEPT_TREES, Tree, Trees
from agent.virtual import hierarchy
from agent.virtual.ui import Node, Rect
from tests.support.glass import SCREEN


def answer(*roots):
    xml = hierarchy.write(roots, SCREEN)
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": xml}, ensure_ascii=False).encode()


def window(text="", package="com.tencent.mm", **more):
    child = Node(bounds=Rect(0, 0, 50, 50), package=package, text=text, **more)
    return Node(bounds=Rect(0, 0, 100, 200), package=package, children=[child])


def bar(clock):
    return window(clock, package="com.android.systemui")


def glimpse(*roots):
    return Tree(answer(*roots)).glimpse()


def test_the_order_of_windows_and_the_clock_of_the_system_are_no_change():
    one = glimpse(window("甲"), window("乙"), bar("12:00"))
    assert one == glimpse(bar("12:01"), window("乙"), window("甲"))
    assert one == glimpse(window("乙"), bar("12:00"), window("甲"))


@pytest.mark.parametrize(
    "other",
    [
        (window("甲"), window("丙"), bar("12:00")),
        (window("甲"), bar("12:00")),
        (window("甲"), window("乙", selected=True), bar("12:00")),
        (window("甲"), window("乙"), window("乙"), bar("12:00")),
        (window("甲乙"), window(""), bar("12:00")),
    ],
)
def test_any_change_of_the_clients_windows_is_seen(other):
    assert glimpse(window("甲"), window("乙"), bar("12:00")) != glimpse(*other)


def test_a_body_known_is_its_tree_again_and_only_the_latest_are_kept():
    trees = Trees()
    bodies = [answer(window(str(number))) for number in range(KEPT_TREES + 1)]
    first = trees.of(bodies[0])
    assert trees.of(trees.bodies[0]) is first
    for body in bodies[1:KEPT_TREES]:
        trees.of(body)
    assert trees.bodies == tuple(bodies[:KEPT_TREES])
    assert trees.of(trees.bodies[0]) is first
    assert 'text="0"' in first.xml  # though what it says had faded
    trees.of(bodies[KEPT_TREES])
    assert trees.bodies == tuple(bodies[1:])
    assert trees.of(bytes(bodies[0])) is not first


def test_what_holds_no_tree_is_never_kept():
    trees = Trees()
    with pytest.raises(AnswerLost):
        trees.of(b"cut")
    assert trees.bodies == ()
    assert trees.of(b'{"result": null}').xml == ""
