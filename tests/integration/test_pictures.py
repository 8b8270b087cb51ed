"""Pictures out of chats on a virtual phone: only if allowed, of images only, and never of another page."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageColor

from agent.capture import pictures
from agent.capture.keys import conversation_key
from agent.hand import Hand
from agent.media import kept, place_of
from agent.model import Settings, Window
from agent.outbox import Outbox
from agent.signedin import SignedIn
from agent.virtual.scenario import parse_scenario
from agent.virtual.wechat.cards import tint_of
from agent.watch import ChatWatch
from protos import wire
from protos.facts import MessageSeen
from tests.support.adb import AdbServer, until
from tests.support.handset import Handsets, handsets

PEOPLE = ("小满", "xiaoman"), ("话多", "huaduo")
WORLD = "[phones_like]\ncount = 1\n" + "".join(
    f'[[people]]\nnickname = "{name}"\nwechat_id = "{key}"\nfriend_of = ["all"]\n'
    f'[[chats]]\npeer = "{key}"\nhistory = 3\n'
    for name, key in PEOPLE
)
SIZE = (260, 320)  # of an image in the virtual client
EDGE_PX = 16  # JPEG mixes the colours of as many pixels
CARDS = ("sticker", "video", "link", "location", "red_packet", "transfer", "file", "mini_program")


class Desk:
    """A watch over a phone whose person would be seen."""

    def __init__(self, hands: Handsets, folder: Path) -> None:
        self.farm, self.virtual = hands.farm, hands.farm.phones[0]
        self.account = self.virtual.account_id
        self.outbox = Outbox.open(folder / "outbox.db")
        self.outbox.account_id = self.account
        self.phone = hands.open(self.virtual)
        self.hand = Hand()
        self.hand.is_watched = True
        self.phone.heed(self.hand)
        self.folder = folder / "media"
        self.settings = Settings(
            capture_allowed=True, account_id=self.account, sweep_pause_ms=0, media="pictures"
        )
        self.watch = ChatWatch(
            self.outbox,
            lambda: self.settings,
            self.hand,
            SignedIn(self.outbox, lambda _: None),
            media=(self.folder, 10_000_000),
        )

    def sweep(self) -> None:
        self.watch.look(self.phone, lambda: True)

    def show(self, chat: str, kind: str = "image", text: str = "", **fields: Any) -> None:
        self.farm.say(self.account, chat, text, kind=kind, **fields)

    def messages(self) -> list[MessageSeen]:
        facts = [wire.unseal(body).fact for body in self.outbox.batch(1)]
        return [fact for fact in facts if isinstance(fact, MessageSeen)]

    def images(self, chat: str = "小满") -> list[MessageSeen]:
        key = conversation_key(chat, "private")
        return [one for one in self.messages() if one.kind == "image" and one.conversation_key == key]

    def tints(self, chat: str = "xiaoman") -> list[str]:
        lines = self.farm.transcript(self.account)[chat]
        return [tint_of(line) for line in lines if line.kind == "image"]

    def is_of(self, sha256: str, tint: str) -> bool:
        """Tell whether an object is the picture of a colour, up to what JPEG loses near its edges."""
        with Image.open(place_of(self.folder, sha256)) as picture:
            assert (picture.format, picture.size) == ("PNG", SIZE)
            places = [(x, y) for x in (EDGE_PX, SIZE[0] - EDGE_PX) for y in (EDGE_PX, SIZE[1] - EDGE_PX)]
            corners = [picture.getpixel(place) for place in places]
        wanted = ImageColor.getrgb(tint)
        return all(
            abs(one - two) <= 8
            for corner in corners
            if isinstance(corner, tuple)
            for one, two in zip(corner, wanted, strict=True)
        )


@pytest.fixture
def desk(one_adb: AdbServer, tmp_path: Path) -> Iterator[Desk]:
    with handsets(parse_scenario(WORLD), one_adb) as hands:
        made = Desk(hands, tmp_path)
        yield made
        made.outbox.close()


@contextmanager
def during_the_shot(desk: Desk, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> Iterator[None]:
    """Let something happen on the phone each time, just before the screen is pictured."""
    real = desk.phone.screenshot

    def screenshot() -> bytes:
        do()
        return real()

    with monkeypatch.context() as patch:
        patch.setattr(desk.phone, "screenshot", screenshot)
        yield


def test_two_pictures_of_a_chat_are_two_objects_of_what_their_boxes_show(desk: Desk) -> None:
    desk.show("xiaoman")
    desk.show("xiaoman", side="out")
    desk.sweep()
    found = desk.images()
    assert len({one.media_sha256 for one in found}) == 2
    assert {one.sha256 for one in kept(desk.folder)} == {one.media_sha256 for one in found}
    for one, tint in zip(found, desk.tints(), strict=True):
        assert desk.is_of(one.media_sha256, tint)
    # What is archived is not taken again, and what came meanwhile joins all the same.
    desk.show("xiaoman")
    desk.sweep()
    assert len(desk.images()) == len(list(kept(desk.folder))) == 3
    assert not any(one.ambiguous for one in desk.messages())
    assert desk.is_of(desk.images()[2].media_sha256, desk.tints()[2])


def test_pictures_of_pages_further_up_are_kept_too(desk: Desk) -> None:
    for _ in range(9):
        desk.show("xiaoman")
    desk.sweep()
    found = desk.images()
    assert len(found) == 9
    assert all(one.media_sha256 for one in found)
    for one, tint in zip(found, desk.tints(), strict=True):
        assert desk.is_of(one.media_sha256, tint)


def test_of_anything_but_images_there_is_no_picture(desk: Desk) -> None:
    for kind in CARDS:
        detail = "2 KB" if kind == "file" else "附言"
        desk.show("xiaoman", kind, "说明", detail=detail, amount_fen=100, length_s=3)
    desk.sweep()
    assert {one.kind for one in desk.messages()} >= set(CARDS)
    assert not any(one.media_sha256 for one in desk.messages())
    assert not desk.folder.exists()


def test_without_the_policy_no_picture_is_taken_and_there_is_no_folder(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots: list[None] = []
    desk.settings = replace(desk.settings, media="")
    desk.show("xiaoman")
    with during_the_shot(desk, monkeypatch, lambda: shots.append(None)):
        desk.sweep()
    assert [one.media_sha256 for one in desk.images()] == [""]
    assert (desk.folder.exists(), shots, desk.watch.pictures()) == (False, [], None)


@pytest.mark.parametrize(
    "changes", [{"capture_allowed": False}, {"capture_windows": (Window(start_min=0, end_min=0),)}]
)
def test_what_may_not_be_read_is_not_pictured(desk: Desk, changes: dict[str, object]) -> None:
    desk.show("xiaoman")
    desk.settings = replace(desk.settings, **changes)  # type: ignore[arg-type]  # tests name the fields
    desk.sweep()
    desk.watch.read_passively(desk.phone)
    assert (desk.messages(), desk.folder.exists()) == ([], False)


def test_a_policy_that_ends_in_mid_visit_keeps_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def end() -> None:
        desk.settings = replace(desk.settings, media="")

    desk.show("xiaoman")
    with during_the_shot(desk, monkeypatch, end):
        desk.sweep()
    assert [one.media_sha256 for one in desk.images()] == [""]
    assert list(kept(desk.folder)) == []


def test_an_excluded_chat_is_not_pictured_nor_by_a_look_in_the_hand(desk: Desk) -> None:
    desk.settings = replace(desk.settings, excluded_keys=(conversation_key("小满", "private"),))
    desk.show("xiaoman")
    desk.show("huaduo")
    desk.sweep()
    desk.virtual.hand("open", "小满")
    until(lambda: desk.phone.screen() is not None, "the chat in front")
    desk.watch.read_passively(desk.phone)
    assert desk.images() == []
    (one,) = kept(desk.folder)
    assert [image.media_sha256 for image in desk.images("话多")] == [one.sha256]


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_page_that_moved_since_it_was_read_is_not_pictured(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    if not is_guarded:
        monkeypatch.setattr(pictures, "_is_same", lambda *_: True)
    desk.show("xiaoman")
    for _ in range(3):
        desk.farm.say(desk.account, "xiaoman", "长" * 90, "out")
    with during_the_shot(
        desk, monkeypatch, lambda: desk.farm.say(desk.account, "xiaoman", "刚来的" * 30, "in")
    ):
        desk.sweep()
    (image,) = desk.images()
    if is_guarded:
        assert (image.media_sha256, list(kept(desk.folder))) == ("", [])
    else:
        assert not desk.is_of(image.media_sha256, desk.tints()[0])


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_touch_while_the_screen_is_pictured_leaves_no_picture(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    # Passive: nothing is injected, so that nothing else stops at the touch.
    desk.settings = replace(desk.settings, capture_mode="passive")
    if not is_guarded:
        monkeypatch.setattr(pictures, "_last_touch_s", lambda _: 0.0)
    desk.show("xiaoman")
    desk.virtual.hand("open", "小满")
    with during_the_shot(desk, monkeypatch, desk.hand.touch):
        until(lambda: desk.watch.read_passively(desk.phone) or desk.images(), "the page")
    assert [bool(one.media_sha256) for one in desk.images()] == [not is_guarded]


def test_what_a_person_has_in_front_is_pictured_unless_touches_are_not_seen(desk: Desk) -> None:
    desk.settings = replace(desk.settings, capture_mode="passive")
    desk.virtual.hand("open", "小满")
    until(lambda: desk.watch.read_passively(desk.phone) or desk.messages(), "the page")
    taps = len(desk.virtual.injected_at_s())
    desk.show("xiaoman")
    until(lambda: desk.watch.read_passively(desk.phone) or desk.images(), "the picture")
    desk.hand.is_watched = False
    desk.show("xiaoman")
    until(lambda: desk.watch.read_passively(desk.phone) or len(desk.images()) == 2, "the second")
    assert [bool(one.media_sha256) for one in desk.images()] == [True, False]
    assert desk.is_of(desk.images()[0].media_sha256, desk.tints()[0])
    assert len(desk.virtual.injected_at_s()) == taps


def test_a_phone_that_gives_no_picture_does_not_stop_the_reading(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.show("xiaoman")
    desk.show("huaduo")
    broken = io.BytesIO()
    Image.new("RGB", (90, 90)).save(broken, "PNG")
    answers = iter([b"no picture", broken.getvalue()])
    with monkeypatch.context() as patch:
        patch.setattr(desk.phone, "screenshot", lambda: next(answers))
        desk.sweep()
    assert [one.media_sha256 for one in (*desk.images(), *desk.images("话多"))] == ["", ""]
    assert next(answers, None) is None


def test_without_the_policy_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, agent.runner, agent.process, agent.watch\n"
        # uiautomator2 itself loads a part of Pillow, once for all agents of a host.
        "assert not {'agent.media', 'agent.capture.pictures', 'PIL.JpegImagePlugin'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
