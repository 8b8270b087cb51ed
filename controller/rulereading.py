"""Rules, groups and exceptions out of their documents; BookWrong says which one is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from controller.errors import BookWrong
from controller.rules import (
    DEFAULT_COLLAPSE_S,
    DEFAULT_RULE,
    MAX_WITHIN_MESSAGES,
    MONEY,
    WECHAT_ID,
    Behaviour,
    Chats,
    Direction,
    On,
    Per,
    Rate,
    Rule,
    RuleAction,
    Scope,
    Term,
    Waiver,
)
from controller.words.lexicon import PATTERN_CLASSES, EntryType, Lexicon, Severity

_MAX_ROWS = 10_000
_MAX_TEXT_CHARS = 500
_MAX_ID_CHARS = 64
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")
_DAY_MINUTES = 1_440
_USUAL = frozenset({RuleAction.RECORD, RuleAction.HOLD})
_MONTH_S = 31 * 86_400
# As a category: all of them, also those that a later version brings.
EVERY_CATEGORY = "*"
_KEYS = {
    *("id", "name", "on", "direction", "scope", "all_of", "none_of", "within_messages", "joined", "rate"),
    *("severity", "actions", "enabled", "collapse_s"),
}
_ON_KEYS = {"words", "categories", "patterns", "behaviour", "min_amount_fen", "minutes", "hours"}
_SCOPE_KEYS = {"accounts", "holders", "groups", "chats"}
_RATE_KEYS = {"count", "window_s", "per"}


def read_groups(given: Any) -> Mapping[str, frozenset[str]]:
    """Return the groups of staff by name: the names of holders."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise BookWrong("groups must be an object: name of a group to names of staff")
    return {name: frozenset(_texts({name: rows}, name, "groups")) for name, rows in given.items()}


def read_rules(given: Any, lexicon: Lexicon, groups: Mapping[str, frozenset[str]]) -> tuple[Rule, ...]:
    """Return the rules of a document; one without any has DEFAULT_RULE: each word counts."""
    if given is None:
        everything = frozenset(entry.id for entry in lexicon.entries)
        return (Rule(id=DEFAULT_RULE, name="all words", on=On(entries=everything), collapse_s=0),)
    reader = _Reader(lexicon, groups)
    rules = tuple(reader.rule(row, number) for number, row in enumerate(_rows(given, "rules"), start=1))
    _unique([rule.id for rule in rules], "rule")
    return rules


def read_waivers(given: Any) -> tuple[Waiver, ...]:
    """Return the exceptions of a document; those of rules and entries that are gone stay, and wait."""
    if given is None:
        return ()
    waivers = tuple(_waiver(row, number) for number, row in enumerate(_rows(given, "exceptions"), start=1))
    _unique([waiver.id for waiver in waivers], "exception")
    return waivers


def _waiver(row: Any, number: int) -> Waiver:
    what = _named(row, number, "exception")
    waiver = Waiver(
        id=_id(row, what),
        rule=_text(row, "rule", what),
        entry=_text(row, "entry", what),
        phrase=_text(row, "phrase", what).strip(),
        accounts=frozenset(_texts(row, "accounts", what)),
        by=_text(row, "by", what),
        at_ms=_number(row, "at_ms", what, most=2**53),
        why=_text(row, "why", what),
        violation_id=_number(row, "violation_id", what, most=2**63 - 1) or None,
    )
    if not waiver.phrase and not (waiver.accounts and (waiver.rule or waiver.entry)):
        raise BookWrong(f"{what}: say a phrase, or accounts together with a rule or an entry")
    return waiver


