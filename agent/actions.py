"""The kinds of actions by name, and how the agent's file keeps one."""

from __future__ import annotations

import msgspec

from agent.model import Action, ContactMark, FirstReply, FriendAccept, FriendAdd, MomentsLike

# Names as on the wire; the agent's file keeps them, so they are never reused for another action.
ACTIONS: dict[str, type[Action]] = {
    "friend_add": FriendAdd,
    "moments_like": MomentsLike,
    "friend_accept": FriendAccept,
    "first_reply": FirstReply,
    "contact_mark": ContactMark,
}
_NAMES: dict[type[Action], str] = {cls: name for name, cls in ACTIONS.items()}


def kind_of(action: Action) -> str:
    """Return the name of an action's kind."""
    return _NAMES[type(action)]


def packed(action: Action) -> str:
    """Return the words of an action as kept in the agent's file."""
    return msgspec.json.encode(action).decode()


def unpacked(kind: str, words: str) -> Action:
    """Return the action that was packed; KeyError for a kind of another release."""
    return msgspec.json.decode(words, type=ACTIONS[kind])
