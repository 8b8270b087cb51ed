"""`farm words` as a person types it: words in versions, tried before they hold, over a real server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from controller.model import PhoneId
from tests.support.corefarm import Handset, message
from tests.support.desk import Desk

MOBILE = "13800138000"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), words=("私人微信",)) as desk:
        yield desk


@pytest.fixture(scope="module")
def phone(desk: Desk) -> Handset:
    made = desk.phone(7)
    desk.ask(lambda core: core.fleet.assign(PhoneId("7"), holder="王芳", actor="op"))
    desk.ask(lambda core: core.notices.record("王芳", version="1", how="paper", actor="op"))
    return made


def say(desk: Desk, phone: Handset, *texts: str) -> None:
    """Let the phone report what its holder says."""

    def report(core: Any) -> None:
        first = phone.seq + 1
        facts = [message(text, first + n) for n, text in enumerate(texts)]
        phone.say(*facts, at_ms=core.clock.now_ms(), account_id="wx007")

    desk.ask(report)


def version(desk: Desk) -> int:
    return desk.ask(lambda core: core.books.current().version)


def known(desk: Desk) -> set[str]:
    return desk.ask(lambda core: {one.word for one in core.books.current().book.lexicon.entries})


def refuses(desk: Desk, path: str, body: dict[str, Any], words: str) -> None:
    """Check what the controller says; how `farm` says it is tried once for each command."""
    answer = desk.api.post(path, body)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["message"]


# ---- words


def test_words_are_added_shown_and_removed(desk: Desk) -> None:
    before = version(desk)
    added = desk.farm("words", "add", "飞单", "绕开平台", "--severity", "critical", "--note", "例会")
    assert added.code == 0, added
    assert f"Version {before + 1} holds from the next message on" in added.err
    assert "farm words rescan" in added.err
    listed = desk.farm("words", "list")
    assert "飞单" in listed.out
    assert f"version {before + 1}" in listed.err
    shown = desk.farm("words", "show", "飞单", "--json").json[0]
    assert (shown["category"], shown["severity"], shown["rules"]) == ("own", "critical", ["R000"])
    # What is not said again stays as it is.
    changed = desk.farm("words", "add", "飞单", "--initials")
    assert "initials false → true" in changed.err
    assert desk.farm("words", "show", "飞单", "--json").json[0]["severity"] == "critical"
    assert "Nothing differs" in desk.farm("words", "add", "飞单", "--initials").err
    ids = desk.farm("words", "list", "-q").out.split()
    assert shown["entry_id"] in ids
    removed = desk.farm("words", "remove", "绕开平台", shown["entry_id"], "--json").json
    assert {(one["act"], one["name"]) for one in removed["differences"]} == {
        ("removed", "飞单"),
        ("removed", "绕开平台"),
    }
    desk.refused(2, "words", "show", "飞单", words="飞单")
    desk.refused(2, "words", "remove", "飞单", words="no such word")
    refuses(desk, "/words/remove", {"names": ["私人微信"]}, "configuration")
    refuses(desk, "/words/add", {"entries": [{"word": "私人微信", "severity": "low"}]}, "configuration")
    refuses(desk, "/words/add", {"entries": [{"word": "词", "category": "nope"}]}, "nope")
    refuses(desk, "/words/add", {"entries": []}, "at least one")
    assert "R9" in desk.api.get("/words", rule="R9").json()["message"]
    assert "own" in desk.api.get("/words", category="nope").json()["message"]


def test_the_history_says_who_changed_what_and_leads_back(desk: Desk) -> None:
    before = version(desk)
    desk.farm("words", "add", "甲一词", "--note", "第3次例会")
    desk.farm("words", "remove", "甲一词")
    lines = desk.farm("words", "history", "--json").json
    assert [line["act"] for line in lines[:2]] == ["remove", "add"]
    assert lines[1]["note"] == "第3次例会"
    assert lines[0]["note"] == "1 word removed: 甲一词"
    assert lines[0]["actor"]
    told = desk.farm("words", "history", str(before + 1))
    assert "甲一词" in told.out
    assert f"from version {before} to {before + 1}" in told.err
    assert f"farm words export --version {before}" in told.err
    old = desk.farm("words", "export", "--version", str(before + 1), "-o", "old.json")
    assert old.code == 0, old
    assert (desk.home.folder / "old.json").stat().st_mode & 0o777 == 0o600
    back = desk.farm("words", "import", "old.json", "--replace", "--yes")
    assert "word added: 甲一词" in back.err
    desk.refused(2, "words", "history", "999", words="no version 999")


# ---- files


def test_an_import_shows_what_differs_and_asks_once(desk: Desk) -> None:
    before = version(desk)
    book = {"entries": [{"id": "L1", "word": "乙一词", "severity": "low"}, {"id": "L2", "word": "乙二词"}]}
    desk.write("book.json", json.dumps(book))
    looked = desk.farm("words", "import", "book.json", "--dry-run")
    assert "乙一词" in looked.out
    assert "2 differences" in looked.err
    assert "nothing was changed" in looked.err
    # Nobody is there to answer.
    refused = desk.farm("words", "import", "book.json")
    assert (refused.code, version(desk)) == (2, before)
    assert "乙一词" in refused.out
    assert "--yes" in refused.err
    done = desk.farm("words", "import", "book.json", "--yes")
    assert done.code == 0, done
    assert version(desk) == before + 1
    again = desk.farm("words", "import", "book.json", "--yes", "--json").json
    assert (again["version"], again["differences"]) == (None, [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_table_of_words_is_imported_as_spreadsheets_write_it(desk: Desk, encoding: str) -> None:
    word = {"utf-8-sig": "丙一词", "gb18030": "丙二词", "utf-16": "丙三词"}[encoding]
    table = f"词语;等级;类别\r\n{word};严重;own\r\n"
    (desk.home.folder / "table.csv").write_bytes(table.encode(encoding))
    done = desk.farm("words", "import", "table.csv", "--yes", "--json")
    assert done.code == 0, done
    assert desk.farm("words", "show", word, "--json").json[0]["severity"] == "critical"


WRONG = {
    "no JSON": ("{", "no JSON"),
    "a wrong entry": ('{"entries": [{"id": "L77", "word": ""}, {"word": "丁词"}]}', "L77"),
    "a wrong rule": (
        '{"rules": [{"id": "R77", "on": {"words": ["没有这词"]}}], "entries": [{"word": "丁词"}]}',
        "R77",
    ),
    "a wrong line": ("word,severity\n丁词,huge\n", "line 2"),
    "a key nobody reads": ('{"entrys": []}', "entrys"),
    "nothing": ("  \n", "empty"),
}


@pytest.mark.parametrize(("text", "named"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_used_is_refused_whole_and_named(desk: Desk, text: str, named: str) -> None:
    before = version(desk)
    answer = desk.api.upload("/words/import", text.encode(), name="wrong.json" if text[0] == "{" else "w.csv")
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert version(desk) == before
    assert "丁词" not in known(desk)


def test_a_file_that_cannot_be_used_is_told_in_one_line(desk: Desk) -> None:
    desk.write("wrong.json", '{"rules": [{"id": "R77", "on": {"words": ["没有这词"]}}]}')
    desk.refused(2, "words", "import", "wrong.json", "--yes", words="R77")
    (desk.folder / "book.xlsx").write_bytes(b"PK\x03\x04 a workbook")
    desk.refused(2, "words", "import", "book.xlsx", "--yes", words="save it as CSV")


def test_who_was_quicker_is_not_overwritten(desk: Desk) -> None:
    before = version(desk)
    raw = json.dumps({"entries": [{"word": "戊一词"}]}).encode()
    desk.farm("words", "add", "戊二词")
    answer = desk.api.upload("/words/import", raw, base=before, name="book.json")
    assert (answer.status_code, answer.json()["error"]) == (409, "book_changed")
    assert version(desk) == before + 1


def test_people_who_change_words_at_once_lose_nothing(desk: Desk) -> None:
    names = [f"己{n}词" for n in range(4)]
    said: list[Any] = []
    threads = [
        threading.Thread(target=lambda name=name: said.append(desk.farm("words", "add", name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [one.code for one in said] == [0] * len(names)
    assert set(names) <= known(desk)


# ---- rules and exceptions


def test_rules_are_listed_set_and_switched(desk: Desk) -> None:
    rule = {"id": "R7", "name": "红包", "on": {"behaviour": "red_packet", "min_amount_fen": 5000}}
    desk.write("rule.json", json.dumps(rule))
    done = desk.farm("words", "rules", "set", "rule.json")
    assert "rule added: 红包" in done.err
    listed = desk.farm("words", "rules", "list")
    assert "red_packet ≥ 50.00 CNY" in listed.out
    assert "R000" in listed.out
    switched = desk.farm("words", "rules", "disable", "R7", "--note", "trial over")
    assert (switched.code, "enabled → disabled" in switched.err + switched.out) == (0, True)
    found = {one["rule_id"]: one["is_enabled"] for one in desk.farm("words", "rules", "list", "--json").json}
    assert found == {"R000": True, "R7": False}
    off = desk.farm("words", "rules", "disable", "R000")
    assert "No enabled rule looks for" in off.err
    assert desk.farm("words", "rules", "enable", "R000").code == 0
    assert desk.farm("words", "rules", "remove", "R7").code == 0
    refuses(desk, "/words/rules/R7/remove", {}, "R7")
    refuses(desk, "/words/rules/R9/enable", {}, "R9")
    refuses(desk, "/words/rules/R000/explode", {}, "explode")
    desk.write("rule.json", '{"id": "R8", "on": {"behaviour": "slow_reply"}}')
    desk.refused(2, "words", "rules", "set", "rule.json", words="R8")


def test_exceptions_are_listed_and_taken_back(desk: Desk) -> None:
    def make(core: Any) -> str:
        with core._ledger.work() as work:
            return str(core.books.add_waiver(work, phrase="私人微信二号", why="公告", actor="wang").id)

    waiver_id = desk.ask(make)
    assert "私人微信二号" in desk.farm("words", "exceptions", "list").out
    sentence = ("words", "test", "--text", "加我私人微信二号", "--json")
    assert desk.farm(*sentence).json["hits"] == []
    desk.refused(2, "words", "exceptions", "remove", waiver_id, words="--reason")
    assert desk.farm("words", "exceptions", "remove", waiver_id, "--reason", "no such notice").code == 0
    assert len(desk.farm(*sentence).json["hits"]) == 1
    assert desk.farm("words", "exceptions", "list", "--json").json == []


# ---- trying


def test_a_sentence_is_tried_and_kept_nowhere(desk: Desk) -> None:
    hit = desk.farm("words", "test", "--text", "加我私人微信")
    assert "加我【私人微信】" in hit.out
    assert "The system itself would not say this." in hit.err
    assert "No hit: none" in desk.farm("words", "test", "--text", "早上好").err
    spoken_of = desk.farm("words", "test", "--text", "公司规定：严禁员工索要私人微信").err
    assert "not counted: 私人微信 at 11–15, only spoken of" in spoken_of
    tried = desk.farm("words", "test", "--word", "癸癸单", "--text", "我们走癸癸单")
    assert "走【癸癸单】" in tried.out
    assert "癸癸单" not in known(desk)
    desk.refused(2, "words", "test", words="--against")
    desk.refused(2, "words", "test", "--text", " ", words="characters")
    desk.refused(2, "words", "test", "--text", "x", "--against", "1d", words="--against")


def test_a_change_is_tried_on_the_history(desk: Desk, phone: Handset) -> None:
    say(desk, phone, "您好", "我们走庚庚单吧", f"电话 {MOBILE} 庚庚单", "好的")
    before = version(desk)
    done = desk.farm("words", "test", "--word", "庚庚单", "--against", "1d")
    assert done.code == 0, done
    assert "2 new, 0 gone" in done.err
    assert "Next: farm words add 庚庚单" in done.err
    assert "new:" in done.out.splitlines()
    assert "我们走【庚庚单】吧" in done.out
    assert "→ 您好" in done.out
    assert MOBILE not in done.out
    assert "138****8000" in done.out
    assert "Fully watched: 0.0 %" in done.err
    assert version(desk) == before
    desk.write("try.csv", "word\n庚庚单\n")
    assert "2 new" in desk.farm("words", "test", "try.csv", "--against", "1d").err
    asked = [line for line in desk.ask(lambda core: core.audit.entries()) if line.what == "words.test"]
    assert (len(asked), asked[0].reason) == (2, "trying words")
    desk.refused(2, "words", "test", "--word", "庚庚单", "--against", "soon", words="2026-11-21")
    refuses(desk, "/words/tests", {"since_ms": 0, "words": [{"word": "长" * 65}]}, "65 characters")
    refuses(desk, "/words/tests", {"since_ms": 0, "reason": " "}, "why")
    assert desk.api.get("/words/tests/gone").status_code == 400


def test_the_history_is_searched_again(desk: Desk, phone: Handset) -> None:
    say(desk, phone, "我们走辛辛单吧")
    desk.farm("words", "add", "辛辛单")
    begun = desk.farm("words", "rescan", "--since", "1d", "--reason", "new word", "--json").json[0]
    assert begun["state"] in {"running", "done"}
    deadline = time.monotonic() + 20
    while (scan := desk.farm("words", "rescan", "--status", "--json").json[0])["state"] == "running":
        assert time.monotonic() < deadline, scan
    assert (scan["id"], scan["state"], scan["found"] >= 1) == (begun["id"], "done", True)
    found = desk.ask(lambda core: core.violations.list(limit=100))
    assert [one.origin for one in found if one.word == "辛辛单"] == ["rescan"]
    desk.refused(2, "words", "rescan", words="--since")
    desk.refused(2, "words", "rescan", "--since", "1d", words="reason")
    refuses(desk, f"/words/rescans/{scan['id']}/stop", {}, "does not run")


def test_an_added_word_holds_for_the_next_message(desk: Desk, phone: Handset) -> None:
    assert desk.farm("words", "add", "壬壬单").code == 0
    say(desk, phone, "我们走壬壬单吧")
    found = [one for one in desk.ask(lambda core: core.violations.list(limit=100)) if one.word == "壬壬单"]
    assert [(one.text, one.origin, one.book_version) for one in found] == [
        ("我们走壬壬单吧", "live", version(desk))
    ]
    desk.farm("words", "remove", "壬壬单")
    say(desk, phone, "还是走壬壬单吧")
    again = [one for one in desk.ask(lambda core: core.violations.list(limit=100)) if one.word == "壬壬单"]
    assert len(again) == 1
