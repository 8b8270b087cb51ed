"""Who may claim a phone, what the guarded line says, and what its answers mean: pure decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import owner
from agent.epochs import Claim, Heard, hear, newest
from agent.errors import AgentError, AnswerLost, NotOwner, TooLate
from agent.owner import Hold, Mark, hear_tap, parse, put_line, tap_line, why_not_claim, window

MINE = Mark(farm_id="f1", farm_epoch=2, phone_epoch=5, host="h", boot_id="b", spool_id="s")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, ""),
        (MINE, ""),
        (replace(MINE, phone_epoch=4, host="x"), ""),
        (replace(MINE, farm_epoch=1, phone_epoch=99), ""),
        (replace(MINE, phone_epoch=6), "stale"),
        (replace(MINE, farm_epoch=3, phone_epoch=1), "stale"),
        (replace(MINE, spool_id="x"), "stale"),  # one claim, two agents: neither may be believed
        (replace(MINE, farm_id="f2", farm_epoch=0, phone_epoch=1), "other_farm"),
    ],
)
def test_the_higher_claim_of_a_farm_has_the_phone(found: Mark | None, reason: str) -> None:
    assert why_not_claim(found, MINE) == reason


def test_who_was_never_welcomed_claims_nothing() -> None:
    assert why_not_claim(None, replace(MINE, phone_epoch=0)) == "unclaimed"


words = st.text(max_size=80)


@given(words, st.integers(0, 10**9), st.integers(0, 10**9), words, words, words)
def test_any_words_make_a_line_that_needs_no_quotes_and_is_read_back(
    farm: str, farm_epoch: int, phone_epoch: int, host: str, boot: str, spool: str
) -> None:
    mark = Mark(
        farm_id=farm, farm_epoch=farm_epoch, phone_epoch=phone_epoch, host=host, boot_id=boot, spool_id=spool
    )
    found = parse(mark.line())
    assert found is not None
    assert found.line() == mark.line()
    assert not set("'\"$`\\;&|<>(){}\n\t*?[]!#~") & set(mark.line())


@given(st.text(max_size=60))
def test_whatever_stands_in_the_file_is_a_mark_or_none(line: str) -> None:
    found = parse(line)
    assert found is None or parse(found.line()) == found


@pytest.mark.parametrize(
    "line", ["", "a b c d e f", "f 1 2 h b", "f 1 -2 h b s", "f 1 2 h b s t", "f 1 2 h$ b s"]
)
def test_a_line_of_another_form_is_no_mark(line: str) -> None:
    assert parse(line) is None


def test_the_line_holds_the_mark_the_window_and_one_tap() -> None:
    line = tap_line(MINE, 10, 20, from_s=3, to_s=6)
    assert f"= '{MINE.line()}' ]" in line
    assert '"$up" -ge 3 ] && [ "$up" -le 6 ]' in line
    assert line.count("input tap 10 20;") == 1
    assert "f1" not in put_line(None, replace(MINE, farm_id="f9"))


@pytest.mark.parametrize("place", ["x", "from_s"])
def test_only_whole_numbers_get_into_the_line(place: str) -> None:
    values: dict[str, object] = {"x": 1, "y": 2, "from_s": 3, "to_s": 4, place: "1; reboot"}
    with pytest.raises(ValueError, match="format code"):
        tap_line(MINE, **values)  # type: ignore[arg-type]  # what the types forbid, the line refuses too


@pytest.mark.parametrize("seen_at_s", [100.0, 100.4, 100.99])
def test_the_window_closes_within_the_life_of_a_tap_and_one_second(seen_at_s: float) -> None:
    first, last = window(Hold(mark=MINE, ahead_s=900.0, measured_at_s=0.0), seen_at_s)
    uptime_s = seen_at_s + 900.0
    assert first < uptime_s  # a phone that started anew has a lower one
    assert int(uptime_s + owner.TAP_LIFE_S) <= last
    assert int(uptime_s + owner.TAP_LIFE_S + 1.0) > last


@pytest.mark.parametrize("answer", ["tapped:0\n", "a warning of the shell\ntapped:0\n"])
def test_an_answer_that_says_so_is_a_tap(answer: str) -> None:
    hear_tap(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("refused\n", NotOwner),
        ("late\n", TooLate),
        ("", AnswerLost),
        ("tapped:", AnswerLost),
        ("tapped:255\n", AnswerLost),
        ("java.lang.SecurityException: INJECT_EVENTS\ntapped:1\n", AnswerLost),
        ("refused tapped:1", AnswerLost),
    ],
)
def test_any_other_answer_is_none(answer: str, error: type[AgentError]) -> None:
    with pytest.raises(error):
        hear_tap(answer)


# -- whose Welcome counts


@pytest.mark.parametrize(
    ("welcome", "greeted", "on_phone", "heard"),
    [
        (Claim("f", 1, 5), Claim("f", 1, 4), Claim(), Heard.NEWEST),
        (Claim("f", 2, 1), Claim("f", 1, 4), Claim(), Heard.NEWEST),
        (Claim("f", 1, 9), Claim("f", 2, 4), Claim(), Heard.STALE),
        (Claim("f", 1, 3), Claim("f", 1, 4), Claim(), Heard.STALE),
        (Claim("g", 1, 1), Claim("f", 2, 4), Claim(), Heard.NEWEST),
        (Claim("f", 1, 1), Claim(), Claim("f", 1, 7), Heard.UNTOLD),
        (Claim("g", 1, 1), Claim(), Claim("f", 1, 7), Heard.NEWEST),
        (Claim("f", 1, 1), Claim("f", 1, 7), Claim("f", 1, 7), Heard.STALE),
    ],
)
def test_agents_follow_the_newest_claim(
    welcome: Claim, greeted: Claim, on_phone: Claim, heard: Heard
) -> None:
    assert hear(welcome, greeted=greeted, on_phone=on_phone) is heard


def test_the_larger_of_file_and_phone_is_told_within_one_farm() -> None:
    assert newest(Claim("f", 1, 4), Claim("f", 1, 7)) == Claim("f", 1, 7)
    assert newest(Claim("f", 1, 8), Claim("f", 1, 7)) == Claim("f", 1, 8)
    assert newest(Claim("g", 1, 4), Claim("f", 9, 9)) == Claim("g", 1, 4)


def test_a_claim_is_kept_as_one_note() -> None:
    assert Claim.read(Claim("farm 1", 2, 3).note()) == Claim("farm-1", 2, 3)
    assert Claim.read("", "6") == Claim("", 0, 6)
    assert Claim.read("") == Claim()
