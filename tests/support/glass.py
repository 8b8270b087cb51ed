"""The virtual client's pages as the agent reads them, without adb: for tests of what is pure."""

from __future__ import annotations

from dataclasses import replace

from agent.capture.pages import TrueTexts
from agent.virtual import hierarchy
from agent.virtual.scenario import Scenario, parse_scenario
from agent.virtual.ui import Node as Drawn
from agent.virtual.ui import Rect
from agent.virtual.wechat.client import WeChat
from agent.virtual.world import World
from agent.wechat.clients import PACKAGE, ClientTable, table_for
from agent.wechat.pages import Box, Node, Page, read_page
from agent.wechat.screens import Screen, recognise
from agent.wechat.truetext import Sighting, true_texts

SCREEN = Rect(0, 0, 1080, 2340)
FROZEN_MS = 1_760_000_000_000


def table(version: str = "8.0.66") -> ClientTable:
    """Return the table of a known client version."""
    found = table_for(version, 0)
    assert found is not None
    return found


def scenario(toml: str) -> Scenario:
    """Return a scenario of one phone from the rest of its TOML."""
    return parse_scenario("[phones_like]\ncount = 1\n" + toml)


class Glass:
    """One virtual client behind glass: time stands still, nothing lags."""

    def __init__(self, toml: str = "", *, seed: int = 0) -> None:
        self.now_ms = FROZEN_MS
        self.world = World(scenario(toml), lambda: self.now_ms, seed, time_scale=0.0)
        self.account = next(iter(self.world.accounts.values()))
        self.app = WeChat(self.world, self.account.account_id, time_scale=0.0)
        self.table = table(self.account.client.version_name)

    def drawn(self) -> list[Drawn]:
        """Return the windows as drawn."""
        return self.app.windows()

    def page(self, *, order: int = 1) -> Page:
        """Return the page as read from a dump; `order` -1 turns the window roots round."""
        xml = hierarchy.write(self.drawn()[::order], SCREEN)
        return read_page(xml, package=PACKAGE, activity=self.app.activity(), read_at_s=0.0)

    def screen(self) -> Screen:
        """Return the recognised screen."""
        found = recognise(self.page(), self.table)
        assert found is not None
        return found

    def tap(self, text: str, *, at: int = 0) -> None:
        """Tap the middle of the n-th node that bears a text or description beginning with `text`."""
        page = self.page()
        node = [one for one in page.nodes if one.label.startswith(text)][at]
        self.app.tap(*node.box.centre)

    def type(self, text: str, *, field: int = 0) -> None:
        """Set the text of the n-th field."""
        found = [one for root in self.drawn() for one in root.walk() if one.cls.endswith("EditText")]
        assert self.app.set_text(found[field], text)

    def true_texts(self) -> TrueTexts:
        """Return what reads the true texts off the glass."""

        def ask(cls: str) -> list[Sighting]:
            nodes = [one for root in self.drawn() for one in root.walk() if one.cls == cls]
            return [Sighting(Box(*one.bounds.clip(SCREEN)), one.text) for one in nodes]

        def read(nodes: object) -> dict[int, str]:
            assert isinstance(nodes, list | tuple)
            return true_texts([one for one in nodes if isinstance(one, Node)], ask)

        return read


def replace_node(page: Page, at: int, **fields: object) -> Page:
    """Return a page with one node changed."""
    node = page.nodes[at]._replace(**fields)
    return replace(page, nodes=(*page.nodes[:at], node, *page.nodes[at + 1 :]))
