"""Numbers and texts as a database takes them; every router of chats reads its parameters so."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


def keepable(text: str) -> str:
    """Return a text with U+FFFD for what no database takes: NUL, and halves of characters."""
    return _UNKEEPABLE.sub("\ufffd", text)


# Both databases count in signed 64 bits.
Number = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, AfterValidator(keepable)]
