"""A farm of virtual phones behind real adb and unmodified uiautomator2, and its control endpoint."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import adbutils
import pytest
import uiautomator2

from agent.errors import ConfigWrong
from agent.virtual.farm import VirtualFarm
from agent.virtual.scenario import load_scenario, parse_scenario
from tests.support.adb import adb_server, bundled_adb, until
from tests.support.hand import SCENARIOS


@pytest.fixture(scope="module")
def adb():
    with adb_server(bundled_adb()) as server:
        yield server


@pytest.fixture
def friends():
    with VirtualFarm(load_scenario(SCENARIOS / "friends.toml"), time_scale=0.2) as farm:
        yield farm


def session(adb, phone):
    assert "connected" in adb.connect(phone.address)
    adb.wait_state(phone.address, "device")
    client = adbutils.AdbClient("127.0.0.1", adb.port)
    return uiautomator2.connect(client.device(phone.address))


def get(farm, path):
    with urllib.request.urlopen(farm.control_url + path, timeout=10) as answer:
        return json.loads(answer.read())


def post(farm, path, **body):
    request = urllib.request.Request(farm.control_url + path, json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as err:
        return err.code, json.loads(err.read())


def test_a_friend_add_walked_by_hand(adb, friends):
    phone = friends.phones[0]
    d = session(adb, phone)
    d.app_start("com.tencent.mm")
    d(description="更多功能按钮").click(timeout=5)
    d(text="添加朋友").click(timeout=5)
    d(text="微信号/手机号").click(timeout=5)
    field = d(resourceId="com.tencent.mm:id/gfl")
    assert field.wait(timeout=5)
    field.set_text("13800000001")
    d(text="搜索:13800000001").click(timeout=5)
    d(text="添加到通讯录").click(timeout=5)
    greeting = d(resourceId="com.tencent.mm:id/m9y")
    assert greeting.wait(timeout=5)
    assert greeting.get_text() == "我是客服01"
    assert d.app_current()["activity"].endswith("SayHiWithSnsPermissionUI")
    d(resourceId="com.tencent.mm:id/g68").click(timeout=5)
    assert d(text="添加到通讯录").wait(timeout=5)
    requests = friends.truth()["phones"][0]["requests"]
    assert [(one["query"], one["count"]) for one in requests] == [("13800000001", 1)]
    # The person accepts after five seconds of the scenario, one second here.
    assert d(text="发消息").wait(timeout=5)
    for _ in range(3):
        d.press("back")
    assert d(resourceId="com.tencent.mm:id/kbq", text="应答快").wait(timeout=5)
    assert friends.truth()["phones"][1]["requests"] == []


def test_a_dump_shows_the_home_page_as_accessibility_does(adb, friends):
    d = session(adb, friends.phones[1])
    d.app_start("com.tencent.mm")
    assert d(text="通讯录").wait(timeout=5)
    tree = d.dump_hierarchy(compressed=False, max_depth=50)
    assert tree.count('text="微信"') == 3
    assert "com.tencent.mm:id/icon_tv" in tree
    assert "当前所在页面," in tree


def test_an_unplugged_phone_is_gone_until_it_is_plugged_in_again(adb, friends):
    phone = friends.phones[0]
    session(adb, phone)
    assert post(friends, f"/phones/{phone.serial}/unplug") == (200, {"ok": True})
    until(lambda: adb.states().get(phone.address) != "device", "the phone is gone")
    assert "connected" not in adb.connect(phone.address)
    post(friends, f"/phones/{phone.serial}/plug")
    session(adb, phone)


def test_the_control_endpoint_tells_the_truth(friends):
    assert [one["serial"] for one in get(friends, "/phones")] == ["VP001", "VP002"]
    world = get(friends, "/world")
    assert world["expected"]["13800000004"] == "not_found"
    assert world["accounts"][0]["friends"] == ["oldfriend"]
    truth = get(friends, "/truth")
    assert truth["expected"] == world["expected"]
    assert truth["expected_by_account"]["farm_001"]["oldfriend"] == "already_friend"
    assert truth["phones"][0]["requests"] == []


def test_the_control_endpoint_acts_on_world_and_phones(friends):
    assert post(friends, "/say", account="farm_001", peer="oldfriend", text="在吗")[0] == 200
    assert get(friends, "/truth")["messages"][-1]["text"] == "在吗"
    assert post(friends, "/phones/VP001/warn", warning="RISK_ACCOUNT", surface="dialog")[0] == 200
    assert get(friends, "/truth")["phones"][0]["warnings"][0]["warning"] == "RISK_ACCOUNT"
    assert post(friends, "/phones/VP001/fault", name="hang", method="click", count=2)[0] == 200
    assert get(friends, "/phones")[0]["faults"] == [{"name": "hang", "method": "click", "count": 2, "ms": 0}]
    assert post(friends, "/phones/VP001/fault")[0] == 200
    assert get(friends, "/phones")[0]["faults"] == []
    assert post(friends, "/phones/VP001/touch", x=10, y=10)[0] == 200
    with urllib.request.urlopen(friends.control_url + "/phones/VP001/screen", timeout=20) as answer:
        assert answer.read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/phones/NOBODY/plug", {}, 404),
        ("/phones/VP001/explode", {}, 404),
        ("/elsewhere", {}, 404),
        ("/say", {"account": "farm_001", "peer": "nobody", "text": "x"}, 404),
        ("/say", {"account": "farm_001"}, 400),
        ("/phones/VP001/fault", {"name": "nonsense"}, 400),
        ("/phones/VP001/warn", {"warning": "X", "surface": "wall"}, 400),
    ],
)
def test_the_control_endpoint_refuses_what_it_does_not_understand(friends, path, body, status):
    answered, answer = post(friends, path, **body)
    assert answered == status
    assert answer["error"]


def test_fifty_idle_phones_cost_no_processor_time():
    with VirtualFarm(load_scenario(SCENARIOS / "crowd.toml")) as farm:
        assert len(farm.phones) == 50
        assert len({one.address for one in farm.phones}) == 50
        before = time.process_time()
        time.sleep(1.5)
        assert time.process_time() - before < 0.05


def test_what_the_scenario_plans_happens_without_anybody_looking():
    scenario = parse_scenario(
        "[phones_like]\ncount=1\n[[people]]\nnickname='n'\nwechat_id='p'\n[[says]]\npeer='p'\ntexts=['一','二']\nevery_s=10"
    )
    with VirtualFarm(scenario, time_scale=0.01) as farm:
        until(lambda: [one["text"] for one in farm.truth()["messages"]] == ["一", "二"], "both lines")


def test_a_farm_without_phones_is_refused():
    with pytest.raises(ConfigWrong, match="no phones"), VirtualFarm(parse_scenario("")):
        pass


def test_the_command_runs_until_it_is_told_to_stop(adb):
    command = [sys.executable, "-c", "from agent.virtual.command import virtual; virtual()", "--count", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline().split() for _ in range(3)]
        assert [line[0] for line in lines] == ["VP001", "VP002", "control"]
        assert "connected" in adb.connect(lines[0][1])
        adb.wait_state(lines[0][1], "device")
        assert adb.shell(lines[0][1], "getprop ro.product.brand").strip() == "phonefarm"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 0
    assert errors == ""


def test_the_command_explains_a_wrong_scenario(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("shape = 1\n")
    command = [
        sys.executable,
        "-c",
        "from agent.virtual.command import virtual; virtual()",
        "--scenario",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=os.environ)
    assert done.returncode == 1
    assert "unknown field `shape`" in done.stderr


def test_the_command_refuses_ports_where_adb_looks_for_emulators():
    command = [
        sys.executable,
        "-c",
        "from agent.virtual.command import virtual; virtual()",
        "--port-base",
        "5550",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "emulators" in done.stderr
