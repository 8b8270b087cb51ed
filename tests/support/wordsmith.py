"""Makes the labelled messages from sentences written by hand: disguises by technique, always the same ones.

`python -m tests.support.wordsmith` writes tests/data/words/labelled.jsonl anew.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from opencc import OpenCC
from pypinyin import lazy_pinyin

from tests.support.wordlabels import DATA, Hit, Message, lexicon

SENTENCES = DATA / "sentences.txt"
# How many messages of each technique are made from the carriers, besides those that are written by hand.
MADE = {
    "plain": 40,
    "fullwidth": 22,
    "styled": 26,
    "case": 22,
    "traditional": 24,
    "space": 26,
    "punct": 30,
    "emoji_insert": 26,
    "zerowidth": 24,
    "repeat": 24,
    "pinyin": 32,
    "initials": 24,
    "mixed": 12,
}
_MARK = re.compile(r"\[([^\]|]+)(?:\|([^\]]+))?\]")
# A run of at least 14 digits, of any width and in groups, and the sign that asks for its last character.
_CHECKED = re.compile(r"((?:[0-9０-９][ \-]?){13,}[0-9０-９][ \-]?)([~#!])")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence written by hand: its section, its text without marks, and what is to be marked."""

    section: str
    text: str
    hits: tuple[Hit, ...]


def luhn_digit(digits: str) -> str:
    """Return the digit that makes a card number of these digits right."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def id_character(digits: str) -> str:
    """Return the check character of a resident id by GB 11643; the first 17 digits count."""
    return "10X98765432"[sum(w * int(d) for w, d in zip(_ID_WEIGHTS, digits, strict=False)) % 11]


def with_check_characters(text: str) -> str:
    """Return the text with each ~, # and ! after a long number put out."""

    def put(found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", found[1]))
        right = {luhn_digit(digits), id_character(digits)}
        sign = {
            "~": luhn_digit(digits),
            "#": id_character(digits),
            "!": next(d for d in "7294" if d not in right),
        }[found[2]]
        wide = found[1].rstrip(" -")[-1] > "9"
        return found[1] + (chr(ord(sign) + 0xFEE0) if wide else sign)

    return _CHECKED.sub(put, text)


def sentences() -> Iterator[Sentence]:
    """Yield the sentences of the file, in its order."""
    section = ""
    for raw in SENTENCES.read_text("utf-8").splitlines():
        if raw.startswith("# "):
            section = raw[2:].strip()
        elif raw and not raw.startswith(";"):
            yield _read(section, raw)


def _read(section: str, raw: str) -> Sentence:
    """Take the marks out of a line."""
    text, hits, last = "", [], 0
    for mark in _MARK.finditer(raw):
        text += with_check_characters(raw[last : mark.start()])
        surface = with_check_characters(mark[1])
        hits.append(Hit(mark[2] or surface, len(text), len(text) + len(surface)))
        text += surface
        last = mark.end()
    return Sentence(section=section, text=text + with_check_characters(raw[last:]), hits=tuple(hits))


# --- Disguises: each gives the word as it would be written, or None where it cannot be disguised so.

_STYLES = (  # first letter in lower case, in upper case, first digit that is 1, the digit 0
    (0x24D0, 0x24B6, 0x2460, 0x24EA),
    (0x1F150, 0x1F150, 0x2776, 0x24FF),
    (0x1F170, 0x1F170, 0x2776, 0x24FF),
    (0x1F130, 0x1F130, 0x2488, 0x30),
    (0x1D41A, 0x1D400, 0x1D7CF, 0x1D7CE),
    (0x1D5EE, 0x1D5D4, 0x1D7ED, 0x1D7EC),
    (0x1D552, 0x1D538, 0x1D7D9, 0x1D7D8),
    (0x1D68A, 0x1D670, 0x1D7F7, 0x1D7F6),
    (0x249C, 0x249C, 0x2474, 0x30),
    (0x1F1E6, 0x1F1E6, 0x1D7CF, 0x1D7CE),
)
_PUNCT = (".", "-", "_", "*", "/", "|", "~", "·", "+", "＊", "…", "—", "=", "^")
_CLAUSE = ("，", "。", "、", "；", "！")
_EMOJI = ("😀", "🌹", "❤️", "🔥", "👍", "🎉", "⭐", "💋", "🐱", "👍🏻", "🍀", "☀️", "🙏", "✨")
_ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad", "\u034f", "\u2060")


def _fullwidth(word: str, _: random.Random) -> str | None:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)


