"""What odd numbers, odd characters and terminals meet at the edges of captured chats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.cli import chatfiles
from controller.errors import BadRows
from controller.model import PhoneId
from protos.facts import MessageChanged
from tests.integration.test_cli_chats import HOSTILE, KEY, said
from tests.support.desk import Desk

HUGE = 2**70


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        phone = desk.phone(7)
        desk.ask(lambda core: core.fleet.assign(PhoneId("7"), holder="王芳", actor="op"))
        assert desk.farm("staff", "notices", "record", "王芳", "--version", "v1", "--how", "paper").code == 0

        def fill(now_ms: int) -> None:
            phone.say(
                said(HOSTILE, 1),
                said("", 2, kind="transfer", amount_fen=-1, state="pending"),
                MessageChanged(
                    conversation_key=KEY, position=2, what="state", state="received", amount_fen=8800
                ),
                at_ms=now_ms,
                account_id="wx007",
            )

        desk.ask(lambda core: fill(core.clock.now_ms()))
        yield desk


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (f"/chats/{HUGE}", {"reason": "r"}),
        ("/chats/1", {"reason": "r", "before_position": HUGE}),
        ("/chats/1", {"reason": "r", "before_position": -HUGE}),
        ("/chats/coverage", {"from_ms": 0, "to_ms": HUGE}),
        ("/ledger", {"before_id": HUGE}),
        ("/ledger", {"from_ms": -HUGE, "to_ms": HUGE}),
    ],
)
def test_numbers_no_database_keeps_are_refused(desk: Desk, path: str, asked: dict[str, Any]) -> None:
    assert desk.api.get(path, **asked).status_code in {200, 400, 404, 422}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/chats/search", {"text": "转账", "reason": "r", "conversation_id": HUGE}),
        ("/chats/search", {"text": "转账", "reason": "r", "before_id": HUGE}),
        ("/chats/search", {"text": "转账", "reason": "r", "before_id": -HUGE}),
        ("/chats/search", {"text": "转\ud800账", "reason": "r"}),
        ("/chats/search", {"text": "转账", "reason": "r\ud800"}),
        ("/chats/export", {"reason": "r", "conversation_id": HUGE}),
        (
            "/chats/export",
            {
                "reason": "r",
                "cursor": {"conversation_id": HUGE, "position": 0, "message_id": 0, "is_begun": True},
            },
        ),
        ("/capture/7/private", {"title": "妈\ud800妈", "reason": "r"}),
        ("/capture/7/private", {"title": "妈妈", "reason": "r\ud800"}),
        ("/capture/7", {"first_days": HUGE}),
        ("/staff/notices", {"holder": "王\ud800", "version": "1", "how": "paper"}),
    ],
)
def test_odd_bodies_are_no_accident(desk: Desk, path: str, asked: dict[str, Any]) -> None:
    raw = json.dumps(asked).encode()
    answer = desk.api.client.post(path, content=raw, headers={"content-type": "application/json"})
    assert answer.status_code in {200, 400, 404, 422}, answer.text


def test_csv_on_a_terminal_steers_nothing(desk: Desk) -> None:
    for args in (("chats", "export", "--format", "csv", "--reason", "r"), ("ledger", "--csv")):
        out = desk.farm(*args).out
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_jsonl_keeps_what_was_shown_first_and_what_later(desk: Desk) -> None:
    out = desk.farm("chats", "export", "--reason", "r").out
    transfer = [json.loads(line) for line in out.splitlines()][-1]
    assert (transfer["state"], transfer["amount_fen"]) == ("received", 8800)
    assert (transfer["first_state"], transfer["first_amount_fen"]) == ("pending", None)
    assert transfer["changes"][0]["archived_at_ms"] >= transfer["archived_at_ms"]


def test_a_workbook_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chatfiles, "MAX_ROWS", 0)
    there = tmp_path / "chat.xlsx"
    there.write_bytes(b"of last week")
    chat = {"conversation_id": 1, "phone_id": "007", "account_id": "a", "title": "t", "kind": "private"}
    gap = {"before_position": 1, "cause": "no_overlap", "from_ms": 1, "to_ms": 2}
    part = {"chat": chat, "begins": True, "items": [{"message": None, "gap": gap, "removal": None}]}
    with pytest.raises(BadRows):
        chatfiles.write([part], "xlsx", there)
    assert there.read_bytes() == b"of last week"
