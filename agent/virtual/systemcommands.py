"""Commands about the phone itself: processes, settings, screen, network, logs, and the on-phone server."""

from __future__ import annotations

import asyncio
import contextlib

from agent.virtual import hierarchy
from agent.virtual.channel import relay, socket_pair
from agent.virtual.coreutils import options
from agent.virtual.faults import Fault
from agent.virtual.files import FileError
from agent.virtual.packages import Process
from agent.virtual.paint import png
from agent.virtual.shell import Call, Command, Shell
from agent.virtual.shellio import NoInput, Output
from agent.virtual.ui import Rect
from agent.virtual.uiserver import UiServer

SERVER_JAR, SERVER_CLASS = "/data/local/tmp/u2.jar", "com.wetest.uia2.Main"
SERVER_START_MS = 300
START_SLOW_MS = 40_000
WLAN_ADDRESS = "192.168.31.101"
_ALREADY_REGISTERED = (
    "java.lang.IllegalStateException: UiAutomationService "
    "android.accessibilityservice.IAccessibilityServiceClient$Stub$Proxy@5deffd5already registered!"
)

# --- processes


async def _ps(call: Call) -> int:
    if "-o" in call.args:
        return _ps_columns(call)
    call.out.line("USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME")
    for each in call.handset.processes:
        sizes = f"{1_234_567:>7} {98_765:>6} {'0':<16} {'0':>4}"
        call.out.line(f"{each.user:<12} {each.pid:>5} {1:>5} {sizes} S {each.name}")
    return 0


def _ps_columns(call: Call) -> int:
    columns = [name.upper() for name in call.args[call.args.index("-o") + 1].split(",")]
    call.out.line(" ".join(columns))
    for each in call.handset.processes:
        values = {
            "PID": str(each.pid),
            "USER": each.user,
            "NAME": each.name,
            "ARGS": each.args,
            "CMD": each.name,
        }
        call.out.line(" ".join(values.get(column, "?") for column in columns))
    return 0


def _matching(call: Call, pattern: str, *, in_args: bool) -> list[Process]:
    return [each for each in call.handset.processes if pattern in (each.args if in_args else each.name)]


async def _pidof(call: Call) -> int:
    pids = [str(each.pid) for each in call.handset.processes if each.name in call.args]
    if pids:
        call.out.line(" ".join(pids))
    return int(not pids)


async def _pgrep(call: Call) -> int:
    letters, words = options(call.args)
    found = _matching(call, words[0], in_args="f" in letters) if words else []
    for each in found:
        call.out.line(str(each.pid))
    return int(not found)


async def _kill(call: Call) -> int:
    words = [word for word in call.args if not word.startswith("-")]
    known = {str(each.pid): each for each in call.handset.processes}
    for word in words:
        if word not in known:
            return call.fail(f"bad pid '{word}'")
        _end(call, known[word])
    return 0


async def _pkill(call: Call) -> int:
    words = [word for word in call.args if not word.startswith("-")]
    found = _matching(call, words[0], in_args="-f" in call.args) if words else []
    for each in found:
        _end(call, each)
    return int(not found)


def _end(call: Call, process: Process) -> None:
    automation = call.handset.ui_automation
    if process.name == "app_process":
        if automation is not None:
            automation.kill()
    else:
        call.handset.stop_app(process.name)


# --- settings, input methods, screen


async def _settings(call: Call) -> int:
    known = call.handset.settings
    match call.args:
        case ["get", namespace, key]:
            call.out.line(known.get((namespace, key), "null"))
        case ["put", namespace, key, value, *_]:
            known[namespace, key] = value
        case ["delete", namespace, key]:
            call.out.line(f"Deleted {int(known.pop((namespace, key), None) is not None)} rows")
        case ["list", namespace]:
            for (each, key), value in sorted(known.items()):
                if each == namespace:
                    call.out.line(f"{key}={value}")
        case _:
            return call.fail("Invalid command", 255)
    return 0


_IME_ANSWERS = {
    "enable": "Input method {name}: now enabled for user #0",
    "disable": "Input method {name}: now disabled for user #0",
    "set": "Input method {name} selected for user #0",
}


