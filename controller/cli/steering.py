"""farm jobs pause, resume, cancel, retry."""

from __future__ import annotations

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import pass_settings, printed
from controller.cli.render import Form, Record, counted, hint, put_json, say

a_job = click.argument("job_id", metavar="JOB")


@click.command("pause")
@a_job
@click.option("--reason", required=True, help="Why; recorded with your name.")
@printed
@pass_settings
def pause_job(settings: Settings, job_id: str, reason: str, form: Form) -> None:
    """Let no further row of a job go out; what a phone has in hand is finished."""
    job = settings.farm().post(f"/jobs/{job_id}/pause", {"reason": reason})
    if form is not Form.TABLE:
        put_json(job, form)
        return
    rows = _waiting(job)
    say(f"Paused{_in_hand(job)}. {counted(rows, 'row')} {'waits' if rows == 1 else 'wait'}.")
    hint(f"Next: farm jobs resume {job['job_id']} --reason TEXT")


@click.command("resume")
@a_job
@click.option("--reason", default="", help="Why; a job that stopped itself needs one.")
@printed
@pass_settings
def resume_job(settings: Settings, job_id: str, reason: str, form: Form) -> None:
    """Let a paused job go on."""
    job = settings.farm().post(f"/jobs/{job_id}/resume", {"reason": reason})
    if form is not Form.TABLE:
        put_json(job, form)
        return
    say(f"Goes on: {counted(_waiting(job), 'row')} to do, within the quotas.")
    hint(f"Next: farm jobs watch {job['job_id']}")


@click.command("cancel")
@a_job
@click.option("--reason", required=True, help="Why; recorded with your name.")
@printed
@pass_settings
def cancel_job(settings: Settings, job_id: str, reason: str, form: Form) -> None:
    """End a job for good; its people may stand in another list."""
    job = settings.farm().post(f"/jobs/{job_id}/cancel", {"reason": reason})
    if form is not Form.TABLE:
        put_json(job, form)
        return
    cancelled = job["counts"].get("cancelled", 0)
    say(f"Cancelled{_in_hand(job)}. {counted(cancelled, 'row')} did not go out and may be submitted again.")
    hint(f"Next: farm jobs show {job['job_id']}")


@click.command("retry")
@a_job
@printed
@pass_settings
def retry_job(settings: Settings, job_id: str, form: Form) -> None:
    """Queue rows again that proved not to be done; never one that may have been."""
    found = settings.farm().post(f"/jobs/{job_id}/retry")
    if form is not Form.TABLE:
        put_json(found, form)
        return
    job = found["job"]
    rows = found["queued"]
    say(f"{counted(rows, 'row')} {'goes' if rows == 1 else 'go'} again, within the quotas.")
    for left in found["left"]:
        say(f"{counted(left['rows'], 'row')} not: {left['why']}")
    if job["state"] == "paused":
        hint(f"Next: farm jobs resume {job['job_id']} --reason TEXT")
    else:
        hint(f"Next: farm jobs {'watch' if rows else 'show'} {job['job_id']}")


def _waiting(job: Record) -> int:
    return int(sum(job["counts"].get(state, 0) for state in ("queued", "held")))


def _in_hand(job: Record) -> str:
    rows = sum(job["counts"].get(state, 0) for state in ("leased", "armed"))
    return f" after {counted(rows, 'row')} in hand" if rows else ""
