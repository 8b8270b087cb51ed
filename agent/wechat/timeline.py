"""The timeline of moments as read off one page: its rows, how old they may be, what tells posts apart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from agent.wechat.likepopup import Popup, popup_of
from agent.wechat.pages import EDIT_TEXT, Box, Node
from agent.wechat.truetext import looks_like

if TYPE_CHECKING:
    from agent.wechat.screens import View

# A long text is folded after about six lines, and whether it is depends on the hand that unfolded it: only
# what stands in sight either way tells posts apart.
TEXT_CHARS = 40
TEXT_PARAGRAPHS = 6
# "2 days ago" turns into "3 days ago" at a moment of the phone's own: the day of a post may be off by one.
DAYS_OFF = (-1, 0, 1)
DAY_H = 24
JUST_NOW = "刚刚"
_AGO = re.compile(r"(\d{1,4})(分钟|小时|天)前")
_YESTERDAY = re.compile(r"昨天(?: ?\d{1,2}:\d{2})?")
_DATE = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日(?: ?\d{1,2}:\d{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Between how many hours old a post is by its label; `day` is its day, one off at most."""

    at_least_h: int
    at_most_h: int
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row whose head and foot both stand in sight; texts as the dump writes them."""

    box: Box
    author: Node
    texts: tuple[Node, ...]
    photos: int
    label: str
    button: Node  # opens the popup
    is_folded: bool
    is_ad: bool
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What tells one post from another; author and text are private. Equal posts of one day are one."""

    author: str
    text: str
    photos: int
    day: date | None  # None if its label is not understood

    def key(self, days: int = 0) -> str:
        """Return the digest by which a post is known without its words, taken for `days` later."""
        day = (self.day + timedelta(days=days)).isoformat() if self.day else ""
        facts = "\0".join(("post", self.author, self.text, str(self.photos), day))
        return hashlib.sha256(facts.encode("utf-8", "replace")).hexdigest()[:32]

    def is_among(self, keys: Iterable[str]) -> bool:
        """Tell whether it is known by one of these keys, its day taken with a day of tolerance."""
        return not {self.key(days) for days in DAYS_OFF}.isdisjoint(keys)


def parse_age(label: str, today: date) -> Age | None:
    """Return what a time label says at most and at least, None if it is not understood.

    Whether days are counted by the calendar or by 24 hours is not known: both readings are allowed for.
    """
    if label == JUST_NOW:
        return Age(at_least_h=0, at_most_h=1, day=today)
    if _YESTERDAY.fullmatch(label):
        return Age(at_least_h=0, at_most_h=2 * DAY_H, day=today - timedelta(days=1))
    if found := _AGO.fullmatch(label):
        return _ago(int(found[1]), found[2], today)
    found = _DATE.fullmatch(label)
    day = _day(found, today) if found else None
    if day is None:
        return None
    days = (today - day).days
    return Age(at_least_h=max(0, days - 1) * DAY_H, at_most_h=(days + 2) * DAY_H, day=day)