async def _ime(call: Call) -> int:
    keyboard = call.handset.keyboard
    verb, words = (call.args[0], call.args[1:]) if call.args else ("", [])
    if verb == "list":
        for name, is_enabled in keyboard.input_methods.items():
            if is_enabled or "-a" in words:
                call.out.line(name if "-s" in words else f"{name}:\n  mId={name}")
        return 0
    if not words or words[0] not in keyboard.input_methods or verb not in _IME_ANSWERS:
        call.err.line(f"Unknown input method {words[0] if words else ''} cannot be {verb}d for user #0")
        return 255
    call.out.line(_IME_ANSWERS[verb].format(name=words[0]))
    if verb == "set":
        keyboard.current_input_method = words[0]
        return 0
    keyboard.input_methods[words[0]] = verb == "enable"
    if verb == "disable" and keyboard.current_input_method == words[0]:
        keyboard.use_platform_input_method()
    return 0


async def _wm(call: Call) -> int:
    phone = call.handset
    match call.args:
        case ["size"]:
            call.out.line(f"Physical size: {phone.width}x{phone.height}")
        case ["density"]:
            call.out.line("Physical density: 440")
        case _:
            return call.fail(f"Unknown command: {' '.join(call.args)}", 255)
    return 0


async def _screencap(call: Call) -> int:
    words = list(call.args)
    if "-d" in words:
        place = words.index("-d")
        del words[place : place + 2]
    _, paths = options(words)
    picture = png(call.handset)
    if not paths:
        call.out.write(picture)
        return 0
    try:
        call.handset.files.write(call.path(paths[0]), picture)
    except FileError as error:
        return call.fail(f"Error opening file: {paths[0]} ({error.reason})")
    return 0


async def _uiautomator(call: Call) -> int:
    phone = call.handset
    if call.args[:1] != ["dump"]:
        return call.fail("Unknown command", 255)
    if phone.ui_automation is not None:
        call.out.line(_ALREADY_REGISTERED)
        return 1
    paths = [word for word in call.args[1:] if not word.startswith("-")]
    path = paths[0] if paths else "/sdcard/window_dump.xml"
    root = phone.active_root()
    roots = [root] if root is not None else []
    screen = Rect(0, 0, phone.width, phone.height)
    xml = hierarchy.write(roots, screen, rotation=phone.rotation, sdk=phone.sdk, keeps_emoji=True)
    if path == "/dev/tty":
        call.out.write(xml)
    else:
        phone.files.write(call.path(path), xml.encode())
    call.out.line(f"UI hierchary dumped to: {path}")
    return 0


# --- network and logs


async def _ifconfig(call: Call) -> int:
    if call.args and call.args[0] != "wlan0":
        return call.fail(f"{call.args[0]}: No such device")
    call.out.write(
        "wlan0     Link encap:UNSPEC    Driver virtual\n"
        f"          inet addr:{WLAN_ADDRESS}  Bcast:192.168.31.255  Mask:255.255.255.0 \n"
        "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
    )
    return 0


async def _ip(call: Call) -> int:
    call.out.write(
        "21: wlan0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP\n"
        f"    inet {WLAN_ADDRESS}/24 brd 192.168.31.255 scope global wlan0\n"
        if "wlan0" in call.args
        else ""
    )
    return 0


async def _nc(call: Call) -> int:
    words = [word for word in call.args if not word.startswith("-")]
    listener = call.handset.listener(f"tcp:{words[-1]}") if len(words) > 1 else None
    if listener is None:
        return call.fail("connect: Connection refused")
    near, far = socket_pair()
    served = asyncio.ensure_future(listener(far))
    try:
        await relay(_Terminal(call), near)
    finally:
        served.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await served
    return 0


