"""The grammar of the phone's small shell: text to a tree of commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

_OPERATORS = ("&&", "||", ">&2", ">>", "2>&1", "2>>", "2>", ";", "|", "&", "(", ")", "<", ">", "\n")
_SPECIAL = set(" \t\n;|&()<>")
# Words that end a list where a command could begin.
_ENDS = ("then", "elif", "else", "fi")
_REDIRECTS = ("<", ">", ">>", "2>", "2>>", "2>&1", ">&2")


class ShellSyntaxError(Exception):
    """The line cannot be parsed."""


class Kind(Enum):
    """What a part of a word is."""

    LITERAL = "literal"
    VARIABLE = "variable"
    COMMAND = "command"  # $( … )


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word; quoted pieces are neither split nor matched against files."""

    kind: Kind
    text: str
    is_quoted: bool


Word = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """`operator` is one of < > >> 2> 2>> 2>&1 >&2; the target of the last two is empty."""

    operator: str
    target: Word


@dataclass(slots=True)
class Simple:
    """Assignments, words, redirects."""

    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """`( … )`: a list with its own redirects."""

    body: Sequence
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Choice:
    """`if … then … elif … then … else … fi`: conditions with what follows them, with its own redirects."""

    branches: list[tuple[Sequence, Sequence]]
    otherwise: Sequence | None = None
    redirects: list[Redirect] = field(default_factory=list)


Stage = Simple | Group | Choice


@dataclass(slots=True)
class Pipeline:
    """Commands joined by `|`; `!` turns the exit code round."""

    stages: list[Stage]
    is_negated: bool = False


@dataclass(slots=True)
class Sequence:
    """Pipelines, each with the operator before it: "" at the start, then ; && || or &."""

    items: list[tuple[str, Pipeline]]
    in_background: set[int] = field(default_factory=set)


def parse(text: str) -> Sequence:
    """Parse a whole line or script; raises ShellSyntaxError."""
    parser = _Parser(_tokens(text))
    sequence = parser.sequence()
    if (item := parser.peek()) is not None:
        raise ShellSyntaxError(f"syntax error: unexpected '{_reserved(item) or item}'")
    return sequence


class _Parser:
    def __init__(self, tokens: list[str | Word]) -> None:
        self._tokens, self._at = tokens, 0

    def peek(self) -> str | Word | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self) -> str | Word:
        item = self._tokens[self._at]
        self._at += 1
        return item

    def sequence(self) -> Sequence:
        result = Sequence([])
        joint = ""
        while (item := self.peek()) is not None and item != ")" and _reserved(item) not in _ENDS:
            if item in (";", "\n", "&"):
                if item == "&" and result.items:
                    result.in_background.add(len(result.items) - 1)
                self.take()
                joint = ";" if result.items else ""
                continue
            result.items.append((joint, self._pipeline()))
            joint = self._joint()
        if joint in ("&&", "||"):
            raise ShellSyntaxError("syntax error: unexpected end")
        return result

    def _joint(self) -> str:
        item = self.peek()
        if item not in ("&&", "||"):
            return ";"
        self.take()
        while self.peek() == "\n":
            self.take()
        return str(item)

    def _pipeline(self) -> Pipeline:
        is_negated = self.peek() == (Part(Kind.LITERAL, "!", False),)
        if is_negated:
            self.take()
        stages = [self._command()]
        while self.peek() == "|":
            self.take()
            stages.append(self._command())
        return Pipeline(stages, is_negated)

    def _command(self) -> Stage:
        if self.peek() == "(":
            self.take()
            group = Group(self.sequence())
            if self.peek() != ")":
                raise ShellSyntaxError("syntax error: unmatched '('")
            self.take()
            group.redirects += self._redirects()
            return group
        if _reserved(self.peek()) == "if":
            return self._choice()
        return self._simple()

    def _choice(self) -> Choice:
        choice = Choice([])
        while _reserved(self.peek()) in ("if", "elif"):
            self.take()
            condition = self._filled()
            self._must("then")
            choice.branches.append((condition, self._filled()))
        if _reserved(self.peek()) == "else":
            self.take()
            choice.otherwise = self._filled()
        self._must("fi")
        choice.redirects += self._redirects()
        return choice

    def _filled(self) -> Sequence:
        sequence = self.sequence()
        if not sequence.items:
            raise ShellSyntaxError(f"syntax error: unexpected '{_reserved(self.peek()) or 'end'}'")
        return sequence

    def _must(self, word: str) -> None:
        if _reserved(self.peek()) != word:
            raise ShellSyntaxError(f"syntax error: no '{word}'")
        self.take()

    def _redirects(self) -> list[Redirect]:
        found = []
        while self.peek() in _REDIRECTS:
            found.append(self._redirect())
        return found

    def _simple(self) -> Simple:
        simple = Simple()
        while (item := self.peek()) is not None:
            if isinstance(item, tuple):
                simple.words.append(item)
                self.take()
            elif item in _REDIRECTS:
                simple.redirects.append(self._redirect())
            else:
                break
        if not simple.words and not simple.redirects:
            raise ShellSyntaxError(f"syntax error: unexpected '{item or 'end'}'")
        return simple

    def _redirect(self) -> Redirect:
        operator = str(self.take())
        if operator in ("2>&1", ">&2"):
            return Redirect(operator, ())
        target = self.peek()
        if not isinstance(target, tuple):
            raise ShellSyntaxError("syntax error: no file to redirect to")
        self.take()
        return Redirect(operator, target)


