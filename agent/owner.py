"""The owner mark: a small file on the phone that says which agent may make taps that last on it.

The phone cannot check a lease. So each agent writes its mark when it claims the phone, and the shell on the
phone compares the mark, and the phone's own uptime, in the same round trip that makes the tap.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.epochs import Claim, plain
from agent.errors import AnswerLost, LeaseLost, NotOwner, OtherFarm, TooLate

if TYPE_CHECKING:
    from agent.outbox import Outbox
    from agent.phone import Phone

PATH = "/data/local/tmp/farm-owner"
# Between the sight of a screen and the last moment at which the phone makes a tap aimed on it. The phone
# compares whole seconds, so up to one more may pass.
TAP_LIFE_S = 2.0
# Two clocks of quartz drift apart by some 0.1 s in this time; a host that slept is found out as well.
OFFSET_LIFE_S = 600.0
# A measurement of the phone's clock that took longer than this is made again: its error is as long.
MEASURE_S = 0.5
MEASURES = 3
_PART = re.compile(r"[A-Za-z0-9._:+-]+")
_TEMPORARY = f"{PATH}.new"
LOOK_LINE = f"cat /proc/uptime; cat {PATH} 2>/dev/null"
DROP_LINE = f"rm -f {PATH} {_TEMPORARY}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who claims a phone: a farm, the epochs of its newest claim, the host, boot and file of the agent."""

    farm_id: str
    farm_epoch: int
    phone_epoch: int
    host: str
    boot_id: str
    spool_id: str

    def line(self) -> str:
        """Return the mark as it stands on the phone: six words without quotes or blanks in them."""
        words = (
            self.farm_id,
            str(self.farm_epoch),
            str(self.phone_epoch),
            self.host,
            self.boot_id,
            self.spool_id,
        )
        return " ".join(plain(word) for word in words)

    def claim(self) -> Claim:
        """Return the claim that the mark stands for."""
        return Claim(self.farm_id, self.farm_epoch, self.phone_epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What a connection knows since it claimed its phone; `ahead_s`: the phone's uptime minus our clock."""

    mark: Mark
    ahead_s: float
    measured_at_s: float


def parse(line: str) -> Mark | None:
    """Return the mark that a file holds, None if it holds none that can be read."""
    words = line.split()
    if len(words) != 6 or not all(_PART.fullmatch(word) for word in words):
        return None
    farm_id, farm_epoch, phone_epoch, host, boot_id, spool_id = words
    if not (farm_epoch.isdigit() and phone_epoch.isdigit()):
        return None
    return Mark(
        farm_id=farm_id,
        farm_epoch=int(farm_epoch),
        phone_epoch=int(phone_epoch),
        host=host,
        boot_id=boot_id,
        spool_id=spool_id,
    )


def mark_of(outbox: Outbox, *, host: str, boot_id: str) -> Mark:
    """Return the mark of this agent in its controller's newest claim; without one its epochs are 0."""
    return Mark(
        farm_id=plain(outbox.claim.farm_id),
        farm_epoch=outbox.claim.farm_epoch,
        phone_epoch=outbox.claim.phone_epoch,
        host=plain(host),
        boot_id=plain(boot_id),
        spool_id=plain(outbox.spool_id),
    )


# -- decisions


def why_not_claim(found: Mark | None, mine: Mark) -> str:
    """Return the coded reason why `mine` must not stand in the place of what is found, empty if it may.

    unclaimed: no controller has given us the phone; other_farm: an operator has to take it over; stale:
    another agent of our farm has it by a claim that is not older than ours. A mark that cannot be read holds
    nobody off.
    """
    if not mine.phone_epoch:
        return "unclaimed"
    if found is None or found == mine:
        return ""
    if found.farm_id != mine.farm_id:
        return "other_farm"
    return "stale" if found.claim().order >= mine.claim().order else ""


def tap_line(mark: Mark, x: int, y: int, *, from_s: int, to_s: int) -> str:
    """Return the shell line that taps if the mark stands on the phone and its uptime is in these seconds."""
    return (
        f"if [ \"$(cat {PATH} 2>/dev/null)\" = '{mark.line()}' ]; then "
        "up=$(cut -d. -f1 /proc/uptime); "
        f'if [ "$up" -ge {from_s:d} ] && [ "$up" -le {to_s:d} ]; then '
        f"input tap {x:d} {y:d}; echo tapped:$?; "
        "else echo late; fi; else echo refused; fi"
    )


def put_line(found: Mark | None, mark: Mark) -> str:
    """Return the shell line that puts a mark in the place of the one found and prints what stands there.

    A rename leaves the old file or the new one, whatever is cut off in between.
    """
    put = f"echo '{mark.line()}' > {_TEMPORARY} && mv {_TEMPORARY} {PATH}"
    if found is not None:
        # Another agent may have claimed since we looked; a few milliseconds between test and rename remain.
        put = f"if [ \"$(cat {PATH})\" = '{found.line()}' ]; then {put}; fi"
    return f"{put}; cat {PATH}"


def window(hold: Hold, read_at_s: float) -> tuple[int, int]:
    """Return the first and last second of the phone's uptime for a tap on what was read at `read_at_s`.

    The first one lies before the sight: a phone that started anew meanwhile has a lower uptime.
    """
    seen_s = read_at_s + hold.ahead_s
    return math.floor(seen_s) - 1, math.floor(seen_s + TAP_LIFE_S)


def hear_tap(answer: str) -> None:
    """Return if the phone says that it tapped; NotOwner, TooLate: it did not; else AnswerLost."""
    match (answer.split() or [""])[-1]:
        case "tapped:0":
            return
        case "refused":
            raise NotOwner
        case "late":
            raise TooLate
        case _:
            raise AnswerLost("the phone did not say whether it tapped")


# -- on the phone


def read_mark(phone: Phone) -> Mark | None:
    """Return the mark on a phone, None if there is none that can be read; raises kinds of DriverError."""
    return parse(_look(phone)[0])


def say(phone: Phone) -> str:
    """Return for people who holds a phone; raises kinds of DriverError."""
    line, _ = _look(phone)
    return _name(parse(line)) if line else "no owner mark"


def claim(phone: Phone, mark: Mark) -> None:
    """Have this mark on the phone; costs nothing while this connection has it and knows the phone's clock.

    NotOwner if another agent of the farm has the phone, OtherFarm if another farm has, LeaseLost before any
    controller gave it to us; kinds of DriverError: whether it stands there is not known, to be asked again.
    """
    hold = phone.fence.hold
    if hold is not None and hold.mark == mark and phone.fence.now_s() - hold.measured_at_s < OFFSET_LIFE_S:
        return
    phone.fence.hold = None
    line, ahead_s, at_s = _measure(phone)
    found = parse(line)
    match why_not_claim(found, mark):
        case "":
            pass
        case "other_farm":
            raise OtherFarm(f"the phone bears the mark of another farm: {_name(found)}")
        case "stale":
            raise NotOwner(f"another agent holds this phone: {_name(found)}")
        case reason:
            raise LeaseLost(f"the phone cannot be claimed: {reason}")
    if found != mark:
        _write(phone, found, mark)
    phone.fence.hold = Hold(mark=mark, ahead_s=ahead_s, measured_at_s=at_s)


def remove(phone: Phone) -> None:
    """Take whatever mark there is off the phone, for an operator; raises kinds of DriverError."""
    phone.fence.hold = None
    phone.fence.drop()


def _measure(phone: Phone) -> tuple[str, float, float]:
    """Return the file's line, how far the phone's uptime is at least ahead of our clock, and our clock."""
    ahead_s = -math.inf
    for _ in range(MEASURES):
        begun_s = phone.fence.now_s()
        line, uptime_s = _look(phone)
        now_s = phone.fence.now_s()
        # The phone read its clock at some moment of the round trip. Taken for the last one, its clock is
        # thought to be earlier than it is and a tap ends sooner: the error is on the safe side.
        ahead_s = max(ahead_s, uptime_s - now_s)
        if now_s - begun_s <= MEASURE_S:
            break
    return line, ahead_s, now_s


def _look(phone: Phone) -> tuple[str, float]:
    """Return the line of the owner file, empty if there is none, and the phone's uptime in seconds."""
    clock, _, line = phone.fence.look().partition("\n")
    try:
        return line.strip(), float(clock.split()[0])
    except (ValueError, IndexError):
        raise AnswerLost("the phone did not tell its uptime") from None


def _write(phone: Phone, found: Mark | None, mark: Mark) -> None:
    """Put a mark in the place of the one found and read it back."""
    now = parse(phone.fence.put(found, mark).strip())
    if now is None:
        raise AnswerLost("the owner mark was not written: is the phone's storage full?")
    if now != mark:
        raise NotOwner(f"another agent claimed this phone first: {_name(now)}")


def _name(mark: Mark | None) -> str:
    return "an unreadable mark" if mark is None else describe(mark)


def describe(mark: Mark) -> str:
    """Return a mark for people."""
    claim = f"{mark.farm_epoch}.{mark.phone_epoch}"
    return f"farm {mark.farm_id}, claim {claim}, host {mark.host}, spool {mark.spool_id}"
