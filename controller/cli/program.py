"""The program as a whole, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import rich_click as click

from controller.answers import FAILED, INTERRUPTED, answer
from controller.cli import (
    alerts,
    calibrate,
    capture,
    chats,
    contacts,
    doctor,
    friends,
    jobs,
    ledger,
    moments,
    phone,
    phones,
    quotas,
    setup,
    staff,
    status,
    violations,
    words,
)
from controller.cli.link import Settings
from controller.cli.render import say
from controller.errors import FarmError

_EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 usage, 3 some rows failed, 4 not allowed, 5 refused by a safety rule."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.option("--config", metavar="FILE", envvar="FARM_CONFIG", help="The configuration file.")
@click.option("--controller", "url", metavar="URL", envvar="FARM_URL", help="The controller's HTTP address.")
@click.option("--token-file", metavar="FILE", envvar="FARM_TOKEN_FILE", help="The file with the API token.")
@click.version_option(package_name="phonefarm", prog_name="farm", message="%(prog)s %(version)s")
@click.pass_context
def farm(context: click.Context, config: str | None, url: str | None, token_file: str | None) -> None:
    """Numbered phones, friend adds under quota, chats and violations."""
    context.obj = Settings(config=config, url=url, token_file=token_file)


for command in (setup.init, setup.serve, status.status, doctor.doctor, ledger.ledger, setup.version):
    farm.add_command(command)
for group in (
    *(phones.phones, staff.staff, friends.friends, moments.moments, contacts.contacts),
    *(jobs.jobs, quotas.quotas, capture.capture, chats.chats, violations.violations, alerts.alerts),
    words.words,
):
    farm.add_command(group)
for command in (capture.exclude_chat, capture.include_chat, capture.list_private):
    chats.chats.add_command(command)
for command in (phone.show_phone, phone.clear_phone, calibrate.calibrate_phone):
    phones.phones.add_command(command)


def run(args: Sequence[str]) -> int:
    """Run one command and return its exit code; every error is one line on stderr, never a traceback."""
    try:
        result = farm.main(args=list(args), prog_name="farm", standalone_mode=False)
    except click.ClickException as error:
        return _shown(error)
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.")
        return INTERRUPTED
    except FarmError as error:
        say(f"farm: {error}")
        return answer(error).exit_code
    except BrokenPipeError:
        return _closed_pipe()
    except Exception as error:  # noqa: BLE001  the last line of defence: a person must not meet a traceback
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run the program and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def _shown(error: click.ClickException) -> int:
    say(f"farm: {error.format_message()}")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        say(f"Try: {error.ctx.command_path} --help")
    return error.exit_code


def _closed_pipe() -> int:
    # The reader (head, less) has gone: nothing to say, and nothing may be flushed at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def _unexpected(error: Exception) -> int:
    if os.environ.get("FARM_DEBUG"):
        traceback.print_exc()
    else:
        say(f"farm: unexpected {type(error).__name__}: {error}. Details: set FARM_DEBUG=1 and try again.")
    return FAILED
