"""How `farm` asks the controller: HTTP with a token, and errors as the controller named them."""

from __future__ import annotations

import getpass
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from controller import errors
from controller.answers import ANSWERS, code
from controller.tokens import read_token

if TYPE_CHECKING:
    import httpx2

    from controller.config import Config

_PREFIX = "/api/v1"
_TIMEOUT_S = 30.0
# A list of 100,000 rows takes some seconds to check.
_UPLOAD_TIMEOUT_S = 120.0
_TOO_LARGE = 413

_KINDS = {code(kind): kind for kind in ANSWERS if kind is not errors.SpoolGap}


@dataclass(slots=True)
class Settings:
    """What was said on the command line and in the environment about where the controller is."""

    config: str | None = None
    url: str | None = None
    token_file: str | None = None

    def load(self) -> Config:
        """Read the configuration; ConfigWrong."""
        from controller.config import load

        return load(self.config)

    def farm(self) -> Farm:
        """Return the way to the controller; ConfigWrong, NotAllowed if there is no token."""
        if self.url and self.token_file:
            return Farm(self.url, read_token(Path(self.token_file)))
        config = self.load()
        token_file = Path(self.token_file) if self.token_file else config.token_file
        return Farm(self.url or f"http://{config.controller.http}", read_token(token_file))


class Farm:
    """The controller's HTTP API."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._client: httpx2.Client | None = None

    def get(self, path: str, **params: Any) -> Any:
        """Read something; errors as the controller named them, ControllerUnreachable."""
        return self._ask("GET", path, params=_given(params))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Change something."""
        return self._ask("POST", path, json=body or {})

    def upload(self, path: str, raw: bytes, **params: Any) -> Any:
        """Send the bytes of a list."""
        return self._ask(
            "POST",
            path,
            params=_given(params),
            content=raw,
            headers={"content-type": "text/csv"},
            timeout=_UPLOAD_TIMEOUT_S,
        )

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        import httpx2

        try:
            answer = self._connection().request(method, _PREFIX + path, **arguments)
        except httpx2.TimeoutException:
            raise errors.ControllerUnreachable(
                f"the controller at {self.url} did not answer in time"
            ) from None
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise errors.ControllerUnreachable(
                f"no controller answers at {self.url} ({_why(error)}). Start it: farm serve"
            ) from None
        if answer.status_code < 400:
            return answer.json() if "json" in answer.headers.get("content-type", "") else answer.content
        if answer.status_code == _TOO_LARGE:
            raise errors.BadRows("this list is larger than the controller takes; split it")
        raise _error(answer.content, answer.status_code)

    def _connection(self) -> httpx2.Client:
        if self._client is None:
            import httpx2

            # trust_env off: a proxy of the environment has nothing to do with a loopback address.
            self._client = httpx2.Client(
                base_url=self.url,
                headers={"authorization": f"Bearer {self._token}", "x-farm-actor": quote(actor())},
                timeout=_TIMEOUT_S,
                trust_env=False,
            )
        return self._client


def actor() -> str:
    """Return who is typing, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _why(error: Exception) -> str:
    said = re.sub(r"^\[Errno \d+\] ", "", str(error).partition("\n")[0])
    return said.rstrip(".").lower() or type(error).__name__


def _error(raw: bytes, status: int) -> errors.FarmError:
    try:
        said = json.loads(raw)
        kind, message = _KINDS.get(said["error"], errors.FarmError), str(said["message"])
    except (ValueError, KeyError, TypeError):
        return errors.FarmError(f"the controller answered {status}; is this a controller's address?")
    return kind(message)
