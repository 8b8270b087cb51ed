"""The FastAPI application: routers, the token check, and errors answered by one table."""

from __future__ import annotations

import functools
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.alerting import Alerting
from controller.answers import ANSWERS, UNEXPECTED, answer, code
from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import BadRequest, FarmError
from controller.logs import log_outline
from controller.sheets import MAX_BYTES
from controller.web import (
    accepting,
    alerts,
    capture,
    chats,
    chatsearch,
    clients,
    contacts,
    friends,
    jobs,
    ledger,
    moments,
    phones,
    quotas,
    rescans,
    staff,
    status,
    violationdesk,
    violations,
    violationsamples,
    words,
    wordtests,
)
from controller.web.desk import Desk, check_token
from controller.web.scanning import Scanning

PREFIX = "/api/v1"
_PARTS = (
    *(status, phones, staff, quotas, accepting, friends, moments, contacts),
    *(
        jobs,
        capture,
        chatsearch,
        chats,
        ledger,
        violationdesk,
        violationsamples,
        violations,
        clients,
        alerts,
        words,
        wordtests,
        rescans,
    ),
)


def app(
    core: Core, thread: CoreThread, token: str, *, farm_id: str = "farm", alerting: Alerting | None = None
) -> FastAPI:
    """Return the API over a core that runs on `thread`; every path below /api/v1 wants the token."""
    release = version("phonefarm")
    # The interactive pages would load scripts from a foreign host.
    api = FastAPI(
        title="Phonefarm controller",
        version=release,
        description="Phones, jobs, chats and violations of one farm. Times are integer milliseconds UTC.",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    api.state.scanning = Scanning(core, thread)
    api.state.desk = Desk(
        core=core, thread=thread, token=token, farm_id=farm_id, version=release, alerting=alerting
    )
    api.router.routes.extend(_routes())
    # One byte more than a list may have: the list's own message is better than this one's.
    api.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BYTES + 1)
    api.add_exception_handler(FarmError, _refused)
    api.add_exception_handler(RequestValidationError, _not_understood)
    api.add_exception_handler(HTTPException, _by_status)
    # Added last, so it stands outside everything that may fail; a handler of Exception would not do, because
    # Starlette raises the error again after it, and the server logs its message.
    api.add_middleware(_Unexpected)
    return api


@functools.cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return the routes of all parts: reading their signatures is most of what an application costs."""
    root = APIRouter(prefix=PREFIX, dependencies=[Depends(check_token)])
    for part in _PARTS:
        root.include_router(part.router)
    return tuple(root.routes)


def _told(status_code: int, name: str, message: str) -> JSONResponse:
    headers = {"www-authenticate": "Bearer"} if status_code == 401 else None
    return JSONResponse({"error": name, "message": message}, status_code=status_code, headers=headers)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    # By the name that programs know: a finer one says the same to them.
    kind = next((one for one in type(error).__mro__ if one in ANSWERS), FarmError)
    return _told(answer(error).http, code(kind), str(error))


async def _not_understood(_request: Request, error: Exception) -> JSONResponse:
    # Never the value: it may be a customer's number.
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults)
    return _told(answer(BadRequest()).http, code(BadRequest), said or "the request cannot be understood")


async def _by_status(_request: Request, error: Exception) -> JSONResponse:
    status_code = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    return _told(status_code, "http_error", detail)


class _Unexpected:
    """Answers what nothing else answered, and logs the type, the frames and the route of it only."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._api(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 the server would log its message
            route = getattr(scope.get("route"), "path", "")
            log_outline("unexpected error", error, method=scope.get("method", ""), route=route)
            if has_begun:
                return  # the server closes the connection of an answer that was not finished
            told = _told(
                UNEXPECTED.http, "unexpected", "something unexpected happened; see the controller's log"
            )
            await told(scope, receive, send)
