"""The pattern classes on labelled sentences, on random texts and on hostile ones."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.words.entry import PATTERN_CLASSES, Allow, Entry, EntryType
from controller.words.pattern_checks import is_bank_card, is_resident_id, luhn, mobile_of
from controller.words.patterns import Patterns

ALLOW = Allow(
    phones=("139-0000-1111",), domains=("https://haozhai.com/", "weixin.qq.com"), emails=("kefu@haojia.cn",)
)
ALL = [
    Entry(id=f"P{place}", word=name, type=EntryType.PATTERN)
    for place, name in enumerate(sorted(PATTERN_CLASSES))
]
PATTERNS = Patterns.of(ALL, ALLOW)
ROWS = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parents[2] / "data/words/pattern_sentences.txt").read_text().splitlines()
    if not line.startswith("#")
]
DISGUISES = "0123456789一二三零〇幺八①②⓪１３８0oOlIvVxX微信薇加+@.。点at艾特"
DISGUISES += "/\\-_ 　:：,，、\u200b\ufe0f\u20e3😀com网qqhtp"


@pytest.mark.parametrize(("kind", "marked"), ROWS, ids=range(len(ROWS)))
def test_a_labelled_sentence_is_read_as_a_person_reads_it(kind: str, marked: str) -> None:
    text = re.sub("[⟦⟧]", "", marked)
    wanted = re.findall("⟦(.*?)⟧", marked)
    found = PATTERNS.find(text)
    assert [(one.word, text[one.start : one.end]) for one in found] == [(kind, span) for span in wanted]
    assert all(one.how == "pattern" and one.entry_id.startswith("P") for one in found)


def test_only_the_classes_of_the_lexicon_are_looked_for() -> None:
    text = "13800138000 或 a@qq.com"
    only = Patterns.of([entry for entry in ALL if entry.word == "@EMAIL"], Allow())
    assert [one.word for one in only.find(text)] == ["@EMAIL"]
    assert Patterns.of([], Allow()).find(text) == []
    assert not Patterns.of([], Allow()).may_hold(text)


def test_a_list_allows_a_number_in_any_writing_but_no_other() -> None:
    assert PATTERNS.find("打１３９ 0000 1111") == []
    assert [one.word for one in PATTERNS.find("打１３９ 0000 1112")] == ["@PHONE"]
    assert [one.word for one in Patterns.of(ALL, Allow()).find("打１３９ 0000 1111")] == ["@PHONE"]


def test_an_ordinary_message_is_not_looked_at_twice() -> None:
    assert not PATTERNS.may_hold("这个颜色真的很好看，我先问一下家里人再定，谢谢您")
    assert not PATTERNS.may_hold("买了3件，一件大了一点，两件刚好")
    assert PATTERNS.may_hold("打１３９ 0000 1112")


@given(st.text(alphabet=DISGUISES, max_size=60) | st.text(max_size=60))
def test_any_text_is_read_without_error_and_spans_lie_in_it(text: str) -> None:
    hits = PATTERNS.look(text)
    assert hits == PATTERNS.find(text), "the cheap look said no too early"
    assert all(0 <= one.start < one.end <= len(text) for one in hits)
    assert all(before.end <= after.start for before, after in pairwise(hits))


@given(
    st.integers(3, 9),
    st.integers(0, 999_999_999),
    st.lists(st.sampled_from(["", " ", "-", "."]), min_size=2, max_size=2),
)
def test_the_digits_of_a_found_mobile_are_a_mobile(second: int, rest: int, gaps: list[str]) -> None:
    digits = f"1{second}{rest:09}"
    text = f"号{digits[:3]}{gaps[0]}{digits[3:7]}{gaps[1]}{digits[7:]}呢"
    (hit,) = PATTERNS.find(text)
    assert mobile_of("".join(char for char in text[hit.start : hit.end] if char.isdigit())) == digits


@given(
    st.text(alphabet="0123456789", min_size=12, max_size=15).filter(
        lambda digits: digits[:2] not in ("86", "08", "00")
    )
)
def test_a_longer_run_of_digits_is_no_mobile(digits: str) -> None:
    assert PATTERNS.find(f"号{digits}呢") == []


@given(st.text(alphabet="0123456789", min_size=16, max_size=19), st.integers(1, 9))
def test_a_changed_digit_breaks_luhn(digits: str, change: int) -> None:
    other = digits[:-1] + str((int(digits[-1]) + change) % 10)
    assert not (luhn(digits) and luhn(other))
    assert not is_bank_card(digits) or luhn(digits)


def test_an_id_needs_a_real_date_and_its_check_character() -> None:
    assert is_resident_id("11010119900307002X")
    assert not is_resident_id("110101199003070020")
    assert not is_resident_id("11010119900230002X")


NUMBERS = [
    "1",
    "1 ",
    "12 ",
    "1-",
    "1\u200b",
    "1330 ",
    "86 ",
    "138 0013 8000 ",
    "一",
    "一 ",
    "l1",
    "lO ",
    "6222 ",
    "１",
    "⓪",
]
LINKS = [
    "@",
    "a@",
    "a@b.",
    "a@b.com ",
    "a at b ",
    "a",
    "a.b.",
    ".com/",
    "a.com/",
    "http://",
    "/",
    "。",
    "点com/",
    "x艾特",
    "a dot ",
]
NAMES = [
    "微信",
    "微信号",
    "加",
    "v",
    "vx ",
    "wei xin",
    "_",
    "微信abc123 ",
    "微信:a ",
    "a-",
    "\u200b",
    "vx",
    "v x v",
]
HOSTILE = NUMBERS + LINKS + NAMES


@pytest.mark.parametrize("unit", HOSTILE, ids=range(len(HOSTILE)))
def test_the_time_of_a_hostile_text_grows_with_its_length_only(unit: str) -> None:
    short, long = unit * (10_000 // len(unit)), unit * (40_000 // len(unit))
    fastest = {
        length: min(_seconds(text) for _ in range(3)) for length, text in (("short", short), ("long", long))
    }
    # Four times the text; anything quadratic takes sixteen times as long.
    assert fastest["long"] < 10 * fastest["short"] + 0.01


def _seconds(text: str) -> float:
    begin = time.process_time()
    PATTERNS.look(text)
    return time.process_time() - begin
