"""`farm quotas`, `contacts`, `friends accept`, `phones show`: what people decide, and what no flag lifts."""

import json
from collections.abc import Iterator

import pytest
import rich_click as click

from controller.model import Held, PhoneId
from protos.facts import PlatformWarned, ScreenUnknown
from tests.support.corefarm import Handset, submit
from tests.support.desk import Desk

# Every switch of the program and what it does: none lifts a quota, a rest, a freeze, a notice or a basis.
SWITCHES = {
    "--json": "form",
    "--jsonl": "form",
    "--quiet": "form",
    "--csv": "form",
    "--reveal": "mobiles in full in an export, which is recorded with its reason",
    "--yes": "answers a question",
    "--dry-run": "does nothing",
    "--skip-bad": "leaves rows out",
    "--watch": "looks",
    "--failed": "looks",
    "--list": "looks",
    "--origins": "looks",
    "--unattended": "a person's recorded decision; a real phone needs a reason",
    "--on": "a person's recorded decision, within the quotas",
    "--confirm": "a verdict, recorded",
    "--dismiss": "a verdict, recorded",
    "--escalate": "a verdict, recorded",
    "--close": "a verdict, recorded",
    "--reopen": "a verdict, recorded",
    "--uphold": "a verdict, recorded",
    "--grant": "a verdict, recorded",
    "--clean": "a verdict on a sample, recorded",
    "--open": "looks",
    "--status": "looks",
    "--all": "which alerts to try again",
    "--initials": "of a word of the book",
    "--latin-boundary": "of a word of the book",
    "--replace": "of a book, which is a new version",
    "--version": "looks",
    "--help": "looks",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), words=("私人微信",)) as desk:
        yield desk


def switches(command: click.Command) -> set[str]:
    own = {
        next(name for name in option.opts if name.startswith("--"))
        for option in command.params
        if isinstance(option, click.Option) and option.is_flag
    }
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*map(switches, below))


def lease(desk: Desk, phone: Handset) -> object:
    return desk.ask(lambda _: phone.lease())


# ---- quotas


def test_the_switches_of_the_program_are_a_closed_list():
    from controller.cli.program import farm

    assert switches(farm) <= set(SWITCHES)
    stray = click.Group(
        "farm", commands=[click.Command("x", params=[click.Option(["--force"], is_flag=True)])]
    )
    assert not switches(stray) <= set(SWITCHES)


def test_a_spent_quota_stays_spent_whatever_is_said(desk: Desk):
    phone = desk.phone(1)
    desk.ask(lambda core: submit(core, 3, [phone]))
    assert desk.farm("quotas", "set", "1", "friend_add", "--per-day", "0").code == 0
    assert isinstance(held := lease(desk, phone), Held)
    assert held.cause == "quota_day"
    name = desk.write("more.csv", "手机号,订单号,日期\n13700000001,D,2026-11-11\nx,D,2026-11-11\n")
    made = desk.farm("friends", "add", name, "--phones", "1", "--yes", "--skip-bad", "--json")
    assert made.code == 0
    assert desk.farm("phones", "assign", "1", "--unattended", "--reason", "test").code == 0
    assert desk.farm("jobs", "retry", made.json["job"]["job_id"]).code == 0
    assert isinstance(lease(desk, phone), Held)


