"""farm violations sample: draw, list, show, judge."""

from __future__ import annotations

from typing import Any

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings, printed
from controller.cli.render import (
    Column,
    Form,
    clock_of,
    counted,
    hint,
    key,
    put,
    put_json,
    put_records,
    say,
)
from controller.cli.violationfilters import SEVERITIES, since
from controller.cli.violationlines import context_lines, coverage_line

_SAMPLES = (
    Column("ID", key("sample_id"), right=True),
    Column("DRAWN", clock_of("drawn_at_ms")),
    Column("BY", key("drawn_by")),
    Column("HOLDER", key("holder")),
    Column("CHAT", key("conversation_id"), right=True),
    Column("VERDICT", lambda sample: sample["verdict"] or "open", is_state=True),
    Column("READ BY", key("reviewed_by")),
    Column("NOTE", key("note"), folds=True),
)


@click.group()
def sample() -> None:
    """Stretches of chats in which no rule found anything: what rules miss is found by reading only."""


@sample.command("draw")
@click.argument("count", type=click.IntRange(1, 200))
@since("30d")
@click.option("--holder", "holders", multiple=True, metavar="NAME", help="Only of these; may be said often.")
@click.option("--seed", type=int, help="The same seed draws the same from the same chats.")
@listed
@pass_settings
def draw(
    settings: Settings, count: int, since_ms: int, holders: tuple[str, ...], seed: int | None, form: Form
) -> None:
    """Draw stretches at random: each account equally often. Recorded."""
    body = {"count": count, "since_ms": since_ms, "holders": list(holders), "seed": seed}
    drawn = settings.farm().post("/violations/samples", body)
    found = drawn["samples"]
    if form in {Form.JSON, Form.JSONL}:
        put_json(drawn if form is Form.JSON else found, form)
        return
    put_records(found, _SAMPLES, form=form, id_key="sample_id")
    if form is Form.IDS:
        return
    say(f"{counted(len(found), 'sample')} of {count} asked for; seed {drawn['seed']}")
    if found:
        hint(f"Next: farm violations sample show {found[0]['sample_id']}")
    else:
        whose = " of these holders" if holders else ""
        hint(f"There is no chat{whose} without a violation in that time; try an earlier --since.")


@sample.command("list")
@click.option("--open/--judged", "is_open", default=None, help="Those that wait for a reader, or the others.")
@click.option("--draw", "draw_id", default="", metavar="ID", help="Of this draw.")
@click.option("--before", "before_id", type=int, metavar="ID", help="Go on below this sample.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@listed
@pass_settings
def list_samples(settings: Settings, /, **asked: Any) -> None:
    """List samples, newest first."""
    wanted = {name: asked[name] for name in ("is_open", "draw_id", "before_id", "limit")}
    found = settings.farm().get("/violations/samples", **wanted)
    put_records(found, _SAMPLES, form=asked["form"], id_key="sample_id")
    if asked["form"] is not Form.TABLE:
        return
    say(counted(len(found), "sample"))
    waiting = next((one for one in found if not one["verdict"]), None)
    then = f"show {waiting['sample_id']}" if waiting else "draw 10"
    hint(f"Next: farm violations sample {then}")


@sample.command("show")
@click.argument("sample_id", metavar="ID", type=int)
@click.option(
    "--reason", default="", help='Why you read it; without it "sample ID". Recorded with your name.'
)
@printed
@pass_settings
def show_sample(settings: Settings, sample_id: int, reason: str, form: Form) -> None:
    """Read a stretch, the id of each message before it; gaps stand in their places."""
    why = reason.strip() or f"sample {sample_id}"
    found = settings.farm().get(f"/violations/samples/{sample_id}", reason=why)
    if form is not Form.TABLE:
        put_json(found, form)
        return
    chat = found["chat"]
    holder = found["sample"]["holder"] or "nobody"
    put(f"{chat['phone_id']} {chat['account_id']} with {chat['title']}, {holder}")
    for line in context_lines(found["items"], with_ids=True):
        put(line)
    put(coverage_line(found["hour"]))
    hint(f"Next: farm violations sample judge {sample_id} --clean|--finding MESSAGE --category ID")


@sample.command("judge")
@click.argument("sample_id", metavar="ID", type=int)
@click.option("--clean", is_flag=True, help="Nothing in it is against the rules.")
@click.option(
    "--finding", "message_id", type=int, metavar="MESSAGE", help="This message is; becomes a violation."
)
@click.option("--category", default="", metavar="ID", help="Of the finding.")
@click.option("--severity", type=click.Choice(SEVERITIES), default="medium", show_default=True)
@click.option("--note", default="", metavar="TEXT")
@printed
@pass_settings
def judge_sample(settings: Settings, /, **asked: Any) -> None:
    """Say what a stretch is, once; a finding becomes a violation that waits for a verdict like others."""
    if asked["clean"] == (asked["message_id"] is not None):
        raise click.UsageError("Say --clean or --finding MESSAGE.")
    if asked["message_id"] is not None and not asked["category"]:
        raise click.UsageError("A finding needs a category: --category ID.")
    number = asked["sample_id"]
    body = {"verdict": "clean" if asked["clean"] else "finding", "note": asked["note"]}
    if asked["message_id"] is not None:
        body |= {name: asked[name] for name in ("message_id", "category", "severity")}
    found = settings.farm().post(f"/violations/samples/{number}/judge", body)
    if asked["form"] is not Form.TABLE:
        put_json(found, asked["form"])
        return
    say(f"sample {number}: {found['sample']['verdict']}.")
    if found["violation"]:
        hint(f"Next: farm violations show {found['violation']['violation_id']}")
    else:
        hint("Next: farm violations sample list --open")
