"""Waiting ends by the condition or by the clock, and says what was waited for."""

import pytest

from agent.deadline import Deadline
from agent.errors import NotInTime, ScreenError


class Time:
    def __init__(self):
        self.now_s = 100.0
        self.slept = []

    def clock(self):
        return self.now_s

    def pause(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds

    def deadline(self, within_s):
        return Deadline.after(within_s, clock=self.clock, pause=self.pause)


def test_first_true_value_is_returned_at_once():
    time = Time()
    answers = iter([None, "", 0, "here"])
    assert time.deadline(5).until(lambda: next(answers), what="it", every_s=0.5) == "here"
    assert time.slept == [0.5, 0.5, 0.5]


def test_condition_is_asked_once_even_when_no_time_is_left():
    assert Time().deadline(0).until(lambda: "here", what="it") == "here"


def test_end_names_what_was_waited_for():
    time = Time()
    with pytest.raises(NotInTime, match="the add button did not come") as late:
        time.deadline(1).until(lambda: None, what="the add button", every_s=0.4)
    assert late.value.what == "the add button"
    assert isinstance(late.value, ScreenError)
    assert time.now_s == pytest.approx(101.0)


def test_last_pause_is_no_longer_than_what_is_left():
    time = Time()
    with pytest.raises(NotInTime):
        time.deadline(1).until(lambda: None, what="it", every_s=0.7)
    assert time.slept == pytest.approx([0.7, 0.3])


def test_left_is_never_negative():
    time = Time()
    deadline = time.deadline(1)
    time.now_s += 5
    assert deadline.left_s() == 0.0
    assert deadline.is_over()


def test_error_of_the_condition_goes_through():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Time().deadline(1).until(broken, what="it")
