"""Characters of a dump that no parser accepts, made such as all do."""

from __future__ import annotations

import re

_REFERENCES = re.compile(r"(?:&#(?:x[0-9a-fA-F]{1,8}|[0-9]{1,10});)+")
_REFERENCE = re.compile(r"&#(x?)([0-9a-fA-F]+);")
_RAW_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def repair(xml: str) -> str:
    """Return the dump with every character XML allows: pairs joined, lone halves marked, the rest dropped."""
    return _RAW_CONTROL.sub("", referring(xml))


def referring(xml: str) -> str:
    """Return a dump, or a part of it, whose references are all to characters that XML allows."""
    return _REFERENCES.sub(_repaired, xml) if "&#" in xml else xml


def _repaired(run: re.Match[str]) -> str:
    codes = [int(digits, 16 if is_hex else 10) for is_hex, digits in _REFERENCE.findall(run[0])]
    out: list[str] = []
    at = 0
    while at < len(codes):
        first, second = codes[at], codes[at + 1] if at + 1 < len(codes) else 0
        if 0xD800 <= first < 0xDC00 <= second < 0xE000:
            out.append(chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)))
            at += 2
        else:
            out.append(_character(first))
            at += 1
    return "".join(out)


def _character(code: int) -> str:
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return "\ufffd"
    if code in (9, 10, 13) or (code >= 0x20 and code not in (0xFFFE, 0xFFFF)):
        return f"&#{code};"  # stays a reference: it may be a quote or an angle bracket
    return ""
