"""Which controller's claim to a phone is the newest: agents follow the highest farm epoch they have met."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.logs import get_logger

if TYPE_CHECKING:
    from agent.outbox import Outbox

log = get_logger()
_STRANGE = re.compile(r"[^A-Za-z0-9._:+-]+")
LONGEST_WORD = 64


def plain(word: str) -> str:
    """Return a word of letters, digits and a few signs, "-" for an empty one; it needs no quotes."""
    return _STRANGE.sub("-", word)[:LONGEST_WORD] or "-"


@dataclass(frozen=True, slots=True)
class Claim:
    """A farm's claim to a phone. A restored farm raises its own epoch, each greeting that of the phone."""

    farm_id: str = ""
    farm_epoch: int = 0
    phone_epoch: int = 0

    @classmethod
    def read(cls, note: str, phone_epoch: str = "") -> Claim:
        """Return the claim of a note; of a file without one only the phone's epoch is known."""
        if not note:
            return cls(phone_epoch=int(phone_epoch or 0))
        farm_id, farm, phone = note.split()
        return cls(farm_id, int(farm), int(phone))

    def note(self) -> str:
        """Return the claim as one note, so that its parts are kept or lost together."""
        return f"{plain(self.farm_id)} {self.farm_epoch} {self.phone_epoch}"

    @property
    def order(self) -> tuple[int, int]:
        """Return what orders the claims of one farm."""
        return self.farm_epoch, self.phone_epoch

    def is_before(self, other: Claim) -> bool:
        """Tell whether the same farm has made a later claim; claims of two farms have no order."""
        return plain(self.farm_id) == plain(other.farm_id) and self.order < other.order


class Heard(StrEnum):
    """What follows from a Welcome."""

    NEWEST = "newest"  # its words count
    STALE = "stale"  # it speaks for a controller that was restored or copied: nothing is done for it
    UNTOLD = "untold"  # the phone bears a later claim of its farm that our greeting did not tell


def newest(file: Claim, on_phone: Claim) -> Claim:
    """Return the larger of both; the phone's counts for the farm of the file only."""
    return on_phone if file.is_before(on_phone) else file


def hear(welcome: Claim, *, greeted: Claim, on_phone: Claim) -> Heard:
    """Return what follows from a Welcome to a greeting that told the claim `greeted`."""
    if welcome.is_before(greeted):
        return Heard.STALE
    return Heard.UNTOLD if welcome.is_before(on_phone) else Heard.NEWEST


class Standing:
    """What one stream's controller knows; `is_stale`: it is told all, and nothing is done for it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._greeted = Claim()
        self.is_stale = False

    def greet(self) -> Claim:
        """Return the claim that the greeting tells."""
        self._greeted = newest(self._outbox.claim, self._outbox.claim_on_phone)
        return self._greeted

    def hear(self, claim: Claim) -> bool:
        """Take the claim of a Welcome into the file; False if the greeting has to be made anew."""
        on_phone = self._outbox.claim_on_phone
        heard = hear(claim, greeted=self._greeted, on_phone=on_phone)
        self.is_stale = heard is Heard.STALE
        if heard is Heard.NEWEST:
            self._enter(claim)
        elif heard is Heard.UNTOLD:
            log.warning("phone bears a later claim of this farm, greeting anew")
            self._enter(on_phone)
        else:
            log.error("controller is behind what it told before", told=self._greeted.order, heard=claim.order)
        return heard is not Heard.UNTOLD

    def _enter(self, claim: Claim) -> None:
        self._outbox.enter_epoch(claim.phone_epoch, farm_id=claim.farm_id, farm_epoch=claim.farm_epoch)