@cache
def _styled_han() -> dict[str, str]:
    """Return the Chinese characters that stand in a circle or a square in Unicode."""
    found = {}
    for code in (*range(0x3280, 0x32B1), *range(0x1F210, 0x1F23C)):
        plain = unicodedata.normalize("NFKC", chr(code))
        if len(plain) == 1:
            found[plain] = chr(code)
    return found


def _styled(word: str, rng: random.Random) -> str | None:
    lower, upper, one, zero = rng.choice(_STYLES)

    def style(char: str) -> str:
        if "a" <= char <= "z":
            return chr(lower + ord(char) - 97)
        if "A" <= char <= "Z":
            return chr(upper + ord(char) - 65)
        if "1" <= char <= "9":
            return chr(one + ord(char) - 49)
        return chr(zero) if char == "0" else _styled_han().get(char, char)

    return "".join(map(style, word))


def _case(word: str, rng: random.Random) -> str | None:
    forms = (word.upper(), word.lower(), word.swapcase(), word.title())
    odd = "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(word))
    others = sorted({*forms, odd} - {word})
    return rng.choice(others) if others else None


@cache
def _traditional_of() -> OpenCC:
    return OpenCC("s2t")


def _traditional(word: str, _: random.Random) -> str | None:
    return str(_traditional_of().convert(word))


def _joined(word: str, rng: random.Random, pool: tuple[str, ...], same: bool) -> str | None:
    """Put one of the pool between all characters: the same one, or others."""
    one = rng.choice(pool)
    out = word[0]
    for char in word[1:]:
        out += (one if same else rng.choice(pool)) + char
    return out


def _space(word: str, rng: random.Random) -> str | None:
    return _joined(word, rng, (" ", " ", "  ", "\u3000", "\u00a0", "   "), same=rng.random() < 0.7)


def _punct(word: str, rng: random.Random) -> str | None:
    # One clause mark between two characters is how people write; in every gap of a word it is noise.
    pool = (*_PUNCT, *_CLAUSE) if len(word) > 2 else _PUNCT
    if len(word) > 3 and rng.random() < 0.25:
        gap = rng.randrange(1, len(word))
        return word[:gap] + rng.choice(_PUNCT) * rng.randint(1, 3) + word[gap:]
    return _joined(word, rng, pool, same=rng.random() < 0.6)


def _emoji_insert(word: str, rng: random.Random) -> str | None:
    return _joined(word, rng, _EMOJI, same=rng.random() < 0.5)


def _zerowidth(word: str, rng: random.Random) -> str | None:
    return _joined(word, rng, _ZERO_WIDTH, same=rng.random() < 0.4)


def _repeat(word: str, rng: random.Random) -> str | None:
    if any(c.isdigit() or c == "%" for c in word):
        return None
    if rng.random() < 0.5:
        times = rng.randint(2, 3)
        return "".join(c * times for c in word)
    at = rng.randrange(len(word))
    return word[:at] + word[at] * rng.randint(3, 5) + word[at + 1 :]


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


def _pinyin(word: str, rng: random.Random) -> str | None:
    if not all(map(_is_han, word)):
        return None
    syllables = lazy_pinyin(word)
    how = rng.randrange(5)
    if how == 0:
        return "".join(syllables)
    if how == 1:
        return " ".join(syllables)
    if how == 2:
        return "".join(s.capitalize() for s in syllables)
    cut = rng.randrange(1, len(word))
    return word[:cut] + "".join(syllables[cut:]) if how == 3 else "".join(syllables[:cut]) + word[cut:]


def _initials(word: str, rng: random.Random) -> str | None:
    if word not in initial_words():
        return None
    letters = "".join(s[0] for s in lazy_pinyin(word))
    return letters.upper() if rng.random() < 0.4 else letters


@cache
def initial_words() -> frozenset[str]:
    """Return the words of the test lexicon that may be written by the first letters of their pinyin."""
    return frozenset(e["word"] for e in lexicon()["entries"] if e.get("initials"))


