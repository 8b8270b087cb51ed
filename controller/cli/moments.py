"""farm moments: like."""

from __future__ import annotations

from typing import Any

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import ask, pass_settings, printed, yes
from controller.cli.plans import say_plan, tell_made, tell_plan
from controller.cli.render import counted

_NOTHING = "Nothing was liked."


@click.group()
def moments() -> None:
    """Likes of contacts' posts, each post once, within the quotas."""


@moments.command("like")
@click.option("--tag", required=True, help="Only contacts with this tag.")
@click.option(
    "--phones", "selector", required=True, help="7 · 1-12,40 · @rack-A · state:ready · holder:王芳 · all"
)
@click.option("--days", type=click.IntRange(1, 30), default=3, show_default=True, help="Posts not older.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; store and like nothing.")
@yes
@click.option("--watch", "-w", is_flag=True, help="Follow the job until it ends.")
@printed
@pass_settings
def like_moments(settings: Settings, /, **asked: Any) -> int | None:
    """Make a job that likes one recent post of each contact with a tag."""
    farm, form = settings.farm(), asked["form"]
    wanted = {"tag": asked["tag"], "phones": asked["selector"], "max_age_days": asked["days"]}
    if asked["dry_run"] or not asked["yes"]:
        plan = farm.post("/moments/plan", wanted)
        if asked["dry_run"]:
            return tell_plan(plan, form, one="like", nothing=_NOTHING)
        say_plan(plan, one="like")
        ask(f"Start {counted(plan['rows'], 'like')}?")
    made = farm.post("/moments/jobs", wanted)
    return tell_made(farm, made, form, watch=asked["watch"], nothing="Nothing new was liked.")