def test_limits_are_shown_set_and_remembered(desk: Desk):
    desk.phone(2)
    shown = desk.farm("quotas", "show", "2", "--json").json
    uses = {use["action"]: use for use in shown[0]["actions"]}
    assert len(uses) == 5
    assert (uses["friend_add"]["used_day"], uses["friend_add"]["per_day"]) == (0, 10)
    assert "no official figure" in desk.farm("quotas", "show", "2", "--origins").err
    assert desk.farm("quotas", "show", "2", "-q").out == "wx002\n"
    lowered = desk.farm(
        *("quotas", "set", "wx002", "friend-add", "--per-day", "5", "--spacing", "2m"),
        *("--hours", "9-18", "--weekdays", "1-5", "--contact-pause", "7d"),
    )
    assert lowered.code == 0
    assert "09:00-18:00" in lowered.out
    assert "Mon-Fri" in lowered.out
    desk.refused(2, "quotas", "set", "2", "friend_add", "--per-day", "6", words="say why per_day")
    desk.refused(5, "quotas", "set", "2", "friend_add", "--per-day", "51", "--reason", "x", words="at most")
    desk.refused(2, "quotas", "set", "2", "friend_add", words="Say which limit")
    desk.refused(2, "quotas", "set", "2", "friend_add", "--hours", "18-9", words="earlier")
    desk.refused(2, "quotas", "set", "2", "nothing", "--per-day", "1", words="no such action")
    desk.refused(1, "quotas", "set", "77", "friend_add", "--per-day", "1", words="no phone 077")
    assert desk.farm("quotas", "set", "2", "friend_add", "--per-day", "6", "--reason", "稳定").code == 0
    changes = desk.farm("quotas", "history", "2", "--json").json
    assert next((c["field"], c["after"], c["reason"]) for c in changes) == ("per_day", "6", "稳定")
    assert len(changes) == 6
    assert "稳定" in desk.farm("quotas", "history", "2", "--action", "friend-add").out


# ---- contacts


def test_a_person_is_suppressed_released_and_forgotten(desk: Desk):
    phone = desk.phone(3)
    name = desk.write("people.csv", "手机号,订单号,日期\n13600000001,D-1,2026-11-11\n")
    assert desk.farm("friends", "add", name, "--phones", "3", "--yes").code == 0
    said = [
        desk.farm("contacts", "show", "136 0000 0001"),
        desk.farm("contacts", "suppress", "+86 13600000001", "--reason", "asked", "--source", "call"),
        desk.farm("contacts", "show", "13600000001", "--json"),
        desk.farm("friends", "check", name),
        desk.farm("contacts", "release", "13600000001", "--reason", "again"),
        desk.farm("contacts", "forget", "13600000001", "--reason", "wish", "--yes", "--json"),
        desk.farm("contacts", "show", "13600000001"),
    ]
    assert [one.code for one in said] == [0, 0, 0, 3, 0, 0, 0]
    assert isinstance(lease(desk, phone), Held | None)
    assert said[2].json["is_suppressed"]
    assert said[2].json["tasks"][0]["state"] == "cancelled"
    assert said[2].json["history"][0]["source"] == "call"
    assert "must not be contacted" in said[3].out
    assert said[5].json == {"who": "136****0001", "rows": 1}
    assert "never: this person was forgotten" in said[6].out
    for one in said:
        assert "13600000001" not in one.out + one.err
        assert "0000 0001" not in one.out + one.err
    desk.refused(5, "contacts", "release", "13600000001", "--reason", "again", words="forgotten")
    desk.refused(2, "contacts", "show", "no such person", words="mobile number")
    desk.refused(2, "contacts", "suppress", "13600000002", "--reason", " ", words="say why")
    without_yes = desk.farm("contacts", "forget", "13600000002", "--reason", "wish")
    assert (without_yes.code, "--yes" in without_yes.err) == (2, True)


def test_a_contact_gets_a_remark_and_tags_by_a_job(desk: Desk):
    desk.phone(4)
    made = desk.farm(
        "contacts", "mark", "小王", "--phone", "4", "--tag", "VIP", "--remark", "王先生", "--json"
    )
    assert made.json["job"]["action"] == "contact_mark"
    assert made.json["job"]["rows"] == 1
    desk.refused(2, "contacts", "mark", "小王", "--phone", "4", words="--remark")
    desk.refused(1, "contacts", "mark", "小王", "--phone", "88", "--tag", "VIP", words="no phone 088")


