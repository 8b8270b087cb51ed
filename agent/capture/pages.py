"""One page of a chat: its items from top to bottom as bubbles with their places, time lines, system lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from agent.capture.align import Key, key_of
from agent.capture.kinds import content_of, unknown
from agent.capture.parts import Content, Parts, Words
from agent.capture.systemlines import SystemCode, code_of
from agent.capture.timelabels import is_time_line, resolve
from agent.errors import NotRecognised
from agent.model import Bubble
from agent.wechat.pages import Box, Node
from agent.wechat.screens import Screen
from protos.facts import MessageKind

TrueTexts = Callable[[Sequence[Node]], dict[int, str]]
# Grey lines are centred; text of a message never is by so little.
CENTRED_SHARE = 0.06
# Where nothing names the pictures of who wrote: so far from the edge, and so wide, by the width of the list.
AVATAR_EDGE_SHARE = 0.15
AVATAR_SHARES = (0.06, 0.16)
# A message cut by the lower edge is left for another page: a card, which is not higher than this share of the
# list, and a text of few lines, under which a quoted line may stand.
TALL_CARD_SHARE = 0.4
SHORT_TEXT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Item:
    """A message, system line or time line (`bubble` None); `top` in px of its first sign.

    Wholly in sight, unless `is_cut`: a long message whose beginning, with who wrote it, is not. `picture` is
    where the picture of an image message stands; None for all others, and while it is loading or cut off.
    """

    key: Key
    bubble: Bubble | None
    top: int
    is_cut: bool = False
    picture: Box | None = None


def read_items(
    screen: Screen,
    true_texts: TrueTexts,
    *,
    is_group: bool,
    is_at_end: bool = False,
    is_last_try: bool = False,
    keep_tall: bool = False,
    keep_cut: bool = False,
) -> list[Item]:
    """Return the items of a chat page from top to bottom; those cut by an edge of the list are left out.

    A row of no known form is a bubble of kind "other". `is_at_end`: the lower edge of the list cuts nothing.
    NotRecognised if a text could not be read truly, as when the page moves: an item left out would let pages
    be joined wrongly. On the last try such a message is kept with what the dump shows, as of no known kind.
    With `keep_tall` a message that is all there is on the page, cut by both edges, is kept as a fragment;
    with `keep_cut` also the lower part of a long text that the upper edge cuts. Both are `is_cut`: what the
    edge hides, as a member's name, is not known, and their place does not join with other sightings.
    """
    lists = screen.lists()
    if not lists:
        return []
    rows = [row for row in screen.page.children(lists[0]) if not row.box.is_empty()]
    wanted = [node for row in rows for node in screen.page.inside(row) if node.text]
    texts = true_texts(wanted)
    is_all_true = len(texts) >= len(wanted)
    if not is_all_true and not is_last_try:
        raise NotRecognised("the page moved while it was read")
    words = Words.of(screen.table)
    reader = _Reader(screen, lists[0].box, words, texts, is_all_true, is_group, is_at_end)
    pictures = reader.avatars(rows)
    found = [item for row in rows for item in reader.items(row, pictures.get(row.at))]
    if rows and (keep_cut or (keep_tall and not found)):
        found[:0] = reader.cut(rows[0], is_tall=not keep_cut)
    return with_times(found)


def with_times(items: Sequence[Item]) -> list[Item]:
    """Return the items with each bubble under the nearest time line above it."""
    label = ""
    out = []
    for item in items:
        if item.bubble is None:
            label = item.key.text
            out.append(item)
        elif label and label != item.bubble.time_label:
            out.append(replace(item, bubble=replace(item.bubble, time_label=label)))
        else:
            out.append(item)
    return out


def intervals(items: Sequence[Item], read_at_ms: int, zone: tzinfo, is_12h: bool = False) -> list[Item]:
    """Return the items with the interval (UTC ms, half-open) in which the time lines place each bubble.

    From the beginning of the line above to the end of the next one below, or to the time of reading; never
    narrower than the line above. A bubble with no line above it on what was read keeps what it has.
    """
    spans = [
        resolve(item.key.text, read_at_ms, zone, is_12h) if item.bubble is None else None for item in items
    ]
    ends: list[int] = []
    end_ms = 0
    for item, span in zip(reversed(items), reversed(spans), strict=True):
        ends.append(end_ms)
        if item.bubble is None:
            end_ms = span[1] if span else 0  # a line that cannot be read may be of any time
    above: tuple[int, int] | None = None
    out = []
    for item, span, end_ms in zip(items, spans, reversed(ends), strict=True):
        if item.bubble is None:
            above = span
            out.append(item)
        elif above is None:
            out.append(item)
        else:
            # A clock that was set back puts the line below before the one above: then it says nothing.
            to_ms = end_ms if end_ms >= above[1] else max(read_at_ms + 1, above[1])
            bubble = replace(item.bubble, shown_from_ms=above[0], shown_to_ms=to_ms)
            out.append(replace(item, bubble=bubble))
    return out


def avatar_of(screen: Screen, row: Node) -> Node | None:
    """Return the picture of who wrote, None in a row without one (time line, system line, or cut off)."""
    return _named_avatar(
        screen.page.inside(row), screen.table.texts["avatar_suffix"], screen.table.rids("message_avatar")
    )


def _named_avatar(nodes: Sequence[Node], suffixes: tuple[str, ...], ids: Sequence[str]) -> Node | None:
    for node in nodes:
        is_named = node.rid in ids or (
            node.desc and node.desc.endswith(suffixes) and node.cls.endswith("ImageView")
        )
        if is_named and not node.box.is_empty():
            return node
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the rows of one page."""

    screen: Screen
    area: Box
    words: Words
    texts: Mapping[int, str]
    is_all_true: bool
    is_group: bool
    is_at_end: bool

    def avatars(self, rows: Sequence[Node]) -> dict[int, Node]:
        """Return the picture of who wrote by row; by place and form alone if none on the page is named."""
        page, table = self.screen.page, self.screen.table
        suffixes, ids = table.texts["avatar_suffix"], table.rids("message_avatar")
        found = {row.at: _named_avatar(page.inside(row), suffixes, ids) for row in rows}
        if not any(found.values()):
            found = {row.at: self._shaped_avatar(row) for row in rows}
        return {at: node for at, node in found.items() if node is not None}

    def items(self, row: Node, avatar: Node | None) -> Iterator[Item]:
        """Yield what a row holds: a time line may stand in the row of the message below it."""
        if avatar is None:
            nodes = [node for node in self.screen.page.inside(row) if node.text]
            above = self._times(nodes, self.area.bottom)
            yield from self._whole_times(above)
            grey = self._grey(row, nodes[len(above) :], is_bare=not above)
            if grey is not None:
                yield grey
            return
        above = self._times([node for node in self.screen.page.inside(row) if node.text], avatar.box.top)
        yield from self._whole_times(above)
        if avatar.box.top <= self.area.top or avatar.box.bottom >= self.area.bottom:
            return
        side = "in" if avatar.box.centre[0] < self.area.centre[0] else "out"
        bubble = self._bubble(row, avatar, side, frozenset(node.at for node in above))
        if not self._is_open(row, bubble):
            yield Item(key_of(bubble), bubble, avatar.box.top, picture=self._picture(row, avatar, bubble))

    def _picture(self, row: Node, avatar: Node, bubble: Bubble) -> Box | None:
        """Return where the picture of an image message stands, wholly in sight and loaded."""
        if bubble.kind != MessageKind.IMAGE:
            return None
        page = self.screen.page
        beside = page.inside(_branch(self.screen, row, avatar))
        nodes = [node for node in page.inside(row) if node not in beside]
        descs = self.words.texts["image"]
        found = [
            node.box
            for node in nodes
            if self.words.roles.get(node.rid) == "message_image" or node.desc in descs
        ]
        is_loading = any(node.cls.endswith("ProgressBar") for node in nodes)
        if len(found) != 1 or is_loading or found[0].is_empty():
            return None
        (box,) = found
        is_whole = self.area.top < box.top and box.bottom < self.area.bottom
        return box if is_whole and self.area.left <= box.left and box.right <= self.area.right else None

    def cut(self, row: Node, *, is_tall: bool) -> Iterator[Item]:
        """Yield the message of the first row if its beginning is out of sight and much of it is not.

        With `is_tall` only one that covers the page from edge to edge.
        """
        least = self.area.height * (1.0 if is_tall else SHORT_TEXT_SHARE)
        if row.box.top > self.area.top or row.box.height < least or self._is_begun(row):
            return
        nodes = [node for node in self.screen.page.inside(row) if node.text or node.desc]
        if not nodes:
            return
        box = max((node.box for node in nodes), key=lambda box: box.height)
        side = "in" if box.left - self.area.left < self.area.right - box.right else "out"
        said = [self._true(node) for node in nodes if node.text]
        is_text = len(said) == 1 and not self._is_doubted([node for node in nodes if node.text])
        shown = Content(kind=MessageKind.TEXT, text=said[0]) if is_text else unknown(said)
        bubble = replace(_as_bubble(side, shown), fragment=True)
        yield Item(key_of(bubble), bubble, self.area.top, is_cut=True)

    def _is_open(self, row: Node, bubble: Bubble) -> bool:
        """Tell whether what a message is may stand below the lower edge, as the foot of a card.

        What is left of a tall text is text, which a dump gives whole; left out, pages might never join.
        """
        if self.is_at_end or row.box.bottom < self.area.bottom:
            return False
        share = SHORT_TEXT_SHARE if bubble.kind == MessageKind.TEXT else TALL_CARD_SHARE
        return row.box.height < self.area.height * share

    def _is_begun(self, row: Node) -> bool:
        """Tell whether the picture of who wrote a row is wholly in sight."""
        avatar = self.avatars([row]).get(row.at)
        return avatar is not None and avatar.box.top > self.area.top

    def _true(self, node: Node) -> str:
        return self.texts.get(node.at, node.text)

    def _is_doubted(self, nodes: Sequence[Node]) -> bool:
        return not self.is_all_true and any(node.at not in self.texts for node in nodes)

    def _shaped_avatar(self, row: Node) -> Node | None:
        """Return a square picture of the usual size at an edge of the list."""
        least, most = (round(self.area.width * share) for share in AVATAR_SHARES)
        reach = round(self.area.width * AVATAR_EDGE_SHARE)
        for node in self.screen.page.inside(row):
            box = node.box
            is_square = least <= box.width <= most and abs(box.width - box.height) * 5 <= box.width
            is_at_edge = box.right <= self.area.left + reach or box.left >= self.area.right - reach
            if is_square and is_at_edge and node.cls.endswith("ImageView") and not node.text:
                return node
        return None

    def _times(self, texts: Sequence[Node], bottom: int) -> list[Node]:
        """Return the time lines that a row begins with."""
        return list(
            itertools.takewhile(
                lambda node: (
                    node.box.bottom <= bottom
                    and _side(node.box, self.area) == "system"
                    and is_time_line(self._true(node))
                ),
                texts,
            )
        )

    def _whole_times(self, nodes: Sequence[Node]) -> Iterator[Item]:
        for node in nodes:
            if node.box.top > self.area.top and node.box.bottom < self.area.bottom:
                yield Item(Key("time", "time", self._true(node)), None, node.box.top)

    def _grey(self, row: Node, nodes: Sequence[Node], *, is_bare: bool) -> Item | None:
        """Return a system line; None for the divider, for what an edge may have cut, and where nothing is."""
        text = "\n".join(self._true(node) for node in nodes)
        if text in self.screen.table.texts["new_messages_below"] or not (nodes or is_bare):
            return None
        if not nodes or _side(nodes[0].box, self.area) != "system":
            return self._unknown(row, text)
        box = nodes[0].box
        if box.top <= self.area.top or box.bottom >= self.area.bottom:
            return None
        code = code_of(text)
        if code == SystemCode.RECALLED:
            # The offer to edit it again goes away after minutes; the line stays.
            text = _without_end(text, self.screen.table.texts.get("reedit", ()))
        bubble = Bubble(side="system", kind=MessageKind.SYSTEM, text=text, time_label="", detail=code)
        return Item(key_of(bubble), bubble, box.top)

    def _unknown(self, row: Node, text: str) -> Item | None:
        """Return a row of no known form as a message; None for an empty one or one an edge may have cut."""
        signs = [
            node
            for node in self.screen.page.inside(row)
            if (node.text or node.desc or node.cls.endswith("ImageView")) and not node.box.is_empty()
        ]
        is_cut = row.box.top <= self.area.top or (row.box.bottom >= self.area.bottom and not self.is_at_end)
        if not signs or is_cut:
            return None
        bubble = _as_bubble(_side(signs[0].box, self.area), unknown([text] if text else []))
        return Item(key_of(bubble), bubble, signs[0].box.top)

    def _bubble(self, row: Node, avatar: Node, side: str, left_out: frozenset[int]) -> Bubble:
        page, words = self.screen.page, self.words
        beside = page.inside(_branch(self.screen, row, avatar))
        skipped = {node.at for node in beside} | left_out
        texts: list[Node] = []
        pictures: list[Node] = []
        roles: dict[str, Node] = {}
        for node in page.inside(row):
            if node.at in skipped:
                continue
            if node.rid in words.roles and words.roles[node.rid] not in roles:
                roles[words.roles[node.rid]] = node
            if node.text:
                texts.append(node)
            elif (node.desc or node.cls.endswith("ImageView")) and not node.box.is_empty():
                pictures.append(node)
        sender = ""
        if self.is_group and side == "in":
            names = self._sender(texts, pictures, avatar)
            sender = " ".join(map(self._true, names)) if names else self._named(avatar)
            texts = [node for node in texts if node not in names]
        said = [self._true(node) for node in texts]
        if self._is_doubted(texts):
            return _as_bubble(side, unknown(said), sender)
        parents = [node.parent for node in texts]
        parts = Parts(texts, said, pictures, roles, parents, self.area.width)
        return _as_bubble(side, content_of(parts, words), sender)

    def _sender(self, texts: Sequence[Node], pictures: Sequence[Node], avatar: Node) -> Sequence[Node]:
        """Return the line with a member's name: by its id or, where that is not known, above all the rest."""
        if "message_sender" in self.words.known:
            return [one for one in texts if self.words.roles.get(one.rid) == "message_sender"][:1]
        if not texts or texts[0].box.centre[1] > avatar.box.centre[1]:
            return ()
        bottom = texts[0].box.bottom
        line = [one for one in texts if one.box.top < bottom]
        rest = [*texts[len(line) :], *pictures]
        is_above = bool(rest) and all(one.box.top >= bottom for one in rest)
        return line if is_above and line == texts[: len(line)] else ()

    def _named(self, avatar: Node) -> str:
        """Return whose picture it is by its description, as far as that is no guess."""
        suffix = next(
            (one for one in self.screen.table.texts["avatar_suffix"] if avatar.desc.endswith(one)), ""
        )
        name = avatar.desc.removesuffix(suffix) if suffix else ""
        return "" if "." in name or "\ufffd" in name else name


def _branch(screen: Screen, row: Node, avatar: Node) -> Node:
    """Return the outermost view that holds the picture of who wrote and nothing else of its row."""
    here = avatar
    while (above := screen.page.parent(here)) is not None and above.at > row.at:
        if here.end - above.at != above.end - above.at or here.at != above.at + 1:
            break
        here = above
    return here


def _as_bubble(side: str, shown: Content, sender: str = "") -> Bubble:
    return Bubble(
        side=side,
        kind=shown.kind,
        text=shown.text,
        time_label="",
        sender=sender,
        amount_fen=shown.amount_fen,
        state=shown.state,
        length_s=shown.length_s,
        detail=shown.detail,
        fragment=shown.fragment,
    )


def _without_end(text: str, ends: Sequence[str]) -> str:
    for end in ends:
        text = text.removesuffix(end).rstrip()
    return text


def _side(box: Box, area: Box) -> str:
    """Return whose a row without a picture is, by where it stands: theirs left, ours right."""
    off = box.centre[0] - area.centre[0]
    if abs(off) <= area.width * CENTRED_SHARE:
        return "system"
    return "in" if off < 0 else "out"
