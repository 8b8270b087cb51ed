"""Each kind of action with its flow: how it is done, and how its outcome is found by looking only."""

from __future__ import annotations

from agent.commit import Commit
from agent.model import Action, Ended, FriendAdd
from agent.phone import Phone
from agent.wechat import friends


def act(phone: Phone, action: Action, commit: Commit) -> Ended:
    """Do an action; `commit` is armed before the first tap that lasts, and makes each of them.

    Raises what went wrong with phone, screen or account; after arming its effect is settled with `look`.
    """
    match action:
        case FriendAdd():
            return friends.add_friend(phone, action, commit)
        case _:
            raise NotImplementedError(type(action).__name__)


def look(phone: Phone, action: Action) -> Ended:
    """Settle an armed action by looking only; NOT_SENT if it is proved that nothing was done."""
    match action:
        case FriendAdd():
            return friends.look(phone, action)
        case _:
            raise NotImplementedError(type(action).__name__)
