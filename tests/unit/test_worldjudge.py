"""The judge of the capture worlds finds each kind of fault that it is there to find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.worldjudge import Kept, Look, Said, Verdict, judge


def line(text: str) -> Said:
    return Said(frozenset({Look("in", "text", text)}))


def kept(text: str, *, gap: bool = False, doubtful: bool = False) -> Kept:
    return Kept(Look("in", "text", text), gap, doubtful)


WORLD = [line(text) for text in ("a", "b", "b", "c")]


def test_an_archive_of_everything_in_order_is_sound():
    assert judge(WORLD, [kept("a"), kept("b"), kept("b"), kept("c")]) == Verdict()


def test_a_line_left_out_is_a_hole_unless_a_gap_stands_there():
    assert judge(WORLD, [kept("a"), kept("b"), kept("c")]).holes == 1
    assert judge(WORLD, [kept("a"), kept("b"), kept("c", gap=True)]) == Verdict(covered=1)
    assert judge(WORLD, [kept("a", gap=True), kept("b"), kept("c")]).holes == 1
    assert judge(WORLD, [kept("a"), kept("b"), kept("b")], gap_at_end=True) == Verdict(covered=1)


def test_a_line_kept_twice_is_a_repeat_also_if_it_is_marked():
    twice = [kept("a"), kept("a"), kept("b"), kept("b"), kept("c")]
    assert judge(WORLD, twice) == Verdict(repeats=1)
    twice[1] = kept("a", doubtful=True)
    assert judge(WORLD, twice) == Verdict(doubtful=1)


def test_another_order_is_a_hole_and_a_repeat():
    assert judge(WORLD, [kept("b"), kept("a"), kept("b"), kept("c")]) == Verdict(holes=1, repeats=1)


def test_a_line_that_was_recalled_counts_as_either():
    recalled = Said(frozenset({Look("in", "text", "a"), Look("system", "system", "recalled")}))
    for look in recalled.looks:
        assert judge([recalled], [Kept(look)]).is_sound
    assert judge([recalled], []).holes == 1


def test_what_nobody_could_have_read_may_be_missing():
    gone = Said(frozenset({Look("in", "text", "a")}), may_be_missing=True)
    assert judge([gone, line("b")], [kept("b")]) == Verdict()


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.data())
def test_leaving_out_and_repeating_is_always_found(texts: list[str], data: st.DataObject) -> None:
    world = [line(text) for text in texts]
    archive = [kept(text) for text in texts]
    assert judge(world, archive) == Verdict()
    at = data.draw(st.integers(0, len(texts) - 1))
    assert judge(world, archive[:at] + archive[at + 1 :]).holes == 1
    assert judge(world, [*archive[:at], archive[at], *archive[at:]]).repeats == 1
