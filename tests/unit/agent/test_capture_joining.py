"""Visits to chats with recalls, edits and deletions: each message is archived once, or owned up to."""

from __future__ import annotations

from dataclasses import replace

import hypothesis
import hypothesis.strategies as st
import pytest

from agent.capture.align import Key
from agent.capture.changes import changes, merged
from agent.capture.chatlog import ChatLog, Tail
from agent.capture.gaps import GapCause
from agent.capture.passive import is_still_below, place
from agent.capture.visits import TAIL_LENGTH, Verdict, judge
from agent.model import Bubble

RECALL_OUT, RECALL_IN = "你撤回了一条消息", '"小满"撤回了一条消息'
PAGE = 8


def bubble(text: str, side: str = "in", kind: str = "text", **fields: object) -> Bubble:
    return replace(Bubble(side=side, kind=kind, text=text, time_label=""), **fields)


def bubbles(words: str) -> list[Bubble]:
    return [bubble(word) for word in words.split()]


def recalled(one: Bubble) -> Bubble:
    return bubble(RECALL_OUT if one.side == "out" else RECALL_IN, side="system", kind="system")


class Chat:
    """What a phone shows of a chat, and what was archived of it over several visits."""

    def __init__(self) -> None:
        self.said: list[Bubble] = []  # as first said
        self.shown: list[Bubble] = []
        self.archive: dict[int, Bubble] = {}
        self.changed: dict[int, list[str]] = {}
        self.doubtful = 0
        self.tail = Tail(0, ())

    def say(self, text: str, side: str) -> None:
        self.said.append(bubble(text, side))
        self.shown.append(self.said[-1])

    def recall(self, back: int) -> None:
        at = len(self.shown) - 1 - back
        if at >= 0 and self.shown[at].side != "system":
            self.shown[at] = recalled(self.shown[at])

    def visit(self) -> Verdict:
        """Read from the end upward, some rows more each time, as a reader does."""
        seen = PAGE
        while True:
            read = self.shown[-seen:]
            verdict = judge(
                self.tail.bubbles, read, is_at_top=seen >= len(self.shown), is_last=False, unread=0
            )
            if verdict is not None:
                break
            seen += 5
        log = ChatLog(self.tail)
        log.take(read, verdict, is_unsure=False)
        for one in log.new:
            assert one.position not in self.archive
            self.archive[one.position] = one.bubble
            self.doubtful += one.ambiguous
        for change in log.changes:
            self.changed.setdefault(change.position, []).append(change.what)
        self.tail = Tail(log.position, log.looks)
        return verdict

    def agrees(self) -> bool:
        """Tell whether each message stands at its place, as said or, if it was never seen, as its recall."""
        if sorted(self.archive) != list(range(1, len(self.said) + 1)):
            return False
        for position, (said, shown) in enumerate(zip(self.said, self.shown, strict=True), start=1):
            kept = self.archive[position]
            if kept != said and kept != shown:
                return False
            # What was read before its recall is marked.
            if kept == said != shown and "recalled" not in self.changed.get(position, []):
                return False
        return True


STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(("好的", "嗯", "收到")), st.sampled_from(("in", "in", "out"))),
    st.tuples(st.just("new"), st.integers(0, 10**6), st.sampled_from(("in", "out"))),
    st.tuples(st.just("recall"), st.integers(0, 4), st.just("")),
    st.tuples(st.just("visit"), st.just(0), st.just("")),
)


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(st.lists(STEPS, min_size=1, max_size=60))
def test_recalls_between_visits_lose_nothing_and_repeat_nothing(steps: list[tuple[str, object, str]]) -> None:
    chat = Chat()
    for n, (what, value, side) in enumerate([*steps, ("visit", 0, "")]):
        match what:
            case "say":
                chat.say(str(value), side)
            case "new":
                chat.say(f"m{n}-{value}", side)
            case "recall":
                chat.recall(int(str(value)))
            case _ if chat.shown:
                chat.visit()
    if chat.doubtful:
        # What cannot be told is kept and marked; nothing may be missing then either.
        assert len(chat.archive) >= len(chat.said)
    else:
        assert not chat.shown or chat.agrees()


