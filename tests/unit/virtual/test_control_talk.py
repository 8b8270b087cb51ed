"""Talk and hands over the control endpoint of the virtual farm."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from agent.virtual.farm import VirtualFarm
from agent.virtual.scenario import load_scenario
from tests.support.hand import SCENARIOS


@pytest.fixture
def farm() -> Iterator[VirtualFarm]:
    with VirtualFarm(load_scenario(SCENARIOS / "chats.toml"), time_scale=0.0) as made:
        yield made


def post(farm: VirtualFarm, path: str, **body: Any) -> int:
    request = urllib.request.Request(farm.control_url + path, json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as err:
        with err:
            return err.code


def transcript(farm: VirtualFarm) -> dict[str, list[dict[str, Any]]]:
    url = farm.control_url + "/transcript/farm_001"
    with urllib.request.urlopen(url, timeout=10) as answer:
        told: dict[str, list[dict[str, Any]]] = json.loads(answer.read())
        return told


def test_lines_of_any_kind_are_said_recalled_and_removed(farm: VirtualFarm) -> None:
    who = {"account": "farm_001", "peer": "话多"}
    assert post(farm, "/say", **who, text="账单.xlsx", kind="file", detail="9 KB") == 200
    assert post(farm, "/say", **who, text="稍等", side="out") == 200
    assert post(farm, "/recall", **who, nth_last=2) == 200
    last = transcript(farm)["huaduo"][-2:]
    assert [(one["kind"], one["detail"], one["recall_line"]) for one in last] == [
        ("file", "9 KB", '"话多"撤回了一条消息'),
        ("text", "", ""),
    ]
    assert post(farm, "/remove", **who, what="row") == 200
    assert all(one["removed_at_ms"] for one in transcript(farm)["huaduo"])


def test_a_hand_works_over_the_endpoint(farm: VirtualFarm) -> None:
    assert post(farm, "/phones/VP001/hand", what="open", peer="小满😊") == 200
    assert post(farm, "/phones/VP001/hand", what="send", text="来了") == 200
    assert transcript(farm)["xiaoman"][-1]["text"] == "来了"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/say", {"account": "farm_001", "peer": "话多", "kind": "telepathy"}, 400),
        ("/recall", {"account": "farm_001", "peer": "话多", "nth_last": 5_000}, 404),
        ("/remove", {"account": "farm_001", "peer": "话多", "what": "phone"}, 400),
        ("/phones/VP001/hand", {"what": "menu", "text": "复制"}, 404),
        ("/phones/VP001/hand", {"what": "dance"}, 400),
    ],
)
def test_what_cannot_be_done_is_refused(
    farm: VirtualFarm, path: str, body: dict[str, Any], status: int
) -> None:
    assert post(farm, path, **body) == status
