"""The [agent] table: defaults, order of search, one clear line for each mistake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent import config
from agent.errors import ConfigWrong


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_defaults_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = config.load(None, {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "d")})
    assert found.path is None or found.path == Path("/etc/farm/config.toml")
    assert found.controller == "127.0.0.1:7443"
    assert found.data_dir == tmp_path / "d" / "farm" / "agent"
    assert found.adb_port == 5037
    assert os.access(found.adb_path, os.X_OK)
    assert found.host


def test_table_is_read_and_other_tables_are_opaque(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.toml",
        '[controller]\nanything = [1]\n[future]\nx = 1\n[agent]\ndata_dir = "var"\nhost = "rack-a"\n'
        'adb_port = 6001\ntcp_phones = ["127.0.0.1:7000"]\npreload = false\n',
    )
    found = config.load(str(path), {})
    assert found.data_dir == tmp_path / "var"
    assert (found.host, found.adb_port, found.preload) == ("rack-a", 6001, False)
    assert found.tcp_phones == ("127.0.0.1:7000",)


def test_order_of_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    user = write(tmp_path / "xdg" / "farm" / "config.toml", '[agent]\nhost = "user"\n')
    assert config.load(None, env).host == "user"
    write(work / "config.toml", '[agent]\nhost = "here"\n')
    assert config.load(None, env).host == "here"
    named = write(tmp_path / "n.toml", '[agent]\nhost = "env"\n')
    assert config.load(None, {**env, "FARM_CONFIG": str(named)}).host == "env"
    assert config.load(str(user), {**env, "FARM_CONFIG": str(named)}).host == "user"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[agent]\ncontroler = 'x'\n", 'unknown key "controler" in [agent]'),
        ("[agent]\nadb_port = 'x'\n", "[agent] adb_port: expected `int`, got `str`".replace("`", "")),
        ("[agent]\nadb_port = 70000\n", "adb_port"),
        ("[agent]\ncontroller = '10.0.0.5:7443'\n", "only 127.0.0.1 is allowed"),
        ("[agent]\ncontroller = 'farm.example.com:7443'\n", "is another machine"),
        ("[agent]\ncontroller = '127.0.0.1'\n", "not HOST:PORT"),
        ("[agent]\nadb_path = '/no/such/adb'\n", "no such program"),
        ("[agent\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path / "c.toml", text)
    with pytest.raises(ConfigWrong) as caught:
        config.load(str(path), {})
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:7443", "[::1]:7443", "127.9.9.9:5"])
def test_loopback_addresses_are_taken(tmp_path: Path, address: str) -> None:
    path = write(tmp_path / "c.toml", f"[agent]\ncontroller = '{address}'\n")
    assert config.load(str(path), {}).controller == address


def test_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigWrong, match="no such configuration file"):
        config.load(str(tmp_path / "none.toml"), {})


def test_adb_port_comes_from_the_environment_of_adb(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", "[agent]\n")
    assert config.load(str(path), {"ANDROID_ADB_SERVER_PORT": "6123"}).adb_port == 6123
    with pytest.raises(ConfigWrong, match="not a port"):
        config.load(str(path), {"ANDROID_ADB_SERVER_PORT": "x"})


def test_configuration_survives_the_way_to_another_process(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", '[agent]\ntcp_phones = ["a:1"]\n')
    found = config.load(str(path), {})
    assert config.decode(config.encode(found)) == found
