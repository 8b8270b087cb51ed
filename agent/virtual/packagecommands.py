"""pm, am, monkey and cmd: packages, activities, broadcasts."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable
from dataclasses import replace

from agent.virtual import notificationcommands
from agent.virtual.apk import BadApk, read_manifest
from agent.virtual.files import FileError
from agent.virtual.keyboard import Keyboard
from agent.virtual.packages import INPUT_METHOD_ID, INPUT_METHOD_PACKAGE, Package
from agent.virtual.shell import Call, Command

_INSTALL_WITH_VALUE = ("-i", "-S", "--user", "--install-location", "--abi")
_OK, _CANCELLED = -1, 0


async def _pm(call: Call) -> int:
    verb, args = (call.args[0], call.args[1:]) if call.args else ("", [])
    match verb:
        case "list":
            return _list(call, args[1:]) if args[:1] == ["packages"] else _list_other(call)
        case "path":
            return _path(call, args)
        case "install":
            return await _install(call, args)
        case "uninstall":
            return _uninstall(call, args)
        case "clear":
            return _clear(call, args)
        case "grant" | "revoke":
            return 0
        case "dump":
            return await call.shell.run_args(["dumpsys", "package", *args], call.stdin, call.out, call.err)
        case _:
            return call.fail(f"Unknown command: {verb}", 255)


def _list(call: Call, args: list[str]) -> int:
    flags = {word for word in args if word.startswith("-")}
    wanted = "".join(word for word in args if not word.startswith("-"))
    for package in call.handset.packages:
        is_left_out = ("-3" in flags and package.is_system) or ("-s" in flags and not package.is_system)
        if is_left_out or "-d" in flags or wanted not in package.name:
            continue
        shown = f"package:{package.path}={package.name}" if "-f" in flags else f"package:{package.name}"
        by = f"  installer={package.installer or 'null'}" if "-i" in flags else ""
        call.out.line(shown + by)
    return 0


def _list_other(call: Call) -> int:
    call.out.line("")
    return 0


def _path(call: Call, args: list[str]) -> int:
    package = call.handset.packages.get(args[0] if args else "")
    if package is None:
        return 1
    call.out.line(f"package:{package.path}")
    return 0


async def _install(call: Call, args: list[str]) -> int:
    size, paths, words = None, [], list(args)
    while words:
        word = words.pop(0)
        if word in _INSTALL_WITH_VALUE and words:
            value = words.pop(0)
            size = int(value) if word == "-S" else size
        elif not word.startswith("-"):
            paths.append(word)
    try:
        if size is not None and not paths:
            content = await _read_exactly(call, size)
            call.handset.files.check_writable("/data/app")
        else:
            content = call.handset.files.read(call.path(paths[0]))
        manifest = read_manifest(content)
    except BadApk:
        call.out.line("Failure [INSTALL_PARSE_FAILED_NOT_APK: Failed to parse the package]")
        return 1
    except FileError as error:
        is_full = error.reason == "No space left on device"
        code = "INSTALL_FAILED_INSUFFICIENT_STORAGE" if is_full else "INSTALL_PARSE_FAILED_NOT_APK"
        call.out.line(f"Failure [{code}: {error.reason}]")
        return 1
    now = call.handset.clock()
    known = call.handset.packages.get(manifest.package)
    package = Package(
        name=manifest.package,
        version_name=manifest.version_name,
        version_code=manifest.version_code,
        target_sdk=manifest.target_sdk,
        main=manifest.activity,
        installed_at_ms=known.installed_at_ms if known else now,
        updated_at_ms=now,
    )
    call.handset.packages.install(replace(package, is_system=known.is_system) if known else package)
    if manifest.package == INPUT_METHOD_PACKAGE:
        call.handset.keyboard.input_methods.setdefault(INPUT_METHOD_ID, False)
    call.out.line("Success")
    return 0


async def _read_exactly(call: Call, size: int) -> bytes:
    pieces, got = [], 0
    while got < size and (piece := await call.stdin.read()):
        pieces.append(piece)
        got += len(piece)
    return b"".join(pieces)[:size]


def _uninstall(call: Call, args: list[str]) -> int:
    names = [word for word in args if not word.startswith("-")]
    call.handset.stop_app(names[0] if names else "")
    if not names or not call.handset.packages.uninstall(names[0]):
        call.out.line("Failure [DELETE_FAILED_INTERNAL_ERROR]")
        return 1
    if names[0] == INPUT_METHOD_PACKAGE:
        call.handset.keyboard.remove_input_method(INPUT_METHOD_ID)
    call.out.line("Success")
    return 0


def _clear(call: Call, args: list[str]) -> int:
    if not args or args[-1] not in call.handset.packages:
        call.out.line("Failed")
        return 1
    call.handset.stop_app(args[-1])
    call.out.line("Success")
    return 0


# --- activities


async def _am(call: Call) -> int:
    verb, args = (call.args[0], call.args[1:]) if call.args else ("", [])
    match verb:
        case "start" | "start-activity":
            return _start(call, args)
        case "force-stop" | "kill":
            call.handset.stop_app(args[-1] if args else "")
            return 0
        case "broadcast":
            return _broadcast(call, args)
        case "get-current-user":
            call.out.line("0")
            return 0
        case _:
            return call.fail(f"Unknown command: {verb}", 255)


def _option(args: list[str], name: str) -> str:
    return args[args.index(name) + 1] if name in args[:-1] else ""


def _start(call: Call, args: list[str]) -> int:
    component, action = _option(args, "-n"), _option(args, "-a")
    data = _option(args, "-d")
    package = component.partition("/")[0] or _option(args, "-p")
    if "-S" in args:
        call.handset.stop_app(package)
    shown = f" cmp={component}" if component else f" dat={data}" if data else ""
    call.out.line(f"Starting: Intent {{ act={action or 'android.intent.action.MAIN'}{shown} }}")
    if not package:
        call.handset.counters["view"] += 1
        return 0
    call.handset.touchscreen.injected()
    if not call.handset.start_app(package):
        call.err.line("Error type 3")
        call.err.line(f"Error: Activity class {{{component}}} does not exist.")
        return 1
    if "-W" in args:
        call.out.write(f"Status: ok\nLaunchState: WARM\nActivity: {component}\nTotalTime: 120\nComplete\n")
    return 0


def _broadcast(call: Call, args: list[str]) -> int:
    action = _option(args, "-a")
    extras = {
        args[at + 1]: args[at + 2] for at, word in enumerate(args[:-2]) if word in ("--es", "--ei", "--ez")
    }
    result, data = _received(call, action, extras)
    call.out.line(f"Broadcasting: Intent {{ act={action} flg=0x400000{' (has extras)' if extras else ''} }}")
    shown = f', data="{data}"' if data else ""
    call.out.line(f"Broadcast completed: result={result}{shown}")
    return 0


def _received(call: Call, action: str, extras: dict[str, str]) -> tuple[int, str]:
    """Return result code and data as the input method's receiver answers; 0 when nobody listens."""
    keyboard = call.handset.keyboard
    receiver = _RECEIVERS.get(action)
    if receiver is None or not keyboard.is_driven:
        return _CANCELLED, ""
    try:
        return _OK, receiver(keyboard, extras) or "success"
    except (ValueError, KeyError) as error:
        return _CANCELLED, type(error).__name__