def _reserved(item: str | Word | None) -> str:
    """Return a word that is written without quotes and in one piece, "" if it is none."""
    if not isinstance(item, tuple) or len(item) != 1:
        return ""
    (part,) = item
    return part.text if part.kind is Kind.LITERAL and not part.is_quoted else ""


def _tokens(text: str) -> list[str | Word]:
    tokens: list[str | Word] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r":
            at += 1
            continue
        if text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        operator = next((op for op in _OPERATORS if text.startswith(op, at)), "")
        if operator:
            tokens.append(operator)
            at += len(operator)
            continue
        word, at = _word(text, at)
        tokens.append(word)
    return tokens


def _word(text: str, at: int) -> tuple[Word, int]:
    parts: list[Part] = []
    while at < len(text) and text[at] not in _SPECIAL and text[at] != "\r":
        sign = text[at]
        if sign == "'":
            end = _find(text, "'", at + 1)
            parts.append(Part(Kind.LITERAL, text[at + 1 : end], True))
            at = end + 1
        elif sign == '"':
            at = _double_quoted(text, at + 1, parts)
        elif sign == "\\":
            parts.append(Part(Kind.LITERAL, text[at + 1 : at + 2], True))
            at += 2
        elif sign in "$`":
            at = _expansion(text, at, parts, is_quoted=False)
        else:
            start = at
            while at < len(text) and text[at] not in _SPECIAL and text[at] not in "'\"\\$`\r":
                at += 1
            parts.append(Part(Kind.LITERAL, text[start:at], False))
    return tuple(parts), at


def _double_quoted(text: str, at: int, parts: list[Part]) -> int:
    literal = ""
    while True:
        if at >= len(text):
            raise ShellSyntaxError("syntax error: unterminated quoted string")
        sign = text[at]
        if sign == '"':
            break
        if sign == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\"):
            literal += text[at + 1]
            at += 2
        elif sign in "$`":
            parts.append(Part(Kind.LITERAL, literal, True))
            literal = ""
            at = _expansion(text, at, parts, is_quoted=True)
        else:
            literal += sign
            at += 1
    parts.append(Part(Kind.LITERAL, literal, True))
    return at + 1


def _expansion(text: str, at: int, parts: list[Part], *, is_quoted: bool) -> int:
    if text[at] == "`":
        end = _find(text, "`", at + 1)
        parts.append(Part(Kind.COMMAND, text[at + 1 : end], is_quoted))
        return end + 1
    if text.startswith("$(", at):
        end = _closing(text, at + 2)
        parts.append(Part(Kind.COMMAND, text[at + 2 : end], is_quoted))
        return end + 1
    if text.startswith("${", at):
        end = _find(text, "}", at + 2)
        parts.append(Part(Kind.VARIABLE, text[at + 2 : end], is_quoted))
        return end + 1
    end = at + 1
    if text[end : end + 1] and text[end] in "?$#!@*0123456789":
        end += 1
    else:
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
    kind = Kind.VARIABLE if end > at + 1 else Kind.LITERAL
    parts.append(Part(kind, text[at + 1 : end] or "$", is_quoted))
    return end


def _find(text: str, sign: str, at: int) -> int:
    end = text.find(sign, at)
    if end < 0:
        raise ShellSyntaxError(f"syntax error: no closing {sign}")
    return end


def _closing(text: str, at: int) -> int:
    depth, quote = 1, ""
    for end in range(at, len(text)):
        sign = text[end]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if depth == 0:
                return end
    raise ShellSyntaxError("syntax error: no closing )")
