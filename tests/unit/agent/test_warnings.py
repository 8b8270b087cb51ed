"""Warnings are told by small patterns over folded text, whatever the spelling."""

import pytest

from agent.errors import LoggedOut, PlatformWarning
from agent.wechat.clients import tables
from agent.wechat.warnings import RULES, Effect, Unknown, WarningClass, classify, fold, judge

KNOWN = {str(one) for one in WarningClass}
WORDINGS = [
    (warning, text) for table in tables() for warning, texts in table.warnings.items() for text in texts
]
# The client table files "too low" under updates; it is a stop of its own here.
RENAMED = {"你的版本过低，请升级": "VERSION_TOO_LOW"}


@pytest.mark.parametrize(("warning", "text"), [one for one in WORDINGS if one[0] in KNOWN])
def test_every_known_wording_is_told(warning, text):
    rule = classify(text.format(time="10:00", device="X", name="甲", n=1) if "{" in text else text)
    assert rule is not None
    assert rule.warning == RENAMED.get(text, warning)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("操作过于频繁,请稍后再试", "TOO_FREQUENT"),
        (" 操作 过于 频繁 ", "TOO_FREQUENT"),
        ("操作過於頻繁，請稍後再試", "TOO_FREQUENT"),
        ("操作频率过快", "TOO_FREQUENT"),
        ("Too many attempts. Try again later.", "TOO_FREQUENT"),
        ("被搜账号状态异常，无法显示", "PEER_ABNORMAL"),
        ("被搜帐号状态异常，无法显示", "PEER_ABNORMAL"),
        ("搜尋的帳號狀態異常，無法顯示", "PEER_ABNORMAL"),
        ("用户不存在", "NOT_FOUND"),
        ("由于对方的隐私设置，你无法将其添加至通讯录。", "CANNOT_BE_ADDED"),
        ("为呵护未成年人健康成长，微信推出青少年模式", "TEEN_MODE"),
        ("当前帐号于10:20在某某设备上登录。此客户端已退出登录。", "KICKED"),
    ],
)
def test_spellings_fold_together(text, warning):
    rule = classify(text)
    assert rule is not None
    assert rule.warning == warning


@pytest.mark.parametrize("text", ["", "，。！ ", "确定", "已发送", "添加到通讯录", "发消息", "12:30"])
def test_ordinary_words_are_no_warning(text):
    assert classify(text) is None


def test_what_stops_the_account_wins_over_what_ends_the_task():
    rule = classify("用户不存在。操作过于频繁")
    assert rule is not None
    assert rule.effect is Effect.STOP_ACCOUNT


def test_every_rule_that_ends_a_task_names_its_outcome():
    for rule in RULES:
        assert (rule.outcome is not None) == (rule.effect is Effect.END_TASK)


def test_every_class_has_a_rule():
    assert {rule.warning for rule in RULES} == set(WarningClass)


def test_fold_keeps_letters_digits_and_chinese_only():
    assert fold("ＡＢＣ 帐、號　１２３！") == "abc账号123"


def test_judge_raises_what_must_stop():
    with pytest.raises(PlatformWarning) as warned:
        judge("操作过于频繁，请稍后再试", surface="dialog")
    assert (warned.value.warning, warned.value.surface) == ("TOO_FREQUENT", "dialog")
    assert "频繁" not in str(warned.value)
    with pytest.raises(LoggedOut):
        judge("登录过期，请重新登录。", surface="dialog")
    with pytest.raises(PlatformWarning) as unknown:
        judge("从未见过的话", surface="dialog", unknown=Unknown.DIALOG)
    assert (unknown.value.warning, unknown.value.text) == ("UNKNOWN_DIALOG", "从未见过的话")
    assert judge("微信有新版本", surface="dialog", unknown=Unknown.DIALOG) is not None
    assert judge("从未见过的话", surface="dialog") is None
