"""The phone's shell: grammar, expansion, pipes, redirection, and the commands clients parse."""

import asyncio
from dataclasses import replace

import pytest

from agent.owner import Mark, put_line, tap_line
from agent.virtual.handset import Handset
from agent.virtual.shellio import BytesInput, Output
from agent.virtual.shellservice import new_shell
from tests.support.stubapp import StubApp
from tests.support.virtualphone import stub_handset


def run(line: str, handset: Handset | None = None, stdin: bytes = b"") -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a line."""
    out, err = bytearray(), bytearray()

    def output(target: bytearray) -> Output:
        async def sink(data: bytes) -> None:
            target.extend(data)

        return Output(sink)

    async def work() -> int:
        shell = new_shell(handset or stub_handset())
        code = await shell.run(line, BytesInput(stdin), output(out), output(err))
        for job in shell.jobs:
            job.cancel()
        return code

    return asyncio.run(work()), out.decode(), err.decode()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("echo a b   c", "a b c\n"),
        ("echo 'a   b' \"c  d\" e\\ f", "a   b c  d e f\n"),
        ("echo a; echo b", "a\nb\n"),
        ("true && echo yes", "yes\n"),
        ("false && echo yes; echo $?", "1\n"),
        ("false || echo no", "no\n"),
        ("false; echo X4EXIT:$?", "X4EXIT:1\n"),
        ("no-such; echo $?", "127\n"),
        ("! false && echo turned", "turned\n"),
        ("X=5; echo $X ${X}y \"$X\" '$X'", "5 5y 5 $X\n"),
        ("X=5 env | grep ^X=", "X=5\n"),
        ("X='a  b'; echo $X; echo \"$X\"", "a b\na  b\n"),
        ("echo ${NONE:-other}", "other\n"),
        ("echo $(echo in; echo two) `echo old`", "in two old\n"),
        ('echo "$(echo a   b)"', "a b\n"),
        ("[ a = a ] && echo same", "same\n"),
        ('[ "$(getprop ro.serialno)" = VIRT0001 ] && echo mine', "mine\n"),
        ("test 3 -gt 2 && [ ! -e /nope ] && echo ok", "ok\n"),
        ("[ -f /nope -o -d /data/local/tmp ]; echo $?", "0\n"),
        ("(cd /data; pwd); pwd", "/data\n/\n"),
        ("echo one > /sdcard/f; echo two >> /sdcard/f; cat /sdcard/f", "one\ntwo\n"),
        ("cat < /proc/uptime | wc -l", "1\n"),
        ("ls /nope 2>/dev/null; echo $?", "1\n"),
        ("echo err >&2 2>/dev/null; ls /nope 2>&1 | grep -c No", "1\n"),
        ("printf '%s-%s\\n' a b", "a-b\n"),
        ("echo a | cat | cat", "a\n"),
        ("getevent | head -n 1", "add device 1: /dev/input/event2\n"),
        ("touch /sdcard/x1 /sdcard/x2; echo /sdcard/x*", "/sdcard/x1 /sdcard/x2\n"),
        ("echo a # comment", "a\n"),
        ("if true; then echo a; fi", "a\n"),
        ("if false; then echo a; elif true; then echo b; else echo c; fi; echo $?", "b\n0\n"),
        ("if false; then echo a; else\necho c\nfi > /sdcard/y; cat /sdcard/y", "c\n"),
        ("if [ a = b ]; then echo y; fi; echo $?", "0\n"),
        ("if ! [ a = b ]; then if true; then echo in; fi; echo out; fi", "in\nout\n"),
        ("echo if then fi", "if then fi\n"),
        ("if false; then :; fi; false; echo $?", "1\n"),
        ("echo a.b.c | cut -d. -f1", "a\n"),
        ("echo a:b:c | cut -d : -f 1,3; echo plain | cut -d: -f2", "a:c\nplain\n"),
        ('up=$(cut -d. -f1 /proc/uptime); [ "$up" -ge 0 ] && [ "$up" -le 9 ] && echo young', "young\n"),
        ("echo one > /sdcard/n && mv /sdcard/n /sdcard/m; cat /sdcard/m; ls /sdcard/n", "one\n"),
        ("input tap x y 2>/dev/null; echo $?", "255\n"),
        ("exit 3; echo never", ""),
        ("echo -n a", "a"),
        ("sh -c 'echo $0in'", "in\n"),
        ("toybox echo hi", "hi\n"),
        ("echo 'a;b' a\\;b \"&&\"", "a;b a;b &&\n"),
    ],
)
def test_lines(line: str, expected: str) -> None:
    assert run(line)[1] == expected


@pytest.mark.parametrize(
    "line",
    [
        "echo 'open",
        "echo $(open",
        "a &&",
        "( a",
        "| b",
        "echo >",
        "if true",
        "fi",
        "if; then a; fi",
        "if a; then fi",
    ],
)
def test_syntax_errors_are_told(line: str) -> None:
    code, _, err = run(line)
    assert code == 2
    assert "syntax error" in err


def test_exit_code_of_the_last_command_is_the_shells() -> None:
    assert run("false")[0] == 1
    assert run("exit 42")[0] == 42
    assert run("false; true")[0] == 0
    assert run("false | true")[0] == 0


def test_stdin_reaches_the_first_command() -> None:
    assert run("cat | grep b", stdin=b"abc\nxyz\n")[1] == "abc\n"


def test_the_owner_check_and_the_tap_are_one_line() -> None:
    """A stale host's tap fails on the phone: the check stands in the same round trip."""
    app = StubApp()
    handset = stub_handset(app)
    handset.start_app("com.tencent.mm")
    handset.files.write("/data/local/tmp/owner", b"farm-1 7\n")
    line = "test \"$(cat /data/local/tmp/owner)\" = 'farm-1 {epoch}' && input tap 540 550"
    assert run(line.format(epoch=6), handset)[0] == 1
    assert app.taps == []
    assert run(line.format(epoch=7), handset)[0] == 0
    assert app.taps == [(540.0, 550.0)]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("getprop ro.build.version.sdk", "33\n"),
        ("getprop", "[ro.product.brand]: [phonefarm]"),
        ("wm size", "Physical size: 1080x2340"),
        ("dumpsys battery", "  temperature: 285"),
        ("dumpsys window windows", "mCurrentFocus=Window{"),
        ("dumpsys window", "u0 com.tencent.mm/com.tencent.mm.ui.LauncherUI}"),
        ("dumpsys activity activities", "mResumedActivity: ActivityRecord{"),
        ("dumpsys activity top", "ACTIVITY com.tencent.mm/com.tencent.mm.ui.LauncherUI"),
        ("dumpsys package com.tencent.mm", "versionName=8.0.61"),
        ("dumpsys package com.tencent.mm", "versionCode=2840 "),
        ("dumpsys display", "orientation=0"),
        ("dumpsys power", "mHoldingDisplaySuspendBlocker=true"),
        ("dumpsys SurfaceFlinger --display-id", "Display 4619827259835644672 ("),
        ("ime list -s -a", "com.android.inputmethod.latin/.LatinIME"),
        ("settings get secure default_input_method", "com.android.inputmethod.latin/.LatinIME"),
        ("settings get global nothing", "null"),
        ("pm list packages tencent", "package:com.tencent.mm\n"),
        ("pm path com.tencent.mm", "package:/data/app/"),
        ("monkey -p no.such -c android.intent.category.LAUNCHER 1", "No activities found"),
        ("monkey -p com.tencent.mm -c android.intent.category.LAUNCHER 1", "Events injected: 1"),
        ("am start -n no.such/.A", "Starting: Intent"),
        ("am broadcast -a ADB_KEYBOARD_CLEAR_TEXT", "result=0"),
        ("ps -A | grep tencent", "com.tencent.mm"),
        ("ifconfig wlan0", "inet addr:192.168.31.101 "),
        ("ip addr show dev wlan0", "inet 192.168.31.101/24"),
        ("id", "uid=2000(shell)"),
        ("getevent -p", "0035  : value 0, min 0, max 1079"),
        ("getevent -lp", "ABS_MT_POSITION_Y"),
        ("date +%s", "1"),
        ("cmd package list packages -s", "package:com.android.settings"),
        ("logcat -d -v time", "ActivityTaskManager"),
        ("uiautomator dump /sdcard/d.xml && cat /sdcard/d.xml", "UI hierchary dumped to: /sdcard/d.xml"),
    ],
)
def test_commands_say_what_clients_look_for(line: str, part: str) -> None:
    handset = stub_handset()
    handset.start_app("com.tencent.mm")
    assert part in run(line, handset)[1]


