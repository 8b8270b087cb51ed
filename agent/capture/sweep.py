"""Going through the list of chats: what is due is noted durably, then read, archived and struck off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.boottime import wall_ms
from agent.capture import chats, timelabels
from agent.capture.chatlog import ChatRead
from agent.capture.gaps import GapCause
from agent.capture.keys import conversation_key, may_be_excluded
from agent.capture.notifications import read_hints
from agent.capture.pagewalk import Bounds
from agent.chatbook import ChatBook
from agent.errors import ChatExcluded, ChatNotListed, ScreenError, TwoChatsOneName, Unreadable
from agent.logs import get_logger
from agent.model import ChatRow, Settings
from agent.outbox import Outbox
from agent.phone import Phone
from agent.wechat.screens import ScreenName

if TYPE_CHECKING:
    from agent.capture.pictures import Pictures

log = get_logger()

# The whole list is looked through this often: chats pinned to its top may hide what changed below.
WHOLE_LIST_EVERY_S = 600.0
# A chat that could not be read is let alone for so long, and twice as long after each further time.
SKIP_S = 600.0
SKIP_MOST_S = 86_400.0
# A chat that could not be read so often in a row is owned up to by a gap; it stays due.
FAILURES_TO_TELL = 3
# A message like the last one that comes in the same minute, while nobody sees the list, leaves its row as it
# was. So a chat in which something was new is opened once more after so many pauses between sweeps, and again
# when the minute its row shows is over.
RECHECK_PAUSES = 2
MINUTE_SLACK_MS = 5_000
# Under this name gaps stand for what is in folded chats.
FOLDED_TITLE = "折叠的聊天"
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


def may_capture(settings: Settings, account_seen: str) -> bool:
    """Tell whether the chats on the phone may be read: of the account the controller has bound, no other."""
    return settings.capture_allowed and bool(settings.account_id) and settings.account_id == account_seen


def recheck_at(read: ChatRead, settings: Settings, *, opened_ms: int, now_ms: int) -> int | None:
    """Return when (UTC ms) a chat is to be opened again though its row shows nothing new; None: never."""
    if read.new or read.changes or read.gap_cause:
        return now_ms + settings.sweep_pause_ms * RECHECK_PAUSES
    label = read.row.time_label if read.row is not None else ""
    zone = timelabels.zone_named(settings.time_zone)
    span = timelabels.resolve(label, opened_ms, zone)
    if span is None or span[1] - span[0] > _MINUTE_MS or opened_ms > span[1] + MINUTE_SLACK_MS:
        return None
    return span[1] + MINUTE_SLACK_MS + 1


class Sweeper:
    """Reads the chats of one phone into its outbox. `settings` tells what is allowed now.

    `pictures` returns what takes pictures, None unless the policy allows it.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: Callable[[], Settings] = Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        pictures: Callable[[], Pictures | None] = lambda: None,
        may_keep: Callable[[], bool] = lambda: True,
    ) -> None:
        self._outbox = outbox
        self._pictures = pictures
        self._may_keep = may_keep  # asked before what a visit found is archived: much may change meanwhile
        self._settings = settings
        self._book = ChatBook(outbox)
        self._clock = clock
        self._whole_at_s = float("-inf")
        self._was_away = True  # what happened on the phone meanwhile nobody saw
        self._has_folder = False  # a chat that is not in the list may be among the folded ones
        self._failures: dict[str, int] = {}
        self._skip_until_s: dict[str, float] = {}

    def sweep(self, phone: Phone, may_go_on: Callable[[], bool]) -> bool:
        """Read the chats that ask for it while `may_go_on`; False if some are left.

        Whatever ends it, a chat found to ask for it stays due until it is archived. Does nothing unless the
        mode is sweep.
        Raises kinds of DriverError and ScreenError, LoggedOut and PlatformWarning.
        """
        if self._settings().capture_mode != "sweep":
            return True
        if self._was_away:
            self._note_what_is_open(phone)
        # Until the end it counts as away: after a fault anything may have been opened.
        was_away, self._was_away = self._was_away, True
        if was_away:
            self.hints(phone)
            self._book.recheck_now()
        self._look_over(phone)
        for row in [*self._book.due(), *self._book.rechecks(wall_ms())]:
            if not may_go_on():
                self._was_away = False
                return False
            if self._is_to_be_read(row.title):
                self._read(phone, row)
        self._was_away = False
        return True

    def hints(self, phone: Phone) -> bool:
        """Note the chats due that notifications tell of, without a touch; tell whether there are any.

        Raises kinds of DriverError.
        """
        hints = [one for one in read_hints(phone.notifications()) if self._is_to_be_read(one.title)]
        known = {row.title for row in self._book.due()}
        rows = [_row_of(one.title) for one in hints if self._book.glimpse_of(one.title) is not None]
        self._book.note_due([row for row in rows if row.title not in known])
        return bool(hints)

    def is_due(self) -> bool:
        """Tell whether a chat waits to be read, without a look at the phone."""
        rows = [*self._book.due(), *self._book.rechecks(wall_ms())]
        return any(self._is_to_be_read(row.title) for row in rows)

    def _note_what_is_open(self, phone: Phone) -> None:
        """A chat in front after a break bears no badge any more: whoever opened it, it is to be read."""
        screen = phone.screen()
        if screen is None or screen.name is not ScreenName.CHAT:
            return
        names = chats.names(phone, screen)
        # Without a name, while somebody types, only its row can tell: it shows what came.
        if names and not any(may_be_excluded(one, self._settings().excluded_keys) for one in names):
            self._book.note_title(chats.named(phone, screen, self._book.is_known)[0])

    def _look_over(self, phone: Phone) -> None:
        now_s = self._clock()
        is_whole = now_s >= self._whole_at_s
        phone.bring_wechat()
        look = chats.look_over(phone, self._is_hint, is_whole_list=is_whole)
        self._book.note_due(look.hints)
        for title in look.namesakes:
            if not may_be_excluded(title, self._settings().excluded_keys):
                self._tell_of_namesakes(title)
        self._has_folder = look.has_folder or (self._has_folder and not look.is_whole)
        if look.has_folder:
            self._tell_of_folded()
        if not is_whole:
            return
        if look.is_whole and self._book.missing(look.titles):
            # A row that climbed while the list was gone through was not seen: who is missing twice is gone.
            again = chats.look_over(phone, self._is_hint, is_whole_list=True)
            self._book.note_due(again.hints)
            if again.is_whole:
                self._has_folder |= again.has_folder
                self._book.note_missing(look.titles | again.titles, self._cause_of_missing())
        self._whole_at_s = now_s + WHOLE_LIST_EVERY_S

    def _is_hint(self, row: ChatRow) -> bool:
        return self._book.is_hint(row) and not may_be_excluded(row.title, self._settings().excluded_keys)

    def _is_to_be_read(self, title: str) -> bool:
        is_put_off = self._skip_until_s.get(title, float("-inf")) > self._clock()
        return not is_put_off and not may_be_excluded(title, self._settings().excluded_keys)

    def _read(self, phone: Phone, row: ChatRow) -> None:
        opened_ms = wall_ms()

        def archive(read: ChatRead) -> None:
            if not self._may_keep() or may_be_excluded(read.title, self._settings().excluded_keys):
                raise ChatExcluded
            at_ms = recheck_at(read, self._settings(), opened_ms=opened_ms, now_ms=wall_ms())
            self._outbox.add_chat(replace(read, recheck_at_ms=at_ms))

        try:
            read = chats.read_chat(
                phone,
                row,
                self._outbox.tail_of,
                archive,
                bounds=Bounds.of(self._settings()),
                excluded=self._settings().excluded_keys,
                opened_other=self._book.note_title,
                pictures=self._pictures(),
            )
        except Unreadable:
            raise
        except ScreenError as error:
            self._not_read(phone, row.title, error)
        else:
            if read.row is not None:
                self._failures.pop(row.title, None)
            elif row.title in self._failures:
                self._put_off(row.title)
            else:  # the list moved under the finger, most likely
                self._failures[row.title] = 0

    def _not_read(self, phone: Phone, title: str, error: ScreenError) -> None:
        """One row that leads nowhere must not stop the others."""
        if isinstance(error, ChatNotListed):
            self._book.give_up(title, self._cause_of_missing())
            return
        phone.bring_wechat(is_own_way=True)  # if it is the phone, this raises
        self._put_off(title)
        if isinstance(error, TwoChatsOneName):
            self._tell_of_namesakes(title)
        elif self._failures[title] == FAILURES_TO_TELL:
            self._book.say_once(title, GapCause.CHAT_NOT_READ, f"not read {_day()}")
        if not isinstance(error, ChatExcluded):
            log.warning("chat not read", trouble=type(error).__name__)

    def _tell_of_namesakes(self, title: str) -> None:
        """Own up, once a day, to two chats that cannot be told apart; neither is opened."""
        self._skip_until_s[title] = self._clock() + SKIP_S
        self._book.say_once(title, GapCause.TWO_CHATS_ONE_NAME, f"namesake {_day()}")

    def _cause_of_missing(self) -> GapCause:
        """A chat that may have been put away among the folded ones is not said to be gone."""
        return GapCause.CHAT_NOT_READ if self._has_folder else GapCause.CHAT_GONE

    def _tell_of_folded(self) -> None:
        """Own up, once a day, to the chats that stand apart: what comes in them is not read."""
        key = conversation_key(FOLDED_TITLE, "service")
        self._book.say_once_of(key, FOLDED_TITLE, GapCause.CHAT_NOT_READ, f"folded {_day()}")

    def _put_off(self, title: str) -> None:
        failures = self._failures.get(title, 0)
        self._failures[title] = failures + 1
        self._skip_until_s[title] = self._clock() + min(SKIP_S * 2.0**failures, SKIP_MOST_S)


def _row_of(title: str) -> ChatRow:
    return ChatRow(title=title, preview="", time_label="", unread=0, is_muted=False)


def _day() -> int:
    return wall_ms() // _DAY_MS
