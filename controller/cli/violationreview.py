"""farm violations: review, appeal, answer, reasons."""

from __future__ import annotations

from typing import Any

import rich_click as click

from controller.answers import EXIT_CODES, FAILED, SOME_ROWS
from controller.cli.link import Farm, Settings
from controller.cli.options import ask, pass_settings, printed, yes
from controller.cli.render import Column, Form, Record, counted, hint, key, put, put_json, put_table, say
from controller.cli.violationlines import marked

_ACTS = ("confirm", "dismiss", "escalate", "close", "reopen")
_REFUSED = (
    Column("ID", key("violation_id"), right=True),
    Column("REFUSED", key("refusal"), folds=True),
)


@click.command("review")
@click.argument("violation_ids", metavar="ID...", type=int, nargs=-1, required=True)
@click.option("--confirm", is_flag=True, help="It is a violation.")
@click.option("--dismiss", is_flag=True, help="It is none.")
@click.option("--escalate", is_flag=True, help="Two persons must agree on the verdict.")
@click.option("--close", is_flag=True, help="What followed from the verdict is done.")
@click.option("--reopen", is_flag=True, help="Judge it again.")
@click.option("--reason", default="", metavar="REASON", help="One of the list: farm violations reasons.")
@click.option("--note", default="", metavar="TEXT", help="More about it; alone it is only written down.")
@click.option("--assign", "assignee", metavar="NAME", help='Who has it from now on; "" for nobody.')
@click.option(
    "--as-exception",
    "phrase",
    metavar="PHRASE",
    help="Dismiss it, and let this phrase be no hit of its rule and word any more.",
)
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="The exception is for these only."
)
@yes
@printed
@pass_settings
def review(settings: Settings, /, **asked: Any) -> int:
    """Decide about violations; each decision is a record of its own under your name."""
    act = _the_act(asked)
    farm = settings.farm()
    if asked["phrase"] is not None:
        return _except(farm, asked)
    if asked["accounts"]:
        raise click.UsageError("--account goes with --as-exception.")
    steps = [step for step in (act, "assign" if asked["assignee"] is not None else "") if step]
    ids, outcomes = list(asked["violation_ids"]), []
    for step in steps or ["note"]:
        done = farm.post("/violations/review", _body(step, ids, asked, is_alone=len(steps) < 2))
        outcomes += done
        ids = [outcome["violation_id"] for outcome in done if outcome["decision"] is not None]
        if not ids:
            break
    return _told(outcomes, asked["form"])


def _the_act(asked: dict[str, Any]) -> str:
    acts = [act for act in _ACTS if asked[act]]
    if len(acts) > 1:
        raise click.UsageError("Say one of --confirm, --dismiss, --escalate, --close, --reopen.")
    if not acts and asked["assignee"] is None and not asked["note"] and asked["phrase"] is None:
        raise click.UsageError(
            "Say what: --confirm, --dismiss, --escalate, --close, --reopen, --assign, --note."
        )
    if asked["phrase"] is not None and (acts not in ([], ["dismiss"]) or len(asked["violation_ids"]) > 1):
        raise click.UsageError("--as-exception dismisses one violation.")
    return acts[0] if acts else ""


def _body(act: str, ids: list[int], asked: dict[str, Any], *, is_alone: bool) -> dict[str, Any]:
    is_assignment = act == "assign"
    return {
        "violation_ids": ids,
        "act": act,
        "reason": "" if is_assignment else asked["reason"],
        # Of two steps the verdict has the note.
        "note": "" if is_assignment and not is_alone else asked["note"],
        "assignee": (asked["assignee"] or "") if is_assignment else "",
    }


def _told(outcomes: list[Record], form: Form) -> int:
    refused = [outcome for outcome in outcomes if outcome["decision"] is None]
    if form is not Form.TABLE:
        put_json(outcomes, form)
    else:
        for outcome in outcomes:
            if (decision := outcome["decision"]) is not None:
                say(_line(decision))
        if refused and len(outcomes) == 1:
            say(f"farm: {refused[0]['refusal']}")
        elif refused:
            put_table(refused, _REFUSED)
        if not refused:
            hint(f"Next: farm violations show {outcomes[0]['violation_id']}")
    if not refused:
        return 0
    return EXIT_CODES.get(refused[0]["error"], FAILED) if len(outcomes) == 1 else SOME_ROWS


def _line(decision: Record) -> str:
    number = decision["violation_id"]
    if decision["act"] == "assign":
        return f"violation {number} is with {decision['assignee'] or 'nobody'} now."
    if decision["act"] == "note":
        return f"violation {number}: written down."
    if decision["from_state"] == decision["to_state"] == "escalated":
        return f"violation {number} stays escalated: a second person must agree."
    return f"violation {number}: {decision['to_state']}."