def _input_text(keyboard: Keyboard, extras: dict[str, str]) -> str:
    keyboard.type_text(base64.b64decode(extras["text"], validate=True).decode())
    return ""


def _clear_text(keyboard: Keyboard, extras: dict[str, str]) -> str:
    _ = extras
    keyboard.clear()
    return ""


def _set_text(keyboard: Keyboard, extras: dict[str, str]) -> str:
    return _clear_text(keyboard, extras) or _input_text(keyboard, extras)


def _editor_action(keyboard: Keyboard, extras: dict[str, str]) -> str:
    _ = extras
    keyboard.editor_action()
    return ""


def _press(keyboard: Keyboard, extras: dict[str, str]) -> str:
    keyboard.press(int(extras["code"]))
    return ""


def _clipboard(keyboard: Keyboard, extras: dict[str, str]) -> str:
    _ = extras
    return base64.b64encode((keyboard.clipboard or "").encode()).decode()


# What the input-method app com.github.uiautomator takes from broadcasts; each returns data or "".
_RECEIVERS: dict[str, Callable[[Keyboard, dict[str, str]], str]] = {
    "ADB_KEYBOARD_INPUT_TEXT": _input_text,
    "ADB_KEYBOARD_SET_TEXT": _set_text,
    "ADB_KEYBOARD_CLEAR_TEXT": _clear_text,
    "ADB_KEYBOARD_EDITOR_CODE": _editor_action,
    "ADB_KEYBOARD_SMART_ENTER": _editor_action,
    "ADB_KEYBOARD_INPUT_KEYCODE": _press,
    "ADB_KEYBOARD_GET_CLIPBOARD": _clipboard,
    "ADB_KEYBOARD_HIDE": lambda *_: "",
}


async def _monkey(call: Call) -> int:
    package = _option(call.args, "-p")
    call.handset.touchscreen.injected()
    if not call.handset.start_app(package):
        call.out.line("** No activities found to run, monkey aborted.")
        return 252
    call.out.line("Events injected: 1")
    return 0


async def _cmd(call: Call) -> int:
    services = {"package": "pm", "activity": "am"}
    if not call.args:
        return call.fail("No service specified; use -l to list all services", 20)
    if call.args[0] == "notification":
        return notificationcommands.notification(call)
    command = services.get(call.args[0], posixpath.basename(call.args[0]))
    if command not in COMMANDS:
        return call.fail(f"Can't find service: {call.args[0]}", 20)
    return await call.shell.run_args([command, *call.args[1:]], call.stdin, call.out, call.err)


COMMANDS: dict[str, Command] = {"pm": _pm, "am": _am, "monkey": _monkey, "cmd": _cmd}
