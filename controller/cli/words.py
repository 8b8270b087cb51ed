"""farm words: list, show, add, remove, import, export, history. A change holds for the next message."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from controller.cli import wordrules, wordtests
from controller.cli.link import Farm, Settings
from controller.cli.options import ask, list_bytes, listed, pass_settings, printed, private_file, yes
from controller.cli.render import (
    Column,
    Form,
    Record,
    clock_of,
    counted,
    hint,
    key,
    moment,
    put_json,
    put_pairs,
    put_records,
    put_table,
    quoted,
    say,
)
from controller.cli.wordrules import tell_changed
from controller.safe import json_text

_SEVERITY = click.Choice(["low", "medium", "high", "critical"])
_MOST_SHOWN = 50
# How a workbook begins.
_ZIP = b"PK\x03\x04"


def _flags(entry: Record) -> str:
    flags = ["initials"] if entry["initials"] else []
    flags += [entry["boundary"]] if entry["boundary"] else []
    return ", ".join([*flags, *(["configuration"] if entry["is_configured"] else [])]) or "-"


_ENTRIES = (
    Column("ID", key("entry_id")),
    Column("WORD", key("word")),
    Column("CATEGORY", lambda entry: f"{entry['category']} {entry['label']}"),
    Column("SEVERITY", key("severity")),
    Column("ALSO", _flags),
    Column("RULES", lambda entry: ", ".join(entry["rules"]) or "none: not looked for", folds=True),
)
_VERSIONS = (
    Column("VERSION", key("version"), right=True),
    Column("AT", clock_of("at_ms")),
    Column("BY", key("actor")),
    Column("ACT", key("act")),
    Column("WHAT", key("note"), folds=True),
)


@click.group()
def words() -> None:
    """Sensitive words, rules and exceptions: in versions, tried before they hold."""


for command in (wordtests.test_words, wordtests.rescan_words, wordrules.rules, wordrules.exceptions):
    words.add_command(command)


@words.command("list")
@click.option("--category", default="", metavar="ID", help="Only words of this category.")
@click.option("--rule", default="", metavar="ID", help="Only words that this rule looks for.")
@listed
@pass_settings
def list_words(settings: Settings, category: str, rule: str, form: Form) -> None:
    """List the words in force."""
    found = settings.farm().get("/words", category=category, rule=rule)
    put_records(found["entries"], _ENTRIES, form=form, id_key="entry_id")
    if form is not Form.TABLE:
        return
    say(
        f"{counted(len(found['entries']), 'word')} of {found['words']:,}; version {found['version']},"
        f" {counted(found['rules'], 'rule')}, {counted(found['exceptions'], 'exception')}"
    )
    hint("Next: farm words test --text TEXT")


@words.command("show")
@click.argument("word", metavar="[ID|WORD]", default="")
@printed
@pass_settings
def show_words(settings: Settings, word: str, form: Form) -> None:
    """Show one word and who looks for it; without one what is in force, and since when."""
    farm = settings.farm()
    if word:
        _show_word(farm.get("/words", word=word)["entries"], form)
        return
    newest = farm.get("/words/history", limit=1)[0]
    summary = farm.get("/words")
    if form is not Form.TABLE:
        put_json({**newest, **{name: summary[name] for name in ("words", "rules", "exceptions")}}, form)
        return
    put_pairs(
        [
            ("version", f"{newest['version']}, since {moment(newest['at_ms'])} by {newest['actor']}"),
            ("changed", newest["note"]),
            ("words", f"{summary['words']:,}"),
            ("rules", str(summary["rules"])),
            ("exceptions", str(summary["exceptions"])),
            ("sha256", newest["sha256"]),
        ]
    )
    hint("Next: farm words history")


def _show_word(entries: list[Record], form: Form) -> None:
    if form is not Form.TABLE:
        put_json(entries, form)
        return
    for entry in entries:
        put_pairs([(column.title.lower(), column.text(entry)) for column in _ENTRIES])
    hint(f"Next: farm words test --word {quoted(entries[0]['word'])} --against 30d")


@words.command("add")
@click.argument("names", metavar="WORD...", nargs=-1, required=True)
@click.option("--category", default="", metavar="ID", help="Else: own.")
@click.option("--severity", type=_SEVERITY, help="Else the category's.")
@click.option("--initials/--no-initials", default=None, help="Also the first letters of its pinyin.")
@click.option("--latin-boundary", is_flag=True, help="Not inside of longer latin words and codes.")
@click.option("--note", default="", help="Stands in the history.")
@printed
@pass_settings
def add_words(settings: Settings, /, **asked: Any) -> None:
    """Add words, or change those that are there; for the next message, as soon as this returns."""
    if not all(name.strip() for name in asked["names"]):
        raise click.UsageError("A word is empty.")
    entry = {
        "category": asked["category"],
        "severity": asked["severity"] or "",
        "initials": asked["initials"],
        "boundary": "latin" if asked["latin_boundary"] else "",
    }
    body = {"entries": [{**entry, "word": name} for name in asked["names"]], "note": asked["note"]}
    farm = settings.farm()
    changed = farm.post("/words/add", body)
    tell_changed(changed, asked["form"])
    if asked["form"] is Form.TABLE:
        _warn_literal(farm, asked["names"])
    if asked["form"] is Form.TABLE and changed["version"]:
        hint("What was said before: farm words rescan --since 30d --reason TEXT")


def _warn_literal(farm: Farm, names: Sequence[str]) -> None:
    """Say so if what looks like a pattern is none: it would silently find nothing."""
    for name in names:
        if not name.startswith("@"):
            continue
        if all(entry["type"] == "word" for entry in farm.get("/words", word=name)["entries"]):
            say(f"No pattern is called {name}: it is looked for as it stands. The patterns: docs/words.md")


@words.command("remove")
@click.argument("names", metavar="ID|WORD...", nargs=-1, required=True)
@click.option("--note", default="", help="Why; stands in the history.")
@printed
@pass_settings
def remove_words(settings: Settings, names: tuple[str, ...], note: str, form: Form) -> None:
    """Remove words; what they found before stays."""
    changed = settings.farm().post("/words/remove", {"names": list(names), "note": note})
    tell_changed(changed, form)


@words.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", "replaces", is_flag=True, help="Parts that the file has stand alone afterwards.")
@click.option("--dry-run", is_flag=True, help="Show what would differ; change nothing.")
@click.option("--note", default="", help="Stands in the history.")
@yes
@printed
@pass_settings
def import_words(settings: Settings, /, **asked: Any) -> None:
    """Put a file in force: a book as JSON, or a table of words as CSV. Shows what differs and asks once."""
    farm, form, file = settings.farm(), asked["form"], asked["file"]
    raw = list_bytes(file)
    if raw.startswith(_ZIP):
        raise click.UsageError(
            f"{file.name} is a workbook; words are taken from CSV or JSON: save it as CSV."
        )
    said = {"name": file.name, "replaces": asked["replaces"], "note": asked["note"] or None}
    looked = farm.upload("/words/import", raw, **said, is_dry_run=True)
    if asked["dry_run"] or not looked["differences"]:
        _show_import(looked, form)
        return
    if not asked["yes"]:
        put_differences(looked["differences"])
        _warn_unwatched(looked)
        many = counted(len(looked["differences"]), "difference")
        ask(f"Put {many} in force after version {looked['base']}?")
    # Only what was looked at: who was quicker meanwhile is not overwritten.
    changed = farm.upload("/words/import", raw, **said, base=looked["base"])
    tell_changed(changed, form)


def _show_import(looked: Record, form: Form) -> None:
    if form is not Form.TABLE:
        put_json(looked, form)
        return
    put_differences(looked["differences"])
    _warn_unwatched(looked)
    many = counted(len(looked["differences"]), "difference")
    say(f"{many} from version {looked['base']}; nothing was changed.")


def put_differences(differences: list[Record]) -> None:
    """Print what differs, the beginning of a long list."""
    if differences:
        put_table(differences[:_MOST_SHOWN], wordrules.DIFFERENCES)
    if len(differences) > _MOST_SHOWN:
        say(f"… and {len(differences) - _MOST_SHOWN:,} more; all of them: --dry-run --json")


def _warn_unwatched(looked: Record) -> None:
    if looked["unwatched"]:
        many = counted(len(looked["unwatched"]), "word")
        say(f"No enabled rule looks for {many}: {', '.join(looked['unwatched'][:10])}")


@words.command("export")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write; else stdout.")
@click.option("--version", type=int, help="Else the one in force.")
@pass_settings
def export_words(settings: Settings, output: Path | None, version: int | None) -> None:
    """Write a whole version: words, rules, groups and exceptions, as farm words import takes them."""
    book = settings.farm().get("/words/book", version=version)
    text = json_text(book, indent=1) + "\n"
    if output is None or str(output) == "-":
        sys.stdout.write(text)
        return
    with private_file(output) as out:
        out.write(text.encode())
    say(f"Wrote version {book['version']} with {counted(len(book['entries']), 'word')} to {output}")
    hint(f"Next: farm words import {quoted(str(output))} --replace --dry-run")


@words.command("history")
@click.argument("version", type=int, required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--before", type=int, metavar="VERSION", help="Only versions before this one.")
@printed
@pass_settings
def show_history(settings: Settings, version: int | None, limit: int, before: int | None, form: Form) -> None:
    """List who changed what and when; with a version what exactly it changed."""
    farm = settings.farm()
    if version is not None:
        differences = farm.get(f"/words/history/{version}")
        put_records(differences, wordrules.DIFFERENCES, form=form, id_key="id")
        if form is Form.TABLE:
            say(f"{counted(len(differences), 'difference')} from version {version - 1} to {version}")
            if version > 1:
                back = f"farm words export --version {version - 1} -o old.json"
                hint(f"Back before it: {back}, then farm words import old.json --replace")
        return
    found = farm.get("/words/history", limit=limit, before=before)
    put_records(found, _VERSIONS, form=form, id_key="version")
    if form is Form.TABLE:
        hint("Next: farm words history VERSION" if found else "No earlier version.")
