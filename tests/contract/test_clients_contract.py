"""Learned ids over both databases: asked for, kept as candidates, decided by a named person, told on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import Change, ChangeKind, Core
from controller.errors import BadRequest, UnknownPhone
from controller.model import PhoneId
from controller.store.base_clients import CandidateState
from protos.facts import ClientLearned
from tests.support.corefarm import Handset, handset

LEARNED = ClientLearned(
    request_id="",
    version_name="8.0.99",
    version_code=2999,
    installer="com.android.vending",
    base="wechat-8.0.43-8.0.66",
    ids=(("plus_menu_button", "abc"), ("send_button", "def")),
    missing=("chat_input",),
    failure="",
)


def ask(core: Core, phone: Handset) -> tuple[str, list[Change]]:
    """Ask a phone to calibrate; return the request and what others were told."""
    told: list[Change] = []
    unwatch = core.watch(told.append)
    request_id = core.clients.calibrate(phone.phone_id, actor="op")
    unwatch()
    return request_id, told


def learn(core: Core, phone: Handset, **changes: object) -> int:
    """Let a phone learn; return the candidate's id."""
    phone.beat("blind", cause="unknown_version")
    request_id, _ = ask(core, phone)
    phone.say(replace(LEARNED, request_id=request_id, **changes))  # type: ignore[arg-type]  # fields of the fact
    found = core.clients.answer(request_id)
    assert found is not None
    return found.id


def tables(core: Core, phone: Handset) -> list[tuple[str, int, str]]:
    told = core.fleet.settings(phone.phone_id).tables
    return [(one.version_name, one.version_code, one.installer) for one in told]


def test_a_request_reaches_the_phones_session_and_is_answered_once(core: Core) -> None:
    phone = handset(core, 1)
    phone.beat("blind", cause="unknown_version")
    request_id, told = ask(core, phone)
    assert Change(ChangeKind.CALIBRATE, phone.phone_id, request_id=request_id) in told
    assert core.clients.answer(request_id) is None
    for ids in (LEARNED.ids, (("plus_menu_button", "other"),)):
        phone.say(replace(LEARNED, request_id=request_id, ids=ids))
    (one,) = core.clients.candidates()
    assert one.table.ids == LEARNED.ids
    assert (one.state, one.missing, one.phone_id) == (CandidateState.NEW, ("chat_input",), phone.phone_id)
    assert tables(core, phone) == []
    assert "client.calibrate" in [line.what for line in core.audit.entries()]


def test_accepted_ids_go_to_phones_of_exactly_that_build(core: Core) -> None:
    phone, other = handset(core, 1), handset(core, 2)
    candidate_id = learn(core, phone)
    told: list[Change] = []
    core.watch(told.append)
    accepted = core.clients.accept(candidate_id, reason="looked through", actor="op")
    assert accepted.state is CandidateState.ACCEPTED
    assert Change(ChangeKind.PHONE, phone.phone_id) in told
    assert Change(ChangeKind.PHONE, other.phone_id) not in told
    assert tables(core, phone) == [("8.0.99", 2999, "com.android.vending")]
    assert tables(core, other) == []
    (line,) = [line for line in core.audit.entries() if line.what == "client.accepted"]
    assert (line.actor, line.reason) == ("op", "looked through")


def test_a_later_table_takes_the_place_of_an_earlier_one(core: Core) -> None:
    phone = handset(core, 1)
    core.clients.accept(learn(core, phone), reason="first", actor="op")
    core.clients.accept(learn(core, phone, ids=(("send_button", "new"),)), reason="again", actor="op")
    (table,) = core.fleet.settings(phone.phone_id).tables
    assert table.ids == (("send_button", "new"),)


def test_rejected_and_failed_candidates_are_never_used(core: Core) -> None:
    phone = handset(core, 1)
    rejected = learn(core, phone)
    assert core.clients.reject(rejected, reason="looks wrong", actor="op").state is CandidateState.REJECTED
    failed = learn(core, phone, ids=(), failure="language")
    for one in (rejected, failed, 4711):
        with pytest.raises(BadRequest):
            core.clients.accept(one, reason="all the same", actor="op")
    assert tables(core, phone) == []


def test_nobody_decides_without_a_name_and_a_reason(core: Core) -> None:
    candidate_id = learn(core, handset(core, 1))
    for reason, actor in (("", "op"), ("  ", "op"), ("why", "")):
        with pytest.raises(BadRequest):
            core.clients.accept(candidate_id, reason=reason, actor=actor)
        with pytest.raises(BadRequest):
            core.clients.reject(candidate_id, reason=reason, actor=actor)
    (one,) = core.clients.candidates()
    assert one.state is CandidateState.NEW


def test_only_a_phone_that_is_there_and_idle_is_asked(core: Core) -> None:
    phone = handset(core, 1)
    for state in ("busy", "in_hand", "logged_out", "backoff"):
        phone.beat(state)
        with pytest.raises(BadRequest):
            core.clients.calibrate(phone.phone_id, actor="op")
    with pytest.raises(UnknownPhone):
        core.clients.calibrate(PhoneId("999"), actor="op")


def test_what_is_no_id_is_not_kept(core: Core) -> None:
    phone = handset(core, 1)
    candidate_id = learn(
        core, phone, ids=(("send_button", "abc"), ("Bad Role", "abc"), ("chat_list", "a b'--"))
    )
    (one,) = [one for one in core.clients.candidates() if one.id == candidate_id]
    assert one.table.ids == (("send_button", "abc"),)
