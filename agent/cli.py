"""The `farm-agent` program: what runs on a host with phones."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import rich_click as click

from agent.errors import AgentError, ConfigWrong
from agent.exits import Exit
from agent.virtual.command import virtual

if TYPE_CHECKING:
    from agent.config import AgentConfig

INTERRUPTED = 130
_EPILOG = (
    "Exit codes of run: 0 asked to stop, 1 failed, 3 phone gone, 4 configuration wrong, 100 controller lost. "
    "Of the others: 0 done, 1 failed, 2 usage, 4 configuration wrong, 130 interrupted."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.option("--config", metavar="FILE", envvar="FARM_CONFIG", help="The configuration file.")
@click.version_option(package_name="phonefarm", prog_name="farm-agent", message="%(prog)s %(version)s")
@click.pass_context
def farm_agent(context: click.Context, config: str | None) -> None:
    """Drive the company's staff phones that are plugged into this host."""
    context.obj = config


farm_agent.add_command(virtual)


def _load(context: click.Context) -> AgentConfig:
    from agent import config

    return config.load(context.obj)


@farm_agent.command()
@click.option("--serial", metavar="ADDRESS", required=True, help="What adb calls the phone.")
@click.option("--transport-id", metavar="N", type=int, help="Which plug-in of it.")
@click.option("--slot", metavar="S", default="", help="The USB port path it hangs on, e.g. 1-2.3.")
@click.pass_context
def run(context: click.Context, serial: str, transport_id: int | None, slot: str) -> int:
    """Drive one phone until it is gone or SIGTERM comes."""
    settings = _load(context)
    from agent import process

    return process.run_process(settings, address=serial, transport_id=transport_id, slot=slot)


@farm_agent.command()
@click.option(
    "--connect", metavar="ADDRESS", multiple=True, help="A phone on TCP to connect to; may be repeated."
)
@click.pass_context
def keep(context: click.Context, connect: tuple[str, ...]) -> None:
    """Keep one agent running for each phone on this host, until SIGTERM or Ctrl-C."""
    import msgspec

    from agent import config, keeper

    settings = _load(context)
    if connect:
        settings = msgspec.structs.replace(settings, tcp_phones=(*settings.tcp_phones, *connect))
    keeper.become(config.encode(settings))


@farm_agent.command()
@click.option("--serial", metavar="ADDRESS", required=True, help="What adb calls the phone.")
@click.option(
    "--take-over", is_flag=True, help="Take the mark off; stop the agent that left it there before."
)
@click.pass_context
def claim(context: click.Context, serial: str, take_over: bool) -> None:
    """Say which farm holds a phone by its owner mark, and take the phone over from it."""
    settings = _load(context)
    from agent import owner
    from agent.config import ADB_HOST
    from agent.phone import Phone

    phone = Phone.at(serial, adb_host=ADB_HOST, adb_port=settings.adb_port)
    _print(f"{serial}: {owner.say(phone)}")
    if take_over:
        owner.remove(phone)
        _print(f"{serial}: the mark is gone; the next agent that is given this phone claims it")


@farm_agent.command()
@click.option("--serial", metavar="SERIAL", required=True, help="The handset's own serial (ro.serialno).")
@click.option(
    "--looked-at",
    is_flag=True,
    help="Let the agent act again: a person has looked at what was begun on this phone.",
)
@click.pass_context
def outbox(context: click.Context, serial: str, looked_at: bool) -> None:
    """Say what waits in the file of a phone's events; its agent must be stopped."""
    settings = _load(context)
    from agent.hostlock import file_name
    from agent.outbox import Outbox
    from agent.salvage import IN_DOUBT

    path = settings.data_dir / f"outbox-{file_name(serial)}.db"
    if not path.exists():
        raise ConfigWrong(f"there is no file of events of {serial}")
    kept = Outbox.open(path)
    try:
        if looked_at:
            kept.remember(IN_DOUBT, "")
        _print(f"{serial}: {kept.backlog} events wait; {kept.plight or 'nothing is wrong'}")
    finally:
        kept.close()


@farm_agent.command()
@click.option(
    "--older-than",
    "age",
    metavar="AGE",
    default="",
    help="12h, 30d or 4w since it was last kept for a message.",
)
@click.option("--delete", is_flag=True, help="Delete them for good, with --older-than.")
@click.pass_context
def media(context: click.Context, age: str, delete: bool) -> None:
    """List the pictures out of chats kept on this host, and delete old ones.

    There are none unless `farm capture set ... --media pictures` allowed it. Nothing else ever deletes them.
    """
    settings = _load(context)
    from agent import media as pictures
    from agent.boottime import wall_ms

    age_ms = pictures.age_ms(age) if age else 0
    if age_ms is None:
        raise click.UsageError("Say the age as 12h, 30d or 4w.")
    if delete and not age:
        raise click.UsageError("Say which: --older-than 30d.")
    folder, _ = settings.media
    found = pictures.older_than(pictures.kept(folder), age_ms, wall_ms())
    if delete:
        found = pictures.delete(found)
    for one in found:
        day = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(one.seen_at_ms / 1000))
        _print(f"{one.sha256}  {day}  {one.size} bytes")
    told = f"{len(found)} pictures, {sum(one.size for one in found) / 1e6:.1f} MB"
    _print(f"{told} {'deleted' if delete else 'kept'} in {folder}{f', older than {age}' if age else ''}")


@farm_agent.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> int:
    """Check adb, its phones, the controller, folders and locks; say what to do."""
    from agent.doctor import Grade, examine, worst

    findings = list(examine(_load(context)))
    if as_json:
        _print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    for finding in () if as_json else findings:
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        _print(f"{finding.grade:<4}  {finding.check}: {finding.seen}{remedy}")
    return Exit.FAILED if worst(findings) is Grade.FAIL else Exit.ASKED


def _print(line: str) -> None:
    # Each line at once, also into a pipe: people and tests wait for it.
    print(line, flush=True)


def start(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error is one line on stderr."""
    try:
        result = farm_agent.main(args=list(arguments), prog_name="farm-agent", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ConfigWrong as error:
        return _say(str(error), Exit.CONFIG_WRONG)
    except AgentError as error:
        return _say(str(error), Exit.FAILED)
    except BrokenPipeError:
        # The reader has gone: nothing to say, and nothing may be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001 -- the last line of defence: a person must not meet a traceback
        return _say(f"unexpected {type(error).__name__}", Exit.FAILED)
    return result if isinstance(result, int) else 0


def _say(text: str, code: int) -> int:
    print(f"farm-agent: {text}", file=sys.stderr, flush=True)
    return code


def main() -> None:
    """Run the program and leave with its exit code."""
    sys.exit(start(sys.argv[1:]))
