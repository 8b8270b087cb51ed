"""The monitor of words: entries found through disguises, and silence where one is met by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.words.aligning import MAX_NOISE, Laid, Purse, Word, lay
from controller.words.allowing import Spans, allowed, silenced
from controller.words.entry import Entry, EntryType, Lexicon
from controller.words.found import Found, Passed, Why
from controller.words.judging import MIN_HEARD_PAIR, MIN_PAIR, cost_of, how_of, is_latin, is_meant
from controller.words.lexicon import read
from controller.words.likely import (
    MANY,
    Likely,
    codes_of,
    is_letter,
    is_plain,
    is_repeated,
    owners_of,
    without_repeats,
)
from controller.words.mentions import MOST_JUDGED, is_mention
from controller.words.ordinary import Readings
from controller.words.patterns import Patterns
from controller.words.screening import (
    PAIR,
    is_hopeless,
    is_hopeless_in_parts,
    is_inside_letters,
    is_out_of_place,
    is_torn_apart,
    may_follow,
)
from controller.words.sieve import PREFIX, Sieve, has_whole_form, shape_sieve, sound_sieve, squeezed
from controller.words.spelling import plain_of, words_of
from controller.words.stream import CLAUSE_GAP, CODES, NO_GAP, OTHER, Stream, stream_of, stream_of_all
from controller.words.variants import may_be_pinyin, symbols_for, variants
from controller.words.view import View, view_of

Rough = tuple[int, Sequence[Word]]


class Monitor:
    """A lexicon put in effect; finding keeps no state, so that many threads may share one."""

    def __init__(self, lexicon: Lexicon) -> None:
        """Build the automata; 10,000 words take about two seconds, the language's tables one more, once."""
        self._entries: tuple[Entry, ...] = tuple(e for e in lexicon.entries if e.type is EntryType.WORD)
        self._words = words_of(self._entries)
        self._allowed = allowed(lexicon.allow.phrases, self._words)
        self._patterns = Patterns.of(lexicon.entries, lexicon.allow)
        self._sounds, self._short = sound_sieve(self._words)
        self._shapes: Sieve = shape_sieve(self._words)
        self._symbols = symbols_for(self._words)
        self._is_symbol = np.zeros(CODES, dtype=np.bool_)
        self._is_symbol[[ord(symbol) for symbol in self._symbols]] = True
        self._pairs = frozenset(text for text in plain_of(self._words) if len(text) == PAIR)
        self._likely = Likely.of(self._sounds, self._pairs)

    def find(self, text: str) -> list[Found]:
        """Return what is found in a text, in order; hits of words do not overlap each other."""
        places = self._rough(stream_of(text))
        if is_plain(text):
            is_special, has_patterns = False, self._patterns.may_count(text)
        else:
            is_special, has_patterns = self._may_be_special(text), self._patterns.may_hold(text)
        if not (places or is_special or has_patterns):
            return []
        return self._close(text, places, is_special, has_patterns)

    def find_all(self, texts: Sequence[str]) -> list[tuple[int, Found]]:
        """Return what is found in many texts, in order, each with its text's place among them."""
        if not texts:
            return []
        stream, kept, begins, codes = stream_of_all(texts)
        special = self._special_of(texts, codes, begins)
        held = self._patterns.held_by(texts, codes, begins)
        places: dict[int, list[Rough]] = {}
        rough = self._rough(stream)
        if rough:
            at = kept[[place for place, _ in rough]]
            owners = np.searchsorted(begins, at, side="right") - 1
            firsts = np.searchsorted(kept, begins)
            for owner, (place, words) in zip(owners.tolist(), rough, strict=True):
                places.setdefault(owner, []).append((place - int(firsts[owner]), words))
        # The stream of many has 16 bits for a character: who holds others is read alone.
        rare = np.flatnonzero(codes_of(stream.folded) == ord(OTHER)) if OTHER in stream.folded else ()
        alone = set(owners_of(kept[rare], begins)) if len(rare) else set()
        found = []
        for place in sorted(special | held | places.keys() | alone):
            if place in alone:
                hits = self.find(texts[place])
            else:
                hits = self._close(texts[place], places.get(place, []), place in special, place in held)
            found += [(place, hit) for hit in hits]
        return found

    def passed_over(self, text: str) -> list[Passed]:
        """Return where entries can be read in a text that are no hits there, in order, and why.

        For people who ask about one text: it looks at every candidate closely, which find() does not.
        """
        view, stream = view_of(text), stream_of(text)
        rough = self._repeated(stream)
        for sieve, signs in ((self._shapes, stream.folded), (self._sounds, stream.sounds)):
            rough += [(start, sieve.words[pattern]) for start, _, pattern in sieve.places(signs)]
        candidates = self._candidates(view, rough, is_special=self._may_be_special(text))
        passed: list[Passed] = []
        hits = self._judged(view, candidates, passed)
        shown = _together(self._patterns.find(text), hits)
        passed += [
            Passed(hit.entry_id, hit.word, hit.start, hit.end, Why.COVERED)
            for hit in hits
            if hit not in shown
        ]
        # A repeated character begins the same hit more than once.
        told = {(hit.entry_id, hit.start, hit.end) for hit in shown}
        passed = [one for one in passed if (one.entry_id, one.start, one.end) not in told]
        return sorted(set(passed), key=lambda one: (one.start, one.end, one.entry_id))

    def _may_be_special(self, text: str) -> bool:
        """Tell whether a text may have pinyin or a symbol for a word in it."""
        return not self._symbols.isdisjoint(text) or may_be_pinyin(text)

    def _special_of(
        self, texts: Sequence[str], codes: npt.NDArray[np.uint32], begins: npt.NDArray[np.intp]
    ) -> set[int]:
        """Return which of many texts may have pinyin or a symbol for a word in it."""
        symbols = np.flatnonzero(self._is_symbol[codes])
        letters = np.flatnonzero(is_letter()[codes])
        with_letters = set(owners_of(letters, begins))
        return set(owners_of(symbols, begins)) | {
            place for place in with_letters if may_be_pinyin(texts[place])
        }

    def _rough(self, stream: Stream) -> list[Rough]:
        """Return where words may begin: (kept character, words)."""
        sieve, folded = self._sounds, stream.folded
        found: list[Rough] = []
        for start, _, pattern in self._shapes.places(folded):
            words = [w for w in self._shapes.words[pattern] if not is_out_of_place(w, stream, start)]
            if words:
                found.append((start, words))
        places = sieve.places(stream.sounds)
        if len(places) > MANY:
            places = self._likely.among(places, stream)
        for start, end, pattern in places:
            every = sieve.words[pattern]
            if sieve.is_pair[pattern]:
                words = self._pairs_at(every, stream, start)
            elif sieve.is_whole[pattern]:
                words = [word for word in every if self._may_be(word, stream, start, end)]
            else:
                words = self._others_at(every, stream, start, end)
            if words:
                found.append((start, words))
        return found + self._repeated(stream)

    @staticmethod
    def _others_at(words: Sequence[Word], stream: Stream, start: int, end: int) -> list[Word]:
        """Return which words may be written here as parts, or as the first letters of their sounds."""
        folded, gaps = stream.folded, stream.gaps
        if start and not gaps[start - 1] and is_latin(folded[start]) and is_latin(folded[start - 1]):
            return []
        words = [word for word in words if not is_hopeless_in_parts(word, folded, gaps, start, end)]
        if end - start != PAIR or not (is_latin(folded[start]) or is_latin(folded[start + 1])):
            return list(words)
        return [word for word in words if word.size > PAIR or not is_inside_letters(word, stream, start)]

    def _pairs_at(self, words: Sequence[Word], stream: Stream, start: int) -> list[Word]:
        """Return which pairs two characters may be that sound like them."""
        gap = stream.gaps[start]
        if gap == CLAUSE_GAP:
            return []
        pair = stream.folded[start : start + PAIR]
        is_exact = pair in self._pairs
        if gap == NO_GAP and not is_exact and is_hopeless(pair):
            return []
        left = [word for word in words if not is_out_of_place(word, stream, start)]
        if left and gap == NO_GAP:
            cost = MIN_PAIR if is_exact else MIN_HEARD_PAIR
            if is_torn_apart(stream.folded, stream.gaps, start, start + PAIR, cost):
                return []
        return left

    @staticmethod
    def _may_be(word: Word, stream: Stream, start: int, end: int) -> bool:
        """Tell whether a word of three characters or more may lie where its beginning sounds like it does."""
        folded, gaps = stream.folded, stream.gaps
        if word.size > PREFIX:
            return may_follow(word, folded, end) and not is_out_of_place(word, stream, start)
        if is_out_of_place(word, stream, start):
            return False
        if any(gaps[start : end - 1]) or not folded[start:end].isalpha():
            return True
        return not is_torn_apart(folded, gaps, start, end, 0.0)

    def _repeated(self, stream: Stream) -> list[Rough]:
        """Return where words may begin whose characters are repeated."""
        if not is_repeated(stream):
            return []
        text, firsts, is_run = without_repeats(stream)
        found: list[Rough] = []
        sieve = self._sounds
        for start, end, pattern in sieve.places(text):
            if end - start < PAIR or is_run.find(1, start, end) < 0:
                continue
            form = text[start:end]
            if squeezed(form) != form:
                continue
            words = sieve.words[pattern]
            if not (sieve.is_pair[pattern] or sieve.is_whole[pattern]):
                words = [word for word in words if has_whole_form(word, form)]
            if words:
                found.append((firsts[start], words))
        return found + [
            (firsts[start], self._short.words[pattern])
            for start, end, pattern in self._short.places(text)
            if is_run.find(1, start, end) >= 0
        ]

    def _close(self, text: str, rough: list[Rough], is_special: bool, has_patterns: bool) -> list[Found]:
        """Look closely at a text where words may begin."""
        patterns = self._patterns.look(text) if has_patterns else []
        if not (rough or is_special):
            return patterns
        view = view_of(text)
        candidates = self._candidates(view, rough, is_special=is_special)
        return _together(patterns, self._judged(view, candidates)) if candidates else patterns

    def _candidates(self, view: View, rough: list[Rough], *, is_special: bool) -> dict[tuple[int, int], Word]:
        """Return the words that may begin at kept characters, by their numbers and these."""
        candidates = {(word.number, view.plain[place]): word for place, words in rough for word in words}
        if is_special:
            for classed, starts in variants(view):
                for start, _, pattern in self._sounds.places(classed):
                    candidates |= {(word.number, starts[start]): word for word in self._sounds.words[pattern]}
        return candidates

    def _judged(
        self, view: View, candidates: Mapping[tuple[int, int], Word], passed: list[Passed] | None = None
    ) -> list[Found]:
        readings = Readings(view.marks)
        purse = Purse(len(view.text))
        spans: tuple[Spans, Spans] | None = None
        meant: list[tuple[float, Word, Laid]] = []
        for (_, at), word in candidates.items():
            laid = lay(word, view, at, purse)
            if laid is None:
                continue
            if laid.repeats:
                first, last = _stretch(view, laid)
                laid.repeats += laid.first - first + last - laid.last
                laid.first, laid.last = first, last
            spans = spans or self._allowed.spans(view)
            why = silenced(view, laid, spans)
            cost = cost_of(word, laid)
            if not why and is_meant(word, laid, view, readings, cost):
                meant.append((cost, word, laid))
            elif passed is not None:
                passed.append(self._passed(view, word, laid, why or Why.ORDINARY))
        return self._kept(view, meant, passed)

    def _kept(
        self, view: View, meant: list[tuple[float, Word, Laid]], passed: list[Passed] | None
    ) -> list[Found]:
        meant.sort(key=lambda m: (-m[1].size, m[0], m[2].first))
        taken: set[int] = set()
        found = []
        for judged, (_, word, laid) in enumerate(meant):
            why = Why.COVERED
            if taken.isdisjoint(range(laid.first, laid.last + 1)):
                first, last = _stretch(view, laid)
                if taken.isdisjoint(range(first, last + 1)):
                    laid.repeats += laid.first - first + last - laid.last
                    laid.first, laid.last = first, last
                first, last = laid.first, laid.last
                taken.update(range(first, last + 1))
                entry = self._entries[word.entry]
                start, end = view.places[first], view.places[last] + 1
                if judged >= MOST_JUDGED or not is_mention(view.text, start, end):
                    surface = view.text[start:end]
                    how = how_of(word, laid, surface, entry.word)
                    found.append(Found(entry.id, entry.word, start, end, how))
                    continue
                why = Why.MENTION
            if passed is not None:
                passed.append(self._passed(view, word, laid, why))
        return sorted(found, key=lambda hit: (hit.start, hit.end))

    def _passed(self, view: View, word: Word, laid: Laid, why: Why) -> Passed:
        entry = self._entries[word.entry]
        return Passed(entry.id, entry.word, view.places[laid.first], view.places[laid.last] + 1, why)


