"""Trees of windows as a phone sent them; the latest are kept, to tell by their bytes that nothing changed."""

from __future__ import annotations

import re
from hashlib import blake2b

from agent import jsonrpc

DUMP = "dumpWindowHierarchy"
# Android hands out its windows in no order: what stands still is sent in a few different ways.
KEPT_TREES = 4
# What the system itself shows: its clock changes for nothing. Compiled before the fork, once for all phones.
_SYSTEM = re.compile(r'<node [^>]*package="com\.android\.systemui"[^>]*>')
# The first tag of each window, and what in it tells nothing but the place among the others.
_NEXT_WINDOW = re.compile(r"\r?\n(?:  (?=<node )|</hierarchy>\s*$)")
_PLACE = re.compile(r' (?:index|drawing-order)="\d+"')


class Tree:
    """One answer to a dump: as it came, and what it says."""

    __slots__ = ("_glimpse", "_xml", "body")

    def __init__(self, body: bytes) -> None:
        """Keep an answer; kinds of DriverError if it holds no tree."""
        self.body = body
        self._glimpse = b""
        self._xml: str | None = self._decoded()

    @property
    def xml(self) -> str:
        """Return the tree as XML, "" if the phone has none."""
        if self._xml is None:
            self._xml = self._decoded()
        return self._xml

    def fade(self) -> None:
        """Keep no more than is needed to know it again."""
        self._xml = None

    def glimpse(self) -> bytes:
        """Return a digest without the system's own bars, equal whatever the order of the windows."""
        if not self._glimpse:
            head, *windows = _NEXT_WINDOW.split(self.xml)
            placeless = sorted(_PLACE.sub("", _SYSTEM.sub("", window), count=2) for window in windows)
            seen = "\n".join([head, *placeless]).encode("utf-8", "surrogatepass")
            self._glimpse = blake2b(seen, digest_size=16).digest()
        return self._glimpse

    def _decoded(self) -> str:
        return str(jsonrpc.result(DUMP, self.body) or "")


class Trees:
    """The trees that came last."""

    def __init__(self) -> None:
        self._by_body: dict[int, Tree] = {}  # by the identity of the body, which the tree keeps alive
        self.bodies: tuple[bytes, ...] = ()

    def of(self, body: bytes) -> Tree:
        """Return the tree of an answer, the same one again for one of `bodies`; kinds of DriverError."""
        tree = self._by_body.get(id(body))
        return tree if tree is not None else self._new(body)

    def _new(self, body: bytes) -> Tree:
        new = Tree(body)
        old = list(self._by_body.values())[1 - KEPT_TREES :]
        for tree in old:
            tree.fade()
        self._by_body = {id(tree.body): tree for tree in (*old, new)}
        self.bodies = tuple(tree.body for tree in self._by_body.values())
        return new
