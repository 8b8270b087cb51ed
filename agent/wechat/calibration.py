"""What is reported of a calibration."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import AgentError, PlatformWarning, ScreenError
from agent.phone import Phone
from agent.wechat.builds import Build
from agent.wechat.calibrate import Learned, learn
from agent.wechat.sense import blindness
from protos.facts import ClientLearned


def calibrate(phone: Phone, request_id: str, report: Callable[[ClientLearned], object]) -> None:
    """Learn the ids of the client and report what came of it; what went wrong is raised after its report."""
    try:
        learned = learn(phone)
    except AgentError as error:
        # The cause names no private text.
        report(_fact(request_id, phone.client.last, Learned(base="", ids=(), missing=()), _why(error)))
        raise
    report(_fact(request_id, phone.client.last, learned, ""))


def _why(error: AgentError) -> str:
    if isinstance(error, ScreenError):
        why = blindness(error)
        return f"{why.cause}: {why.detail}" if why.detail else why.cause
    return error.warning if isinstance(error, PlatformWarning) else type(error).__name__


def _fact(request_id: str, build: Build, learned: Learned, failure: str) -> ClientLearned:
    return ClientLearned(
        request_id=request_id,
        version_name=build.version_name,
        version_code=build.version_code,
        installer=build.installer,
        base=learned.base,
        ids=learned.ids,
        missing=learned.missing,
        failure=failure,
    )
