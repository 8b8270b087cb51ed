from pathlib import Path

import pytest

from controller.config import Config, explain, load
from controller.errors import ConfigWrong
from controller.limits import CEILINGS, Quotas, rules_of
from controller.model import Action
from controller.server import settings_of
from controller.stoploss import StopLoss

ROOT = Path(__file__).parents[3]


def write(folder: Path, text: str, name: str = "config.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Config:
    return load(str(write(folder, text)), {"XDG_DATA_HOME": str(folder)})


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigWrong) as caught:
        read(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / "config.toml") in message
    return message


def test_the_example_file_loads_and_says_the_defaults():
    found = load(str(ROOT / "config.example.toml"), {})
    assert found.controller.quotas == Quotas()
    assert found.controller.time_zone == "Asia/Shanghai"
    assert found.controller.http == "127.0.0.1:7480"
    assert found.words == ("私人微信", "转账给我", "烦我")
    assert found.data_dir == ROOT / "farm-data"
    assert found.store_url == f"sqlite:///{ROOT / 'farm-data' / 'farm.db'}"


def test_each_action_has_a_rule_that_says_where_it_comes_from_and_stays_below_its_ceiling():
    rules = rules_of(Quotas())
    assert [rule.action for rule in rules] == list(Action)
    for rule in rules:
        assert len(rule.origin) > 20
        assert 0 < rule.per_hour <= rule.per_day <= CEILINGS[rule.action].per_day
        assert (rule.hours, rule.weekdays) == ((480, 1_320), frozenset(range(1, 8)))


def test_an_empty_file_gives_the_defaults(tmp_path: Path):
    found = read(tmp_path, "")
    assert found.controller.grpc == "127.0.0.1:7443"
    assert found.data_dir == tmp_path / "farm"
    assert found.token_file == tmp_path / "farm" / "token"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[controller]\ngrcp = 1", ['"grcp"', "[controller]"]),
        ("[controller.quotas.friend_add]\nper_week = 1", ['"per_week"', "[controller.quotas.friend_add]"]),
        ("[controler]\n", ['"controler"', "top level"]),
        ("[controller]\nhttp = 7480", ["[controller] http", "str"]),
        ("[controller.quotas.friend_add]\nper_day = 1000", ["per_day", "<= 50"]),
        ("[controller.quotas.friend_add]\nper_day = -1", ["per_day", ">= 0"]),
        ("[controller\n", ["TOML"]),
        ("[controller]\ntime_zone = 'Asia/Atlantis'", ["Asia/Atlantis"]),
        ("[controller.notices]\nversion = ''", ["[controller.notices] version"]),
        ("[controller.quotas.moments_like]\nhours = '22:00-08:00'", ["moments_like", "earlier"]),
        ("[controller.quotas.moments_like]\nhours = '08:00-22:61'", ["moments_like", "earlier"]),
        ("[controller.quotas.moments_like]\nhours = '8-22'", ["hours"]),
        ("[controller.quotas.first_reply]\nweekdays = [8]", ["weekdays", "<= 7"]),
        ("[controller.quotas.first_reply]\nweekdays = []", ["weekdays"]),
        ("[controller.quotas.friend_accept]\nramp = [[7, 1], [3, 2]]", ["friend_accept", "ascend"]),
        *(
            (f"[controller.quotas.{action}]\n{key} = 100000", [key, f"<= {getattr(CEILINGS[action], key)}"])
            for action in Action
            for key in ("per_day", "per_hour")
        ),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, text: str, names: list[str]):
    message = refusal(tmp_path, text)
    for name in names:
        assert name in message


def test_a_key_of_the_agent_is_not_ours_to_judge(tmp_path: Path):
    assert read(tmp_path, "[agent]\nanything = 1").controller.farm_id == "farm"


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path):
    (tmp_path / "config.toml").write_bytes("[controller]\nfarm_id = '农场'".encode("gb18030"))
    with pytest.raises(ConfigWrong, match="not UTF-8"):
        load(str(tmp_path / "config.toml"), {})


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path):
    with pytest.raises(ConfigWrong, match="no such configuration file"):
        load(str(tmp_path / "gone.toml"), {})


def test_the_first_place_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "XDG_DATA_HOME": str(tmp_path)}
    write(tmp_path, "[controller]\nfarm_id = 'xdg'", "xdg/farm/config.toml")
    assert load(None, env).controller.farm_id == "xdg"
    write(tmp_path, "[controller]\nfarm_id = 'here'")
    assert load(None, env).controller.farm_id == "here"
    named = write(tmp_path, "[controller]\nfarm_id = 'env'", "env.toml")
    env["FARM_CONFIG"] = str(named)
    assert load(None, env).controller.farm_id == "env"
    flag = write(tmp_path, "[controller]\nfarm_id = 'flag'", "flag.toml")
    assert load(str(flag), env).controller.farm_id == "flag"


def test_words_come_from_the_list_and_the_file(tmp_path: Path):
    write(tmp_path, "\ufeff# comment\n返现\n\n  私单 \n", "words.txt")
    found = read(tmp_path, "[controller]\nwords = ['转账']\nwords_file = 'words.txt'")
    assert found.words == ("转账", "返现", "私单")


def test_a_missing_words_file_is_named(tmp_path: Path):
    write(tmp_path, "[controller]\nwords_file = 'gone.txt'")
    with pytest.raises(ConfigWrong, match=r"gone\.txt"):
        load(str(tmp_path / "config.toml"), {})


def test_a_message_without_a_place_is_passed_on():
    assert explain("something else") == "something else"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite:///x/farm.db", "sqlite:///{folder}/x/farm.db"),
        ("sqlite:////srv/farm.db", "sqlite:////srv/farm.db"),
        ("postgresql://farm@db/farm", "postgresql://farm@db/farm"),
    ],
)
def test_the_path_of_a_store_counts_from_the_file(tmp_path: Path, url: str, found: str):
    assert read(tmp_path, f"[controller]\nstore_url = '{url}'").store_url == found.format(folder=tmp_path)


def test_the_stop_loss_of_the_file_reaches_the_core_and_its_defaults_are_the_cores(tmp_path: Path):
    assert settings_of(read(tmp_path, "[controller]\n")).stop_loss == StopLoss()
    text = "[controller.stop_loss]\nwindow_rows = 50\naccept_after_h = 24\nmin_accepted_percent = 10\n"
    assert settings_of(read(tmp_path, text)).stop_loss == StopLoss(
        window_rows=50, accept_after_ms=24 * 3_600_000, min_accepted_percent=10
    )


@pytest.mark.parametrize("line", ["window_rows = 1", "max_not_found_percent = 100", "min_requests = 0"])
def test_no_value_of_the_file_switches_the_stop_loss_off(tmp_path: Path, line: str):
    write(tmp_path, f"[controller.stop_loss]\n{line}\n")
    with pytest.raises(ConfigWrong, match=r"stop_loss"):
        load(str(tmp_path / "config.toml"), {})


def test_a_notice_is_wanted_from_the_start_and_its_version_is_a_setting(tmp_path: Path):
    assert settings_of(read(tmp_path, "[controller]\n")).notice_version == "v1"
    text = "[controller.notices]\nversion = '2026-11'\n"
    assert settings_of(read(tmp_path, text)).notice_version == "2026-11"
