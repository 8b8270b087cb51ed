"""farm chats: list, show. Every look at a chat is recorded with its reason."""

from __future__ import annotations

from typing import Any

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings, printed
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
    say,
)

_CHATS = (
    Column("CHAT", key("conversation_id"), right=True),
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("WITH", key("title")),
    Column("KIND", key("kind")),
    Column("MESSAGES", key("messages"), right=True),
    Column("LAST", clock_of("last_at_ms")),
)
_SIDES = {"out": "→", "in": "←"}


@click.group()
def chats() -> None:
    """Captured chats of work accounts."""


@chats.command("list")
@click.option("--phones", "selector", default="all", help="7 · 1-12,40 · @rack-A · holder:王芳 · all")
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
    found = farm.get(f"/chats/{asked['conversation_id']}", **wanted)
    if asked["form"] is not Form.TABLE:
        put_json(found, asked["form"])
        return
    chat = found["conversation"]
    captured = counted(chat["messages"], "message")
    say(f"{chat['phone_id']} {chat['account_id']} with {chat['title']}: {captured}")
    for line in lines(found["messages"], found["gaps"]):
        put(line)
    first = found["messages"][0]["position"] if found["messages"] else 0
    if len(found["messages"]) == asked["limit"]:
        hint(f"Earlier: farm chats show {asked['conversation_id']} --before {first} --reason TEXT")


def lines(messages: list[Record], gaps: list[Record]) -> list[str]:
    """Return one line for each message, and one for each gap before the message it stands before."""
    shown: list[str] = []
    left = sorted(gaps, key=lambda gap: gap["before_position"])
    lowest = messages[0]["position"] if messages else 0
    left = [gap for gap in left if gap["before_position"] >= lowest]
    for message in messages:
        while left and left[0]["before_position"] <= message["position"]:
            shown.append(_gap(left.pop(0)))
        shown.append(_message(message))
    return shown + [_gap(gap) for gap in left]


def _message(message: Record) -> str:
    label = message["time_label"] or moment(message["read_at_ms"])[11:16]
    kind = "" if message["kind"] == "text" else f"[{message['kind']}] "
    doubt = "  (place in the order not certain)" if message["ambiguous"] else ""
    side = _SIDES.get(message["side"], "·")
    return f"{message['position']:>5}  {label:<12} {side} {kind}{message['text']}{doubt}"


def _gap(gap: Record) -> str:
    since, until = moment(gap["from_ms"])[5:16], moment(gap["to_ms"])[5:16]
    return f"       -- not captured {since} to {until}: {gap['cause']} --"
