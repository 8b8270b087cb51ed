"""Room for the file of events: a reserve that is given up when the disk is full, and alarms."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.logs import get_logger

log = get_logger()

MIB = 1024 * 1024
_FILLING = 0.7
_NEARLY_FULL = 0.9
# Archived events may be needed once more, by a controller that was restored; not at the price of new ones.
_KEEP_ARCHIVED = 0.6


class Level(StrEnum):
    """How full it is; from `full` on no chat is read any more."""

    FREE = "free"
    FILLING = "room_70_percent"
    NEARLY_FULL = "room_90_percent"
    FULL = "disk_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one phone may use of a disk, in bytes."""

    file_bytes: int = 256 * MIB
    # So much must be free for chats to be read: the next commits of all phones of a host, and a checkpoint.
    spare_bytes: int = 16 * MIB
    ballast_bytes: int = 8 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is used of the file and of its disk, in bytes."""

    used: int
    disk_free: int
    disk_total: int


def level_of(room: Room, limits: Limits, was: Level) -> Level:
    """Return how full it is. What was full is so until a tenth of the file and twice the spare are free."""
    needs = limits.spare_bytes
    bound: float = limits.file_bytes
    if was is Level.FULL:
        needs = 2 * limits.spare_bytes + limits.ballast_bytes
        bound *= _NEARLY_FULL
    if room.used >= bound or room.disk_free < needs:
        return Level.FULL
    share = max(room.used / limits.file_bytes, 1 - room.disk_free / max(1, room.disk_total))
    if share >= _NEARLY_FULL:
        return Level.NEARLY_FULL
    return Level.FILLING if share >= _FILLING else Level.FREE


def is_crowded(used_bytes: int, limits: Limits, level: Level) -> bool:
    """Tell whether archived events should go before their week is over."""
    return level is Level.FULL or used_bytes > limits.file_bytes * _KEEP_ARCHIVED


class Ballast:
    """One file of a host: all its agents may hold it, and the first that needs the room gives it up."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def is_held(self) -> bool:
        """Tell whether the reserve is really there, with all its blocks."""
        try:
            return self._path.stat().st_blocks * 512 >= self._size_bytes
        except OSError:
            return False

    def hold(self) -> bool:
        """Take the reserve; False, with nothing taken, if the disk does not give it."""
        if self.is_held:
            return True
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size_bytes)
            finally:
                os.close(descriptor)
        except OSError:
            self.give_up()
            return False
        return True

    def give_up(self) -> bool:
        """Free the room of the reserve; False if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


class Space:
    """Watches the room of one file; a look before each write, so that SQLite does not meet its end."""

    def __init__(self, folder: Path, limits: Limits, ballast: Ballast | None = None) -> None:
        self._folder = folder
        self.limits = limits
        self._ballast = ballast
        self.level = Level.FREE

    def look(self, used_bytes: int) -> Level:
        """Measure, and hold or give up the reserve as needed; an unreadable disk changes nothing."""
        with suppress(OSError):
            disk = os.statvfs(self._folder)
            room = Room(
                used=used_bytes,
                disk_free=disk.f_bavail * disk.f_frsize,
                # What is kept for root, or by a quota, is nobody's: neither used nor free.
                disk_total=(disk.f_blocks - disk.f_bfree + disk.f_bavail) * disk.f_frsize,
            )
            self._enter(level_of(room, self.limits, self.level))
        return self.level

    def met_the_end(self) -> None:
        """Take SQLite's word that the disk is full."""
        self._enter(Level.FULL)

    def _enter(self, level: Level) -> None:
        if level is Level.FULL:
            if self._ballast is not None and self._ballast.give_up():
                log.warning("reserve of the disk given up")
        elif self._ballast is not None and level is not Level.NEARLY_FULL:
            self._ballast.hold()
        if level is not self.level:
            rank = list(Level).index
            tell = log.error if rank(level) > rank(Level.FILLING) else log.warning
            tell("room for events", now=level.value, was=self.level.value)
        self.level = level
