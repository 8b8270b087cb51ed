"""The HTTP side of what people decide on jobs, quotas, contacts and accepting: statuses and names."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.support.desk import Desk

LIST = "手机号,订单号,日期\n13300000001,D-1,2026-11-11\n13300000002,D-2,2026-11-12\n".encode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), words=("私人微信",)) as desk:
        desk.phone(1)
        yield desk


def limits(desk: Desk, select: str) -> list[dict[str, Any]]:
    """Return what an account may do, without the moment that moves on."""
    found: list[dict[str, Any]] = desk.api.get("/quotas", select=select).json()
    for use in found[0]["actions"]:
        del use["free_at_ms"]
    return found


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/jobs/none/pause", {"reason": "x"}, 404, "unknown_job"),
        ("/jobs/none/resume", {}, 404, "unknown_job"),
        ("/jobs/none/cancel", {"reason": ""}, 400, "bad_request"),
        ("/jobs/none/retry", {}, 404, "unknown_job"),
        ("/quotas/1/friend_add", {"reason": "x"}, 400, "bad_request"),
        ("/quotas/1/friend_add", {"per_day": 11}, 400, "bad_request"),
        ("/quotas/1/friend_add", {"per_day": 51, "reason": "x"}, 403, "safety_refusal"),
        ("/quotas/1/friend_add", {"per_day": "many"}, 400, "bad_request"),
        ("/quotas/1/everything", {"per_day": 1}, 400, "bad_request"),
        ("/quotas/nobody/friend_add", {"per_day": 1}, 404, "unknown_phone"),
        ("/quotas/1/zone", {"time_zone": "Mars/Base", "reason": "x"}, 400, "bad_request"),
        ("/quotas/1/zone", {"time_zone": "Asia/Tokyo", "reason": ""}, 400, "bad_request"),
        ("/quotas/restored", {"reason": ""}, 400, "bad_request"),
        ("/contacts/show", {"query": "?"}, 400, "bad_request"),
        ("/contacts/suppress", {"query": "13300000009"}, 400, "bad_request"),
        ("/contacts/release", {"query": "13300000009", "reason": "x"}, 400, "bad_request"),
        ("/contacts/marks", {"marks": []}, 400, "bad_request"),
        ("/contacts/marks", {"marks": [{"phone_id": "1", "name": "王"}]}, 400, "bad_request"),
        ("/moments/plan", {"tag": "x", "phones": "1", "max_age_days": 3}, 422, "bad_rows"),
        ("/moments/plan", {"tag": " ", "phones": "1", "max_age_days": 3}, 400, "bad_request"),
        ("/moments/jobs", {"tag": "x", "phones": "1", "max_age_days": 0}, 400, "bad_request"),
        ("/friends/accepting/1", {"is_on": True}, 400, "bad_request"),
        ("/friends/accepting/1", {"reply": "加我私人微信", "reason": "x"}, 403, "safety_refusal"),
        ("/friends/accepting/1", {"hours": [600, 60], "reason": "x"}, 400, "bad_request"),
        ("/phones/1/clearing", {"reason": "x"}, 400, "bad_request"),
    ],
)
def test_what_is_refused_has_a_status_a_name_and_one_line(
    desk: Desk, path: str, body: dict[str, object], status: int, name: str
):
    answer = desk.api.post(path, body)
    assert (answer.status_code, answer.json()["error"]) == (status, name)
    assert answer.json()["message"]
    assert "\n" not in answer.json()["message"]
    assert "1330000000" not in answer.text


def test_a_field_that_would_lift_something_changes_nothing(desk: Desk):
    before = limits(desk, "1")
    body = {"per_day": 10, "force": True, "unlimited": True, "ceiling": 1_000, "is_frozen": False}
    assert desk.api.post("/quotas/1/friend_add", body).status_code == 200
    params = {"phones": "1", "force": "true", "skip_quota": "true", "skip_basis": "true"}
    without_basis = "手机号,订单号,日期\n13300000003,,2026-11-12\n".encode()
    assert desk.api.upload("/friends/jobs", without_basis, **params).status_code == 422
    assert limits(desk, "1") == before


def test_a_job_says_who_decided_what(desk: Desk):
    made = desk.api.upload("/friends/jobs", LIST, phones="1", tag=["常客", "双十一"]).json()
    job_id = made["job"]["job_id"]
    paused = desk.api.post(f"/jobs/{job_id}/pause", {"reason": "盘点"}).json()
    assert (paused["state"], paused["state_cause"], paused["state_by"]) == ("paused", "盘点", "li.ops")
    assert not paused["is_stopped"]
    assert desk.api.post(f"/jobs/{job_id}/resume", {}).json()["state"] == "running"
    cancelled = desk.api.post(f"/jobs/{job_id}/cancel", {"reason": "wrong"}).json()
    assert cancelled["counts"] == {"cancelled": 2}
    tasks = desk.api.get(f"/jobs/{job_id}/tasks").json()
    assert [task["tags"] for task in tasks] == [["常客", "双十一"]] * 2
    entries = desk.ask(lambda core: core.audit.entries())
    assert [entry.what for entry in entries[:3]] == ["job.cancel", "job.resume", "job.pause"]
    assert {entry.actor for entry in entries[:3]} == {"li.ops"}


def test_an_account_is_named_by_its_phone_or_its_id(desk: Desk):
    by_phone = limits(desk, "001")
    assert limits(desk, "wx001") == by_phone
    assert by_phone[0]["time_zone"] == "Asia/Shanghai"
    assert desk.api.get("/quotas/wx001/history").json() == desk.api.get("/quotas/1/history").json()
    assert desk.api.get("/friends/accepting/wx001").json()["phone_id"] == "001"


def test_a_person_is_never_part_of_an_address(desk: Desk):
    schema = httpx2.get(f"{desk.api.url}/api/v1/openapi.json", trust_env=False).json()
    paths = [path for path in schema["paths"] if "/contacts" in path]
    assert len(paths) >= 6
    assert not any("{" in path for path in paths)
    for call in schema["paths"]["/api/v1/contacts"].values():
        assert {part["name"] for part in call["parameters"]} == {"tag", "phones"}
