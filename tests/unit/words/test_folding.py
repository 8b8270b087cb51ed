"""Folding: each way to write a character becomes one, and what cannot be read is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.words.folding import fold
from controller.words.sieve import squeezed
from controller.words.spelling import chinese, spellings, value_of
from controller.words.stream import CLAUSE_GAP, NO_GAP, SOME_GAP, stream_of, stream_of_all


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＶＸ１０", "vx10"),
        ("🅥🅧ⓥⓧ🄥𝐯𝓧🇻🇽", "vxvxvvxvx"),
        ("轉賬", "转账"),
        ("vх", "vx"),  # the second letter is Cyrillic
        ("①㈡⑩㊙", "1二十秘"),
        ("zhuǎn zhàng", "zhuanzhang"),
        ("转\u00ad\u034f\u200b\u2060\ufe0f账", "转账"),
        ("红.-，😂~包", "红包"),
    ],
)
def test_writings_of_one_character_fold_to_it(text: str, plain: str) -> None:
    assert fold(text) == plain


def test_numbers_are_spelled_both_ways() -> None:
    assert chinese(24) == ["二十四"]
    assert chinese(10) == ["一十", "十"]
    assert chinese(10_005) == ["一万零五", "万零五"]
    assert value_of("二百三十") == 230
    assert spellings("7天瘦十斤") == ["7天瘦十斤", "七天瘦十斤", "7天瘦10斤"]


@given(st.integers(min_value=1, max_value=99_999))
def test_a_number_written_in_chinese_says_its_value(number: int) -> None:
    assert all(value_of(text) == number for text in chinese(number))


def test_a_stream_knows_what_stands_between_characters() -> None:
    stream = stream_of("转 账，红包")
    assert stream.folded == "转账红包"
    assert list(stream.gaps) == [SOME_GAP, CLAUSE_GAP, NO_GAP, NO_GAP]


@given(st.lists(st.text(max_size=20), max_size=5))
def test_many_texts_fold_as_each_does(texts: list[str]) -> None:
    stream, kept, begins, _ = stream_of_all(texts)
    assert len(stream.folded) == len(kept) == len(stream.gaps) == len(stream.sounds)
    assert len(begins) == len(texts) + 1


def test_runs_of_one_character_are_squeezed() -> None:
    assert squeezed("aabbbca") == "abca"
