"""What went wrong on a phone, as its agent reported it: warnings, and screens that could not be read."""

from __future__ import annotations

from dataclasses import dataclass

from controller.records import BlindScreen, Warned
from controller.safe import masked


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningView:
    """A warning of the platform; `picture` is a file in the evidence folder of the phone's host."""

    at_ms: int
    account_id: str
    warning: str
    surface: str
    text: str
    activity: str
    task_id: str
    host: str
    picture: str
    picture_sha256: str


def warning_view(warned: Warned, host: str) -> WarningView:
    """Show a warning; mobiles in the platform's words are masked."""
    return WarningView(
        at_ms=warned.at_ms,
        account_id=warned.account_id,
        warning=warned.warning,
        surface=warned.surface,
        text=masked(warned.text),
        activity=warned.activity,
        task_id=warned.task_id,
        host=host,
        picture=warned.picture,
        picture_sha256=warned.picture_sha256,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenView:
    """A screen that the agent could not read; `picture` is a file in the evidence folder of the host."""

    at_ms: int
    cause: str
    detail: str
    activity: str
    host: str
    picture: str
    picture_sha256: str


def screen_view(screen: BlindScreen, host: str) -> ScreenView:
    """Show a screen that could not be read."""
    return ScreenView(
        at_ms=screen.at_ms,
        cause=screen.cause,
        detail=masked(screen.detail),
        activity=screen.activity,
        host=host,
        picture=screen.picture,
        picture_sha256=screen.picture_sha256,
    )
