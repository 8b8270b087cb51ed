"""farm friends accept: show, set. Accepting is off until a person switches it on for an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import rich_click as click

from controller.cli import spans
from controller.cli.link import Settings
from controller.cli.options import pass_settings, printed, text_of
from controller.cli.quotas import an_account
from controller.cli.render import Form, Record, hint, moment, put_json, put_pairs, say


@click.group("accept")
def accept() -> None:
    """Accept who asks an account, within its hours and quota."""


@accept.command("show")
@an_account
@printed
@pass_settings
def show_policy(settings: Settings, name: str, form: Form) -> None:
    """Show whether and how an account accepts requests."""
    policy = settings.farm().get(_path(name))
    if form is not Form.TABLE:
        put_json(policy, form)
        return
    _put(policy)
    hint(f"Next: farm friends accept set {name} {'--off' if policy['is_on'] else '--on'} --reason TEXT")


@accept.command("set")
@an_account
@click.option("--on/--off", "is_on", default=None, help="Off also cancels what still waits.")
@click.option(
    "--reply",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A UTF-8 text file: what is said once to who was accepted. An empty file: nothing.",
)
@click.option("--hours", callback=spans.read_by(spans.read_hours), metavar="9-18", help="In its own zone.")
@click.option("--weekdays", callback=spans.read_by(spans.read_weekdays), metavar="1-5", help="Monday is 1.")
@click.option(
    "--tag", "tags", multiple=True, help='A tag who was accepted gets; again for more, "" for none.'
)
@click.option("--reason", default="", help="Why; recorded with your name.")
@printed
@pass_settings
def set_policy(settings: Settings, /, **asked: Any) -> None:
    """Set whether, when and how an account accepts requests; needs a reason."""
    change = {name: asked[name] for name in ("is_on", "hours", "weekdays") if asked[name] is not None}
    if asked["reply"] is not None:
        change["reply"] = text_of(asked["reply"])
    if asked["tags"]:
        change["tags"] = [tag for tag in asked["tags"] if tag.strip()]
    if not change:
        raise click.UsageError("Say what changes: --on, --off, --reply, --hours, --weekdays or --tag.")
    policy = settings.farm().post(_path(asked["name"]), {**change, "reason": asked["reason"]})
    if asked["form"] is not Form.TABLE:
        put_json(policy, asked["form"])
        return
    _put(policy)
    say("Recorded with your name.")
    hint("Next: farm jobs list" if policy["is_on"] else f"Next: farm friends accept show {asked['name']}")


def _path(name: str) -> str:
    return f"/friends/accepting/{quote(name, safe='')}"


def _put(policy: Record) -> None:
    put_pairs(
        [
            ("account", f"{policy['account_id']} on {policy['phone_id'] or 'no phone'}"),
            ("accepts", "yes" if policy["is_on"] else "no"),
            ("hours", f"{spans.hours(policy['hours'])} ({policy['time_zone']})"),
            ("weekdays", spans.weekdays(policy["weekdays"])),
            ("says then", policy["reply"] or "nothing"),
            ("tags", ", ".join(policy["tags"]) or "-"),
            ("set", f"{moment(policy['set_at_ms'])} by {policy['set_by']}" if policy["set_at_ms"] else ""),
        ]
    )
