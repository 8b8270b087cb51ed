"""The everyday commands of the phone's shell, as toybox has them."""

from __future__ import annotations

import asyncio
import posixpath
import re
import stat
from datetime import UTC, datetime, timedelta, timezone

from agent.virtual.files import Entry, FileError
from agent.virtual.shell import Call, Command, ShellExit
from agent.virtual.shellio import read_all

# Applets of toybox that work on lines; they stand in textcommands.
TEXT_APPLETS = frozenset({"grep", "head", "tail", "wc", "cut"})
CHINA = timezone(timedelta(hours=8), "CST")


def options(args: list[str]) -> tuple[set[str], list[str]]:
    """Split leading -abc into letters from the other words."""
    letters: set[str] = set()
    words = list(args)
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        letters.update(word[1:])
    return letters, words


async def _cat(call: Call) -> int:
    _, paths = options(call.args)
    status = 0
    for path in paths or ["-"]:
        if path == "-":
            while data := await call.stdin.read():
                call.out.write(data)
                await call.out.flush()
            continue
        try:
            call.out.write(call.handset.files.read(call.path(path)))
        except FileError as error:
            status = call.fail(f"{path}: {error.reason}")
    return status


async def _echo(call: Call) -> int:
    letters, words = (
        (set(call.args[0][1:]), call.args[1:]) if call.args[:1] in (["-n"], ["-e"]) else (set(), call.args)
    )
    text = " ".join(words)
    if "e" in letters:
        text = text.replace("\\n", "\n").replace("\\t", "\t")
    call.out.write(text if "n" in letters else text + "\n")
    return 0


async def _printf(call: Call) -> int:
    if not call.args:
        return call.fail("Needs 1 argument")
    form, *values = call.args
    text = form.replace("\\n", "\n").replace("\\t", "\t")
    for value in values:
        text = re.sub("%[sd]", lambda _, value=value: value, text, count=1)  # type: ignore[misc]  # bound now
    call.out.write(text.replace("%%", "%"))
    return 0


async def _ls(call: Call) -> int:
    letters, paths = options(call.args)
    status = 0
    for path in paths or ["."]:
        where = call.path(path)
        entry = call.handset.files.get(where)
        if entry is None:
            status = call.fail(f"{path}: No such file or directory")
        elif entry.is_dir and "d" not in letters:
            for name, below in call.handset.files.names(where):
                if "a" in letters or not name.startswith("."):
                    call.out.line(_long(name, below) if "l" in letters else name)
        else:
            call.out.line(_long(path, entry) if "l" in letters else path)
    return status


def _long(name: str, entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.mtime_s, CHINA)
    return f"{stat.filemode(entry.mode)} 1 shell shell {entry.size:>8} {at:%Y-%m-%d %H:%M} {name}"


async def _rm(call: Call) -> int:
    letters, paths = options(call.args)
    status = 0
    for path in paths:
        try:
            call.handset.files.remove(call.path(path), recursive=bool(letters & {"r", "R"}))
        except FileError as error:
            if "f" not in letters:
                status = call.fail(f"{path}: {error.reason}")
    return status


async def _mkdir(call: Call) -> int:
    letters, paths = options(call.args)
    for path in paths:
        if "p" not in letters and call.handset.files.get(call.path(path)) is not None:
            return call.fail(f"'{path}': File exists")
        call.handset.files.make_dir(call.path(path))
    return 0


async def _mv(call: Call) -> int:
    _, paths = options(call.args)
    try:
        call.handset.files.move(call.path(paths[0]), call.path(paths[1]))
    except FileError as error:
        return call.fail(f"bad '{paths[0]}': {error.reason}")
    except IndexError:
        return call.fail("Needs 2 arguments")
    return 0


async def _cp(call: Call) -> int:
    _, paths = options(call.args)
    try:
        source, target = (call.path(path) for path in paths)
        there = call.handset.files.get(target)
        if there is not None and there.is_dir:
            target = posixpath.join(target, posixpath.basename(source))
        call.handset.files.write(target, call.handset.files.read(source))
    except FileError as error:
        return call.fail(f"{error.reason}")
    except ValueError:
        return call.fail("Needs 2 arguments")
    return 0


async def _touch(call: Call) -> int:
    for path in options(call.args)[1]:
        where = call.path(path)
        entry = call.handset.files.get(where)
        try:
            if entry is None:
                call.handset.files.write(where, b"")
            else:
                entry.mtime_s = call.handset.clock() // 1_000
        except FileError as error:
            return call.fail(f"'{path}': {error.reason}")
    return 0


