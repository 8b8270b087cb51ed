import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.cli import render
from controller.cli.chatlines import came, lines
from controller.cli.phones import in_order, slot_key
from controller.cli.render import (
    Column,
    Form,
    age,
    counted,
    fitting,
    key,
    moment,
    put_json,
    put_records,
    put_table,
)
from controller.cli.violationlines import marked
from controller.safe import csv_cell, is_hidden, json_text, masked, masked_id, masked_number, safe

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\u202eb",
    "a\u200bb\u200db",
    "a\x9bb",
    "a\rb\nc",
    "\ud800",
    "a\u2028b",
    "\x00",
    "\U000e0041",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_steers_a_terminal_gets_through(text: str):
    shown = safe(text)
    assert not any(is_hidden(char) for char in shown)
    assert shown.encode() != text.encode("utf-8", "surrogatepass")


@given(st.text())
def test_safe_text_is_plain_and_keeps_what_is_plain(text: str):
    shown = safe(text)
    assert not any(is_hidden(char) for char in shown)
    if not any(is_hidden(char) for char in text):
        assert shown == text


def test_chinese_and_emoji_stay_as_they_are():
    assert safe("王芳 好的😀，谢谢") == "王芳 好的😀，谢谢"


@given(
    st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_json_loses_nothing_and_steers_nothing(value: object):
    text = json_text(value, indent=2)
    assert json.loads(text) == value
    assert not any(is_hidden(char) for char in text if char != "\n")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "＝1", "＋1", "－1", "＠x", "\n=1"]
)
def test_a_cell_is_never_a_formula(text: str):
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "1", "王芳", "a=1", "'=1"])
def test_an_ordinary_cell_stays(text: str):
    assert csv_cell(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13800138000", "138****8000"),
        ("call 13800138000 or 13900139000!", "call 138****8000 or 139****9000!"),
        ("电话13800138000。", "电话138****8000。"),
        ("138 0013 8000", "138 **** 8000"),
        ("+86 138-0013-8000", "+86 138-****-8000"),
        ("8613800138000", "86138****8000"),
        ("008613800138000", "0086138****8000"),
        ("12345", "12345"),
        ("6222021380013800000", "6222021380013800000"),
    ],
)
def test_mobiles_are_masked_without_changing_the_length(text: str, shown: str):
    assert masked(text) == shown
    assert len(shown) == len(text)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("１３８００１３８００１", "１３８****８００１"),
        ("138001380011", "138*****0011"),
        ("1 3 8 0 0 1 3 8 0 0 1", "1 3 8 * * * * 8 0 0 1"),
        ("12345", "12345"),
        ("1.38001E+10", "1.38001E+10"),
    ],
)
def test_a_cell_of_mobiles_is_masked_however_it_is_written(cell: str, shown: str):
    assert masked_number(cell) == shown


def test_a_wechat_id_keeps_its_ends():
    assert masked_id("wxid_abc123") == "wxi******23"
    assert masked_id("abcdef") == "abc*ef"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(rows: list[dict[str, object]], columns: list[Column], stream: io.StringIO) -> list[str]:
    put_table(rows, columns, stream)
    return stream.getvalue().splitlines()


def cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def test_columns_stand_straight_with_chinese_in_them():
    rows = [{"holder": "王芳", "state": "ready"}, {"holder": "Li", "state": "busy"}]
    shown = drawn(rows, [Column("HOLDER", key("holder")), Column("STATE", key("state"))], io.StringIO())
    at = [
        cells(line[: line.index(word)]) for line, word in zip(shown, ("STATE", "ready", "busy"), strict=True)
    ]
    assert len(set(at)) == 1


def test_nothing_is_cut_when_the_output_is_a_pipe():
    text = "长" * 500
    shown = drawn([{"text": text}], [Column("TEXT", key("text"))], io.StringIO())
    assert shown[1].strip() == text


def test_hostile_cells_are_escaped_and_markup_is_text(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [{"text": "[bold red]x[/] :smile: \x1b[31m\u202e"}]
    shown = drawn(rows, [Column("TEXT", key("text"))], io.StringIO())
    assert shown[1].strip() == r"[bold red]x[/] :smile: \x1b[31m\u202e"


def test_no_color_is_honoured_on_a_terminal(monkeypatch: pytest.MonkeyPatch):
    columns = [Column("STATE", key("state"), is_state=True)]
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m" in "\n".join(drawn([{"state": "ready"}], columns, Terminal()))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in "\n".join(drawn([{"state": "ready"}], columns, Terminal()))


def test_each_form_prints_records(capsys: pytest.CaptureFixture[str]):
    rows = [{"id": "007", "name": "王芳"}, {"id": "008", "name": "a\u202eb"}]
    columns = [Column("NAME", key("name"))]
    put_records(rows, columns, form=Form.JSON, id_key="id")
    assert json.loads(capsys.readouterr().out) == rows
    put_records(rows, columns, form=Form.JSONL, id_key="id")
    out = capsys.readouterr().out
    assert [json.loads(line) for line in out.splitlines()] == rows
    assert "\u202e" not in out
    put_records(rows, columns, form=Form.IDS, id_key="id")
    assert capsys.readouterr().out == "007\n008\n"
    put_records([], columns, form=Form.TABLE, id_key="id")
    assert capsys.readouterr().out == ""
    put_records([], columns, form=Form.JSON, id_key="id")
    assert json.loads(capsys.readouterr().out) == []


def test_messages_go_to_stderr_and_results_to_stdout(capsys: pytest.CaptureFixture[str]):
    render.say("two\nlines \x1b[0m")
    render.put("result\n")
    put_json({"a": 1})
    said = capsys.readouterr()
    assert said.err == "two\nlines \\x1b[0m\n"
    assert said.out == 'result\\n\n{"a": 1}\n'


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (200_000, "2d"), (-5, "0s")],
)
def test_ages(seconds: int, shown: str):
    assert age(1_000_000_000, 1_000_000_000 + seconds * 1000) == shown
    assert age(None, 1) == "-"


