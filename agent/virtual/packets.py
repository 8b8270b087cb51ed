"""The packets of the adb protocol: 24 bytes of header, then the payload."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct("<6I")
VERSION = 0x01000001  # from this version on checksums are not verified
MAX_PAYLOAD = 1 << 20
_WORD = 0xFFFFFFFF


class Command(IntEnum):
    """The command word: four ASCII letters read little-endian."""

    CNXN = 0x4E584E43
    AUTH = 0x48545541
    OPEN = 0x4E45504F
    OKAY = 0x59414B4F
    CLSE = 0x45534C43
    WRTE = 0x45545257
    STLS = 0x534C5453


class AuthKind(IntEnum):
    """The first argument of AUTH."""

    TOKEN = 1
    SIGNATURE = 2
    PUBLIC_KEY = 3


class BadPacket(Exception):
    """The peer does not speak adb."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; arg0 is the sender's id or version, arg1 the receiver's id or payload limit."""

    command: Command
    arg0: int
    arg1: int
    payload: bytes = b""


def encode(packet: Packet) -> bytes:
    """Return header and payload; the checksum is filled in for CNXN and AUTH only."""
    payload = packet.payload
    checked = packet.command in (Command.CNXN, Command.AUTH)
    checksum = sum(payload) & _WORD if checked else 0
    header = HEADER.pack(
        packet.command, packet.arg0, packet.arg1, len(payload), checksum, packet.command ^ _WORD
    )
    return header + payload


def decode_header(header: bytes) -> tuple[Command, int, int, int]:
    """Return (command, arg0, arg1, payload length); raises BadPacket."""
    word, arg0, arg1, length, _, magic = HEADER.unpack(header)
    if word ^ _WORD != magic:
        raise BadPacket("wrong magic")
    if length > MAX_PAYLOAD:
        raise BadPacket("payload too long")
    try:
        return Command(word), arg0, arg1, length
    except ValueError as error:
        raise BadPacket("unknown command") from error
