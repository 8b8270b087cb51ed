"""The look at a screen: what it says is in front belongs to the tree that it read."""

from __future__ import annotations

import json
from typing import cast

from agent.driver import Driver
from agent.glass import Glass
from agent.trees import Tree

SEARCH, PROFILE = "com.tencent.mm.plugin.SearchUI", "com.tencent.mm.plugin.ProfileUI"


def tree(text: str) -> Tree:
    xml = (
        f'<?xml version="1.0"?><hierarchy rotation="0"><node text="{text}" bounds="[0,0][9,9]"/></hierarchy>'
    )
    return Tree(json.dumps({"jsonrpc": "2.0", "id": 1, "result": xml}).encode())


class Turning:
    """A screen on which the next page comes between any two questions; its activity is in front at once."""

    def __init__(self) -> None:
        self.asked = 0

    def in_front(self) -> tuple[str, str]:
        self.asked += 1
        return "com.tencent.mm", SEARCH if self.asked < 2 else PROFILE

    def dump(self, *, within_s: float) -> Tree:
        self.asked += 1
        return tree("搜索") if self.asked < 2 else tree("客户001")


def test_a_page_is_never_seen_under_the_activity_that_was_before_it() -> None:
    page = Glass(cast(Driver, Turning()), clock=lambda: 0.0).page()
    assert (page.activity, [node.text for node in page.nodes if node.text]) != (SEARCH, ["客户001"])
    assert page.activity == PROFILE
