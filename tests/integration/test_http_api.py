"""The HTTP API over a real socket on SQLite: what programs may rely on."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
import structlog

from controller.sheets import MAX_BYTES
from protos.facts import GapSeen, MessageSeen
from tests.support.running_api import TOKEN, RunningApi

HEADING = "手机号,备注,订单号,下单时间\n"
GOOD = (HEADING + "13800138001,王先生,D-1,2026-11-11\n13800138002,李女士,D-2,2026-11-12\n").encode()
BAD = (HEADING + "13800138001,王先生,D-1,2026-11-11\n1.38001E+10,李女士,D-2,2026-11-12\n").encode()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with RunningApi(tmp_path, words=("私人微信",)) as running:
        yield running


@pytest.fixture
def staffed(api: RunningApi) -> RunningApi:
    """A farm with phone 007, held by 王芳, who was told."""
    api.plug_in("V007")
    assert api.post("/phones/7/number", {"serial": "V007", "rack": "rack-A"}).status_code == 200
    given = {"holder": "王芳", "account_id": "wx-0007", "unattended": True, "reason": "virtual"}
    assert api.post("/phones/007/assignment", given).status_code == 200
    assert api.post("/staff/notices", {"holder": "王芳", "version": "3", "how": "paper"}).status_code == 200
    return api


def seen(position: int, text: str, side: str = "out") -> MessageSeen:
    return MessageSeen(
        conversation_key="c1",
        conversation_title="客户 13900139000",
        conversation_kind="person",
        position=position,
        side=side,
        kind="text",
        text=text,
        time_label="10:00",
        ambiguous=False,
    )


@pytest.mark.parametrize(
    "header", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}]
)
def test_without_the_token_nothing_is_told(api: RunningApi, header: dict[str, str]):
    with httpx2.Client(base_url=f"{api.url}/api/v1", headers=header, trust_env=False) as stranger:
        for path in (
            "/status",
            "/phones",
            "/jobs",
            "/chats",
            "/violations",
            "/phones/waiting",
            "/staff/notices",
        ):
            found = stranger.get(path)
            assert found.status_code == 401
            assert found.json()["error"] == "not_allowed"


def test_every_path_of_the_schema_wants_the_token_and_has_a_title(api: RunningApi):
    schema = httpx2.get(f"{api.url}/api/v1/openapi.json", trust_env=False).json()
    assert schema["openapi"].startswith("3.")
    calls = [(path, verb, call) for path, verbs in schema["paths"].items() for verb, call in verbs.items()]
    assert len(calls) >= 17
    with httpx2.Client(base_url=api.url, trust_env=False) as stranger:
        for path, verb, call in calls:
            assert call["summary"]
            assert call["tags"]
            filled = (
                path.replace("{conversation_id}", "1").replace("{phone_id}", "1").replace("{job_id}", "1")
            )
            assert stranger.request(verb.upper(), filled).status_code == 401, path


def test_the_status_names_every_state_zero_included(api: RunningApi):
    found = api.get("/status").json()
    assert found["farm_id"] == "test-farm"
    assert found["store"] == "sqlite"
    assert found["phones"]["ready"] == 0
    assert found["tasks"]["unknown"] == 0
    assert found["at_ms"] > 1_700_000_000_000


def test_a_handset_gets_its_number_and_its_holder(staffed: RunningApi):
    phone = staffed.get("/phones", select="7").json()[0]
    assert phone["phone_id"] == "007"
    assert phone["holder"] == "王芳"
    assert phone["account_id"] == "wx-0007"
    assert phone["acting_mode"] == "unattended"
    assert (phone["adds_day"], phone["adds_per_day"]) == (0, 10)
    assert phone["battery_percent"] is None
    assert staffed.get("/phones/7").json() == staffed.get("/phones/007").json()
    assert staffed.get("/phones/waiting").json() == []


def test_waiting_handsets_are_listed(api: RunningApi):
    api.plug_in("V1", slot="1-2.3")
    waiting = api.get("/phones/waiting").json()
    assert [(phone["serial"], phone["slot"]) for phone in waiting] == [("V1", "1-2.3")]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "name"),
    [
        ("GET", "/phones/9", None, 404, "unknown_phone"),
        ("GET", "/phones?select=nonsense:x", None, 400, "bad_request"),
        ("GET", "/jobs/nothing", None, 404, "unknown_job"),
        ("GET", "/chats/99?reason=x", None, 404, "unknown_conversation"),
        ("GET", "/chats/1", None, 400, "bad_request"),
        ("GET", "/chats/one?reason=x", None, 400, "bad_request"),
        ("GET", "/violations?limit=0", None, 400, "bad_request"),
        ("GET", "/nowhere", None, 404, "http_error"),
        ("POST", "/phones/8/number", {"serial": "V007"}, 409, "serial_taken"),
        ("POST", "/phones/7/number", {"serial": "other"}, 409, "number_taken"),
        ("POST", "/phones/7/number", {}, 400, "bad_request"),
        ("POST", "/phones/7/clearing", {"reason": ""}, 400, "bad_request"),
        ("POST", "/staff/notices", {"holder": "", "version": "", "how": ""}, 400, "bad_request"),
    ],
)
def test_errors_have_a_status_a_name_and_one_line(
    staffed: RunningApi, verb: str, path: str, body: object, status: int, name: str
):
    answer = staffed.client.request(verb, path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, name)
    assert answer.json()["message"]
    assert "\n" not in answer.json()["message"]


def test_an_error_nobody_expected_tells_its_place_and_not_its_message(
    api: RunningApi, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    def failing() -> None:
        raise LookupError("13900000001")

    monkeypatch.setattr(api.core, "status", failing)
    with structlog.testing.capture_logs() as lines:
        answer = api.get("/status")
        # The server says on the same connection whether it takes the error for its own.
        assert api.get("/phones").status_code == 200
    assert (answer.status_code, answer.json()["error"]) == (500, "unexpected")
    assert [(line["error"], line["route"]) for line in lines] == [("LookupError", "/status")]
    assert ".failing:" in lines[0]["frames"][-1]
    assert "13900000001" not in f"{answer.text}{lines}{caplog.text}"
    assert caplog.records == []


def test_who_acts_is_in_the_audit_even_with_a_chinese_name(api: RunningApi):
    api.plug_in("V1")
    api.client.headers["x-farm-actor"] = quote("李\u202e运营\x1b")
    api.post("/phones/1/number", {"serial": "V1"})
    entry = api.ask(lambda core: core.audit.entries())[0]
    assert (entry.actor, entry.what, entry.object) == ("李运营", "phone.number", "001")


@pytest.mark.parametrize("said", ["", "%20%0a"])
def test_an_act_that_nobody_owns_is_refused(api: RunningApi, said: str):
    api.plug_in("V1")
    api.client.headers["x-farm-actor"] = said
    refused = api.post("/phones/1/number", {"serial": "V1"})
    assert (refused.status_code, refused.json()["error"]) == (400, "bad_request")
    assert "X-Farm-Actor" in refused.text
    assert api.ask(lambda core: core.audit.entries()) == []
    assert api.get("/phones").status_code == 200


def test_what_holds_phones_is_told_of_one_job_and_not_of_a_list_of_them(staffed: RunningApi):
    made = staffed.upload("/friends/jobs", GOOD, phones="all", greeting="您好", source="a.csv").json()["job"]
    held = staffed.get(f"/jobs/{made['job_id']}").json()["holds"]
    assert [(hold["phone_id"], hold["cause"]) for hold in held] == [("007", "phone_preparing")]
    assert [job["holds"] for job in staffed.get("/jobs").json()] == [[]]


def test_a_list_is_checked_and_nothing_is_stored(staffed: RunningApi):
    found = staffed.upload("/friends/check", BAD).json()
    assert (found["rows"], found["usable"], found["encoding"]) == (2, 1, "utf-8-sig")
    assert found["columns"] == {
        "mobile": "手机号",
        "remark": "备注",
        "basis": "订单号",
        "basis_at": "下单时间",
    }
    assert found["problems"][0]["row_no"] == 3
    assert "Excel turned the number into 1.38001E+10" in found["problems"][0]["problem"]
    assert staffed.get("/jobs").json() == []


def test_a_mapped_column_is_used(staffed: RunningApi):
    raw = "甲,订单号,日期\n13800138001,D,2026-11-11\n".encode()
    assert staffed.upload("/friends/check", raw).status_code == 422
    assert staffed.upload("/friends/check", raw, map="mobile=甲").json()["usable"] == 1
    assert staffed.upload("/friends/check", raw, map="nonsense").status_code == 400


def test_the_marked_copy_says_what_is_wrong_and_holds_no_formula(staffed: RunningApi):
    raw = (HEADING + '12345,"=HYPERLINK(""http://x"")",+D-1,2026-11-11\n').encode()
    marked = staffed.upload("/friends/marked", raw).content
    assert marked.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(marked.decode("utf-8-sig"))))
    assert rows[0] == ["手机号", "备注", "订单号", "下单时间", "问题"]
    assert rows[1] == ["12345", '\'=HYPERLINK("http://x")', "'+D-1", "2026-11-11", "not a mobile number"]
    again = staffed.upload("/friends/marked", marked).content
    assert next(csv.reader(io.StringIO(again.decode("utf-8-sig")))).count("问题") == 1


def test_a_plan_stores_nothing(staffed: RunningApi):
    plan = staffed.upload("/friends/plan", GOOD, phones="all").json()
    assert (plan["rows"], plan["problems"], plan["skipped"]) == (2, [], [])
    assert [line["phone_id"] for line in plan["lines"]] == ["007"]
    assert staffed.get("/jobs").json() == []


def test_a_list_becomes_one_job_however_often_it_is_sent(staffed: RunningApi):
    first = staffed.upload("/friends/jobs", GOOD, phones="all", greeting="您好", source="a.csv")
    assert first.status_code == 201
    made = first.json()
    assert made["is_new"]
    assert made["job"]["rows"] == 2
    again = staffed.upload("/friends/jobs", GOOD, phones="all", greeting="您好", source="a.csv").json()
    assert not again["is_new"]
    assert again["job"]["job_id"] == made["job"]["job_id"]
    assert len(staffed.get("/jobs").json()) == 1
    checked = staffed.upload("/friends/check", GOOD).json()
    assert checked["usable"] == 0
    assert made["job"]["job_id"] in checked["problems"][0]["problem"]


def test_a_bad_row_refuses_the_list_unless_it_is_left_out(staffed: RunningApi):
    refused = staffed.upload("/friends/jobs", BAD, phones="all")
    assert (refused.status_code, refused.json()["error"]) == (422, "bad_rows")
    assert "rows 3" in refused.json()["message"]
    assert staffed.get("/jobs").json() == []
    made = staffed.upload("/friends/jobs", BAD, phones="all", skip_bad=True).json()
    assert made["job"]["rows"] == 1
    assert [problem["row_no"] for problem in made["skipped"]] == [3]


def test_a_greeting_that_wechat_would_cut_is_refused(staffed: RunningApi):
    answer = staffed.upload("/friends/jobs", GOOD, phones="all", greeting="好" * 51)
    assert answer.status_code == 400
    assert "51 characters" in answer.json()["message"]


def test_no_answer_holds_a_customers_mobile_or_wechat_id(staffed: RunningApi):
    raw = (
        "手机号,微信号,备注,订单号,下单时间\n"
        "13800138001,,电话13900139000,D-1,2026-11-11\n"
        ",wxid_secret99,,D-2,2026-11-11\n"
        "138 0013 8001,,,D-3,2026-11-11\n"
        ",wxid_secret99,,D-4,2026-11-11\n"
    ).encode()
    made = staffed.upload("/friends/jobs", raw, phones="all", skip_bad=True)
    job_id = made.json()["job"]["job_id"]
    staffed.report("007", seen(1, "打我13900139000"), account_id="wx-0007")
    chat = staffed.get("/chats").json()[0]["conversation_id"]
    answers = [
        made,
        staffed.upload("/friends/check", raw),
        staffed.upload("/friends/plan", raw, phones="all"),
        staffed.get(f"/jobs/{job_id}/tasks"),
        staffed.get("/chats"),
        staffed.get(f"/chats/{chat}", reason="test"),
    ]
    for answer in answers:
        assert answer.status_code < 300
        for secret in ("13800138001", "0013 8001", "13900139000", "wxid_secret99"):
            assert secret not in answer.text
    assert "138****8001" in answers[3].text
    assert "打我139****9000" in answers[5].text


def test_a_list_beyond_the_bound_is_refused(staffed: RunningApi):
    answer = staffed.upload("/friends/check", b"x" * (MAX_BYTES + 2))
    assert answer.status_code == 413
    answer = staffed.upload("/friends/check", b"x" * (MAX_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_rows")


def test_a_chat_is_shown_with_its_gaps_and_the_look_is_recorded(staffed: RunningApi):
    gap = GapSeen(
        conversation_key="c1",
        conversation_title="客户",
        before_position=2,
        cause="in_hand",
        from_ms=1,
        to_ms=2,
    )
    staffed.report("007", seen(1, "您好", "in"), gap, seen(2, "加我私人微信吧"), account_id="wx-0007")
    chat = staffed.get("/chats", phones="7").json()[0]
    assert (chat["phone_id"], chat["messages"]) == ("007", 2)
    before = len(staffed.ask(lambda core: core.audit.entries()))
    found = staffed.get(f"/chats/{chat['conversation_id']}", reason="complaint 12").json()
    assert [message["text"] for message in found["messages"]] == ["您好", "加我私人微信吧"]
    assert found["gaps"][0]["cause"] == "in_hand"
    entries = staffed.ask(lambda core: core.audit.entries())
    assert len(entries) == before + 1
    assert (entries[0].actor, entries[0].what, entries[0].reason) == ("li.ops", "chat.read", "complaint 12")


def test_violations_say_what_matched_and_the_look_is_recorded(staffed: RunningApi):
    staffed.report("007", seen(1, "加我私人微信吧"), account_id="wx-0007")
    found = staffed.get("/violations", state="new").json()
    assert len(found) == 1
    assert found[0]["text"][found[0]["start"] : found[0]["end"]] == "私人微信"
    assert (found[0]["phone_id"], found[0]["holder"]) == ("007", "王芳")
    assert staffed.get("/violations", phones="7", since_ms=found[0]["found_at_ms"] + 1).json() == []
    assert staffed.ask(lambda core: core.audit.entries())[0].what == "violations.read"


def test_holders_without_a_record_are_visible(staffed: RunningApi):
    staffed.plug_in("V8")
    staffed.post("/phones/8/number", {"serial": "V8"})
    staffed.post("/phones/8/assignment", {"holder": "李娜"})
    notices = {notice["holder"]: notice["version"] for notice in staffed.get("/staff/notices").json()}
    assert notices == {"王芳": "3", "李娜": None}


def test_an_unexpected_error_tells_no_secret(staffed: RunningApi, monkeypatch: pytest.MonkeyPatch):
    def broken() -> None:
        raise RuntimeError("13800138001")

    monkeypatch.setattr(staffed.core, "status", broken)
    answer = staffed.get("/status")
    assert answer.status_code == 500
    assert json.loads(answer.text)["error"] == "unexpected"
    assert "13800138001" not in answer.text
