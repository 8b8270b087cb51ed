"""The policy on pictures from `farm capture set` to the phone's settings, and how their objects are named."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.core import Core
from controller.model import PhoneId
from controller.sessions import Greeting
from protos.facts import MessageSeen, conversation_key
from tests.support.corefarm import Handset, facts
from tests.support.desk import Desk

TITLE = "王先生"
SHA256 = "5e" * 32
HOST = "shelf-1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as desk:
        phone = desk.phone(7)
        desk.ask(lambda core: core.fleet.assign(PhoneId("7"), holder="王芳", actor="op"))
        assert desk.farm("staff", "notices", "record", "王芳", "--version", "v1", "--how", "paper").code == 0
        desk.ask(lambda core: fill(core, phone))
        yield desk


def fill(core: Core, phone: Handset) -> None:
    """Let a phone on a host report two images, one of them with its picture."""
    told = Greeting(
        facts=replace(facts(phone.serial), host=HOST),
        spool_id=phone.spool_id,
        spool_highest=phone.seq,
        spool_lowest=min(1, phone.seq),
    )
    phone.epoch = core.fleet.hello(told).phone_epoch
    phone.say(seen(1, SHA256), seen(2, ""), at_ms=core.clock.now_ms(), account_id="wx007")


def seen(position: int, sha256: str) -> MessageSeen:
    return MessageSeen(
        conversation_key=conversation_key(TITLE, "private"),
        conversation_title=TITLE,
        conversation_kind="private",
        position=position,
        side="in",
        kind="image",
        text="",
        time_label="10:44",
        ambiguous=False,
        media_sha256=sha256,
    )


def test_the_policy_needs_a_reason_and_reaches_the_phone(desk: Desk) -> None:
    desk.refused(2, "capture", "set", "7", "--media", "pictures", words="reason")
    assert desk.ask(lambda core: core.fleet.settings(PhoneId("007"))).media == ""
    done = desk.farm("capture", "set", "7", "--media", "pictures", "--reason", "damage claims")
    assert done.code == 0, done
    assert desk.ask(lambda core: core.fleet.settings(PhoneId("007"))).media == "pictures"
    entry = desk.ask(lambda core: core.audit.entries(limit=1))[0]
    assert entry.reason.endswith("media=pictures first_days=0 first_pages=0; damage claims")
    assert desk.farm("capture", "set", "7", "--media", "facts").code == 0
    assert desk.ask(lambda core: core.fleet.settings(PhoneId("007"))).media == ""


def test_what_is_shown_and_exported_names_the_object_and_its_host(desk: Desk) -> None:
    chat = str(desk.farm("chats", "list", "--json").json[0]["conversation_id"])
    first, second = desk.farm("chats", "show", chat, "--reason", "r").out.splitlines()
    assert first.endswith(f"[picture]  (sha256 {SHA256} on host {HOST})")
    assert second.endswith("[picture]")
    table = desk.farm("chats", "export", chat, "--format", "csv", "--reason", "r").out
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["media_sha256"], row["media_host"]) for row in rows] == [(SHA256, HOST), ("", "")]
    lines = desk.farm("chats", "export", chat, "--reason", "r").out.splitlines()
    told = [one for one in map(json.loads, lines) if one["type"] == "message"]
    assert [(one["media_sha256"], one["media_host"]) for one in told] == [(SHA256, HOST), ("", "")]
