"""What a grey line of a chat says happened. Names in it are free text: told by its two ends only. Pure."""

from __future__ import annotations

import re
from enum import StrEnum


class SystemCode(StrEnum):
    """The closed set of what a system line can say; a line of none of these has the code ""."""

    FRIEND_ADDED = "friend_added"
    JOINED = "joined"
    REMOVED = "removed"
    LEFT = "left"
    RENAMED = "renamed"
    RECALLED = "recalled"
    BLOCKED_BY_PEER = "blocked_by_peer"
    NOT_FRIEND = "not_friend"
    GREETING_END = "greeting_end"


# Longer than any line the client writes; nothing longer is searched.
_LIMIT = 400
# The end of a line is fixed wherever its beginning is a name, and no two of these ends are alike: what a name
# contains never decides.
_LINES: tuple[tuple[SystemCode, re.Pattern[str]], ...] = tuple(
    (code, re.compile(wording, re.DOTALL))
    for code, wording in (
        (SystemCode.RECALLED, r".+撤回了(?:一条消息|成员.*的一条消息)(?:\s*重新编辑)?"),
        (SystemCode.RECALLED, r".+ recalled a message\.?(?:\s*(?:Edit|Re-edit))?"),
        (SystemCode.FRIEND_ADDED, r"你已添加了.*，现在可以开始聊天了。?"),
        (SystemCode.FRIEND_ADDED, r".*刚刚把你添加到通讯录，现在可以开始聊天了。?"),
        (SystemCode.FRIEND_ADDED, r"我通过了你的朋友验证请求，现在我们可以开始聊天了。?"),
        (SystemCode.FRIEND_ADDED, r"You have added .* as your WeChat contact\. Start chatting!"),
        (
            SystemCode.FRIEND_ADDED,
            r".* just added you to his/her contacts list\. Send a message to him/her now!",
        ),
        (SystemCode.FRIEND_ADDED, r"I've accepted your friend request\. Now let's chat!"),
        (SystemCode.GREETING_END, r"以上是打招呼的(?:内容|消息)。?"),
        (SystemCode.BLOCKED_BY_PEER, r"消息已发出[，,]但被对方拒收了。?"),
        (
            SystemCode.NOT_FRIEND,
            r".*开启了(?:朋友|好友)验证[，,]你还不是他.{0,9}请先发送.{0,30}才能聊天。?(?:\s*发送(?:朋友|好友)验证)?",
        ),
        (SystemCode.NOT_FRIEND, r"对方(?:还)?不是你的(?:朋友|好友)。?"),
        (SystemCode.REMOVED, r"(?:你|.+将).+移出了?群聊。?"),
        (
            SystemCode.REMOVED,
            r"You removed .+ from the group chat|You were removed from the group chat by .+",
        ),
        (SystemCode.JOINED, r"(?:.+邀请|.+通过).+加入了?群聊。?|.+加入了群聊。?"),
        (SystemCode.JOINED, r"(?:You|.+) invited .+ to (?:a|the) group chat"),
        (SystemCode.LEFT, r".+(?:退出|离开)了?群聊。?|.+ left the group chat"),
        (SystemCode.RENAMED, r".+修改群名为[“\"].*[”\"]|(?:You|.+) changed the group name to \".*\""),
        # Who else is there ends such a line: names only, so it comes last.
        (SystemCode.JOINED, r".+邀请你.*加入了?群聊[，,]群聊参与人还有[:：].+"),
    )
)
_RECALLER = re.compile(
    r"(?:你|[\"“](?P<name>.*)[\"”]|(?P<plain>[^\"“].*?))\s?撤回了一条消息(?:\s*重新编辑)?"
    r"|You recalled a message\.?.*|\"?(?P<english>.+?)\"? recalled a message\.?",
    re.DOTALL,
)


def code_of(line: str) -> str:
    """Return the code of a system line, "" if its form is not known."""
    text = line.strip()
    if len(text) > _LIMIT:
        return ""
    return next((code.value for code, wording in _LINES if wording.fullmatch(text)), "")


def recaller(line: str) -> str | None:
    """Return whose message a line says was taken back by its writer: "" the holder's, else the name as shown.

    None for any other line, and for one by which somebody took back another member's message. In a line that
    says only "the other side" the name is that word.
    """
    text = line.strip()
    match = _RECALLER.fullmatch(text) if len(text) <= _LIMIT else None
    return (match["name"] or match["plain"] or match["english"] or "") if match else None
