"""Going through the list of chats: what is due is noted durably, then read, archived and struck off."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent import facts
from agent.boottime import wall_ms
from agent.capture import chats
from agent.chatbook import ChatBook
from agent.errors import ChatNotListed, ScreenError, Unreadable
from agent.logs import get_logger
from agent.model import ChatRow, Settings
from agent.outbox import Outbox
from agent.phone import Phone

log = get_logger()

# The whole list is looked through this often: chats pinned to its top may hide what changed below.
WHOLE_LIST_EVERY_S = 600.0
# A chat that could not be read is let alone for so long, and twice as long after each further time.
SKIP_S = 600.0
SKIP_MOST_S = 86_400.0


def may_capture(settings: Settings, account_seen: str) -> bool:
    """Tell whether the chats on the phone may be read: of the account the controller has bound, no other."""
    return settings.capture_allowed and bool(settings.account_id) and settings.account_id == account_seen


class Sweeper:
    """Reads the chats of one phone into its outbox."""

    def __init__(self, outbox: Outbox, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._outbox = outbox
        self._book = ChatBook(outbox)
        self._clock = clock
        self._whole_at_s = float("-inf")
        self._failures: dict[str, int] = {}
        self._skip_until_s: dict[str, float] = {}

    def sweep(self, phone: Phone, may_go_on: Callable[[], bool]) -> bool:
        """Read the chats that ask for it while `may_go_on`; False if some are left.

        Whatever ends it, a chat found to ask for it stays due until it is archived.
        Raises kinds of DriverError and ScreenError, LoggedOut and PlatformWarning.
        """
        now_s = self._clock()
        is_whole = now_s >= self._whole_at_s
        phone.bring_wechat()
        self._book.note_due(chats.unread_rows(phone, self._book.is_hint, is_whole_list=is_whole))
        if is_whole:
            self._whole_at_s = now_s + WHOLE_LIST_EVERY_S
        for row in self._book.due():
            if not may_go_on():
                return False
            if self._skip_until_s.get(row.title, float("-inf")) <= self._clock():
                self._read(phone, row)
        return True

    def _read(self, phone: Phone, row: ChatRow) -> None:
        try:
            read = chats.read_chat(phone, row, self._outbox.tail_of, self._outbox.add_chat)
        except Unreadable:
            raise
        except ChatNotListed:
            self._book.give_up(row.title, "chat_gone")
        except ScreenError as error:
            # One row that leads nowhere must not stop the others; if it is the phone, the next line raises.
            phone.bring_wechat(is_own_way=True)
            self._put_off(row.title)
            self._outbox.add(facts.hole("chat_not_read", wall_ms()))
            log.warning("chat not read", trouble=type(error).__name__)
        else:
            if read.row is not None:
                self._failures.pop(row.title, None)
            elif row.title in self._failures:
                self._put_off(row.title)
            else:  # the list moved under the finger, most likely
                self._failures[row.title] = 0

    def _put_off(self, title: str) -> None:
        failures = self._failures.get(title, 0)
        self._failures[title] = failures + 1
        self._skip_until_s[title] = self._clock() + min(SKIP_S * 2.0**failures, SKIP_MOST_S)
