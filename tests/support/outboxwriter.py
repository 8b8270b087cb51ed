"""Writes into an outbox until it is killed, and says after each commit what must never be lost."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from agent.boottime import boot_id, boot_ms
from agent.capture.chats import ChatRead, SeenBubble, Tail
from agent.intents import Intents
from agent.model import Bubble, Ended, FriendAdd, LeasedTask, Result
from agent.outbox import Outbox
from protos.facts import PhoneStateChanged


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def chat(tail: Tail, n: int) -> ChatRead:
    bubble = Bubble(side="in", kind="text", text=f"line {n}", time_label="")
    position = tail.position + 1
    return ChatRead(
        "k", "t", "private", (SeenBubble(position, bubble, False),), "", Tail(position, (bubble,))
    )


def task_named(task_id: str, outbox: Outbox) -> LeasedTask:
    return LeasedTask(
        task_id=task_id,
        job_id="j",
        attempt=1,
        permit_id="p",
        phone_epoch=outbox.phone_epoch,
        until_boot_ms=boot_ms() + 120_000,
        boot_id=boot_id(),
        action=FriendAdd(query="q", query_kind="mobile", greeting="", remark=""),
    )


def main(path: str) -> None:
    outbox = Outbox.open(Path(path))
    intents = Intents(outbox)
    say("open", outbox.highest)
    for n in itertools.count(outbox.highest + 1):
        outbox.add(
            PhoneStateChanged(state="ready", cause=str(n)), PhoneStateChanged(state="busy", cause=str(n))
        )
        say("event", outbox.highest)
        seqs = outbox.add_chat(chat(outbox.tail_of("k"), n))
        say("chat", outbox.tail_of("k").position, seqs[-1])
        task = task_named(f"t{n}", outbox)
        intents.receive(task)
        say("received", task.task_id)
        intents.arm(task)
        say("armed", task.task_id)
        intents.end(task, Ended(result=Result.DONE, outcome="requested"))
        say("ended", task.task_id)
        if n % 3 == 0:
            outbox.ack(outbox.highest - 2)
            say("acked", outbox.acked)


if __name__ == "__main__":
    main(sys.argv[1])
