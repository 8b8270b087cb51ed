"""`farm jobs`, `friends add` and `moments like` as a person types them: decisions on jobs, plans, lists."""

from collections.abc import Iterator

import pytest

from controller.model import Held
from controller.sheets import MAX_BYTES
from tests.support.corefarm import EVERYTHING, Handset, armed, over
from tests.support.desk import Desk

HEADING = "手机号,备注,标签,订单号,下单时间\n"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), rules=EVERYTHING) as desk:
        yield desk


def listed(desk: Desk, name: str, prefix: str, rows: int) -> str:
    lines = (f"{prefix}{n:05},客户{n},老客户,D-{n},2026-11-11\n" for n in range(rows))
    return desk.write(name, HEADING + "".join(lines))


def submit(desk: Desk, phone: Handset, name: str, *more: str) -> str:
    made = desk.farm("friends", "add", name, "--phones", phone.phone_id, "--yes", "--json", *more)
    assert made.code == 0, made
    return str(made.json["job"]["job_id"])


def work(desk: Desk, phone: Handset, result: str, outcome: str, *, sent: bool = True) -> None:
    """Let the phone do its next row."""

    def do() -> None:
        lease = phone.take()
        said = [armed(lease)] if sent else []
        phone.say(*said, over(lease, result, outcome, was_armed=sent), at_ms=phone.core.clock.now_ms())

    desk.ask(lambda _: do())


def test_a_job_is_paused_and_goes_on(desk: Desk):
    phone = desk.phone(1)
    job_id = submit(desk, phone, listed(desk, "pause.csv", "138001", 3))
    assert desk.farm("jobs", "pause", job_id).code == 2
    paused = desk.farm("jobs", "pause", job_id, "--reason", "盘点")
    assert paused.code == 0
    assert "3 rows wait" in paused.err
    assert f"farm jobs resume {job_id}" in paused.err
    assert desk.ask(lambda _: phone.lease()) is None
    watched = desk.farm("jobs", "watch", job_id)
    assert watched.code == 0
    assert "盘点 (by " in watched.err
    assert "盘点" in desk.farm("jobs", "list").out
    assert "盘点" in desk.farm("jobs", "show", job_id).out
    desk.refused(2, "jobs", "pause", job_id, "--reason", "x", words="farm jobs resume")
    resumed = desk.farm("jobs", "resume", job_id, "--json").json
    assert (resumed["state"], resumed["is_stopped"]) == ("running", False)
    assert not isinstance(desk.ask(lambda _: phone.lease()), Held | None)


def test_what_was_not_done_goes_again_and_nothing_else(desk: Desk):
    phone = desk.phone(2)
    job_id = submit(desk, phone, listed(desk, "retry.csv", "138002", 4))
    work(desk, phone, "done", "requested")
    work(desk, phone, "not_done", "screen_unreadable", sent=False)
    work(desk, phone, "unknown", "answer_lost")
    work(desk, phone, "not_done", "cannot_be_added", sent=False)
    said = desk.farm("jobs", "retry", job_id)
    assert said.code == 0
    assert said.err.splitlines()[0] == "1 row goes again, within the quotas."
    assert "1 row not: done" in said.err
    assert "1 row not: unknown: may have been sent" in said.err
    assert "1 row not: cannot_be_added: this is an answer" in said.err
    again = desk.farm("jobs", "retry", job_id, "--json").json
    assert (again["queued"], again["job"]["state"]) == (0, "running")
    cancelled = desk.farm("jobs", "cancel", job_id, "--reason", "wrong list")
    assert "1 row did not go out" in cancelled.err
    desk.refused(2, "jobs", "retry", job_id, words="submitted again")
    watched = desk.farm("jobs", "watch", job_id)
    assert (watched.code, "wrong list (by " in watched.err) == (0, True)
    desk.refused(1, "jobs", "cancel", "20200101-01", "--reason", "x", words="no job")


def test_a_job_that_stopped_itself_needs_a_reason(desk: Desk):
    phone = desk.phone(3)
    job_id = submit(desk, phone, listed(desk, "old.csv", "138003", 40))
    for _ in range(30):
        work(desk, phone, "not_done", "not_found", sent=False)
    desk.ask(lambda core: core.sweep())
    watched = desk.farm("jobs", "watch", job_id)
    assert watched.code == 5
    assert "stopped itself: too many of the last rows were not found" in watched.err
    desk.refused(2, "jobs", "resume", job_id, words="stopped itself")
    assert desk.farm("jobs", "resume", job_id, "--reason", "the list was corrected").code == 0


def test_a_plan_is_a_calendar_by_the_accounts_own_clock(desk: Desk):
    phone = desk.phone(4)
    name = listed(desk, "plan.csv", "138004", 12)
    assert desk.farm("quotas", "zone", "4", "Asia/Urumqi", "--reason", "it works there").code == 0
    add = ("friends", "add", name, "--phones", "4", "--tag", "双十一", "--dry-run")
    plan = desk.farm(*add, "--json").json
    assert len(plan["calendar"]) == 12
    assert {row["phone_id"] for row in plan["calendar"]} == {"004"}
    assert all(row["at"].endswith("+06:00") for row in plan["calendar"])
    assert plan["lines"][0]["time_zone"] == "Asia/Urumqi"
    said = desk.farm(*add)
    assert "… and 2 rows more" in said.err
    assert "12 friend requests from 1 phone, ends about" in said.err
    assert "(Asia/Urumqi)" in said.err
    job_id = submit(desk, phone, name, "--tag", "双十一")
    tasks = desk.farm("jobs", "show", job_id, "--json").json["tasks"]
    assert {tuple(task["tags"]) for task in tasks} == {("老客户", "双十一")}
    desk.refused(2, "friends", "add", name, "--phones", "4", "--tag", "长" * 21, "--yes", words="tags")


def test_friends_with_a_tag_get_likes_once(desk: Desk):
    phone = desk.phone(5)
    submit(desk, phone, listed(desk, "tagged.csv", "138005", 2), "--tag", "常客")
    for _ in range(2):
        work(desk, phone, "done", "added")
    contacts = desk.farm("contacts", "list", "--tag", "常客", "--phone", "5", "--json").json
    assert [contact["name"] for contact in contacts] == ["客户0", "客户1"]
    assert "13800500000" not in str(contacts)
    like = ("moments", "like", "--tag", "常客", "--phones", "5", "--days", "3")
    assert len(desk.farm(*like, "--dry-run", "--json").json["calendar"]) == 2
    desk_without = desk.farm(*like)
    assert (desk_without.code, "--yes" in desk_without.err) == (2, True)
    made = desk.farm(*like, "--yes", "--json").json
    assert (made["is_new"], made["job"]["action"], made["job"]["max_age_days"]) == (True, "moments_like", 3)
    assert "Nothing new was liked" in desk.farm(*like, "--yes").err
    desk.refused(3, "moments", "like", "--tag", "nobody", "--phones", "5", "--yes", words="tag")
    desk.refused(2, "moments", "like", "--tag", "常客", "--phones", "5", "--days", "31")


def test_a_list_beyond_the_bound_is_one_line_and_is_not_sent(desk: Desk):
    (desk.folder / "huge.csv").write_bytes(b"1" * (MAX_BYTES + 1))
    desk.refused(3, "friends", "check", "huge.csv", words="16 MiB at most")
