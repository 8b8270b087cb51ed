"""Turns what a scenario plans for conversations into things to come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.virtual import talking
from agent.virtual.plannedtalk import Say, Written
from agent.virtual.talk import Chat

if TYPE_CHECKING:
    from agent.virtual.accounts import Account
    from agent.virtual.scenario import Scenario
    from agent.virtual.world import World

# The distance in real time of talk without end where the scenario's time does not run.
ENDLESS_STEP_MS = 200


def plan_talk(world: World, scenario: Scenario) -> None:
    """Plan all that is said, taken back, changed, removed and done by hand."""
    for say in scenario.says:
        _plan_say(world, say)
    for recall in scenario.recalls:
        _at(world, recall.at_s, recall.accounts, recall.peer, _recall(world, recall.nth_last))
    for change in scenario.changes:
        fields: dict[str, object] = (
            {"state": change.state} if change.state else {"is_transcribed": change.is_transcribed}
        )
        _at(world, change.at_s, change.accounts, change.peer, _change(change.nth_last, fields))
    for remove in scenario.removes:
        _at(world, remove.at_s, remove.accounts, remove.peer, _remove(world, remove.what))


def chat_of(world: World, account: Account, peer: str) -> Chat:
    """Return the chat with a person, or the group or service of this title; made if there is none."""
    person = world.find(peer)
    if person is None:
        return account.chat(peer, peer)
    return account.chat(person.key, world.name_for(account, person.key))


def _at(
    world: World,
    at_s: float,
    accounts: tuple[str, ...],
    peer: str,
    act: Callable[[Account, Chat], object],
) -> None:
    def happen() -> None:
        for account in world.chosen(accounts):
            with suppress(IndexError):  # a chat may have fewer messages than were planned for
                act(account, chat_of(world, account, peer))

    world.schedule(world.at(at_s), happen)


def _recall(world: World, nth_last: int) -> Callable[[Account, Chat], object]:
    return lambda _, chat: talking.recall(world, chat, nth_last - 1)


def _change(nth_last: int, fields: dict[str, object]) -> Callable[[Account, Chat], object]:
    return lambda _, chat: talking.change(chat, nth_last - 1, **fields)


def _remove(world: World, what: str) -> Callable[[Account, Chat], object]:
    return lambda account, chat: talking.remove(world, account, chat, what)


def _plan_say(world: World, spec: Say) -> None:
    """Plan the first line; each line plans the next, so that endless talk costs one entry."""
    lines = spec.all_lines()

    def write(n: int) -> None:
        for account in world.chosen(spec.accounts):
            _write(world, account, spec, lines[n % len(lines)])
        plan_line(n + 1)

    def plan_line(n: int) -> None:
        if not lines or (spec.times and n >= spec.times * len(lines)):
            return
        due_ms = world.at(spec.at_s + n * spec.every_s)
        if spec.times == 0 and world.time_scale <= 0:
            due_ms = world.clock() + ENDLESS_STEP_MS
        world.schedule(due_ms, lambda: write(n))

    plan_line(0)


def _write(world: World, account: Account, spec: Say, line: Written) -> None:
    world.say(
        account,
        chat_of(world, account, spec.peer),
        line.text,
        side=line.side,
        sender=line.sender or (spec.sender if line.side == "in" else ""),
        kind=line.kind,
        **line.more(),
    )
