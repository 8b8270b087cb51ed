"""One person in every spelling; persons under a key; lists known again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import BadRequest
from controller.model import QueryKind
from controller.targets import content_hash, person, target_of, typed
from tests.support.corefarm import customers

KEY, OTHER = "aa" * 32, "bb" * 32


@pytest.mark.parametrize(
    "written",
    [
        "13912345678",
        "+8613912345678",
        "+86 139 1234 5678",
        "0086 139-1234-5678",
        "8613912345678",
        "86 013912345678",
        "(+86)13912345678",
        "１３９１２３４５６７８",
        "＋８６１３９１２３４５６７８",
        "\u202d13912345678\u202c",
        "139\u200b12345678",
    ],
)
def test_a_chinese_mobile_has_one_form(written: str) -> None:
    assert target_of(written, QueryKind.MOBILE) == "13912345678"


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.lists(st.sampled_from(" -()"), max_size=11))
def test_marks_between_the_digits_do_not_matter(mobile: str, marks: list[str]) -> None:
    spread = "".join(digit + (marks[n] if n < len(marks) else "") for n, digit in enumerate(mobile))
    assert target_of(spread, QueryKind.MOBILE) == mobile
    assert target_of(f"+86 {spread}", QueryKind.MOBILE) == mobile


def test_numbers_of_other_countries_keep_their_country() -> None:
    assert target_of("+1 202 555 0143", QueryKind.MOBILE) == "+12025550143"
    assert target_of("13912345678", QueryKind.MOBILE) != target_of("+1 391 234 5678", QueryKind.MOBILE)


@pytest.mark.parametrize(
    "written", ["Wang_Fang-88", " wang_fang-88 ", "ＷＡＮＧ_fang-88", "wang_fang-88\u200b"]
)
def test_a_wechat_id_has_one_form(written: str) -> None:
    assert target_of(written, QueryKind.WECHAT_ID) == "wang_fang-88"
    assert typed(written) == ("wang_fang-88", QueryKind.WECHAT_ID)


@pytest.mark.parametrize(
    "written", ["", " ", "12345", "+1 202 555 0143", "王芳", "abc", "1wang_fang", "12345678901"]
)
def test_what_names_nobody_is_refused(written: str) -> None:
    with pytest.raises(BadRequest):
        typed(written)


def test_a_digest_is_worth_nothing_without_the_key() -> None:
    assert person(KEY, "13912345678") == person(KEY, "13912345678")
    assert person(KEY, "13912345678").digest != person(OTHER, "13912345678").digest
    assert person(KEY, "13912345678").digest != person(KEY, "13912345679").digest
    assert "139" not in person(KEY, "13912345678").forgotten


def test_the_same_rows_have_the_same_fingerprint() -> None:
    rows = customers(2)
    spelled = [replace(rows[0], query=f"+86 {rows[0].query}"), rows[1]]
    assert content_hash(KEY, "hi", customers=rows) == content_hash(KEY, "hi", customers=spelled)
    others = (
        content_hash(KEY, "ho", customers=rows),
        content_hash(OTHER, "hi", customers=rows),
        content_hash(KEY, "hi", customers=rows[:1]),
        content_hash(KEY, "hi", customers=[replace(rows[0], tags=("vip",)), rows[1]]),
    )
    assert len({content_hash(KEY, "hi", customers=rows), *others}) == 5
