"""What holds for any text and lexicon: no error, spans in the text, the same answer however it is asked."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from controller.words import Found, Monitor, compiled, make
from controller.words.lexicon import LexiconWrong, read
from tests.support import wordload, wordnaive
from tests.support.wordlabels import lexicon, messages
from tests.support.wordsmith import DISGUISES, disguised

QUIET = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
WORDS = wordnaive.words_of(lexicon())
PATTERNS = frozenset(e["word"] for e in lexicon()["entries"] if e["type"] == "pattern")

# Half of a pair of UTF-16 alone is no character, but it does stand in texts that phones send.
ANY = st.text(st.characters(exclude_categories=()), max_size=80)
_PIECES = [
    *sorted({c for word in WORDS for c in word}),
    *WORDS,
    *"0123456789aizVvx@.:/ 　，。、·-１①不➕🧧\u200b\ufe0f\u0301\x00\n\ud83e",
    *("❤️", "🇨🇳", "👨‍👩‍👧", "严禁", "http://", "微信", "zhuan", "zhang"),
]
# Letters that the naive folding knows as well as we do, and styled ones that it drops.
_ORDINARY = re.compile("[a-z0-9\u4e00-\u9fff]*")
_STYLED = re.compile("[\U0001f100-\U0001f1ff]")
DENSE = st.lists(st.sampled_from(_PIECES), max_size=60).map("".join)
TEXTS = st.one_of(ANY, DENSE)


@cache
def monitor() -> Monitor:
    return compiled(read(lexicon()))


def assert_sound(text: str, found: list[Found]) -> None:
    """Each hit lies in the text, begins and ends on something that can be seen, and stands once."""
    assert len({(f.word, f.start, f.end) for f in found}) == len(found)
    for f in found:
        assert f.word in PATTERNS or f.word in WORDS
        assert 0 <= f.start < f.end <= len(text)
        surface = text[f.start : f.end]
        assert surface.strip() == surface
        if f.how == "plain":
            assert surface == f.word
        letters = wordnaive.stripped(surface)[0]
        if f.how in ("folded", "noise") and _ORDINARY.fullmatch(letters) and not _STYLED.search(surface):
            assert letters == wordnaive.stripped(f.word)[0]


@QUIET
@given(TEXTS)
@example("")
@example("\ud800")
@example("\U0010ffff" * 5)
@example("加" * 50)
@example("红" + "\u200b" * 50 + "包")
def test_any_text_is_matched_with_spans_inside(text: str) -> None:
    assert_sound(text, monitor().find(text))


@QUIET
@given(st.integers(0, 10**9), st.sampled_from(sorted(DISGUISES)), st.sampled_from(WORDS), ANY, ANY)
def test_a_disguised_word_between_any_texts(
    seed: int, technique: str, word: str, before: str, after: str
) -> None:
    surface = disguised(technique, word, random.Random(seed)) or word
    text = before + surface + after
    assert_sound(text, monitor().find(text))


@QUIET
@given(st.lists(TEXTS, max_size=8))
@example(["", "红", "包", "", "红包"])
@example(["加我", "微信"])
def test_many_at_once_are_as_one_by_one(texts: list[str]) -> None:
    one_by_one = [(place, found) for place, text in enumerate(texts) for found in monitor().find(text)]
    assert monitor().find_all(texts) == one_by_one


@QUIET
@given(TEXTS)
def test_make_says_what_the_monitor_finds(text: str) -> None:
    match = made()
    assert match(text) == [(f.word, f.start, f.end) for f in monitor().find(text)]
    assert match(text) == match(text)


@cache
def made() -> wordnaive.Match:
    return make(lexicon())


def test_threads_disturb_nothing() -> None:
    texts = [m.text for m in messages()]
    alone = [monitor().find(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(lambda _: [monitor().find(text) for text in texts], range(4)):
            assert together == alone


@pytest.mark.parametrize("around", [("", ""), ("，", "。"), ("\n", "\n"), ("(", ")")])
def test_a_word_alone_is_found(around: tuple[str, str]) -> None:
    before, after = around
    for word in WORDS:
        assert made()(before + word + after) == [(word, len(before), len(before) + len(word))]


def document(words: list[Any], **more: Any) -> dict[str, Any]:
    made_of = wordload.lexicon_of([])
    made_of["entries"] = [
        {"id": f"H{n}", "word": word, "category": "c", "severity": "low", "type": "word", **more}
        for n, word in enumerate(words)
    ]
    return made_of


def refusal(shape: dict[str, Any]) -> str | None:
    """Return why a document is refused; None if it is read. Anything but a refusal is an error."""
    try:
        read(shape)
    except LexiconWrong as wrong:
        return str(wrong)
    return None


HOSTILE_WORDS = st.one_of(
    ANY,
    st.text("红包加微信ab1. *+?()[]{}|\\^$·,，\u200b🧧 ", max_size=12),
    st.sampled_from(
        ["", " ", "\u3000", ".*", "(红包", "[a-z]+", "\\", "a" * 65, "红" * 8, "\u200b", "，", "🧧", "红包"]
    ),
)


@QUIET
@given(st.lists(HOSTILE_WORDS, max_size=12), st.booleans(), DENSE)
def test_a_hostile_lexicon_is_refused_or_works(words: list[str], initials: bool, text: str) -> None:
    told = refusal(document(words, initials=initials))
    if told is not None:
        assert told.strip()
        assert "\n" not in told
        return
    match = make(document(words, initials=initials))
    for probe in (text, *words, "".join(words)):
        for word, start, end in match(probe):
            assert word in words or word in PATTERNS or word in [w.strip() for w in words]
            assert 0 <= start < end <= len(probe)


KEYS = ["version", "note", "categories", "entries", "allow", "phrases", "word", "id"]
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)


@QUIET
@given(st.dictionaries(st.sampled_from(KEYS), SHAPES, max_size=6))
def test_a_document_of_any_shape_is_refused_or_read(shape: dict[str, Any]) -> None:
    told = refusal(shape)
    assert told is None or told.strip()


@pytest.mark.parametrize("word", [None, 5, ["红包"], {"a": 1}, True])
def test_a_word_that_is_no_text_is_refused(word: object) -> None:
    with pytest.raises(LexiconWrong):
        read(document([word]))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "word", ["红" * 64, "红包" * 32, "z" * 64, "一1" * 32], ids=["one", "two", "latin", "numerals"]
)
def test_a_word_that_repeats_itself_is_found_in_time(word: str) -> None:
    match = make(document([word]))
    assert (word, 0, len(word)) in match(word)
    for text in (word[:-1] + "。", "·".join(word), word * 20, word[:1] * 5_000, word[:63] * 20):
        assert all(0 <= start < end <= len(text) for _, start, end in match(text))


def test_regex_signs_are_letters() -> None:
    match = make(document(["红.包", "a+b(c"]))
    assert match("这个红X包好看") == []
    assert match("给个红.包吧") == [("红.包", 2, 5)]


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_many_words_are_found(count: int) -> None:
    words = wordload.made_words(count)
    match = make(wordload.lexicon_of(words))
    rare = [w for w in words if len(w) == 6][:50]
    found = sum(any(hit[0] == word for hit in match(f"，{word}。")) for word in rare)
    assert found == len(rare)


def test_too_many_words_are_refused() -> None:
    with pytest.raises(LexiconWrong, match="200"):
        read(document([f"词{n}" for n in range(200_001)]))


def steep(find: Callable[[str], object]) -> list[str]:
    """Return the kinds of hostile texts whose cost grows faster than their length.

    A quarter of the length is compared; the square would be sixteen times. The quickest of three runs counts,
    in time of the processor, since other tests run beside this one.
    """
    short, long = wordload.hostile(2_500, WORDS), wordload.hostile(10_000, WORDS)

    def quickest(text: str) -> float:
        took = []
        for _ in range(3):
            began = time.thread_time()
            find(text)
            took.append(time.thread_time() - began)
        return min(took)

    def is_steep(kind: str) -> bool:
        first, last = quickest(short[kind]), quickest(long[kind])
        return last > 0.02 and last > 8 * first

    # What was steep once by the machine's mood is not so three times.
    return [kind for kind in long if all(is_steep(kind) for _ in range(3))]


def test_the_cost_grows_with_the_length_alone() -> None:
    assert steep(monitor().find) == []


def test_a_cost_that_grows_with_the_square_is_seen() -> None:
    def pairs(text: str) -> int:
        return sum(a == b for a in text[::12] for b in text[::12])

    assert len(steep(pairs)) > 5
