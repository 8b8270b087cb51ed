"""`cmd notification`: entries of the shell in the notification shade, as Android 10 and newer post them."""

from __future__ import annotations

from agent.virtual.shell import Call
from agent.virtual.ui import Notification

PACKAGE = "com.android.shell"
_USAGE = "usage: cmd notification SUBCMD [args]"
_WITH_VALUE = (
    "-S",
    "--style",
    "-t",
    "--title",
    "-i",
    "--icon",
    "-I",
    "--large-icon",
    "-c",
    "--content-intent",
)


def notification(call: Call) -> int:
    """Run `cmd notification post [options] TAG TEXT`; the same tag replaces its entry."""
    match call.args[1:]:
        case ["post", *rest]:
            return _post(call, rest)
        case ["list"]:
            for tag in call.handset.posted:
                call.out.line(f"0|{PACKAGE}|2020|{tag}|2000")
            return 0
        case _:
            return call.fail(_USAGE, 255)


def _post(call: Call, args: list[str]) -> int:
    title, words = "Shell command", list[str]()
    rest = iter(args)
    for arg in rest:
        if arg in _WITH_VALUE:
            value = next(rest, "")
            title = value if arg in ("-t", "--title") else title
        elif not arg.startswith("-"):
            words.append(arg)
    if len(words) < 2:
        return call.fail(_USAGE, 255)
    tag, text = words[0], words[1]
    call.out.line("posting:")
    call.out.line(f"  Notification(channel=shell_cmd tag={tag})")
    call.handset.posted[tag] = Notification(
        key_id=2020,
        channel="shell_cmd",
        title=title,
        text=text,
        ticker=text,
        when_ms=call.handset.clock(),
    )
    return 0
