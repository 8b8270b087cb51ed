"""Keys of hosts: only who holds the private key of an accepted one may come in."""

import base64
import struct

import pytest

from agent.virtual.hostkeys import HostKeys, parse_public_key

EXPONENT = 65_537
WORDS = 16
DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
# Well-known primes: the arithmetic is that of real keys, only shorter.
MINE = (2**255 - 19, 2**256 - 189)
OTHER = (2**255 - 31, 2**256 - 357)


def adb_form(primes: tuple[int, int]) -> bytes:
    modulus = (primes[0] * primes[1]).to_bytes(WORDS * 4, "little")
    raw = struct.pack("<II", WORDS, 0) + modulus + bytes(WORDS * 4) + struct.pack("<I", EXPONENT)
    return base64.b64encode(raw) + b" user@host\0"


def sign(primes: tuple[int, int], token: bytes) -> bytes:
    p, q = primes
    private = pow(EXPONENT, -1, (p - 1) * (q - 1))
    body = DIGEST_INFO + token
    padded = b"\0\1" + b"\xff" * (WORDS * 4 - len(body) - 3) + b"\0" + body
    return pow(int.from_bytes(padded, "big"), private, p * q).to_bytes(WORDS * 4, "big")


def test_an_accepted_key_signs_and_others_do_not() -> None:
    keys = HostKeys()
    token = keys.new_token()
    assert not keys.knows_signer(token, sign(MINE, token))
    keys.offer(adb_form(MINE))
    assert not keys.knows_signer(token, sign(MINE, token))  # offered is not accepted
    assert keys.accept()
    assert keys.knows_signer(token, sign(MINE, token))
    assert not keys.knows_signer(keys.new_token(), sign(MINE, token))
    assert not keys.knows_signer(token, sign(OTHER, token))
    assert not keys.accept()
    keys.forget()
    assert not keys.knows_signer(token, sign(MINE, token))


def test_garbage_is_no_key() -> None:
    with pytest.raises(ValueError, match="not an adb public key"):
        parse_public_key(b"AAAA user@host\0")
