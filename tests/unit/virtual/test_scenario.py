"""Scenario files."""

import re
from pathlib import Path

import pytest

from agent.errors import ConfigWrong
from agent.virtual.scenario import load_scenario, parse_scenario
from tests.support.hand import SCENARIOS


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_example_scenarios_load(path):
    assert load_scenario(path).all_phones()


def test_the_example_of_the_documentation_loads():
    text = (Path(__file__).parents[3] / "docs" / "virtual.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        scenario = parse_scenario(block)
        assert scenario.chats
        assert scenario.recalls
        assert scenario.hands


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shape = 1", "unknown field `shape`"),
        ("[client]\nversion = '8'", "unknown field `version` - at `$.client`"),
        ("[[people]]\nnickname='a'\nmobile='1'\ntrait='funny'", "$.people[0].trait"),
        ("[[people]]\nnickname='a'", "needs a mobile or a wechat_id"),
        ("[[people]]\nmobile='1'", "missing required field `nickname`"),
        ("[[chats]]\npeer='nobody'", "chats[0].peer: no such person"),
        ("[[says]]\npeer='nobody'\ntexts=['a']", "says[0].peer: no such person"),
        ("[[recalls]]\npeer='nobody'", "recalls[0].peer: no such person"),
        ("[[removes]]\npeer='nobody'\nwhat='row'", "removes[0].peer: no such person"),
        ("[[hands]]\npeer='nobody'\nwhat='open'", "hands[0].peer: no such person"),
        ("[[hands]]\nwhat='dance'", "$.hands[0].what"),
        ("[client]\nfaults=[{name='explode'}]", "$.client.faults[0].name"),
        (
            "[[phones]]\nserial='A'\naccount_id='x'\nnickname='n'\n" * 2,
            "phones: serial: the same value stands twice",
        ),
        ("not toml at all", "scenario:"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_place(text, words):
    with pytest.raises(ConfigWrong) as caught:
        parse_scenario(text)
    assert words in str(caught.value)


def test_a_message_about_doubles_names_no_mobile():
    text = "[[people]]\nnickname='a'\nmobile='13812345678'\n" * 2
    with pytest.raises(ConfigWrong) as caught:
        parse_scenario(text)
    assert "twice" in str(caught.value)
    assert "138" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigWrong, match="cannot be read"):
        load_scenario(tmp_path / "none.toml")


def test_a_count_adds_phones_after_the_pattern_or_leaves_some_out():
    scenario = parse_scenario("[[phones]]\nserial='A'\naccount_id='a'\nnickname='n'\n[phones_like]\ncount=2")
    assert [one.serial for one in scenario.all_phones()] == ["A", "VP002", "VP003"]
    assert [one.serial for one in scenario.all_phones(1)] == ["A"]
    assert [one.account_id for one in scenario.all_phones(4)] == ["a", "farm_002", "farm_003", "farm_004"]


def test_people_are_made_after_patterns():
    scenario = parse_scenario("[[people_like]]\ncount=3\nfirst=7\nmobile='1380000{n:04}'\nnickname='K{n}'")
    assert [one.mobile for one in scenario.all_people()] == ["13800000007", "13800000008", "13800000009"]
    assert scenario.all_people()[0].nickname == "K7"