def test_ps_has_nine_columns() -> None:
    handset = stub_handset()
    handset.start_app("com.tencent.mm")
    row = next(line for line in run("ps -A", handset)[1].splitlines() if "tencent" in line).split()
    assert len(row) == 9
    assert row[1].isdigit()
    pid = run("pidof com.tencent.mm", handset)[1].strip()
    assert pid == row[1]
    run(f"kill {pid}", handset)
    assert handset.processes.named("com.tencent.mm") is None


def test_input_types_ascii_only_and_knows_keys() -> None:
    app = StubApp()
    handset = stub_handset(app)
    handset.start_app("com.tencent.mm")
    app.is_focused = True
    assert run("input text a%sb", handset)[0] == 0
    assert app.text == "a b"
    assert run("input text 你", handset)[0] == 255
    run("input keyevent DEL", handset)
    assert app.text == "a "
    run("input keyevent KEYCODE_ENTER", handset)
    assert app.actions == ["editor"]
    run("input swipe 500 2000 500 1000 100", handset)
    run("input swipe 500 550 500 550 600", handset)
    assert app.swipes == [(500, 2000, 500, 1000)]
    assert app.long_taps == [(500, 550)]
    assert run("input keyevent NOKEY", handset)[0] == 255
    run("input keyevent HOME", handset)
    assert handset.front is handset.launcher


