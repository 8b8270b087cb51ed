"""What the keeper tells the operator: one line for each event."""

from __future__ import annotations

from agent.adbwatch import DEVICE, Attached, Change, Listing
from agent.exits import meaning
from agent.roster import Note
from protos.facts import PhoneState

# What a person does about a state that adb reports; matched by its beginning.
REMEDIES = (
    ("unauthorized", "accept the key on the phone"),
    ("authorizing", "wait"),
    ("offline", "wait; if it stays, plug it in again"),
    ("no permissions", "add the udev rule and plug it in again"),
    ("bootloader", "start Android"),
    ("recovery", "start Android"),
    ("sideload", "start Android"),
)
_NOT_PROVIDED = (PhoneState.ABSENT, PhoneState.UNAUTHORIZED, PhoneState.PREPARING)


def name(phone: Attached) -> str:
    """Return a phone as operators find it: serial and slot."""
    return f"{phone.serial} slot {phone.slot}" if phone.slot else phone.serial


def of_change(change: Change) -> str:
    """Return the line for a difference between two lists; empty when an agent's own line will say more."""
    if change.after is None:
        return f"- {name(change.before)} gone" if change.before else ""
    state = change.after.state
    if state == DEVICE:
        return ""
    remedy = next((words for start, words in REMEDIES if state.startswith(start)), "")
    # The state of a phone without rights is a sentence with an address in it; its beginning says it.
    shown = state.partition(" (")[0]
    sign = "~" if change.before else "+"
    return f"{sign} {name(change.after)} {shown}{' → ' + remedy if remedy else ''}"


def of_state(phone: Attached, before: str, state: str, cause: str) -> str:
    """Return the line for a state that an agent announced after another; empty for what says nothing new."""
    if not is_provided(state) and not is_provided(before) and not cause:
        return ""  # an agent that starts
    if {before, state} == {PhoneState.READY, PhoneState.BUSY}:
        return ""  # tasks are followed elsewhere
    sign = "~" if is_provided(before) or not is_provided(state) else "+"
    return f"{sign} {name(phone)} {state}{f' ({cause})' if cause else ''}"


def of_note(note: Note) -> str:
    """Return the line for an agent that ended unasked."""
    after = "left alone" if note.again_in_ms is None else f"again in {note.again_in_ms // 1000} s"
    return f"! {name(note.phone)} agent ended: {meaning(note.status)}; {after}"


def twice(listing: Listing) -> dict[str, list[Attached]]:
    """Return the handsets that share a serial, by serial."""
    found: dict[str, list[Attached]] = {}
    for phone in listing:
        found.setdefault(phone.serial, []).append(phone)
    return {serial: phones for serial, phones in found.items() if len(phones) > 1}


def of_twice(serial: str, phones: list[Attached]) -> str:
    """Return the line for several handsets with one serial."""
    slots = ", ".join(phone.slot or "TCP" for phone in phones)
    return f"! {serial} is the serial of {len(phones)} handsets ({slots}): none of them is driven"


def is_provided(state: str) -> bool:
    """Tell whether a phone in this state counts as provided."""
    return bool(state) and state not in _NOT_PROVIDED