async def _chmod(call: Call) -> int:
    if len(call.args) < 2:
        return call.fail("Needs 2 arguments")
    mode, *paths = call.args
    for path in paths:
        entry = call.handset.files.get(call.path(path))
        if entry is None:
            return call.fail(f"'{path}': No such file or directory")
        if re.fullmatch("[0-7]+", mode):
            entry.mode = stat.S_IFMT(entry.mode) | int(mode, 8)
    return 0


async def _md5sum(call: Call) -> int:
    letters, paths = options(call.args)
    status = 0
    for path in paths:
        entry = call.handset.files.get(call.path(path))
        if entry is None or entry.is_dir:
            status = call.fail(f"{path}: No such file or directory")
        else:
            call.out.line(entry.md5() if "b" in letters else f"{entry.md5()}  {path}")
    return status


async def _id(call: Call) -> int:
    call.out.line(
        "uid=2000(shell) gid=2000(shell) groups=2000(shell),1004(input),1007(log),1011(adb),"
        "1015(sdcard_rw),3003(inet),3009(readproc) context=u:r:shell:s0"
        if "-u" not in call.args
        else "2000"
    )
    return 0


async def _date(call: Call) -> int:
    words = [word for word in call.args if word != "-u"]
    at = datetime.fromtimestamp(call.handset.clock() / 1_000, UTC if "-u" in call.args else CHINA)
    form = words[0][1:] if words and words[0].startswith("+") else "%a %b %e %H:%M:%S %Z %Y"
    nanos = f"{call.handset.clock() % 1_000:03d}000000"
    form = form.replace("%s", str(call.handset.clock() // 1_000)).replace("%N", nanos)
    call.out.line(at.strftime(form))
    return 0


async def _sleep(call: Call) -> int:
    await asyncio.sleep(sum(float(word.rstrip("s")) for word in call.args))
    return 0


async def _cd(call: Call) -> int:
    where = call.path(call.args[0] if call.args else "/")
    entry = call.handset.files.get(where)
    if entry is None or not entry.is_dir:
        return call.fail(f"{call.args[0]}: No such file or directory", 2)
    call.shell.cwd = where
    return 0


async def _exit(call: Call) -> int:
    raise ShellExit(int(call.args[0]) if call.args else call.shell.status)


async def _export(call: Call) -> int:
    for word in call.args:
        name, sign, value = word.partition("=")
        if sign:
            call.shell.variables[name] = value
    return 0


async def _unset(call: Call) -> int:
    for name in call.args:
        call.shell.variables.pop(name, None)
    return 0


async def _env(call: Call) -> int:
    for name, value in call.env.items():
        call.out.line(f"{name}={value}")
    return 0


async def _sh(call: Call) -> int:
    if call.args[:1] == ["-c"] and len(call.args) > 1:
        return await call.shell.subshell().run(call.args[1], call.stdin, call.out, call.err)
    if call.args:
        script = call.handset.files.read(call.path(call.args[0])).decode("utf-8", "replace")
    else:
        script = (await read_all(call.stdin)).decode("utf-8", "replace")
    return await call.shell.subshell().run(script, call.stdin, call.out, call.err)


async def _toybox(call: Call) -> int:
    if not call.args:
        call.out.line(" ".join(sorted(call.shell.commands)))
        return 0
    if call.args[0] not in COMMANDS and call.args[0] not in TEXT_APPLETS:
        call.err.line(f"toybox: Unknown command {call.args[0]}")
        return 127
    return await call.shell.run_args(call.args, call.stdin, call.out, call.err)


async def _which(call: Call) -> int:
    known = [name for name in call.args if name in call.shell.commands]
    for name in known:
        call.out.line(f"/system/bin/{name}")
    return int(len(known) != len(call.args))


async def _prefix(call: Call) -> int:
    return await call.shell.run_args(call.args, call.stdin, call.out, call.err) if call.args else 0


async def _true(call: Call) -> int:
    _ = call
    return 0


async def _false(call: Call) -> int:
    _ = call
    return 1


async def _pwd(call: Call) -> int:
    call.out.line(call.shell.cwd)
    return 0


COMMANDS: dict[str, Command] = {
    "cat": _cat,
    "echo": _echo,
    "printf": _printf,
    "ls": _ls,
    "rm": _rm,
    "mkdir": _mkdir,
    "mv": _mv,
    "cp": _cp,
    "touch": _touch,
    "chmod": _chmod,
    "md5sum": _md5sum,
    "id": _id,
    "date": _date,
    "sleep": _sleep,
    "cd": _cd,
    "exit": _exit,
    "export": _export,
    "unset": _unset,
    "env": _env,
    "sh": _sh,
    "toybox": _toybox,
    "which": _which,
    "exec": _prefix,
    "nohup": _prefix,
    "setsid": _prefix,
    "true": _true,
    ":": _true,
    "sync": _true,
    "false": _false,
    "pwd": _pwd,
}
