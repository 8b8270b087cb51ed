"""What happens to conversations of the virtual world: lines written, recalled, changed, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.virtual.talk import Chat, Line

if TYPE_CHECKING:
    from agent.virtual.accounts import Account
    from agent.virtual.world import World

# What a staff member can do to a chat on the phone.
REMOVALS = ("clear", "row", "friend", "hide")


def chat_named(world: World, account: Account, name: str) -> Chat:
    """Return the chat with this key or title, or the private one with this person; KeyError if none fits."""
    chat = account.chats.get(name)
    if chat is None:
        chat = next((one for one in account.chats.values() if name in (one.title, one.heading)), None)
    if chat is not None:
        return chat
    person = world.person(name)
    return account.chat(person.key, world.name_for(account, person.key))


def write(
    world: World,
    account: Account,
    chat: Chat,
    text: str,
    *,
    side: str,
    kind: str = "text",
    sender: str = "",
    **fields: Any,
) -> Line:
    """Let a line be written and return it; `fields` are further ones of `Line`."""
    line = Line(
        at_ms=world.clock(),
        side=side,
        kind="system" if side == "system" else kind,
        text=text,
        sender=sender,
        **fields,
    )
    return account.receive(chat, line)


def recall(world: World, chat: Chat, index_from_end: int = 0) -> Line:
    """Take back the n-th last message that still stands there (0 = the last); IndexError if there is none."""
    place = chat.messages()[-1 - index_from_end]
    line = chat.lines[place]
    who = "你" if line.side == "out" else f'"{line.sender or chat.title}"'
    chat.recall(place, f"{who}撤回了一条消息", world.clock())
    return chat.ever[line.no]


def change(chat: Chat, index_from_end: int = 0, **fields: Any) -> Line:
    """Change fields of the n-th last message (0 = the last), as when a transfer is accepted."""
    return chat.change(chat.messages()[-1 - index_from_end], **fields)


def remove(world: World, account: Account, chat: Chat, what: str) -> None:
    """Let the staff member clear a chat, delete its row, delete the friend, or hide the row.

    Raises ValueError if `what` is none of REMOVALS.
    """
    if what not in REMOVALS:
        raise ValueError(f"cannot remove {what!r}")
    if what == "hide":
        chat.is_hidden, chat.unread = True, 0
        return
    chat.empty(world.clock(), keeps_row=what == "clear")
    if what == "friend":
        account.friends.pop(chat.key, None)


def rename(world: World, account: Account, chat: Chat, title: str, by: str = "") -> None:
    """Give a group another name; a grey line says who did it ("" = the account itself)."""
    chat.title = title
    who = f'"{by}"' if by else "你"
    write(world, account, chat, f"{who}修改群名为“{title}”", side="system")


def messages(world: World) -> list[dict[str, Any]]:
    """Return every line that stands in a chat, per account and chat in order."""
    return [
        {
            "account": account.account_id,
            "peer": chat.key,
            "title": chat.title,
            "side": line.side,
            "kind": line.kind,
            "text": line.text,
            "at_ms": line.at_ms,
        }
        for account in world.accounts.values()
        for chat in account.chats.values()
        for line in chat.lines
    ]
