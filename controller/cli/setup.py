"""farm init, serve, version."""

from __future__ import annotations

import os
from pathlib import Path

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import pass_settings
from controller.cli.render import hint, put, say

_RULES = """\
Please read. WeChat's rules restrict automation of personal accounts, whoever owns
the phone; WeChat may warn, limit or block an account. Phonefarm keeps cautious quotas,
stops an account at its first warning, and disguises nothing. On real phones no request
is sent unless an administrator allowed that for the account, with a reason. Nothing of
a chat is captured before its holder was told, and that is recorded."""

_TEMPLATE = """# Phonefarm. All keys with their defaults and reasons: config.example.toml.

[controller]
data_dir = {data_dir}
grpc = {grpc}
http = {http}
# Sensitive words, found in every captured message; words_file names a file with one a line.
words = ["私人微信", "转账给我", "返现"]

# No official number of friend adds a day exists; these are cautious values of ours.
[controller.quotas.friend_add]
per_day = 10
per_hour = 3
spacing_s = 90

[agent]
controller = {grpc}
"""


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="Where to write the configuration.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where database and token live.")
@click.option("--grpc", default="127.0.0.1:7443", show_default=True, help="The address for agents.")
@click.option(
    "--http", default="127.0.0.1:7480", show_default=True, help="The address for people and programs."
)
@pass_settings
def init(settings: Settings, file: Path | None, data_dir: Path | None, grpc: str, http: str) -> None:
    """Write configuration, data folder and API token; replaces nothing."""
    from controller.addresses import check_loopback
    from controller.config import FILE_NAME, config_home, data_home, load
    from controller.tokens import make_folder, make_token

    path = (file or Path(settings.config or config_home(os.environ) / FILE_NAME)).absolute()
    folder = (data_dir or data_home(os.environ)).absolute()
    for address in (grpc, http):
        check_loopback(address)
    if path.exists():
        say(f"Kept {path}")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        quoted = {
            name: _toml(value) for name, value in (("data_dir", str(folder)), ("grpc", grpc), ("http", http))
        }
        path.write_text(_TEMPLATE.format(**quoted), encoding="utf-8")
        say(f"Wrote {path}")
    config = load(str(path))
    make_folder(config.data_dir)
    say(f"Data   {config.data_dir} (for you only)")
    made = "Made" if make_token(config.token_file) else "Kept"
    say(f"{made}   {config.token_file} (the API token; give it to nobody)")
    say(f"\n{_RULES}\n")
    is_found = not (file or settings.config) or bool(os.environ.get("FARM_CONFIG"))
    hint("Next: farm serve" if is_found else f"Next: farm --config {path} serve")


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@click.command()
@click.option("--config", "file", metavar="FILE", help="The configuration file.")
@pass_settings
def serve(settings: Settings, file: str | None) -> None:
    """Run the controller until Ctrl-C."""
    from controller.config import load
    from controller.server import run

    run(load(file or settings.config))


@click.command()
def version() -> None:
    """Print the release."""
    from importlib.metadata import version as release

    put(f"farm {release('phonefarm')}")
