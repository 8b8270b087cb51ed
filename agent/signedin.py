"""Who is signed in on a phone, as last seen there; every event bears it."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.outbox import Outbox
from agent.phone import Phone
from agent.wechat import identity

# The account is read again before a task or a sweep when it was last read longer ago than this.
ACCOUNT_LIFE_S = 60.0


class SignedIn:
    """The account of one phone; `changed` is called with another one than before, "" if none is shown."""

    def __init__(
        self,
        outbox: Outbox,
        changed: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._changed = changed
        self._clock = clock
        self._read_at_s = float("-inf")
        # A person went where another account can be signed in: until it is read again nobody knows whose
        # chats these are.
        self.is_doubtful = False

    def read(self, phone: Phone) -> str:
        """Look who is signed in, "" if it is not shown; takes touches."""
        seen = identity.read_account(phone)
        self._read_at_s = self._clock()
        self.is_doubtful = False
        if seen != self._outbox.account_id:
            self._outbox.account_id = seen
            self._changed(seen)
        return seen

    def know(self, phone: Phone) -> None:
        """Look who is signed in unless that is known."""
        if self._read_at_s == float("-inf"):
            self.read(phone)

    def refresh(self, phone: Phone) -> None:
        """Look who is signed in if the last look is old."""
        if self._clock() - self._read_at_s > ACCOUNT_LIFE_S:
            self.read(phone)

    def wear_out(self) -> None:
        """Let the last look count no more."""
        self._read_at_s = float("-inf")
