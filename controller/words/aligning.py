"""Laying a watched word along a text, character by character, through every disguise."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cache, lru_cache

from controller.words.hanzi import VALUE, alike, hanzi
from controller.words.symbols import LETTER_CHARS, LETTER_SOUNDS, MEANINGS
from controller.words.view import View
from controller.words.vocabulary import JOINER, UNSEEN, noise_cost

MAX_NOISE = 3
NEAREST = 4  # so many look-alikes of a character are mistaken for it at a glance
_STEPS, _STEPS_PER_CHAR = 3_000, 8
BETWEEN = "\uffff"  # stands between texts that are looked at together, and for nothing
OPEN, NONE = "open", "none"  # how a character stands for another: only the text can tell, not at all
_MAX_SKIPPED = 40  # noise, invisible signs and repeats between two characters of a word


@dataclass(frozen=True, slots=True)
class Sign:
    """One character of a watched word, and what may stand for it."""

    char: str
    sounds: frozenset[str]
    spelled: tuple[str, ...]
    looks: dict[str, int]
    ways: tuple[str, ...]
    value: str

    @property
    def is_latin(self) -> bool:
        """Tell whether it is a letter or a digit itself: then nothing but itself is read in it."""
        return self.char.isascii()


@cache
def sign_of(char: str) -> Sign:
    """Return what may stand for a folded character."""
    known = hanzi()
    sounds = known.readings.get(char, ())
    spelled = {
        *sounds,
        *(s.replace("v", "u") for s in sounds if s.endswith("ve")),
        *(s.replace("v", "yu") for s in sounds),
    }
    return Sign(
        char,
        frozenset(sounds),
        tuple(sorted(spelled, key=len, reverse=True)),
        alike().get(char, {}),
        known.parts.get(char, ()),
        VALUE.get(char, ""),
    )


@dataclass(frozen=True, slots=True)
class Word:
    """A watched word ready for laying: its entry, its characters, which latin readings it allows."""

    number: int
    entry: int
    signs: tuple[Sign, ...]
    has_initials: bool
    needs_latin_border: bool
    own_gaps: tuple[str, ...] = ()
    is_respelled: bool = False
    size: int = field(init=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        """Keep how many characters it has, and these in a row."""
        object.__setattr__(self, "size", len(self.signs))
        object.__setattr__(self, "text", "".join([sign.char for sign in self.signs]))


@dataclass(slots=True)
class Laid:
    """How a word lies in a text: kept characters first..last, what stands for each, what stands between."""

    first: int
    last: int
    kinds: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    repeats: int = 0


def sounds_like(char: str, sign: Sign) -> bool:
    """Tell whether a character has a sound of a word's character."""
    return not sign.sounds.isdisjoint(hanzi().readings.get(char, ()))


def _symbol_steps(view: View, at: int, word: Word, unit: int) -> list[tuple[str, int, int]]:
    """Return what a symbol stands for by what it shows, and, if that fits nowhere, by how that sounds."""
    same, heard = [], []
    for meaning in MEANINGS[view.kept[at]]:
        signs = word.signs[unit : unit + len(meaning)]
        if len(signs) == len(meaning):
            pairs = list(zip(meaning, signs, strict=True))
            if all(char == sign.char for char, sign in pairs):
                same.append(("emoji", 1, len(meaning)))
            elif all(
                char == sign.char or (not sign.is_latin and sounds_like(char, sign)) for char, sign in pairs
            ):
                heard.append(("heard", 1, len(meaning)))
    return same or heard


def _latin_steps(view: View, at: int, word: Word, unit: int) -> list[tuple[str, int, int]]:
    sign = word.signs[unit]
    if sign.is_latin:
        return []
    steps = [("pinyin", len(spelled), 1) for spelled in sign.spelled if view.kept.startswith(spelled, at)]
    letter = view.kept[at]
    if LETTER_SOUNDS.get(letter) in sign.sounds:
        steps.append(("emoji", 1, 1))
    if word.has_initials and any(sound[0] == letter for sound in sign.sounds):
        steps.append(("initials", 1, 1))
    return steps


def _steps(view: View, at: int, word: Word, unit: int) -> list[tuple[str, int, int]]:
    """Return (what stands here for the word's character, kept characters taken, word's characters done)."""
    char, sign = view.kept[at], word.signs[unit]
    if char == sign.char:
        return [("exact", 1, 1)]
    if char in MEANINGS:
        return _symbol_steps(view, at, word, unit)
    if sign.is_latin:
        kind = _for_latin(char, sign)
    elif char.isascii() and char.isalpha():
        return _latin_steps(view, at, word, unit)
    else:
        for way in sign.ways:
            if view.kept.startswith(way, at):
                return [("split", len(way), 1)]
        kind = _for_hanzi(char, sign)
    return [(kind, 1, 1)] if kind else []


