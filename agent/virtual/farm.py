"""A farm of virtual phones on one loop: handsets with WeChat, their shared world, the control endpoint."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from agent.errors import ConfigWrong
from agent.virtual import scenario as plan
from agent.virtual.accounts import Account
from agent.virtual.adbd import PhonePort
from agent.virtual.control import ControlServer
from agent.virtual.handset import Handset, wall_ms
from agent.virtual.looper import Looper
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
        self.world = World(scenario, wall_ms, seed, count=count, time_scale=time_scale)
        if not self.world.accounts:
            raise ConfigWrong("the scenario has no phones and no count was given")
        self.slots: list[Slot] = []
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
            handset = self._handset(n, account)
            port = await PhonePort.open(handset, port=port_base + n if port_base else 0)
            self.slots.append(Slot(handset=handset, port=port, account=account))
        self._control = await ControlServer.open(self, port=control_port)
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

    def say(self, account_id: str, peer: str, text: str, side: str) -> None:
        """Let a line be written on an account; KeyError if there is no such account or peer."""
        account = self.world.accounts[account_id]
        chat = account.chats.get(peer)
        if chat is None:
            person = self.world.person(peer)
            chat = account.chat(person.key, self.world.name_for(account, person.key))
        self.world.say(account, chat, text, side=side)

    def _handset(self, n: int, account: Account) -> Handset:
        seed = self.seed * 1000 + n
        app = WeChat(
            self.world,
            account.account_id,
            width=WIDTH,
            height=HEIGHT,
            seed=seed,
            time_scale=self.time_scale,
        )
        handset = Handset(
            serial=account.serial,
            app=app,
            seed=seed,
            width=WIDTH,
            height=HEIGHT,
            wechat_version_name=account.client.version_name,
            wechat_version_code=account.client.version_code,
            wechat_installer=account.client.installer,
            time_scale=self.time_scale,
        )
        account.is_in_front = lambda: handset.front is app
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


class VirtualPhone:
    """One phone of a VirtualFarm, for blocking callers."""

    def __init__(self, looper: Looper, slot: Slot) -> None:
        self._looper, self._slot = looper, slot
        self.serial = slot.handset.serial
        self.address = slot.port.address
        self.account_id = slot.account.account_id

    @property
    def handset(self) -> Handset:
        """Return the handset; call it only through `VirtualFarm.do`."""
        return self._slot.handset

    def unplug(self) -> None:
        """Pull the cable."""
        self._looper.call(self._slot.port.unplug())

    def plug(self) -> None:
        """Put the cable back."""
        self._looper.call(self._slot.port.plug())

    def faults(self, name: str, method: str = "*", count: int | None = 1, ms: int = 0) -> None:
        """Plan a fault; ValueError if there is none of that name."""
        self._looper.do(self._slot.handset.faults.set, name, method, count, ms)

    def trap(self, name: str, *, after_dumps: int = 0, dumps: int | None = 1) -> None:
        """Set a trap (see agent.virtual.traps); ValueError if there is none of that name."""
        self._looper.do(self._slot.handset.traps.set, name, after_dumps=after_dumps, dumps=dumps)

    def clear_traps(self) -> None:
        """Forget all traps, end what lasts, and close the windows they brought."""
        self._looper.do(self._slot.handset.traps.clear)
        self._looper.do(self._slot.handset.uncover)

    def clear_faults(self, name: str | None = None) -> None:
        """Forget one fault, or all."""
        self._looper.do(self._slot.handset.faults.clear, name)

    def touch(self, x: float, y: float) -> None:
        """Touch the screen as a person does."""
        self._looper.do(self._slot.handset.touch_by_hand, x, y)


class VirtualFarm:
    """N phones, their world and the control endpoint in a background thread."""

    def __init__(
        self,
        scenario: plan.Scenario,
        *,
        count: int | None = None,
        port_base: int = 0,
        control_port: int = 0,
        time_scale: float = 1.0,
        seed: int = 0,
    ) -> None:
        self._make = lambda: Farm(scenario, count=count, time_scale=time_scale, seed=seed)
        self._ports = {"port_base": port_base, "control_port": control_port}
        self._looper = Looper()
        self._farm: Farm | None = None
        self.phones: list[VirtualPhone] = []
        self.control_url = ""

    def __enter__(self) -> Self:
        self._looper.start()
        try:
            self._farm = self._looper.do(self._make)
            self._looper.call(self._farm.open(**self._ports))
        except BaseException:
            self._looper.stop()
            raise
        self.phones = [VirtualPhone(self._looper, slot) for slot in self._farm.slots]
        self.control_url = self._farm.control_url
        return self

    def __exit__(self, *_: object) -> None:
        if self._farm is not None:
            self._looper.call(self._farm.close())
        self._looper.stop()

    @property
    def farm(self) -> Farm:
        """Return the farm on the loop; call it only through `do`."""
        if self._farm is None:
            raise RuntimeError("the farm is not open")
        return self._farm

    @property
    def world(self) -> World:
        """Return the world; read or change it only through `do`."""
        return self.farm.world

    def do(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a function on the farm's loop and return its result."""
        return self._looper.do(function, *args, **kwargs)

    def truth(self) -> dict[str, Any]:
        """Return what really happened, and what friend adds should end with."""
        return self._looper.do(self.farm.truth)

    def warn(
        self, account_id: str, warning: str, surface: plan.WarnSurface = "dialog", text: str = "", **how: Any
    ) -> None:
        """Let the platform warn an account; `how` holds further fields of `scenario.Warn`."""
        warn = plan.Warn(warning=warning, surface=surface, text=text, **how)
        self._looper.do(lambda: self.world.notices.script(self.world.accounts[account_id], warn))

    def calm(self, account_id: str) -> None:
        """Call all warnings of an account off, and sign it in."""
        self._looper.do(lambda: self.world.notices.calm(self.world.accounts[account_id]))

    def say(self, account_id: str, peer: str, text: str, side: str = "in") -> None:
        """Let the peer ("in") or the staff member by hand ("out") write a line."""
        self._looper.do(self.farm.say, account_id, peer, text, side)
