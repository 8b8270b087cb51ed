"""Who is signed in on a phone."""

from __future__ import annotations

from agent.phone import Phone
from agent.wechat.screens import ScreenName
from agent.wechat.steps import go


def read_account(phone: Phone) -> str:
    """Return the WeChat id the Me page shows, "" if it shows none; ends on the list of chats."""
    chats = phone.home()
    me = go(phone, chats, chats.tabs()[3], ScreenName.ME, what="the Me page")
    prefixes = me.table.texts["me_wechat_id_prefix"]
    found = ""
    for node in me.starting("me_wechat_id_prefix"):
        text = phone.true_text(node)
        prefix = max((one for one in prefixes if text.startswith(one)), key=len, default="")
        found = found or text.removeprefix(prefix).strip()
    go(phone, me, me.tabs()[0], ScreenName.CHATS, what="the list of chats")
    return found