def _together(patterns: list[Found], words: list[Found]) -> list[Found]:
    """Return hits of patterns and of words in order; a word inside a link or an address is none."""
    if not patterns:
        return words
    apart = [w for w in words if not any(p.start <= w.start and w.end <= p.end for p in patterns)]
    return sorted([*patterns, *apart], key=lambda hit: (hit.start, hit.end))


def _stretch(view: View, laid: Laid) -> tuple[int, int]:
    """Return the first and last kept character of a hit with the repeats at both ends."""
    first, last = laid.first, laid.last
    near = MAX_NOISE + 1 if any(laid.gaps) else 1
    places, kept = view.places, view.kept
    while first and kept[first - 1] == kept[first] and places[first] - places[first - 1] <= near:
        first -= 1
    while last + 1 < view.many and kept[last + 1] == kept[last] and places[last + 1] - places[last] <= near:
        last += 1
    return first, last


def compiled(lexicon: Lexicon) -> Monitor:
    """Return a lexicon put in effect."""
    return Monitor(lexicon)


def make(lexicon: Mapping[str, Any]) -> Callable[[str], list[tuple[str, int, int]]]:
    """Return the matcher of a lexicon's document: (word, start, end) of each violation, in order."""
    monitor = compiled(read(lexicon))

    def match(text: str) -> list[tuple[str, int, int]]:
        return [(found.word, found.start, found.end) for found in monitor.find(text)]

    return match


__all__ = ["Monitor", "compiled", "make"]
