"""The real `farm` against a real `farm serve`: screens, exit codes, and no traceback for a person."""

import csv
import io
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from protos import fleet_pb2, fleet_pb2_grpc
from protos.channel import PROTOCOL
from tests.support.farm_program import Home, Said, Serving, first_line

HEADING = "手机号,备注,订单号,下单时间\n"
GOOD = HEADING + "13800138001,王先生,D-1,2026-11-11\n13800138002,李女士,D-2,2026-11-12\n"
BAD = (
    HEADING
    + "13800138001,王先生,D-1,2026-11-11\n1.38001E+10,李,D-2,2026-11-12\n138 0013 8001,李,D-3,2026-11-12\n"
    + "13800138004,=1+1,,2026-11-12\n"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = Home(tmp_path_factory.mktemp("home"))
    assert home.init().code == 0
    with Serving(home) as serving:
        yield serving


@pytest.fixture
def home(served: Serving) -> Home:
    return served.home


@pytest.fixture
def fresh(tmp_path: Path) -> Home:
    return Home(tmp_path)


def one_line(said: Said, code: int, *words: str) -> None:
    """Check that a command failed as a person can bear it."""
    assert said.code == code, said
    assert "Traceback" not in said.out + said.err
    lines = [line for line in said.err.splitlines() if not line.startswith("Try: ")]
    assert len(lines) == 1, said.err
    assert lines[0].startswith("farm: ")
    for word in words:
        assert word in lines[0]


def attach(address: str, serial: str, slot: str) -> None:
    """Let a handset say hello as its agent would."""
    hello = fleet_pb2.Hello(
        protocol=PROTOCOL, host="shelf-1", serial=serial, slot=slot, spool_id=f"s-{serial}"
    )
    hello.phone.CopyFrom(fleet_pb2.PhoneFacts(brand="phonefarm", model="Virtual 1", is_virtual=True))
    with grpc.insecure_channel(address) as channel:
        stream = fleet_pb2_grpc.FleetStub(channel).Session(iter([fleet_pb2.Up(hello=hello)]))
        assert next(stream).WhichOneof("kind") == "welcome"
        stream.cancel()


def write(home: Home, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = home.folder / name
    path.write_bytes(text.encode(encoding))
    return path


def staffed(served: Serving, number: int) -> str:
    """Number, assign and sign for one phone; returns its number."""
    home, no = served.home, f"{number:03d}"
    assert home.farm("phones", "number", no, "--serial", f"S{no}", "--rack", "T").code == 0
    done = home.farm(
        *("phones", "assign", no, "--holder", "王芳", "--account", f"wx-{no}"),
        *("--unattended", "--reason", "test"),
    )
    assert done.code == 0
    assert home.farm("staff", "notices", "record", "王芳", "--how", "paper").code == 0
    return no


# ---- setting up


def test_init_makes_what_is_needed_for_the_owner_only_and_says_the_rules(fresh: Home):
    said = fresh.farm_alone("init", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    assert said.code == 0
    assert stat.S_IMODE(fresh.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((fresh.data / "token").stat().st_mode) == 0o600
    assert "WeChat's rules restrict automation of personal accounts, whoever owns" in said.err
    assert said.err.rstrip().endswith("Next: farm serve")
    token = (fresh.data / "token").read_text()
    again = fresh.init()
    assert again.code == 0
    assert "Kept" in again.err
    assert (fresh.data / "token").read_text() == token


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("version",), 0),
        (("--help",), 0),
        (("status", "--json"), 0),
        (("phones", "show", "9"), 1),
        (("nonsense",), 2),
    ],
)
def test_a_forked_command_says_what_the_installed_program_says(home: Home, args: tuple[str, ...], code: int):
    forked, alone = home.farm(*args), home.farm_alone(*args)
    assert forked.code == alone.code == code
    assert (bool(forked.out), forked.err) == (bool(alone.out), alone.err)
    if args[0] != "status":  # which tells of this moment
        assert forked.out == alone.out


def test_init_writes_where_it_is_told(fresh: Home):
    said = fresh.farm("init", "--config", "my farm.toml", "--data-dir", 'da"ta')
    assert said.code == 0
    assert (fresh.folder / 'da"ta' / "token").is_file()
    assert "--config" in said.err.splitlines()[-1]
    assert fresh.farm("--config", "my farm.toml", "doctor", "--json").json[0]["level"] == "ok"


def test_help_is_fast_because_it_loads_little(fresh: Home):
    heavy = ("fastapi", "grpc", "httpx2", "sqlite_utils", "phonenumbers")
    code = f"import sys, controller.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "[]\n", done.stderr


def test_every_command_explains_itself(fresh: Home):
    from controller.cli.program import farm as program

    def walk(group: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
        for name, command in group.commands.items():  # type: ignore[attr-defined]  # a click group
            yield (*path, name), command
            if hasattr(command, "commands"):
                yield from walk(command, (*path, name))

    found = list(walk(program, ()))
    assert len(found) >= 27
    for path, command in found:
        assert command.help, path  # type: ignore[attr-defined]  # a click command
    assert fresh.farm("friends", "add", "--help").code == 0


# ---- what stands against a start


def test_an_unknown_key_is_named(fresh: Home):
    fresh.init()
    fresh.config.write_text("[controller]\nlease = 1\n")
    one_line(fresh.farm("serve"), 1, '"lease"', "[controller]", str(fresh.config))
    one_line(fresh.farm("phones", "list"), 1, '"lease"')


@pytest.mark.parametrize("part", ["grpc", "http"])
def test_a_port_in_use_is_named(fresh: Home, part: str):
    fresh.init()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        addresses = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0", part: address}
        lines = [f'{name} = "{value}"' for name, value in addresses.items()]
        fresh.config.write_text("\n".join(["[controller]", *lines]))
        one_line(fresh.farm("serve"), 1, address, "in use")


@pytest.mark.parametrize("part", ["grpc", "http"])
@pytest.mark.parametrize(
    "address", ["0.0.0.0:7480", "192.168.1.5:7480", "[::]:7480", "farm.lan:7480", "127.0.0.1"]
)
def test_an_address_that_others_could_reach_is_refused(fresh: Home, part: str, address: str):
    fresh.init()
    fresh.config.write_text(f'[controller]\n{part} = "{address}"\n')
    one_line(fresh.farm("serve"), 1, address)


def test_a_second_controller_on_the_same_data_is_refused(served: Serving):
    one_line(served.home.farm("serve"), 1, "another controller", str(served.home.data))


def test_a_database_that_another_program_holds_is_named(fresh: Home):
    fresh.init()
    with sqlite3.connect(fresh.data / "farm.db", isolation_level=None) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        said = fresh.farm("serve")
    one_line(said, 1)
    assert "lock" in said.err or "busy" in said.err or "owns" in said.err


def test_a_database_of_a_newer_release_is_left_alone(fresh: Home):
    fresh.init()
    with Serving(fresh) as serving:
        assert serving.stop().code == 0
    make_newer(fresh.data / "farm.db")
    one_line(fresh.farm("serve"), 1, "newer")


def test_a_file_that_is_no_database_is_named(fresh: Home):
    fresh.init()
    (fresh.data / "farm.db").write_text("this is no database, but somebody's notes " * 100)
    one_line(fresh.farm("serve"), 1)


def test_without_a_token_nothing_starts(fresh: Home):
    fresh.init()
    (fresh.data / "token").unlink()
    one_line(fresh.farm("serve"), 4, "farm init")
    one_line(fresh.farm("phones", "list"), 4, "farm init")


def make_newer(path: Path) -> None:
    """Add a step of the schema that this release does not know."""
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            if {"migration_set", "name"} <= set(columns):
                rest = ", ".join(column for column in columns if column not in {"id", "name"})
                step = f"SELECT '9999_of_the_future', {rest} FROM {table} LIMIT 1"
                database.execute(f"INSERT INTO {table} (name, {rest}) {step}")
                return
    raise AssertionError(f"no table of schema steps in {tables}")


# ---- talking to a controller


def test_a_controller_that_is_away_is_named(fresh: Home):
    fresh.init()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    one_line(fresh.farm("phones", "list", FARM_URL=url), 1, url, "farm serve")
    one_line(fresh.farm("phones", "list", FARM_URL="nonsense"), 1)
    one_line(fresh.farm("phones", "list", FARM_URL="http://["), 1)


def test_a_wrong_token_is_refused(home: Home):
    wrong = write(home, "wrong-token", "nope")
    one_line(home.farm("phones", "list", FARM_TOKEN_FILE=str(wrong)), 4, "token")


def test_handsets_are_numbered_as_they_stand(served: Serving):
    home = served.home
    for serial, slot in (("W3", "1-10"), ("W1", "1-2"), ("W2", "1-3")):
        attach(served.grpc, serial, slot)
    waiting = home.farm("phones", "waiting", "--json").json
    assert [phone["serial"] for phone in waiting] == ["W1", "W2", "W3"]
    nobody = home.farm("phones", "number", "--from", "900")
    assert nobody.code == 2
    assert "--yes" in nobody.err
    done = home.farm("phones", "number", "--from", "900", "--rack", "B", "--yes", "--json").json
    assert [(phone["phone_id"], phone["serial"]) for phone in done] == [
        ("900", "W1"),
        ("901", "W2"),
        ("902", "W3"),
    ]
    assert home.farm("phones", "waiting", "-q").out == ""
    assert home.farm("phones", "list", "@B", "-q").out == "900\n901\n902\n"
    one_line(home.farm("phones", "number", "903", "--serial", "W1"), 1, "already has a number")


def test_holders_come_from_a_list(served: Serving):
    home = served.home
    for number in (910, 911):
        home.farm("phones", "number", str(number), "--serial", f"H{number}")
    write(home, "holders.csv", "NO,HOLDER\n910,王芳\n911,李娜\n", "gb18030")
    done = home.farm("phones", "assign", "910-911", "--holders", "holders.csv", "--json").json
    assert [(phone["phone_id"], phone["holder"]) for phone in done] == [("910", "王芳"), ("911", "李娜")]
    one_line(home.farm("phones", "assign", "910-911", "--holder", "x"), 2, "several phones")


def test_text_of_others_never_steers_the_terminal(served: Serving):
    home = served.home
    home.farm("phones", "number", "920", "--serial", "H920")
    assert home.farm("phones", "assign", "920", "--holder", "\x1b[2J王\u202e芳").code == 0
    for args in (
        ("phones", "list", "920"),
        ("phones", "show", "920"),
        ("staff", "notices", "list"),
        ("phones", "list", "--json"),
    ):
        said = home.farm(*args)
        assert said.code == 0
        assert "\x1b" not in said.out
        assert "\u202e" not in said.out
    assert r"\x1b[2J王\u202e芳" in home.farm("phones", "list", "920").out


def test_a_bad_list_is_told_row_by_row_and_nothing_is_sent(served: Serving):
    home, no = served.home, staffed(served, 100)
    write(home, "bad.csv", BAD)
    said = home.farm("friends", "check", "bad.csv", "-o", "bad.checked.csv")
    assert said.code == 3
    assert [line.split()[0] for line in said.out.splitlines()] == ["ROW", "3", "4", "5"]
    assert "Excel turned the number into 1.38001E+10" in said.out
    assert "same as row 2" in said.out
    assert "no basis for contacting this person" in said.out
    assert "0013 8001" not in said.out
    marked = list(csv.reader(io.StringIO((home.folder / "bad.checked.csv").read_text("utf-8-sig"))))
    assert marked[0][-1] == "问题"
    assert marked[4][1] == "'=1+1"
    jobs = home.farm("jobs", "list", "-q").out
    refused = home.farm("friends", "add", "bad.csv", "--phones", no, "--yes")
    assert refused.code == 3
    assert "Nothing was sent" in refused.err
    assert home.farm("jobs", "list", "-q").out == jobs


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (b"", 3, "no rows"),
        (b"PK\x03\x04", 3, "Excel workbook"),
        ("姓名,日期\n王,2026-11-11\n".encode(), 3, "no column for the mobile"),
        (b"\xff\xff\xff", 3, "not readable"),
        ("手机号,电话,订单号,日期\n1,2,3,4\n".encode(), 3, "could both be the mobile"),
        ("手机号,订单号,日期\n".encode() + b"1,2,3\n" * 100_001, 3, "more than 100000 rows"),
    ],
)
def test_what_is_no_list_is_one_line(home: Home, raw: bytes, code: int, words: str):
    (home.folder / "no.csv").write_bytes(raw)
    one_line(home.farm("friends", "check", "no.csv"), code, words)


