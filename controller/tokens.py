"""The API token: one file, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from controller.errors import NotAllowed


def make_folder(folder: Path) -> None:
    """Make the data folder, open to its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def make_token(path: Path) -> bool:
    """Make the token; False if there is one."""
    try:
        # O_EXCL and the mode at creation: there is no moment in which others can read it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return False
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    return True


def read_token(path: Path) -> str:
    """Return the token; NotAllowed with what to do."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NotAllowed(f"no token at {path}. Make one: farm init (or name it: --token-file)") from None
    except (OSError, UnicodeDecodeError):
        raise NotAllowed(f"the token at {path} cannot be read by this user") from None
    if not token:
        raise NotAllowed(f"the token at {path} is empty. Remove the file, then: farm init")
    return token
