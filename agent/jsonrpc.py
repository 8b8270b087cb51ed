"""The JSON-RPC of the server on the phone: what only reads, what an answer means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent.errors import AnswerLost, DriverError, Refused

# Methods of the server that only read. Every other name is sent at most once.
READS = frozenset(
    {
        "ping",
        "deviceInfo",
        "dumpWindowHierarchy",
        "exist",
        "count",
        "objInfo",
        "objInfoOfAllInstances",
        "getText",
        "waitForExists",
        "waitUntilGone",
        "getLastToast",
        "getLastTraversedText",
        "getClipboard",
        "isScreenOn",
        "waitForIdle",
        "waitForWindowUpdate",
        "getConfigurator",
    }
)


class Sick(AnswerLost):
    """The server answered in a way that only a new start cures."""


# Methods that act on the glass, the keys or a field, as a person would.
INJECTS = frozenset(
    {
        "click",
        "drag",
        "clickTopLeft",
        "clickBottomRight",
        "longClick",
        "swipe",
        "swipePoints",
        "injectInputEvent",
        "pressKey",
        "pressKeyCode",
        "setText",
        "clearTextField",
        "wakeUp",
        "sleep",
        "openNotification",
        "openQuickSettings",
        "scrollForward",
        "scrollBackward",
        "flingForward",
        "flingBackward",
    }
)


def is_read(method: str, params: Sequence[Any]) -> bool:
    """Tell whether a call only reads; an unknown name is taken to change something."""
    return method in READS or (method == "takeScreenshot" and len(params) == 2)


def request(method: str, params: Any) -> bytes:
    """Return the body of a call in ASCII; a call without arguments carries an empty object."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}).encode("ascii")


def result(method: str, body: bytes) -> Any:
    """Return the result of a JSON-RPC answer; Refused if it names a cause, else AnswerLost."""
    text = body.decode("utf-8", errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        raise AnswerLost(f"the answer to {method} is cut or garbled") from None
    if not isinstance(answer, dict):
        raise AnswerLost(f"the answer to {method} is no object")
    if "error" in answer:
        raise _refusal(method, answer["error"], text)
    if "result" not in answer:
        raise AnswerLost(f"the answer to {method} holds no result")
    return answer["result"]


def _refusal(method: str, error: Any, text: str) -> DriverError:
    code, message = (error.get("code"), str(error.get("message", ""))) if isinstance(error, dict) else (0, "")
    sick = ("UiAutomation not connected", "android.os.DeadObjectException", "DeadSystemRuntimeException")
    if any(sign in text for sign in sick):
        return Sick(f"{method}: the phone's accessibility layer is not connected")
    if code in (-32601, -32602):
        return Refused(f"{method}: the server does not know this call")
    if "UiObjectNotFoundException" in message:
        return Refused(f"{method}: no such element")
    if "SecurityException" in message or "INJECT_EVENTS" in text:
        return Refused(f"{method}: the phone forbids injected input (USB debugging, security settings)")
    # Out of memory, null pointers and alike come from the middle of the work: what was done is unknown.
    return AnswerLost(f"{method}: the server failed with {message.rsplit('.', 1)[-1][:60]}")
