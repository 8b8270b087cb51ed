"""Whether a word that can be read in a text was meant: the cost of that reading against an ordinary one.

All costs are in nats. An ordinary reading pays for its words and for each sign between them; the reading as a
watched word pays for the word and for each disguise, of which the first of a kind is the dearest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from controller.words.aligning import MAX_NOISE, Laid, Word
from controller.words.found import How
from controller.words.hanzi import syllables
from controller.words.ordinary import Readings
from controller.words.stream import CLAUSE_MARKS
from controller.words.view import View
from controller.words.vocabulary import vocabulary

_WORD, _MORE_CHAR = 9.5, 1.0
# First of a kind, each further one.
_DISGUISE = {
    "exact": (0.0, 0.0),
    "homophone": (4.5, 4.5),
    "shape": (6.0, 4.5),
    "likeness": (9.5, 5.0),
    "numeral": (0.0, 0.0),
    "split": (3.0, 3.0),
    "emoji": (1.5, 1.5),
    "heard": (3.5, 2.0),
    "pinyin": (2.5, 2.5),
    "initials": (3.0, 2.0),
}
_HOW = {
    "homophone": How.HOMOPHONE,
    "shape": How.SHAPE,
    "likeness": How.SHAPE,
    "numeral": How.NUMERAL,
    "split": How.SPLIT,
    "emoji": How.EMOJI,
    "heard": How.EMOJI,
    "pinyin": How.PINYIN,
    "initials": How.INITIALS,
}
_GAP, _MORE_GAP, _NOT_EVERY_GAP = 4.0, 1.0, 1.5
_REPEAT, _MORE_REPEAT, _REPEATED_SOUND = 2.5, 0.3, 3.0

CROSSED = 4.0  # for each end inside a word of the ordinary reading
TORN_BY = 3.0  # so much better the short word must be read than a word it tears
_DOUBT = 0.0
_SHORT = 1.5  # two characters with one changed are met by chance
_WRITTEN = frozenset({"exact", "numeral", "homophone", "shape", "likeness"})
_TAKERS = frozenset("发收要给抢领拿包送个的大小讨塞封转有没")
# 给你🧧, 发大家🧧: whom it is given to stands between.
_TO_WHOM, _TO_WHOM_CHARS = re.compile("(?:[你您我他她咱]们?|大家|各位)$"), 4
_LONGEST = 96  # letters past an end are looked at so far
_JOINTS = frozenset("._-/@:#")


MIN_PAIR = _WORD
MIN_HEARD_PAIR = _WORD + _DISGUISE["homophone"][0] + _SHORT


def is_written(laid: Laid) -> bool:
    """Tell whether a word stands as it is written, all characters its own and nothing between."""
    return (
        not laid.repeats and not any(laid.gaps) and all(kind in ("exact", "numeral") for kind in laid.kinds)
    )


def cost_of_kinds(size: int, kinds: Sequence[str]) -> float:
    """Return what a word of so many characters costs by what stands for each of them."""
    cost = _WORD + _MORE_CHAR * (size - 2)
    for kind in set(kinds):
        first, more = _DISGUISE[kind]
        cost += first + more * (kinds.count(kind) - 1)
        if size == 2 and kind in ("homophone", "shape", "likeness"):
            cost += _SHORT
    return cost


def cost_of_gaps(noisy: int, gaps: int) -> float:
    """Return what it costs that so many of a word's gaps have noise in them."""
    return _GAP + _MORE_GAP * (noisy - 1) + _NOT_EVERY_GAP * (noisy < gaps) if noisy else 0.0


def cost_of(word: Word, laid: Laid) -> float:
    """Return what it costs to read the word where it lies."""
    cost = cost_of_kinds(word.size, laid.kinds)
    noisy = sum(map(bool, laid.gaps))
    cost += cost_of_gaps(noisy, len(laid.gaps))
    if laid.repeats:
        cost += _REPEATED_SOUND * ("homophone" in laid.kinds)
        cost += _REPEAT + _MORE_REPEAT * (laid.repeats - 1)
    return cost


def how_of(word: Word, laid: Laid, surface: str, written: str) -> How:
    """Return the disguise that a word, written so in its entry, lies in."""
    if surface == written:
        return How.PLAIN
    kinds = {_HOW[kind] for kind in laid.kinds if kind != "exact"}
    if any(laid.gaps):
        kinds.add(How.NOISE)
    if word.is_respelled:
        kinds.add(How.NUMERAL)
    if laid.repeats:
        kinds.add(How.REPEAT)
    if not kinds:
        return How.FOLDED
    return kinds.pop() if len(kinds) == 1 else How.MIXED


