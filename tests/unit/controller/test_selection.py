"""The words by which a person names phones."""

from __future__ import annotations

import pytest

from controller.errors import BadRequest, UnknownPhone
from controller.model import Phone, PhoneId
from controller.selection import phone_id_of, pick
from protos.facts import PhoneFacts, PhoneState


def phone(number: int, **parts: object) -> Phone:
    values = {"state": PhoneState.READY, "rack": "rack-A" if number < 10 else "rack-B", **parts}
    return Phone(phone_id=PhoneId(f"{number:03}"), facts=PhoneFacts(serial=f"S{number}"), **values)  # type: ignore[arg-type]  # tests name the parts


PHONES = [phone(40), phone(2, state=PhoneState.BACKOFF), phone(1, holder="王芳"), phone(12), phone(1_000)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1", ["001"]),
        ("001", ["001"]),
        ("1-12", ["001", "002", "012"]),
        ("1-2,40", ["001", "002", "040"]),
        ("40\u30011\uff0c2", ["001", "002", "040"]),
        ("2,1-2,2", ["001", "002"]),
        ("@rack-a", ["001", "002"]),
        ("state:backoff", ["002"]),
        ("state:blind", []),
        ("holder:王芳", ["001"]),
        ("holder\uff1a王芳", ["001"]),
        (" all ", ["001", "002", "012", "040", "1000"]),
        ("999-2000", ["1000"]),
    ],
)
def test_phones_are_named_in_the_ways_people_do(text: str, numbers: list[str]) -> None:
    assert [p.phone_id for p in pick(PHONES, text)] == numbers


@pytest.mark.parametrize("text", ["3", "3-9", "@rack-C", "1,99"])
def test_a_number_or_rack_that_is_not_there_is_said(text: str) -> None:
    with pytest.raises(UnknownPhone):
        pick(PHONES, text)


@pytest.mark.parametrize("text", ["", " , ", "x", "1-", "state:sleeping", "owner:x", "1;2", "@"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises((BadRequest, UnknownPhone)):
        pick(PHONES, text)


@pytest.mark.parametrize("text", ["0", "000", "-1", "1.5", "1234567", "", "\uff11", "seven"])
def test_a_painted_number_has_one_form(text: str) -> None:
    with pytest.raises(BadRequest):
        phone_id_of(text)
    assert phone_id_of(" 7 ") == phone_id_of("007") == "007"
