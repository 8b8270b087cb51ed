"""The kinds of lasting actions that the crash test explores: their world, their jobs, their effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller.core import Core
from controller.model import AccountId, Customer, Job, PhoneId, QueryKind
from controller.people import Friend

PHONE = "1"
SERIAL, ACCOUNT, MOBILE = "VP001", "farm_001", "13800000001"
SCENARIO = f"""
[phones_like]
count = 1
[[people]]
nickname = "小满"
mobile = "{MOBILE}"
[[people]]
nickname = "小雪"
mobile = "13800000002"
[[people]]
nickname = "小寒"
mobile = "13800000003"
[[people]]
nickname = "大寒"
mobile = "13800000004"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of lasting action: how a job of it is submitted, and how often it really happened to whom."""

    name: str
    submit: Callable[[Core, int], Job]
    effects: Callable[[dict[str, Any]], Counter[str]]
    scenario: str = SCENARIO


def _submit_adds(core: Core, rows: int) -> Job:
    customers = [
        Customer(
            row_no=n + 2,
            query=f"1380000000{n + 1}",
            query_kind=QueryKind.MOBILE,
            basis="order",
            basis_at="2026-07-01",
            remark="",
        )
        for n in range(rows)
    ]
    return core.jobs.submit_friend_adds(
        customers, pool=[PhoneId("001")], greeting="您好", source_name="list.csv", actor="op"
    ).job


def _adds(truth: dict[str, Any]) -> Counter[str]:
    made: Counter[str] = Counter()
    for one in (*truth["requests"], *truth["added"]):
        made[one["query"]] += one["count"]
    return made


ADD = Kind(name="add", submit=_submit_adds, effects=_adds)


def _submit_likes(core: Core, rows: int) -> Job:
    with core.jobs._ledger.work() as work:
        for name in NAMES[:rows]:
            friend = Friend(
                account_id=AccountId(ACCOUNT),
                peer_name=name,
                tags=("VIP",),
                since_ms=work.now_ms,
                how="added",
            )
            work.tx.save_friend(friend)
    return core.jobs.submit_moments_likes(
        tag="VIP", pool=[PhoneId("001")], max_age_days=3, source_name="likes", actor="op"
    ).job


def _likes(truth: dict[str, Any]) -> Counter[str]:
    made: Counter[str] = Counter()
    for one in truth["likes"]:
        made[one["author"]] += one["count"]  # what was taken back counts a second time
    return made


NAMES = ("xiaoman", "xiaoxue", "xiaohan")
# The friends' names are what the world calls them; each has an older post that must stay as it is.
LIKE = Kind(
    name="like",
    submit=_submit_likes,
    effects=_likes,
    scenario="[phones_like]\ncount = 1\n"
    + "".join(
        f'[[people]]\nnickname = "{name}"\nwechat_id = "{name}"\nfriend_of = ["all"]\n'
        f'[[posts]]\nauthor = "{name}"\ntext = "新的 {name}"\nago_hours = {2 + n}\n'
        f'[[posts]]\nauthor = "{name}"\ntext = "旧的 {name}"\nago_hours = {30 + n}\n'
        for n, name in enumerate(NAMES)
    ),
)
KINDS = {kind.name: kind for kind in (ADD, LIKE)}
