"""What the columns of a customer list mean, guessed from their headings in Chinese and English."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import StrEnum

from controller.errors import BadRows


class Column(StrEnum):
    """What a column of a customer list may mean."""

    MOBILE = "mobile"
    WECHAT_ID = "wechat_id"
    REMARK = "remark"
    BASIS = "basis"
    BASIS_AT = "basis_at"
    PHONE_NO = "phone_no"
    TAGS = "tags"


# Headings as shops and CRMs export them, folded: case, width, blanks and punctuation do not count.
_HEADINGS = """
mobile 手机号 手机号码 手机 电话 电话号码 联系电话 联系方式
mobile 客户手机 客户手机号 客户电话 收货电话 收货人手机 收货人电话
mobile mobile mobileno mobilenumber mobilephone phone phonenumber tel telephone cellphone cell
wechat_id 微信号 微信 微信账号 微信id wechatid wechat weixin wxid wechataccount
remark 备注 备注名 姓名 名字 名称 客户 客户姓名 客户名称 收货人 收货人姓名 收件人 联系人 称呼
remark name remark customer customername fullname note
basis 依据 联系依据 订单号 订单编号 订单 单号 来源 basis order orderno orderid ordernumber
basis_at 下单时间 下单日期 订单时间 订单日期 成交时间 付款时间 依据时间 依据日期 日期 时间 登记时间
basis_at basisat basisdate date orderdate orderedat ordertime
tags 标签 客户标签 分组 tag tags label labels
phone_no 工号机 工作手机 工作机 工作手机号 手机编号 机号 phoneno phoneid workphone
"""
_MEANING = {
    name: Column(column)
    for column, *names in (line.split() for line in _HEADINGS.strip().splitlines())
    for name in names
}


def fold(heading: str) -> str:
    """Return a heading without case, width, blanks and punctuation."""
    plain = unicodedata.normalize("NFKC", heading).casefold()
    return "".join(char for char in plain if char.isalnum())


def knows(heading: str) -> bool:
    """Tell whether a heading is one that is understood without being told."""
    return fold(heading) in _MEANING


def guess_columns(heading: tuple[str, ...], mapping: Mapping[Column, str]) -> dict[Column, int]:
    """Return where each known column stands; BadRows if a named one is missing or two could be the same."""
    found: dict[Column, int] = {}
    for column, name in mapping.items():
        if name not in heading:
            raise BadRows(f"there is no column {name!r}; the columns are {listed(heading)}")
        found[column] = heading.index(name)
    for at, name in enumerate(heading):
        guess = _MEANING.get(fold(name))
        if guess is None or guess in mapping or at in found.values():
            continue
        if guess in found:
            both = f"{heading[found[guess]]!r} and {name!r}"
            raise BadRows(f"{both} could both be the {guess}; say which: --map {guess}={name}")
        found[guess] = at
    return found


def listed(heading: tuple[str, ...]) -> str:
    """Return the headings for a message."""
    return ", ".join(name or "(empty)" for name in heading[:20]) + (", …" if len(heading) > 20 else "")
