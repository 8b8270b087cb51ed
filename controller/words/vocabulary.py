"""Ordinary words with how common they are, and what ordinary text costs.

The words are those of jieba's dictionary (MIT); young.tsv adds words of the telephone years that it is too
old to know, counted as it counts words of their kind.

Costs are in nats: minus the logarithm of how often such a thing stands in ordinary text.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from ahocorasick_rs import AhoCorasick
from daachorse import CharwiseDoubleArrayAhoCorasick

MIN_COUNT, MIN_PAIR_COUNT, PAIR_COUNT = 5, 3, 20
MAX_CHARS = 5
UNKNOWN_CHAR = 17.0
# A symbol; a sign that joins others (keycaps, skin tones); a sign that cannot be seen.
SYMBOL, JOINER, UNSEEN = 5.0, 0.5, 11.0
_PARTICLES = frozenset("吧啊呀了的吗呢儿嘛哦喔啦")
CLAUSE_SIGNS = frozenset("，。！？；：、…~～—\n,!?;:")
_QUOTES = frozenset("“”‘’「」『』《》〈〉（）()【】[]\"'")
_ODD = frozenset("-/\\|_*#+=^&%$@<>{}`·•")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """An automaton of words, the cost of each by its number, and the cost of single characters."""

    automaton: AhoCorasick
    costs: tuple[float, ...]
    singles: dict[str, float]
    numbers: dict[str, int]

    def words_in(self, text: str) -> list[tuple[int, int, float]]:
        """Return (start, end, cost) of each word in a text, overlapping ones too, by their ends."""
        found = self.automaton.find_matches_as_indexes(text, overlapping=True)
        return [(start, end, self.costs[number]) for number, start, end in found]

    def cost(self, word: str) -> float:
        """Return what a word costs; infinite if it is none."""
        if len(word) == 1:
            return self.singles.get(word, UNKNOWN_CHAR)
        number = self.numbers.get(word)
        return math.inf if number is None else self.costs[number]


def _lines() -> str:
    spec = find_spec("jieba")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the word monitor needs jieba's dictionary", name="jieba")
    return (Path(spec.origin).parent / "dict.txt").read_text("utf-8")


def longer_words(words: Collection[str]) -> list[str]:
    """Return the ordinary words that begin with one of these and have a character or two more.

    The rest makes another thing of it (万能胶), unless it is a particle.
    """
    if not words:
        return []
    starts = CharwiseDoubleArrayAhoCorasick(["\n" + word for word in words])
    text = "\n" + _lines()
    found = []
    for start, end, _ in starts.find_overlapping(text):
        longer = text[start + 1 : text.find(" ", end)]
        tail = longer[end - start - 1 :]
        if 1 <= len(tail) <= 2 and tail[0] not in _PARTICLES:
            found.append(longer)
    return list(dict.fromkeys(found))


def _counts() -> tuple[dict[str, int], int]:
    counts: dict[str, int] = {}
    total = 0
    for line in _lines().split("\n"):
        word, _, rest = line.partition(" ")
        if rest:
            count = int(rest.partition(" ")[0])
            total += count
            if len(word) <= MAX_CHARS and (
                count >= (MIN_COUNT if len(word) > 2 else MIN_PAIR_COUNT) or len(word) == 1
            ):
                # Rare pairs all have the least count there: being listed says more than that.
                counts[word] = max(count, PAIR_COUNT) if len(word) == 2 else count
    for line in (files(__package__) / "young.tsv").read_text("utf-8").splitlines():
        word, young = line.split("\t")
        counts[word] = max(int(young), counts.get(word, 0))
    return counts, total


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Return the vocabulary, read once per process."""
    counts, total = _counts()
    base = math.log(total)
    singles = {word: base - math.log(max(count, 1)) for word, count in counts.items() if len(word) == 1}
    words = [word for word in counts if len(word) > 1]
    shared: dict[int, float] = {}
    costs = tuple(shared.setdefault(counts[word], base - math.log(counts[word])) for word in words)
    # Of so many words this automaton is made in a tenth of the time of the other.
    automaton = AhoCorasick(words, store_patterns=False)
    return Vocabulary(automaton, costs, singles, {w: n for n, w in enumerate(words)})


@lru_cache(maxsize=4096)
def noise_cost(char: str) -> float:
    """Return what a sign between words costs in ordinary text."""
    if char in CLAUSE_SIGNS:
        return 1.0
    if char == " ":
        return 2.5
    if char == ".":
        return 4.0
    if char in _QUOTES:
        return 3.0
    if char in _ODD:
        return 6.0
    if char in "\ufe0f\u200d\u20e3" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return JOINER
    if char >= "\u2190" and char.isprintable():
        return SYMBOL
    return UNSEEN
