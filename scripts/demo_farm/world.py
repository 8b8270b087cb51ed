"""The demo's world: who the customers are, who chats with whom, and the list that the marketer brings."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

# Every tenth-and-so customer is a special case; all others are ordinary people who get a request.
_SPECIAL = {
    3: ("not_found", ""),
    7: ("open", ""),
    11: ("abnormal", ""),
    15: ("ordinary", "all"),
    19: ("cannot_be_added", ""),
    23: ("not_found", ""),
    27: ("wecom", ""),
    31: ("blocks", ""),
    35: ("open", ""),
}
_PERIOD = 40
_STAFF = ("王芳", "李娜", "陈静", "赵磊", "周杰", "孙悦", "黄敏", "吴倩", "刘洋", "高峰", "林涛", "何雪")

# Who writes what when: (phone, second, side, text). The two marked lines hold a word of the demo's list.
# Repeats and emoji are there because a capture that drops the one or garbles the other is of no use.
WORDS = ("私下转账", "加我私人微信")
_TALK = (
    (1, 4.0, "in", "你好，我想问一下订单"),
    (1, 6.0, "out", "您好，请说😊"),
    (1, 8.0, "in", "好的"),
    (1, 9.0, "in", "好的"),
    (1, 12.0, "out", "这个价格可以私下转账给我"),  # violation 1
    (1, 14.0, "in", "那不太好吧🙈"),
    (2, 5.0, "in", "什么时候发货？"),
    (2, 7.0, "out", "今天下午发出👍👍"),
    (2, 10.0, "in", "谢谢🌹"),
    (3, 6.0, "in", "在吗"),
    (3, 9.0, "out", "在的，您加我私人微信聊吧"),  # violation 2
    (3, 11.0, "in", "为什么不能在这里说？"),
    (4, 7.0, "in", "发票开好了吗"),
    (4, 9.0, "in", "抬头写公司的"),
    (5, 8.0, "in", "👌"),
    (5, 13.0, "in", "👌"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWorld:
    """What the parts are started with."""

    scenario_toml: str
    customers_csv: bytes
    holders: tuple[str, ...]
    lines: int  # how many chat lines are said in all
    violations: int


def make(phones: int, customers: int) -> DemoWorld:
    """Return a world with so many phones and customers, the same at each call."""
    lines = ['name = "demo"', "", "[phones_like]", f"count = {phones}", ""]
    for n in range(1, customers + 1):
        trait, friend_of = _SPECIAL.get((n - 1) % _PERIOD + 1, ("ordinary", ""))
        lines += [
            "[[people]]",
            f'nickname = "客户{n:03}{"🌸" if n % 6 == 0 else ""}"',
            f'mobile = "{mobile(n)}"' if n % 5 else f'wechat_id = "{wechat_id(n)}"',
            f'trait = "{trait}"',
        ]
        if friend_of:
            lines.append(f'friend_of = ["{friend_of}"]')
        if accepts(n):
            lines.append("accepts_after_s = 3.0")
        lines.append("")
    talking = sorted({phone for phone, *_ in _TALK if phone <= phones})
    for phone in talking:
        peer, account = f"regular_{phone:03}", f"farm_{phone:03}"
        lines += [
            "[[people]]",
            f'nickname = "老客户{phone:02}"',
            f'wechat_id = "{peer}"',
            f'friend_of = ["{account}"]',
            "",
            "[[chats]]",
            f'accounts = ["{account}"]',
            f'peer = "{peer}"',
            "",
        ]
    for phone, at_s, side, text in _TALK:
        if phone <= phones:
            lines += [
                "[[says]]",
                f'accounts = ["farm_{phone:03}"]',
                f'peer = "regular_{phone:03}"',
                f'side = "{side}"',
                f"at_s = {at_s}",
                f"texts = [{json.dumps(text, ensure_ascii=False)}]",
                "",
            ]
    found = sum(word in text for phone, _, _, text in _TALK if phone <= phones for word in WORDS)
    return DemoWorld(
        scenario_toml="\n".join(lines),
        customers_csv=_list(customers),
        holders=tuple(_STAFF[n] if n < len(_STAFF) else f"员工{n + 1:02}" for n in range(phones)),
        lines=sum(phone <= phones for phone, *_ in _TALK),
        violations=found,
    )


def mobile(n: int) -> str:
    """Return the n-th customer's mobile."""
    return f"1380013{n:04}"


def wechat_id(n: int) -> str:
    """Return the n-th customer's WeChat id."""
    return f"kehu_{n:04}"


def query(n: int) -> str:
    """Return what the n-th customer is looked up by."""
    return mobile(n) if n % 5 else wechat_id(n)


def accepts(n: int) -> bool:
    """Tell whether the n-th customer accepts a request, some seconds after it."""
    trait, _ = _SPECIAL.get((n - 1) % _PERIOD + 1, ("ordinary", ""))
    return trait == "ordinary" and n % 4 == 0


def _list(customers: int) -> bytes:
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(["手机号", "微信号", "备注", "订单号", "下单时间"])
    for n in range(1, customers + 1):
        by_mobile = bool(n % 5)
        rows.writerow(
            [
                mobile(n) if by_mobile else "",
                "" if by_mobile else wechat_id(n),
                f"双十一 {n:03}",
                f"D2026{n:05}",
                "2026-11-11",
            ]
        )
    return out.getvalue().encode("utf-8-sig")