def is_meant(word: Word, laid: Laid, view: View, readings: Readings, cost: float) -> bool:
    """Tell whether a text is better read with the word where it lies, at this cost, than as it stands."""
    start, end = view.places[laid.first], view.places[laid.last] + 1
    if not _has_borders(word, laid, view) or _is_clause_break(laid):
        return False
    kinds = set(laid.kinds)
    begin, reading = readings.around(start, end)
    first, last = start - begin, end - begin
    over = reading.word_over(first), reading.word_over(last)
    crossed = sum(map(bool, over))
    ordinarily = reading.whole - reading.before[first] - reading.after[last]
    gain = ordinarily - cost - CROSSED * crossed
    is_torn = crossed and end - start == word.size and kinds <= _WRITTEN and _is_torn(first, last, over)
    if is_torn and (word.size > 2 or gain < TORN_BY):
        return False
    if end - start == word.size and kinds <= {"exact", "numeral"} and not crossed:
        return True
    if kinds == {"initials"}:
        return True
    if kinds == {"emoji"} and laid.first == laid.last:
        return _is_object(view, laid.first)
    if _is_ordinary_itself(laid, view, start, end):
        return False
    return gain > _DOUBT


def _is_torn(start: int, end: int, over: tuple[tuple[int, int] | None, tuple[int, int] | None]) -> bool:
    """Tell whether an ordinary word takes one character off an end of the span, or has the span inside it.

    A word that takes two or more (加我微信|号) is rather a compound with the watched word's end.
    """
    left, right = over
    if left and (left[1] - start == 1 or left[1] >= end):
        return True
    return bool(right and (end - right[0] == 1 or right[0] <= start))


def _is_object(view: View, at: int) -> bool:
    """Tell whether a symbol alone stands where a verb or a measure wants its noun, and once."""
    place = view.places[at]
    again = view.text[place + 1 : place + 2] == view.text[place]
    before = _TO_WHOM.sub("", view.marks[max(0, place - _TO_WHOM_CHARS) : place])
    return before[-1:] in _TAKERS and bool(before) and not again


def _is_clause_break(laid: Laid) -> bool:
    """Tell whether the only sign inside a word is one that ends a clause: that is punctuation, not noise."""
    if not {"pinyin", "split", "emoji", "heard"}.isdisjoint(laid.kinds):
        return False
    noisy = [gap for gap in laid.gaps if gap]
    return len(noisy) == 1 and not CLAUSE_MARKS.isdisjoint(noisy[0])


def _is_ordinary_itself(laid: Laid, view: View, start: int, end: int) -> bool:
    """Tell whether what stands for the word is an ordinary word, or holds one that the change makes."""
    surface = view.marks[start:end]
    changed = {kind for kind in laid.kinds if kind != "exact"}
    if not changed or not changed <= {"homophone", "shape", "likeness"}:
        return False
    if surface in vocabulary().numbers:
        return True
    if len(surface) != 3 or not changed <= {"shape", "likeness"}:
        return False
    return any(
        {*laid.kinds[at : at + 2]} != {"exact"} and surface[at : at + 2] in vocabulary().numbers
        for at in (0, 1)
    )


def _has_borders(word: Word, laid: Laid, view: View) -> bool:
    """Tell whether latin letters of the hit stand apart from others; pinyin may go on as pinyin."""
    before, after = view.places[laid.first], view.places[laid.last]
    return _side_is_free(word, laid, view, before, -1) and _side_is_free(word, laid, view, after, 1)


def _side_is_free(word: Word, laid: Laid, view: View, place: int, step: int) -> bool:
    marks, kind = view.marks, laid.kinds[0 if step < 0 else -1]
    if not is_latin(marks[place]):
        return True
    if any(laid.gaps) and _is_spelled_on(laid, view, step):
        return False
    if _is_joined(marks, place + step, step):
        return any(laid.gaps) and not word.needs_latin_border
    end = place + step
    while 0 <= end < len(marks) and is_latin(marks[end]) and abs(end - place) <= _LONGEST:
        end += step
    rest = marks[place + 1 : end] if step > 0 else marks[end + 1 : place]
    if not rest:
        return True
    if kind == "pinyin":
        return is_pinyin(rest) and not _is_joined(marks, end, step)
    if len(rest) > 1 and set(rest) == {marks[place]}:
        return True
    is_alone = kind in ("initials", "emoji", "heard") or word.needs_latin_border
    return not is_alone and marks[place + step].isdigit() != marks[place].isdigit()


def _is_joined(marks: str, at: int, step: int) -> bool:
    """Tell whether a sign here joins letters to more letters, as in an address or a file's name."""
    return (
        0 <= at < len(marks)
        and marks[at] in _JOINTS
        and 0 <= at + step < len(marks)
        and is_latin(marks[at + step])
    )


def _is_spelled_on(laid: Laid, view: View, step: int) -> bool:
    """Tell whether letters go on one by one past an end (I S B N)."""
    rank = (laid.first if step < 0 else laid.last) + step
    if not 0 <= rank < view.many:
        return False
    place = view.places[rank]
    alone = not is_latin(view.marks[place + step : place + step + 1] if step > 0 or place else "")
    return is_latin(view.marks[place]) and alone and abs(place - view.places[rank - step]) <= MAX_NOISE


def is_latin(mark: str) -> bool:
    """Tell whether a folded character is a latin letter or a digit."""
    return mark.isascii() and mark.isalnum()


def is_pinyin(letters: str) -> bool:
    """Tell whether letters are whole syllables one after the other."""
    known = syllables()
    reached = {0}
    for end in range(1, len(letters) + 1):
        if any(end - size in reached and letters[end - size : end] in known for size in range(1, 7)):
            reached.add(end)
    return len(letters) in reached
