"""Each kind of action with its flow: how it is done, and how its outcome is found by looking only."""

from __future__ import annotations

from agent.commit import Commit
from agent.model import Action, ContactMark, Ended, FirstReply, FriendAccept, FriendAdd, MomentsLike
from agent.phone import Phone
from agent.wechat import accept, contacts, friends, moments, reply


def act(phone: Phone, action: Action, commit: Commit) -> Ended:
    """Do an action; `commit` is armed before the first tap that lasts, and makes each of them.

    Raises what went wrong with phone, screen or account; after arming its effect is settled with `look`.
    """
    match action:
        case FriendAdd():
            return friends.add_friend(phone, action, commit)
        case FriendAccept():
            return accept.accept(phone, action, commit)
        case FirstReply():
            return reply.reply(phone, action, commit)
        case ContactMark():
            return contacts.mark(phone, action, commit)
        case MomentsLike():
            return moments.like(phone, action, commit)
        case _:
            raise NotImplementedError(type(action).__name__)


def look(phone: Phone, action: Action, armed_key: str = "") -> Ended:
    """Settle an armed action by looking only; NOT_SENT if it is proved that nothing was done.

    `armed_key` is the digest that was recorded when it was armed, empty if none was.
    """
    match action:
        case FriendAdd():
            return friends.look(phone, action)
        case FriendAccept():
            return accept.look(phone, action)
        case FirstReply():
            return reply.look(phone, action)
        case ContactMark():
            return contacts.look(phone, action)
        case MomentsLike():
            return moments.look(phone, action, armed_key)
        case _:
            raise NotImplementedError(type(action).__name__)
