"""Chats and lists of real clients: read without error, as a person reads them. The dumps are no part of this.

WeCom is another product whose pages nothing acts on; its chats stand in here for pages of a client whose ids
and descriptions nobody knows: what is read of them is read by words, order and form alone.
"""

import json
import os
from pathlib import Path

import pytest

from agent.capture.chatlist import read_rows, unread_total
from agent.capture.pages import intervals, read_items
from agent.capture.timelabels import zone_named
from agent.wechat.clients import PACKAGE, table_for, without_ids
from agent.wechat.pages import read_page
from agent.wechat.screens import Screen, ScreenName, recognise
from protos.facts import MessageKind

BESIDE = Path(__file__).parents[3] / ".." / "shared" / "dumps"
DUMPS = Path(os.environ.get("FARM_TEST_DUMPS", str(BESIDE)))
WECOM = "com.tencent.wework"
READ_MS = 1_774_000_000_000

pytestmark = pytest.mark.skipif(not DUMPS.is_dir(), reason="no dumps of real clients beside the checkout")


def all_dumps():
    return sorted(DUMPS.glob("*.xml")) if DUMPS.is_dir() else []


def page_of(path, activity=""):
    package = WECOM if path.name.startswith("wecom") else PACKAGE
    return read_page(path.read_text(encoding="utf-8"), package=package, activity=activity, read_at_s=0.0)


def table(version="8.0.66"):
    found = table_for(version, 0)
    assert found is not None
    return found


def as_chat(path, *, with_ids):
    """Return the page as if it were in front as a chat; its frame may be cut down or another product's."""
    page = page_of(path)
    root = max(page.roots(), key=lambda node: node.end - node.at)
    return Screen(page, root, table() if with_ids else without_ids(table()), ScreenName.CHAT)


def shown(nodes):
    return {node.at: node.text for node in nodes}


def words(screen, *, is_group, is_at_end=True):
    """Return what is read, a word for each item: time, or side and kind."""
    items = read_items(screen, shown, is_group=is_group, is_at_end=is_at_end)
    return [f"{item.bubble.side} {item.bubble.kind}" if item.bubble else "time" for item in items]


def present(name):
    path = DUMPS / name
    if not path.is_file():
        pytest.skip("this dump is not here")
    return path


# Read off the pages by eye, from top to bottom; what the upper edge of the list cuts is left out.
CHATS = {
    "wx_reduced_wmpluto_wechat_personal_chat.xml": [
        *("time", "in text", "out text", "in image", "out file", "time", "in text", "out text", "in text"),
    ],
    "wecom_2025-12_chat_input.xml": ["in text", "time", "in mini_program", "in sticker"],
    "wecom_2025-12_ui_check_current.xml": ["in text"] * 5 + ["time", "system system"],
    # The third is an answer under the line it answers: no form of WeChat's.
    "wecom_2025-12_ui_current.xml": [
        *(
            "out text",
            "in text",
            "out other",
            "in text",
            "out text",
            "time",
            "system system",
            "system system",
        ),
    ],
    "wecom_2025-12_ui_step2_group_chat.xml": ["time", *["in text"] * 4, "time", *["in text"] * 2],
    "wecom_2025-12_ui_step9_group_chat.xml": [
        *("in text", "in other", "time", "system system", "system system", "time"),
        *("system system", "system system"),
    ],
    "wecom_2025-12_window_dump_chat.xml": ["in text", "in red_packet"],
    # Made up by its author, in a form no client has: every row is kept, with all its words.
    "wx_reduced_wmpluto_wechat_chat_hierarchy.xml": [
        *("in other", "in other", "out other", "in other", "in other", "in other", "system system"),
    ],
    "wx_reduced_wmpluto_wechat_chat_hierarchy_scrolled.xml": [
        *("in other", "system system", "out other", "in other", "in other"),
    ],
}


@pytest.mark.parametrize("name", CHATS)
def test_chats_are_read_as_a_person_reads_them(name):
    path = present(name)
    assert words(as_chat(path, with_ids="personal" in name), is_group="personal" not in name) == CHATS[name]


