"""How trials of words are shown over HTTP."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceHit:
    """A place of a sentence at which a rule fires; rules that need more than one message do not."""

    start: int
    end: int
    word: str
    entry_id: str
    rule_id: str
    severity: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePassed:
    """A place of a sentence where a word can be read that is no hit; `why` is a controller.words.Why."""

    start: int
    end: int
    word: str
    entry_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceView:
    """What one sentence hits; `found` are all places of words, also those no rule fires at.

    `passed`: the places that are no hits, and why. `is_held`: the system itself would not say it.
    """

    version: int
    hits: list[SentenceHit]
    found: list[SentenceHit]
    passed: list[SentencePassed]
    is_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountView:
    """Hits of a rule and a word in the history: by what is in force, and by what is tried."""

    rule_id: str
    entry_id: str
    word: str
    severity: str
    now: int
    then: int
    added: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleView:
    """A hit that only one of both finds, masked: text[start:end] matched, with what stands around it."""

    rule_id: str
    entry_id: str
    is_new: bool
    message_id: int
    conversation_id: int
    phone_id: str
    holder: str
    side: str
    read_at_ms: int
    text: str
    start: int
    end: int
    before: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedView:
    """How well the time looked at was watched: what nobody saw cannot hit. Milliseconds over all accounts."""

    accounts: int
    from_ms: int
    to_ms: int
    seen_ms: int
    total_ms: int
    gaps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestView:
    """A test on the history; `state` is running, done or failed, the rest is of what was looked at so far."""

    test_id: str
    state: str
    why: str
    version: int
    looked_at: int
    messages: int
    counts: list[CountView]
    examples: list[ExampleView]
    watched: WatchedView | None
