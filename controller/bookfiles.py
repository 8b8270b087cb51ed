"""The bytes of a file to the parts of a book: JSON, or a table of words."""

from __future__ import annotations

import json
from typing import Any

from controller import bookedits
from controller.errors import BadRequest
from controller.sheets import decode


def read(raw: bytes, name: str = "") -> dict[str, Any] | bookedits.Table:
    """Return the parts of a book out of a file: JSON if it looks so, else a table; BadRequest in one line."""
    text, _encoding = decode(raw)
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        raise BadRequest("the file is empty")
    if start[0] not in "{[" and not name.lower().endswith(".json"):
        return bookedits.from_table(text)
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except ValueError as wrong:
        raise BadRequest(f"the file is no JSON: {wrong}") from None
    except RecursionError:
        raise BadRequest("the file is nested too deeply") from None
    if not isinstance(document, dict):
        raise BadRequest("a book is a JSON object with entries, rules or both")
    return document