def test_counting():
    assert [counted(many, "phone") for many in (0, 1, 1200)] == ["0 phones", "1 phone", "1,200 phones"]


def test_handsets_are_numbered_as_they_stand():
    slots = ["1-10", "1-2", "1-2.10", "1-2.3", ""]
    waiting = [{"host": "a", "slot": slot, "serial": str(at)} for at, slot in enumerate(slots)]
    waiting.append({"host": "a", "slot": "1-2", "serial": "0"})
    assert [(phone["slot"], phone["serial"]) for phone in in_order(waiting)] == [
        ("1-2", "0"),
        ("1-2", "1"),
        ("1-2.3", "3"),
        ("1-2.10", "2"),
        ("1-10", "0"),
        ("", "4"),
    ]
    assert slot_key("usb-x") < slot_key("")


def test_what_matched_is_marked():
    assert marked({"text": "加我私人微信吧", "start": 2, "end": 6}) == "加我【私人微信】吧"


def message(position: int, **more: object) -> dict[str, object]:
    plain = {
        "side": "in",
        "kind": "text",
        "text": "好的",
        "time_label": "10:00",
        "ambiguous": False,
        "read_at_ms": 0,
        "sender": "",
        "detail": "",
        "shown_from_ms": None,
        "shown_to_ms": None,
        "amount_fen": None,
        "length_s": None,
        "state": "",
        "fragment": False,
        "media_sha256": "",
        "changes": [],
    }
    return {"position": position, **plain, **more}


def gap(before: int) -> dict[str, object]:
    return {"before_position": before, "cause": "in_hand", "from_ms": 0, "to_ms": 1}


def test_gaps_stand_where_they_are_and_doubt_is_said():
    shown = lines(
        [message(5), message(6, ambiguous=True), message(7, kind="image")], [gap(3), gap(6), gap(9)]
    )
    assert [line.split()[0] for line in shown] == ["5", "--", "6", "7", "--"]
    assert "not certain" in shown[2]
    assert "[picture]" in shown[3]


def test_a_line_says_kind_amount_and_what_was_seen_later():
    recall = {"what": "recalled", "line": '"李四" 撤回了一条消息', "text": "", "state": ""}
    shown = lines(
        [
            message(1, kind="voice", length_s=3, text="", sender="李四"),
            message(2, kind="transfer", amount_fen=None, state="pending", text=""),
            message(3, kind="red_packet", amount_fen=105, state="opened", text="恭喜"),
            message(4, changes=[recall]),
            message(5, fragment=True),
        ],
        [],
        [{"what": "cleared", "last_position": 3, "from_ms": 0, "to_ms": 1}],
    )
    assert "李四: [voice, 3 s]" in shown[0]
    assert "[transfer, amount unknown, pending]" in shown[1]
    assert "[red packet, ¥1.05, opened] 恭喜" in shown[2]
    assert "cleared on the phone" in shown[3]
    assert shown[4].endswith('好的  [撤回] "李四" 撤回了一条消息')
    assert "only the beginning was read" in shown[5]


def test_a_time_is_shown_no_narrower_than_the_screen_said():
    start = 1_795_000_000_000 - 1_795_000_000_000 % 60_000
    minute = came(message(1, shown_from_ms=start, shown_to_ms=start + 60_000))
    assert minute == moment(start)[5:16]
    assert came(message(1, shown_from_ms=start, shown_to_ms=start + 180_000)).startswith(f"{minute}-")
    assert came(message(1)) == "10:00"
    assert came(message(1, time_label="")).startswith("read ")


def test_spare_columns_are_left_out_where_there_is_no_room_and_ids_are_never_cut():
    columns = [
        Column("ID", lambda row: row["id"]),
        Column("RULE", lambda row: row["rule"], is_spare=True),
        Column("TEXT", lambda row: row["text"], folds=True),
    ]
    rows = [{"id": "12345", "rule": "R" * 20, "text": "转账" * 30}]
    assert fitting(rows, columns, 80) == columns
    assert [column.title for column in fitting(rows, columns, 40)] == ["ID", "TEXT"]
    assert fitting([], columns, 40) == columns
    without = [columns[0], columns[2]]
    assert fitting(rows, without, 10) == without
