"""What the page of new friends tells: adds by hand, acceptances, who asks; nobody is named too early."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.observe import UNSAID, changes, remembered
from agent.outbox import Outbox
from agent.wechat.newfriends import RequestRow, RequestState
from protos import wire
from protos.facts import AddObserved, FriendAccepted, FriendRequestSeen, peer_key

ACCOUNT = "staff_1"
WAITING, ACCEPTED, EXPIRED, ASKS = (
    RequestState.WAITING,
    RequestState.ACCEPTED,
    RequestState.EXPIRED,
    RequestState.ASKS,
)


def row(state: RequestState, name: str = "N") -> RequestRow:
    return RequestRow(name, "hello", state)


def seen(
    before: dict[str, RequestState | str] | None, *rows: RequestRow, may_name: bool = True
) -> list[object]:
    keyed = None if before is None else {peer_key(ACCOUNT, name): str(s) for name, s in before.items()}
    return list(changes(keyed, rows, ACCOUNT, may_name=may_name))


KEY = peer_key(ACCOUNT, "N")


@pytest.mark.parametrize(
    ("was", "now", "kinds"),
    [
        ("", WAITING, [("requested")]),
        ("", ACCEPTED, ["added"]),
        (ASKS, ACCEPTED, ["accepted"]),
        (WAITING, WAITING, []),
        (WAITING, EXPIRED, []),
        (EXPIRED, WAITING, ["requested"]),
    ],
)
def test_adds_by_hand_are_told_by_kind(was: str, now: RequestState, kinds: list[str]) -> None:
    before: dict[str, RequestState | str] = {"N": was} if was else {}
    found = [fact for fact in seen(before, row(now)) if isinstance(fact, AddObserved)]
    assert [fact.kind for fact in found] == kinds
    assert all(fact.peer_key == KEY and fact.how == "new_friends" for fact in found)


def test_an_answered_request_of_ours_is_an_acceptance_and_no_new_add() -> None:
    assert seen({"N": WAITING}, row(ACCEPTED)) == [FriendAccepted(conversation_title="N", how="已添加")]


def test_at_the_first_look_only_who_still_asks_is_news() -> None:
    found = seen(None, row(WAITING, "A"), row(ACCEPTED, "B"), row(ASKS, "C"), row(EXPIRED, "D"))
    assert found == [FriendRequestSeen(peer_name="C", greeting="hello", state="open")]


def test_nobody_is_named_without_a_notice_and_who_asked_is_told_once_there_is_one() -> None:
    asks = [row(ASKS)]
    assert seen(None, *asks, may_name=False) == []
    memory = remembered(None, asks, ACCOUNT, may_name=False)
    assert memory == {KEY: UNSAID}
    later = changes(memory, asks, ACCOUNT, may_name=True)
    assert later == [FriendRequestSeen(peer_name="N", greeting="hello", state="open")]
    by_hand = changes(memory, [row(ACCEPTED)], ACCOUNT, may_name=False)
    assert by_hand == [AddObserved(peer_key=KEY, how="new_friends", kind="accepted")]


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(list(RequestState))), max_size=6),
    st.booleans(),
)
def test_the_same_page_twice_is_no_news(rows: list[tuple[str, RequestState]], may_name: bool) -> None:
    page = [row(state, name) for name, state in dict(rows).items()]
    memory = remembered({}, page, ACCOUNT, may_name=may_name)
    assert changes(memory, page, ACCOUNT, may_name=may_name) == []


def test_facts_and_memory_are_one_write(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox = Outbox.open(path)
    outbox.account_id = ACCOUNT
    fact = AddObserved(peer_key=KEY, how="new_friends", kind="requested")
    with pytest.raises(TypeError):
        outbox.add_with_note([fact, None], "note", "{}")  # type: ignore[list-item]  # a fault half-way
    assert outbox.recall("note") == ""
    outbox.add_with_note([fact], "note", "{}")
    outbox.close()
    again = Outbox.open(path)
    assert again.recall("note") == "{}"
    assert wire.unseal(again.batch(again.lowest)[-1]).fact == fact
    again.close()
