"""By what a person is recognised over all lists: pure functions."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Sequence

import phonenumbers

from controller.errors import BadRequest
from controller.model import Customer, QueryKind, Task
from controller.people import Person
from protos.facts import peer_key

_CHINA = 86
_PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_CHINESE_FORM = re.compile(r"(?:(?:00)?86)?0?(1[3-9][0-9]{9})")
_CHINESE_BY_PLUS = re.compile(r"860?(1[3-9][0-9]{9})")
_NUMBER = re.compile(r"\+?[0-9][0-9 ().\-]*")
# Letter first, then letters, digits, - and _, 6 to 20 in all: what the client itself asks for.
_WECHAT_ID = re.compile(r"[a-z][a-z0-9_-]{5,19}")


def target_of(query: str, kind: QueryKind) -> str:
    """Return the one form of a query by which a person is recognised over all jobs."""
    match kind:
        case QueryKind.MOBILE if _PLAIN_MOBILE.fullmatch(query):
            return query  # as nearly every row of a checked list has it
        case QueryKind.MOBILE:
            return _mobile(_plain(query))
        case QueryKind.WECHAT_ID:
            return _plain(query).casefold()
        case QueryKind.NAME:
            return query.strip()


def target_of_task(task: Task) -> str:
    """Return by what the person of a task is recognised; a shown name means one contact of one account."""
    if task.query_kind is QueryKind.NAME:
        return peer_key(task.pinned_account_id or "", task.query)
    return target_of(task.query, task.query_kind)


def keys_of(customer: Customer) -> tuple[str, ...]:
    """Return everything by which the person of a row is recognised: one key or two."""
    return _keys(target_of(customer.query, customer.query_kind), customer.alias)


def keys_of_task(task: Task) -> tuple[str, ...]:
    """Return everything by which the person of a task is recognised: one key or two."""
    return _keys(target_of_task(task), task.alias)


def _keys(target: str, alias: str) -> tuple[str, ...]:
    return (target, alias) if alias and alias != target else (target,)


def typed(text: str) -> tuple[str, QueryKind]:
    """Return whom a person means who typed a mobile or a WeChat id; BadRequest if it is neither."""
    plain = _plain(text)
    if _NUMBER.fullmatch(plain):
        mobile = _mobile(plain)
        if _PLAIN_MOBILE.fullmatch(mobile):
            return mobile, QueryKind.MOBILE
    elif _WECHAT_ID.fullmatch(plain.casefold()):
        return plain.casefold(), QueryKind.WECHAT_ID
    raise BadRequest("say a mobile number of mainland China or a WeChat id")


def person(key: str, target: str) -> Person:
    """Return a person as the store recognises them; the key is the farm's own."""
    digest = hmac.new(bytes.fromhex(key), target.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return Person(target=target, digest=digest.hexdigest()[:40])


def content_hash(key: str, *parts: str, customers: Sequence[Customer] = ()) -> str:
    """Return the fingerprint by which the same rows with the same parts are known again.

    It takes the farm's key: of a list with one row the number could be guessed from a bare digest.
    """
    rows = [
        [
            target_of(c.query, c.query_kind),
            c.query_kind,
            c.remark,
            c.basis,
            c.basis_at,
            c.pinned_phone_id,
            *c.tags,
            *([[c.alias]] if c.alias else ()),
        ]
        for c in customers
    ]
    text = json.dumps([rows, *parts], ensure_ascii=False, separators=(",", ":"))
    return hmac.new(bytes.fromhex(key), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _plain(text: str) -> str:
    """Return half-width text without the invisible marks that copying brings along."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(char for char in folded if unicodedata.category(char) != "Cf").strip()


def _mobile(text: str) -> str:
    digits = "".join(char for char in text if char.isascii() and char.isdigit())
    # After a plus stands a country: +1 391 234 5678 is nobody in China.
    form = _CHINESE_BY_PLUS if "+" in text else _CHINESE_FORM
    if match := form.fullmatch(digits):
        return match[1]
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return digits
    national = str(number.national_number)
    return national if number.country_code == _CHINA else f"+{number.country_code}{national}"
