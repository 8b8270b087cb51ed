"""A small POSIX-like shell: lists, pipelines, quoting, variables, substitution, redirection."""

from __future__ import annotations

import asyncio
import fnmatch
import posixpath
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from agent.virtual.files import FileError, normal
from agent.virtual.handset import Handset
from agent.virtual.shellfaults import StreamCut, struck
from agent.virtual.shellio import BytesInput, Input, NoInput, Output, QueueInput
from agent.virtual.shellwords import (
    Choice,
    Group,
    Kind,
    Part,
    Pipeline,
    Redirect,
    Sequence,
    ShellSyntaxError,
    Stage,
    Word,
    parse,
)

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
NOT_FOUND = 127
SYNTAX_ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command as it is run: arguments without its name, environment, and its three streams."""

    shell: Shell
    name: str
    args: list[str]
    env: Mapping[str, str]
    stdin: Input
    out: Output
    err: Output

    @property
    def handset(self) -> Handset:
        """Return the phone the command runs on."""
        return self.shell.handset

    def path(self, path: str) -> str:
        """Return a path made absolute."""
        return normal(path, self.shell.cwd)

    def fail(self, text: str, code: int = 1) -> int:
        """Write `name: text` to stderr and return the exit code."""
        self.err.line(f"{self.name}: {text}")
        return code


Command = Callable[[Call], Awaitable[int]]


class ShellExit(Exception):
    """`exit` was called."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Shell:
    """One shell session on a phone; `commands` are its programs by name."""

    def __init__(self, handset: Handset, commands: Mapping[str, Command]) -> None:
        self.handset, self.commands = handset, commands
        self.cwd = "/"
        self.status = 0
        self.variables = {
            "HOME": "/",
            "PATH": "/product/bin:/apex/com.android.runtime/bin:/system/bin:/system/xbin:/vendor/bin",
            "USER": "shell",
            "ANDROID_DATA": "/data",
        }
        self.jobs: set[asyncio.Task[int]] = set()

    async def run(self, text: str, stdin: Input, out: Output, err: Output) -> int:
        """Run a line or script and return its exit code; all output is flushed."""
        try:
            self.status = await self._sequence(parse(text), stdin, out, err)
        except ShellExit as ended:
            self.status = ended.code
        except ShellSyntaxError as error:
            err.line(f"/system/bin/sh: {error}")
            self.status = SYNTAX_ERROR
        await out.flush()
        await err.flush()
        return self.status

    async def run_args(
        self, words: list[str], stdin: Input, out: Output, err: Output, env: Mapping[str, str] | None = None
    ) -> int:
        """Run one command without any shell syntax; 127 if there is none of that name."""
        name = posixpath.basename(words[0]) if words[0].startswith("/") else words[0]
        command = self.commands.get(name)
        if command is None:
            err.line(f"/system/bin/sh: {words[0]}: inaccessible or not found")
            return NOT_FOUND
        call = Call(
            shell=self,
            name=name,
            args=words[1:],
            env={**self.variables, **(env or {})},
            stdin=stdin,
            out=out,
            err=err,
        )
        try:
            async with struck(self.handset.faults, f"shell:{name}"):
                return await command(call)
        except StreamCut:
            out.discard()
            err.discard()
            raise
        except (ValueError, IndexError, FileError) as error:
            return call.fail(f"bad arguments ({type(error).__name__})")
        finally:
            if err is not out:
                await err.flush()
            await out.flush()

    # --- running the tree

    async def _sequence(self, sequence: Sequence, stdin: Input, out: Output, err: Output) -> int:
        for place, (joint, pipeline) in enumerate(sequence.items):
            if (joint == "&&" and self.status) or (joint == "||" and not self.status):
                continue
            if place in sequence.in_background:
                task = asyncio.create_task(self._pipeline(pipeline, NoInput(), out, err))
                self.jobs.add(task)
                task.add_done_callback(self.jobs.discard)
                self.status = 0
            else:
                self.status = await self._pipeline(pipeline, stdin, out, err)
        return self.status if sequence.items else 0

    async def _pipeline(self, pipeline: Pipeline, stdin: Input, out: Output, err: Output) -> int:
        source, feeders = stdin, []
        for stage in pipeline.stages[:-1]:
            pipe = QueueInput()
            feeders.append(asyncio.create_task(self._feed(stage, source, pipe, err)))
            source = pipe
        try:
            status = await self._stage(pipeline.stages[-1], source, out, err)
        finally:
            for feeder in feeders:  # a writer whose reader has ended gets SIGPIPE
                feeder.cancel()
            await asyncio.gather(*feeders, return_exceptions=True)
        return int(not status) if pipeline.is_negated else status

    async def _feed(self, stage: Stage, source: Input, pipe: QueueInput, err: Output) -> None:
        await self._stage(stage, source, Output(pipe.feed), err)
        await pipe.feed(b"")

    async def _stage(self, stage: Stage, stdin: Input, out: Output, err: Output) -> int:
        files: list[tuple[str, bytearray]] = []
        try:
            for redirect in stage.redirects:
                stdin, out, err = await self._redirect(redirect, stdin, out, err, files)
        except FileError as error:
            err.line(f"/system/bin/sh: can't open: {error.reason}")
            await err.flush()
            return 1
        status = await self._body(stage, stdin, out, err)
        await out.flush()
        await err.flush()
        for path, content in files:
            self.handset.files.write(path, bytes(content))
        return status

    async def _body(self, stage: Stage, stdin: Input, out: Output, err: Output) -> int:
        if isinstance(stage, Group):
            return await self.subshell().run_sequence(stage.body, stdin, out, err)
        if isinstance(stage, Choice):
            return await self._choice(stage, stdin, out, err)
        words = list(stage.words)
        assigned: dict[str, str] = {}
        while words and words[0] and _is_assignment(words[0]):
            name, _, _ = words[0][0].text.partition("=")
            value = await self._joined(words.pop(0), err)
            assigned[name] = value.partition("=")[2]
        fields = [field for word in words for field in await self._fields(word, err)]
        if not fields:
            self.variables.update(assigned)
            return self.status if any(_substitutes(word) for word in stage.words) else 0
        return await self.run_args(fields, stdin, out, err, assigned)

    async def _choice(self, choice: Choice, stdin: Input, out: Output, err: Output) -> int:
        for condition, body in choice.branches:
            if await self._sequence(condition, stdin, out, err) == 0:
                return await self._sequence(body, stdin, out, err)
        if choice.otherwise is not None:
            return await self._sequence(choice.otherwise, stdin, out, err)
        return 0

    async def run_sequence(self, sequence: Sequence, stdin: Input, out: Output, err: Output) -> int:
        """Run a parsed list in this shell; `exit` ends the list only."""
        try:
            return await self._sequence(sequence, stdin, out, err)
        except ShellExit as ended:
            return ended.code

    async def _redirect(
        self, redirect: Redirect, stdin: Input, out: Output, err: Output, files: list[tuple[str, bytearray]]
    ) -> tuple[Input, Output, Output]:
        if redirect.operator == "2>&1":
            return stdin, out, out
        if redirect.operator == ">&2":
            return stdin, err, err
        path = normal(await self._joined(redirect.target, err), self.cwd)
        if redirect.operator == "<":
            return BytesInput(self.handset.files.read(path)), out, err
        target = self._output_to(path, files, is_append=redirect.operator.endswith(">>"))
        return (stdin, out, target) if redirect.operator.startswith("2") else (stdin, target, err)

    def _output_to(self, path: str, files: list[tuple[str, bytearray]], *, is_append: bool) -> Output:
        content = bytearray()
        if path != "/dev/null":
            self.handset.files.check_writable(path)
            if is_append and self.handset.files.get(path) is not None:
                content += self.handset.files.read(path)
            files.append((path, content))

        async def sink(data: bytes) -> None:
            content.extend(data)

        return Output(sink)

    def subshell(self) -> Shell:
        """Return a shell with copies of this one's variables."""
        shell = Shell(self.handset, self.commands)
        shell.cwd, shell.status = self.cwd, self.status
        shell.variables = dict(self.variables)
        return shell

    # --- words

    async def _joined(self, word: Word, err: Output) -> str:
        return "".join([await self._value(part, err) for part in word])

    async def _fields(self, word: Word, err: Output) -> list[str]:
        fields: list[str] = []
        current: str | None = None
        is_pattern = False
        for part in word:
            value = await self._value(part, err)
            if part.is_quoted or part.kind is Kind.LITERAL:
                current = (current or "") + value
                is_pattern = is_pattern or (not part.is_quoted and any(sign in value for sign in "*?["))
                continue
            pieces = value.split()
            if value[:1].isspace() and current is not None:
                fields.append(current)
                current = None
            for place, piece in enumerate(pieces):
                if place:
                    fields.append(current or "")
                    current = None
                current = (current or "") + piece
        if current is not None:
            fields.append(current)
        return [name for field in fields for name in self._matches(field)] if is_pattern else fields

    async def _value(self, part: Part, err: Output) -> str:
        if part.kind is Kind.LITERAL:
            return part.text
        if part.kind is Kind.COMMAND:
            return await self._substitute(part.text, err)
        if part.text == "?":
            return str(self.status)
        if part.text == "$":
            return str(id(self) % 30_000 + 1_000)
        name, _, default = part.text.partition(":-")
        return self.variables.get(name, "") or default

    async def _substitute(self, text: str, err: Output) -> str:
        gathered = bytearray()

        async def sink(data: bytes) -> None:
            gathered.extend(data)

        shell = self.subshell()
        self.status = await shell.run_sequence(parse(text), NoInput(), (out := Output(sink)), err)
        await out.flush()
        return gathered.decode("utf-8", "surrogateescape").rstrip("\n")

    def _matches(self, pattern: str) -> list[str]:
        folder, name = posixpath.split(pattern)
        if not any(sign in name for sign in "*?["):
            return [pattern]
        try:
            names = [each for each, _ in self.handset.files.names(normal(folder or ".", self.cwd))]
        except FileError:
            return [pattern]
        found = [posixpath.join(folder, each) for each in names if fnmatch.fnmatchcase(each, name)]
        return found or [pattern]


def _is_assignment(word: Word) -> bool:
    first = word[0]
    return first.kind is Kind.LITERAL and not first.is_quoted and bool(_ASSIGNMENT.match(first.text))


def _substitutes(word: Word) -> bool:
    return any(part.kind is Kind.COMMAND for part in word)