def test_a_recall_marks_what_was_read_and_the_next_visit_says_nothing_more() -> None:
    chat = Chat()
    for n in range(12):
        chat.say(f"m{n}", "out" if n % 3 else "in")
    chat.visit()
    chat.recall(2)
    chat.visit()
    assert chat.changed == {10: ["recalled"]}
    chat.say("danach", "in")
    chat.visit()
    assert chat.changed == {10: ["recalled"]}
    assert chat.agrees()


def test_a_recall_of_the_holder_never_stands_for_a_message_of_the_peer() -> None:
    tail = [*bubbles("a b c d e f"), bubble("x")]
    read = [*bubbles("a b c d e f"), bubble(RECALL_OUT, side="system", kind="system")]
    verdict = judge(tail, read, is_at_top=False, is_last=True, unread=0)
    assert verdict is not None
    assert verdict.cause == GapCause.NO_OVERLAP
    own = [*tail[:-1], bubble("x", side="out")]
    verdict = judge(own, read, is_at_top=False, is_last=True, unread=0)
    assert verdict is not None
    assert (verdict.new, verdict.cause, verdict.ambiguous) == (0, "", False)


def test_a_cleared_chat_is_said_to_be_cleared_and_what_stands_there_is_new() -> None:
    tail = bubbles("a b c d e f g h")
    fresh = judge(tail, bubbles("x y"), is_at_top=True, is_last=False, unread=0)
    assert fresh == Verdict(2, 0, ambiguous=False, cause=GapCause.NO_OVERLAP, is_cleared=True)
    empty = judge(tail, [], is_at_top=True, is_last=False, unread=0)
    assert empty == Verdict(0, 0, ambiguous=False, cause=GapCause.NO_OVERLAP, is_cleared=True)
    log = ChatLog(Tail(8, tuple(tail)))
    log.take([], empty, is_unsure=False)
    assert (log.position, log.looks) == (8, ())
    # One text in common is chance: it is kept and marked.
    chance = judge(tail, bubbles("h"), is_at_top=True, is_last=False, unread=0)
    assert chance == Verdict(1, 0, ambiguous=True, cause=GapCause.NO_OVERLAP, is_cleared=True)


def test_messages_deleted_one_by_one_do_not_make_all_of_a_chat_new() -> None:
    chat = [bubble(f"m{n}") for n in range(40)]
    shown = [one for n, one in enumerate(chat) if n not in (33, 36)]
    verdict = judge(chat, [*shown[-12:], bubble("neu")], is_at_top=False, is_last=False, unread=1)
    assert verdict is not None
    assert (verdict.new, verdict.has_holes, verdict.cause) == (1, True, "")
    log = ChatLog(Tail(40, tuple(chat)))
    log.take([*shown[-12:], bubble("neu")], verdict, is_unsure=False)
    assert [one.position for one in log.new] == [41]
    assert log.looks == (*chat, bubble("neu"))


def test_a_member_who_takes_another_name_does_not_make_all_of_a_group_new() -> None:
    tail = [bubble(f"m{n}", sender="阿明") for n in range(9)]
    read = [*(replace(one, sender="明哥") for one in tail), bubble("neu", sender="明哥")]
    verdict = judge(tail, read, is_at_top=True, is_last=False, unread=1)
    assert verdict is not None
    assert (verdict.new, verdict.cause) == (1, "")


