"""farm words rules and farm words exceptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings, printed, text_of
from controller.cli.render import (
    Column,
    Form,
    Record,
    clock_of,
    counted,
    hint,
    key,
    put_json,
    put_records,
    say,
)

DIFFERENCES = (
    Column("PART", key("part")),
    Column("ACT", key("act")),
    Column("ID", key("id")),
    Column("NAME", key("name")),
    Column("WHAT", key("detail"), folds=True),
)


def _on(rule: Record) -> str:
    """Return in one line what a rule fires on."""
    on = rule["document"]["on"]
    if "behaviour" in on:
        limits = [f"≥ {on['min_amount_fen'] / 100:.2f} CNY"] if on.get("min_amount_fen") else []
        limits += [f"{on['minutes']} min"] if on.get("minutes") else []
        limits += [on["hours"]] if on.get("hours") else []
        return " ".join([str(on["behaviour"]), *limits])
    parts = [f"{name}: {', '.join(on[name])}" for name in ("categories", "words", "patterns") if on.get(name)]
    return f"{'; '.join(parts)} ({counted(rule['entries'], 'entry', 'entries')})"


def _where(rule: Record) -> str:
    """Return in one line where a rule holds, and under which conditions."""
    document, parts = rule["document"], []
    for name, value in (document.get("scope") or {}).items():
        parts.append(f"{name}: {value if isinstance(value, str) else ', '.join(value)}")
    named = [name for name in ("all_of", "none_of") if document.get(name)]
    parts += [f"{name}: {', '.join(document[name])}" for name in named]
    if document.get("within_messages", 1) > 1:
        parts.append(f"within {document['within_messages']} messages")
    if rate := document.get("rate"):
        parts.append(f"{rate['count']} in {rate['window_s']} s per {rate.get('per', 'account')}")
    return "; ".join(parts) or "everywhere"


def _does(rule: Record) -> str:
    grave = ["notify if high or critical"] if rule["tells_grave"] else []
    return ", ".join([*rule["actions"], *grave])


_RULES = (
    Column("ID", key("rule_id")),
    Column("NAME", key("name"), folds=True),
    Column("ON", _on, folds=True),
    Column("WHOSE", key("direction"), is_spare=True),
    Column("WHERE", _where, folds=True, is_spare=True),
    Column("SEVERITY", lambda rule: rule["severity"] or "the word's"),
    Column("DOES", _does, folds=True, is_spare=True),
    Column("STATE", lambda rule: "enabled" if rule["is_enabled"] else "disabled"),
)
_WAIVERS = (
    Column("ID", key("waiver_id")),
    Column("PHRASE", key("phrase"), folds=True),
    Column("RULE", lambda one: one["rule"] or "any"),
    Column("ENTRY", lambda one: one["entry"] or "any"),
    Column("ACCOUNTS", lambda one: ", ".join(one["accounts"]) or "all", folds=True),
    Column("BY", key("by")),
    Column("AT", clock_of("at_ms")),
    Column("WHY", key("why"), folds=True),
    Column("VIOLATION", key("violation_id"), right=True),
)


def tell_changed(changed: Record, form: Form) -> None:
    """Print what a change did."""
    if form is not Form.TABLE:
        put_json(changed, form)
        return
    if changed["version"] is None:
        say(f"Nothing differs from version {changed['base']}.")
        return
    for one in changed["differences"][:10]:
        say(f"{one['part']} {one['act']}: {one['name'] or one['id']}{_detail(one)}")
    if len(changed["differences"]) > 10:
        say(f"… and {len(changed['differences']) - 10:,} more: farm words history {changed['version']}")
    if changed["unwatched"]:
        many = counted(len(changed["unwatched"]), "word")
        some = ", ".join(changed["unwatched"][:10]) + (", …" if len(changed["unwatched"]) > 10 else "")
        say(f"No enabled rule looks for {many}: {some}. See farm words rules list")
    say(f"Version {changed['version']} holds from the next message on. Recorded with your name.")


def _detail(one: Record) -> str:
    return f" ({one['detail']})" if one["detail"] else ""


@click.group()
def rules() -> None:
    """What is looked for, at whom, and what happens then."""


@rules.command("list")
@listed
@pass_settings
def list_rules(settings: Settings, form: Form) -> None:
    """List the rules in their order."""
    found = settings.farm().get("/words/rules")
    put_records(found, _RULES, form=form, id_key="rule_id")
    if form is Form.TABLE:
        say(counted(len(found), "rule"))
        hint("Next: farm words rules set FILE (a rule, or a list of rules, as JSON; see docs/words.md)")


@rules.command("set")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="Stands in the history.")
@printed
@pass_settings
def set_rules(settings: Settings, file: Path, note: str, form: Form) -> None:
    """Add rules from a JSON file, or put them in the place of those with the same id."""
    try:
        given: Any = json.loads(text_of(file))
    except ValueError as wrong:
        raise click.UsageError(f"{file} is no JSON: {wrong}") from None
    if isinstance(given, dict) and "rules" in given:
        given = given["rules"]
    rows = given if isinstance(given, list) else [given]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise click.UsageError(f"{file} holds no rule; a rule is a JSON object with id and on.")
    changed = settings.farm().post("/words/rules", {"rules": rows, "note": note})
    tell_changed(changed, form)


def _switch(act: str, told: str) -> click.Command:
    @rules.command(act, help=told)
    @click.argument("rule_id", metavar="RULE")
    @click.option("--note", default="", help="Why; stands in the history.")
    @printed
    @pass_settings
    def switch(settings: Settings, rule_id: str, note: str, form: Form) -> None:
        path = f"/words/rules/{quote(rule_id, safe='')}/{act}"
        tell_changed(settings.farm().post(path, {"note": note}), form)

    found: click.Command = switch
    return found


enable_rule = _switch("enable", "Let a rule find again.")
disable_rule = _switch("disable", "Let a rule find nothing more; what it found before stays.")
remove_rule = _switch("remove", "Take a rule out; what it found before stays.")


@click.group()
def exceptions() -> None:
    """What rules do not find any more, because somebody decided so about a violation."""


@exceptions.command("list")
@listed
@pass_settings
def list_waivers(settings: Settings, form: Form) -> None:
    """List exceptions, newest first."""
    found = settings.farm().get("/words/exceptions")
    put_records(found, _WAIVERS, form=form, id_key="waiver_id")
    if form is Form.TABLE:
        say(counted(len(found), "exception"))
        if not found:
            hint("One is made of a false alarm: farm violations review ID --as-exception PHRASE")
        else:
            hint(f"Next: farm words exceptions remove {found[0]['waiver_id']} --reason TEXT")


@exceptions.command("remove")
@click.argument("waiver_id", metavar="EXCEPTION")
@click.option("--reason", required=True, help="Why; recorded with your name.")
@printed
@pass_settings
def remove_waiver(settings: Settings, waiver_id: str, reason: str, form: Form) -> None:
    """Take an exception back: what it silenced is found again."""
    path = f"/words/exceptions/{quote(waiver_id, safe='')}/remove"
    tell_changed(settings.farm().post(path, {"note": reason}), form)
    if form is Form.TABLE:
        hint("What it silenced so far: farm words rescan --since 30d --reason TEXT")
