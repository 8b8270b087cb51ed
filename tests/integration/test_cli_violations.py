"""`farm violations` over a real server: looks, verdicts of two persons, appeals, exceptions, samples."""

import csv
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from controller.model import PhoneId
from protos.facts import CoverageSeen, GapSeen, MessageSeen, conversation_key
from tests.support.corefarm import Handset
from tests.support.desk import Desk
from tests.support.farm_program import Said

WORD = "转账给我"
HOSTILE = f"=cmd|'/c calc'!A1 \x1b[31m 请{WORD}"
MOBILE = "13800138000"
TITLE = "王先生"


def said(text: str, position: int, *, title: str = TITLE, side: str = "out") -> MessageSeen:
    return MessageSeen(
        conversation_key=conversation_key(title, "private"),
        conversation_title=title,
        conversation_kind="private",
        position=position,
        side=side,
        kind="text",
        text=text,
        time_label="10:44",
        ambiguous=False,
    )


class Shop:
    """A desk with a phone that 王芳 holds, and people who type."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.phone: Handset = desk.phone(7)
        desk.ask(lambda core: core.fleet.assign(PhoneId("7"), holder="王芳", actor="op"))
        assert desk.farm("staff", "notices", "record", "王芳", "--version", "v1", "--how", "paper").code == 0

    def say(self, *facts: Any) -> None:
        def report(core: Any) -> None:
            self.said_at_ms = core.clock.now_ms()
            self.phone.say(*facts, at_ms=self.said_at_ms, account_id="wx007")

        self.desk.ask(report)

    def find(self, text: str = f"你{WORD}吧", *, title: str = TITLE) -> int:
        """Let a sentence be said in a chat of its own, and return the violation."""
        self.say(said(text, 1, title=title))
        found = self.newest()
        assert found["at_ms"] >= self.said_at_ms, "nothing was found"
        return int(found["violation_id"])

    def newest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.farm("list", "--json").json[0]
        return found

    def farm(self, *args: str, who: str = "li.sup") -> Said:
        """Type a command of `farm violations` as somebody."""
        done = self.desk.home.farm("violations", *args, LOGNAME=who)
        assert "Traceback" not in done.out + done.err, done.err
        return done

    def well(self, *args: str, who: str = "li.sup") -> Said:
        done = self.farm(*args, who=who)
        assert done.code == 0, done.err
        return done

    def state(self, number: int) -> str:
        return str(self.well("show", str(number), "--json").json["violation"]["state"])

    def diary(self, what: str) -> list[tuple[str, str, str]]:
        entries = self.desk.ask(lambda core: core.audit.entries())
        return [(entry.actor, entry.object, entry.reason) for entry in entries if entry.what == what]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Desk(tmp_path_factory.mktemp("desk"), words=(WORD,)) as desk:
        yield Shop(desk)


# ---- reading


def test_a_list_marks_the_hit_and_the_look_is_recorded(shop: Shop) -> None:
    shop.find(title="list")
    listed = shop.well("list", "--holder", "王芳", "--reason", "monthly look")
    assert f"你【{WORD}】吧" in listed.out
    assert "1 violation" in listed.err
    assert "Next: farm violations show" in listed.err
    assert shop.diary("violations.read")[0] == ("li.sup", "all, holder 王芳", "monthly look")


@pytest.mark.parametrize(
    ("filters", "has_any"),
    [
        (["--state", "new"], True),
        (["--state", "closed"], False),
        (["--phones", "7"], True),
        (["--account", "7"], True),
        (["--severity", "high"], True),
        (["--severity", "low"], False),
        (["--assignee", "-"], True),
        (["--assignee", "nobody"], False),
        (["--since", "1h"], True),
        (["--until", "2026-01-01"], False),
        (["--holder", "李娜"], False),
        (["--phones", "holder:李娜"], False),
        (["--phones", "state:blind"], False),
        (["--kind", "word"], True),
        (["--chat", "999999"], False),
    ],
)
def test_a_list_is_filtered(shop: Shop, filters: list[str], has_any: bool) -> None:
    shop.find(title=f"filters {' '.join(filters)}")
    assert bool(shop.well("list", *filters, "--json").json) is has_any


def test_numbers_are_hidden_however_they_are_written_and_the_hit_stays_marked(shop: Shop) -> None:
    assert shop.desk.farm("words", "add", "@PHONE", "@BANKCARD").code == 0
    for text, hidden in (
        ("联系我 l3800138OOO", "联系我 【l38****8OOO】"),
        ("银行卡 6222021234567890128", "银行卡 【622************0128】"),
    ):
        shop.say(said(text, 1, title=f"number {hidden}"))
        number = str(shop.newest()["violation_id"])
        secret = text.split()[1]
        shown = shop.well("show", number)
        assert secret not in shown.out + shop.well("list").out
        assert shown.out.count("▶") == 1
        assert hidden in shown.out
        assert secret not in shop.well("export", "-", "--reason", "numbers").out
    shop.desk.write("less.csv", "word\n飞单\n")
    tried = shop.desk.farm("words", "test", "less.csv", "--replace", "--against", "30d")
    assert "联系我 【l38****8OOO】" in tried.out
    assert "l3800138OOO" not in tried.out


def test_a_refused_export_leaves_the_file_that_is_there(shop: Shop, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("kept", encoding="utf-8")
    assert shop.farm("export", str(kept), "--reason", "").code == 2
    assert kept.read_text(encoding="utf-8") == "kept"
    nowhere = shop.farm("export", str(tmp_path / "no" / "x.csv"), "--reason", "r")
    assert nowhere.code == 1
    assert "cannot be written: no such file or directory" in nowhere.err


def test_a_list_goes_on_below(shop: Shop) -> None:
    first, second = shop.find(title="below 1"), shop.find(title="below 2")
    page = shop.well("list", "--limit", "1")
    assert f"Earlier: farm violations list --before {second}" in page.err
    assert shop.well("list", "--limit", "1", "--before", str(second), "-q").out.strip() == str(first)


def test_show_has_the_chat_around_with_its_gaps_and_how_it_was_watched(shop: Shop) -> None:
    now_ms = shop.desk.ask(lambda core: core.clock.now_ms())
    key = conversation_key("context", "private")
    shop.say(
        *(said(f"第{at}句", at, title="context", side="in") for at in range(1, 8)),
        GapSeen(
            conversation_key=key,
            conversation_title="context",
            before_position=8,
            cause="no_overlap",
            from_ms=now_ms - 60_000,
            to_ms=now_ms,
        ),
        said(f"打 {MOBILE} 再{WORD}", 8, title="context"),
        *(said(f"第{at}句", at, title="context", side="in") for at in range(9, 16)),
        CoverageSeen(from_ms=now_ms - 120_000, to_ms=now_ms - 60_000, state="blind", cause="no_tree"),
    )
    number = str(shop.newest()["violation_id"])
    shown = shop.well("show", number)
    lines = shown.out.splitlines()
    (hit,) = (line for line in lines if line.startswith("▶"))
    assert f"再【{WORD}】" in hit
    assert MOBILE not in shown.out
    assert "138****8000" in hit
    around = [line for line in lines if "第" in line]
    assert [line.partition("第")[2] for line in around] == [
        f"{at}句" for at in (3, 4, 5, 6, 7, 9, 10, 11, 12, 13)
    ]
    assert lines.index(hit) == next(at for at, line in enumerate(lines) if "not captured" in line) + 1
    (coverage,) = (line for line in lines if line.startswith("Coverage"))
    assert "not fully watched" in coverage
    assert "blind: no_tree 1 min, unwatched " in coverage
    assert "what is not here may still have been said" in coverage
    assert "You can: assign, confirm, dismiss, escalate, note." in shown.err
    assert (
        f"Next: farm violations review {number} --confirm --reason against_rules, or --dismiss" in shown.err
    )
    # Without a reason of one's own the violation is the reason.
    assert shop.diary("violation.read")[0] == ("li.sup", number, f"violation {number}")
    assert len(shop.well("show", number, "--reach", "1", "--json").json["items"]) == 4
    missing = shop.farm("show", "999999")
    assert (missing.code, missing.err.strip()) == (2, "farm: no violation 999999")


# ---- deciding


def test_a_verdict_is_a_record_with_a_name_and_a_reason(shop: Shop) -> None:
    number = str(shop.find(title="verdict"))
    unheard = shop.farm("review", number, "--confirm", "--reason", "because")
    assert (unheard.code, "no reason 'because'" in unheard.err) == (2, True)
    assert "against_rules" in unheard.err
    done = shop.well(
        "review", number, "--confirm", "--reason", "against_rules", "--note", "清楚", "--assign", "wu"
    )
    assert f"violation {number}: confirmed." in done.err
    assert f"violation {number} is with wu now." in done.err
    shown = shop.well("show", number)
    assert "li.sup: confirm -> confirmed (against_rules): 清楚" in shown.out
    assert "assign to wu" in shown.out
    assert "王芳 can appeal until" in shown.err
    assert shop.well("review", number, "--close", "--reason", "talked_to").code == 0
    assert (
        shop.well("review", number, "--reopen", "--reason", "second_look", "--json").json[0]["refusal"] == ""
    )
    assert shop.state(number) == "new"
    assert shop.well("review", number, "--note", "更多").code == 0
    acts = [one["act"] for one in shop.well("show", number, "--json").json["history"]]
    assert acts == ["confirm", "assign", "close", "reopen", "note"]


def test_what_cannot_be_done_says_what_can(shop: Shop) -> None:
    number = str(shop.find(title="refusals"))
    wrong = shop.farm("review", number, "--confirm", "--reason", "because")
    assert wrong.code == 2
    assert "against_rules" in wrong.err
    shop.well("review", number, "--dismiss", "--reason", "quoted_rule")
    again = shop.farm("review", number, "--confirm", "--reason", "illegal")
    assert again.code == 2
    assert "is dismissed; what can be done: close, reopen, note" in again.err
    assert shop.farm("review", number, "--confirm", "--dismiss", "--reason", "other").code == 2
    assert shop.farm("review", number).code == 2
    own = str(shop.find(title="own"))
    refused = shop.farm("review", own, "--dismiss", "--reason", "not_a_violation", who="王芳")
    assert refused.code == 5
    assert "nobody judges a violation about themselves" in refused.err
    assert shop.state(int(own)) == "new"


def test_many_at_once_and_the_refused_ones_are_told_one_by_one(shop: Shop) -> None:
    numbers = [str(shop.find(title=f"many {at}")) for at in range(3)]
    shop.well("review", numbers[1], "--confirm", "--reason", "illegal")
    done = shop.farm("review", *numbers, "999999", "--dismiss", "--reason", "duplicate")
    assert done.code == 3
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == [numbers[1], "999999"]
    assert [shop.state(int(number)) for number in numbers] == ["dismissed", "confirmed", "dismissed"]


def test_an_escalated_one_needs_two_persons_who_agree(shop: Shop) -> None:
    number = str(shop.find(title="two persons"))
    shop.well("review", number, "--escalate", "--reason", "serious")
    first = shop.well("review", number, "--confirm", "--reason", "illegal")
    assert "stays escalated: a second person must agree" in first.err
    assert "li.sup says: confirmed. A verdict needs two persons who agree." in shop.well("show", number).err
    assert "another person must say the same" in shop.well("show", number).err
    alone = shop.farm("review", number, "--confirm", "--reason", "illegal")
    assert alone.code == 5
    shop.well("review", number, "--confirm", "--reason", "illegal", who="zhou.lead")
    assert shop.state(int(number)) == "confirmed"
    assert "two persons" not in shop.well("show", number).err


def test_an_appeal_is_answered_by_another_person(shop: Shop) -> None:
    number = str(shop.find(title="appeal"))
    shop.well("review", number, "--confirm", "--reason", "against_rules")
    assert shop.farm("appeal", number, "--by", "李娜", "--text", "不是我").code == 5
    shop.well("appeal", number, "--by", "王芳", "--text", "客户先提的", who="王芳")
    assert shop.well("list", "--appeal", "open", "-q").out.split() == [number]
    same = shop.farm("answer", number, "--uphold", "--text", "不成立", "--reason", "evidence_stands")
    assert same.code == 5
    assert "has not judged" in same.err
    assert shop.farm("answer", number, "--uphold", "--grant").code == 2
    granted = shop.well("answer", number, "--grant", "--text", "同意", who="zhou.lead")
    assert f"violation {number}: dismissed, the appeal is granted." in granted.err
    again = shop.farm("appeal", number, "--by", "王芳", "--text", "再来", who="王芳")
    assert again.code == 2


def test_reasons_are_listed(shop: Shop) -> None:
    listed = shop.well("reasons").out
    assert "dismiss   not_a_violation, wrong_word" in listed
    assert "appeal" not in [line.split()[0] for line in listed.splitlines()]


# ---- exceptions


def test_a_dismissal_becomes_an_exception_shown_with_what_else_it_silences(shop: Shop) -> None:
    text = f"货款请{WORD}公司的账户"
    old, confirmed, number = (shop.find(text, title=f"exception {at}") for at in range(3))
    shop.well("review", str(confirmed), "--confirm", "--reason", "against_rules")
    phrase = f"{WORD}公司的账户"
    unasked = shop.farm("review", str(number), "--as-exception", phrase)
    assert unasked.code == 2
    assert "say --yes" in unasked.err
    assert f"1 violation confirmed before: {confirmed}" in unasked.err
    assert shop.state(number) == "new"
    done = shop.well("review", str(number), "--dismiss", "--as-exception", phrase, "--yes")
    assert f"1 violation waiting for a verdict: {old}" in done.err
    assert "messages of the last 30 days with this phrase: 3" in done.err
    assert "is in force from book" in done.err
    assert f"Next: farm violations review {old} --dismiss" in done.err
    assert shop.state(number) == "dismissed"
    shop.say(said(text, 1, title="exception after"))
    assert shop.newest()["violation_id"] == number
    # Another sentence with the word is found as before.
    assert shop.find(title="exception another") > number
    assert shop.farm("review", str(old), "--as-exception", "没有这句", "--yes").code == 2
    assert shop.farm("review", str(old), "--confirm", "--as-exception", phrase, "--yes").code == 2


# ---- statistics, samples, files


def test_stats_count_hits_and_false_alarms(shop: Shop) -> None:
    for at, act in enumerate(("--confirm", "--dismiss")):
        reason = ("illegal", "wrong_word")[at]
        shop.well("review", str(shop.find(title=f"stats {at}")), act, "--reason", reason)
    for by in ("rule", "word", "staff", "judge", "category"):
        lines = shop.well("stats", "--by", by, "--json").json
        assert sum(line["hits"] for line in lines) >= 2, by
        judged = [line for line in lines if line["confirmed"] + line["dismissed"]]
        assert all(
            0 <= line["false_alarm_share"] <= 1 and line["median_ms"] is not None for line in judged
        ), by
    table = shop.well("stats", "--by", "staff")
    assert "王芳" in table.out
    assert "%" in table.out
    assert shop.well("stats", "--since", "30d", "--until", "1h").out == ""


def test_a_sample_is_read_and_a_finding_becomes_a_violation(shop: Shop) -> None:
    for chat in ("quiet 1", "quiet 2"):
        shop.say(*(said(f"安静{at}", at, title=chat) for at in range(1, 4)))
    drawn = shop.well("sample", "draw", "50", "--holder", "王芳", "--seed", "3", "--json").json
    assert (drawn["seed"], len(drawn["samples"]) >= 2) == (3, True)
    one, two = (str(sample["sample_id"]) for sample in drawn["samples"][:2])
    shown = shop.well("sample", "show", one)
    assert "Coverage" in shown.out
    assert shop.diary("sample.read")[0] == ("li.sup", one, f"sample {one}")
    items = shop.well("sample", "show", one, "--json").json["items"]
    message_id = next(item["message"]["message_id"] for item in items if item["message"])
    assert f"[{message_id}]" in shown.out
    assert shop.farm("sample", "judge", one, "--finding", str(message_id)).code == 2
    assert shop.farm("sample", "judge", one, "--clean", who="王芳").code == 5
    made = shop.well("sample", "judge", one, "--finding", str(message_id), "--category", "own", "--json").json
    assert (made["violation"]["kind"], made["violation"]["state"]) == ("sample", "new")
    assert shop.well("sample", "judge", two, "--clean", "--note", "好").code == 0
    assert shop.farm("sample", "judge", two, "--clean").code == 2
    assert one in shop.well("sample", "list", "--judged", "-q").out.split()
    assert one not in shop.well("sample", "list", "--open", "-q").out.split()


def test_files_are_complete_masked_and_harmless(shop: Shop, tmp_path: Path) -> None:
    number = shop.find(HOSTILE + MOBILE, title="files")
    shop.well("review", str(number), "--dismiss", "--reason", "other", "--note", "=1+1")
    outcome = shop.well("export", "v.jsonl", "--reason", "audit 3")
    folder = shop.desk.folder
    records = [json.loads(line) for line in (folder / "v.jsonl").read_text(encoding="utf-8").splitlines()]
    newest = records[0]
    assert newest["violation_id"] == number
    assert newest["text"].startswith("=cmd|'/c calc'!A1 \x1b[31m")
    assert MOBILE not in newest["text"]
    assert (newest["verdict"], newest["judged"]["reason"]) == ("dismissed", "other")
    assert [one["act"] for one in newest["history"]] == ["dismiss"]
    assert f"{len(records)} violations" in outcome.err
    assert stat.S_IMODE((folder / "v.jsonl").stat().st_mode) == 0o600
    shop.well("export", "v.csv", "--reason", "audit 3", "--state", "dismissed")
    rows = list(csv.DictReader(io.StringIO((folder / "v.csv").read_text(encoding="utf-8-sig"))))
    assert rows[0]["text"].startswith("'=cmd")
    assert "\x1b" not in rows[0]["text"]
    assert {row["state"] for row in rows} == {"dismissed"}
    shop.well("export", "v.xlsx", "--reason", "audit 3")
    sheet = CalamineWorkbook.from_path(str(folder / "v.xlsx")).get_sheet_by_index(0).to_python()
    assert sheet[0][0] == "violation"
    assert len(sheet) == len(records) + 1
    revealed = shop.well("export", "-", "--reveal", "--reason", "court 9", "--since", "1h").out
    assert MOBILE in revealed
    assert shop.diary("violations.export")[0][1].endswith("mobiles in full")
    assert shop.farm("export", "v.pdf", "--reason", "x").code == 2
    assert shop.farm("export", "-", "--format", "xlsx", "--reason", "x").code == 2
    assert shop.farm("export", "v.jsonl", "--reason", " ").code == 2
