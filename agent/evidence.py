"""Pictures of the screen as evidence: kept on this host only, for its owner only, few and not for long."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.boottime import wall_ms
from agent.errors import AgentError
from agent.logs import get_logger

log = get_logger()
KEEP_MS = 7 * 86_400_000
KEEP_PICTURES = 200
# The same trouble again within this time is not pictured again.
PAUSE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A kept picture by file name and SHA-256; empty strings when none could be made."""

    name: str = ""
    sha256: str = ""


class Evidence:
    """The evidence folder of one phone: events name a picture and its hash; it never leaves the host."""

    def __init__(self, folder: Path, *, clock: Callable[[], int] = wall_ms) -> None:
        self._folder = folder
        self._clock = clock
        self._last: tuple[str, int] = ("", 0)

    def keep(self, take: Callable[[], bytes], why: str) -> Picture:
        """Take and keep a picture, none if the phone gives none; `why` is a coded word for its name."""
        now_ms = self._clock()
        if why == self._last[0] and now_ms - self._last[1] < PAUSE_MS:
            return Picture()
        try:
            picture = take()
        except AgentError as error:
            log.info("no picture", trouble=type(error).__name__)
            return Picture()
        if not picture:
            return Picture()
        self._last = (why, now_ms)
        try:
            return self._write(picture, why, now_ms)
        except OSError as error:
            # A full disk must not stop what the picture is evidence of.
            log.warning("picture not kept", error=error.strerror)
            return Picture()

    def purge(self) -> None:
        """Remove pictures older than a week, and the oldest beyond the newest 200."""
        before_s = (self._clock() - KEEP_MS) / 1000
        with suppress(OSError):
            found = sorted(self._folder.iterdir(), key=lambda path: path.name)
            for place, path in enumerate(found):
                if place < len(found) - KEEP_PICTURES or path.stat().st_mtime < before_s:
                    path.unlink()

    def _write(self, picture: bytes, why: str, now_ms: int) -> Picture:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.purge()
        digest = hashlib.sha256(picture).hexdigest()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
        kind = "png" if picture.startswith(b"\x89PNG") else "jpg"
        name = f"{stamp}-{why}-{digest[:8]}.{kind}"
        fd = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(picture)
        return Picture(name, digest)
