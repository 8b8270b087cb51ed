"""Virtual phones on one loop: handsets with WeChat, their shared world, the control endpoint."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from agent.errors import ConfigWrong
from agent.virtual import scenario as plan
from agent.virtual import talking
from agent.virtual.accounts import Account
from agent.virtual.adbd import PhonePort
from agent.virtual.control import ControlServer
from agent.virtual.hand import Hand
from agent.virtual.handset import Handset, wall_ms
from agent.virtual.plannedtalk import Hand as PlannedHand
from agent.virtual.talk import Chat, Line
from agent.virtual.wechat.client import WeChat
from agent.virtual.wechat.springs import Springs
from agent.virtual.world import World

WIDTH, HEIGHT = 1080, 2340
CLOSE_LIMIT_S = 2.0


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """One phone of the farm: used on the loop only."""

    handset: Handset
    port: PhonePort
    account: Account
    hand: Hand


class Farm:
    """The phones, the world and its only timer. All methods run on one loop."""

    def __init__(
        self,
        scenario: plan.Scenario,
        *,
        count: int | None = None,
        time_scale: float = 1.0,
        seed: int = 0,
    ) -> None:
        self._ahead_ms = 0  # how far the phones' clocks are set ahead of the host's
        self.world = World(scenario, self.now_ms, seed, count=count, time_scale=time_scale)
        if not self.world.accounts:
            raise ConfigWrong("the scenario has no phones and no count was given")
        self.slots: list[Slot] = []
        self._planned_hands = scenario.hands
        self.time_scale, self.seed = time_scale, seed
        self._timer: asyncio.TimerHandle | None = None
        self._control: ControlServer | None = None

    @property
    def control_url(self) -> str:
        """Return where the control endpoint listens, "" before `open`."""
        return "" if self._control is None else self._control.url

    async def open(self, *, port_base: int = 0, control_port: int = 0) -> None:
        """Start all phones and the control endpoint; ports of 0 are chosen by the system."""
        for n, account in enumerate(self.world.accounts.values()):
            app = self._app(n, account)
            handset = self._handset(n, account, app)
            port = await PhonePort.open(handset, port=port_base + n if port_base else 0)
            hand = Hand(handset, app)
            self.slots.append(Slot(handset=handset, port=port, account=account, hand=hand))
        self._control = await ControlServer.open(self, port=control_port)
        for planned in self._planned_hands:
            self.world.schedule(self.world.at(planned.at_s), partial(self._by_hand, planned))
        self.world.on_schedule = self._arm
        self._arm()

    async def close(self) -> None:
        """Stop the timer, the endpoint and all phones."""
        self.world.on_schedule = None
        if self._timer is not None:
            self._timer.cancel()
        if self._control is not None:
            await self._control.close()
        for slot in self.slots:
            await slot.port.close()
        # Dropped connections end their tasks by themselves; cancelled ones would be reported as errors.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=CLOSE_LIMIT_S)

    def now_ms(self) -> int:
        """Return the time by the phones' clocks, in ms UTC."""
        return wall_ms() + self._ahead_ms

    def turn_clock(self, ms: int) -> None:
        """Set the clocks of all phones and of their world ahead."""
        self._ahead_ms += ms
        if self.world.on_schedule is not None:
            self._arm()

    def slot(self, serial: str) -> Slot:
        """Return a phone by its serial; KeyError if there is none."""
        for slot in self.slots:
            if slot.handset.serial == serial:
                return slot
        raise KeyError(serial)

    def truth(self) -> dict[str, Any]:
        """Return what really happened, and what friend adds should end with."""
        world = self.world
        return {
            "phones": world.truth.phones(),
            "messages": world.messages(),
            "expected": world.expected,
            "expected_by_account": world.expected_by_account,
        }

    def say(self, account_id: str, peer: str, text: str, side: str, **fields: Any) -> Line:
        """Let a line be written on an account; KeyError if there is no such account or peer."""
        account, chat = self._chat(account_id, peer)
        return self.world.say(account, chat, text, side=side, **fields)

    def recall(self, account_id: str, chat: str, index_from_end: int) -> Line:
        """Let a message be taken back; IndexError if there is none."""
        return talking.recall(self.world, self._chat(account_id, chat)[1], index_from_end)

    def change(self, account_id: str, chat: str, index_from_end: int, **fields: Any) -> Line:
        """Let fields of a message change; IndexError if there is none."""
        return talking.change(self._chat(account_id, chat)[1], index_from_end, **fields)

    def remove(self, account_id: str, chat: str, what: str) -> None:
        """Let a chat be removed by the staff member; ValueError for a word that is none of REMOVALS."""
        talking.remove(self.world, *self._chat(account_id, chat), what)

    def rename(self, account_id: str, chat: str, title: str, by: str) -> None:
        """Let a group be renamed."""
        talking.rename(self.world, *self._chat(account_id, chat), title, by)

    def typing(self, account_id: str, chat: str, is_on: bool) -> None:
        """Let the peer begin or end to type."""
        self._chat(account_id, chat)[1].is_typing = is_on

    def transcript(self, account_id: str) -> dict[str, list[Line]]:
        """Return every line there ever was, by chat, in order."""
        chats = self.world.accounts[account_id].chats.values()
        return {chat.key: list(chat.ever) for chat in chats}

    def titles(self, account_id: str) -> dict[str, tuple[str, str]]:
        """Return title and kind of each chat by its key."""
        chats = self.world.accounts[account_id].chats.values()
        return {chat.key: (chat.title, chat.kind) for chat in chats}

    def _chat(self, account_id: str, name: str) -> tuple[Account, Chat]:
        account = self.world.accounts[account_id]
        return account, talking.chat_named(self.world, account, name)

    def _by_hand(self, plan: PlannedHand) -> None:
        """Let people do what was planned; where the page has nothing of the kind, nothing happens."""
        chosen = self.world.chosen(plan.accounts)
        for slot in self.slots:
            if slot.account in chosen:
                with suppress(LookupError):
                    slot.hand.do(
                        plan.what, plan.peer, text=plan.text, share=plan.share, nth_last=plan.nth_last
                    )

    def _app(self, n: int, account: Account) -> WeChat:
        return WeChat(
            self.world,
            account.account_id,
            width=WIDTH,
            height=HEIGHT,
            seed=self.seed * 1000 + n,
            time_scale=self.time_scale,
        )

    def _handset(self, n: int, account: Account, app: WeChat) -> Handset:
        handset = Handset(
            serial=account.serial,
            app=app,
            clock=self.now_ms,
            seed=self.seed * 1000 + n,
            width=WIDTH,
            height=HEIGHT,
            wechat_version_name=account.client.version_name,
            wechat_version_code=account.client.version_code,
            wechat_installer=account.client.installer,
            time_scale=self.time_scale,
        )
        account.is_in_front = lambda: handset.front is app
        app.stage.keyboard_is_up = lambda: handset.keyboard.is_up
        Springs(handset, app)
        for trap in account.client.traps:
            handset.traps.set(trap.name, after_dumps=trap.after_dumps, dumps=trap.dumps)
        for fault in account.client.faults:
            handset.faults.set(fault.name, fault.method, fault.count, fault.ms)
        return handset

    def _arm(self) -> None:
        """Wake when the world's next step is due; an idle world has no timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ms = self.world.next_due_ms()
        if due_ms is not None:
            delay_s = max(0, due_ms - self.world.clock()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._step)

    def _step(self) -> None:
        self.world.step(self.world.clock())
        self._arm()
