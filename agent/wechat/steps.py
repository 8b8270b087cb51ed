"""The steps all flows are made of: tap something on a recognised screen, wait for the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from agent.errors import DialogOpen, DriverError, NotRecognised
from agent.phone import Phone
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.warnings import Unknown, judge


def only(nodes: Sequence[Node], *, what: str) -> Node:
    """Return the one node there is; NotRecognised if there are none or several."""
    if len(nodes) != 1:
        raise NotRecognised(f"{what}: {len(nodes)} found")
    return nodes[0]


def go(
    phone: Phone,
    screen: Screen,
    node: Node,
    *names: ScreenName,
    what: str,
    within_s: float = 10.0,
    test: Callable[[Screen], bool] = lambda _: True,
    glance: Callable[[Screen], None] = lambda _: None,
) -> Screen:
    """Tap a node of a screen seen just now and return the screen it leads to; see `arrive`."""
    phone.tap(screen.spot(screen.page.pressable(node)))
    return arrive(phone, *names, what=what, within_s=within_s, test=test, glance=glance)


def arrive(
    phone: Phone,
    *names: ScreenName,
    what: str,
    within_s: float = 10.0,
    test: Callable[[Screen], bool] = lambda _: True,
    glance: Callable[[Screen], None] = lambda _: None,
) -> Screen:
    """Wait for one of these screens; a dialog raises DialogOpen, PlatformWarning or LoggedOut."""
    found = phone.expect(
        *names,
        ScreenName.DIALOG,
        what=what,
        within_s=within_s,
        test=lambda screen: screen.name is ScreenName.DIALOG or test(screen),
        glance=glance,
    )
    if found.name is ScreenName.DIALOG:
        raise dialog_of(found)
    return found


def dialog_of(screen: Screen) -> DialogOpen:
    """Return what a dialog says; PlatformWarning, also for unknown words, or LoggedOut if it demands that."""
    text = " ".join(screen.words())
    rule = judge(text, surface="dialog", unknown=Unknown.DIALOG)
    return DialogOpen(
        text=text, outcome=str(rule.outcome or "") if rule else "", kind=rule.warning if rule else ""
    )


def leave_dialog(phone: Phone) -> None:
    """Close a dialog that was reported by the back key, which never agrees to anything."""
    with suppress(DriverError):
        phone.back()
