"""What each error answers over gRPC, over HTTP and as an exit code: one table for all three."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller import errors


@dataclass(frozen=True, slots=True)
class Answer:
    """The name of a gRPC status, an HTTP status and an exit code of `farm`."""

    grpc: str
    http: int
    exit_code: int


FAILED = 1
USAGE = 2
SOME_ROWS = 3
NOT_ALLOWED = 4
REFUSED = 5
INTERRUPTED = 130

ANSWERS: dict[type[errors.FarmError], Answer] = {
    errors.UnknownPhone: Answer("NOT_FOUND", 404, FAILED),
    errors.UnknownJob: Answer("NOT_FOUND", 404, FAILED),
    errors.UnknownConversation: Answer("NOT_FOUND", 404, FAILED),
    errors.NumberTaken: Answer("ALREADY_EXISTS", 409, FAILED),
    errors.SerialTaken: Answer("ALREADY_EXISTS", 409, FAILED),
    errors.BadRequest: Answer("INVALID_ARGUMENT", 400, USAGE),
    errors.BookWrong: Answer("INVALID_ARGUMENT", 400, USAGE),
    errors.BadRows: Answer("INVALID_ARGUMENT", 422, SOME_ROWS),
    errors.BookChanged: Answer("ABORTED", 409, FAILED),
    errors.SafetyRefusal: Answer("FAILED_PRECONDITION", 403, REFUSED),
    errors.NotAllowed: Answer("UNAUTHENTICATED", 401, NOT_ALLOWED),
    errors.SpoolGap: Answer("OUT_OF_RANGE", 409, FAILED),
    errors.StaleEpoch: Answer("ABORTED", 409, FAILED),
    errors.StoreBusy: Answer("UNAVAILABLE", 503, FAILED),
    errors.StoreNewer: Answer("FAILED_PRECONDITION", 500, FAILED),
    errors.StoreUnreachable: Answer("UNAVAILABLE", 503, FAILED),
    errors.ConfigWrong: Answer("FAILED_PRECONDITION", 500, FAILED),
    errors.ControllerUnreachable: Answer("UNAVAILABLE", 502, FAILED),
}

UNEXPECTED = Answer("INTERNAL", 500, FAILED)


def answer(error: BaseException) -> Answer:
    """Return the answer of an error or of its nearest known parent."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    return UNEXPECTED


def code(kind: type[errors.FarmError]) -> str:
    """Return the stable name of an error for programs: unknown_phone."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


# How a program that got only the name over HTTP exits.
EXIT_CODES = {code(kind): found.exit_code for kind, found in ANSWERS.items()}
