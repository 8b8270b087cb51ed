"""What every router works with: the core on its thread, and who is asking."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import unquote

from fastapi import Depends, Request

from controller.alerting import Alerting
from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import BadRequest, NotAllowed

P = ParamSpec("P")
T = TypeVar("T")

_MAX_ACTOR_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The way from the HTTP edge to the core."""

    core: Core
    thread: CoreThread
    token: str
    farm_id: str
    version: str
    alerting: Alerting | None = None  # None: this process sends no alerts

    async def ask(self, fn: Callable[Concatenate[Core, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(core, …)` on the core's thread."""
        return await self.thread.call(lambda: fn(self.core, *args, **kwargs))


def the_desk(request: Request) -> Desk:
    """Return the desk that the app was made with."""
    return cast(Desk, request.app.state.desk)


def check_token(request: Request) -> None:
    """Let only callers in who know the token; NotAllowed."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected = the_desk(request).token
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), expected.encode()):
        raise NotAllowed(
            "no or wrong token: send the header Authorization: Bearer TOKEN (see the token file)"
        )


def the_actor(request: Request) -> str:
    """Return who acts, as X-Farm-Actor says (percent-encoded UTF-8), for the audit; BadRequest if nobody."""
    named = unquote(request.headers.get("x-farm-actor", ""), errors="replace")
    plain = "".join(char for char in named if unicodedata.category(char)[0] != "C")
    actor = plain.strip()[:_MAX_ACTOR_CHARS]
    if not actor:
        raise BadRequest("say who does this: X-Farm-Actor")
    return actor


At = Annotated[Desk, Depends(the_desk)]
Actor = Annotated[str, Depends(the_actor)]
