"""The main job from end to end on virtual phones; then belief is compared with truth."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import show
import verdict
import world
from parts import DemoFailed, Parts, free_port, parts, until

ROOT = Path(__file__).parents[2]
NOTICE = "v1"
FAILED = 1
INTERRUPTED = 130


def options() -> argparse.Namespace:
    """Return what was asked for."""
    asked = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    asked.add_argument("--exit", action="store_true", help="end after the comparison; 0 only if all agrees")
    asked.add_argument("--phones", type=int, default=8, metavar="N", choices=range(1, 51))
    asked.add_argument("--customers", type=int, default=40, metavar="N", choices=range(1, 2001))
    asked.add_argument(
        "--unplug", action="store_true", help="pull phone 002 out in the middle, and plug it in again"
    )
    asked.add_argument("--kill", action="store_true", help="kill -9 the agent of phone 003 in the middle")
    asked.add_argument("--folder", type=Path, default=ROOT / "farm-demo", help="made anew at each run")
    return asked.parse_args()


def main() -> int:
    """Run the demo and return its exit code."""
    asked = options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with parts(_fresh(asked.folder)) as farm:
            agrees = run(farm, asked)
            if asked.exit:
                return 0 if agrees else FAILED
            show.try_next(farm)
            while True:
                farm.alive()
                time.sleep(1)
    except DemoFailed as error:
        show.failed(str(error), asked.folder)
        return FAILED
    except KeyboardInterrupt:
        show.line("Stopped. What it wrote is in " + str(asked.folder))
        return INTERRUPTED


def _fresh(folder: Path) -> Path:
    marker = folder / ".farm-demo"
    if folder.exists():
        if not marker.exists() and any(folder.iterdir()):
            raise DemoFailed(f"{folder} is not a folder of an earlier demo; name another with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    marker.touch()
    return folder


def run(farm: Parts, asked: argparse.Namespace) -> bool:
    """Start everything, run the job, compare; True if belief and truth agree."""
    began = time.monotonic()
    made = world.make(asked.phones, asked.customers)
    # Two more than an even share: a phone that is away for a while leaves its rows to the others.
    per_day = -(-asked.customers // asked.phones) + 2
    _write(farm, made, per_day)
    control = start(farm, asked.phones)
    bring_in(farm, made, asked.phones)
    job_id = submit(farm, asked)
    show.step(f"job {job_id}: {asked.customers} customers from a CSV file, at most {per_day} a phone in 24 h")
    watching = farm.follow("jobs", "watch", job_id)
    try:
        troubles = trouble(farm, asked, control, job_id)
        until("the job to end", lambda: _over(farm, job_id), 60 + 6 * asked.customers)
    finally:
        watching.terminate() if watching.poll() is None and not _over(farm, job_id) else watching.wait(20)
    wait_for_chats(farm, control, made)
    return compare(farm, asked, control, job_id, made, per_day, troubles, time.monotonic() - began)


def _write(farm: Parts, made: world.DemoWorld, per_day: int) -> None:
    folder = farm.folder
    (folder / "scenario.toml").write_text(made.scenario_toml)
    (folder / "customers.csv").write_bytes(made.customers_csv)
    (folder / "greeting.txt").write_text("您好，我是您的专属客服，订单有问题随时找我。\n")
    (folder / "config.toml").write_text(
        f"""\
[controller]
farm_id = "demo"
data_dir = "controller"
not_sent_pause_s = 2
grpc = "127.0.0.1:{farm.grpc_port}"
http = "{farm.http.removeprefix("http://")}"
words = {json.dumps(world.WORDS, ensure_ascii=False)}

# Virtual phones have no platform to fear; a real account keeps the defaults.
[controller.quotas.friend_add]
per_day = {per_day}
per_hour = {per_day}
spacing_s = 1
hours = "00:00-24:00"
ramp = []