def _mixed(word: str, rng: random.Random) -> str | None:
    if not all(map(_is_han, word)):
        return _space(_fullwidth(word, rng) or word, rng)
    first, second = rng.choice(((_traditional, _punct), (_traditional, _emoji_insert), (_repeat, _zerowidth)))
    changed = first(word, rng)
    return None if changed is None or changed == word else second(changed, rng)


DISGUISES: dict[str, Callable[[str, random.Random], str | None]] = {
    "plain": lambda word, _: word,
    "fullwidth": _fullwidth,
    "styled": _styled,
    "case": _case,
    "traditional": _traditional,
    "space": _space,
    "punct": _punct,
    "emoji_insert": _emoji_insert,
    "zerowidth": _zerowidth,
    "repeat": _repeat,
    "pinyin": _pinyin,
    "initials": _initials,
    "mixed": _mixed,
}


def disguised(technique: str, word: str, rng: random.Random) -> str | None:
    """Return a word as a technique writes it, or None where that changes nothing."""
    surface = DISGUISES[technique](word, rng)
    return None if surface is None or (surface == word and technique != "plain") else surface


def _carried(technique: str, carrier: Sentence, rng: random.Random) -> tuple[str, tuple[Hit, ...]] | None:
    """Disguise one hit of a carrier; the others stay as they stand."""
    at = rng.randrange(len(carrier.hits))
    word, start, end = carrier.hits[at]
    text = carrier.text
    if technique in ("pinyin", "initials") and (text[start - 1 : start] + text[end : end + 1]).isascii():
        return None  # glued to latin letters it would not be read as a word
    surface = disguised(technique, word, rng)
    if surface is None:
        return None
    before, after = text[:start], text[end:]
    if technique == "traditional" and rng.random() < 0.5:
        whole = _traditional_of().convert(text)
        before, after = whole[:start], whole[end:]
    more = len(surface) - (end - start)
    hits = [Hit(word, start, start + len(surface))]
    hits += [
        Hit(w, s, e) if e <= start else Hit(w, s + more, e + more) for w, s, e in carrier.hits if s != start
    ]
    return before + surface + after, tuple(sorted(hits, key=lambda h: h.start))


def _made(technique: str, wanted: int, carriers: list[Sentence]) -> Iterator[tuple[str, tuple[Hit, ...]]]:
    """Yield so many messages of a technique, each word as rarely as possible."""
    rng = random.Random(f"words/{technique}")
    seen: set[str] = set()
    used: Counter[str] = Counter()
    for _ in range(6):
        for carrier in rng.sample(carriers, len(carriers)):
            if len(seen) == wanted:
                return
            message = _carried(technique, carrier, rng)
            # A word is used again only when every other one has been.
            if message and message[0] not in seen and not any(used[h.word] > _ for h in message[1]):
                seen.add(message[0])
                used.update(h.word for h in message[1])
                yield message


def labelled() -> Iterator[Message]:
    """Yield the whole set: techniques in the order of their table, then traps."""
    written = list(sentences())
    carriers = [s for s in written if s.section == "carriers"]
    counts: Counter[str] = Counter()

    def message(kind: str, name: str, text: str, hits: tuple[Hit, ...]) -> Message:
        counts[kind + name] += 1
        made = {"technique": name} if kind == "technique" else {"trap": name}
        return Message(id=f"{kind[:2]}-{name}-{counts[kind + name]:03}", text=text, hits=hits, **made)

    for technique, wanted in MADE.items():
        for text, hits in _made(technique, wanted, carriers):
            yield message("technique", technique, text, hits)
    for sentence in written:
        kind, _, name = sentence.section.partition(" ")
        if name:
            hits = sentence.hits if kind == "technique" else ()
            yield message(kind, name, sentence.text, hits)


def to_line(message: Message) -> str:
    """Return a message as one line of the file."""
    row: dict[str, Any] = {"id": message.id, "text": message.text}
    row |= {"technique": message.technique} if message.technique else {"trap": message.trap}
    row["hits"] = [list(hit) for hit in message.hits]
    return json.dumps(row, ensure_ascii=False)


def main(path: Path = DATA / "labelled.jsonl") -> None:
    """Write the set anew."""
    path.write_text("".join(to_line(m) + "\n" for m in labelled()), "utf-8")


if __name__ == "__main__":
    main()