class _Terminal:
    """A command's own streams as a channel; the end of input does not end the output."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._done = asyncio.Event()

    async def read(self) -> bytes:
        data = await self._call.stdin.read()
        if not data:
            await self._done.wait()
        return data

    async def write(self, data: bytes) -> None:
        self._call.out.write(data)
        await self._call.out.flush()

    async def close(self) -> None:
        self._done.set()


async def _logcat(call: Call) -> int:
    log = call.handset.log
    if "-c" in call.args or "--clear" in call.args:
        log.clear()
        return 0
    call.out.line("--------- beginning of main")
    for line in log.lines():
        call.out.line(line)
    if "-d" in call.args:
        return 0
    queue: asyncio.Queue[str] = asyncio.Queue()
    unwatch = log.watch(queue.put_nowait)
    try:
        while True:
            await call.out.flush()
            call.out.line(await queue.get())
    finally:
        unwatch()


async def _reboot(call: Call) -> int:
    call.handset.reboot()
    return 0


async def _svc(call: Call) -> int:
    if call.args[:2] == ["power", "stayon"]:
        call.handset.settings["global", "stay_on_while_plugged_in"] = "3"
    return 0


# --- the on-phone server


async def _app_process(call: Call) -> int:
    jar = call.env.get("CLASSPATH", "")
    if SERVER_CLASS not in call.args or call.handset.files.get(jar) is None:
        call.err.line(f"Error: Could not find or load main class {call.args[1] if call.args[1:] else ''}")
        return 1
    port = int(call.args[call.args.index("-p") + 1]) if "-p" in call.args[:-1] else 9008
    call.out.line("[server] INFO: [UiAutomator2Server] Starting Server")
    await call.out.flush()
    return await _run_server(call, port)


async def _run_server(call: Call, port: int) -> int:
    phone = call.handset
    if phone.faults.take(Fault.START_CRASH):
        call.err.line("java.lang.RuntimeException: Error while connecting UiAutomation")
        return 1
    if phone.faults.take(Fault.START_ALREADY_REGISTERED) or phone.ui_automation is not None:
        call.err.line(f"{_ALREADY_REGISTERED}\n\tat android.os.Parcel.createException(Parcel.java:2071)")
        return 1
    if phone.listener(f"tcp:{port}") is not None:
        call.err.line("java.net.BindException: bind failed: EADDRINUSE (Address already in use)")
        return 1
    server = UiServer(phone, port, lambda line, ms: _captured(call.shell, line, ms))
    phone.ui_automation = server
    process = phone.processes.start(
        "app_process", user="shell", args=f"app_process / {SERVER_CLASS} -p {port}"
    )
    try:
        await phone.touchscreen.pause(SERVER_START_MS)
        slow = phone.faults.take(Fault.START_SLOW)
        if slow is not None:
            await asyncio.sleep((slow.ms or START_SLOW_MS) / 1_000)
        call.out.line("[server] INFO: [UiAutomator2Server] clipboardManager inited")
        call.out.line("[server] INFO: [UiAutomator2Server] tmpdir is /data/local/tmp/u2")
        call.out.line(f"[server] INFO: [UiAutomator2Server] http server listening on *:{port}")
        await call.out.flush()
        await server.run()
    finally:
        server.kill()
        phone.processes.end(process.pid)
        if phone.ui_automation is server:
            phone.ui_automation = None
    return 0


async def _captured(shell: Shell, line: str, limit_ms: int) -> tuple[str, str, int]:
    """Run a command line split on blanks, as executeShellCommand does; exit code -1 when out of time."""
    pieces: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}

    def output(name: str) -> Output:
        async def sink(data: bytes) -> None:
            pieces[name].extend(data)

        return Output(sink)

    work = Shell(shell.handset, shell.commands).run_args(
        line.split(), NoInput(), output("out"), output("err")
    )
    try:
        code = await asyncio.wait_for(work, limit_ms / 1_000)
    except TimeoutError:
        code = -1
    return pieces["out"].decode("utf-8", "replace"), pieces["err"].decode("utf-8", "replace"), code


COMMANDS: dict[str, Command] = {
    "ps": _ps,
    "pidof": _pidof,
    "pgrep": _pgrep,
    "kill": _kill,
    "pkill": _pkill,
    "settings": _settings,
    "ime": _ime,
    "wm": _wm,
    "screencap": _screencap,
    "uiautomator": _uiautomator,
    "ifconfig": _ifconfig,
    "ip": _ip,
    "nc": _nc,
    "logcat": _logcat,
    "reboot": _reboot,
    "svc": _svc,
    "app_process": _app_process,
}
