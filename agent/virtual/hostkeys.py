"""Which hosts may use adb on a phone: RSA keys, tokens, and the person who accepts."""

from __future__ import annotations

import base64
import binascii
import secrets
import struct

TOKEN_BYTES = 20
# DigestInfo of SHA-1: adb signs the token as if it were the digest.
_SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")


class HostKeys:
    """The keys a phone knows. `required` = False lets every host in, as userdebug builds do."""

    def __init__(self) -> None:
        self.required = False
        self._known: set[tuple[int, int]] = set()
        self.offered: tuple[int, int] | None = None

    def new_token(self) -> bytes:
        """Return what the host has to sign."""
        return secrets.token_bytes(TOKEN_BYTES)

    def knows_signer(self, token: bytes, signature: bytes) -> bool:
        """Tell whether a known key signed this token."""
        return any(_verifies(key, token, signature) for key in self._known)

    def offer(self, blob: bytes) -> None:
        """Take the public key a host sends when none of its keys is known; ValueError if it is none."""
        self.offered = parse_public_key(blob)

    def accept(self) -> bool:
        """Accept the key last offered; False if none was."""
        if self.offered is None:
            return False
        self._known.add(self.offered)
        self.offered = None
        return True

    def forget(self) -> None:
        """Forget all keys, as "revoke USB debugging authorisations" does."""
        self._known.clear()


def parse_public_key(blob: bytes) -> tuple[int, int]:
    """Return (modulus, exponent) of adb's own form: base64 of words, n0inv, modulus, rr, exponent."""
    try:
        raw = base64.b64decode(blob.rstrip(b"\0").split(b" ")[0])
        (words,) = struct.unpack_from("<I", raw)
        modulus = int.from_bytes(raw[8 : 8 + words * 4], "little")
        (exponent,) = struct.unpack_from("<I", raw, 8 + words * 8)
    except (binascii.Error, struct.error) as error:
        raise ValueError("not an adb public key") from error
    return modulus, exponent


def _verifies(key: tuple[int, int], token: bytes, signature: bytes) -> bool:
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    digest_info = _SHA1_PREFIX + token
    padded = b"\0\1" + b"\xff" * (size - len(digest_info) - 3) + b"\0" + digest_info
    return pow(int.from_bytes(signature, "big"), exponent, modulus) == int.from_bytes(padded, "big")
