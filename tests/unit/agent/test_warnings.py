"""Warnings are told by small patterns over folded text, whatever the spelling."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent.errors import LoggedOut, NotNow, PlatformWarning
from agent.model import AcceptOutcome, FriendAddOutcome, LikeOutcome, ReplyOutcome
from agent.wechat.clients import tables
from agent.wechat.warnings import RULES, Effect, Surface, Unknown, WarningClass, classify, fold, judge

# What a class's words mean for the agent, and the words themselves in every form that was seen.
STOP, OUT, END, WAIT, NOTE = (
    Effect.STOP_ACCOUNT,
    Effect.SIGNED_OUT,
    Effect.END_TASK,
    Effect.WAIT,
    Effect.NOTE,
)
FORMS = {
    "TOO_FREQUENT": {
        "full_width": (STOP, "操作过于频繁，请稍后再试"),
        "half_width": (STOP, "操作过于频繁,请稍后再试"),
        "plain": (STOP, "操作频繁，请稍后再试"),
        "too": (STOP, "操作太频繁，请稍后再试"),
        "short": (STOP, "操作频繁，稍后再试"),
        "rate": (STOP, "你操作频率过快，请稍后再试。"),
        "traditional": (STOP, "操作過於頻繁，請稍後再試"),
        "english_attempts": (STOP, "Too many attempts. Try again later."),
        "english_operations": (STOP, "Too many operations. Try again later."),
        "adding": (STOP, "添加好友过于频繁，请稍后再重试"),
        "blanks": (STOP, " 操作 过于 频繁 "),
    },
    "NOT_FOUND": {
        "that_user": (END, "该用户不存在"),
        "user": (END, "用户不存在"),
        "account_bag": (END, "无法找到该用户，请检查你填写的帐号是否正确。"),
        "account_shell": (END, "无法找到该用户，请检查你填写的账号是否正确。"),
        "related": (END, "找不到相关账号"),
        "english": (END, "User not found"),
        "english_exists": (END, "This user does not exist"),
    },
    "PEER_ABNORMAL": {
        "account_bag": (END, "被搜帐号状态异常，无法显示"),
        "account_shell": (END, "被搜账号状态异常，无法显示"),
        "traditional": (END, "搜尋的帳號狀態異常，無法顯示"),
        "wecom": (END, "对应的微信帐号异常，操作失败"),
    },
    "RISK_ACCOUNT": {
        "verify_first": (
            STOP,
            "当前账号存在安全风险，需先到「微信团队」进行安全验证后才能继续使用当前功能",
        ),
        "cannot_add": (STOP, "你的账号暂时无法添加朋友"),
        "partly": (STOP, "当前账号存在安全风险，部分功能暂时无法正常使用"),
        "traditional": (STOP, "當前帳號存在安全風險"),
    },
    "WECOM_USER": {"choice": (END, "同时拥有微信和企业微信"), "only": (END, "仅搜索到企业微信帐户")},
    "NOT_FRIEND": {
        "plain": (
            END,
            "张三开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。",
        ),
        "english": (END, "Zhang has enabled Friend Confirmation …"),
    },
    "REJECTED": {"plain": (END, "消息已发出，但被对方拒收了。")},
    "PEER_RISK": {
        "peer": (NOTE, "对方帐号异常，请核实对方身份谨防诈骗"),
        "friend": (NOTE, "当前好友帐号异常，谨防诈骗。"),
        "english": (NOTE, "Your friend's account is suspicious. Please beware."),
    },
    "PEER_DELETED_ACCOUNT": {
        "plain": (END, "对方已经删除帐号"),
        "english": (END, "This account was deleted"),
    },
    "BLOCKED_ADD": {
        "plain": (END, "添加联系人失败，对方把你加入了黑名单"),
        "english": (END, "Unable to add: you have been blocked by the other user"),
    },
    "KICKED": {
        "left": (OUT, "当前帐号于20:15在某某设备上登录。此客户端已退出登录。"),
        "leaked": (
            OUT,
            "当前帐号于20:15在某某设备上登录。若非本人操作，你的登录密码可能已经泄漏，请及时改密。",
        ),
        "question": (OUT, "当前帐号已在其他设备登录，确定下线并在当前设备重新登录吗？"),
        "english": (OUT, "You're logged in on another device. Log out and log in on this device?"),
    },
    "LOGIN_EXPIRED": {
        "login": (OUT, "登录过期，请重新登录。"),
        "account": (OUT, "你的帐户信息已过期，请重新登录"),
        "safety": (OUT, "为了你的帐号安全，请重新登录。"),
        "left": (OUT, "你已退出微信"),
        "english": (OUT, "Login expired. Log in again."),
        "english_session": (OUT, "Session timeout. Log in again"),
    },
    "LOGIN_PAGE": {
        "login": (OUT, "登录"),
        "mobile": (OUT, "手机号登录"),
        "english": (OUT, "Log In"),
        "centre": (STOP, "微信安全中心"),
        "verification": (STOP, "安全验证"),
        "code_enter": (STOP, "请输入验证码"),
        "code_fill": (STOP, "请填写验证码"),
    },
    "NEW_DEVICE_FACE": {
        "face": (OUT, "你正在一个新设备上登录，请进行人脸识别安全验证。"),
        "voice": (OUT, "你正在一个新设备上登录，请进行声纹识别安全验证。"),
        "english": (OUT, "Verify face to secure your account on a new device."),
    },
    "REALNAME": {
        "plain": (STOP, "你需要实名认证后…"),
        "comment": (STOP, "无法评论，请完成实名认证后再次尝试"),
        "like": (STOP, "无法点赞，请完成实名认证后再次尝试"),
        "invitation": (STOP, "你需要实名验证后才能接受邀请"),
        "post": (STOP, "帐号异常，未能发表，完成实名认证后可使用发表功能"),
        "english": (STOP, "Unable to like. Complete Identity Verification and then try again."),
    },
    "GROUP_LIMIT": {
        "more": (NOTE, "群人数已达上限，了解详情？"),
        "plain": (NOTE, "人数已达上限。"),
        "chat": (NOTE, "已达群聊人数上限"),
        "frequent": (STOP, "群聊邀请操作太频繁请稍后再试"),
        "restricted": (NOTE, "该群因违规已被限制使用，无法添加群成员"),
        "english": (NOTE, "Member limit reached."),
    },
    "MOMENTS_BLOCKED": {
        "like": (END, "你已被对方加入黑名单，无法点赞。"),
        "comment": (END, "你已被对方加入黑名单，无法评论。"),
        "english": (END, "You have been blocked by this user. Unable to like."),
    },
    "UPDATE": {
        "recommended": (NOTE, "有新版本的微信，推荐更新"),
        "new": (NOTE, "微信有新版本"),
        "now": (NOTE, "马上更新"),
        "english": (NOTE, "Updates available. Update now"),
        "english_new": (NOTE, "New Version Available"),
    },
    # Filed under updates where it was collected; this one is a stop.
    "VERSION_TOO_LOW": {"plain": (STOP, "你的版本过低，请升级")},
    "PERMISSION": {
        "title": (NOTE, "权限申请"),
        "settings": (NOTE, "在设置-应用-微信-权限中开启存储权限"),
        "english": (NOTE, "Authorization Request"),
    },
    "NETWORK": {
        "unusable": (WAIT, "网络不可用，请检查你的网络设置"),
        "tap": (WAIT, "当前网络不可用，请点击检查手机网络设置"),
        "not_connected": (WAIT, "未连接"),
        "connecting": (WAIT, "正在连接..."),
        "bad": (WAIT, "当前网络状况不好，收消息可能较慢"),
        "english": (WAIT, "Network unavailable. Tap to check your network settings."),
    },
    "TEEN_MODE": {"plain": (NOTE, "为呵护未成年人健康成长，微信推出青少年模式")},
    "WECOM_ERRORS": {
        "operation": (STOP, "操作异常，暂无法使用"),
        "violation": (STOP, "帐号涉嫌违规"),
        "because": (STOP, "由于违规行为"),
        "restricted": (STOP, "向微信好友发消息功能已被限制使用"),
    },
    "FRIEND_LIMIT": {
        "long": (NOTE, '朋友已达到5000人，新添加的朋友默认设为"仅聊天"，对方将看不到你的朋友圈。'),
        "many": (NOTE, "已有较多朋友能看到你的朋友圈等内容"),
        "english": (
            NOTE,
            'You already have 5000 friends. New friends will be set as "Chats Only".',
        ),
    },
    "STRANGER_CAP": {
        "plain": (STOP, "对方回复前只能发三条消息"),
        "english": (STOP, "You can only send 3 messages before the other user replies."),
    },
    "COMMENT_RESTRICTED": {"plain": (STOP, "你已被限制评论")},
    "SEND_LIMIT": {"plain": (STOP, "文件无法发送，已超过今日发送限制")},
    "OUTAGE": {"plain": (WAIT, "微信服务故障，正在紧急恢复")},
    "BACKGROUND_RESTRICTED": {"plain": (NOTE, "后台运行受限，微信无法实时接收消息")},
    "CANNOT_BE_ADDED": {
        "privacy": (END, "由于对方的隐私设置，你无法将其添加至通讯录。"),
        "group": (END, "由于对方的隐私设置，你无法通过群聊将其添加至通讯录。"),
    },
}
CASES = [
    pytest.param(warning, effect, text, id=f"{warning}-{form}")
    for warning, forms in FORMS.items()
    for form, (effect, text) in forms.items()
]


@pytest.mark.parametrize(("warning", "effect", "text"), CASES)
def test_every_form_of_a_class_is_told(warning: str, effect: Effect, text: str) -> None:
    rule = classify(text)
    assert rule is not None
    assert (rule.warning, rule.effect) == (warning, effect)


def test_every_class_is_in_the_table_of_forms_and_has_a_rule() -> None:
    assert set(FORMS) == {str(one) for one in WarningClass} == {str(rule.warning) for rule in RULES}


WORDINGS = [
    pytest.param(warning, text, id=f"{table.name}-{warning}-{n}")
    for table in tables()
    for warning, texts in table.warnings.items()
    for n, text in enumerate(texts)
]


@pytest.mark.parametrize(("warning", "text"), WORDINGS)
def test_every_wording_of_a_client_is_told(warning: str, text: str) -> None:
    for blank, value in (("{time}", "10:00"), ("{device}", "某某"), ("{name}", "甲"), ("{n}", "5000")):
        text = text.replace(blank, value)
    rule = classify(text)
    assert rule is not None
    assert rule.warning == ("VERSION_TOO_LOW" if "版本过低" in text else warning)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "，。！ ",
        "确定",
        "允许",
        "知道了",
        "我知道了",
        "已发送",
        "添加到通讯录",
        "发消息",
        "12:30",
        "已添加",
    ],
)
def test_ordinary_words_and_bare_buttons_are_no_warning(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "用户不存在。操作过于频繁",
        "微信有新版本。你的账号暂时无法添加朋友",
        "网络不可用。请完成实名认证",
        "你已被对方加入黑名单，无法点赞。操作频率过快",
    ],
    ids=["end_task", "note", "wait", "other_action"],
)
def test_what_stops_the_account_wins(text: str) -> None:
    rule = classify(text)
    assert rule is not None
    assert rule.effect is Effect.STOP_ACCOUNT


def test_an_answer_names_an_outcome_of_its_action() -> None:
    outcomes = {
        "friend_add": FriendAddOutcome,
        "moments_like": LikeOutcome,
        "friend_accept": AcceptOutcome,
        "first_reply": ReplyOutcome,
    }
    for rule in RULES:
        assert bool(rule.answers) == (rule.effect is Effect.END_TASK)
        for action, outcome in rule.answers.items():
            assert outcome in set(outcomes[action])
        assert rule.outcome == rule.answers.get("friend_add")


def test_fold_keeps_letters_digits_and_chinese_only() -> None:
    assert fold("ＡＢＣ 帐、號　１２３！") == "abc账号123"


# ---- where words count

CHAT_LINES = [
    "操作频繁",
    "老师，我这里提示操作过于频繁，请稍后再试怎么办",
    '"操作过于频繁，请稍后再试"修改群名为“账号存在安全风险”',
    '你邀请"你的账号暂时无法添加朋友"加入了群聊',
    '"安全验证" 撤回了一条消息',
    "操作过于频繁刚刚把你添加到通讯录，现在可以开始聊天了。",
    "你已添加了实名认证，现在可以开始聊天了。",
]


@pytest.mark.parametrize("text", CHAT_LINES, ids=range(len(CHAT_LINES)))
def test_words_of_others_in_a_grey_line_are_no_warning(text: str) -> None:
    assert judge(text, surface="system_line") is None


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("操作过于频繁，请稍后再试", "TOO_FREQUENT"),
        ("操作過於頻繁，請稍後再試", "TOO_FREQUENT"),
        ("当前账号存在安全风险，部分功能暂时无法正常使用", "RISK_ACCOUNT"),
        ("向微信好友发消息功能已被限制使用", "WECOM_ERRORS"),
        ("对方回复前只能发三条消息", "STRANGER_CAP"),
    ],
)
def test_a_grey_line_that_is_the_platforms_alone_stops(text: str, warning: str) -> None:
    with pytest.raises(PlatformWarning) as warned:
        judge(text, surface="system_line")
    assert warned.value.warning == warning


def test_a_grey_line_may_begin_with_a_name_that_reads_like_a_warning() -> None:
    line = (
        "操作过于频繁开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。"
    )
    rule = judge(line, surface="system_line")
    assert rule is not None
    assert (rule.warning, rule.answers["first_reply"]) == ("NOT_FRIEND", "not_friends")
    rejected = judge("消息已发出，但被对方拒收了。", surface="system_line")
    assert rejected is not None
    assert rejected.answers["first_reply"] == "rejected_by_peer"


def test_a_class_counts_on_its_surfaces_only() -> None:
    assert classify("用户不存在", "text") is not None
    assert classify("用户不存在", "banner") is None
    assert classify("青少年模式", "page") is None
    assert classify("登录", "toast") is None
    with pytest.raises(ValueError, match="nowhere"):
        classify("用户不存在", "nowhere")


def test_what_stops_is_heeded_wherever_the_platform_speaks() -> None:
    for surface in (Surface.DIALOG, Surface.PAGE, Surface.TOAST, Surface.TEXT, Surface.BANNER):
        for text in ("操作频繁，请稍后再试", "当前账号存在安全风险"):
            with pytest.raises(PlatformWarning):
                judge(text, surface=surface)


# ---- what follows


def test_judge_raises_what_must_stop() -> None:
    with pytest.raises(PlatformWarning) as warned:
        judge("操作过于频繁，请稍后再试", surface="dialog")
    assert (warned.value.warning, warned.value.surface) == ("TOO_FREQUENT", "dialog")
    assert "频繁" not in str(warned.value)
    with pytest.raises(LoggedOut):
        judge("登录过期，请重新登录。", surface="dialog")
    with pytest.raises(NotNow) as later:
        judge("当前网络不可用，请点击检查手机网络设置", surface="banner")
    assert later.value.kind == "NETWORK"
    assert judge("从未见过的话", surface="dialog") is None
    assert judge("微信有新版本", surface="dialog", unknown=Unknown.DIALOG) is not None


@pytest.mark.parametrize(
    ("surface", "unknown"), [("dialog", Unknown.DIALOG), ("page", Unknown.PAGE)], ids=["dialog", "page"]
)
def test_unknown_words_stop_where_they_may_be_anything(surface: str, unknown: Unknown) -> None:
    with pytest.raises(PlatformWarning) as warned:
        judge("从未见过的话", surface=surface, unknown=unknown)
    assert (warned.value.warning, warned.value.text) == (unknown, "从未见过的话")


# Enums, 40 patterns and the table of traditional forms; read once before the fork.
LIMIT_KIB = 140
MEASURE = """
import gc, tracemalloc
import agent.errors, agent.model, agent.wechat.clients, importlib.resources
agent.wechat.clients.tables()
tracemalloc.start()
import agent.wechat.warnings
gc.collect()
print(tracemalloc.get_traced_memory()[0] // 1024)
"""


def test_the_rules_are_small() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=30
    )
    assert int(done.stdout) < LIMIT_KIB
