"""Sales talk by the million: Chinese texts with words as common and as rare as in a real archive, by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

_COMMON = (
    "您好 请问 我们 可以 这个 价格 发货 今天 明天 快递 订单 优惠 活动 质量 客户 微信 红包 好的 谢谢 没有 什么"
    " 时候 现在 产品 公司 需要 联系 已经 收到 地址 电话 朋友 喜欢 颜色 尺寸 退换 售后 保证 正品 下单"
)
_RARE = "翡翠 琥珀 麒麟 凤凰 蓬莱 昆仑 琉璃 玛瑙"
_VOCABULARY = 6_000
_FIRST_CHAR, _CHARS = 0x4E00, 3_500


class SalesTalk:
    """Texts of 20 to 60 characters; a word of rank r is about as common as 1/r."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        words = _COMMON.split()
        while len(words) < _VOCABULARY:
            chars = self._random.choice((1, 2, 2, 2, 3))
            words.append("".join(chr(_FIRST_CHAR + self._random.randrange(_CHARS)) for _ in range(chars)))
        self._words = words
        self._weights = [1 / (rank + 12) for rank in range(len(words))]

    def texts(self, count: int) -> Iterator[str]:
        """Return so many texts; each rare word stands in one of twenty thousand."""
        rare = _RARE.split()
        drawn: list[str] = []
        for _ in range(count):
            if len(drawn) < 40:
                drawn = self._random.choices(self._words, self._weights, k=20_000)
            parts, chars, wanted = [], 0, self._random.randint(20, 60)
            while chars < wanted and drawn:
                parts.append(drawn.pop())
                chars += len(parts[-1])
            if self._random.random() < len(rare) / 20_000:
                parts.append(self._random.choice(rare))
            yield "".join(parts)