def _except(farm: Farm, asked: dict[str, Any]) -> int:
    if asked["assignee"] is not None:
        raise click.UsageError("--assign does not go with --as-exception.")
    (number,) = asked["violation_ids"]
    body = {"phrase": asked["phrase"], "accounts": list(asked["accounts"])}
    preview = farm.post(f"/violations/{number}/exception/preview", {**body, "reason": f"violation {number}"})
    is_table = asked["form"] is Form.TABLE
    if is_table or not asked["yes"]:
        for line in preview_lines(preview):
            say(line)
    if not asked["yes"]:
        ask(f"Dismiss violation {number} and make this an exception?")
    reason = {"reason": asked["reason"]} if asked["reason"] else {}
    made = farm.post(f"/violations/{number}/exception", {**body, **reason, "note": asked["note"]})
    if not is_table:
        put_json({**made, "preview": preview}, asked["form"])
        return 0
    say(f"violation {number}: {made['decision']['to_state']}.")
    say(f"Exception {made['waiver_id']} is in force from book {made['book_version']} on.")
    if preview["open_ids"]:
        ids = " ".join(map(str, preview["open_ids"][:20]))
        hint(f"Next: farm violations review {ids} --dismiss --reason not_a_violation")
    return 0


def preview_lines(preview: Record) -> list[str]:
    """Return what else an exception would silence, the worst first."""
    more = "" if preview["is_complete"] else " or more"
    lines = [f"An exception for 「{preview['phrase']}」 would silence too:"]
    if preview["silences_whole_word"]:
        lines.append("  !! the whole word: nothing of this entry would be found by this rule any more")
    if preview["confirmed_ids"]:
        shown = ", ".join(map(str, preview["confirmed_ids"][:10]))
        lines.append(f"  !! {counted(len(preview['confirmed_ids']), 'violation')} confirmed before: {shown}")
    if preview["open_ids"]:
        shown = ", ".join(map(str, preview["open_ids"][:10]))
        lines.append(f"  {counted(len(preview['open_ids']), 'violation')} waiting for a verdict: {shown}")
    past = ", ".join(f"{many} {state}" for state, many in preview["past"].items())
    lines.append(f"  violations alike{more}: {past or 'none'}")
    lines += [
        f"    {found['violation_id']} {found['state']}: {marked(found)}" for found in preview["examples"]
    ]
    lines.append(f"  messages of the last 30 days with this phrase: {preview['messages']}{more}")
    return lines


@click.command("appeal")
@click.argument("violation_id", metavar="ID", type=int)
@click.option("--by", required=True, metavar="NAME", help="The member of staff it is about.")
@click.option("--text", required=True, help="What they say.")
@printed
@pass_settings
def appeal(settings: Settings, violation_id: int, by: str, text: str, form: Form) -> None:
    """Write down that the person it is about objects; once, and within 30 days of the verdict."""
    kept = settings.farm().post(f"/violations/{violation_id}/appeal", {"by": by, "text": text})
    if form is not Form.TABLE:
        put_json(kept, form)
        return
    say(f"violation {violation_id}: the appeal of {kept['actor']} waits for a person who has not judged it.")
    hint("Next: farm violations list --appeal open")


@click.command("answer")
@click.argument("violation_id", metavar="ID", type=int)
@click.option("--uphold", is_flag=True, help="The verdict stands.")
@click.option("--grant", is_flag=True, help="The violation is dismissed.")
@click.option("--text", default="", help="What the person is told; needed to uphold.")
@click.option("--reason", default="", metavar="REASON", help="One of the list: farm violations reasons.")
@printed
@pass_settings
def answer(settings: Settings, /, **asked: Any) -> None:
    """Answer an appeal; by a person who has not judged the violation before."""
    if asked["uphold"] == asked["grant"]:
        raise click.UsageError("Say --uphold or --grant.")
    number = asked["violation_id"]
    body = {
        "act": "uphold" if asked["uphold"] else "grant",
        "text": asked["text"],
        "reason": asked["reason"],
    }
    kept = settings.farm().post(f"/violations/{number}/answer", body)
    if asked["form"] is not Form.TABLE:
        put_json(kept, asked["form"])
        return
    say(
        f"violation {number}: {kept['to_state']}, the appeal is {'upheld' if asked['uphold'] else 'granted'}."
    )
    hint(f"Next: farm violations show {number}")


@click.command("reasons")
@printed
@pass_settings
def reasons(settings: Settings, form: Form) -> None:
    """List the reasons that each decision may have."""
    found = settings.farm().get("/violations/reasons")
    if form is not Form.TABLE:
        put_json(found, form)
        return
    for act, may_be in found.items():
        if may_be:
            put(f"{act:<9} {', '.join(may_be)}")
