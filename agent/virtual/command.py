"""`farm-agent virtual`: virtual phones behind real adb, for demos, tests and laptops without phones."""

from __future__ import annotations

import asyncio
import signal
from importlib import resources
from pathlib import Path

import click

from agent.errors import ConfigWrong

EMULATOR_PORTS = frozenset(range(5_554, 5_586))


@click.command("virtual")
@click.option("--count", type=click.IntRange(1, 500), help="How many phones; the scenario says otherwise.")
@click.option(
    "--scenario",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A scenario file; a small built-in one without it.",
)
@click.option(
    "--port-base", default=0, type=click.IntRange(0, 65_000), help="Port of the first phone, 0 = free ones."
)
@click.option(
    "--control-port",
    default=0,
    type=click.IntRange(0, 65_535),
    help="Port of the control endpoint, 0 = a free one.",
)
@click.option("--time-scale", default=1.0, type=click.FloatRange(0, 100), help="0.1 = ten times as fast.")
@click.option("--seed", default=0, type=int, help="The same seed gives the same delays.")
def virtual(
    count: int | None, path: Path | None, port_base: int, control_port: int, time_scale: float, seed: int
) -> None:
    """Run virtual phones until interrupted; prints a line a phone and the control URL."""
    from agent.virtual.rack import Farm
    from agent.virtual.scenario import load_scenario, parse_scenario

    try:
        if path is not None:
            scenario = load_scenario(path)
        else:
            demo = resources.files("agent.virtual").joinpath("demo.toml")
            scenario = parse_scenario(demo.read_bytes(), name="demo.toml")
        farm = Farm(scenario, count=count, time_scale=time_scale, seed=seed)
    except ConfigWrong as err:
        raise click.ClickException(str(err)) from err
    if EMULATOR_PORTS & set(range(port_base, port_base + len(farm.world.accounts))):
        raise click.BadParameter(
            "adb servers take ports 5554 to 5585 for emulators", param_hint="--port-base"
        )

    async def run() -> None:
        stop = asyncio.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, stop.set)
        try:
            await farm.open(port_base=port_base, control_port=control_port)
            for slot in farm.slots:
                click.echo(f"{slot.handset.serial} {slot.port.address}")
            click.echo(f"control {farm.control_url}")
            await stop.wait()
        finally:
            await farm.close()

    try:
        asyncio.run(run())
    except OSError as err:
        raise click.ClickException(f"cannot listen: {err.strerror}") from err
