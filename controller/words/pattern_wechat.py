"""WeChat ids in a folded text: a latin name that a cue announces."""

from __future__ import annotations

import re
from collections.abc import Iterator

WECHATID = "@WECHATID"

# The name of the service as it is written out, disguised by sound, by shape, by letters or by its colour.
_NAMES = (
    r"[微薇威维維徽溦葳危卫衛崴唯惟嶶](?:[信芯心辛亻❤♥♡💕💗💓💖💙💚💛💜🧡🖤💟]|xin|x(?![A-Za-z])|言){1,2}"
    r"|(?<![A-Za-z0-9])(?:(?:v|w|vv)[ ]?(?:信|芯|心|❤|♥|💚|xin)|wei[ ]?xin|we[ ]?chat)"
    r"|(?<![A-Za-z0-9])[vw][ .·_-]?x(?!id_)"
    r"|[微威卫衛]星(?=号|[:：])|绿泡泡|绿色软件"
)
# One letter or character is a cue only after an invitation or before a colon.
_SHORT = (
    r"(?:[加➕+＋嘉佳家伽扫私找]|添加|我的?|本人)[ ]?"
    r"(?:[vVwW](?![A-Za-z信芯心❤♥💚])|[微薇威维徽](?![信芯心❤♥💚xX]))"
    r"|(?<![A-Za-z0-9])[vV]号?(?=[ ]?[:：])|[薇威维微]号?(?=[ ]?[:：])|(?:小号|私人号|个人号|大号)"
)
_CUE = re.compile(f"(?P<name>{_NAMES})|(?P<short>{_SHORT})", re.IGNORECASE)
# Between cue and id stand signs and the small words of an introduction.
_BETWEEN = re.compile(
    r"(?:[^\w\n。！？!?；;]|_(?!_)|[号號码碼是为為我的叫就加添搜索查找账賬帐帳名这這那個个你您咱记記一下吧呀哈啊哦请請联系聯同步私人工作新老换換改成了]"
    r"|(?<![A-Za-z])(?:id|is|no)(?![A-Za-z_0-9-])){0,12}+",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(r"[:：=→👉➡⬇号號码碼是为為叫搜查找账帐加]|id", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z][-_A-Za-z0-9]{5,19}+(?![-_A-Za-z0-9])")
_SPACED_ID = re.compile(r"[A-Za-z](?:[ .·*~、]{1,2}[-_A-Za-z0-9]){5,19}+(?![-_A-Za-z0-9])")
# Internal ids need no cue: nothing else is named so.
_INTERNAL = re.compile(r"(?<![A-Za-z0-9_-])wxid_[a-z0-9]{6,20}(?![A-Za-z0-9_-])", re.IGNORECASE)
_PLACE_END = re.compile(r"\s*[.@](?=[A-Za-z0-9])|[:：]//")
# What a cue of the service is glued to when people talk of its functions or of software, not of a person.
_DEVICE = re.compile(
    r"(?:android|iphone|ipad|ios|windows|macbook|huawei|xiaomi|redmi|samsung|honor|version)[0-9_-]"
)
_GENERAL_TEXT = """
android iphone harmony windows wechat weixin please thanks thankyou official miniprogram version update
download install payment online support service hello github google chrome excel powerpoint macbook huawei
xiaomi samsung honor taobao alipay douyin kuaishou tencent qqmail contact number account follow friend
moments group message
"""
_GENERAL = frozenset(_GENERAL_TEXT.split())


def ids_in(text: str) -> list[tuple[int, int]]:
    """Return the spans of announced ids in a folded text, in order; none overlaps another."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((*_announced(text), *(match.span() for match in _INTERNAL.finditer(text)))):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found


def _announced(text: str) -> Iterator[tuple[int, int]]:
    for cue in _CUE.finditer(text):
        between = _BETWEEN.match(text, cue.end())
        begin = between.end() if between else cue.end()
        name = _ID.match(text, begin) or _SPACED_ID.match(text, begin)
        if name and _plausible(text, cue.start(), name):
            yield name.span()


def _plausible(text: str, begin: int, name: re.Match[str]) -> bool:
    if _PLACE_END.match(text, name.end()):
        return False
    plain = name[0].lower()
    if plain in _GENERAL or _DEVICE.match(plain):
        return False
    distinct = any(char.isdigit() or char in "_-" for char in plain)
    # A cue of letters that runs into the name (vxlisi007) is one only if the name is nobody's word (vxworks).
    glued = text[name.start() - 1].isascii() and text[name.start() - 1].isalpha()
    return distinct or (not glued and _ANNOUNCED.search(text, begin, name.start()) is not None)
