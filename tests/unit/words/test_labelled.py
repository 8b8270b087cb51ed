"""The labelled messages: the matcher reaches its goals, the scorer tells bad ones, the labels are right."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from pypinyin import Style, lazy_pinyin, pinyin

from controller.words import make
from tests.support import wordnaive
from tests.support.wordgoals import Measure, measures
from tests.support.wordlabels import DATA, Hit, Message, lexicon, messages
from tests.support.wordscore import EVASIONS, FOLDING, NOISE, Match, Score, iou, paired, score
from tests.support.wordsmith import id_character, labelled, luhn_digit, to_line

TRAPS = ("boundary", "longer", "skip", "latin", "homophone", "policy", "number", "split", "repeat", "plain")
# What is asked of every technique of folding and noise, and of plain, in percent.
FLOORS = dict.fromkeys((*FOLDING, *NOISE), 97.0) | {"plain": 99.0, "plain_trap": 90.0}


@cache
def judged() -> Score:
    return score(messages(), make(lexicon()), lexicon()["allow"]["phrases"])


def of(name: str, result: Score) -> Measure:
    return next(m for m in measures(result) if m.name == name)


class TestGoals:
    """What the matcher must reach on this set."""

    def test_words_are_found_and_little_else(self) -> None:
        assert judged().words.f1 >= 92, judged().words

    def test_patterns_are_found_and_little_else(self) -> None:
        assert judged().patterns.f1 >= 95, judged().patterns

    def test_harmless_messages_stay_unflagged(self) -> None:
        assert of("harmless flagged", judged()).reached

    def test_a_rule_that_names_a_word_is_no_violation(self) -> None:
        assert (judged().flagged("policy") or 0) <= 15

    @pytest.mark.parametrize("technique", FLOORS)
    def test_each_folding_and_noise_is_seen_through(self, technique: str) -> None:
        assert (judged().recall(technique) or 0) >= FLOORS[technique]

    @pytest.mark.parametrize(
        "goal", [m.name for m in measures(Score()) if "recall of" in m.name or ":" in m.name]
    )
    def test_each_goal_of_the_table(self, goal: str) -> None:
        figure = of(goal, judged())
        assert figure.value is not None
        assert figure.reached, figure.line()

    def test_a_marked_span_is_exact(self) -> None:
        assert of("F1 lost by strict spans", judged()).reached


class TestScorer:
    """A scorer that praised everybody would prove nothing."""

    def scored(self, match: Match) -> Score:
        return score(messages(), match, lexicon()["allow"]["phrases"])

    def test_the_truth_reaches_everything(self) -> None:
        result = self.scored(wordnaive.oracle(messages()))
        assert all(m.reached and m.stretched for m in measures(result))
        assert not result.failures

    @pytest.mark.parametrize("naive", [wordnaive.substring, wordnaive.strip_all, wordnaive.strip_all_pinyin])
    def test_naive_matchers_fail(self, naive: object) -> None:
        result = self.scored(naive(lexicon()))  # type: ignore[operator]  # a parametrised function
        assert result.words.f1 < 80
        assert result.flagged("policy") == 100
        assert result.flagged("boundary") == 100
        assert sum(not m.reached for m in measures(result)) > 10

    def test_folding_shows_in_the_folding_techniques(self) -> None:
        plain, stripped = (self.scored(m(lexicon())) for m in (wordnaive.substring, wordnaive.strip_all))
        assert all((plain.recall(name) or 0) < 50 for name in (*FOLDING, *NOISE))
        assert all((stripped.recall(name) or 0) >= 85 for name in (*FOLDING, *NOISE) if name != "repeat")

    def test_silence_has_no_recall(self) -> None:
        result = self.scored(lambda _: [])
        assert result.words.recall == 0
        assert result.macro_recall() == 0
        assert of("harmless flagged", result).value == 0

    def test_a_cry_at_everything_flags_everything(self) -> None:
        result = self.scored(lambda text: [("红包", 0, len(text))])
        assert of("harmless flagged", result).value == 100
        assert result.words.precision < 5

    def test_one_character_too_much_is_found_but_not_strictly(self) -> None:
        truth = wordnaive.oracle(messages())
        result = self.scored(lambda text: [(w, max(0, s - 1), e) for w, s, e in truth(text)])
        assert result.words.f1 > 95
        assert not of("F1 lost by strict spans", result).reached

    def test_a_hit_counts_once(self) -> None:
        message = Message(
            id="x", text="红包红包", hits=(Hit("红包", 0, 2), Hit("红包", 2, 4)), technique="plain"
        )
        result = score([message], lambda _: [("红包", 0, 2), ("红包", 0, 2), ("红包", 1, 3)])
        assert (result.words.right, result.words.wrong, result.words.missed) == (1, 2, 1)

    def test_the_word_must_be_the_right_one(self) -> None:
        assert paired([Hit("红包", 0, 2)], [Hit("回扣", 0, 2)]) == {}
        assert iou(Hit("红包", 0, 2), Hit("红包", 2, 4)) == 0
        assert iou(Hit("红包", 0, 4), Hit("红包", 1, 3)) == 0.5

    def test_reverse_stands_outside_every_sum(self) -> None:
        message = Message(id="x", text="包红", hits=(Hit("红包", 0, 2),), technique="reverse")
        result = score([message], lambda _: [])
        assert result.words.missed == result.both.missed == result.messages.missed == 0
        assert result.recall("reverse") == 0


class TestLabels:
    """The set is what its sentences make, and its labels hold."""

    def test_the_file_is_made_of_the_sentences(self) -> None:
        made = "".join(to_line(m) + "\n" for m in labelled())
        assert made == (DATA / "labelled.jsonl").read_text("utf-8"), "run python -m tests.support.wordsmith"

    def test_every_technique_and_trap_has_its_share(self) -> None:
        techniques = Counter(m.technique for m in messages())
        traps = Counter(m.trap for m in messages())
        assert all(techniques[name] >= 20 for name in EVASIONS)
        assert min(techniques["pattern"], techniques["pattern_evasion"], techniques["plain_trap"]) >= 40
        assert all(traps[name] >= (20 if name in ("split", "repeat") else 30) for name in TRAPS)
        assert traps["plain"] >= 60
        assert 0.35 < sum(not m.hits for m in messages()) / len(messages()) < 0.6

    def test_no_message_stands_twice(self) -> None:
        assert len({m.id for m in messages()}) == len(messages())
        texts = Counter(m.text for m in messages())
        assert not [text for text, n in texts.items() if n > 1]

    def test_spans_lie_in_the_text_and_on_something(self) -> None:
        known = {e["word"] for e in lexicon()["entries"]}
        for m in messages():
            assert bool(m.hits) == bool(m.technique)
            assert all(h.word in known and 0 <= h.start < h.end <= len(m.text) for h in m.hits), m.id
            assert all(m.text[h.start : h.end].strip() == m.text[h.start : h.end] for h in m.hits), m.id
            assert all(a.end <= b.start for a, b in pairwise(m.hits)), m.id

    def test_no_word_stands_unlabelled(self) -> None:
        allowed = lexicon()["allow"]["phrases"]
        for m in messages():
            if m.technique:
                for word, start, end in wordnaive.substring(lexicon())(m.text):
                    covered = any(h.start <= start and end <= h.end for h in m.hits)
                    assert covered or any(word in a and a in m.text for a in allowed), m.id

    def test_traps_hold_what_would_trap_a_naive_matcher(self) -> None:
        plain = wordnaive.substring(lexicon())
        sounds = wordnaive.strip_all_pinyin(lexicon())
        stripped = wordnaive.strip_all(lexicon())
        for m in messages():
            if m.trap in ("boundary", "longer", "policy"):
                assert plain(m.text), m.id
            elif m.trap == "homophone":
                assert sounds(m.text), m.id
                assert not stripped(m.text), m.id
            elif m.trap == "plain":
                assert not sounds(m.text), m.id

    def test_disguises_by_sound_sound_alike(self) -> None:
        for m in messages():
            for h in m.hits if m.technique == "homophone" else ():
                surface = pinyin(m.text[h.start : h.end], style=Style.NORMAL, heteronym=True)
                word = pinyin(h.word, style=Style.NORMAL, heteronym=True)
                assert len(surface) == len(word), m.id
                assert all(set(a) & set(b) for a, b in zip(surface, word, strict=True)), m.id

    def test_initials_are_those_of_the_entry(self) -> None:
        for m in messages():
            for h in m.hits if m.technique == "initials" else ():
                surface = m.text[h.start : h.end]
                first = "".join(s[0] for s in lazy_pinyin(h.word))
                assert surface == h.word or surface.lower() == first, m.id

    def test_check_characters(self) -> None:
        # A card number and a resident id whose check characters were computed by hand.
        assert luhn_digit("7992739871") == "3"
        assert id_character("11010519491231002") == "X"
