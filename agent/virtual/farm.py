"""A farm of virtual phones for blocking callers: what tests hold in their hands."""

from __future__ import annotations

from typing import Any, Self

from agent.virtual import scenario as plan
from agent.virtual.handset import Handset
from agent.virtual.looper import Looper
from agent.virtual.plannedtalk import HandWhat
from agent.virtual.rack import Farm, Slot
from agent.virtual.talk import Line
from agent.virtual.world import World


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

    def hand(self, what: HandWhat, chat: str = "", **how: Any) -> None:
        """Let a person's hand do something (see agent.virtual.hand); `how` is text, share, nth_last."""
        self._looper.do(self._slot.hand.do, what, chat, **how)

    def injected_at_s(self) -> list[float]:
        """Return the time.monotonic() of every event injected so far: touches, keys, texts, app starts."""
        return self._looper.do(lambda: list(self._slot.handset.injected_at_s))

    def hand_at_s(self) -> list[float]:
        """Return the time.monotonic() of every touch by hand so far."""
        return self._looper.do(lambda: list(self._slot.handset.hand_at_s))


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

    def say(self, account_id: str, peer: str, text: str = "", side: str = "in", **fields: Any) -> Line:
        """Let the peer ("in"), the staff member ("out") or nobody ("system") write a line.

        `peer`: key or title of a chat, or a person; `fields` are those of `talk.Line`: kind, sender, detail …
        """
        return self._looper.do(self.farm.say, account_id, peer, text, side, **fields)

    def recall(self, account_id: str, chat: str, index_from_end: int = 0) -> Line:
        """Let the n-th last message that still stands there (0 = the last) be taken back; return it."""
        return self._looper.do(self.farm.recall, account_id, chat, index_from_end)

    def change(self, account_id: str, chat: str, index_from_end: int = 0, **fields: Any) -> Line:
        """Let fields of the n-th last message change: state="received", is_transcribed=True; return it."""
        return self._looper.do(self.farm.change, account_id, chat, index_from_end, **fields)

    def remove(self, account_id: str, chat: str, what: str) -> None:
        """Let the staff member clear a chat, delete its row or the friend, or hide the row."""
        self._looper.do(self.farm.remove, account_id, chat, what)

    def rename(self, account_id: str, chat: str, title: str, by: str = "") -> None:
        """Let a group get another name."""
        self._looper.do(self.farm.rename, account_id, chat, title, by)

    def typing(self, account_id: str, chat: str, is_on: bool = True) -> None:
        """Let the peer begin or end to type: 对方正在输入... stands in place of the name."""
        self._looper.do(self.farm.typing, account_id, chat, is_on)

    def turn_clock(self, ms: int) -> None:
        """Set the clocks of all phones ahead: lines of today become those of yesterday."""
        self._looper.do(self.farm.turn_clock, ms)

    def transcript(self, account_id: str) -> dict[str, list[Line]]:
        """Return by chat key every line there ever was, in order, with what became of it."""
        return self._looper.do(self.farm.transcript, account_id)

    def titles(self, account_id: str) -> dict[str, tuple[str, str]]:
        """Return by chat key its title and kind (private, group, service)."""
        return self._looper.do(self.farm.titles, account_id)
