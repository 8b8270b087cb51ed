"""The packets of adb."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.virtual.packets import HEADER, MAX_PAYLOAD, BadPacket, Command, Packet, decode_header, encode

word = st.integers(0, 0xFFFFFFFF)


@given(st.sampled_from(Command), word, word, st.binary(max_size=300))
def test_what_is_encoded_is_decoded(command: Command, arg0: int, arg1: int, payload: bytes) -> None:
    raw = encode(Packet(command, arg0, arg1, payload))
    assert decode_header(raw[: HEADER.size]) == (command, arg0, arg1, len(payload))
    assert raw[HEADER.size :] == payload


def test_the_header_is_the_documented_one() -> None:
    raw = encode(Packet(Command.CNXN, 0x01000001, MAX_PAYLOAD, b"host::"))
    assert raw[:4] == b"CNXN"
    assert struct.unpack("<6I", raw[:24]) == (
        0x4E584E43,
        0x01000001,
        MAX_PAYLOAD,
        6,
        sum(b"host::"),
        0x4E584E43 ^ 0xFFFFFFFF,
    )


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<6I", Command.OPEN, 1, 0, 0, 0, 0),
        struct.pack("<6I", Command.WRTE, 1, 2, MAX_PAYLOAD + 1, 0, Command.WRTE ^ 0xFFFFFFFF),
        struct.pack("<6I", 7, 1, 2, 0, 0, 7 ^ 0xFFFFFFFF),
    ],
    ids=["wrong magic", "too long", "unknown command"],
)
def test_foreign_bytes_are_refused(header: bytes) -> None:
    with pytest.raises(BadPacket):
        decode_header(header)
