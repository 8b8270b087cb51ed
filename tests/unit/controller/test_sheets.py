import pytest

from controller.columns import Column, fold
from controller.errors import BadRows
from controller.sheets import MAX_BYTES, MAX_ROWS, decode, read_sheet, sniff

LIST = "手机号,备注,订单号,下单时间\n13800138001,王先生,D-1,2026-11-11\n13800138002,李女士,D-2,2026-11-12\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_a_list_reads_the_same_in_every_encoding_that_excel_writes(encoding: str):
    raw = LIST.encode(encoding)
    if encoding == "utf-16-le":
        raw = b"\xff\xfe" + raw
    if encoding == "utf-16-be":
        raw = b"\xfe\xff" + raw
    sheet = read_sheet(raw)
    assert [row.cells for row in sheet.rows] == [
        ("13800138001", "王先生", "D-1", "2026-11-11"),
        ("13800138002", "李女士", "D-2", "2026-11-12"),
    ]
    assert sheet.columns == {Column.MOBILE: 0, Column.REMARK: 1, Column.BASIS: 2, Column.BASIS_AT: 3}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str):
    sheet = read_sheet(LIST.replace(",", delimiter).encode())
    assert sheet.delimiter == delimiter
    assert len(sheet.rows[0].cells) == 4


def test_a_delimiter_inside_quotes_does_not_count():
    assert sniff('"a,b,c,d";"e";f\n') == ";"


def test_excels_own_first_line_names_the_delimiter_and_is_no_row():
    sheet = read_sheet(("sep=;\r\n" + LIST.replace(",", ";")).encode())
    assert sheet.delimiter == ";"
    assert sheet.rows[0].no == 2


def test_rows_have_the_numbers_a_spreadsheet_shows():
    text = '手机号,备注\n1,"two\nlines"\n\n,\n5,x\n'
    assert [row.no for row in read_sheet(text.encode()).rows] == [2, 5]


def test_short_and_long_rows_are_read():
    sheet = read_sheet("手机号,备注\n1\n2,b,c,d\n".encode())
    assert sheet.cell(sheet.rows[0], Column.REMARK) == ""
    assert sheet.cell(sheet.rows[1], Column.REMARK) == "b"
    assert sheet.cell(sheet.rows[1], Column.BASIS) == ""


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no rows"),
        (b"\n\n , \n", "no rows"),
        (b"PK\x03\x04rest", "not readable as an Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "not readable as an Excel workbook"),
        ("手机号\n1".encode("utf-16-le"), "not readable"),
        (b"\xff\xff\xff\xff", "not readable"),
        (b"\xff\xfe\x00\xd8\x00\x00", "not readable"),
        ("手机号\n".encode() + b"\xff\xff", "not readable"),
        (b'a,b\n"open', ""),
        (b"a\n" + b"x" * 40_000, "not a table"),
        (b"," * 300 + b"x", "columns"),
    ],
)
def test_what_is_no_list_is_refused_in_one_line(raw: bytes, says: str):
    if not says:
        # An open quotation mark swallows the rest; the row is kept and judged as a row.
        assert len(read_sheet(raw).rows) == 1
        return
    with pytest.raises(BadRows) as caught:
        read_sheet(raw)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nul_bytes_below_the_heading_do_not_break_reading():
    sheet = read_sheet("手机号,备注\n138\x000,x\n".encode())
    assert sheet.rows[0].cells == ("138\x000", "x")


def test_a_chinese_heading_in_utf8_is_never_read_as_gb18030():
    with pytest.raises(BadRows, match="not readable"):
        decode(LIST.encode() + b"\xb0\xa1\n")


def test_the_bounds_hold():
    with pytest.raises(BadRows, match="16 MiB at most"):
        read_sheet(b"x" * (MAX_BYTES + 1))
    heading = "手机号\n".encode()
    assert len(read_sheet(heading + b"1\n" * MAX_ROWS).rows) == MAX_ROWS
    with pytest.raises(BadRows, match="more than 100000 rows"):
        read_sheet(heading + b"1\n" * (MAX_ROWS + 1))


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("手机号", Column.MOBILE),
        (" Mobile No. ", Column.MOBILE),
        ("ＰＨＯＮＥ", Column.MOBILE),
        ("微信号", Column.WECHAT_ID),
        ("WeChat ID", Column.WECHAT_ID),
        ("姓名", Column.REMARK),
        ("订单号", Column.BASIS),
        ("basis", Column.BASIS),
        ("下单时间", Column.BASIS_AT),
        ("basis_at", Column.BASIS_AT),
        ("工号机", Column.PHONE_NO),
        ("phone_no", Column.PHONE_NO),
    ],
)
def test_headings_are_guessed_in_both_languages(heading: str, column: Column):
    assert read_sheet(f"x,{heading}\n1,2\n".encode()).columns == {column: 1}


def test_two_columns_of_one_meaning_are_asked_about():
    with pytest.raises(BadRows, match=r"'手机号' and '电话' could both be the mobile"):
        read_sheet("手机号,电话\n1,2\n".encode())
    sheet = read_sheet("手机号,电话\n1,2\n".encode(), {Column.MOBILE: "电话"})
    assert sheet.columns[Column.MOBILE] == 1


def test_a_named_column_wins_over_a_guess_and_must_exist():
    sheet = read_sheet("甲,手机号\n1,2\n".encode(), {Column.BASIS: "手机号", Column.MOBILE: "甲"})
    assert sheet.columns == {Column.BASIS: 1, Column.MOBILE: 0}
    with pytest.raises(BadRows, match="no column '乙'; the columns are 甲, 手机号"):
        read_sheet("甲,手机号\n1,2\n".encode(), {Column.MOBILE: "乙"})


def test_folding_ignores_case_width_and_punctuation():
    assert fold(" Order_No. （１）") == "orderno1"
