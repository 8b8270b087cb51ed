"""Why a page was not recognised: another language, no sense, a window over it. Nothing is tapped then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.errors import (
    DialogOpen,
    InTheWay,
    NotInTime,
    ScreenError,
    UnknownVersion,
    Unreadable,
    WrongLanguage,
)
from agent.wechat.builds import Build
from agent.wechat.clients import ClientTable
from agent.wechat.pages import Health, Page


class Sense(StrEnum):
    """What can be said of a page of the client that was not recognised."""

    STRANGE = "strange"  # the client's, with words of its own
    FOREIGN = "foreign"  # the tabs of home in another language
    NONE = "none"  # not one of the client's words


def sense_of(page: Page, table: ClientTable) -> Sense:
    """Tell what kind of unrecognised page this is: in another language, without sense, or only strange."""
    labels = {node.label for root in page.windows() for node in page.inside(root) if node.label}
    if any(labels.issuperset(tabs) for tabs in table.foreign_tabs.values()):
        return Sense.FOREIGN
    words = {word for role, values in table.texts.items() if role != "window_prefix" for word in values}
    return Sense.STRANGE if labels & words else Sense.NONE


def is_home(page: Page, table: ClientTable) -> bool:
    """Tell whether the activity is that of home; a chat opened from the list shares it."""
    return page.activity in table.activities["home"]


def unreadable(page: Page, more: str = "") -> Unreadable:
    """Return the error for a page whose tree is bad; `more` is added to its message."""
    return Unreadable(f"the tree of the screen is {page.health}{more}", health=page.health)


def in_the_way(page: Page) -> InTheWay:
    """Return the error for a window of another program that WeChat did not come in front of."""
    return InTheWay(f"{page.package or 'nothing'} is in front of WeChat", package=page.package)


def stop_at_nonsense(page: Page, table: ClientTable, *, is_home_only: bool = False) -> None:
    """Raise WrongLanguage or Unreadable if a page that was not recognised is of another language or no sense.

    With `is_home_only` only on home: other pages of the client may have no word that the table knows.
    """
    if not page.nodes or (is_home_only and not is_home(page, table)):
        return
    sense = sense_of(page, table)
    if sense is Sense.FOREIGN:
        raise WrongLanguage
    if sense is Sense.NONE and is_home(page, table):
        raise Unreadable("home shows none of the client's words", health=Health.SCRAMBLED)


@dataclass(frozen=True, slots=True)
class Blindness:
    """Why a phone is blind: a coded cause, and a detail for people without private text."""

    cause: (
        str  # empty | scrambled | webview | unknown_version | language | unexpected_dialog | not_recognised
    )
    detail: str = ""


def blindness(error: ScreenError) -> Blindness:
    """Return what a screen error says of the phone."""
    match error:
        case UnknownVersion():
            return Blindness(
                "unknown_version", str(Build(error.version_name, error.version_code, error.installer))
            )
        case Unreadable():
            return Blindness(error.health, str(error))
        case WrongLanguage():
            return Blindness("language")
        case InTheWay():
            return Blindness("unexpected_dialog", error.package)
        case DialogOpen():
            return Blindness("unexpected_dialog", error.kind)
        case NotInTime():
            return Blindness("not_recognised", error.what)
        case _:
            return Blindness("not_recognised", str(error))
