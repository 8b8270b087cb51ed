"""Likes of moments: for the contacts with a tag, each post once."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller.core import Core
from controller.model import PhoneId
from controller.web.desk import Actor, At
from controller.web.friends import zones
from controller.web.jobs import SubmittedView, viewed
from controller.web.lists import PlanView, plan_view, problem_view

router = APIRouter(prefix="/moments", tags=["moments"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose posts are liked: contacts with this tag on these phones, posts at most so many days old."""

    tag: str
    phones: str
    max_age_days: int


@router.post("/plan", summary="Say what a job of likes would do")
async def plan_likes(at: At, asked: Wanted) -> PlanView:
    """Spread likes over phones without storing or tapping anything; says when each would happen."""

    def plan(core: Core) -> PlanView:
        pool = _pool(core, asked)
        made = core.jobs.plan_moments_likes(tag=asked.tag, pool=pool, max_age_days=asked.max_age_days)
        return plan_view(made, zones(core, made))

    return await at.ask(plan)


@router.post("/jobs", summary="Like posts of contacts with a tag", status_code=201)
async def submit_likes(at: At, actor: Actor, asked: Wanted) -> SubmittedView:
    """Make a job of one like for each contact; the same again on one day is the same job."""

    def submit(core: Core) -> SubmittedView:
        made = core.jobs.submit_moments_likes(
            tag=asked.tag,
            pool=_pool(core, asked),
            max_age_days=asked.max_age_days,
            source_name=f"tag {asked.tag.strip()}",
            actor=actor,
        )
        return SubmittedView(
            job=viewed(core, made.job),
            is_new=made.is_new,
            skipped=[problem_view(problem) for problem in made.skipped],
        )

    return await at.ask(submit)


def _pool(core: Core, asked: Wanted) -> list[PhoneId]:
    return [phone.phone_id for phone in core.fleet.select(asked.phones)]
