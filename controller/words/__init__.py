"""Sensitive words in texts: pure functions with places in the original text."""

from __future__ import annotations

from controller.words.found import Found, How
from controller.words.monitor import Monitor, compiled, make
from controller.words.plain import Matcher, make_plain, version_of

__all__ = ["Found", "How", "Matcher", "Monitor", "compiled", "make", "make_plain", "version_of"]
