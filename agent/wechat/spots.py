"""Points that may be tapped, and what must still stand where it stood when one of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.wechat.pages import Box, Node
from agent.wechat.timeline import author_beside
from agent.wechat.truetext import looks_like

if TYPE_CHECKING:
    from agent.wechat.screens import Screen, ScreenName, View

# What a person's page offers, and rows that only such a page has.
PROFILE_ACTIONS = ("add_to_contacts", "send_message", "go_confirm", "wecom_add", "account_deleted")
PROFILE_ROWS = ("set_remark", "moments_of_person", "source", "more_info")
# A row of a list is that wide; what stands in it is not.
ROW_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A labelled node that must still stand where it stood: the n-th of its class in the window in front."""

    cls: str
    number: int
    box: Box
    text: str
    desc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A point that may be tapped: it lies on a screen that was recognised at `read_at_s`."""

    x: int
    y: int
    screen: ScreenName
    read_at_s: float
    witnesses: tuple[Witness, ...] = ()


def witnesses_of(screen: Screen, node: Node) -> tuple[Witness, ...]:
    """Return what proves a node: its first label, its own or below it, and what its page is about."""
    label = next((one for one in screen.page.inside(node) if one.label.strip()), None)
    seen = {one.at: one for one in (label, subject_of(screen, node)) if one is not None and one.label}
    return tuple(_witness(screen, one) for one in seen.values())


def _witness(screen: Screen, node: Node) -> Witness:
    alike = [one.at for one in screen.nodes() if one.cls == node.cls]
    return Witness(cls=node.cls, number=alike.index(node.at), box=node.box, text=node.text, desc=node.desc)


def is_same(seen: Witness, record: Mapping[str, Any], box: Box) -> bool:
    """Tell whether what the phone says of a node, and its place, are those of a witness."""
    said = (str(record.get("text") or ""), str(record.get("contentDescription") or ""))
    return box == seen.box and looks_like(seen.text, said[0]) and looks_like(seen.desc, said[1])


def subject_of(screen: Screen, node: Node) -> Node | None:
    """Return what tells this page, or the row of a node, from another of its kind: a name, a title, words."""
    match str(screen.name):
        case "profile":
            return person_on(screen)
        case "chat":
            return screen.title()
        case "new_friends":
            return _name_beside(screen, node)
        case "request" | "accept":
            return next(iter(screen.fields()), None)
        case "moments_popup":
            return author_beside(screen)
        case _:
            return None


def _name_beside(screen: Screen, node: Node) -> Node | None:
    """Return the name on the row of a request that a button stands in: the highest text left of it."""
    row = screen.page.around(node, lambda one: one.box.width >= screen.root.box.width * ROW_SHARE)
    if row is None or row.at in {one.at for one in (screen.root, *screen.lists())}:
        return None
    texts = [one for one in screen.page.inside(row) if one.text and one.box.left < node.box.left]
    return min(texts, key=lambda one: (one.box.top, one.box.left), default=None)


def person_on(view: View) -> Node | None:
    """Return the name on a profile: the highest text below the bar, or a marked one above rows and actions.

    None if the id stands on another text: then ids and places do not belong together.
    """
    taken = {node.at for node in view.in_bar(view.nodes())}
    below = sorted(
        (node for node in view.nodes() if node.text and node.at not in taken),
        key=lambda node: (node.box.top, node.box.left),
    )
    marked = [node for node in view.marked("profile_name") if node.text]
    if not marked:
        return below[0] if below else None
    words = {word for role in (*PROFILE_ACTIONS, *PROFILE_ROWS) for word in view.table.texts.get(role, ())}
    line = min((node.box.top for node in below if node.text in words), default=view.root.box.bottom)
    one = marked[0]
    return one if one.box.bottom <= line or one.at == below[0].at else None
