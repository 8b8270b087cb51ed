"""A build of WeChat that nobody knows: no tap; learned when asked, used once a person accepted it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.adb import until
from tests.support.farm_program import Home, Serving
from tests.support.hostrig import Host, Running, host

WORLD = """
[phones_like]
count = {count}

[client]
version_name = "8.0.99"
version_code = 2999
installer = "com.android.vending"

[[people_like]]
count = 3
mobile = "1380000{{n:04}}"
nickname = "客户{{n}}"

[[people]]
nickname = "老朋友"
wechat_id = "friend1"
friend_of = ["all"]

[[chats]]
peer = "friend1"
history = 3
"""
SHEET = "手机号,备注,订单号,下单时间\n13800000001,王先生,D-1,2026-11-11\n"
WITHIN_S = 60.0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    folder = tmp_path / "controller"
    folder.mkdir()
    home = Home(folder)
    assert home.init().code == 0
    with Serving(home) as serving:
        yield serving


@pytest.fixture
def desk(tmp_path: Path, served: Serving) -> Iterator[Host]:
    folder = tmp_path / "host"
    folder.mkdir()
    with host(folder, 1, WORLD) as made:
        config = made.folder / "config.toml"
        config.write_text(config.read_text().replace(made.stub.target, served.grpc))
        yield made


@pytest.fixture
def keeper(desk: Host) -> Iterator[Running]:
    with desk.keeper(desk.phones) as running:
        yield running


def taps(desk: Host) -> int:
    return int(desk.farm.do(lambda: desk.phones[0].handset.counters["tap"]))


def state(home: Home) -> tuple[str, str]:
    phone = home.farm("phones", "show", "017", "--json").json
    return phone["state"], phone["cause"]


def staffed(home: Home, desk: Host) -> None:
    """Number and assign the phone, bound to its account by hand: nothing was read on it."""
    (phone,) = desk.phones
    until(lambda: home.farm("phones", "waiting", "--json").json, "the handset", WITHIN_S)
    assert home.farm("phones", "number", "017", "--serial", phone.serial).code == 0
    done = home.farm(
        *("phones", "assign", "017", "--holder", "王芳", "--account", phone.account_id),
        *("--unattended", "--reason", "test"),
    )
    assert done.code == 0, done
    assert home.farm("staff", "notices", "record", "王芳", "--how", "paper").code == 0


def test_unknown_build_is_blind_until_a_person_accepts_what_it_learned(
    served: Serving, desk: Host, keeper: Running
) -> None:
    home = served.home
    staffed(home, desk)
    until(lambda: state(home) == ("blind", "unknown_version"), "the blind phone", WITHIN_S)
    shown = home.farm("phones", "show", "017")
    assert "blind unknown_version" in shown.out
    assert "8.0.99 (2999) from com.android.vending" in shown.out
    assert "farm phones calibrate 017" in shown.err
    sheet = home.folder / "list.csv"
    sheet.write_text(SHEET)
    added = home.farm("friends", "add", str(sheet), "--phones", "017", "--yes")
    assert added.code == 0, added
    seen_ms = time.monotonic()
    until(lambda: time.monotonic() - seen_ms > 3, "some turns of the blind agent", 10)
    assert taps(desk) == 0
    assert desk.farm.truth()["phones"][0]["searches"] == 0

    learned = home.farm("phones", "calibrate", "017")
    assert learned.code == 0, learned
    assert "com.tencent" not in learned.out
    rows = dict(line.split()[:2] for line in learned.out.splitlines() if len(line.split()) == 2)
    ids = desk.farm.do(lambda: dict(desk.phones[0].handset.app.stage.table.ids))
    assert rows["plus_menu_button"] == ids["plus_menu_button"]
    assert rows["chat_row_name"] == ids["chat_row_name"]
    (candidate,) = home.farm("phones", "calibrate", "--list", "--json").json
    assert candidate["state"] == "new"
    assert candidate["ids"].items() <= ids.items()
    assert "send_button" in candidate["missing"]
    # Learned is not accepted.
    until(lambda: state(home) == ("blind", "unknown_version"), "the phone blind again", WITHIN_S)
    after = taps(desk)
    assert desk.farm.truth()["phones"][0]["searches"] == 0

    assert home.farm("phones", "calibrate", "--accept", str(candidate["id"])).code == 2
    accepted = home.farm(
        "phones", "calibrate", "--accept", str(candidate["id"]), "--reason", "looked through"
    )
    assert accepted.code == 0, accepted
    until(lambda: desk.farm.truth()["phones"][0]["requests"], "the request", WITHIN_S)
    assert taps(desk) > after
    (request,) = desk.farm.truth()["phones"][0]["requests"]
    assert (request["query"], request["count"]) == ("13800000001", 1)
    assert home.farm("phones", "calibrate", "--reject", str(candidate["id"]), "--reason", "no").code != 0
