import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.contacts import (
    Checked,
    RowWrong,
    check,
    read_date,
    read_mobile,
    read_phone_no,
    read_wechat_id,
    with_refused,
)
from controller.errors import BadRows
from controller.model import QueryKind
from controller.sheets import read_sheet


def checked(*rows: str, heading: str = "手机号,备注,订单号,下单时间") -> Checked:
    return check(read_sheet("\n".join([heading, *rows]).encode()))


def problem_of(*rows: str, **heading: str) -> tuple[int, str, str]:
    found = checked(*rows, **heading)
    assert len(found.problems) == 1
    return (found.problems[0].row_no, found.problems[0].column, found.problems[0].problem)


def test_a_good_row_becomes_a_customer():
    found = checked("138 0013 8001,王先生,D-1,2026/11/11 10:22")
    customer = found.customers[0]
    assert not found.problems
    assert (customer.row_no, customer.query, customer.query_kind) == (2, "13800138001", QueryKind.MOBILE)
    assert (customer.remark, customer.basis, customer.basis_at) == ("王先生", "D-1", "2026-11-11")
    assert customer.pinned_phone_id is None


@pytest.mark.parametrize(
    "cell",
    [
        "13800138001",
        "13800138001.0",
        "13800138001.00",
        "138 0013 8001",
        "138-0013-8001",
        "+86 138-0013-8001",
        "008613800138001",
        "86-13800138001",
        "１３８００１３８００１",
        "'13800138001",
        "\u202d13800138001\u202c",
        "13800138001\u200b",
        "\ufeff13800138001",
        "\u00a013800138001",
    ],
)
def test_a_mobile_is_read_as_people_write_it(cell: str):
    assert read_mobile(cell) == "13800138001"


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("1.38001E+10", "Excel turned the number into 1.38001E+10"),
        ("1.38E10", "Excel turned the number into"),
        ("12345", "not a mobile number"),
        ("1380013800", "not a mobile number"),
        ("138001380011", "not a mobile number"),
        ("010-62881234", "not a mobile number"),
        ("13800138001 ext 5", "not a mobile number"),
        ("13800138001/13800138002", "not a mobile number"),
        ("+1 650 253 0000", "mainland China"),
        ("+852 9876 5432", "mainland China"),
        ("abc", "not a mobile number"),
        ("=1+1", "not a mobile number"),
        ("138\x0000138001", "control characters"),
        ("13800\x1b[31m138001", "control characters"),
        ("13800138001.5", "not a mobile number"),
    ],
)
def test_what_is_no_mobile_is_refused_and_never_guessed(cell: str, says: str):
    with pytest.raises(RowWrong, match=says.replace("+", r"\+")):
        read_mobile(cell)


@given(st.text())
def test_any_text_is_a_mobile_of_eleven_digits_or_refused(cell: str):
    try:
        mobile = read_mobile(cell)
    except RowWrong:
        return
    assert len(mobile) == 11
    assert mobile.isascii()
    assert mobile.isdigit()


@given(st.binary())
def test_any_bytes_are_a_checked_list_or_refused(raw: bytes):
    try:
        found = check(read_sheet(raw))
    except BadRows as refused:
        assert "\n" not in str(refused)  # noqa: PT017  the message of whichever refusal it was
        return
    assert found.rows == len(found.customers) + len(found.problems)


@pytest.mark.parametrize("cell", ["wxid_abc123", "Zhang-San1", "abcdef"])
def test_a_wechat_id_is_taken_as_typed(cell: str):
    assert read_wechat_id(f" {cell}\u200b") == cell


@pytest.mark.parametrize("cell", ["abc", "1abcdef", "a" * 21, "王先生王先生", "abc def", "abc\x00def"])
def test_what_wechat_does_not_allow_as_an_id_is_refused(cell: str):
    with pytest.raises(RowWrong):
        read_wechat_id(cell)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-11-11", "2026-11-11"),
        ("2026/1/2", "2026-01-02"),
        ("2026.11.11", "2026-11-11"),
        ("2026-11-11T10:22:33+08:00", "2026-11-11"),
        ("2026/11/11 10:22", "2026-11-11"),
        ("2026年11月1日", "2026-11-01"),
        ("20261111", "2026-11-11"),
        ("20261111102233", "2026-11-11"),
    ],
)
def test_a_date_is_read_as_shops_write_it(cell: str, day: str):
    assert read_date(cell) == day


@pytest.mark.parametrize(
    "cell", ["", "2026-13-01", "2026-02-30", "45970", "11/11", "yesterday", "0000-00-00"]
)
def test_what_is_no_date_is_refused(cell: str):
    with pytest.raises(RowWrong):
        read_date(cell)


@pytest.mark.parametrize(
    ("cell", "no"), [("7", "007"), ("007", "007"), ("7.0", "007"), ("1024", "1024"), ("７", "007")]
)
def test_a_phone_number_is_painted_with_three_digits(cell: str, no: str):
    assert read_phone_no(cell) == no


@pytest.mark.parametrize("cell", ["A7", "-1", "1.5", "1234567"])
def test_what_is_no_phone_is_refused(cell: str):
    with pytest.raises(RowWrong):
        read_phone_no(cell)


