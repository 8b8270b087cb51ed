"""farm phones calibrate: have a phone learn the ids of its WeChat, and decide on what it learned."""

from __future__ import annotations

import time
from typing import Any

import rich_click as click

from controller.cli.link import Farm, Settings
from controller.cli.options import pass_settings, printed
from controller.cli.render import Column, Form, Record, counted, hint, key, moment, put_json, put_records, say
from controller.errors import FarmError

_POLL_S = 0.5


def build(one: Record) -> str:
    """Return a build of the client as people write it: 8.0.99 (2999) com.android.vending."""
    return f"{one['version_name']} ({one['version_code']}) {one['installer']}".strip()


_COLUMNS = (
    Column("ID", lambda one: str(one["id"]), right=True),
    Column("STATE", key("state"), is_state=True),
    Column("PHONE", key("phone_id")),
    Column("WECHAT", build),
    Column("LEARNED", lambda one: str(len(one["ids"])), right=True),
    Column("MISSING", lambda one: str(len(one["missing"])), right=True),
    Column("WHEN", lambda one: moment(one["at_ms"])),
    Column("WHY NOT", key("failure"), folds=True),
)
_IDS = (Column("ROLE", key("role")), Column("ID", key("rid")))


@click.command("calibrate")
@click.argument("phone_id", metavar="[NO]", required=False)
@click.option("--accept", type=click.IntRange(1), metavar="ID", help="Let phones use what was learned.")
@click.option("--reject", type=click.IntRange(1), metavar="ID", help="Put aside what was learned.")
@click.option("--list", "is_list", is_flag=True, help="List what was learned so far.")
@click.option("--reason", default="", help="Why; recorded with your name.")
@click.option("--wait", "wait_s", type=click.IntRange(1, 3600), default=120, help="Seconds to wait.")
@printed
@pass_settings
def calibrate_phone(settings: Settings, /, **asked: Any) -> None:
    """Learn the ids of an unknown WeChat from its own pages; a person accepts them."""
    ways = [name for name in ("accept", "reject", "is_list") if asked[name]]
    if len(ways) > 1 or (not ways and not asked["phone_id"]):
        raise click.UsageError("Use NO to learn, --accept ID or --reject ID to decide, or --list.")
    if any(way in ("accept", "reject") for way in ways) and not asked["reason"].strip():
        raise click.UsageError("Say why: --reason TEXT.")
    farm = settings.farm()
    if asked["is_list"]:
        put_records(farm.get("/clients/candidates"), _COLUMNS, form=asked["form"], id_key="id")
    elif ways:
        _decide(farm, asked)
    else:
        _learn(farm, asked["phone_id"], asked["wait_s"], asked["form"])


def _decide(farm: Farm, asked: Record) -> None:
    what, number = ("acceptance", asked["accept"]) if asked["accept"] else ("rejection", asked["reject"])
    one = farm.post(f"/clients/candidates/{number}/{what}", {"reason": asked["reason"]})
    if asked["form"] is not Form.TABLE:
        put_json(one, asked["form"])
        return
    say(f"{number} is {one['state']}. Recorded with your name.")
    if one["state"] == "accepted":
        say(f"Phones with WeChat {build(one)} use it from now on.")
        hint(f"Next: farm phones show {one['phone_id']}")


def _learn(farm: Farm, phone_id: str, wait_s: int, form: Form) -> None:
    request_id = farm.post(f"/phones/{phone_id}/calibration")["request_id"]
    one = _answer(farm, request_id, wait_s)
    if one["failure"]:
        raise FarmError(f"nothing was learned of WeChat {build(one)}: {one['failure']}")
    if form is not Form.TABLE:
        put_json(one, form)
        return
    rows = [{"role": role, "rid": rid} for role, rid in sorted(one["ids"].items())]
    rows += [{"role": role, "rid": ""} for role in one["missing"]]
    put_records(rows, _IDS, form=form, id_key="role")
    say(
        f"WeChat {build(one)}: {counted(len(one['ids']), 'id')} learned, {len(one['missing'])} not seen."
        " Pages are told by their words first; what is not seen is not needed, or refused."
    )
    hint(f"To use it: farm phones calibrate --accept {one['id']} --reason TEXT")


def _answer(farm: Farm, request_id: str, wait_s: int) -> Record:
    until_s = time.monotonic() + wait_s
    while True:
        found: list[Record] = farm.get("/clients/candidates", request_id=request_id)
        if found:
            return found[0]
        if time.monotonic() >= until_s:
            raise FarmError(
                f"the phone did not answer within {wait_s} s; later: farm phones calibrate --list"
            )
        time.sleep(_POLL_S)
