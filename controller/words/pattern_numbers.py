"""Mobile numbers, bank cards and resident ids in a folded text, whatever way their digits are written."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

from controller.words.pattern_checks import (
    BANKCARD,
    IDCARD,
    PHONE,
    has_birth_date,
    is_bank_card,
    is_resident_id,
    mobile_of,
)

# Digits as they are said and as they stand on a cheque; 幺 洞 拐 勾 are read aloud by telephone.
_HAN = {"0": "零洞", "1": "一壹幺弌", "2": "二贰貳弍", "3": "三叁參弎", "4": "四肆", "5": "五伍"}
_HAN |= {"6": "六陆陸", "7": "七柒拐", "8": "八捌", "9": "九玖勾"}
HAN_DIGITS = {ord(char): digit for digit, chars in _HAN.items() for char in chars}
_HAN_ANY = "".join(chars for chars in _HAN.values())
_HAN_PAIR = re.compile(
    rf"[{_HAN_ANY}](?:[^\w\n]|_){{0,3}}[{_HAN_ANY}0-9]|[0-9](?:[^\w\n]|_){{0,3}}[{_HAN_ANY}]"
)
# Letters that are typed for the digits 0 and 1: in a run of their own or among digits, never in a word.
_LETTERS = {ord("O"): "0", ord("o"): "0", ord("l"): "1", ord("I"): "1"}
_LETTERED = re.compile(r"(?<![A-Za-z0-9])(?=[0-9]*[OolI])[0-9OolI]++(?![A-Za-z0-9])")
_LEAST_REAL_DIGITS = 5
_ID_DIGITS = 17
_IP_PARTS = 4
# 1.138… is an item of a list.
_ITEM_DIGITS = 2
_JOINTS = frozenset(".-")
_BANK_PREFIX_DIGITS = (6, 8)

_RUN = re.compile(r"[0-9]+")
_GAP = re.compile(r"(?:[^\w\n]|_){1,3}")
_LONGEST_GAP = 3
_SIGNS_BETWEEN_GROUPS = frozenset(" \t\u3000\u00a0.-·•_~*—")
# How people break eleven digits: 138 0013 8000 and its kin. 13 800 138 000 is how an amount is broken.
_PHONE_SHAPES = frozenset(
    {(11,), (3, 4, 4), (3, 8), (7, 4), (4, 3, 4), (4, 4, 3), (3, 3, 5), (5, 3, 3), (3, 5, 3), (5, 6), (6, 5)}
    | {
        (4, 7),
        (8, 3),
        (1, 10),
        (2, 9),
        (10, 1),
        (9, 2),
        (3, 2, 2, 4),
        (3, 4, 2, 2),
        (3, 2, 2, 2, 2),
        (2, 2, 2, 2, 3),
    }
    | {
        (1, 2, 4, 4),
        (1, 3, 3, 4),
        (1, 3, 4, 3),
        (3, 1, 3, 4),
        (3, 4, 1, 3),
        (3, 4, 3, 1),
        (5, 2, 4),
        (5, 4, 2),
    }
)
_SURE_SHAPES = frozenset({(11,), (3, 4, 4), (3, 8), (7, 4)})
_CARD_CUE = re.compile(r"卡|账号|帐号|賬號|account|card", re.IGNORECASE)
_MAX_GROUPS = 7
_MAX_DIGITS = 19
_LONE_RUN = 8
_TOTALS = frozenset({11, 13, 14, 15, 16, 17, 18, 19})
_ID_TAIL = re.compile(r"(?:[^\w\n]|_){0,2}[xX×](?![A-Za-z0-9])")
# Latin letters may stand at a number only if they announce one; any others make it a code.
_ANNOUNCING = re.compile(
    r"(?:^|[^A-Za-z])(?:tel|telephone|phone|mobile|mob|mp|call|dh|sj|v|vx|wx|wechat|weixin|add|to|id|card|sfz|kh)$",
    re.IGNORECASE,
)
_FOLLOWING = re.compile(r"(?:v|vx|wx|weixin|wechat|tel|call|ok|pls|thx)(?![A-Za-z0-9])", re.IGNORECASE)
# Numbers that a shop's own papers carry look like any other digits: what stands right before says so.
_PAPERS = re.compile(
    r"(?:[订訂运運快保工][单單]|[单單]号|编号|編號|流水号?|货号|款号|型号|合同号?|批[号次]|条码|序列[号码]|工号|学号|交易号|凭证号?"
    r"|设备[号码]|发票|票号|车架号|机身[号码]|表号|备案号?|许可证号?|税号|信用代码|券码|取件码|兑换码|商品码"
    r"|sku|sn|isbn|imei|order|№|no\.)(?:号码|号|码|是|为|：|:|#|\s|=){0,4}$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\s?(?:元|块钱|万|亿|%|％|‰|吨|人次)")
_MONEY_SIGNS = frozenset("¥￥$€£")
_CUE = re.compile(
    r"手机|电话|電話|号码|號碼|联系|拨打|打给|打我|致电|call|tel|phone|mobile|[vw]x|微信|薇信|[加➕+][vV薇微]",
    re.IGNORECASE,
)
_LOOK_BACK = 20


class Number(NamedTuple):
    """A number in the folded text; digits are plain and carry no prefix."""

    kind: str
    start: int
    end: int
    digits: str


class _Group(NamedTuple):
    start: int
    end: int
    digits: str
    linked: bool  # to the group before, by nothing but separators


def numbers_in(text: str, kinds: Collection[str]) -> list[Number]:
    """Return the numbers of a folded text that are of the wanted kinds, in order; none overlaps another."""
    found = _Reading(text, text, kinds).numbers()
    if _HAN_PAIR.search(text):
        found += _apart(_Reading(text, text.translate(HAN_DIGITS), kinds).numbers(), found)
    if PHONE in kinds and _LETTERED.search(text):
        plain = _LETTERED.sub(lambda token: token[0].translate(_LETTERS), text)
        lettered = [one for one in _Reading(text, plain, (PHONE,)).numbers() if _real_digits(text, one)]
        found += _apart(lettered, found)
    return sorted(found, key=lambda one: one.start)


def _real_digits(text: str, one: Number) -> bool:
    return sum(char.isdigit() for char in text[one.start : one.end]) >= _LEAST_REAL_DIGITS


def _apart(more: list[Number], found: list[Number]) -> list[Number]:
    taken = {place for one in found for place in range(one.start, one.end)}
    return [one for one in more if taken.isdisjoint(range(one.start, one.end))]


class _Reading:
    """One way of reading a text's digits: plain has a digit wherever this reading sees one."""

    def __init__(self, text: str, plain: str, kinds: Collection[str]) -> None:
        self._text = text
        self._plain = plain
        self._kinds = kinds
        self._groups = self._split()

    def numbers(self) -> list[Number]:
        found = []
        place = 0
        while place < len(self._groups):
            number, place = self._at(place)
            if number:
                found.append(number)
        return found

    def _split(self) -> list[_Group]:
        groups: list[_Group] = []
        before = -1
        for run in _RUN.finditer(self._plain):
            start, end = run.span()
            linked = (
                before >= 0
                and start - before <= _LONGEST_GAP
                and _GAP.fullmatch(self._plain, before, start) is not None
            )
            groups.append(_Group(start, end, run[0], linked))
            before = end
        return groups

    def _at(self, first: int) -> tuple[Number | None, int]:
        """Return the number that begins at a group, and the group to go on with."""
        ones = self._ones(first)
        if ones - first >= _LONE_RUN:
            return self._judge(first, ones), ones
        total = 0
        best: tuple[Number, int] | None = None
        for end in range(first + 1, min(first + _MAX_GROUPS, len(self._groups)) + 1):
            group = self._groups[end - 1]
            if end - 1 > first and not group.linked:
                break
            total += len(group.digits)
            if total > _MAX_DIGITS:
                break
            if total in _TOTALS and (number := self._judge(first, end)):
                best = number, end
        return best or (None, first + 1)

    def _ones(self, first: int) -> int:
        """Return the group after the single digits that begin at one, each apart from the next."""
        end = first
        groups = self._groups
        while end < len(groups) and len(groups[end].digits) == 1 and (end == first or groups[end].linked):
            end += 1
        return end

    def _judge(self, first: int, end: int) -> Number | None:
        groups = self._groups[first:end]
        digits = "".join(group.digits for group in groups)
        if len(digits) not in _TOTALS:
            return None
        for kind, judge in ((IDCARD, self._resident), (BANKCARD, self._card), (PHONE, self._phone)):
            if kind in self._kinds and (number := judge(first, end, digits)):
                return number
        return None

    def _resident(self, first: int, end: int, digits: str) -> Number | None:
        start, stop = self._groups[first].start, self._groups[end - 1].end
        if len(digits) == _ID_DIGITS and (tail := _ID_TAIL.match(self._text, stop)):
            digits, stop = digits + "X", tail.end()
        if not is_resident_id(digits) or self._coded(start, stop):
            return None
        return Number(IDCARD, start, stop, digits)

    def _card(self, first: int, end: int, digits: str) -> Number | None:
        start, stop = self._groups[first].start, self._groups[end - 1].end
        if not self._free(first, end, sure=first + 1 == end) or not is_bank_card(digits):
            return None
        announced = bool(_CARD_CUE.search(self._before(start)))
        if not announced and (has_birth_date(digits) or not self._in_fours(first, end)):
            return None
        if self._coded(start, stop) or _PAPERS.search(self._before(start)):
            return None
        return Number(BANKCARD, start, stop, digits)

    def _in_fours(self, first: int, end: int) -> bool:
        sizes = [len(group.digits) for group in self._groups[first:end]]
        return (
            len(sizes) == 1 or set(sizes) == {1} or set(sizes[:-1]) <= {4} or sizes[0] in _BANK_PREFIX_DIGITS
        )

    def _phone(self, first: int, end: int, digits: str) -> Number | None:
        mobile = mobile_of(digits)
        if not mobile:
            return None
        start, stop = self._groups[first].start, self._groups[end - 1].end
        shape = self._shape(first, end, len(digits) - len(mobile))
        if not self._free(first, end, sure=shape in _SURE_SHAPES) or not self._written_as_one(
            first, end, shape
        ):
            return None
        if self._coded(start, stop) or self._on_paper(start, stop):
            return None
        if len(digits) > len(mobile) and self._text[start - 1 : start] == "+":
            start -= 1
        return Number(PHONE, start, stop, mobile)

    def _shape(self, first: int, end: int, prefix: int) -> tuple[int, ...]:
        sizes = [len(group.digits) for group in self._groups[first:end]]
        sizes[0] -= prefix
        return tuple(size for size in sizes if size > 0)

    def _written_as_one(self, first: int, end: int, shape: tuple[int, ...]) -> bool:
        """Tell whether the groups are one number broken up, not several numbers in a row."""
        start, stop = self._groups[first].start, self._groups[end - 1].end
        if shape in _SURE_SHAPES or set(shape) == {1}:
            return True
        between = [self._text[one.end : other.start] for one, other in pairwise(self._groups[first:end])]
        if not all(_SIGNS_BETWEEN_GROUPS.issuperset(gap) or not gap.isascii() for gap in between):
            return False
        if shape in _PHONE_SHAPES or self._said(start, stop):
            return True
        dotted = set(between) == {"."} and len(shape) == _IP_PARTS
        return not dotted and bool(_CUE.search(self._before(start)))

    def _said(self, start: int, stop: int) -> bool:
        """Tell whether most digits are Chinese ones: nobody writes lists of numbers so."""
        spoken = sum(ord(char) in HAN_DIGITS for char in self._text[start:stop])
        return spoken >= _LEAST_REAL_DIGITS

    def _free(self, first: int, end: int, *, sure: bool) -> bool:
        """Tell whether no digits before or after belong to the same number."""
        several = end - first > 1
        for one, other, neighbour in ((first - 1, first, first - 1), (end - 1, end, end)):
            if one < 0 or other >= len(self._groups) or not self._groups[other].linked:
                continue
            gap = self._text[self._groups[one].end : self._groups[other].start]
            digits = self._groups[neighbour].digits
            if (
                gap in _JOINTS
                and not mobile_of(digits)
                and not (gap == "." and neighbour < first and len(digits) <= _ITEM_DIGITS)
            ):
                return False
            if several and not sure and gap.isspace():
                return False
        return True

    def _coded(self, start: int, stop: int) -> bool:
        """Tell whether latin letters make the number part of a code."""
        text = self._text
        before, after = text[start - 1 : start], text[stop : stop + 1]
        if before == "_" or (
            before.isascii() and before.isalpha() and not _ANNOUNCING.search(self._before(start))
        ):
            return True
        return after.isascii() and after.isalpha() and not _FOLLOWING.match(text, stop)

    def _on_paper(self, start: int, stop: int) -> bool:
        """Tell whether the digits are an amount or the number of an order, a parcel, a device."""
        before = self._before(start)
        return (
            before[-1:] in _MONEY_SIGNS
            or bool(_PAPERS.search(before))
            or bool(_AMOUNT.match(self._text, stop))
        )

    def _before(self, start: int) -> str:
        return self._text[max(0, start - _LOOK_BACK) : start]
