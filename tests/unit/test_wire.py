"""Sealed events: every kind goes through unchanged, hostile text does not stop one, unknown kinds survive."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos import facts, fleet_pb2, wire
from protos.facts import Event

NUMBERS = {
    "int": st.integers(0, 2**31 - 1),
    "bool": st.booleans(),
    "str": st.text(st.characters(exclude_categories=["Cs"])),
    "tuple[str, ...]": st.lists(st.text("abc")).map(tuple),
    "tuple[tuple[str, str], ...]": st.dictionaries(st.text("abc"), st.text("abc")).map(
        lambda found: tuple(sorted(found.items()))
    ),
}


def events() -> st.SearchStrategy[Event]:
    bodies = st.one_of(
        *[
            st.builds(cls, **{f.name: NUMBERS[str(f.type)] for f in fields(cls)})
            for cls in wire.KINDS.values()
        ]
    )
    return st.builds(
        Event,
        uid=st.text(alphabet="0123456789abcdef"),
        at_ms=st.integers(0, 2**60),
        phone_epoch=st.integers(0, 2**60),
        account_id=NUMBERS["str"],
        fact=bodies,
    )


@given(events())
def test_an_event_comes_back_as_it_was_sealed(event: Event) -> None:
    assert wire.unseal(wire.seal(event)) == event


def test_every_kind_on_the_wire_has_a_value_with_the_same_fields() -> None:
    oneof = fleet_pb2.Event.DESCRIPTOR.oneofs_by_name["fact"]
    assert {f.name for f in oneof.fields} == set(wire.KINDS)
    for field in oneof.fields:
        on_wire = {f.name for f in field.message_type.fields}
        assert on_wire == {f.name for f in fields(wire.KINDS[field.name])}, field.name


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    fact = facts.PhoneStateChanged(state="ready", cause="a\ud83db")
    event = Event(uid="u", at_ms=1, phone_epoch=0, account_id="", fact=fact)
    assert wire.unseal(wire.seal(event)).fact == facts.PhoneStateChanged(state="ready", cause="a\ufffdb")


def test_a_kind_of_a_later_release_is_kept_as_unknown() -> None:
    later = (
        fleet_pb2.Event(uid="u", at_ms=5).SerializeToString() + b"\xfa\x3f\x00"
    )  # field 1023, empty message
    assert wire.unseal(later).fact == facts.UnknownFact()


def test_bytes_that_are_no_event_are_refused() -> None:
    with pytest.raises(wire.Unsealable):
        wire.unseal(b"\xff\xff\xff")