[agent]
controller = "127.0.0.1:{farm.grpc_port}"
data_dir = "agent"
adb_port = {farm.adb_port}
"""
    )


def start(farm: Parts, phones: int) -> str:
    """Start virtual phones, controller and keeper; return the URL of the world's control endpoint."""
    show.step(f"{phones} virtual phones behind a real adb server on port {farm.adb_port}")
    control_port = free_port()
    farm.start(
        "phones",
        "farm-agent",
        "virtual",
        "--count",
        str(phones),
        "--scenario",
        str(farm.folder / "scenario.toml"),
        "--control-port",
        str(control_port),
    )
    control = f"http://127.0.0.1:{control_port}"
    handsets = until("the virtual phones", lambda: _try_get(farm, control + "/phones"), 30)
    farm.farm("init", "--config", str(farm.folder / "config.toml"))
    farm.start("controller", "farm", "serve")
    until("the controller", lambda: _answers(farm), 30)
    farm.start("keeper", "farm-agent", "keep")
    # A phone on TCP has to be dialled once; one on USB is seen by itself.
    until("the adb server", lambda: _adb_up(farm), 30)
    for handset in handsets:
        farm.adb("connect", handset["address"])
    return control


def bring_in(farm: Parts, made: world.DemoWorld, phones: int) -> None:
    """Number the handsets, give them to holders, and record that the holders were told."""
    until(f"{phones} handsets", lambda: len(farm.get("/phones/waiting")) >= phones or None, 90)
    farm.farm("phones", "number", "--from", "1", "--rack", "A", "--yes")
    holders = farm.folder / "holders.csv"
    holders.write_text("NO,HOLDER\n" + "".join(f"{n:03},{name}\n" for n, name in enumerate(made.holders, 1)))

    def accounts_read() -> bool | None:
        return all(phone["account_seen"] for phone in farm.get("/phones")) or None

    until("the accounts on the phones", accounts_read, 60)
    farm.farm("phones", "assign", "all", "--holders", str(holders))
    for name in made.holders:
        farm.farm("staff", "notices", "record", name, "--version", NOTICE, "--how", "on paper, demo")
    until("ready phones", lambda: _ready(farm) == phones or None, 60)
    show.step(
        f"{phones} phones numbered 001-{phones:03}, handed to {phones} holders who were told of monitoring"
    )


