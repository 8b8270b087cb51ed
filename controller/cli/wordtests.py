"""farm words test and farm words rescan: what a change would find, and what the history holds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import rich_click as click

from controller.cli.link import Farm, Settings
from controller.cli.options import list_bytes, pass_settings, printed
from controller.cli.periods import read_moment
from controller.cli.render import (
    Column,
    Form,
    Record,
    clock_of,
    counted,
    hint,
    key,
    moment,
    put,
    put_json,
    put_records,
    put_table,
    quoted,
    say,
)
from controller.errors import FarmError

_WAIT_S = 10
_SIDE = click.Choice(["staff", "customer"])

_COUNTS = (
    Column("RULE", key("rule_id")),
    Column("WORD", key("word")),
    Column("ENTRY", key("entry_id")),
    Column("SEVERITY", key("severity")),
    Column("NOW", key("now"), right=True),
    Column("THEN", key("then"), right=True),
    Column("NEW", key("added"), right=True),
    Column("GONE", key("gone"), right=True),
)
_HITS = (
    Column("RULE", key("rule_id")),
    Column("WORD", key("word")),
    Column("ENTRY", key("entry_id")),
    Column("SEVERITY", key("severity")),
    Column("HOW", key("how")),
    Column("AT", lambda hit: f"{hit['start']}–{hit['end']}"),
)
# Of what another hit covers nothing is said.
_WHY = {
    "allowed": "inside a phrase of the allow list",
    "longer": "part of a longer ordinary word",
    "ordinary": "it reads better as the ordinary words that stand there",
    "mention": "only spoken of: forbidden, warned of, denied, asked about or reported",
}
_SCANS = (
    Column("ID", key("id"), right=True),
    Column("STATE", key("state"), is_state=True),
    Column("BOOK", key("book_version"), right=True),
    Column("SINCE", clock_of("since_ms")),
    Column("LOOKED AT", lambda scan: f"{scan['looked_at']:,}", right=True),
    Column("FOUND", lambda scan: f"{scan['found']:,}", right=True),
    Column("BY", key("asked_by")),
    Column("ENDED", clock_of("ended_at_ms")),
)


def _since(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else read_moment(value, time.time_ns() // 1_000_000)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("test")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--word", "names", multiple=True, metavar="WORD", help="A word to try; again for more.")
@click.option("--category", default="", metavar="ID", help="The category of --word; else own.")
@click.option("--replace", "replaces", is_flag=True, help="As farm words import --replace.")
@click.option("--against", "since_ms", callback=_since, metavar="WHEN", help="The history since then: 30d.")
@click.option("--text", help="One sentence instead of the history.")
@click.option("--side", type=_SIDE, default="staff", show_default=True, help="Who says the sentence.")
@click.option("--reason", default="trying words", show_default=True, help="Recorded with your name.")
@printed
@pass_settings
def test_words(settings: Settings, /, **asked: Any) -> None:
    """Show what a file, a word or what is in force finds, before anything is changed."""
    if (asked["text"] is None) == (asked["since_ms"] is None):
        raise click.UsageError("Say what it is tried on: --against 30d, or --text TEXT.")
    farm, form = settings.farm(), asked["form"]
    trial = _trial(asked)
    if asked["text"] is not None:
        _tell_sentence(
            farm.post("/words/try", {**trial, "text": asked["text"], "side": asked["side"]}), asked
        )
        return
    body = {**trial, "since_ms": asked["since_ms"], "reason": asked["reason"]}
    found = _followed(farm, farm.post("/words/tests", body))
    if found["state"] != "done":
        raise FarmError(f"the test failed: {found['why']}")
    if form is not Form.TABLE:
        put_json(found, form)
        return
    _tell_history(found, _next(asked))


def _trial(asked: dict[str, Any]) -> dict[str, Any]:
    from controller.sheets import decode

    file: Path | None = asked["file"]
    return {
        "file": decode(list_bytes(file))[0] if file is not None else "",
        "name": file.name if file is not None else "",
        "replaces": asked["replaces"],
        "words": [{"word": name, "category": asked["category"]} for name in asked["names"]],
    }


def _followed(farm: Farm, test: Record) -> Record:
    """Wait for a test, telling how far it is if somebody looks on."""
    while test["state"] == "running":
        if sys.stderr.isatty():
            say(f"{test['looked_at']:,} of {test['messages']:,} messages")
        test = farm.get(f"/words/tests/{test['test_id']}", wait_s=_WAIT_S)
    return test


def _tell_sentence(found: Record, asked: dict[str, Any]) -> None:
    if asked["form"] is not Form.TABLE:
        put_json(found, asked["form"])
        return
    text = asked["text"]
    for hit in found["hits"]:
        put(f"{text[: hit['start']]}【{text[hit['start'] : hit['end']]}】{text[hit['end'] :]}")
    if found["hits"]:
        put_table(found["hits"], _HITS)
    elif found["found"]:
        put_table(found["found"], _HITS)
        say("These words stand there, and no rule fires at them: look at --side, scope and conditions.")
    elif found["passed"]:
        say("No hit.")
    else:
        say("No hit: none of the words can be read there.")
        hint("A disguise is found only of a word that is there: farm words list. Try one more: --word WORD")
    _tell_passed(found["passed"])
    if found["is_held"]:
        say("The system itself would not say this.")


def _tell_passed(passed: list[Record]) -> None:
    for one in passed:
        if one["why"] in _WHY:
            say(f"not counted: {quoted(one['word'])} at {one['start']}–{one['end']}, {_WHY[one['why']]}")


def _next(asked: dict[str, Any]) -> str:
    """Return how what was tried is put in force."""
    parts = []
    if asked["file"] is not None:
        replaces = " --replace" if asked["replaces"] else ""
        parts.append(f"farm words import {quoted(str(asked['file']))}{replaces}")
    if asked["names"]:
        category = f" --category {quoted(asked['category'])}" if asked["category"] else ""
        parts.append(f"farm words add {' '.join(map(quoted, asked['names']))}{category}")
    return ", then ".join(parts)


def _tell_history(found: Record, following: str) -> None:
    has_change = bool(following)
    counts = [one for one in found["counts"] if one["added"] or one["gone"] or not has_change]
    if counts:
        put_table(counts, _COUNTS)
    names = {(one["rule_id"], one["entry_id"]): one["word"] for one in found["counts"]}
    for is_new, title in ((True, "new"), (False, "gone")):
        examples = [one for one in found["examples"] if one["is_new"] is is_new]
        if examples:
            put("")
            put(f"{title}:")
        for one in examples:
            _put_example(one, names.get((one["rule_id"], one["entry_id"]), ""))
    added, gone = (sum(one[name] for one in counts) for name in ("added", "gone"))
    now, then = (sum(one[name] for one in found["counts"]) for name in ("now", "then"))
    say(f"{now:,} hits by version {found['version']}, {then:,} then: {added:,} new, {gone:,} gone.")
    _tell_watched(found)
    if has_change:
        hint(f"Nothing was changed. Next: {following}")


def _put_example(one: Record, word: str) -> None:
    put(
        f"{moment(one['read_at_ms'])[:16]}  {one['phone_id']} {one['holder'] or '-'}  {one['rule_id']} {word}"
    )
    for line in one["before"]:
        put(f"    {line}")
    arrow = {"out": "→", "in": "←"}.get(one["side"], "·")
    text, start, end = one["text"], one["start"], one["end"]
    put(f"  * {arrow} {f'{text[:start]}【{text[start:end]}】{text[end:]}' if end else text or '-'}")
    for line in one["after"]:
        put(f"    {line}")


def _tell_watched(found: Record) -> None:
    watched = found["watched"]
    say(f"Looked at {counted(found['looked_at'], 'message')}. Deleted chats and late replies are not tried.")
    if watched is None or not watched["total_ms"]:
        say("No account was watched in this time: silence says nothing.")
        return
    share = watched["seen_ms"] * 1000 // watched["total_ms"] / 10
    accounts, gaps = counted(watched["accounts"], "account"), counted(watched["gaps"], "gap")
    say(
        f"Fully watched: {share} % of the time of {accounts} since {moment(watched['from_ms'])[:16]}, {gaps}."
    )
    say("What nobody saw cannot hit.")


@click.command("rescan")
@click.option("--since", "since_ms", callback=_since, metavar="WHEN", help="30d, 2026-11-01, …")
@click.option("--reason", default="", help="Why; recorded with your name.")
@click.option("--status", "is_status", is_flag=True, help="Show how searches stand.")
@click.option("--stop", "stopped_id", type=int, metavar="ID", help="Stop one; what it found stays.")
@printed
@pass_settings
def rescan_words(settings: Settings, /, **asked: Any) -> None:
    """Search the history again by what is in force; what was not found before becomes violations."""
    farm, form = settings.farm(), asked["form"]
    if asked["stopped_id"] is not None:
        found = [farm.post(f"/words/rescans/{asked['stopped_id']}/stop")]
    elif asked["is_status"]:
        found = farm.get("/words/rescans")
    elif asked["since_ms"] is None:
        raise click.UsageError("Say since when: --since 30d. How it stands: --status.")
    else:
        found = [farm.post("/words/rescans", {"since_ms": asked["since_ms"], "reason": asked["reason"]})]
    put_records(found, _SCANS, form=form, id_key="id")
    if form is not Form.TABLE:
        return
    if not found:
        say("The history was never searched again.")
    elif any(scan["state"] == "running" for scan in found):
        say("It goes on when nobody waits for it, also over a restart.")
        hint("Next: farm words rescan --status")
    else:
        hint("Next: farm violations list")
