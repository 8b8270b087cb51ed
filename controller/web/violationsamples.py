"""Samples: stretches of chats in which nothing was found, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller.core import Core
from controller.samples import Draw, Finding, Sample, SampleVerdict
from controller.web.chatsearch import ChatName, ItemView, chat_name
from controller.web.chatviews import HourView, hour_view
from controller.web.desk import Actor, At
from controller.web.values import Number, Text
from controller.web.violationviews import ViolationView, host_of, item_view, violation_view

router = APIRouter(prefix="/violations", tags=["violations"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawAsked:
    """How many stretches, read since when, of whom; the same seed draws the same from the same chats."""

    count: Number
    since_ms: Number = 0
    holders: list[Text] | None = None
    seed: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """A stretch of a chat in which no rule found anything. `verdict`: empty, clean, finding."""

    sample_id: int
    draw_id: str
    conversation_id: int
    from_message_id: int
    to_message_id: int
    holder: str
    drawn_by: str
    drawn_at_ms: int
    verdict: str
    note: str
    reviewed_by: str
    reviewed_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawView:
    """What was drawn; fewer than wanted: there are not more chats without a violation."""

    draw_id: str
    seed: int
    wanted: int
    samples: list[SampleView]


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchView:
    """A sample to read, gaps in their places, and how its account was watched when it was written."""

    sample: SampleView
    chat: ChatName
    items: list[ItemView]
    hour: HourView


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAsked:
    """What a person says of a stretch: clean, or finding with its message and category.

    text[start:end] of the message is what was found; both 0: all of it.
    """

    verdict: SampleVerdict
    note: Text = ""
    message_id: Number | None = None
    category: Text = ""
    severity: Text = "medium"
    start: Number = 0
    end: Number = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedView:
    """A judged sample, and the violation that a finding became."""

    sample: SampleView
    violation: ViolationView | None


@router.get("/samples", summary="List samples")
async def list_samples(
    at: At,
    draw_id: Text = "",
    is_open: bool | None = None,
    before_id: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> list[SampleView]:
    """Return samples, newest first; `is_open`: those that wait for a reader. They quote nothing."""
    found = await at.ask(
        lambda core: core.violations.samples.list(
            draw_id=draw_id, is_open=is_open, before_id=before_id, limit=limit
        )
    )
    return [sample_view(sample) for sample in found]


@router.post("/samples", summary="Draw samples")
async def draw_samples(at: At, actor: Actor, asked: DrawAsked) -> DrawView:
    """Draw stretches of chats in which nothing was found, for a person to read. Recorded."""

    def drawn(core: Core) -> Draw:
        return core.violations.samples.draw(
            asked.count,
            since_ms=asked.since_ms,
            holders=tuple(asked.holders or ()),
            seed=asked.seed,
            actor=actor,
        )

    draw = await at.ask(drawn)
    return DrawView(
        draw_id=draw.draw_id,
        seed=draw.seed,
        wanted=draw.wanted,
        samples=[sample_view(sample) for sample in draw.samples],
    )


@router.get("/samples/{sample_id}", summary="Read a sample")
async def read_sample(at: At, actor: Actor, sample_id: Number, reason: Text = "") -> StretchView:
    """Return a stretch of a chat; the look is recorded, so it needs a reason."""

    def read(core: Core) -> StretchView:
        view = core.violations.samples.read(sample_id, reason=reason, actor=actor)
        host = host_of(core, view.chat)
        return StretchView(
            sample=sample_view(view.sample),
            chat=chat_name(view.chat),
            items=[item_view(item, host=host) for item in view.items],
            hour=hour_view(view.hour),
        )

    return await at.ask(read)


@router.post("/samples/{sample_id}/judge", summary="Judge a sample")
async def judge_sample(at: At, actor: Actor, sample_id: Number, asked: JudgeAsked) -> JudgedView:
    """Keep what a person says of a stretch, once; a finding becomes a violation. Recorded."""
    finding = None
    if asked.message_id is not None:
        finding = Finding(
            message_id=asked.message_id,
            category=asked.category,
            severity=asked.severity,
            start=asked.start,
            end=asked.end,
        )
    sample, violation = await at.ask(
        lambda core: core.violations.samples.judge(
            sample_id, asked.verdict, note=asked.note, finding=finding, actor=actor
        )
    )
    return JudgedView(
        sample=sample_view(sample), violation=None if violation is None else violation_view(violation)
    )


def sample_view(sample: Sample) -> SampleView:
    """Show a sample without its messages."""
    return SampleView(
        sample_id=sample.id,
        draw_id=sample.draw_id,
        conversation_id=sample.conversation_id,
        from_message_id=sample.from_message_id,
        to_message_id=sample.to_message_id,
        holder=sample.holder,
        drawn_by=sample.drawn_by,
        drawn_at_ms=sample.drawn_at_ms,
        verdict=sample.verdict,
        note=sample.note,
        reviewed_by=sample.reviewed_by,
        reviewed_at_ms=sample.reviewed_at_ms,
    )
