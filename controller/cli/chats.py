"""farm chats: list, show, search, coverage, export. Every look at a chat is recorded with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rich_click as click

from controller.cli.chatlines import came, content, lines, watched_line
from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings, printed
from controller.cli.periods import within
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
    quoted,
    say,
    zone,
)
from controller.errors import UnknownConversation

_PHONES = click.option(
    "--phones", "selector", default="all", help="7 · 1-12,40 · @rack-A · holder:王芳 · all"
)
_ACCOUNT = click.option("--account", default="", metavar="PHONE|ACCOUNT", help="Only chats of this account.")
_REASON = click.option("--reason", required=True, help="Why; recorded with your name.")
_MAX_TEXT_CHARS = 160

_CHATS = (
    Column("CHAT", key("conversation_id"), right=True),
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("WITH", key("title")),
    Column("KIND", key("kind")),
    Column("MESSAGES", key("messages"), right=True),
    Column("LAST", clock_of("last_at_ms")),
    Column("GAPS", lambda chat: str(chat["watched"]["gaps"] or "-"), right=True),
    Column("WATCHED UNTIL", lambda chat: _watched_until(chat["watched"])),
)
_HITS = (
    Column("CHAT", lambda hit: str(hit["chat"]["conversation_id"]), right=True),
    Column("NO", lambda hit: hit["chat"]["phone_id"]),
    Column("WITH", lambda hit: hit["chat"]["title"] or "-"),
    Column("AT", lambda hit: came(hit["message"])),
    Column("", lambda hit: {"out": "→", "in": "←"}.get(hit["message"]["side"], "·")),
    Column("TEXT", lambda hit: _cut(content(hit["message"])), folds=True),
)


def _minutes(state: str) -> Column:
    return Column(state.upper(), lambda hour: str(round(hour["ms"][state] / 60_000) or "-"), right=True)


_HOURS = (
    Column("ACCOUNT", key("account_id")),
    Column("HOUR", lambda hour: moment(hour["from_ms"])[5:16]),
    *(_minutes(state) for state in ("seen", "passive", "blind", "paused", "unwatched")),
    Column("GAPS", lambda hour: str(hour["gaps"] or "-"), right=True),
    Column("CAUSES", lambda hour: ", ".join([*hour["causes"], *hour["gap_causes"]]) or "-", folds=True),
)


def _watched_until(watched: Record) -> str:
    if watched["is_private"]:
        return "private"
    return moment(watched["seen_until_ms"])[5:16] if watched["seen_until_ms"] is not None else "never"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT_CHARS else text[:_MAX_TEXT_CHARS] + "…"


@contextmanager
def _named(conversation_id: int | None) -> Iterator[None]:
    """Say which chat there is not."""
    try:
        yield
    except UnknownConversation:
        if conversation_id is None:
            raise
        raise UnknownConversation(f"no chat {conversation_id}; their numbers: farm chats list") from None


@click.group()
def chats() -> None:
    """Captured chats of work accounts."""


@chats.command("list")
@_PHONES
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@listed
@pass_settings
def list_chats(settings: Settings, selector: str, limit: int, form: Form) -> None:
    """List chats, the latest first; their messages are not shown."""
    found = settings.farm().get("/chats", phones=selector, limit=limit)
    put_records(found, _CHATS, form=form, id_key="conversation_id")
    if form is Form.TABLE:
        say(counted(len(found), "chat"))
        if found:
            hint(f"Next: farm chats show {found[0]['conversation_id']} --reason TEXT")


@chats.command("show")
@click.argument("conversation_id", metavar="CHAT", type=int)
@click.option("--reason", required=True, help="Why you read it; recorded with your name.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", "before_position", type=int, help="Only messages before this position.")
@printed
@pass_settings
def show_chat(settings: Settings, /, **asked: Any) -> None:
    """Read the last messages of a chat, with what could not be captured."""
    farm = settings.farm()
    wanted = {name: asked[name] for name in ("reason", "limit", "before_position")}
    with _named(asked["conversation_id"]):
        found = farm.get(f"/chats/{asked['conversation_id']}", **wanted)
    if asked["form"] is not Form.TABLE:
        put_json(found, asked["form"])
        return
    chat = found["conversation"]
    captured = counted(chat["messages"], "message")
    say(f"{chat['phone_id']} {chat['account_id']} with {chat['title']}: {captured}; times in {zone()}")
    for line in lines(found["messages"], found["gaps"], found["removals"]):
        put(line)
    say(watched_line(chat["watched"]))
    first = found["messages"][0]["position"] if found["messages"] else 0
    if len(found["messages"]) == asked["limit"]:
        hint(f"Earlier: farm chats show {asked['conversation_id']} --before {first} --reason TEXT")


@chats.command("search")
@click.argument("text", metavar="TEXT")
@_PHONES
@_ACCOUNT
@within
@click.option("--chat", "conversation_id", type=int, metavar="CHAT", help="Only in this chat.")
@click.option("--before", "before_id", type=int, metavar="ID", help="Go on below this message.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@_REASON
@printed
@pass_settings
def search_chats(settings: Settings, /, **asked: Any) -> None:
    """Find messages, newest first: words apart by blanks must all be there, two characters are enough."""
    parts = ("text", "account", "conversation_id", "from_ms", "to_ms", "before_id", "limit", "reason")
    body = {name: asked[name] for name in parts if asked[name] is not None}
    found = settings.farm().post("/chats/search", {**body, "phones": asked["selector"]})
    if asked["form"] is not Form.TABLE:
        put_json(found["hits"] if asked["form"] is Form.JSONL else found, asked["form"])
        return
    hits, below = found["hits"], found["next_before_id"]
    put_records(hits, _HITS, form=Form.TABLE, id_key="")
    say(counted(len(hits), "message"))
    if below is not None:
        hint(f"Further back: farm chats search {quoted(asked['text'])} --before {below} --reason TEXT")
    elif hits:
        chat, after = hits[0]["chat"]["conversation_id"], hits[0]["message"]["position"] + 10
        hint(f"Next: farm chats show {chat} --before {after} --reason TEXT")
    else:
        hint("What was not captured is not found either: farm chats coverage")


@chats.command("coverage")
@_PHONES
@within
@printed
@pass_settings
def show_coverage(
    settings: Settings, selector: str, from_ms: int | None, to_ms: int | None, form: Form
) -> None:
    """Show minutes watched of each hour and account, with causes; without times the last day."""
    found = settings.farm().get("/chats/coverage", phones=selector, from_ms=from_ms, to_ms=to_ms)
    put_records(found, _HOURS, form=form, id_key="account_id")
    if form is not Form.TABLE:
        return
    total = sum(sum(hour["ms"].values()) for hour in found)
    if not total:
        say("No account is bound to these phones, or the period has no length.")
        return
    seen = sum(hour["ms"]["seen"] for hour in found)
    # Down: what was not quite all is not all.
    say(
        f"Fully watched: {seen * 1000 // total / 10} % of the time of {counted(_accounts(found), 'account')}."
    )
    say("SEEN: all chats; PASSIVE: only the chat in front; UNWATCHED: nobody knows what happened.")
    say("Agents tell every five minutes, and at once of a change: the last minutes may stand as UNWATCHED.")
    hint("Next: farm capture show")


def _accounts(found: list[Record]) -> int:
    return len({hour["account_id"] for hour in found})


@chats.command("export")
@click.argument("conversation_id", metavar="[CHAT]", type=int, required=False)
@_PHONES
@_ACCOUNT
@within
@click.option(
    "--format", "kind", type=click.Choice(["jsonl", "csv", "xlsx"]), help="Else by the file's name."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write; else stdout.")
@click.option("--reveal", is_flag=True, help="Mobiles in full; recorded.")
@_REASON
@pass_settings
def export_chats(settings: Settings, /, **asked: Any) -> None:
    """Write chats with their gaps, all of them if none is named: JSONL without loss, or CSV and XLSX."""
    from controller.cli.chatfiles import parts_of, write

    output: Path | None = asked["output"]
    is_stdout = output is None or str(output) == "-"
    kind = asked["kind"] or (output.suffix.lower().lstrip(".") if output is not None else "") or "jsonl"
    if kind not in {"jsonl", "csv", "xlsx"}:
        raise click.UsageError("Say --format jsonl, csv or xlsx.")
    if kind == "xlsx" and is_stdout:
        raise click.UsageError("A workbook needs a file: -o FILE.xlsx.")
    names = ("conversation_id", "account", "from_ms", "to_ms", "reason")
    body = {name: asked[name] for name in names if asked[name] is not None}
    body |= {"phones": asked["selector"], "is_revealed": asked["reveal"]}
    with _named(asked["conversation_id"]):
        told = write(parts_of(settings.farm(), body), kind, None if is_stdout else output)
    say(f"{counted(told.chats, 'chat')}, {counted(told.messages, 'message')}, {counted(told.gaps, 'gap')}")
    if not is_stdout:
        hint(f"Wrote {output}, readable by you only; delete it when the case is closed.")
    if told.gaps:
        hint("Gaps are rows of their own; farm chats coverage says how each hour was watched.")