def _ago(count: int, unit: str, today: date) -> Age:
    if unit == "分钟":
        return Age(at_least_h=count // 60, at_most_h=count // 60 + 1, day=today)
    if unit == "小时":
        return Age(at_least_h=count, at_most_h=count + 1, day=today)
    return Age(
        at_least_h=max(0, count - 1) * DAY_H,
        at_most_h=(count + 1) * DAY_H,
        day=today - timedelta(days=count),
    )


def _day(found: re.Match[str], today: date) -> date | None:
    try:
        day = date(int(found[1] or today.year), int(found[2]), int(found[3]))
        # Without a year it is the last such day; tomorrow may be today on the phone.
        is_ahead = not found[1] and day > today + timedelta(days=1)
        return day.replace(year=day.year - 1) if is_ahead else day
    except ValueError:
        return None


def posts_of(
    rows: Sequence[Row], true: Mapping[int, str], today: date, *, author: str | None = None
) -> list[tuple[Row, Post]]:
    """Return the rows with what they show, of one author if named; without true texts they are left out."""
    found = []
    for row in rows:
        nodes = (row.author, *row.texts)
        if any(node.at not in true for node in nodes) or author not in (None, true[row.author.at]):
            continue
        age = parse_age(row.label, today)
        found.append(
            (
                row,
                Post(
                    author=true[row.author.at],
                    text=_short("\n".join(true[node.at] for node in row.texts), is_folded=row.is_folded),
                    photos=row.photos,
                    day=age.day if age else None,
                ),
            )
        )
    return found


def may_be_by(row: Row, author: str) -> bool:
    """Tell whether a row may be of this author, as far as the dump tells."""
    return looks_like(row.author.text, author)


def _short(text: str, *, is_folded: bool) -> str:
    whole = re.sub(r"(?:…|\.\.\.)$", "", text) if is_folded else text
    return "\n".join(whole.split("\n")[:TEXT_PARAGRAPHS])[:TEXT_CHARS].strip()


# -- rows of a page


def rows_of(view: View) -> list[Row]:
    """Return the rows whose head and foot stand in sight, from top to bottom; a popup is not part of one."""
    area = timeline(view)
    if area is None:
        return []
    popup = popup_of(view)
    found = (_row(view, child, area, popup) for child in view.page.children(area))
    return [row for row in found if row is not None]


def timeline(view: View) -> Node | None:
    """Return the list of posts, None if there is no list."""
    marked = view.marked("moments_list")
    return next(iter(marked or view.lists()), None)


def heads_of(view: View) -> list[Node]:
    """Return the children of the list whose upper edge stands in sight, from top to bottom."""
    area = timeline(view)
    if area is None:
        return []
    return [child for child in view.page.children(area) if child.box.top > area.box.top]


def head_mark(view: View, head: Node) -> str:
    """Return by what a row is known again while it is in part out of sight, "" for what is no row."""
    suffix, ids = view.table.texts.get("avatar_suffix", ()), view.table.rids("moments_author")
    nodes = view.page.inside(head)
    is_post = any((suffix and node.desc.endswith(suffix)) or node.rid in ids for node in nodes)
    texts = sorted((node for node in nodes if node.text), key=lambda node: (node.box.top, node.box.left))
    return texts[0].text if is_post and texts else ""


def is_unclear(view: View) -> bool:
    """Tell whether a row stands in sight whole and is not read all the same."""
    area = timeline(view)
    if area is None:
        return True
    popup, read = popup_of(view), {row.box for row in rows_of(view)}
    for child in heads_of(view):
        nodes = [
            node for node in view.page.inside(child) if not (popup and popup.first <= node.at < popup.end)
        ]
        button = _button(view, nodes)
        if button is not None and button.box.bottom < area.box.bottom and child.box not in read:
            return True
    return False


def begins(view: View) -> bool:
    """Tell whether the cover stands in sight: the list is at its begin."""
    area = timeline(view)
    if area is None:
        return False
    words = view.table.texts
    avatars = [node for node in view.page.inside(area) if node.desc.endswith(words["moments_own_avatar"])]
    return bool(avatars or view.starting("moments_cover"))


def _row(view: View, child: Node, area: Node, popup: Popup | None) -> Row | None:
    nodes = [
        node
        for node in view.page.inside(child)
        if not (popup and popup.first <= node.at < popup.end) and not node.box.is_empty()
    ]
    button = _button(view, nodes)
    texts = [node for node in nodes if node.text and node.cls != EDIT_TEXT]
    if button is None or not texts:
        return None
    # Views are cut to the list: what touches its edge may go on behind it.
    if child.box.top <= area.box.top or button.box.bottom >= area.box.bottom:
        return None
    author = _author(view, texts)
    line = [node for node in texts if _on_line(node, button) and node.box.right <= button.box.left]
    label = _label(line)
    if label is None or author.box.bottom > label.box.top:
        return None
    between = [
        node
        for node in texts
        if node.at != author.at
        and node.box.top >= author.box.top
        and node.box.bottom <= label.box.top
        and not _beside(node, author)
    ]
    words = view.table.texts
    folds = words.get("moments_unfold", ())
    links = (*folds, *words.get("moments_fold", ()))
    return Row(
        box=child.box,
        author=author,
        texts=tuple(node for node in between if node.text not in links),
        photos=sum(
            1 for node in nodes if node.desc in words.get("image", ()) and node.box.bottom <= label.box.top
        ),
        label=label.text,
        button=button,
        is_folded=any(node.text in folds for node in between),
        is_ad=_is_ad(view, texts, author, line),
        is_own=any(node.text in words.get("delete", ()) for node in line),
    )


def _button(view: View, nodes: Sequence[Node]) -> Node | None:
    """Return the button of the popup: by its description; by its id only where none is described."""
    words, ids = view.table.texts.get("moments_popup", ()), view.table.rids("moments_popup_button")
    described = [node for node in nodes if node.desc in words]
    found = described or [node for node in nodes if node.rid in ids]
    return found[0] if len(found) == 1 else None


def _author(view: View, texts: Sequence[Node]) -> Node:
    """Return the highest text of a row; among those of one line the marked one, then the leftmost."""
    ids = view.table.rids("moments_author")
    return min(texts, key=lambda node: (node.box.top, node.rid not in ids, node.box.left))


def _label(line: Sequence[Node]) -> Node | None:
    """Return the time label of a foot: what reads like one, else the leftmost text."""
    return min(line, key=lambda node: (not _reads_as_age(node.text), node.box.left), default=None)


def _reads_as_age(text: str) -> bool:
    return text == JUST_NOW or any(form.fullmatch(text) for form in (_YESTERDAY, _AGO, _DATE))


def _on_line(node: Node, button: Node) -> bool:
    return button.box.top <= node.box.centre[1] < button.box.bottom


def _beside(node: Node, author: Node) -> bool:
    return author.box.top <= node.box.centre[1] < author.box.bottom


def _is_ad(view: View, texts: Sequence[Node], author: Node, line: Sequence[Node]) -> bool:
    ids, words = view.table.rids("moments_ad_mark"), view.table.texts.get("moments_ad", ())
    marks = [node for node in texts if _beside(node, author) and node.at != author.at]
    return any(node.rid in ids for node in texts) or any(node.text in words for node in (*marks, *line))


def belongs(popup: Popup, row: Row, rows: Iterable[Row]) -> bool:
    """Tell whether a popup stands beside the button of this row, and of no other one."""
    middle = popup.box.centre[1]
    high = max(row.button.box.height, popup.box.height)
    is_beside = popup.box.right <= row.button.box.left + row.button.box.width // 2
    is_here = abs(row.button.box.centre[1] - middle) * 2 <= high
    others = [one for one in rows if one.button.at != row.button.at]
    is_there = any(abs(one.button.box.centre[1] - middle) * 2 <= high for one in others)
    return is_beside and is_here and not is_there


def author_beside(view: View) -> Node | None:
    """Return the author of the row that the open popup stands beside, None if that is not one row."""
    popup, rows = popup_of(view), rows_of(view)
    found = [row.author for row in rows if popup is not None and belongs(popup, row, rows)]
    return found[0] if len(found) == 1 else None
