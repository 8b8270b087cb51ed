"""The watch of a person's touches: what counts as one, how long it lasts, and what happens when it breaks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from agent.errors import AnswerLost, InHand, NotSent
from agent.hand import AGAIN_S, Hand, HandWatch
from agent.verdicts import GiveBack, Look, after_error
from tests.support.fleetstub import until

DEVICES = b'add device 1: /dev/input/event2\n  name:     "touch"\n'
TOUCH = b"/dev/input/event2: 0003 0039 00000001\n/dev/input/event2: 0000 0000 00000000\n"


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Lines:
    """A stream of kernel events whose pieces a test gives out."""

    def __init__(self) -> None:
        self.pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self.pieces.get()) is not None:
            yield piece

    def close(self) -> None:
        self.is_closed = True
        self.pieces.put(None)


class Watched:
    """A hand, its watch, and the streams that were begun for it."""

    def __init__(self, refuse: Callable[[int], bool] = lambda _: False) -> None:
        self.hand = Hand()
        self.streams: list[Lines] = []
        self.asked = 0
        self._refuse = refuse
        self.watch = HandWatch(self.hand, self._follow)

    def _follow(self) -> Lines:
        self.asked += 1
        if self._refuse(self.asked):
            raise AnswerLost
        self.streams.append(Lines())
        return self.streams[-1]

    def __enter__(self) -> Watched:
        self.watch.start()
        until(lambda: self.streams, "the stream")
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.close()

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.streams[-1].pieces.put(piece)


def test_a_touch_lasts_for_the_quiet_time() -> None:
    clock = Clock()
    hand = Hand(clock=clock)
    hand.ask()
    hand.touch()
    hand.quiet_s = 10.0
    clock.now_s += 9.9
    with pytest.raises(InHand):
        hand.ask()
    clock.now_s += 0.1
    hand.ask()


def test_a_touch_that_was_asked_for_counts_for_nothing_and_the_next_one_counts() -> None:
    clock = Clock()
    hand = Hand(clock=clock)
    hand.touch()
    hand.forgive(clock.now_s + 0.5)
    assert not hand.is_on()
    clock.now_s += 0.6
    hand.touch()
    assert hand.is_on()


@pytest.mark.parametrize(
    "pieces",
    [
        (DEVICES + TOUCH,),
        (DEVICES, b"/dev/input/ev", b"ent2: 0003 00", b"35 0000021c\n"),
        (DEVICES, b"/dev/input/event0: 0001 0074 00000001\r\n"),
    ],
    ids=["in one piece", "in pieces", "a key"],
)
def test_touches_and_keys_are_heard_however_the_lines_are_cut(pieces: tuple[bytes, ...]) -> None:
    with Watched() as made:
        made.say(*pieces)
        until(made.hand.is_on, "the touch")
        assert made.hand.is_watched


def test_what_sensors_write_is_no_touch() -> None:
    with Watched() as made:
        made.say(
            DEVICES, b"/dev/input/event5: 0003 0019 00000001\n", b"/dev/input/event6: 0005 0000 00000001\n"
        )
        made.say(b"/dev/input/event5: 0003 0000 00000007\n", b"\n")
        until(lambda: made.streams[-1].pieces.empty() and made.hand.is_watched, "all of it to be read")
        assert not made.hand.is_on()
        made.say(TOUCH)
        until(made.hand.is_on, "a touch after them")


def test_nothing_is_watched_before_the_phone_says_a_word() -> None:
    with Watched() as made:
        assert not made.hand.is_watched
        made.say(DEVICES)
        until(lambda: made.hand.is_watched, "the first word")


def test_a_stream_that_ends_is_begun_again_and_nothing_is_watched_meanwhile() -> None:
    gone = threading.Event()
    with Watched(refuse=lambda asked: asked == 2 and not gone.is_set()) as made:
        made.say(DEVICES)
        until(lambda: made.hand.is_watched, "the watch")
        made.streams[-1].pieces.put(None)
        until(lambda: not made.hand.is_watched, "the end of the watch")
        until(lambda: len(made.streams) == 2, "another stream", 5 + sum(AGAIN_S[:2]))
        assert made.streams[0].is_closed
        made.say(DEVICES)
        until(lambda: made.hand.is_watched, "the watch again")


def test_close_ends_the_stream() -> None:
    with Watched() as made:
        made.say(DEVICES)
        until(lambda: made.hand.is_watched, "the watch")
    assert made.streams[-1].is_closed
    assert made.asked == 1


def test_a_task_in_a_persons_way_goes_back_or_waits_to_be_looked_at() -> None:
    assert after_error(InHand(), is_armed=False, attempt=99) == GiveBack("in_hand")
    assert after_error(InHand(), is_armed=True) == Look()
    # What cleans up after an error and lets a phone's faults pass lets this pass too.
    assert issubclass(InHand, NotSent)