def _for_latin(char: str, sign: Sign) -> str:
    if LETTER_SOUNDS.get(sign.char) in hanzi().readings.get(char, ()) and char in LETTER_CHARS:
        return "homophone"
    return "numeral" if sign.value and VALUE.get(char) == sign.value else ""


def _for_hanzi(char: str, sign: Sign) -> str:
    if sign.value and VALUE.get(char) == sign.value:
        return "numeral"
    if sounds_like(char, sign):
        return "homophone"
    rank = sign.looks.get(char)
    if rank is None:
        return ""
    return "shape" if rank < NEAREST else "likeness"


@lru_cache(maxsize=262144)
def kind_alone(char: str, meant: str) -> str:
    """Return how a character may stand for another one by itself: OPEN if what is around decides, or NONE."""
    if char == meant:
        return "exact"
    if char == BETWEEN:
        return NONE
    sign = sign_of(meant)
    # A sign for more than itself, a part of a character: only the close look can tell.
    if char.isascii() or not char.isalpha() or sign.is_latin:
        return OPEN
    if (sign.value and char in VALUE) or any(way[0] == char for way in sign.ways):
        return OPEN
    return _for_hanzi(char, sign) or NONE


def _is_too_much(noise: str) -> bool:
    """Tell whether so much stands between two characters that they are none of one word."""
    seen = sum(noise_cost(char) not in (JOINER, UNSEEN) for char in noise)
    return len(noise) > _MAX_SKIPPED or seen > MAX_NOISE


def _gap(noise: str, word: Word, unit: int) -> str:
    """Return the noise before a character of a word, without the word's own signs and keycaps."""
    rest = noise.replace("\ufe0f", "").replace("\u20e3", "")
    if word.own_gaps and unicodedata.normalize("NFKC", rest) == word.own_gaps[unit - 1]:
        return ""
    return rest


class Purse:
    """What laying may still cost in one text: it keeps the whole work linear, whatever the text."""

    def __init__(self, chars: int) -> None:
        """A text of so many characters may cost that many steps, and some more."""
        self.steps = _STEPS + _STEPS_PER_CHAR * chars


def lay(word: Word, view: View, at: int, purse: Purse) -> Laid | None:
    """Lay a word along a text from a kept character on; None if it lies not there, or the purse is empty."""
    last = at + word.size - 1
    if last < view.many and view.places[last] - view.places[at] == last - at:
        if view.kept.startswith(word.text, at):
            return Laid(at, last, ["exact"] * word.size, [""] * (last - at))
        kinds = list(map(kind_alone, view.kept[at : last + 1], word.text))
        if OPEN not in kinds and NONE not in kinds:
            return Laid(at, last, kinds, [""] * (last - at))
    laid = Laid(at, at)
    return laid if _Laying(word, view, laid, purse).one(at, 0, "", 0) else None


class _Laying:
    """One try to lay a word; where it failed once it is not tried again."""

    def __init__(self, word: Word, view: View, laid: Laid, purse: Purse) -> None:
        self._word, self._view, self._laid, self._purse = word, view, laid, purse
        self._dead: set[tuple[int, int]] = set()

    def _rest(self, at: int, unit: int) -> bool:
        """Lay the word from a character of it on, past noise and repeats."""
        view = self._view
        if unit == self._word.size:
            self._laid.last = at - 1
            return True
        if (at, unit) in self._dead:
            return False
        begin, skipped = at, ""
        for repeats in range(min(_MAX_SKIPPED, view.many - at)):
            skipped += view.text[view.places[at - 1] + 1 : view.places[at]]
            if _is_too_much(skipped):
                break
            if self.one(at, unit, skipped, repeats - sum(char in MEANINGS for char in skipped)):
                return True
            if view.kept[at] in MEANINGS:
                skipped += view.kept[at]
            elif view.kept[at] != view.kept[at - 1]:
                break
            at += 1
        self._dead.add((begin, unit))
        return False

    def one(self, at: int, unit: int, noise: str, repeats: int) -> bool:
        """Lay one character of the word here, and the rest after it; if that fails nothing is changed."""
        laid = self._laid
        self._purse.steps -= 1
        if self._purse.steps < 0:
            return False
        kinds, gaps, count = len(laid.kinds), len(laid.gaps), laid.repeats
        for kind, taken, done in _steps(self._view, at, self._word, unit):
            laid.kinds += [kind] * done
            if unit:
                laid.gaps.append(_gap(noise, self._word, unit))
            laid.gaps += [""] * (done - 1)
            laid.repeats += max(0, repeats)
            if _is_close(self._view, at, taken) and self._rest(at + taken, unit + done):
                return True
            del laid.kinds[kinds:], laid.gaps[gaps:]
            laid.repeats = count
        return False


def _is_close(view: View, at: int, taken: int) -> bool:
    """Tell whether the characters that stand for one are near each other."""
    return taken == 1 or all(
        view.places[i + 1] - view.places[i] - 1 <= MAX_NOISE for i in range(at, at + taken - 1)
    )
