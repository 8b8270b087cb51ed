"""`farm capture`, `chats`, `ledger`, `staff notices`: what people decide and see, over a real server."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from controller.core import Core
from controller.model import PhoneId
from protos.facts import CoverageSeen, GapSeen, MessageChanged, MessageSeen, conversation_key
from tests.support.corefarm import Handset
from tests.support.desk import Desk

TITLE = "王先生"
KEY = conversation_key(TITLE, "private")
HOSTILE = "=cmd|'/c calc'!A1 \x1b[31m\u202e转账"
MOBILE = "13800138000"


def said(text: str, position: int, **more: object) -> MessageSeen:
    parts: dict[str, object] = {
        "conversation_key": KEY,
        "conversation_title": TITLE,
        "conversation_kind": "private",
        "position": position,
        "side": "in",
        "kind": "text",
        "text": text,
        "time_label": "10:44",
        "ambiguous": False,
    }
    return MessageSeen(**{**parts, **more})  # type: ignore[arg-type]  # the fields are typed where they are read


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        phone = desk.phone(7)
        desk.ask(lambda core: core.fleet.assign(PhoneId("7"), holder="王芳", actor="op"))
        assert desk.farm("staff", "notices", "record", "王芳", "--version", "v1", "--how", "paper").code == 0
        desk.ask(lambda core: fill(phone, core.clock.now_ms()))
        yield desk


def fill(phone: Handset, now_ms: int) -> None:
    """Let a phone report a chat with everything in it."""
    phone.say(
        said("早上好", 1),
        said(HOSTILE, 2, side="out"),
        GapSeen(
            conversation_key=KEY,
            conversation_title=TITLE,
            before_position=3,
            cause="no_overlap",
            from_ms=now_ms,
            to_ms=now_ms,
        ),
        said(f"打我电话 {MOBILE}", 3),
        said("", 4, kind="transfer", amount_fen=8800, state="pending"),
        said("恭喜发财", 5, kind="red_packet"),
        said("算了", 6, side="out"),
        MessageChanged(conversation_key=KEY, position=6, what="recalled", line="你撤回了一条消息"),
        MessageChanged(conversation_key=KEY, position=4, what="state", state="received"),
        CoverageSeen(from_ms=now_ms - 600_000, to_ms=now_ms - 1_000, state="seen", cause=""),
        at_ms=now_ms,
        account_id="wx007",
    )


# ---- notices


def test_notices_are_recorded_shown_and_withdrawn(desk: Desk) -> None:
    said_list = desk.farm("staff", "notices", "list")
    assert "1 holder, 0 without a current notice" in said_list.err
    assert "allowed" in said_list.out
    shown = desk.farm("staff", "notices", "record", "李娜", "--version", "v1", "--how", "paper")
    assert shown.err.startswith("Recorded: 李娜 was told, version v1, by ")
    gone = desk.farm("staff", "notices", "withdraw", "李娜", "--reason", "left the firm")
    assert gone.code == 0
    assert "nothing of 李娜's chats is captured from now on" in gone.err
    history = desk.farm("staff", "notices", "show", "李娜")
    assert "the holder's notice was withdrawn" in history.err
    assert "Next: farm staff notices record 李娜 --how TEXT" in history.err
    assert desk.farm("staff", "notices", "show", "李娜", "--json").json["standing"]["is_current"] is False
    desk.refused(2, "staff", "notices", "withdraw", "李娜", "--reason", "again", words="no notice")
    # Without a configured version nobody can guess which one was meant.
    desk.refused(2, "staff", "notices", "record", "李娜", "--how", "paper", words="which version")


def test_a_version_recorded_before_its_time_is_told_as_it_was_recorded(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk:

        def put_in_force(core: Core) -> None:
            with core._ledger.work() as work:  # as a start with this version configured does
                work.tx.put_version_in_force("v1", work.now_ms)

        desk.ask(put_in_force)
        assert desk.farm("staff", "notices", "record", "李娜", "--how", "paper").err.startswith(
            "Recorded: 李娜 was told, version v1, by "
        )
        # The holder still stands by the older record.
        early = desk.farm("staff", "notices", "record", "李娜", "--version", "v9", "--how", "paper").err
        assert early.startswith("Recorded: 李娜 was told, version v9, by ")
        assert "In force is version v1: this record counts once v9 is in force." in early


# ---- capture


def test_capture_is_set_for_an_account_and_told_to_its_phone(desk: Desk) -> None:
    done = desk.farm(
        *("capture", "set", "7", "--mode", "passive", "--hours", "mon-sun 0-24"),
        *("--sweep-hours", "mon-fri 8-20; sat 9-12", "--first-days", "7"),
    )
    assert done.code == 0, done
    assert "mon-fri 08:00-20:00; sat 09:00-12:00" in done.out
    settings = desk.ask(lambda core: core.fleet.settings(PhoneId("007")))
    assert (settings.capture_mode, settings.first_days, len(settings.sweep_windows)) == ("passive", 7, 6)
    assert desk.farm("capture", "show", "--json").json[0]["mode"] == "passive"
    assert desk.farm("capture", "set", "wx007", "--mode", "sweep", "--sweep-hours", "always").code == 0
    desk.refused(2, "capture", "set", "7", words="--mode")
    desk.refused(2, "capture", "set", "7", "--hours", "sometimes", words="not understood")
    desk.refused(2, "capture", "set", "7", "--media", "pictures", words="reason")
    desk.refused(1, "capture", "set", "99", "--mode", "off")


def test_a_chat_becomes_private_and_is_captured_again(desk: Desk) -> None:
    assert desk.farm("chats", "exclude", "7", "老婆", "--reason", "family").code == 0
    listed = desk.farm("chats", "private", "7", "--json").json
    assert [(chat["title"], chat["kind"], chat["reason"]) for chat in listed] == [
        ("老婆", "private", "family")
    ]
    assert "1 private chat" in desk.farm("chats", "private", "7").err
    key = conversation_key("老婆", "private")
    assert desk.ask(lambda core: core.fleet.settings(PhoneId("007"))).excluded_keys == (key,)
    assert "captured from now on" in desk.farm("chats", "include", "7", "老婆", "--reason", "typo").err
    assert "was not private" in desk.farm("chats", "include", "7", "老婆", "--reason", "typo").err
    desk.refused(2, "chats", "exclude", "7", "老婆", words="--reason")


# ---- reading


def chat_id(desk: Desk) -> str:
    return str(desk.farm("chats", "list", "--json").json[0]["conversation_id"])


def test_a_chat_is_shown_with_kinds_recalls_gaps_and_how_it_was_watched(desk: Desk) -> None:
    shown = desk.farm("chats", "show", chat_id(desk), "--reason", "test")
    assert shown.code == 0, shown
    lines = shown.out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "--", "3", "4", "5", "6"]
    assert "no_overlap" in lines[2]
    assert "138****8000" in lines[3]
    assert "[transfer, ¥88.00, received]" in lines[4]
    assert "[red packet, amount unknown] 恭喜发财" in lines[5]
    assert lines[6].endswith("算了  [撤回] 你撤回了一条消息")
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    assert "Coverage: watched until " in shown.err
    assert "1 gap in this chat" in shown.err
    assert "times in UTC" in shown.err
    desk.refused(
        1, "chats", "show", "4711", "--reason", "r", words="no chat 4711; their numbers: farm chats list"
    )
    assert "WATCHED UNTIL" in desk.farm("chats", "list").out


def test_coverage_says_what_nobody_watched(desk: Desk) -> None:
    shown = desk.farm("chats", "coverage")
    assert shown.code == 0, shown
    assert "UNWATCHED" in shown.out
    assert "no_overlap" in shown.out
    assert "Fully watched: 0." in shown.err
    hours = desk.farm("chats", "coverage", "--phones", "7", "--from", "2h", "--json").json
    assert sum(sum(hour["ms"].values()) for hour in hours) == hours[-1]["to_ms"] - hours[0]["from_ms"]
    desk.refused(2, "chats", "coverage", "--from", "yesterday", words="2026-11-21")
    desk.refused(2, "chats", "coverage", "--from", "1h", "--to", "2h", words="before it begins")


def test_search_finds_two_characters_and_is_recorded(desk: Desk) -> None:
    found = desk.farm("chats", "search", "转账", "--reason", "complaint 12")
    assert found.code == 0, found
    assert "1 message" in found.err
    assert "\x1b" not in found.out
    entry = desk.ask(lambda core: core.audit.entries(limit=1))[0]
    assert (entry.what, entry.object, entry.reason) == ("chat.search", "all: 转账", "complaint 12")
    none = desk.farm("chats", "search", "没有的词", "--reason", "r")
    assert none.code == 0
    assert "not captured is not found" in none.err
    hits = desk.farm("chats", "search", "早上 好", "--phones", "7", "--json", "--reason", "r").json["hits"]
    assert [hit["message"]["text"] for hit in hits] == ["早上好"]
    # Phones that nobody holds are no phones, not all of them.
    for nobody in ("holder:没有这人", "state:blind"):
        found = desk.farm("chats", "search", "早上 好", "--phones", nobody, "--json", "--reason", "r")
        assert found.json["hits"] == []
    desk.refused(2, "chats", "search", "转账", words="--reason")
    desk.refused(2, "chats", "search", "??", "--reason", "r", words="look for")


# ---- files


def test_jsonl_is_lossless_and_recorded(desk: Desk) -> None:
    done = desk.farm("chats", "export", chat_id(desk), "--reveal", "--reason", "court 3", "-o", "chat.jsonl")
    assert done.code == 0, done
    path = desk.folder / "chat.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [one["type"] for one in records] == ["chat", *["message"] * 2, "gap", *["message"] * 4]
    texts = [one["text"] for one in records if one["type"] == "message"]
    assert texts[:3] == ["早上好", HOSTILE, f"打我电话 {MOBILE}"]
    last = records[-1]
    assert last["is_recalled"]
    assert [change["line"] for change in last["changes"]] == ["你撤回了一条消息"]
    assert records[3]["cause"] == "no_overlap"
    assert "1 chat, 6 messages, 1 gap" in done.err
    entry = desk.ask(lambda core: core.audit.entries(limit=1))[0]
    assert (entry.what, entry.reason) == ("chat.export", "court 3")
    assert entry.object.endswith("mobiles in full")
    masked = desk.farm("chats", "export", "--account", "7", "--reason", "r").out
    assert MOBILE not in masked
    assert "138****8000" in masked


def test_spreadsheets_get_no_formula_and_no_control_character(desk: Desk) -> None:
    shown = desk.farm("chats", "export", "--phones", "7", "--format", "csv", "--reason", "r")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert [row["row"] for row in rows] == ["message", "message", "gap", *["message"] * 4]
    assert rows[1]["text"].startswith("'=cmd")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert (rows[4]["amount"], rows[5]["amount"]) == ("¥88.00", "amount unknown")
    assert rows[6]["recalled"] == "recalled"
    assert desk.farm("chats", "export", "--reason", "r", "-o", "chat.xlsx").code == 0
    sheet = CalamineWorkbook.from_path(str(desk.folder / "chat.xlsx")).get_sheet_by_index(0).to_python()
    assert sheet[0][:4] == ["chat", "phone_id", "account_id", "with"]
    assert len(sheet) == 8
    assert all("\x1b" not in str(cell) for row in sheet for cell in row)
    assert b"<f>" not in Path(desk.folder / "chat.xlsx").read_bytes()
    desk.refused(2, "chats", "export", "--format", "xlsx", "--reason", "r", words="-o FILE.xlsx")
    desk.refused(2, "chats", "export", "-o", "chat.doc", "--reason", "r", words="jsonl, csv or xlsx")
    desk.refused(1, "chats", "export", "4711", "--reason", "r", words="no chat 4711")
    desk.refused(1, "chats", "export", "-o", "none/chat.csv", "--reason", "r", words="cannot be written")
    desk.refused(2, "chats", "export", words="--reason")


# ---- money


def test_the_ledger_shows_what_was_shown_and_sums_nothing(desk: Desk) -> None:
    shown = desk.farm("ledger")
    assert shown.code == 0, shown
    assert "amount unknown" in shown.out
    assert "¥88.00" in shown.out
    assert "2 entries, 1 without an amount on the screen" in shown.err
    rows = list(csv.DictReader(io.StringIO(desk.farm("ledger", "--csv", "--account", "7").out)))
    assert [(row["kind"], row["direction"], row["amount"], row["state"]) for row in rows] == [
        ("red_packet", "in", "unknown", ""),
        ("transfer", "in", "88.00", "received"),
    ]
    assert {(row["phone_id"], row["account_id"], row["with"]) for row in rows} == {("007", "wx007", TITLE)}
    page = desk.farm("ledger", "--limit", "1", "--json").json
    assert [entry["amount_fen"] for entry in page["entries"]] == [None]
    below = desk.farm("ledger", "--before", str(page["next_before_id"]), "--json").json
    assert [entry["amount_fen"] for entry in below["entries"]] == [8800]
    assert desk.farm("ledger", "--to", "2020-01-01", "--json").json["entries"] == []
    desk.refused(2, "ledger", "--csv", "--json", words="--csv")
    entry = desk.ask(lambda core: core.audit.entries(limit=1))[0]
    assert entry.what == "ledger.read"
