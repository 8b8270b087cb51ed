"""Worlds that Hypothesis makes up: who says what, and what goes wrong meanwhile; one step after another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.support.worldrig import GROUP, PRIVATE, World

CHATS = (*PRIVATE, GROUP)
# Few and alike: what repeats is what is hard to join.
TEXTS = (
    "好的",
    "好的",
    "好的",
    "嗯",
    "收到👍🏽",
    "收到..\n稍等",
    "在吗?",
    "您好,请问什么时候发货",
    "长" * 90,
)
MEMBERS = ("阿明", "阿芳")
KINDS = (
    *("text", "text", "text", "text", "text", "image", "voice", "sticker", "transfer", "file", "link"),
    *(
        "location",
        "contact_card",
        "quote",
        "red_packet",
        "voice_call",
        "mini_program",
        "video",
        "chat_record",
    ),
)
# Places at which an agent ends in the middle of reading or writing down a chat.
PLACES = (
    "agent.note_due.before_commit",
    "agent.note_due.after_commit",
    "agent.add_chat.before_commit",
    "agent.add_chat.after_commit",
    "agent.ack.before_commit",
    "agent.sent.batch",
    "device.before.swipePoints",
    "device.before.click",
    "device.before.pressKey",
)
FAULTS = (
    ("drop", "dumpWindowHierarchy"),
    ("http_500", "dumpWindowHierarchy"),
    ("drop", "click"),
    ("lost_after_act", "click"),
    ("lost_after_act", "swipePoints"),
    ("drop", "swipePoints"),
    ("lost_after_act", "pressKey"),
    ("empty_tree", "dumpWindowHierarchy"),
    ("server_killed", "*"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; its words are what a failing example shows."""

    words: str
    do: Any

    def __repr__(self) -> str:
        """Return the words."""
        return self.words


def _say(world: World, chat: str, said: tuple[tuple[str, str, str], ...]) -> None:
    for text, side, kind in said:
        sender = MEMBERS[len(text) % 2] if chat == GROUP and side == "in" else ""
        # What a call's line says are the client's words, never a person's.
        words = "已取消" if kind.endswith("_call") else text
        world.say(chat, words, side=side, kind=kind, sender=sender)


def _steps(
    kinds: tuple[str, ...],
) -> st.SearchStrategy[Step]:
    line = st.tuples(
        st.sampled_from(TEXTS), st.sampled_from(("in", "in", "in", "out")), st.sampled_from(kinds)
    )
    chat = st.sampled_from(CHATS)
    return st.one_of(
        st.builds(
            lambda who, said: Step(
                f"say({who}, {[one[:3] for one in said]})", partial(_say, chat=who, said=tuple(said))
            ),
            chat,
            st.lists(line, min_size=1, max_size=3),
        ),
        st.builds(
            lambda who, text, count: Step(
                f"burst({who}, {text[:6]!r} x {count})",
                partial(_say, chat=who, said=((text, "in", "text"),) * count),
            ),
            chat,
            st.sampled_from(TEXTS),
            st.integers(2, 25),
        ),
        st.builds(
            lambda who, back: Step(f"recall({who}, {back})", lambda world: world.recall(who, back)),
            chat,
            st.integers(0, 3),
        ),
        st.builds(
            lambda who, what: Step(f"remove({who}, {what})", lambda world: world.remove(who, what)),
            chat,
            st.sampled_from(("clear", "row", "hide")),
        ),
        st.builds(
            lambda who, back: Step(
                f"transcribe({who}, {back})",
                lambda world: world.change(who, back, transcript="你好", is_transcribed=True),
            ),
            chat,
            st.integers(0, 2),
        ),
        st.builds(
            lambda seconds: Step(f"wait({seconds})", lambda world: world.keep(seconds)),
            st.sampled_from((0.0, 0.05, 0.3, 0.8)),
        ),
        st.builds(
            lambda who, what: Step(f"hand({who}, {what})", lambda world: world.hand(who, what)),
            chat,
            st.sampled_from(("open", "scroll", "send", "back")),
        ),
        st.just(Step("kill agent", lambda world: world.kill_agent())),
        st.just(Step("restart controller", lambda world: world.restart_controller())),
        st.just(Step("unplug", lambda world: world.unplug())),
        st.builds(
            lambda place, n: Step(f"agent ends at {place}:{n}", lambda world: world.end_agent_at(place, n)),
            st.sampled_from(PLACES),
            st.integers(1, 4),
        ),
        st.builds(
            lambda fault: Step(
                f"fault {fault[0]} on {fault[1]}", lambda world: world.phone.faults(fault[0], fault[1], 1)
            ),
            st.sampled_from(FAULTS),
        ),
    )


def scripts(kinds: tuple[str, ...] = KINDS) -> st.SearchStrategy[list[Step]]:
    """Return worlds of a few steps."""
    return st.lists(_steps(kinds), min_size=3, max_size=12)
