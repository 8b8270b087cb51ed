"""A build is known by version name, code and installer; what a person accepted counts for exactly one."""

from __future__ import annotations

import pytest

from agent.errors import ScreenError, UnknownVersion, Unreadable, WrongLanguage
from agent.model import LearnedTable
from agent.wechat.builds import Build, Installed, build_of
from agent.wechat.clients import PLAY_STORE, nearest, table_for, tables, without_ids
from agent.wechat.sense import blindness

SAID = """Packages:
  Package [com.tencent.mm] (123):
    versionCode=2999 minSdk=23 targetSdk=33
    versionName=8.0.99
"""
BASE = "wechat-8.0.43-8.0.66"


def learned(name: str = "8.0.99", code: int = 2999, installer: str = "", base: str = BASE) -> LearnedTable:
    return LearnedTable(
        version_name=name, version_code=code, installer=installer, base=base, ids=(("send_button", "zzz"),)
    )


@pytest.mark.parametrize(
    ("more", "installer"),
    [("", ""), ("    installerPackageName=null\n", ""), ("    installerPackageName=com.a.b\n", "com.a.b")],
)
def test_build_is_read_from_what_the_package_manager_says(more: str, installer: str) -> None:
    assert build_of(SAID + more) == Build("8.0.99", 2999, installer)
    assert build_of("Unable to find package: com.tencent.mm") == Build("", 0, "")


def test_builds_of_googles_store_are_not_the_domestic_ones() -> None:
    assert table_for("8.0.66", 2980) is not None
    assert table_for("8.0.66", 2980, "com.huawei.appmarket") is not None
    assert table_for("8.0.66", 2980, PLAY_STORE) is None


@pytest.mark.parametrize(
    ("name", "code", "installer", "is_known"),
    [
        ("8.0.99", 2999, "", True),
        ("8.0.99", 3000, "", False),
        ("8.0.98", 2999, "", False),
        ("8.0.99", 2999, PLAY_STORE, False),
    ],
)
def test_a_learned_table_counts_for_exactly_its_build(
    name: str, code: int, installer: str, is_known: bool
) -> None:
    table = table_for(name, code, installer, (learned(),))
    assert (table is not None) == is_known
    if table is not None:
        assert table.rids("send_button") == ("com.tencent.mm:id/zzz",)
        assert not table.knows("chat_list")
        assert table.texts == nearest("8.0.66").texts


def test_a_learned_table_without_its_base_is_no_table() -> None:
    assert table_for("8.0.99", 2999, "", (learned(base="of another release"),)) is None


def test_nearest_is_the_lower_one() -> None:
    assert nearest("8.0.99").name == BASE
    assert nearest("8.0.20").name == "wechat-8.0.0-8.0.9"
    assert nearest("7.0.1") is tables()[0]
    assert without_ids(nearest("8.0.99")).rids("send_button") == ()


def test_the_client_is_asked_again_when_tables_come_or_time_passes() -> None:
    now_s, asked = [0.0], []

    def ask() -> str:
        asked.append(now_s[0])
        return SAID

    client = Installed(ask, clock=lambda: now_s[0])
    with pytest.raises(UnknownVersion) as raised:
        client.table()
    error = raised.value
    assert (error.version_name, error.version_code, error.installer) == ("8.0.99", 2999, "")
    client.learn((learned(),))
    assert client.table().rid("send_button").endswith("/zzz")
    count = len(asked)
    client.table()
    assert len(asked) == count
    now_s[0] = 601.0
    client.table()
    assert len(asked) == count + 1
    client.learn(())
    with pytest.raises(UnknownVersion):
        client.table()


def test_reading_by_words_only_lasts_as_long_as_asked_for() -> None:
    client = Installed(lambda: SAID, clock=lambda: 0.0)
    with client.reading_by(without_ids(nearest("8.0.99"))):
        assert not client.table().ids
    with pytest.raises(UnknownVersion):
        client.table()


@pytest.mark.parametrize(
    ("error", "cause", "detail"),
    [
        (
            UnknownVersion(version_name="8.0.99", version_code=2999, installer=PLAY_STORE),
            "unknown_version",
            "8.0.99 (2999) com.android.vending",
        ),
        (Unreadable("x", health="empty"), "empty", "x"),
        (WrongLanguage(), "language", ""),
    ],
)
def test_why_a_phone_is_blind(error: ScreenError, cause: str, detail: str) -> None:
    assert (blindness(error).cause, blindness(error).detail) == (cause, detail)
