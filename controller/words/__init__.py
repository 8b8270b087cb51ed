"""Sensitive words in texts: pure functions with places in the original text."""

from __future__ import annotations

from controller.words.found import Found, How, Passed, Why
from controller.words.monitor import Monitor, compiled, make

__all__ = ["Found", "How", "Monitor", "Passed", "Why", "compiled", "make"]