@pytest.mark.parametrize("line", ["sleep soon", "head -n x", "exit five", "mv", "input tap 1", "sh /nope"])
def test_wrong_arguments_are_an_error_of_the_command(line: str) -> None:
    code, _, err = run(line)
    assert code not in (0, 127)
    assert line.split(maxsplit=1)[0] in err


def test_nothing_is_touched_while_the_screen_is_off() -> None:
    app = StubApp()
    handset = stub_handset(app)
    handset.start_app("com.tencent.mm")
    handset.faults.set("screen_off")
    run("input tap 540 550", handset)
    assert app.taps == []
    assert handset.counters["dark"] == 1


def test_the_fence_line_taps_for_the_mark_and_the_time_only() -> None:
    app = StubApp()
    handset = stub_handset(app)
    handset.start_app("com.tencent.mm")
    mark = Mark(farm_id="f", farm_epoch=1, phone_epoch=7, host="h", boot_id="b", spool_id="s")
    line = tap_line(mark, 540, 550, from_s=0, to_s=5)
    assert run(line, handset)[1:] == ("refused\n", "")
    assert run(put_line(None, mark), handset)[1] == mark.line() + "\n"
    assert run(tap_line(mark, 540, 550, from_s=50, to_s=60), handset)[1] == "late\n"
    assert app.taps == []
    assert run(line, handset)[1] == "tapped:0\n"
    assert app.taps == [(540.0, 550.0)]
    assert run(tap_line(replace(mark, phone_epoch=6), 540, 550, from_s=0, to_s=5), handset)[1] == "refused\n"
    assert app.taps == [(540.0, 550.0)]


def test_a_fault_of_a_command_is_not_one_of_any_method() -> None:
    handset = stub_handset()
    handset.faults.set("drop", "*")
    assert run("echo a", handset)[1] == "a\n"
    handset.faults.set("drop", "shell:echo")
    with pytest.raises(ConnectionResetError):
        run("echo a", handset)
    assert run("echo a", handset)[1] == "a\n"
    assert handset.faults.holds("drop")
