"""Texts as the search index keeps them: folded, and cut into overlapping pairs of characters.

Chinese has no blanks between words and most words have two characters, so that pairs find any of them. A text
that contains what is asked for has all of its grams; whether it really contains it is for `contains` to say.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from operator import add

# Begins the tokens that are no text; nothing that `fold` leaves within a run is this character.
_MARK = "~"
# Ends a token that stands for every gram that begins with it.
PREFIX = "*"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Nobody sees them, and nobody types them: soft hyphen, zero widths, marks of direction, forms of emoji.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff]")
_LONGEST_TOKEN_CHARS = 200
# Of a text that no screen shows in one piece the beginning is indexed: PostgreSQL takes 1 MiB of a message.
_MOST_GRAMS = 30_000
# Letters and digits; signs that people look for, as emoji and currencies; marks that belong to a letter.
_RUN = re.compile(
    "(?:[^\\W_]|[\u00a2-\u00a5\u00a9\u00ae\u00b0\u0300-\u036f\u20a0-\u20cf\u2100-\u2bff\u3030\u303d"
    "\ufe0f\U0001f000-\U0001faff])+"
)


def fold(text: str) -> str:
    """Return a text in the form in which texts are compared: widths, ligatures and cases are one."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
    # What a person typed may hold half a character, which no database takes.
    return _LONE_SURROGATE.sub("\ufffd", folded)


def contains(text: str, wanted: str) -> bool:
    """Tell whether a text contains another one; both are folded first."""
    return fold(wanted) in fold(text)


def of_text(*texts: str) -> str:
    """Return the grams of texts, each once, with blanks between them: what the index of the store keeps.

    Each pair of neighbours within a run of letters, digits and signs, and the last character of each run; of
    longer texts than any screen shows those of the beginning.
    """
    found: set[str] = set()
    for text in texts:
        for run in runs(text[:_MOST_GRAMS]):
            found.update(map(add, run, run[1:]))
            found.add(run[-1])
    return " ".join(found)


def of_query(wanted: str) -> list[str]:
    """Return what `Tx.search` takes for a text; empty if there is nothing in it to look for.

    A single character alone stands for all grams that begin with it; beside longer parts it is left to
    `contains`.
    """
    parts = runs(wanted)
    pairs = list(dict.fromkeys(pair for run in parts for pair in map(add, run, run[1:])))
    return pairs or [run + PREFIX for run in dict.fromkeys(parts)]


def of_queries(wanted: Iterable[str]) -> list[str]:
    """Return what `Tx.search` takes for texts that must all be there."""
    return list(dict.fromkeys(gram for text in wanted for gram in of_query(text)))


def of_phone(phone_id: str) -> str:
    """Return the token of all messages read on a phone."""
    return f"{_MARK}p{phone_id.encode().hex()}"


def of_account(account_id: str) -> str:
    """Return the token of all messages of an account."""
    raw = account_id.encode("utf-8", "replace")
    # No database takes a token of any length.
    told = raw.hex() if len(raw) <= _LONGEST_TOKEN_CHARS else hashlib.sha256(raw).hexdigest()
    return f"{_MARK}a{told}"


def of_conversation(conversation_id: int) -> str:
    """Return the token of all messages of a chat."""
    return f"{_MARK}c{conversation_id}"


def runs(text: str) -> list[str]:
    """Return the runs of letters, digits and signs that a text is cut into, folded."""
    return _RUN.findall(fold(text))
