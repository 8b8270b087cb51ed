"""What the pages with remark and tags have in common: a request, an acceptance, a contact."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent.errors import NotRecognised
from agent.phone import Phone
from agent.wechat.pages import EDIT_TEXT, Node
from agent.wechat.screens import LISTS, Screen, ScreenName
from agent.wechat.steps import arrive, go, only

# The client writes the tags of a person behind one another; none of these can be part of one.
_BETWEEN = re.compile(r"[，,、;；]\s*")


def remark_field(screen: Screen) -> Node:
    """Return the first field below the label of the remark; NotRecognised if there is none."""
    labels = [node for node in screen.texts("request_remark_label") if node.cls != EDIT_TEXT]
    top = min((label.box.top for label in labels), default=screen.root.box.top)
    below = [node for node in screen.fields() if node.box.top >= top]
    if not below:
        raise NotRecognised(f"the page {screen.name} has no field for the remark")
    return below[0]


def holds(phone: Phone, wanted: Sequence[tuple[Node, str]]) -> bool:
    """Tell whether fields of a screen seen just now hold exactly these texts; empty ones are not compared."""
    asked = [(node, text) for node, text in wanted if text]
    true = phone.true_texts([node for node, _ in asked])
    return all(true.get(node.at) == text for node, text in asked)


def shown_tags(phone: Phone, screen: Screen) -> frozenset[str]:
    """Return the tags that the row of tags shows; NotRecognised if there is no such row."""
    words = screen.table.texts["request_tags_label"]
    said = [node for node in screen.page.inside(_tags_row(screen)) if node.text and node.text not in words]
    true = phone.true_texts(said)
    if len(true) < len(said):
        raise NotRecognised("a tag changed while it was read")
    return frozenset(tag for text in true.values() for tag in _BETWEEN.split(text) if tag)


def add_tags(phone: Phone, screen: Screen, tags: Sequence[str], save: Callable[[], None]) -> Screen:
    """Choose tags on the page behind the row of tags; return the first page again, which shows them.

    `save` makes the tap that hands them over. NotRecognised if the page then shows other tags than before and
    these: the page is not to be used further.
    """
    before = shown_tags(phone, screen)
    wanted = before | set(tags)
    shown = before
    # What stands in the field becomes one tag: each turn settles at least one.
    for _ in tags:
        if wanted <= shown:
            break
        page = go(phone, screen, _tags_row(screen), ScreenName.TAGS, what="the page of tags")
        _choose(phone, page, [tag for tag in tags if tag not in shown])
        save()
        screen = arrive(phone, screen.name, what="the page with the tags chosen")
        shown = shown_tags(phone, screen)
    if shown != wanted:
        raise NotRecognised("the page does not show the tags that were asked for")
    return screen


def save_button(screen: Screen) -> Node:
    """Return the button that saves remark or tags."""
    bar = screen.in_bar(screen.texts("save"))
    return only([node for node in bar or screen.texts("save") if node.enabled], what="the button that saves")


def _choose(phone: Phone, page: Screen, missing: Sequence[str]) -> None:
    """Choose the tags in sight, and write the first of the others into the field."""
    written = ""
    for tag in missing:
        chosen, offered = _chips(phone, page)
        if tag in chosen:
            continue
        if tag in offered:
            page = go(
                phone,
                page,
                offered[tag],
                ScreenName.TAGS,
                what="the tag among those chosen",
                test=lambda one, tag=tag: tag in _chips(phone, one)[0],  # type: ignore[misc]  # binds the loop's value
            )
        else:
            written = written or tag
    if written:
        phone.type_into(page, only(page.fields(), what="the field for a tag"), written)


def _chips(phone: Phone, page: Screen) -> tuple[dict[str, Node], dict[str, Node]]:
    """Return the tags chosen and those there are; the latter stand below their heading, or the field."""
    field = only(page.fields(), what="the field for a tag")
    heads = [node for node in page.texts("tags_all") if node.box.top >= field.box.bottom]
    line = min((node.box.top for node in heads), default=field.box.bottom)
    bar = {node.at for node in page.in_bar(page.nodes())}
    texts = [
        node
        for node in page.nodes()
        if node.text and node.at not in bar and node.cls != EDIT_TEXT and node not in heads
    ]
    true = phone.true_texts(texts)
    chosen: dict[str, Node] = {}
    offered: dict[str, Node] = {}
    for node in texts:
        if node.at in true:
            (offered if node.box.top >= line else chosen)[true[node.at]] = node
    return chosen, offered


def _tags_row(screen: Screen) -> Node:
    """Return what leads to the page of tags: the row its label stands in, or the box under the label."""
    labels = [node for node in screen.texts("request_tags_label") if node.cls != EDIT_TEXT]
    for label in labels:
        row = screen.page.around(label, lambda one: one.clickable)
        if row is not None and not row.cls.endswith(LISTS) and row.box.height < screen.root.box.height / 4:
            return row
    tops = [label.box.bottom for label in labels]
    below = [
        node
        for node in screen.nodes()
        if tops and node.clickable and node.cls != EDIT_TEXT and node.box.top >= min(tops)
    ]
    if not below:
        raise NotRecognised(f"the page {screen.name} has no row of tags")
    return min(below, key=lambda node: (node.box.top, node.box.left))