def test_every_chat_page_that_is_here_is_among_them():
    index = json.loads(present("INDEX.json").read_text(encoding="utf-8"))
    assert {one["file"] for one in index if "chat page" in one["screen"]} <= set(CHATS)


def test_a_private_chat_reads_alike_without_its_ids():
    path = present("wx_reduced_wmpluto_wechat_personal_chat.xml")
    page = as_chat(path, with_ids=True)
    by_form = Screen(page.page, page.root, without_ids(page.table), page.name)
    assert words(by_form, is_group=False) == words(page, is_group=False)


def test_fields_of_a_file_and_no_senders_in_a_private_chat():
    screen = as_chat(present("wx_reduced_wmpluto_wechat_personal_chat.xml"), with_ids=True)
    bubbles = [item.bubble for item in read_items(screen, shown, is_group=False) if item.bubble]
    file = next(one for one in bubbles if one.kind == "file")
    assert file.detail.endswith("MB")
    assert file.text
    assert {one.sender for one in bubbles} == {""}
    assert all(one.text for one in bubbles if one.kind != "image")


@pytest.mark.parametrize(
    "name", [name for name in CHATS if name.startswith("wecom") and "window_dump" not in name]
)
def test_members_are_named_and_recalls_are_told(name):
    bubbles = [
        item.bubble
        for item in read_items(as_chat(present(name), with_ids=False), shown, is_group=True, is_at_end=True)
        if item.bubble
    ]
    assert all(bool(one.sender) == (one.side == "in") for one in bubbles)
    recalls = [one for one in bubbles if one.detail == "recalled"]
    assert len(recalls) == (2 if name.endswith("ui_current.xml") else 0)
    assert all("重新编辑" not in one.text for one in recalls)


def test_time_lines_of_real_pages_place_what_stands_under_them():
    screen = as_chat(present("wx_reduced_wmpluto_wechat_personal_chat.xml"), with_ids=True)
    items = read_items(screen, shown, is_group=False)
    placed = [item.bubble for item in intervals(items, READ_MS, zone_named("Asia/Shanghai")) if item.bubble]
    assert all(0 < one.shown_from_ms < one.shown_to_ms <= READ_MS + 1 for one in placed)
    assert len({one.shown_from_ms for one in placed}) == 2


def test_the_list_of_chats_is_read_as_a_person_reads_it():
    path = present("wx_800x_JianfeiMa_wechat_main.xml")
    screen = recognise(page_of(path, "com.tencent.mm.ui.LauncherUI"), table("8.0.5"))
    assert screen is not None
    rows = [seen.row for seen in read_rows(screen, shown)]
    # Eight rows: one is the folder of subscriptions, the last one lies under the tabs.
    assert [(row.time_label, row.unread, row.is_muted) for row in rows] == [
        ("14:57", 23, True),
        ("14:55", 0, False),
        ("14:53", 0, False),
        ("14:41", 12, True),
        ("14:30", -1, True),
        ("14:18", 0, False),
    ]
    assert all(row.title and row.preview for row in rows)
    assert unread_total(screen) == 0


@pytest.mark.parametrize("path", all_dumps(), ids=lambda path: path.stem)
@pytest.mark.parametrize("with_ids", [True, False], ids=["ids", "form"])
def test_no_page_of_any_kind_is_an_error(path, with_ids):
    """Also a page that is no chat at all is read without error, into kinds that exist, within its list."""
    screen = as_chat(path, with_ids=with_ids)
    for is_group in (False, True):
        for is_at_end in (False, True):
            items = read_items(screen, shown, is_group=is_group, is_at_end=is_at_end, keep_tall=True)
            placed = intervals(items, READ_MS, zone_named("Asia/Shanghai"))
            assert len(placed) == len(items)
            assert all(one.bubble is None or one.bubble.kind in set(MessageKind) for one in placed)
            area = screen.lists()[0].box if items else screen.root.box
            assert all(area.top <= one.top < area.bottom for one in items)
    assert not screen.tabs() or read_rows(screen, shown)
