"""The first look at a text: automata that find where a watched word may begin, by sound and by shape.

A class of sound is one character of the private area: a text becomes a string of classes by one translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, product

from daachorse import CharwiseDoubleArrayAhoCorasick

from controller.words.aligning import Word, sign_of
from controller.words.hanzi import hanzi, syllables
from controller.words.symbols import LETTER_SOUNDS

_SOUNDS, _MIXED_SOUNDS = 0xE000, 0xE400
PREFIX, _MOST_FORMS, _MOST_WAYS = 3, 27, 2
# A long list looks for the nearest look-alikes only, so that it is in effect within its time.
_SHAPES_IN_ALL, _FEWEST_SHAPES = 150_000, 3


@dataclass(frozen=True, slots=True)
class Classes:
    """Class of sound of each character and each syllable; all classes a syllable's characters may be in."""

    sound_of: dict[str, str]
    by_syllable: dict[str, str]
    rivals: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def classes() -> Classes:
    """Return the classes, made once per process: characters with several readings have their own."""
    by_syllable = {sound: chr(_SOUNDS + place) for place, sound in enumerate(sorted(syllables()))}
    sound_of: dict[str, str] = {}
    mixed: dict[tuple[str, ...], str] = {}
    rivals: dict[str, list[str]] = {code: [code] for code in by_syllable.values()}
    for char, sounds in hanzi().readings.items():
        if len(sounds) == 1:
            sound_of[char] = by_syllable[sounds[0]]
            continue
        if sounds not in mixed:
            mixed[sounds] = chr(_MIXED_SOUNDS + len(mixed))
            for sound in sounds:
                rivals[by_syllable[sound]].append(mixed[sounds])
        sound_of[char] = mixed[sounds]
    for letter, sound in LETTER_SOUNDS.items():
        rivals[by_syllable[sound]].append(letter)
    return Classes(sound_of, by_syllable, {code: tuple(others) for code, others in rivals.items()})


@lru_cache(maxsize=1)
def sounds_of_folded() -> dict[int, str]:
    """Return the translation of folded text into classes of sound."""
    return {ord(char): code for char, code in classes().sound_of.items()}


@cache
def _codes(char: str) -> tuple[str, ...]:
    known = classes()
    codes = [known.sound_of.get(char, char)]
    for sound in sorted(sign_of(char).sounds):
        codes += known.rivals[known.by_syllable[sound]]
    return tuple(dict.fromkeys(codes))


@cache
def _ways(char: str) -> tuple[str, ...]:
    """Return the class of a character, and those of the parts that it may be written as."""
    own = classes().sound_of
    ways = sign_of(char).ways[:_MOST_WAYS]
    return own.get(char, char), *("".join(own.get(part, part) for part in way) for way in ways)


def _whole_forms(word: Word) -> Iterator[str]:
    """Return the class strings that a word's beginning has when each character is one character."""
    codes = [_codes(sign.char) for sign in word.signs[:PREFIX]]
    return islice(map("".join, product(*codes)), _MOST_FORMS)


def _other_forms(word: Word) -> Iterator[str]:
    """Return those with characters written as their parts, or as the first letters of their sounds."""
    ways = [_ways(sign.char) for sign in word.signs[:PREFIX]]
    if any(len(way) > 1 for way in ways):
        yield from islice(map("".join, product(*ways)), 1, None)
    if word.has_initials:
        letters = [sorted({sound[0] for sound in sign.sounds}) for sign in word.signs[:PREFIX]]
        both = product(*([way[0], *letter] for way, letter in zip(ways, letters, strict=True)))
        yield from islice(map("".join, both), 1, None)


def _shape_forms(word: Word, nearest: int) -> Iterator[str]:
    """Return a word's beginning with one character changed for one that looks like it."""
    chars = [sign.char for sign in word.signs[:PREFIX]]
    for place, sign in enumerate(word.signs[:PREFIX]):
        for other, rank in sign.looks.items():
            if rank < nearest:
                yield "".join([*chars[:place], other, *chars[place + 1 :]])


def squeezed(text: str) -> str:
    """Return a text with each run of one character made one."""
    return "".join(char for place, char in enumerate(text) if not place or text[place - 1] != char)


@dataclass(frozen=True, slots=True)
class Sieve:
    """An automaton, and of each of its patterns the words that may begin where it is found.

    `is_pair` tells that a pattern is the whole sound of words of two characters; `is_whole`, that it is the
    sound of the first three of longer ones, character by character.
    """

    automaton: CharwiseDoubleArrayAhoCorasick | None
    words: tuple[Sequence[Word], ...]
    is_pair: bytes
    is_whole: bytes

    def places(self, text: str) -> list[tuple[int, int, int]]:
        """Return (start, end, pattern) in a string, overlapping ones too."""
        return self.automaton.find_overlapping(text) if self.automaton else []


class _Forms:
    """Forms with the words that have them, gathered word by word."""

    def __init__(self) -> None:
        """No form yet."""
        self.words: dict[str, Sequence[Word]] = {}

    def add(self, word: Word, forms: Iterable[str]) -> None:
        """Add forms of a word; one that it has already is passed over."""
        words, alone = self.words, (word,)
        for form in forms:
            known = words.setdefault(form, alone)
            if known is not alone and known[-1] is not word:
                if isinstance(known, list):
                    known.append(word)
                else:
                    words[form] = [known[0], word]

    def sieve(self, pairs: bytes = b"", whole: bytes = b"") -> Sieve:
        """Return the sieve of these forms."""
        automaton = CharwiseDoubleArrayAhoCorasick(list(self.words)) if self.words else None
        return Sieve(automaton, tuple(self.words.values()), pairs, whole)


def sound_sieve(words: Iterable[Word]) -> tuple[Sieve, Sieve]:
    """Return the sieve over strings of sound classes, and what it lacks for text without its repeats.

    That are the forms with a repeat in them, with it taken out.
    """
    found, short = _Forms(), _Forms()
    others: set[str] = set()
    for word in words:
        forms = list(_whole_forms(word))
        found.add(word, forms)
        if len(forms[0]) == PREFIX:
            short.add(word, [squeezed(f) for f in forms if (f[0] == f[1]) != (f[1] == f[2])])
        other = list(_other_forms(word))
        if other:
            found.add(word, other)
            others.update(other)
    pairs = bytes(
        len(form) == 2 and form not in others and all(word.size == 2 for word in words)
        for form, words in found.words.items()
    )
    whole = bytes([len(form) == PREFIX and form not in others for form in found.words])
    return found.sieve(pairs, whole), short.sieve()


def has_whole_form(word: Word, form: str) -> bool:
    """Tell whether a string of classes is a word's beginning, each character as one."""
    return form in _whole_forms(word)


def shape_sieve(words: Sequence[Word]) -> Sieve:
    """Return the sieve over folded text for words with one character changed by its look."""
    many = sum(min(word.size, PREFIX) for word in words if word.size > 1)
    nearest = max(_FEWEST_SHAPES, _SHAPES_IN_ALL // max(1, 2 * many))
    found = _Forms()
    for word in words:
        if word.size > 1:
            found.add(word, _shape_forms(word, nearest))
    return found.sieve()