def submit(farm: Parts, asked: argparse.Namespace) -> str:
    """Check the list, submit it, and return the job's id."""
    farm.farm("friends", "check", "customers.csv")
    made = farm.ask(
        "friends",
        "add",
        "customers.csv",
        "--phones",
        f"1-{asked.phones}",
        "--greeting",
        "greeting.txt",
        "--yes",
    )
    return str(made["job"]["job_id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What was done to a phone on purpose, and the row it had in hand at that moment."""

    phone_id: str
    what: str
    row_no: int
    state: str


def trouble(farm: Parts, asked: argparse.Namespace, control: str, job_id: str) -> list[Trouble]:
    """Unplug a phone and kill an agent in the middle of the job, each with a row in hand, as asked."""
    made: list[Trouble] = []
    if not (asked.unplug or asked.kill):
        return made
    third = asked.customers // 3
    until("a third of the job", lambda: farm.get(f"/jobs/{job_id}")["ended"] >= third or None, 60)
    serials = {phone["phone_id"]: phone["serial"] for phone in farm.get("/phones")}
    if asked.unplug:
        row = _in_hand(farm, job_id, "002")
        _post(control + f"/phones/{serials['002']}/unplug")
        what = "unplugged, and plugged in again 5 s later"
        made.append(Trouble(phone_id="002", what=what, row_no=row["row_no"], state=row["state"]))
        show.warn(f"002 unplugged with row {row['row_no']} in hand")
    if asked.kill:
        pid = _agent_of(farm, control, serials["003"])
        row = _in_hand(farm, job_id, "003")
        os.kill(pid, signal.SIGKILL)
        what = f"its agent (process {pid}) killed with -9"
        made.append(Trouble(phone_id="003", what=what, row_no=row["row_no"], state=row["state"]))
        show.warn(f"003 lost its agent, kill -9, with row {row['row_no']} in hand")
    if asked.unplug:
        time.sleep(5)  # the time the phone stays out: this is the event itself, not a wait for something
        _post(control + f"/phones/{serials['002']}/plug")
    return made


def _in_hand(farm: Parts, job_id: str, phone_id: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        rows = farm.get(f"/jobs/{job_id}/tasks")
        mine = (row for row in rows if row["phone_id"] == phone_id and row["state"] in ("leased", "armed"))
        return next(mine, None)

    return until(f"a row in the hands of {phone_id}", found, 30)


def _told(made: list[Trouble], tasks: list[dict[str, Any]]) -> list[str]:
    rows = {task["row_no"]: task for task in tasks}
    return [
        f"{one.phone_id}: {one.what}, row {one.row_no} in hand ({one.state}); that row ended "
        "{state} {outcome} on {phone_id}, attempt {attempt}".format_map(rows[one.row_no])
        for one in made
    ]


def _agent_of(farm: Parts, control: str, serial: str) -> int:
    (address,) = [one["address"] for one in _get(control + "/phones") if one["serial"] == serial]
    found = farm.agent_pid(address)
    if found is None:
        raise DemoFailed("the agent of 003 was not found")
    return found


def wait_for_chats(farm: Parts, control: str, made: world.DemoWorld) -> None:
    """Wait until what was said is archived; the comparison tells what is missing if it is not."""

    def archived() -> bool | None:
        truth = _get(control + "/truth")
        said = verdict.conversations(truth)
        if sum(map(len, said.values())) < made.lines:
            return None
        found = verdict.chat_findings(said, _archive(farm))
        return (not list(found) and len(farm.get("/violations")) >= made.violations) or None

    try:
        until("the chats", archived, 40)
    except DemoFailed:
        return


def compare(
    farm: Parts,
    asked: argparse.Namespace,
    control: str,
    job_id: str,
    made: world.DemoWorld,
    per_day: int,
    troubles: list[Trouble],
    took_s: float,
) -> bool:
    """Print belief beside truth; True if they agree."""
    truth = _get(control + "/truth")
    queries = {n + 1: world.query(n) for n in range(1, asked.customers + 1)}
    tasks = farm.get(f"/jobs/{job_id}/tasks")
    accepting = {world.query(n) for n in range(1, asked.customers + 1) if world.accepts(n)}
    table = verdict.rows(tasks, queries, truth, accepting)
    said = verdict.conversations(truth)
    chats = list(verdict.chat_findings(said, _archive(farm)))
    violations = farm.get("/violations")
    findings = [str(row) for row in table if not row.agrees]
    findings += [f"row {row_no}: more than one request" for row_no in verdict.twice(table)]
    findings += [f"{serial}: over its quota" for serial in verdict.over_quota(truth, per_day)]
    findings += chats
    if (lines := sum(map(len, said.values()))) != made.lines:
        findings.append(f"{lines} chat lines were said, {made.lines} are in the script")
    if len(violations) != made.violations:
        findings.append(f"{len(violations)} violations found, {made.violations} were planted")
    show.outcomes(table, truth, farm.get("/phones"), per_day)
    show.summary(
        table,
        lines=lines,
        chats=len(said),
        violations=violations,
        told=_told(troubles, tasks),
        took_s=took_s,
    )
    show.findings(findings)
    return not findings


def _archive(farm: Parts) -> dict[tuple[str, str], list[verdict.Line]]:
    found = {}
    for chat in farm.get("/chats"):
        shown = farm.get(f"/chats/{chat['conversation_id']}", reason="demo: compare", limit="500")
        found[chat["account_id"], chat["title"]] = [
            (line["side"], line["text"]) for line in shown["messages"] if line["side"] != "system"
        ]
    return found


def _over(farm: Parts, job_id: str) -> bool | None:
    farm.alive()
    return farm.get(f"/jobs/{job_id}")["state"] == "ended" or None


def _ready(farm: Parts) -> int:
    farm.alive()
    return sum(phone["state"] in ("ready", "busy") for phone in farm.get("/phones"))


def _answers(farm: Parts) -> bool | None:
    farm.alive()
    try:
        return bool(farm.get("/status")) or None
    except DemoFailed:
        return None


def _adb_up(farm: Parts) -> bool | None:
    farm.alive()
    return "version" in farm.adb("version") or None


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def _try_get(farm: Parts, url: str) -> Any:
    farm.alive()
    try:
        return _get(url)
    except OSError:
        return None


def _post(url: str) -> None:
    request = urllib.request.Request(
        url, data=b"{}", headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


if __name__ == "__main__":
    sys.exit(main())