def test_a_list_becomes_a_job_once(served: Serving):
    home, no = served.home, staffed(served, 200)
    write(home, "双十一.csv", GOOD.replace("138001380", "139001390"), "gb18030")
    write(home, "问候.txt", "您好")
    add = ("friends", "add", "双十一.csv", "--phones", no, "--greeting", "问候.txt")
    planned = home.farm(*add, "--dry-run")
    assert planned.code == 0
    assert "Nothing was sent." in planned.err
    assert planned.err.rstrip().endswith("without --dry-run")
    assert home.farm(*add).code == 2
    made = home.farm(*add, "--yes", "--json").json
    job_id = made["job"]["job_id"]
    assert made["is_new"]
    assert made["job"]["rows"] == 2
    assert made["job"]["greeting"] == "您好"
    again = home.farm(*add, "--yes")
    assert f"Same content as job {job_id}" in again.err
    assert home.farm("jobs", "list", "-q").out.split() == [job_id]
    shown = home.farm("jobs", "show", job_id, "--json").json
    assert [task["query"] for task in shown["tasks"]] == ["139****9001", "139****9002"]
    assert shown["created_by"]
    rows = list(csv.DictReader(io.StringIO(home.farm("jobs", "export", job_id).out)))
    assert [row["row_no"] for row in rows] == ["2", "3"]
    home.farm("jobs", "export", job_id, "-o", "out.jsonl")
    assert len((home.folder / "out.jsonl").read_text("utf-8").splitlines()) == 2
    home.farm("jobs", "export", job_id, "-o", "out.csv")
    assert (home.folder / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_safety_rule_that_refuses_has_its_own_exit_code(served: Serving):
    home, no = served.home, staffed(served, 400)
    rows = "".join(f"136{at:08d},x,D,2026-11-11\n" for at in range(2_001))
    write(home, "many.csv", HEADING + rows)
    one_line(home.farm("friends", "add", "many.csv", "--phones", no, "--yes"), 5, "2000")


def test_leaving_a_job_that_is_watched_leaves_it_running(served: Serving):
    home, no = served.home, staffed(served, 300)
    write(home, "watch.csv", GOOD.replace("138001380", "137001370"))
    job_id = home.farm("friends", "add", "watch.csv", "--phones", no, "--yes", "--json").json["job"]["job_id"]
    process = home.begin("jobs", "watch", job_id)
    assert process.stderr is not None
    assert job_id in process.stderr.readline().decode()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Still running" in err.decode()
    assert "Traceback" not in err.decode()
    assert home.farm("jobs", "show", job_id, "--json").json["state"] == "running"


@pytest.mark.parametrize(
    "args",
    [
        ("phones", "list"),
        ("phones", "waiting"),
        ("staff", "notices", "list"),
        ("jobs", "list"),
        ("quotas", "show"),
        ("contacts", "list"),
        ("chats", "list"),
        ("capture", "show"),
        ("violations", "list"),
    ],
)
def test_every_list_has_its_machine_forms(home: Home, args: tuple[str, ...]):
    listed = home.farm(*args, "--json")
    assert isinstance(listed.json, list)
    lines = home.farm(*args, "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == listed.json or args[0] in {"phones", "quotas"}
    assert len(home.farm(*args, "-q").out.splitlines()) == len(listed.json)
    assert home.farm(*args).code == 0
    assert home.farm(*args, "--json", "-q").code == 2


def test_one_screen_tells_how_the_farm_is(home: Home):
    said = home.farm("status")
    assert said.code == 0
    assert "violations" in said.out
    assert home.farm("status", "--json").json["store"] == "sqlite"


def test_the_doctor_finds_what_is_wrong(served: Serving, fresh: Home):
    well = served.home.farm("doctor", "--json", ANDROID_ADB_SERVER_PORT="1")
    assert well.code == 0
    assert {line["about"] for line in well.json} >= {
        "config",
        "data",
        "token",
        "disk",
        "controller",
        "clock",
        "adb",
    }
    ill = fresh.farm("doctor", FARM_URL="http://127.0.0.1:1")
    assert ill.code == 1
    assert "farm init" in ill.out
    assert "Traceback" not in ill.err


def test_the_doctor_warns_of_an_adb_server_that_the_network_can_reach(home: Home):
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        port = str(server.getsockname()[1])
        said = home.farm("doctor", "--json", ANDROID_ADB_SERVER_PORT=port)
    finding = next(line for line in said.json if line["about"] == "adb server")
    assert (said.code, finding["level"]) == (1, "fail")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = str(server.getsockname()[1])
        said = home.farm("doctor", "--json", ANDROID_ADB_SERVER_PORT=port)
    finding = next(line for line in said.json if line["about"] == "adb server")
    assert finding["level"] == "ok"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("phones", "lst"), 2, "Did you mean 'list'"),
        (("phones", "show", "4711"), 1, "4711"),
        (("phones", "show", "../../x"), 1, ""),
        (("phones", "list", "colour:red"), 2, "not understood"),
        (("jobs", "show", "nothing"), 1, "nothing"),
        (("jobs", "watch", "nothing"), 1, "nothing"),
        (("chats", "show", "4711", "--reason", "x"), 1, ""),
        (("chats", "show", "1"), 2, "--reason"),
        (("friends", "add", "gone.csv", "--phones", "all"), 2, "gone.csv"),
        (("violations", "list", "--since", "soon"), 2, "2h"),
        (("phones", "clear", "4711", "--reason", "x"), 1, "4711"),
    ],
)
def test_mistakes_are_one_line(home: Home, args: tuple[str, ...], code: int, words: str):
    one_line(home.farm(*args), code, words)


def test_a_reader_that_goes_away_is_no_error_to_read(home: Home):
    process = home.begin("phones", "list", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read().decode()
    process.wait(20)
    process.stderr.close()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_controller_stops_when_asked_and_starts_again(fresh: Home, sign: signal.Signals):
    fresh.init()
    with Serving(fresh, is_installed=True) as serving:
        fresh.farm("phones", "number", "7", "--serial", "S7")
        started = time.monotonic()
        said = serving.stop(sign)
        assert said.code == 0
        assert time.monotonic() - started < 15
        assert "Traceback" not in said.err
    with Serving(fresh):
        assert fresh.farm("phones", "list", "-q").out == "007\n"


def test_a_controller_that_was_killed_leaves_nothing_in_the_way(fresh: Home):
    fresh.init()
    with Serving(fresh) as serving:
        os.kill(serving.process.pid, signal.SIGKILL)
        serving.process.wait(20)
    with Serving(fresh):
        assert fresh.farm("status").code == 0


def test_the_ready_line_comes_on_stdout_and_is_the_only_one(fresh: Home):
    fresh.init()
    process = fresh.begin("serve")
    line = first_line(process)
    assert line.startswith("Ready. Agents: 127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert out == b""
