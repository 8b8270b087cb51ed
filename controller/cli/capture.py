"""farm capture: show, set; and which chats are private (farm chats exclude, include)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import rich_click as click

from controller.cli.link import Farm, Settings
from controller.cli.options import listed, pass_settings, printed
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
    quoted,
    say,
)

_KINDS = click.Choice(["private", "group", "service"])
_HOURS = '"mon-fri 08:00-20:00; sat 9-12", or always; by the clock of the account.'


def _first(rules: Record) -> str:
    days = f"{rules['first_days']} d" if rules["first_days"] else "default"
    pages = f"{rules['first_pages']} pages" if rules["first_pages"] else "default"
    return "default" if days == pages else f"{days}, {pages}"


_RULES = (
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("MODE", key("mode")),
    Column("HOURS", key("hours"), folds=True),
    Column("SWEEPS", key("sweep_hours"), folds=True),
    Column("ZONE", key("time_zone")),
    Column("MEDIA", key("media")),
    Column("FIRST VISIT", _first),
    Column("PRIVATE", key("private_chats"), right=True),
    Column(
        "NOW",
        lambda rules: f"nothing: {rules['stands_against']}" if rules["stands_against"] else "as set",
        folds=True,
    ),
)
_PRIVATE = (
    Column("KIND", key("kind")),
    Column("WITH", key("title")),
    Column("SINCE", clock_of("at_ms")),
    Column("BY", key("excluded_by")),
    Column("REASON", key("reason"), folds=True),
)

_SELECTOR = re.compile(r"all|@.+|(?:holder|state):.+|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*")
_an_account = click.argument("name", metavar="PHONE|ACCOUNT")
_a_title = click.argument("title", metavar="TITLE", help="The chat's name as the phone shows it.")
_a_kind = click.option("--kind", type=_KINDS, default="private", show_default=True)


@click.group()
def capture() -> None:
    """How the chats of accounts may be read: mode, hours, pictures, bounds."""


@capture.command("show")
@click.argument("selector", default="all", help="7 · 1-12,40 · @rack-A · state:backoff · holder:王芳 · all")
@listed
@pass_settings
def show_capture(settings: Settings, selector: str, form: Form) -> None:
    """Show how the chats of each account may be read, and what stands against it."""
    found = settings.farm().get("/capture", phones=selector)
    put_records(found, _RULES, form=form, id_key="account_id")
    if form is not Form.TABLE:
        return
    say(counted(len(found), "account"))
    if found:
        hint(f"Next: farm capture set {found[0]['phone_id']} --mode passive")
    else:
        hint("No account is bound to these phones. Next: farm phones assign NO")


@capture.command("set")
@click.argument("names", metavar="PHONES|ACCOUNT...", nargs=-1, required=True)
@click.option(
    "--mode",
    type=click.Choice(["sweep", "passive", "off"]),
    help="sweep opens chats, which marks them as read; passive reads what a person opens; off reads nothing.",
)
@click.option("--hours", metavar="HOURS", help=f"When chats may be read at all: {_HOURS}")
@click.option("--sweep-hours", metavar="HOURS", help=f"When they may be opened, within the former: {_HOURS}")
@click.option(
    "--media",
    type=click.Choice(["facts", "pictures"]),
    help="facts: only that a picture was sent. pictures: what the chat shows of it too, on the phone's host; "
    "needs a reason, and a notice that says so. farm-agent media deletes old ones there.",
)
@click.option("--first-days", type=click.IntRange(1), metavar="N", help="How far back the first visit reads.")
@click.option("--first-pages", type=click.IntRange(1), metavar="N", help="And at most so many pages.")
@click.option("--reason", default="", help="Why; recorded with your name.")
@printed
@pass_settings
def set_capture(settings: Settings, /, **asked: Any) -> None:
    """Set how chats of accounts may be read; agents hear at once."""
    parts = ("mode", "hours", "sweep_hours", "media", "first_days", "first_pages")
    rules = {name: asked[name] for name in parts if asked[name] is not None}
    if not rules:
        raise click.UsageError(
            "Say what: --mode, --hours, --sweep-hours, --media, --first-days, --first-pages."
        )
    farm = settings.farm()
    body = {**rules, "reason": asked["reason"]}
    accounts = dict.fromkeys(one for name in asked["names"] for one in _accounts(farm, name))
    found = [farm.post(f"/capture/{quote(name, safe='')}", body) for name in accounts]
    put_records(found, _RULES, form=asked["form"], id_key="account_id")
    if asked["form"] is Form.TABLE:
        say("Recorded with your name. It holds from now on; what was captured before stays.")
        hint("Next: farm chats coverage")


def _accounts(farm: Farm, name: str) -> list[str]:
    """Return the accounts that a selector of phones names; any other text is an account's own name."""
    if not _SELECTOR.fullmatch(name):
        return [name]
    return [record["account_id"] for record in farm.get("/capture", phones=name)] or [name]


@click.command("exclude")
@_an_account
@_a_title
@_a_kind
@click.option("--reason", required=True, help="Why it is private; recorded with your name.")
@printed
@pass_settings
def exclude_chat(settings: Settings, name: str, title: str, kind: str, reason: str, form: Form) -> None:
    """Make a chat private: it is never opened, never read, and nothing of it is kept."""
    body = {"title": title, "kind": kind, "reason": reason}
    chat = settings.farm().post(f"/capture/{quote(name, safe='')}/private", body)
    if form is not Form.TABLE:
        put_json(chat, form)
        return
    say(f"{chat['account_id']}: nothing of this chat is read or kept from now on; what was archived stays.")
    hint(f"Next: farm chats private {quoted(name)}")


@click.command("include")
@_an_account
@_a_title
@_a_kind
@click.option("--reason", required=True, help="Why it is captured again; recorded with your name.")
@printed
@pass_settings
def include_chat(settings: Settings, name: str, title: str, kind: str, reason: str, form: Form) -> None:
    """Let a private chat be captured again."""
    body = {"title": title, "kind": kind, "reason": reason}
    found = settings.farm().post(f"/capture/{quote(name, safe='')}/private/end", body)
    if form is not Form.TABLE:
        put_json(found, form)
        return
    say("This chat is captured from now on." if found["was_private"] else "This chat was not private.")
    hint(f"Next: farm chats private {quoted(name)}")


@click.command("private")
@_an_account
@listed
@pass_settings
def list_private(settings: Settings, name: str, form: Form) -> None:
    """List the private chats of an account."""
    found = settings.farm().get(f"/capture/{quote(name, safe='')}/private")
    put_records(found, _PRIVATE, form=form, id_key="title")
    if form is Form.TABLE:
        say(counted(len(found), "private chat"))
        hint(f"Next: farm chats exclude {quoted(name)} TITLE --reason TEXT")
