"""Tables of ids and texts by client version."""

import itertools
import re
from pathlib import Path

import pytest

import agent.virtual.wechat
from agent.virtual.wechat.unknown import table_of
from agent.wechat.clients import parse_version, table_for, tables

PAGES = Path(agent.virtual.wechat.__file__).parent


@pytest.mark.parametrize("version", ["8.0.43", "8.0.50", "8.0.66"])
def test_versions_of_the_frozen_epoch_share_one_table(version):
    table = table_for(version, 0)
    assert table is not None
    assert table.rid("send_button") == "com.tencent.mm:id/bql"
    assert table.rid("preference_title") == "android:id/title"


@pytest.mark.parametrize(
    "version", ["8.0.42", "8.0.67", "8.0.74", "7.0.22", "8.0.10", "", "8", "8.0.66-beta", "８.0.66"]
)
def test_other_versions_are_unknown(version):
    assert table_for(version, 2980) is None


def test_another_version_is_another_table():
    old, new = table_for("8.0.9", 0), table_for("8.0.66", 0)
    assert old is not None
    assert new is not None
    shared = {role for role in old.ids if role in new.ids and ":" not in old.ids[role]}
    assert len(shared) > 15
    assert not [role for role in shared if old.ids[role] == new.ids[role]]
    assert old.text("tab_chats") == new.text("tab_chats") == "微信"
    assert old.activity("moments") != new.activity("moments")


def test_ranges_do_not_overlap_and_values_are_filled_in():
    ordered = tables()
    assert all(a.last_version < b.first_version for a, b in itertools.pairwise(ordered))
    for table in ordered:
        assert all(value for values in table.id_variants.values() for value in values)
        assert all(values and all(values) for values in table.texts.values())
        assert all(
            name.startswith("com.tencent.mm.") for names in table.activities.values() for name in names
        )


def test_a_role_without_a_known_id_says_so():
    old = table_for("8.0.5", 0)
    assert old is not None
    assert not old.knows("add_friend_entry")
    assert old.rids("add_friend_entry") == ()
    with pytest.raises(KeyError):
        old.rid("add_friend_entry")


def test_every_role_that_a_page_draws_is_in_a_table():
    known = {role for table in tables() for role in table.ids}
    drawn = {
        role
        for page in PAGES.glob("*.py")
        for role in re.findall(r'(?:\brid\(|role=)"([a-z_]+)"', page.read_text(encoding="utf-8"))
    }
    assert len(drawn) > 30
    assert drawn <= known | {"new_friends"}


def test_a_version_nobody_knows_is_drawn_with_ids_of_its_own():
    newer, newest = table_of("8.0.74", 3120), tables()[-1]
    obfuscated = [role for role, value in newest.ids.items() if ":" not in value]
    assert not set(newest.ids.values()).intersection(newer.ids[role] for role in obfuscated)
    assert newer.ids == table_of("8.0.74", 3120).ids
    assert newer.ids != table_of("8.0.76", 3140).ids


def test_versions_compare_as_numbers():
    assert parse_version("8.0.9") < parse_version("8.0.43")
    assert parse_version("eight") is None
