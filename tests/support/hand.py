"""A hand on a virtual WeChat without a handset: taps middles of nodes; only the test moves its clock."""

from __future__ import annotations

from pathlib import Path

from agent.virtual.scenario import load_scenario
from agent.virtual.ui import Node
from agent.virtual.wechat.client import WeChat
from agent.virtual.world import World

SCENARIOS = Path(__file__).parents[1] / "data" / "scenarios"
START_MS = 1_700_000_000_000  # 2023-11-15 06:13 in China, a Wednesday


class Hand:
    """One client, its world and its clock."""

    def __init__(self, scenario: str, account_id: str = "farm_001", *, time_scale: float = 1.0) -> None:
        self.now_ms = START_MS
        self.world = World(
            load_scenario(SCENARIOS / f"{scenario}.toml"), lambda: self.now_ms, time_scale=time_scale
        )
        self.app = WeChat(self.world, account_id, time_scale=time_scale)
        self.account = self.world.accounts[account_id]
        self.app.launch()

    def wait(self, seconds: float = 1.0) -> None:
        """Move the clock and let the world do what is due."""
        self.now_ms += round(seconds * 1000)
        self.world.step(self.now_ms)

    def nodes(self) -> list[Node]:
        """Return all nodes in sight, lowest window first."""
        return [node for root in self.app.windows() for node in root.walk()]

    def texts(self) -> list[str]:
        """Return all texts in sight."""
        return [node.text for node in self.nodes() if node.text]

    def all(self, label: str) -> list[Node]:
        """Return the nodes with this text or description."""
        return [node for node in self.nodes() if label in (node.text, node.desc)]

    def role(self, role: str) -> list[Node]:
        """Return the nodes with the resource name of a role."""
        rid = self.app.stage.table.rid(role)
        return [node for node in self.nodes() if node.rid == rid]

    def tap(self, label: str) -> None:
        """Tap the lowest node with this text or description and wait until the page is drawn."""
        self.touch(max(self.all(label), key=lambda node: node.bounds.top))

    def touch(self, node: Node) -> None:
        """Tap the middle of a node and wait until the page is drawn."""
        self.touch_only(node)
        self.wait()

    def touch_only(self, node: Node) -> None:
        """Tap the middle of a node."""
        left, top, right, bottom = node.bounds
        self.app.tap((left + right) / 2, (top + bottom) / 2)

    def type(self, text: str) -> None:
        """Type and wait until it is drawn."""
        self.app.type_text(text)
        self.wait()

    def back(self) -> bool:
        """Press the back key and wait until the page is drawn."""
        taken = self.app.back()
        self.wait()
        return taken

    def look_up(self, query: str) -> None:
        """Go from home to the answer of a search."""
        self.tap("更多功能按钮")
        self.tap("添加朋友")
        self.tap("微信号/手机号")
        self.type(query)
        self.tap(f"搜索:{query}")

    def requests(self) -> dict[str, int]:
        """Return what really was requested: query -> how often."""
        return {
            one["query"]: one["count"]
            for one in self.world.truth.of(self.account.account_id).requests.values()
        }
