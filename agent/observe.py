"""What the page of new friends tells between two looks: adds made by hand, acceptances, people who ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from agent.outbox import Outbox
from agent.phone import Phone
from agent.wechat.newfriends import RequestRow, RequestState, note_requests
from protos.facts import AddObserved, Fact, FriendAccepted, FriendRequestSeen, peer_key

NEW_FRIENDS = "new_friends"
# Before a task is asked for, the page was read at most so long ago.
LIFE_S = 120.0
# Remembered of a person who asks, seen while no notice allowed to say who: it is news once one does.
UNSAID = "accept_unsaid"
_ASKED = (RequestState.ASKS, UNSAID)


def changes(
    before: Mapping[str, str] | None, rows: Sequence[RequestRow], account_id: str, *, may_name: bool
) -> list[Fact]:
    """Return what is new in the rows since `before` (peer key to state), oldest first.

    None: nobody ever looked; then only who still asks is news, the rest may be years old. Names and greetings
    are told only if `may_name`: they are private, and kept under a notice only. Whether an add was one of the
    farm's own tasks is the controller's to know. Namesakes count as one person.
    """
    found: list[Fact] = []
    for row in reversed(rows):
        key = peer_key(account_id, row.name)
        was = (before or {}).get(key, "")
        if was != row.state and (before is not None or row.state is RequestState.ASKS):
            found += _news(row, key, was, may_name=may_name)
    return found


def _news(row: RequestRow, key: str, was: str, *, may_name: bool) -> list[Fact]:
    found: list[Fact] = []
    match row.state:
        case RequestState.WAITING:
            found.append(AddObserved(peer_key=key, how=NEW_FRIENDS, kind="requested"))
        case RequestState.ASKS if may_name:
            found.append(FriendRequestSeen(peer_name=row.name, greeting=row.greeting, state="open"))
        case RequestState.ACCEPTED if was == RequestState.WAITING:
            if may_name:
                found.append(FriendAccepted(conversation_title=row.name, how="已添加"))
        case RequestState.ACCEPTED:
            kind = "accepted" if was in _ASKED else "added"
            found.append(AddObserved(peer_key=key, how=NEW_FRIENDS, kind=kind))
        case _:
            pass
    if was in _ASKED and may_name and row.state in (RequestState.ACCEPTED, RequestState.EXPIRED):
        state = "accepted" if row.state is RequestState.ACCEPTED else "expired"
        found.append(FriendRequestSeen(peer_name=row.name, greeting=row.greeting, state=state))
    return found


def remembered(
    before: Mapping[str, str] | None, rows: Sequence[RequestRow], account_id: str, *, may_name: bool
) -> dict[str, str]:
    """Return what is known after a look; rows that are out of reach keep what they were."""
    now = {
        peer_key(account_id, row.name): (
            UNSAID if row.state is RequestState.ASKS and not may_name else str(row.state)
        )
        for row in reversed(rows)
    }
    return {**(before or {}), **now}


class Observer:
    """Remembers the page of new friends of the signed-in account, by digests, and reports what changed."""

    def __init__(self, outbox: Outbox, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._outbox = outbox
        self._clock = clock
        self._looked_at_s = float("-inf")

    def is_fresh(self) -> bool:
        """Tell whether the last look is young enough for another task to be asked for."""
        return self._clock() - self._looked_at_s <= LIFE_S

    def wear_out(self) -> None:
        """Let the last look count no more: something was done since."""
        self._looked_at_s = float("-inf")

    def observe(self, phone: Phone, *, may_name: bool) -> None:
        """Look at the page and keep the news with what is remembered, in one write.

        Raises kinds of DriverError and ScreenError, LoggedOut and PlatformWarning.
        """
        account_id = self._outbox.account_id
        rows = note_requests(phone).rows
        note = f"requests:{account_id}"
        kept = self._outbox.recall(note)
        before = msgspec.json.decode(kept, type=dict[str, str]) if kept else None
        after = remembered(before, rows, account_id, may_name=may_name)
        found = changes(before, rows, account_id, may_name=may_name)
        if found or before is None or after != before:
            self._outbox.add_with_note(found, note, msgspec.json.encode(after).decode())
        self._looked_at_s = self._clock()
