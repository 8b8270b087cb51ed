"""The tree of a dump exactly as the server on the phone writes it, read without an XML parser.

A dump is a row of tags of one form, most of them alike. Whatever deviates from that form by a single
character is not read here but left to the parser, so that both always find the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from agent.wechat.characters import referring
from agent.wechat.nodes import Box, Node

# A character that stands for itself in an attribute; references and what XML forbids are left to the parser.
_PLAIN = r"[^\"<&\x00-\x1f\ud800-\udfff\ufffe\uffff]"
_BOOL = '"(?:true|false)"'
# The parser refuses trees deeper than 256.
MAX_DEPTH = 200

_HEAD = re.compile(
    r"(?:<\?xml version=(?:'1\.0'|\"1\.0\") encoding=(?:'[Uu][Tt][Ff]-8'|\"[Uu][Tt][Ff]-8\")"
    r"(?: standalone=(?:'yes'|\"yes\"))? ?\?>\s*)?<hierarchy rotation=\"\d\">[\r\n ]*"
)
_FOOT = re.compile(r"</hierarchy>[\r\n ]*")
# Cut at quotes alone, which is fast; each piece is then judged as a whole, and most were judged before.
_TAG = re.compile(
    r'<node (?:NAF="true" )?([^"]*"[^"]*"[^"]*")([^"]*)'
    r'("[^"]*"[^"]*"[^"]*"[^"]*"[^"]*"[^"]*"[^"]*")([^"]*)'
    r'("[^[]*)([^"]*)("[^<]*)((?:</node>[\r\n ]*)*)(?=<)'
)
_PLACE = re.compile(r'index="[0-9]+" text="')
_NAMES = re.compile(rf'" resource-id="({_PLAIN}*)" class="({_PLAIN}*)" package="({_PLAIN}*)" content-desc="')
_FLAGS = re.compile(
    rf'" checkable={_BOOL} checked={_BOOL} clickable=({_BOOL}) enabled=({_BOOL}) focusable={_BOOL}'
    rf" focused=({_BOOL}) scrollable=({_BOOL}) long-clickable={_BOOL} password={_BOOL} selected=({_BOOL})"
    rf'(?: visible-to-user={_BOOL})? bounds="'
)
_REST = re.compile(
    rf'"(?: drawing-order="[0-9]+")?(?: hint="{_PLAIN}*")?(?: display-id="[0-9]+")? ?(/?)>[\r\n ]*'
)
_BOUNDS = re.compile(r"\[(-?[0-9]{1,9}),(-?[0-9]{1,9})\]\[(-?[0-9]{1,9}),(-?[0-9]{1,9})\]")
_IS_PLAIN = re.compile(rf"{_PLAIN}*").fullmatch
_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7}));")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


class Unlike(Exception):
    """The tree is not of the form that is read here."""


def quick_nodes(xml: str) -> list[Node]:
    """Return the nodes of a dump in document order; Unlike if it has to be parsed."""
    head = _HEAD.match(xml)
    if head is None or not _FOOT.fullmatch(xml, xml.rfind("<")):
        raise Unlike
    tags = _TAG.findall(xml, head.end())
    if not tags or not xml.startswith("<", head.end()):
        raise Unlike
    places, texts, names, descs, flags, bounds, rests, closes = zip(*tags, strict=True)
    # Every "<" is one of a tag that was found, so nothing else stands between them.
    if xml.count("<", head.end()) != len(tags) + "".join(closes).count("<") + 1:
        raise Unlike
    for piece in set(places):
        _be_place(piece)
    parents, ends = _kinship(list(map(_is_leaf, rests)), closes)
    new = tuple.__new__  # a named tuple's own makes each node twice as dear
    return [
        new(
            Node, (at, parent, end, cls, text and _text(text), desc and _text(desc), rid, package, box, *more)
        )
        for at, (parent, end, text, (rid, cls, package), desc, box, more) in enumerate(
            zip(
                parents,
                ends,
                texts,
                map(_names, names),
                descs,
                map(_box, bounds),
                map(_flags, flags),
                strict=True,
            )
        )
    ]


def _kinship(leaves: Sequence[bool], closes: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return for each tag the place of its parent and the place after its last descendant."""
    parents, ends = [], list(range(1, len(leaves) + 1))
    above = [-1]
    for at, (is_leaf, closed) in enumerate(zip(leaves, closes, strict=True)):
        parents.append(above[-1])
        if not is_leaf:
            above.append(at)
        if closed:
            count = closed.count("<")
            if count >= len(above):
                raise Unlike
            for one in above[-count:]:
                ends[one] = at + 1
            del above[-count:]
        elif len(above) > MAX_DEPTH:
            raise Unlike
    if len(above) > 1:
        raise Unlike
    return parents, ends


@lru_cache(maxsize=64)
def _be_place(piece: str) -> None:
    if not _PLACE.fullmatch(piece):
        raise Unlike


@lru_cache(maxsize=256)
def _names(piece: str) -> tuple[str, ...]:
    return _groups(_NAMES, piece)


@lru_cache(maxsize=64)
def _flags(piece: str) -> tuple[bool, bool, bool, bool, bool]:
    clickable, enabled, focused, scrollable, selected = (
        value == '"true"' for value in _groups(_FLAGS, piece)
    )
    return clickable, scrollable, focused, selected, enabled


@lru_cache(maxsize=256)
def _is_leaf(piece: str) -> bool:
    return _groups(_REST, piece) == ("/",)


@lru_cache(maxsize=256)
def _box(piece: str) -> Box:
    left, top, right, bottom = _groups(_BOUNDS, piece)
    return Box(int(left), int(top), int(right), int(bottom))


def _groups(form: re.Pattern[str], piece: str) -> tuple[str, ...]:
    match = form.fullmatch(piece)
    if match is None:
        raise Unlike
    return match.groups()


def _text(written: str) -> str:
    if _IS_PLAIN(written):
        return written
    written = referring(written)
    if not _IS_PLAIN(_REFERENCE.sub("", written)):
        raise Unlike
    return _REFERENCE.sub(_meant, written)


def _meant(reference: re.Match[str]) -> str:
    name, digits = reference.groups()
    if name:
        return _ENTITIES[name]
    code = int(digits)
    is_allowed = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
    if not (is_allowed or 0x10000 <= code <= 0x10FFFF):
        raise Unlike
    return chr(code)