class _Reader:
    """Reads rules against the words and groups they name."""

    def __init__(self, lexicon: Lexicon, groups: Mapping[str, frozenset[str]]) -> None:
        self._groups = groups
        self._categories = lexicon.categories
        self._named: dict[str, set[str]] = {}
        self._in: dict[str, set[str]] = {}
        for entry in lexicon.entries:
            self._in.setdefault(entry.category, set()).add(entry.id)
            for name in (entry.id, entry.word):
                self._named.setdefault(name, set()).add(entry.id)
        self._patterns = {entry.word for entry in lexicon.entries if entry.type is EntryType.PATTERN}

    def rule(self, row: Any, number: int) -> Rule:
        what = _named(row, number, "rule")
        _known(row, _KEYS, what)
        on = self._on(row.get("on"), what)
        rule = Rule(
            id=_id(row, what),
            name=_text(row, "name", what) or _id(row, what),
            on=on,
            direction=_one_of(Direction, row, "direction", what, Direction.ANY),
            scope=self._scope(row.get("scope"), what),
            all_of=self._terms(row, "all_of", what),
            none_of=self._terms(row, "none_of", what),
            within_messages=_number(row, "within_messages", what, least=1, most=MAX_WITHIN_MESSAGES, usual=1),
            joined=_flag(row, "joined", what, usual=on.behaviour is None),
            rate=_rate(row.get("rate"), what),
            severity=_one_of(Severity, row, "severity", what, None),
            is_enabled=_flag(row, "enabled", what, usual=True),
            collapse_s=_number(row, "collapse_s", what, most=_MONTH_S, usual=DEFAULT_COLLAPSE_S),
            actions=_USUAL if row.get("actions") is None else _actions(row, what),
            tells_grave=row.get("actions") is None,
        )
        if on.behaviour is not None and (rule.all_of or rule.none_of or rule.within_messages > 1):
            raise BookWrong(f"{what}: all_of, none_of and within_messages are for rules on words")
        return rule

    def _on(self, given: Any, what: str) -> On:
        if not isinstance(given, Mapping):
            raise BookWrong(f"{what}: say on what it fires (on: words, categories, patterns or a behaviour)")
        _known(given, _ON_KEYS, f"{what}: on")
        entries = self._entries(given, what)
        behaviour = _one_of(Behaviour, given, "behaviour", f"{what}: on", None)
        on_words = any(given.get(key) for key in ("words", "categories", "patterns"))
        if (behaviour is None) == (not on_words):
            raise BookWrong(f"{what}: on needs words, categories or patterns, or else one behaviour")
        if behaviour is Behaviour.WECHAT_ID:
            # What it looks like the lexicon knows: then it is a rule on that pattern.
            entries, behaviour = self._entry(WECHAT_ID, what), None
        on = On(
            entries=frozenset(entries),
            behaviour=behaviour,
            min_amount_fen=_number(given, "min_amount_fen", what, most=2**53),
            minutes=_number(given, "minutes", what, most=_MONTH_S // 60),
            hours=_hours(given, what),
        )
        _fitting(on, what)
        return on

    def _entries(self, given: Mapping[str, Any], what: str) -> set[str]:
        entries: set[str] = set()
        for name in _texts(given, "words", what):
            entries |= self._entry(name, what)
        for category in _texts(given, "categories", what):
            if category == EVERY_CATEGORY:
                entries |= {entry for ids in self._in.values() for entry in ids}
                continue
            if category not in self._categories:
                raise BookWrong(f"{what}: no category {category!r}")
            entries |= self._in.get(category, set())
        for pattern in _texts(given, "patterns", what):
            if pattern not in PATTERN_CLASSES:
                raise BookWrong(f"{what}: {pattern!r} is none of {', '.join(sorted(PATTERN_CLASSES))}")
            entries |= self._entry(pattern, what)
        return entries

    def _entry(self, name: str, what: str) -> set[str]:
        if name not in self._named:
            raise BookWrong(f"{what}: no entry or word {name[:40]!r} in this book")
        return self._named[name]

    def _scope(self, given: Any, what: str) -> Scope:
        if given is None:
            return Scope()
        if not isinstance(given, Mapping):
            raise BookWrong(f"{what}: scope must be an object with accounts, holders, groups or chats")
        _known(given, _SCOPE_KEYS, f"{what}: scope")
        accounts = frozenset(_texts(given, "accounts", what))
        holders = set(_texts(given, "holders", what))
        groups = _texts(given, "groups", what)
        for name in groups:
            if name not in self._groups:
                raise BookWrong(f"{what}: no group {name!r}")
            holders |= self._groups[name]
        # A group that nobody is in is nobody, and not everybody.
        is_narrow = bool(accounts or holders or groups)
        return Scope(
            accounts=accounts if is_narrow else None,
            holders=frozenset(holders) if is_narrow else None,
            chats=_one_of(Chats, given, "chats", what, Chats.ANY),
        )

    def _terms(self, row: Mapping[str, Any], key: str, what: str) -> tuple[Term, ...]:
        terms: list[Term] = []
        for name in _texts(row, key, what):
            ids = sorted(self._named.get(name, ()))
            # Of several entries of one word any will do: the first finds it as well as the others.
            terms.append(Term(entry_id=ids[0]) if ids else Term(text=name))
        return tuple(terms)


def _fitting(on: On, what: str) -> None:
    """Refuse what a behaviour needs and lacks, or has and never looks at."""
    if on.min_amount_fen and on.behaviour not in MONEY:
        raise BookWrong(f"{what}: min_amount_fen is for red_packet and transfer")
    if (on.behaviour is Behaviour.SLOW_REPLY) != (on.minutes > 0):
        raise BookWrong(f"{what}: minutes belong to slow_reply, which needs at least 1")
    if (on.behaviour is Behaviour.NIGHT) != (on.hours != (0, 0)):
        raise BookWrong(f'{what}: hours ("22:00-06:00") belong to night, which needs them')


def _hours(row: Mapping[str, Any], what: str) -> tuple[int, int]:
    given = _text(row, "hours", what)
    if not given:
        return (0, 0)
    found = _HOURS.fullmatch(given.strip())
    first, last = (
        (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (-1, -1)
    )
    if found is None or int(found[2]) > 59 or int(found[4]) > 59 or max(first, last) > _DAY_MINUTES:
        raise BookWrong(f'{what}: hours are said as "22:00-06:00"')
    if first % _DAY_MINUTES == last % _DAY_MINUTES:
        raise BookWrong(f"{what}: the hours have no length")
    return first, last


def _rate(given: Any, what: str) -> Rate | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BookWrong(f"{what}: rate must be an object with count, window_s and per")
    _known(given, _RATE_KEYS, f"{what}: rate")
    return Rate(
        count=_number(given, "count", f"{what}: rate", least=2, most=10_000, usual=0),
        window_s=_number(given, "window_s", f"{what}: rate", least=1, most=_MONTH_S, usual=0),
        per=_one_of(Per, given, "per", f"{what}: rate", Per.ACCOUNT),
    )


def _actions(row: Mapping[str, Any], what: str) -> frozenset[RuleAction]:
    names = _texts(row, "actions", what)
    wrong = [name for name in names if name not in set(RuleAction)]
    if wrong or not names:
        raise BookWrong(f"{what}: actions are some of {', '.join(RuleAction)}")
    return frozenset(RuleAction(name) for name in names)


# ---- plain values


def _rows(given: Any, what: str) -> Sequence[Any]:
    if not isinstance(given, list | tuple):
        raise BookWrong(f"{what} must be a list")
    if len(given) > _MAX_ROWS:
        raise BookWrong(f"{what} has {len(given)} rows, at most {_MAX_ROWS} are allowed")
    return given


def _unique(ids: Sequence[str], kind: str) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise BookWrong(f"{kind} {one!r} is given twice")
        seen.add(one)


def _named(row: Any, number: int, kind: str) -> str:
    if not isinstance(row, Mapping):
        raise BookWrong(f"{kind} {number} must be an object")
    given = row.get("id")
    if isinstance(given, str) and given and given.isprintable():
        return f"{kind} {given[:_MAX_ID_CHARS]}"
    return f"{kind} {number}"


def _id(row: Mapping[str, Any], what: str) -> str:
    given = _text(row, "id", what).strip()
    # It stands in keys beside other names.
    if not given or len(given) > _MAX_ID_CHARS or ":" in given or not given.isprintable():
        raise BookWrong(f"{what}: an id is 1 to {_MAX_ID_CHARS} characters without a colon")
    return given


def _known(row: Mapping[str, Any], keys: set[str], what: str) -> None:
    # A key that nobody reads would be a rule that does not do what it says.
    if unknown := sorted(str(key) for key in row if key not in keys):
        raise BookWrong(f"{what}: {unknown[0][:40]!r} is no key of it; known are {', '.join(sorted(keys))}")


def _text(row: Mapping[str, Any], key: str, what: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARS:
        raise BookWrong(f"{what}: {key} must be text of at most {_MAX_TEXT_CHARS} characters")
    if any("\ud800" <= char <= "\udfff" or char == "\0" for char in value):
        raise BookWrong(f"{what}: {key} holds a character that cannot be stored")
    return value


def _texts(row: Mapping[str, Any], key: str, what: str) -> list[str]:
    given = row.get(key)
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        raise BookWrong(f"{what}: {key} must be a list of texts")
    texts = [_text({key: one}, key, what).strip() for one in given]
    if not all(texts):
        raise BookWrong(f"{what}: {key} holds an empty text")
    return texts


def _number(row: Mapping[str, Any], key: str, what: str, *, least: int = 0, most: int, usual: int = 0) -> int:
    value = row.get(key)
    if value is None:
        value = usual
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BookWrong(f"{what}: {key} must be a whole number from {least} to {most}")
    return value


def _flag(row: Mapping[str, Any], key: str, what: str, *, usual: bool) -> bool:
    value = row.get(key)
    if value is None:
        return usual
    if not isinstance(value, bool):
        raise BookWrong(f"{what}: {key} must be true or false")
    return value


def _one_of(kinds: Any, row: Mapping[str, Any], key: str, what: str, usual: Any) -> Any:
    value = row.get(key)
    if value is None or value == "":
        return usual
    if value not in set(kinds):
        raise BookWrong(f"{what}: {key} is one of {', '.join(kinds)}")
    return kinds(value)
