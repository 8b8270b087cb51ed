"""A farm of one phone on which people chat while everything ends: real agent and controller as processes.

The world knows what was said; the archive is read from the controller's database; tests.support.worldjudge
compares both.
"""

from __future__ import annotations

import select
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.config import AgentConfig, encode
from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import parse_scenario
from agent.virtual.talk import Line
from controller.clock import SystemClock
from controller.core import Core, CoreSettings
from controller.model import PhoneId
from controller.store import open_store
from tests.support import crashrules
from tests.support.adb import AdbServer, free_port
from tests.support.corefarm import greeting
from tests.support.crashchild import hear
from tests.support.crashnursery import Child, Nursery
from tests.support.worldjudge import Kept, Look, Said, Verdict, judge, total

PHONE, SERIAL, ACCOUNT, HOLDER = "1", "VP001", "farm_001", "王芳"
PRIVATE = ("小满", "小雪", "大寒")
GROUP = "售后群"
SCENARIO = (
    "[phones_like]\ncount = 1\n"
    + "".join(
        f'[[people]]\nnickname = "{name}"\nwechat_id = "{name}"\nfriend_of = ["all"]\n'
        f'[[chats]]\npeer = "{name}"\nhistory = {lines}\n'
        for name, lines in zip(PRIVATE, (0, 3, 30), strict=True)
    )
    + f'[[chats]]\nkind = "group"\ntitle = "{GROUP}"\nmembers = 5\nlines = ['
    + ", ".join(
        f'{{ text = "{text}", sender = "阿明" }}' for text in ("大家好", "好的", "好的", "今天发货吗")
    )
    + "]\n"
)
# So long everything that was said may take to be archived after the last thing went wrong.
LIMIT_S = 40.0
# What holds once may be undone by the next look: it must hold through some more of them.
STILL_S = 0.6
POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a world: the judgement by chat, and how long it took."""

    verdicts: dict[str, Verdict]
    seconds: float
    lines: int
    errors: str

    @property
    def total(self) -> Verdict:
        """Return all chats together."""
        return total(list(self.verdicts.values()))

    def __str__(self) -> str:
        """Return the judgement, and what the processes wrote last."""
        wrong = {chat: verdict for chat, verdict in self.verdicts.items() if not verdict.is_sound}
        return f"{wrong} of {self.lines} lines in {self.seconds:.1f} s\n{self.errors}"


class WorldRig:
    """Runs worlds one after another; each gets a new farm, a new outbox and a new database."""

    def __init__(self, folder: Path, adb: AdbServer) -> None:
        self.folder, self.adb = folder, adb
        self.nursery = Nursery(adb.environment)
        self.port = free_port()
        self._scenario = parse_scenario(SCENARIO.encode(), name="worlds")
        self._n = 0
        self._template = self._make_template()

    def close(self) -> None:
        """End the process that forks."""
        self.nursery.close()

    @contextmanager
    def world(self, *, switch: str = "") -> Iterator[World]:
        """Have a new world with its agent, one guard of it switched off if told, and its controller."""
        self._n += 1
        folder = self.folder / f"world{self._n}"
        folder.mkdir()
        shutil.copy(self._template, folder / "farm.db")
        with VirtualFarm(self._scenario, time_scale=0.0) as farm:
            phone = farm.phones[0]
            self.adb.connect(phone.address)
            world = World(self, folder, farm, phone, switch)
            try:
                world.start_controller()
                world.start_agent()
                yield world
            finally:
                world.close()
                self.adb.run("disconnect", phone.address)
        shutil.rmtree(folder)

    def _make_template(self) -> Path:
        """Make a database with the phone, its account, and a holder who was told."""
        path = self.folder / "template.db"
        store = open_store(f"sqlite:///{path}")
        core = Core(store, SystemClock(), CoreSettings(**crashrules.settings()))
        core.fleet.hello(greeting(SERIAL))
        core.fleet.number(PhoneId(PHONE), SERIAL, actor="op")
        core.fleet.assign(PhoneId(PHONE), account_id=ACCOUNT, holder=HOLDER, actor="op")
        core.notices.record(HOLDER, version="1", how="paper", actor="op")
        store.close()
        return path


class World:
    """One farm in the middle of its life."""

    def __init__(
        self, rig: WorldRig, folder: Path, farm: VirtualFarm, phone: VirtualPhone, switch: str
    ) -> None:
        self.rig, self.folder, self.farm, self.phone = rig, folder, farm, phone
        self._switch = switch
        self.database = folder / "farm.db"
        self.agent: Child | None = None
        self.controller: Child | None = None
        self._began_s = time.monotonic()
        self._unlisted: dict[str, int] = {}
        # A reader of its own: the database belongs to the controller alone.
        self._archive = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)

    # ---- what happens in it

    def start_controller(self) -> None:
        """Start the controller and wait until it serves."""
        self.controller = Child(
            self.rig.nursery,
            {
                "role": "controller",
                "store": f"sqlite:///{self.database}",
                "port": self.rig.port,
                "settings": {"sweep_pause_ms": 50, "hand_quiet_ms": 400},
                "errors": str(self.folder / "controller.log"),
            },
        )
        assert select.select([self.controller.link], [], [], 20)[0], "the controller did not start"
        assert hear(self.controller.link) == {"at": "serving"}

    def start_agent(self, *, acts: Sequence[list[Any]] = ()) -> None:
        """Start the agent; `acts` are places at which it ends, as crashchild.plan reads them."""
        config = AgentConfig(
            path=None,
            controller=f"127.0.0.1:{self.rig.port}",
            data_dir=self.folder / "data",
            lock_dir=self.folder / "locks",
            host="host",
            adb_path="",
            adb_port=self.rig.adb.port,
        )
        self.agent = Child(
            self.rig.nursery,
            {
                "role": "agent",
                "config": encode(config),
                "address": self.phone.address,
                "acts": list(acts),
                "switch": self._switch,
                "errors": str(self.folder / "agent.log"),
            },
        )

    def say(self, chat: str, text: str, *, side: str, kind: str, sender: str) -> None:
        """Let somebody write in a chat: the peer, a member, or the staff member by hand."""
        # A quote without the line it quotes is a text like any other.
        quoted = "小雪: 好的" if kind == "quote" else ""
        self.farm.say(ACCOUNT, chat, text=text, kind=kind, side=side, sender=sender, detail=quoted)

    def recall(self, chat: str, back: int) -> None:
        """Let the last message but `back` be taken back, if there is one."""
        with suppress(LookupError):
            self.farm.recall(ACCOUNT, chat, back)

    def remove(self, chat: str, what: Literal["clear", "row", "hide"]) -> None:
        """Let the staff member remove what stands in a chat, or its row."""
        with suppress(LookupError):
            self.farm.remove(ACCOUNT, chat, what)
            # Without a row nothing on the phone tells of the chat, until somebody writes in it again.
            keys = {title: key for key, (title, _) in self.farm.titles(ACCOUNT).items()}
            self._unlisted[chat] = len(self.farm.transcript(ACCOUNT)[keys[chat]])

    def change(self, chat: str, back: int, **fields: object) -> None:
        """Let a message show something else."""
        with suppress(LookupError):
            self.farm.change(ACCOUNT, chat, back, **fields)

    def hand(self, chat: str, what: Literal["open", "scroll", "send", "back"]) -> None:
        """Let a person use the phone; what the page does not offer they leave alone."""
        with suppress(LookupError):
            self.phone.hand(
                what, chat if what == "open" else "", **({"text": "稍等"} if what == "send" else {})
            )

    def end_agent_at(self, place: str, n: int) -> None:
        """End the agent, and the next one at a named place."""
        if self.agent is not None:
            self.agent.end()
        self.start_agent(acts=[[place, n, "crash", ""]])

    def kill_agent(self) -> None:
        """End the agent without a word; its keeper starts another."""
        if self.agent is not None:
            self.agent.end()
        self.start_agent()

    def restart_controller(self) -> None:
        """End the controller without a word and start another."""
        if self.controller is not None:
            self.controller.end()
        self.start_controller()

    def unplug(self) -> None:
        """Pull the cable and put it back; the keeper starts the agent again that ends of it."""
        self.phone.unplug()
        self.keep(0.1)
        self.phone.plug()
        self.rig.adb.run("disconnect", self.phone.address)
        self.rig.adb.connect(self.phone.address)

    def keep(self, seconds: float) -> None:
        """Let time pass; an agent that ended is started again, as its keeper does."""
        until_s = time.monotonic() + seconds
        while True:
            self._look_after_agent()
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(left_s, 0.02))

    def _look_after_agent(self) -> None:
        agent = self.agent
        while agent is not None and select.select([agent.link], [], [], 0)[0]:
            try:
                message = hear(agent.link)
            except OSError:
                message = None
            if message is None:
                agent.end()
                self.rig.adb.run("disconnect", self.phone.address)
                self.rig.adb.connect(self.phone.address)
                self.start_agent()
                return

    # ---- what it comes to

    def settle(self, limit_s: float = LIMIT_S) -> Found:
        """Wait until all that was said is archived or owned up to, and stays so; return what there is."""
        until_s = time.monotonic() + limit_s
        sound_s: float | None = None
        found = self.found()
        while time.monotonic() < until_s:
            self.keep(POLL_S)
            found = self.found()
            if not found.total.is_sound:
                sound_s = None
            elif sound_s is None:
                sound_s = time.monotonic()
            elif time.monotonic() - sound_s > STILL_S:
                break
        return found

    def found(self) -> Found:
        """Judge the archive as it is now."""
        kept = self._kept()
        said = self._said()
        verdicts = {}
        for title in said.keys() | kept.keys():
            messages, gap_at_end = kept.get(title, ([], False))
            verdicts[title] = judge(said.get(title, []), messages, gap_at_end=gap_at_end)
        logs = [self.folder / f"{who}.log" for who in ("agent", "controller")]
        return Found(
            verdicts=verdicts,
            seconds=time.monotonic() - self._began_s,
            lines=sum(map(len, said.values())),
            errors="\n".join(log.read_text()[-3000:] for log in logs if log.exists()),
        )

    def _said(self) -> dict[str, list[Said]]:
        titles = self.farm.titles(ACCOUNT)
        found = {}
        for key, lines in self.farm.transcript(ACCOUNT).items():
            title = titles[key][0]
            hidden = self._unlisted.get(title, 0)
            found[title] = [said_of(line, is_hidden=at < hidden) for at, line in enumerate(lines)]
        return found

    def _kept(self) -> dict[str, tuple[list[Kept], bool]]:
        found = {}
        for chat_id, title in self._archive.execute("SELECT id, title FROM conversations").fetchall():
            gaps = [
                at
                for (at,) in self._archive.execute(
                    "SELECT before_position FROM gaps WHERE conversation_id = ?", (chat_id,)
                )
            ]
            kept = []
            last = 0
            for side, kind, text, sender, position, is_doubtful in self._archive.execute(
                "SELECT side, kind, text, sender, position, ambiguous FROM messages"
                " WHERE conversation_id = ? ORDER BY position, id",
                (chat_id,),
            ):
                here = any(last < at <= position for at in gaps)
                kept.append(Kept(look_of(side, kind, text, sender), here, bool(is_doubtful)))
                last = position
            found[title] = (kept, any(at > last for at in gaps))
        return found

    def close(self) -> None:
        """End both processes."""
        for child in (self.agent, self.controller):
            if child is not None:
                child.signal(signal.SIGKILL)
                child.end()
        self._archive.close()


def look_of(side: str, kind: str, text: str, sender: str) -> Look:
    """Return what is compared of a message: of what is no text, its words differ by page."""
    return Look(side, kind, text if kind in ("text", "quote", "system") else "", sender)


def said_of(line: Line, *, is_hidden: bool = False) -> Said:
    """Return how a line of the world may look in an archive."""
    looks = {look_of(line.side, line.kind, line.text, line.sender if line.side == "in" else "")}
    if line.recalled_at_ms:
        looks.add(look_of("system", "system", line.recall_line, ""))
    return Said(frozenset(looks), may_be_missing=is_hidden or bool(line.removed_at_ms))


@contextmanager
def world_rig(folder: Path, adb: AdbServer) -> Iterator[WorldRig]:
    """Have a rig for a while."""
    made = WorldRig(folder, adb)
    try:
        yield made
    finally:
        made.close()