@pytest.mark.parametrize(
    ("then", "now", "whats"),
    [
        (
            bubble("", kind="transfer", amount_fen=100, state="pending"),
            bubble("", kind="transfer", amount_fen=100, state="received"),
            ["state"],
        ),
        (bubble("", kind="transfer"), bubble("", kind="transfer", amount_fen=100), ["state"]),
        (bubble("", kind="voice"), bubble("", kind="voice", detail="你好"), ["transcript"]),
        (bubble("开头", fragment=True), bubble("开头和结尾"), ["unfolded"]),
        (bubble("开头和结尾"), bubble("开头", fragment=True), []),
        (bubble("", kind="red_packet", state="opened"), bubble("", kind="red_packet"), []),
    ],
)
def test_what_became_of_a_message(then: Bubble, now: Bubble, whats: list[str]) -> None:
    assert [change.what for change in changes([then], [now], first_position=7)] == whats
    after = merged(then, now)
    assert list(changes([after], [now], first_position=7)) == []


def test_transfers_of_different_amounts_are_different_messages() -> None:
    one = bubble("", kind="transfer", amount_fen=100)
    tail = [*bubbles("a b c d e"), one]
    verdict = judge(tail, [*tail[:-1], replace(one, amount_fen=200)], is_at_top=False, is_last=True, unread=0)
    assert verdict is not None
    assert verdict.cause == GapCause.NO_OVERLAP


LOG = [bubble(f"m{n}", shown_from_ms=n * 60_000, shown_to_ms=(n + 1) * 60_000) for n in range(1, 120)]


@hypothesis.given(st.integers(10, 119), st.integers(0, 118), st.booleans())
def test_a_page_anywhere_in_a_chat_adds_only_what_follows_the_archive(
    archived: int, first: int, may_jump: bool
) -> None:
    tail = LOG[max(0, archived - TAIL_LENGTH) : archived]
    page = LOG[first : first + 9]
    found = place(tail, page, is_whole=False, may_jump=may_jump)
    new = page[len(page) - found.verdict.new :] if found.verdict else []
    if found.verdict is None:
        return
    assert all(one not in LOG[:archived] for one in new)
    if new and found.verdict.cause == "":
        assert new[0] is LOG[archived]
    if new and new[0] is not LOG[archived]:
        assert found.verdict.cause == GapCause.PASSIVE_JUMP


def test_a_page_of_repeats_proves_nothing_without_a_tap() -> None:
    tail = [*bubbles("x y z"), *bubbles("好的 " * 6)]
    assert place(tail, bubbles("好的 " * 8), is_whole=False, may_jump=False).verdict is None
    assert place(tail, [*bubbles("好的 " * 6), bubble("neu")], is_whole=False, may_jump=False).verdict is None


def test_a_page_of_an_unknown_time_that_does_not_join_adds_nothing() -> None:
    found = place(bubbles("a b c d e f"), bubbles("u v w"), is_whole=False, may_jump=True)
    assert (found.is_known, found.verdict) == (False, None)


def test_a_chat_seen_for_the_first_time_is_kept_with_a_gap_only_where_no_visit_follows() -> None:
    assert place([], bubbles("a b"), is_whole=False, may_jump=False).verdict is None
    jump = place([], bubbles("a b"), is_whole=False, may_jump=True).verdict
    assert jump is not None
    assert (jump.new, jump.cause) == (2, GapCause.EARLIER_NOT_READ)
    whole = place([], bubbles("a b"), is_whole=True, may_jump=False).verdict
    assert whole is not None
    assert (whole.new, whole.cause) == (2, "")


@pytest.mark.parametrize(
    ("now", "is_below"),
    [
        ([("a", 10), ("b", 60), ("c", 110)], True),  # nothing moved
        ([("b", 10), ("c", 60), ("d", 110)], True),  # something came
        ([("z", 10), ("a", 60), ("b", 110), ("c", 160)], True),  # a keyboard went away
        ([("z", 10), ("a", 60), ("b", 110)], False),  # leafed back
        ([("x", 10), ("y", 60)], False),  # far away
    ],
)
def test_the_end_is_in_sight_as_long_as_messages_only_move_up(
    now: list[tuple[str, int]], is_below: bool
) -> None:
    def marks(page: list[tuple[str, int]]) -> list[tuple[Key, int]]:
        return [(Key("in", "text", text), top) for text, top in page]

    assert is_still_below(marks([("a", 10), ("b", 60), ("c", 110)]), marks(now)) is is_below