def test_duplicates_are_named_by_the_first_row():
    assert problem_of("13800138001,a,D-1,2026-11-11", "+86 138 0013 8001,b,D-2,2026-11-12") == (
        3,
        "手机号",
        "same as row 2",
    )


def test_a_wechat_id_written_in_other_case_is_the_same_person():
    heading = "微信号,订单号,日期"
    assert problem_of("wxid_Abc,D,2026-11-11", "WXID_aBC,D,2026-11-11", heading=heading)[2] == "same as row 2"


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("13800138001,a,,2026-11-11", "订单号", "no basis for contacting this person"),
        ("13800138001,a, \u200b ,2026-11-11", "订单号", "no basis for contacting this person"),
        ("13800138001,a,D-1,", "下单时间", "no date of the basis"),
        ("13800138001,a,D-1,soon", "下单时间", "not a date; write 2026-11-11"),
        (",a,D-1,2026-11-11", "手机号", "neither a mobile nor a WeChat id"),
        ("13800138001," + "长" * 61 + ",D-1,2026-11-11", "备注", "longer than 60 characters"),
    ],
)
def test_each_problem_names_its_column(row: str, column: str, problem: str):
    assert problem_of(row) == (2, column, problem)


def test_a_row_in_trouble_does_not_take_its_mobile_from_a_good_one():
    found = checked("13800138001,a,,2026-11-11", "13800138001,b,D-2,2026-11-12")
    assert [customer.row_no for customer in found.customers] == [3]


def test_the_wechat_id_stands_in_when_the_mobile_is_empty():
    heading = "手机号,微信号,订单号,日期"
    found = checked(",wxid_abc,D,2026-11-11", "13800138001,wxid_xyz,D,2026-11-11", heading=heading)
    assert [(one.query, one.query_kind) for one in found.customers] == [
        ("wxid_abc", QueryKind.WECHAT_ID),
        ("13800138001", QueryKind.MOBILE),
    ]


BOTH = "手机号,微信号,订单号,日期"


@pytest.mark.parametrize(
    ("cell", "alias"),
    [
        ("WXID_abc", "wxid_abc"),
        ("139 0013 9002", "13900139002"),
        ("138-0013-8001", ""),  # the same number once more
        ("同手机号", ""),
        ("", ""),
    ],
)
def test_the_second_identity_of_a_row_is_kept_beside_its_mobile(cell: str, alias: str):
    one = checked(f"13800138001,{cell},D,2026-11-11", heading=BOTH).customers[0]
    assert (one.query, one.query_kind, one.alias) == ("13800138001", QueryKind.MOBILE, alias)


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        ("13800138001,wxid_abc", "13800138002,WXID_abc", "微信号"),
        (",wxid_abc", "13800138002,wxid_abc", "微信号"),
        ("13800138001,wxid_abc", ",wxid_abc", "微信号"),
        ("13800138001,wxid_abc", "13800138001,wxid_xyz", "手机号"),
    ],
)
def test_rows_that_share_either_identity_are_one_person(first: str, second: str, column: str):
    rows = (f"{first},D,2026-11-11", f"{second},D,2026-11-11")
    assert problem_of(*rows, heading=BOTH) == (3, column, "same as row 2")


def test_a_row_may_name_its_phone():
    found = checked("13800138001,D,2026-11-11,7", heading="手机号,订单号,日期,工号机")
    assert found.customers[0].pinned_phone_id == "007"


def test_formulas_and_control_characters_in_free_text_stay_plain_text():
    found = checked('13800138001,"=HYPERLINK(""http://x"")\u202e\x07",D\x1b-1,2026-11-11')
    assert found.customers[0].remark == '=HYPERLINK("http://x")'
    assert found.customers[0].basis == "D -1"


@pytest.mark.parametrize(
    ("heading", "says"),
    [
        ("备注,订单号,日期", "no column for the mobile"),
        ("手机号,日期", "no column for the basis"),
        ("手机号,订单号", "no column for the date"),
        ("甲,乙", "no column for the date of that basis (下单时间, 日期). The columns are: 甲, 乙"),
    ],
)
def test_a_missing_column_refuses_the_whole_list(heading: str, says: str):
    with pytest.raises(BadRows) as caught:
        checked("a,b,c", heading=heading)
    assert says in str(caught.value)


def test_a_hundred_thousand_rows_are_checked_within_seconds():
    rows = (f"138{no:08d},x,D-{no},2026-11-11" for no in range(100_000))
    started = time.monotonic()
    found = checked(*rows)
    assert found.rows == 100_000
    assert time.monotonic() - started < 60


def test_rows_that_the_farm_refuses_become_problems_in_order():
    rows = ("13800138001,a,D,2026-11-11", "12345,b,D,2026-11-11", "13800138003,c,D,2026-11-11")
    sheet = read_sheet("\n".join(["手机号,备注,订单号,下单时间", *rows]).encode())
    found = check(sheet)
    after = with_refused(sheet, found, [(2, "already a friend of 007")])
    assert [customer.row_no for customer in after.customers] == [4]
    assert [(problem.row_no, problem.problem) for problem in after.problems] == [
        (2, "already a friend of 007"),
        (3, "not a mobile number"),
    ]
    assert with_refused(sheet, found, []) is found
