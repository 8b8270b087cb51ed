"""Warnings and stops of the platform as data, matched over folded text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from agent.errors import LoggedOut, PlatformWarning
from agent.model import FriendAddOutcome


class Effect(StrEnum):
    """What a wording means for the agent."""

    STOP_ACCOUNT = "stop_account"  # the account rests until a person lifts it
    SIGNED_OUT = "signed_out"  # a person signs in
    END_TASK = "end_task"  # an answer about this one person
    WAIT = "wait"  # passes by itself


class WarningClass(StrEnum):
    """The classes that can appear while a friend is added or a chat is read."""

    TOO_FREQUENT = "TOO_FREQUENT"
    RISK_ACCOUNT = "RISK_ACCOUNT"
    REALNAME = "REALNAME"
    VERSION_TOO_LOW = "VERSION_TOO_LOW"
    STRANGER_CAP = "STRANGER_CAP"
    NEW_DEVICE_FACE = "NEW_DEVICE_FACE"
    KICKED = "KICKED"
    LOGIN_EXPIRED = "LOGIN_EXPIRED"
    LOGIN_PAGE = "LOGIN_PAGE"
    NOT_FOUND = "NOT_FOUND"
    PEER_ABNORMAL = "PEER_ABNORMAL"
    BLOCKED_ADD = "BLOCKED_ADD"
    WECOM_USER = "WECOM_USER"
    PEER_DELETED_ACCOUNT = "PEER_DELETED_ACCOUNT"
    CANNOT_BE_ADDED = "CANNOT_BE_ADDED"
    NETWORK = "NETWORK"
    UPDATE = "UPDATE"
    PERMISSION = "PERMISSION"
    TEEN_MODE = "TEEN_MODE"


class Unknown(StrEnum):
    """What WeChat shows in words that fall under no class: it may be anything, so a person decides."""

    DIALOG = "UNKNOWN_DIALOG"
    PAGE = "UNKNOWN_PAGE"


@dataclass(frozen=True, slots=True)
class WarningRule:
    """One class: a small pattern over folded text, and what follows from it."""

    warning: WarningClass
    effect: Effect
    pattern: re.Pattern[str]
    outcome: FriendAddOutcome | None = None  # of END_TASK


def _rule(
    warning: WarningClass, effect: Effect, pattern: str, outcome: FriendAddOutcome | None = None
) -> WarningRule:
    return WarningRule(warning, effect, re.compile(pattern), outcome)


# Most of these words come from the server and may change any day, with 帐/账, traditional forms and other
# punctuation: small patterns, no literals. The order matters: what stops an account is asked first.
RULES = (
    _rule(
        WarningClass.TOO_FREQUENT,
        Effect.STOP_ACCOUNT,
        r"频繁|频率过快|toomany(attempts|operations)|搜索次数过多|达到上限.*(添加|请求)|(添加|请求).*达到?上限",
    ),
    _rule(
        WarningClass.RISK_ACCOUNT,
        Effect.STOP_ACCOUNT,
        r"账号存在安全风险|(暂时)?无法添加(朋友|好友)|账号涉嫌违规|由于违规行为|暂无法使用|功能暂时无法(正常)?使用|限制使用",
    ),
    _rule(WarningClass.REALNAME, Effect.STOP_ACCOUNT, r"实名(认证|验证)|identityverification"),
    _rule(WarningClass.VERSION_TOO_LOW, Effect.STOP_ACCOUNT, r"版本过低"),
    _rule(WarningClass.STRANGER_CAP, Effect.STOP_ACCOUNT, r"对方回复前只能发三条消息"),
    _rule(WarningClass.NEW_DEVICE_FACE, Effect.SIGNED_OUT, r"新设备上登录.*(人脸|声纹)|faceto.*newdevice"),
    _rule(
        WarningClass.KICKED,
        Effect.SIGNED_OUT,
        r"当前账号.*设备上?登录|此客户端已退出登录|loggedinonanotherdevice",
    ),
    _rule(
        WarningClass.LOGIN_EXPIRED,
        Effect.SIGNED_OUT,
        r"登录过期|账[户号]信息已过期|请重新登录|你已退出微信|loginexpired|sessiontimeout",
    ),
    _rule(
        WarningClass.LOGIN_PAGE,
        Effect.SIGNED_OUT,
        r"^(手机号登录|微信安全中心|安全验证|登录|login)$|请(输入|填写)验证码",
    ),
    _rule(
        WarningClass.NOT_FOUND,
        Effect.END_TASK,
        r"用户不存在|无法找到该用户|找不到相关账[号户]|usernotfound|userdoesnotexist",
        FriendAddOutcome.NOT_FOUND,
    ),
    _rule(
        WarningClass.PEER_ABNORMAL,
        Effect.END_TASK,
        r"被搜账号状态异常|搜寻的账号状态异常|对应的微信账号异常",
        FriendAddOutcome.PEER_ABNORMAL,
    ),
    _rule(
        WarningClass.BLOCKED_ADD,
        Effect.END_TASK,
        r"(添加|add).*黑名单|对方把你加入了?黑名单|blockedbytheotheruser",
        FriendAddOutcome.BLOCKED_BY_PEER,
    ),
    _rule(WarningClass.WECOM_USER, Effect.END_TASK, r"同时拥有微信和企业微信", FriendAddOutcome.WECOM_USER),
    _rule(
        WarningClass.PEER_DELETED_ACCOUNT,
        Effect.END_TASK,
        r"对方已经?删除账号|accountwasdeleted",
        FriendAddOutcome.PEER_ABNORMAL,
    ),
    _rule(
        WarningClass.CANNOT_BE_ADDED,
        Effect.END_TASK,
        r"对方.*隐私设置.*无法|无法通过.*(搜索|添加)到?.*(对方|该用户)|对方(设置了|不允许).*添加",
        FriendAddOutcome.CANNOT_BE_ADDED,
    ),
    _rule(
        WarningClass.NETWORK,
        Effect.WAIT,
        r"网络不可用|网络不好|网络状况不好|网络异常|未连接|正在连接|networkunavailable",
    ),
    _rule(WarningClass.UPDATE, Effect.WAIT, r"新版本的?微信|微信有新版本|马上更新|newversionavailable"),
    _rule(WarningClass.PERMISSION, Effect.WAIT, r"^权限申请$|authorizationrequest"),
    _rule(WarningClass.TEEN_MODE, Effect.WAIT, r"呵护未成年人|青少年模式"),
)

# Traditional forms and the three ways to write "account" that occur in the wordings above.
_FOLD = str.maketrans(
    "帐帳賬過於頻請後試尋號狀態異無顯戶錄權設關驗證", "账账账过于频请后试寻号状态异无显户录权设关验证"
)
_NOISE = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Return text in one form: NFKC, lower case, 帐/帳/賬 as 账, punctuation and blanks dropped."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_FOLD))


def classify(text: str) -> WarningRule | None:
    """Return the rule a text of a dialog, toast or error line falls under, None if it is none known."""
    folded = fold(text)
    return next((rule for rule in RULES if rule.pattern.search(folded)), None) if folded else None


def judge(text: str, *, surface: str, unknown: Unknown | None = None) -> WarningRule | None:
    """Raise PlatformWarning or LoggedOut if a text demands it, else return its rule.

    With `unknown` a text under no rule is a PlatformWarning of that name.
    """
    rule = classify(text)
    if rule is None:
        if unknown is not None:
            raise PlatformWarning(warning=unknown, surface=surface, text=text)
        return None
    if rule.effect is Effect.STOP_ACCOUNT:
        raise PlatformWarning(warning=rule.warning, surface=surface, text=text)
    if rule.effect is Effect.SIGNED_OUT:
        raise LoggedOut
    return rule