def test_accepting_is_off_until_a_person_says_so(desk: Desk):
    desk.phone(5)
    assert desk.farm("friends", "accept", "show", "5", "--json").json["is_on"] is False
    bad, good = desk.write("bad.txt", "加我私人微信"), desk.write("good.txt", "谢谢关注")
    accept = ("friends", "accept", "set", "5", "--on")
    desk.refused(2, *accept, words="say why")
    desk.refused(5, *accept, "--reply", bad, "--reason", "x", words="sensitive word")
    desk.refused(2, "friends", "accept", "set", "5", "--reason", "x", words="Say what changes")
    policy = desk.farm(
        *(*accept, "--reply", good, "--hours", "9-18", "--weekdays", "1-5", "--tag", "新客"),
        *("--reason", "campaign", "--json"),
    ).json
    assert (policy["is_on"], policy["hours"], policy["weekdays"]) == (True, [540, 1080], [1, 2, 3, 4, 5])
    assert (policy["reply"], policy["tags"]) == ("谢谢关注", ["新客"])
    off = desk.farm("friends", "accept", "set", "5", "--off", "--reason", "over", "--json").json
    assert (off["is_on"], off["reply"]) == (False, "谢谢关注")


# ---- a phone in trouble


def test_a_phone_shows_what_went_wrong_and_is_cleared_by_a_person(desk: Desk):
    phone = desk.phone(6)
    warned = PlatformWarned(
        warning="too_frequent",
        surface="dialog",
        text="操作过于频繁 13500000001",
        task_id="",
        picture="warn-1.png",
    )
    blind = ScreenUnknown(activity="LauncherUI", cause="scrambled", detail="", picture="blind-1.png")
    desk.ask(lambda core: phone.say(warned, blind, account_id="wx006", at_ms=core.clock.now_ms()))
    shown = desk.farm("phones", "show", "6")
    for words in ("too_frequent", "warn-1.png", "scrambled", "blind-1.png", "135****0001", "unattended"):
        assert words in shown.out
    assert "usually over at" in shown.err
    assert "farm phones clear 006" in shown.err
    assert "13500000001" not in shown.out + shown.err
    detail = desk.farm("phones", "show", "6", "--json").json
    assert (detail["strikes"], detail["account"]["actions"][0]["held"]) == (1, "resting")
    assert detail["warnings"][0]["picture"] == "warn-1.png"
    assert desk.farm("phones", "clear", "6").code == 2
    cleared = desk.farm("phones", "clear", "6", "--reason", "looked at it")
    assert "before such a rest usually ends" in cleared.err
    assert "half of each daily limit" in cleared.err
    desk.refused(2, "phones", "clear", "6", "--reason", "again", words="neither rests nor is frozen")
    assert "assist" in desk.farm("phones", "assign", "6", "--assist", "--json").out


def test_a_restored_farm_waits_and_says_so(desk: Desk):
    desk.phone(7)
    assert desk.farm("quotas", "restored").code == 2
    desk.refused(2, "quotas", "restored", "--reason", " ", words="which backup")
    frozen = desk.farm("quotas", "restored", "--reason", "backup of Monday", "--json")
    until_ms = frozen.json["restored_until_ms"]
    assert "the data was restored" in desk.farm("status").out
    assert desk.farm("status", "--json").json["restored_until_ms"] == until_ms
    account = desk.farm("quotas", "show", "7", "--json").json[0]
    assert {use["held"] for use in account["actions"]} == {"restored"}
    assert "it ends by itself" in desk.farm("quotas", "show", "7").err
    name = desk.write("after.csv", "手机号,订单号,日期\n13400000001,D-1,2026-11-11\n")
    plan = desk.farm("friends", "add", name, "--phones", "7", "--yes", "--dry-run", "--json").json
    assert plan["lines"][0]["held"] == "restored"
    assert plan["calendar"][0]["at_ms"] >= until_ms
    assert desk.ask(lambda core: core.fleet.phone(PhoneId("7")).state) == "ready"
    assert "13400000001" not in json.dumps(plan)
