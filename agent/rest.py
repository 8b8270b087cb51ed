"""The rest of an account after a platform warning, kept in the agent's file: restarts do not end it."""

from __future__ import annotations

from agent.model import Settings
from agent.outbox import Outbox
from agent.verdicts import is_lifted
from protos.facts import PlatformWarned

_SEQ, _COULD_ACT, _WARNING = "warned_seq", "could_act", "warning"


def begin(outbox: Outbox, fact: PlatformWarned, *, could_act: bool) -> None:
    """Record a warning and that nothing may be done from here on, in one transaction.

    `could_act`: only where something could be done has the controller to allow it again.
    """
    with outbox.transaction() as conn:
        (seq,) = outbox.append(conn, [fact])
        outbox.note(conn, _SEQ, str(seq))
        outbox.note(conn, _COULD_ACT, str(int(could_act)))
        outbox.note(conn, _WARNING, fact.warning)


class Rest:
    """Whether this phone's account rests, and whether the controller has said since that it need not."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        # The controller's words heard when the warning was archived; what it allows later is said after it.
        warned = int(outbox.recall(_SEQ) or 0)
        self._words_then: int | None = 0 if 0 < warned <= outbox.acked else None

    @property
    def is_on(self) -> bool:
        """Tell whether a warning stands that nobody lifted."""
        return bool(self._outbox.recall(_SEQ))

    @property
    def cause(self) -> str:
        """Return the class of the warning."""
        return self._outbox.recall(_WARNING)

    def has_ended(self, settings: Settings, words: int) -> bool:
        """End the rest if the controller's newest words lift it; `words` counts those heard. True once."""
        is_archived = self._outbox.acked >= int(self._outbox.recall(_SEQ) or 0)
        if not is_archived:
            # A controller that was restored does not know of the warning: its words so far do not count.
            self._words_then = None
        elif self._words_then is None:
            self._words_then = words
        if not is_lifted(
            is_archived=is_archived,
            could_act=self._outbox.recall(_COULD_ACT) != "0",
            has_new_word=words > (self._words_then or 0),
            settings=settings,
        ):
            return False
        self._outbox.remember(_SEQ, "")
        self._words_then = None
        return True
