"""How well chats are watched, by state, settings and hours; when they may be read and opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.hand import Hand
from agent.model import Settings, Window
from agent.outbox import Outbox
from agent.shownnotice import DEFAULT, ENDED, LOOK_EVERY_S, TAG, ShownNotice
from agent.signedin import SignedIn
from agent.watch import SEEN_LIFE_S, ChatWatch, standing
from protos.facts import CoverageState, PhoneState

ALLOWED = Settings(capture_allowed=True, account_id="wx", time_zone="UTC")
MORNING = (Window(start_min=8 * 60, end_min=12 * 60),)
MONDAY_9_MS = round(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)
MONDAY_13_MS = MONDAY_9_MS + 4 * 3_600_000


@dataclass
class Desk:
    """A watch with an outbox and a hand, without a phone."""

    outbox: Outbox
    settings: Settings = ALLOWED
    wall_ms: int = MONDAY_9_MS
    hand: Hand = field(default_factory=Hand)

    def __post_init__(self) -> None:
        self.outbox.account_id = "wx"
        self.hand.is_watched = True
        self.account = SignedIn(self.outbox, lambda _: None)
        self.watch = ChatWatch(
            self.outbox, lambda: self.settings, self.hand, self.account, wall=lambda: self.wall_ms
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    outbox = Outbox.open(tmp_path / "a.db")
    yield Desk(outbox)
    outbox.close()


def test_what_is_allowed_may_be_read_and_opened(desk: Desk) -> None:
    assert (desk.watch.why_unread(), desk.watch.why_unopened(), desk.watch.may_open()) == ("", "", True)


@pytest.mark.parametrize(
    ("changes", "seen", "why"),
    [
        ({"capture_allowed": False}, "wx", "no_notice"),
        ({}, "other", "account_mismatch"),
        ({}, "", "account_unknown"),
        ({"account_id": ""}, "wx", "account_unknown"),
        ({"capture_mode": "off"}, "wx", "off"),
    ],
)
def test_what_is_not_allowed_is_not_read(desk: Desk, changes: dict[str, str], seen: str, why: str) -> None:
    desk.settings = replace(ALLOWED, **changes)  # type: ignore[arg-type]  # tests name the fields
    desk.outbox.account_id = seen
    assert (desk.watch.why_unread(), desk.watch.may_open()) == (why, False)


@pytest.mark.parametrize(
    ("changes", "may"),
    [({}, True), ({"capture_allowed": False}, False), ({"capture_mode": "off"}, False)],
)
def test_no_picture_of_the_screen_is_kept_of_what_may_not_be_read(
    desk: Desk, changes: dict[str, str], may: bool
) -> None:
    desk.settings = replace(ALLOWED, **changes)  # type: ignore[arg-type]  # tests name the fields
    assert desk.watch.may_picture() is may
    desk.settings = replace(ALLOWED, capture_windows=MORNING)
    desk.wall_ms = MONDAY_13_MS
    assert not desk.watch.may_picture()


def test_hours_hold_by_the_agents_own_clock(desk: Desk) -> None:
    desk.settings = replace(ALLOWED, capture_windows=MORNING)
    assert desk.watch.why_unread() == ""
    desk.wall_ms = MONDAY_13_MS
    assert desk.watch.why_unread() == "outside_hours"
    desk.settings = replace(ALLOWED, sweep_windows=MORNING)
    assert (desk.watch.why_unread(), desk.watch.why_unopened()) == ("", "outside_sweep_hours")


def test_nothing_is_opened_in_passive_mode_or_where_touches_are_not_seen(desk: Desk) -> None:
    desk.settings = replace(ALLOWED, capture_mode="passive")
    assert (desk.watch.why_unopened(), desk.watch.may_open()) == ("passive_mode", False)
    desk.settings = ALLOWED
    desk.hand.is_watched = False
    assert (desk.watch.why_unopened(), desk.watch.may_open()) == ("hand_not_watched", False)


def test_after_a_look_at_the_page_that_changes_accounts_nothing_is_read(desk: Desk) -> None:
    desk.account.is_doubtful = True
    assert desk.watch.why_unread() == "account_not_checked"


def stands(
    state: PhoneState,
    cause: str = "",
    *,
    why_unread: str = "",
    why_unopened: str = "",
    blind: str = "",
    swept_ago_s: float = 1.0,
    busy_s: float = 0.0,
) -> tuple[CoverageState, str]:
    return standing(
        state,
        cause,
        why_unread=why_unread,
        why_unopened=why_unopened,
        blind=blind,
        swept_ago_s=swept_ago_s,
        busy_s=busy_s,
    )


SEEN, PASSIVE, BLIND, PAUSED = (
    CoverageState.SEEN,
    CoverageState.PASSIVE,
    CoverageState.BLIND,
    CoverageState.PAUSED,
)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (stands(PhoneState.READY), (SEEN, "")),
        (stands(PhoneState.BUSY, busy_s=SEEN_LIFE_S), (SEEN, "")),
        (stands(PhoneState.BUSY, busy_s=SEEN_LIFE_S + 1), (PAUSED, "busy")),
        (stands(PhoneState.READY, swept_ago_s=SEEN_LIFE_S + 1), (PAUSED, "not_swept")),
        (stands(PhoneState.READY, swept_ago_s=float("inf")), (PAUSED, "not_swept")),
        (stands(PhoneState.READY, why_unopened="passive_mode"), (PASSIVE, "passive_mode")),
        (stands(PhoneState.IN_HAND, swept_ago_s=float("inf")), (PASSIVE, "in_hand")),
        (stands(PhoneState.IN_HAND, blind="scrambled"), (BLIND, "scrambled")),
        (stands(PhoneState.BLIND, "unknown_version"), (BLIND, "unknown_version")),
        (stands(PhoneState.PREPARING), (BLIND, "preparing")),
        (stands(PhoneState.BACKOFF, "TOO_FREQUENT"), (PAUSED, "backoff")),
        (stands(PhoneState.LOGGED_OUT), (PAUSED, "logged_out")),
        (stands(PhoneState.QUARANTINED, "other_farm"), (SEEN, "")),  # its chats are read all the same
        (stands(PhoneState.QUARANTINED, why_unread="account_mismatch"), (PAUSED, "account_mismatch")),
        (stands(PhoneState.BLIND, why_unread="no_notice"), (PAUSED, "no_notice")),
    ],
)
def test_silence_is_never_told_as_seen(
    found: tuple[CoverageState, str], wanted: tuple[CoverageState, str]
) -> None:
    assert found == wanted


class Shade:
    """The shade of a phone as Android keeps it: what the shell posted, which a person may wipe away."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.posts = 0

    def post(self, tag: str, _title: str, text: str) -> None:
        self.posts += 1
        self.texts[tag] = text

    def has(self, tag: str) -> bool:
        return tag in self.texts


def test_a_monitored_phone_says_so_as_long_as_it_is() -> None:
    shade = Shade()
    notice = ShownNotice()
    notice.keep(shade, "", 0.0)
    assert shade.texts == {TAG: DEFAULT}
    notice.keep(shade, "", 1.0)
    assert shade.posts == 1
    shade.texts.clear()  # wiped away
    notice.keep(shade, "", LOOK_EVERY_S)
    assert shade.texts == {TAG: DEFAULT}
    notice.keep(shade, "本公司自己的话", LOOK_EVERY_S + 1)
    assert shade.texts == {TAG: "本公司自己的话"}
    notice.end(shade)
    notice.end(shade)
    assert (shade.texts, shade.posts) == ({TAG: ENDED}, 4)


def test_what_an_earlier_process_left_there_does_not_outlive_the_capture() -> None:
    shade = Shade()
    ShownNotice().end(shade)
    assert shade.texts == {}
    shade.texts[TAG] = DEFAULT
    ShownNotice().end(shade)
    assert shade.texts == {TAG: ENDED}
