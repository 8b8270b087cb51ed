"""Why the process of one phone should end."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.exits import Exit
from agent.logs import get_logger
from agent.session import Session

log = get_logger()


class Ending:
    """Asked again and again; `lost_s`: end if no controller was met for so long since the start, 0: never."""

    def __init__(
        self,
        session: Session,
        is_stopping: Callable[[], bool],
        lost_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._is_stopping = is_stopping
        self._lost_s = lost_s
        self._clock = clock
        self._started_s = clock()
        self._was_connected = False

    def why(self) -> Exit | None:
        """Return how the process should end now, None if it should not; raises what the session died of."""
        if self._session.failure is not None:
            raise self._session.failure
        if self._is_stopping():
            return Exit.ASKED
        if self._session.stop_reason:
            log.warning("controller ended this agent", reason=self._session.stop_reason)
            return Exit.ASKED
        self._was_connected = self._was_connected or self._session.is_connected
        is_late = self._clock() - self._started_s >= self._lost_s
        if self._lost_s and not self._was_connected and is_late:
            return Exit.CONTROLLER_LOST
        return None
