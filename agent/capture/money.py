"""Amounts and states of red packets and transfers, as their cards word them. Pure; nothing is ever opened."""

from __future__ import annotations

import re

UNKNOWN_FEN = -1
# The grouping comma is shown from a thousand on.
_AMOUNT = re.compile(r"[¥￥]\s?(\d{1,3}(?:[,，]\d{3})+|\d{1,9})(?:\.(\d{1,2}))?(?:\s?元)?")
# Wordings of cards and of the previews in the list of chats; half of them name the friend, half do not.
_TRANSFER = (
    (
        "returned",
        re.compile(
            r"(?:(?:已过期[，,]?)?已?(?:全额)?(?:被)?退(?:还|回)(?:给.*)?|(?:钱)?已被.{0,40}退还|你已将钱退还)"
        ),
    ),
    ("expired", re.compile(r"(?:转账)?已(?:过期|失效)")),
    ("received", re.compile(r"(?:.{0,40})?已(?:被)?(?:确认)?(?:收款|收钱|接收|领取)(?:成功)?")),
    ("pending", re.compile(r"(?:等?待.{0,40}|请.{0,6}(?:确认)?)(?:收款|收钱|接收|领取)")),
)
_RED_PACKET = (
    ("expired", re.compile(r"(?:红包)?已(?:过期|失效)(?:.{0,8}退还)?")),
    ("opened", re.compile(r"(?:红包)?已(?:被)?(?:领取|领完|抢光|拆开|打开|存入零钱)(?:完)?")),
    ("pending", re.compile(r"(?:等?待.{0,40}领取|领取红包|未领取)")),
)
_PREVIEW = re.compile(r"\[转账\]\s?")


def amount_fen(text: str) -> int:
    """Return "¥1,234.50" as 123450 fen, UNKNOWN_FEN if this is no amount and nothing else."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return UNKNOWN_FEN
    yuan = int(re.sub("[,，]", "", match[1]))
    return yuan * 100 + int((match[2] or "").ljust(2, "0"))


def transfer_state(text: str) -> str:
    """Return pending, received, returned or expired, "" if the text says none of them."""
    return _state(_PREVIEW.sub("", text.strip(), count=1), _TRANSFER)


def red_packet_state(text: str) -> str:
    """Return pending, opened or expired, "" if the text says none of them."""
    return _state(text.strip(), _RED_PACKET)


def _state(text: str, wordings: tuple[tuple[str, re.Pattern[str]], ...]) -> str:
    return next((state for state, wording in wordings if wording.fullmatch(text)), "")
