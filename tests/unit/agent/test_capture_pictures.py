"""Where the picture of a message stands, what may lie over it, and that hashes join nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.capture import pictures
from agent.capture.align import Key, key_of
from agent.capture.changes import changes, merged
from agent.capture.pages import Item, read_items
from agent.capture.pictures import Shot, cut, is_covered
from agent.capture.visits import Visit, first_new
from agent.model import Bubble
from agent.wechat.pages import Box, Page
from tests.support.glass import Glass
from tests.support.glass import replace_node as changed

CHAT = """
[[people]]
nickname = "小满"
wechat_id = "xiaoman"
friend_of = ["all"]
[[chats]]
peer = "xiaoman"
lines = [{ kind = "image" }, { kind = "sticker" }, { kind = "image", side = "out" }, { text = "好" }]
"""


@pytest.fixture
def glass() -> Glass:
    made = Glass(CHAT)
    made.tap("小满")
    return made


def images(glass: Glass, page: Page | None = None) -> list[Item]:
    screen = glass.screen()
    if page is not None:
        screen = replace(screen, page=page)
    items = read_items(screen, glass.true_texts(), is_group=False)
    assert not any(item.picture for item in items if item.bubble is None or item.bubble.kind != "image")
    return [item for item in items if item.bubble is not None and item.bubble.kind == "image"]


def test_an_image_stands_where_the_client_draws_it(glass: Glass) -> None:
    drawn = [Box(*one.bounds) for root in glass.drawn() for one in root.walk() if one.desc == "图片"]
    assert [item.picture for item in images(glass)] == drawn
    assert len(drawn) == 2


def test_of_an_image_that_loads_or_is_cut_off_there_is_no_place(glass: Glass) -> None:
    page = glass.page()
    at = next(node.at for node in page.nodes if node.desc == "图片")
    shown = glass.screen().lists()[0]
    low = page.nodes[at].box._replace(top=shown.box.top)
    cut_off = changed(page, at, box=low)
    assert [item.picture is None for item in images(glass, cut_off)] == [True, False]
    sign = next(node.at for node in page.nodes[:at][::-1] if node.cls.endswith("FrameLayout"))
    loading = changed(page, sign, cls="android.widget.ProgressBar")
    assert [item.picture is None for item in images(glass, loading)] == [True, False]


def over(page: Page, box: Box, **fields: object) -> Page:
    """Return a page with a window of the system on top."""
    last = len(page.nodes)
    plain = page.nodes[-1]._replace(at=last, parent=-1, end=last + 1, cls="android.widget.TextView", desc="")
    shown = plain._replace(text="小满: 在吗", package="com.android.systemui", box=box)
    return replace(page, nodes=(*page.nodes, shown._replace(**fields)))


def test_what_lies_over_a_picture_is_seen(glass: Glass) -> None:
    page, shown = glass.page(), glass.screen().lists()[0]
    box = images(glass)[0].picture
    assert box is not None
    assert not is_covered(page, shown, box)
    banner = box._replace(bottom=box.top + 1)
    assert is_covered(over(page, banner), shown, box)
    assert is_covered(over(page, banner, text="", desc="关闭"), shown, box)
    assert not is_covered(over(page, banner, text="", cls="android.widget.FrameLayout"), shown, box)
    assert not is_covered(over(page, box._replace(top=box.top - 9, bottom=box.top)), shown, box)
    assert is_covered(replace(page, nodes=()), shown, box)


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_covered_picture_is_not_cut_out(
    glass: Glass, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    from PIL import Image

    if not is_guarded:
        monkeypatch.setattr(pictures, "is_covered", lambda *_: False)
    boxes = [item.picture for item in images(glass) if item.picture is not None]
    page = glass.page()
    content = pictures._png(Image.new("RGB", (1080, 2340)))
    shot = Shot(content, (page, over(page, boxes[0])))
    found = cut(shot, glass.screen(), boxes)
    assert [bool(one) for one in found] == [not is_guarded, True]
    assert cut(replace(shot, content=b""), glass.screen(), boxes) == [b"", b""]


# ---- hashes and joining

IMAGE = Bubble(side="in", kind="image", text="", time_label="", media_sha256="a" * 64)


def item(text: str, top: int, **fields: object) -> Item:
    plain = replace(IMAGE, text=text, media_sha256="")
    bubble = replace(plain, **fields)  # type: ignore[arg-type]  # tests name the fields
    return Item(key_of(bubble), bubble, top)


def test_a_hash_is_no_part_of_what_joins() -> None:
    other = replace(IMAGE, media_sha256="b" * 64)
    assert key_of(IMAGE) == key_of(other) == Key("in", "image", "")
    assert list(changes([IMAGE], [other], first_position=1)) == []
    # What was archived names its object for good.
    assert merged(IMAGE, other).media_sha256 == IMAGE.media_sha256
    assert merged(replace(IMAGE, media_sha256=""), other).media_sha256 == other.media_sha256


@pytest.mark.parametrize("is_doubtful", [False, True])
def test_a_picture_taken_further_down_is_not_lost_further_up_nor_given_to_another(is_doubtful: bool) -> None:
    texts = ["same"] * 3 if is_doubtful else ["one", "two", "three"]
    visit = Visit()
    visit.begin([item(texts[1], 100, media_sha256="c" * 64), item(texts[2], 300)])
    # All alike, and moved by a pixel more or less: two ways to lay one page over the other.
    tops = (99, 299) if is_doubtful else (100, 300)
    page = [item(text, top) for text, top in zip(texts[:2], tops, strict=True)]
    assert visit.add_older(page, expected_px=200, edge_px=0)
    assert visit.is_doubtful == is_doubtful
    taken = "" if is_doubtful else "c" * 64
    assert [one.bubble and one.bubble.media_sha256 for one in visit.page] == ["", taken]
    assert [one.bubble and one.bubble.media_sha256 for one in visit.items[:2]] == ["", taken]


def test_where_what_is_new_begins() -> None:
    line = Item(Key("time", "time", "10:44"), None, 0)
    items = [item("one", 0), line, item("two", 9), line, item("three", 20)]
    assert [first_new(items, new) for new in range(4)] == [5, 4, 2, 0]
