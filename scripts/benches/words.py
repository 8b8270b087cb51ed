"""How well and how fast sensitive words are found: labelled and ordinary texts, speed, hostile texts, reload.

The labelled set is scored hit by hit (half of the span is enough), and strictly; beside each figure stand
its goal and its stretch. Another set with its lexicon can be judged with --set and --lexicon. The speed is
measured in turns with what everybody writes first (strip everything, pinyin, one automaton). Ends with 1 if
a goal is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from controller.words import Monitor, compiled, make
from controller.words.lexicon import read
from tests.support import wordload, wordnaive
from tests.support.wordgoals import Measure, measures
from tests.support.wordlabels import DATA, lexicon, messages
from tests.support.wordscore import Failure, Match, score

WORDS, CHARS, LONG_CHARS, BATCH = 10_000, 40, 120, 1_000
HOSTILE_CHARS = 10_000
# Below this a growth is that of the clock, not of the matcher.
TOO_QUICK_MS = 10.0


def told(figures: Iterator[Measure]) -> int:
    """Print figures; returns how many goals are missed."""
    missed = 0
    for figure in figures:
        print(figure.line(), flush=True)
        missed += not figure.reached
    return missed


def accuracy(set_file: Path, document: dict[str, Any], failures: int) -> int:
    """Judge the labelled messages; returns how many goals are missed."""
    labelled = messages(set_file)
    result = score(labelled, make(document), document.get("allow", {}).get("phrases", ()))
    print(f"{len(labelled):,} labelled messages, {sum(not m.hits for m in labelled):,} of them harmless")
    missed = told(measures(result))
    for trap in ("split", "repeat"):
        print(f"      flagged: {trap} {result.flagged(trap) or 0:.1f}")
    if result.recall("reverse") is not None:
        print(f"      recall of reverse, optional: {result.recall('reverse'):.1f}")
    kinds = Counter(failure.kind for failure in result.failures)
    if failures:
        print("messages with something wrong: " + ", ".join(f"{k} {n}" for k, n in kinds.most_common()))
        show(result.failures, failures)
    return missed


def show(found: Sequence[Failure], each: int) -> None:
    """Print so many failures of each kind: - is missed, + should not be."""
    shown: Counter[str] = Counter()
    for failure in sorted(found, key=lambda f: f.kind):
        shown[failure.kind] += 1
        if shown[failure.kind] <= each:
            text = failure.message.text
            what = [f"-{h.word}«{text[h.start : h.end]}»" for h in failure.missed]
            what += [f"+{h.word}«{text[h.start : h.end]}»" for h in failure.wrong]
            print(f"    {failure.message.id:<22} {text!r}  {' '.join(what)}")


def ordinary(name: str, document: dict[str, Any], failures: int) -> int:
    """Look for words in ten thousand ordinary sentences; returns how many goals are missed."""
    match = make(document)
    naive = wordnaive.strip_all_pinyin(document)
    texts = wordload.reviews()
    literal, wrong, cried = 0, [], 0
    for text in texts:
        found = [hit for hit in match(text) if not hit[0].startswith("@")]
        others = wordnaive.not_literal(found, text)
        literal += len(found) - len(others)
        wrong += [(w, text[max(0, s - 8) : e + 8], text[s:e]) for w, s, e in others]
        cried += len(wordnaive.not_literal(naive(text), text))
    print(f"ordinary text, {name}: {len(texts):,} reviews, {literal} hits that are the word itself")
    print(f"      the naive matcher cries {cried} times")
    for word, around, surface in wrong[: failures * 10]:
        print(f"    {word}«{surface}»  {around!r}")
    per = 10_000 * len(wrong) / len(texts)
    return told(iter([Measure("other hits per 10,000", per, 5, 1, most=True)]))


def per_second(work: Callable[[], object], texts: int) -> float:
    """Return how many texts a second a piece of work did."""
    began = time.perf_counter()
    work()
    return texts / (time.perf_counter() - began)


def speed(monitor: Monitor, document: dict[str, Any], rounds: int) -> Iterator[Measure]:
    """Measure messages a second, in turns with the naive matcher."""
    naive = wordnaive.strip_all_pinyin(document)
    short, long = wordload.messages(20 * BATCH, CHARS), wordload.messages(5 * BATCH, LONG_CHARS)
    hits = sum(bool(monitor.find(text)) for text in short)
    print(
        f"speed, {WORDS:,} words, messages of {CHARS} characters, {100 * hits / len(short):.1f} % with a hit"
    )

    def at_once(texts: Sequence[str]) -> None:
        for start in range(0, len(texts), BATCH):
            monitor.find_all(texts[start : start + BATCH])

    def one_by_one(find: Callable[[str], object], texts: Sequence[str]) -> None:
        for text in texts:
            find(text)

    took: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, work, texts in (
            ("batches", at_once, short),
            ("one at a time", lambda t: one_by_one(monitor.find, t), short[::2]),
            ("naive", lambda t: one_by_one(naive, t), short[::50]),
            ("long", lambda t: one_by_one(monitor.find, t), long),
            ("long, batches", at_once, long),
            ("long, naive", lambda t: one_by_one(naive, t), long[::25]),
        ):
            took.setdefault(name, []).append(per_second(lambda w=work, t=texts: w(t), len(texts)))  # type: ignore[misc]  # a loop's work is done at once
    median = {name: statistics.median(values) for name, values in took.items()}
    for name in ("naive", "long, naive"):
        print(f"      {name}: {median[name]:,.0f} messages/s")
    yield Measure("messages/s in batches of 1,000", median["batches"], 200_000, 1_000_000)
    yield Measure("messages/s one at a time", median["one at a time"], 50_000, 200_000)
    yield Measure("× naive, 120 characters, one at a time", median["long"] / median["long, naive"], 0.5, 1)
    yield Measure("× naive, 120 characters, batches", median["long, batches"] / median["long, naive"], 0.5, 1)


def best_ms(find: Callable[[str], object], text: str, rounds: int) -> float:
    """Return the quickest of some runs, in milliseconds of the processor: what others took is not counted."""
    took = []
    for _ in range(rounds):
        began = time.thread_time()
        find(text)
        took.append((time.thread_time() - began) * 1_000)
    return min(took)


def hostile(find: Match | Callable[[str], object], words: list[str], rounds: int) -> Iterator[Measure]:
    """Measure the texts that cost most, and how the cost grows with their length."""
    sizes = (HOSTILE_CHARS // 2, HOSTILE_CHARS, HOSTILE_CHARS * 2)
    texts = [wordload.hostile(size, words) for size in sizes]
    worst, steepest = 0.0, 0.0
    for kind in texts[0]:
        half, full, double = (best_ms(find, text[kind], rounds) for text in texts)
        growth = double / half if double > TOO_QUICK_MS else 0.0
        worst, steepest = max(worst, full), max(steepest, growth)
        print(f"      {kind:<38} {half:8.2f} {full:8.2f} {double:8.2f} ms")
    yield Measure("ms for the worst of 10,000 characters", worst, 100, 20, most=True)
    # Four times the length: a cost that grows with the square would be sixteen.
    yield Measure("× cost of four times the length, at most", steepest, 6, 5, most=True)


def reloads(quick: bool) -> Iterator[Measure]:
    """Measure how long it takes to put a lexicon in effect, and what it keeps in memory."""
    process = psutil.Process()
    goals = {WORDS: (2.0, 1.0)} if quick else {WORDS: (2.0, 1.0), 10 * WORDS: (20.0, 10.0)}
    for count, (goal, stretch) in goals.items():
        document = wordload.lexicon_of(wordload.made_words(count))
        before = process.memory_info().rss
        began = time.perf_counter()
        kept = compiled(read(document))
        seconds = time.perf_counter() - began
        kept.find("一句平常的话")
        print(f"      {count:,} words keep {(process.memory_info().rss - before) / 2**20:.0f} MiB more")
        yield Measure(f"s to put {count:,} words in effect", seconds, goal, stretch, most=True)


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--set", type=Path, default=DATA / "labelled.jsonl", help="labelled messages, JSON lines"
    )
    parser.add_argument("--lexicon", type=Path, default=DATA / "lexicon.json", help="the words of that set")
    parser.add_argument("--failures", type=int, default=0, help="print so many failures of each kind")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and no 100,000 words")
    parser.add_argument("--only", choices=("accuracy", "speed"), help="one half of it")
    asked = parser.parse_args()
    rounds = 3 if asked.quick else 7
    missed = 0
    began, before = time.perf_counter(), psutil.Process().memory_info().rss
    make(lexicon())("这单你思下转帐给我，加 wei xin 说")
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    print(f"tables of the language, once per process: {time.perf_counter() - began:.2f} s, {grown:.0f} MiB")
    if asked.only != "speed":
        document = lexicon(asked.lexicon)
        missed += accuracy(asked.set, document, asked.failures)
        missed += ordinary("the lexicon of the set", document, asked.failures)
        shipped = Path(sys.modules["controller.words"].__path__[0]) / "default.json"
        missed += ordinary("the default lexicon", lexicon(shipped), asked.failures)
    if asked.only != "accuracy":
        words = wordload.made_words(WORDS)
        document = wordload.lexicon_of(words)
        monitor = compiled(read(document))
        missed += told(speed(monitor, document, rounds))
        print(
            f"hostile texts of {HOSTILE_CHARS // 2:,}, {HOSTILE_CHARS:,} and {HOSTILE_CHARS * 2:,} characters"
        )
        missed += told(hostile(monitor.find, words, 3 if asked.quick else 5))
        print("reload")
        missed += told(reloads(asked.quick))
    print("every goal is reached" if not missed else f"goals missed: {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
