"""Warnings and stops of the platform as data (warnings.toml), matched over folded text."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Any

from agent.errors import LoggedOut, NotNow, PlatformWarning
from agent.model import FriendAddOutcome


class Effect(StrEnum):
    """What a wording means for the agent."""

    STOP_ACCOUNT = "stop_account"  # the account rests until a person lifts it
    SIGNED_OUT = "signed_out"  # a person signs in
    END_TASK = "end_task"  # an answer about this one person
    WAIT = "wait"  # passes by itself
    NOTE = "note"  # nothing follows from it; a dialog is closed


class Surface(StrEnum):
    """Where WeChat shows its words."""

    DIALOG = "dialog"
    PAGE = "page"  # whole, in place of the client's own
    TOAST = "toast"
    TEXT = "text"  # under the search box
    BANNER = "banner"  # over the list of chats or the lines of one
    SYSTEM_LINE = "system_line"  # grey, in a chat, where other people's words stand too


class WarningClass(StrEnum):
    """What is told apart; each class may have several rules."""

    TOO_FREQUENT = "TOO_FREQUENT"
    RISK_ACCOUNT = "RISK_ACCOUNT"
    REALNAME = "REALNAME"
    VERSION_TOO_LOW = "VERSION_TOO_LOW"
    STRANGER_CAP = "STRANGER_CAP"
    COMMENT_RESTRICTED = "COMMENT_RESTRICTED"
    SEND_LIMIT = "SEND_LIMIT"
    GROUP_LIMIT = "GROUP_LIMIT"
    WECOM_ERRORS = "WECOM_ERRORS"
    NEW_DEVICE_FACE = "NEW_DEVICE_FACE"
    KICKED = "KICKED"
    LOGIN_EXPIRED = "LOGIN_EXPIRED"
    LOGIN_PAGE = "LOGIN_PAGE"
    NOT_FOUND = "NOT_FOUND"
    PEER_ABNORMAL = "PEER_ABNORMAL"
    BLOCKED_ADD = "BLOCKED_ADD"
    MOMENTS_BLOCKED = "MOMENTS_BLOCKED"
    WECOM_USER = "WECOM_USER"
    PEER_DELETED_ACCOUNT = "PEER_DELETED_ACCOUNT"
    CANNOT_BE_ADDED = "CANNOT_BE_ADDED"
    NOT_FRIEND = "NOT_FRIEND"
    REJECTED = "REJECTED"
    PEER_RISK = "PEER_RISK"
    NETWORK = "NETWORK"
    OUTAGE = "OUTAGE"
    UPDATE = "UPDATE"
    PERMISSION = "PERMISSION"
    TEEN_MODE = "TEEN_MODE"
    FRIEND_LIMIT = "FRIEND_LIMIT"
    BACKGROUND_RESTRICTED = "BACKGROUND_RESTRICTED"


class Unknown(StrEnum):
    """What WeChat shows in words that fall under no class: it may be anything, so a person decides."""

    DIALOG = "UNKNOWN_DIALOG"
    PAGE = "UNKNOWN_PAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRule:
    """Small patterns over folded text, where they count, and what follows from them."""

    warning: WarningClass
    effect: Effect
    surfaces: tuple[Surface, ...]
    origin: str  # server | client | both
    pattern: re.Pattern[str]
    line: re.Pattern[str] | None  # a whole grey line of a chat
    answers: Mapping[str, str]  # of END_TASK: kind of action -> outcome

    @property
    def outcome(self) -> FriendAddOutcome | None:
        """Return what it answers about the person looked for, None if it is no answer to that."""
        found = self.answers.get("friend_add")
        return FriendAddOutcome(found) if found else None

    def fits(self, folded: str, surface: Surface | None) -> bool:
        """Tell whether a folded text falls under this rule; None stands for every surface but a chat."""
        if surface is Surface.SYSTEM_LINE:
            return self.line is not None and self.line.fullmatch(folded) is not None
        return (surface is None or surface in self.surfaces) and self.pattern.search(folded) is not None


def fold(text: str) -> str:
    """Return text in one form: NFKC, lower case, 帐/帳/賬 as 账, punctuation and blanks dropped."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_FOLD))


def classify(text: str, surface: str | None = None) -> WarningRule | None:
    """Return the rule a text falls under, None if it is none known.

    With a surface only rules count that are for it; a grey line of a chat must be the platform's words whole.
    """
    folded = fold(text)
    where = None if surface is None else Surface(surface)
    return next((rule for rule in RULES if rule.fits(folded, where)), None) if folded else None


def judge(text: str, *, surface: str, unknown: Unknown | None = None) -> WarningRule | None:
    """Raise PlatformWarning, LoggedOut or NotNow if a text demands it, else return its rule.

    With `unknown` a text under no rule is a PlatformWarning of that name. Texts of chats, names and ordinary
    pages are not for this function, but for a grey line right after what this account sent itself.
    """
    rule = classify(text, surface)
    if rule is None:
        if unknown is not None:
            raise PlatformWarning(warning=unknown, surface=surface, text=text)
        return None
    if rule.effect is Effect.STOP_ACCOUNT:
        raise PlatformWarning(warning=rule.warning, surface=surface, text=text)
    if rule.effect is Effect.SIGNED_OUT:
        raise LoggedOut
    if rule.effect is Effect.WAIT:
        raise NotNow(kind=rule.warning)
    return rule


def _rules(raw: Iterable[Mapping[str, Any]]) -> tuple[WarningRule, ...]:
    return tuple(
        WarningRule(
            warning=WarningClass(one["warning"]),
            effect=Effect(one["effect"]),
            surfaces=tuple(map(Surface, one["surfaces"])),
            origin=one["origin"],
            pattern=re.compile(
                "|".join([*one.get("any", ()), *(f"^(?:{w})$" for w in one.get("whole", ()))])
            ),
            line=re.compile("|".join(f"(?:{part})" for part in one["lines"])) if "lines" in one else None,
            answers=MappingProxyType(one["answers"]) if "answers" in one else _NO_ANSWERS,
        )
        for one in raw
    )


# Traditional forms, and the three ways to write "account", that occur in the wordings.
_FOLD = str.maketrans(
    "帐帳賬過於頻請後試尋號狀態異無顯戶錄權設關驗證環訊當裝備臉聲紋絡連實開啟還們發對將數達圖碼輸寫過無臨時點讚評論單間賣檢進續與擁認風險禁規違體團隊",
    "账账账过于频请后试寻号状态异无显户录权设关验证环讯当装备脸声纹络连实开启还们发对将数达图码输写过无临时点赞评论单间卖检进续与拥认风险禁规违体团队",
)
_NO_ANSWERS: Mapping[str, str] = MappingProxyType({})
_NOISE = re.compile(r"[\W_]+")

# Read once, in the process that all agents are forked from.
RULES: tuple[WarningRule, ...] = _rules(
    tomllib.loads(resources.files("agent.wechat").joinpath("warnings.toml").read_text(encoding="utf-8"))[
        "rules"
    ]
)
