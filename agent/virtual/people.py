"""People of the virtual world: who they are, and how they answer when somebody adds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from agent.model import FriendAddOutcome


class Trait(StrEnum):
    """What happens when somebody searches for this person and adds them."""

    ORDINARY = "ordinary"  # a request goes out; it is accepted after some time, or never
    OPEN = "open"  # no verification: friends at once
    NOT_FOUND = "not_found"  # the platform does not know the number
    ABNORMAL = "abnormal"  # found, and the platform refuses to show the account
    CANNOT_BE_ADDED = "cannot_be_added"  # the profile opens, adding is refused by the person's settings
    BLOCKS = "blocks"  # the person put everybody on the block list
    WECOM = "wecom"  # the number belongs to WeChat and WeCom: a choice page comes first


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody outside the farm; `key` is the WeChat id if there is one, else the mobile."""

    key: str
    mobile: str
    wechat_id: str
    nickname: str
    region: str
    trait: Trait
    accepts_after_s: float | None  # scenario seconds after the first request, None = never
    moments: str = "open"  # open | closed: friends see none | blocked: seen, and likes are refused


# What a correct friend add of somebody who is neither a friend nor asked yet ends with.
OUTCOME: Mapping[Trait, FriendAddOutcome] = MappingProxyType(
    {
        Trait.ORDINARY: FriendAddOutcome.REQUESTED,
        Trait.OPEN: FriendAddOutcome.ADDED,
        Trait.NOT_FOUND: FriendAddOutcome.NOT_FOUND,
        Trait.ABNORMAL: FriendAddOutcome.PEER_ABNORMAL,
        Trait.CANNOT_BE_ADDED: FriendAddOutcome.CANNOT_BE_ADDED,
        Trait.BLOCKS: FriendAddOutcome.BLOCKED_BY_PEER,
        Trait.WECOM: FriendAddOutcome.WECOM_USER,
    }
)


def plain_query(query: str) -> str:
    """Return a search text as the platform compares it: no blanks or dashes, no +86, lower case."""
    plain = re.sub(r"[\s\-\u00a0\u3000]", "", query).lower()
    found = re.fullmatch(r"(?:\+86|0086|86)?(1\d{10})", plain)
    return found.group(1) if found else plain
