"""farm contacts: list, show, suppress, release, forget, mark. One person over the whole fleet."""

from __future__ import annotations

from typing import Any

import rich_click as click

from controller.cli.jobs import result
from controller.cli.link import Settings
from controller.cli.options import ask, listed, pass_settings, printed, yes
from controller.cli.plans import tell_made
from controller.cli.render import (
    Column,
    Form,
    Record,
    clock_of,
    counted,
    hint,
    key,
    put,
    put_json,
    put_pairs,
    put_records,
    put_table,
    say,
)

_CONTACTS = (
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("NAME", key("name")),
    Column("WHO", key("who")),
    Column("TAGS", lambda friend: ", ".join(friend["tags"]) or "-", folds=True),
    Column("SINCE", clock_of("since_ms")),
    Column("HOW", key("how")),
)
_TASKS = (
    Column("JOB", key("job_id")),
    Column("ROW", key("row_no"), right=True),
    Column("ACTION", key("action")),
    Column("NO", key("phone_id")),
    Column("RESULT", result, is_state=True),
    Column("AT", clock_of("ended_at_ms")),
    Column("BASIS", key("basis"), folds=True),
    Column("BASIS DAY", key("basis_at")),
)
_HISTORY = (
    Column("WHEN", clock_of("at_ms")),
    Column("DECISION", key("act")),
    Column("BY", key("actor")),
    Column("SOURCE", key("source")),
    Column("REASON", key("reason"), folds=True),
)
_MOST_SHOWN = 200

a_person = click.argument("query", metavar="MOBILE|WECHAT_ID")
a_reason = click.option("--reason", required=True, help="Why; recorded with your name.")


@click.group()
def contacts() -> None:
    """Persons over the whole fleet: what is known, and who must not be contacted."""


@contacts.command("list")
@click.option("--tag", default="", help="Only contacts with this tag.")
@click.option("--phone", "selector", default="all", help="7 · 1-12,40 · @rack-A · holder:王芳 · all")
@listed
@pass_settings
def list_contacts(settings: Settings, tag: str, selector: str, form: Form) -> None:
    """List the contacts of accounts that are known here, with their tags."""
    found = settings.farm().get("/contacts", tag=tag, phones=selector)
    shown = found if form is not Form.TABLE else found[:_MOST_SHOWN]
    put_records(shown, _CONTACTS, form=form, id_key="name")
    if form is not Form.TABLE:
        return
    if len(found) > len(shown):
        say(f"… and {len(found) - len(shown):,} more; all of them: --json")
    say(counted(len(found), "contact"))
    if found and tag:
        hint(f"Next: farm moments like --tag {tag} --phones {selector} --dry-run")
    elif not found:
        hint("Contacts become known as requests are accepted. Next: farm friends check FILE")


@contacts.command("show")
@a_person
@printed
@pass_settings
def show_contact(settings: Settings, query: str, form: Form) -> None:
    """Show what is known of a person over all jobs, phones and accounts."""
    found = settings.farm().post("/contacts/show", {"query": query})
    if form is not Form.TABLE:
        put_json(found, form)
        return
    _put_person(found)
    word = "suppress" if found["may_be_contacted"] else "release"
    if not found["is_forgotten"]:
        hint(f"Next: farm contacts {word} {found['who']} --reason TEXT (type it in full)")


def _put_person(found: Record) -> None:
    put_pairs([("person", f"{found['who']} ({found['kind']})"), ("may be contacted", _may(found))])
    for title, records, columns in (
        ("rows of jobs", found["tasks"], _TASKS),
        ("friend of", found["friends"], _CONTACTS),
        ("decisions", found["history"], _HISTORY),
        ("shown alike: perhaps the same person", found["perhaps_same"], _TASKS),
    ):
        if records:
            put(f"\n{title}:")
            put_table(records, columns)
    if not (found["tasks"] or found["friends"] or found["history"]):
        put("Nothing else is known of this person.")


def _may(found: Record) -> str:
    if found["is_forgotten"]:
        return "never: this person was forgotten"
    return "no: suppressed" if found["is_suppressed"] else "yes, with a basis"


@contacts.command("suppress")
@a_person
@a_reason
@click.option("--source", default="", help='Where the wish came from: "called on 21 Nov", "ticket 81".')
@printed
@pass_settings
def suppress_contact(settings: Settings, query: str, reason: str, source: str, form: Form) -> None:
    """Let nobody contact a person from now on; rows that wait are cancelled."""
    body = {"query": query, "reason": reason, "source": source}
    found = settings.farm().post("/contacts/suppress", body)
    if form is not Form.TABLE:
        put_json(found, form)
        return
    held = sum(task["state"] in {"leased", "armed"} for task in found["tasks"])
    say(f"{found['who']} is not contacted any more, by any phone or list. Recorded with your name.")
    if held:
        say(f"{counted(held, 'row')} in the hands of a phone: it comes back, or ends with what was done.")
    hint("Next: farm contacts show the same person")


@contacts.command("release")
@a_person
@a_reason
@printed
@pass_settings
def release_contact(settings: Settings, query: str, reason: str, form: Form) -> None:
    """Let a suppressed person be contacted again."""
    found = settings.farm().post("/contacts/release", {"query": query, "reason": reason})
    if form is not Form.TABLE:
        put_json(found, form)
        return
    say(f"{found['who']} may be contacted again, with a basis. Recorded with your name.")
    hint("Next: farm friends check FILE")


@contacts.command("forget")
@a_person
@a_reason
@yes
@printed
@pass_settings
def forget_contact(settings: Settings, /, query: str, reason: str, form: Form, **asked: Any) -> None:
    """Take a person out of rows, contacts and decisions for good; nobody contacts them again."""
    farm = settings.farm()
    if not asked["yes"]:
        found = farm.post("/contacts/show", {"query": query})
        rows = counted(len(found["tasks"]), "row")
        ask(f"Forget {found['who']} in {rows}? It cannot be undone, and they are never contacted again.")
    done = farm.post("/contacts/forget", {"query": query, "reason": reason})
    if form is not Form.TABLE:
        put_json(done, form)
        return
    say(
        f"Forgotten: {done['who']} in {counted(done['rows'], 'row')}. Captured chats are kept for their time."
    )
    hint("Next: farm chats list")


@contacts.command("mark")
@click.argument("name", help="The contact as the phone's WeChat shows it.")
@click.option("--phone", "phone_id", required=True, metavar="NO", help="The phone whose contact it is.")
@click.option("--remark", default="", help="The remark it gets.")
@click.option("--tag", "tags", multiple=True, help="A tag it gets; again for more.")
@click.option("--watch", "-w", is_flag=True, help="Follow the job until it ends.")
@printed
@pass_settings
def mark_contact(settings: Settings, /, **asked: Any) -> int | None:
    """Make a job that gives a contact a remark and tags."""
    if not asked["remark"].strip() and not any(tag.strip() for tag in asked["tags"]):
        raise click.UsageError("Say what it gets: --remark TEXT, --tag TAG, or both.")
    farm = settings.farm()
    mark = {name: asked[name] for name in ("phone_id", "name", "remark")} | {"tags": list(asked["tags"])}
    made = farm.post("/contacts/marks", {"marks": [mark], "source": f"mark on {asked['phone_id']}"})
    return tell_made(farm, made, asked["form"], watch=asked["watch"], nothing="Nothing new was set.")
