"""The tables of the language, loaded before the first message waits for them."""

from __future__ import annotations

from controller.words.entry import Allow, Category, Entry, EntryType, Lexicon, Severity
from controller.words.monitor import compiled


def load_tables() -> None:
    """Load what every monitor shares, once per process; about two seconds the first time, then nothing."""
    category = Category(id="own", label="", severity=Severity.LOW)
    entry = Entry(id="W", word="微信", category="own", severity=Severity.LOW, type=EntryType.WORD)
    monitor = compiled(
        Lexicon(version=1, note="", categories={"own": category}, entries=(entry,), allow=Allow())
    )
    for text in ("加薇信吧，好吗", "weixin ➕❤", "微 信"):
        monitor.find(text)
        monitor.find_all([text])
