"""One program at a time, in a process group of its own, with an end to its time and its output.

A benchmark is somebody's code: it may hang, print without end, or leave children behind. Nothing of it
outlives the call, whatever happens, Ctrl-C included.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO

from .errors import GoTestError

MIB = 1 << 20
TAIL_LINES = 40
TAIL_BYTES = 4096

_LOOK_EVERY = 0.25
"""Seconds between two looks at the sizes of files: rare enough not to disturb what is being measured."""

_GRACE = 2.0
"""Seconds between asking a process group to end and ending it."""

_MARK = "\x16"
"""What Go puts before its own lines, to tell them from a test's. Nobody else needs to see it."""


class Stopped(Enum):
    """Why we ended a program that had not ended by itself."""

    NOT = "ended by itself"
    TIME = "out of time"
    OUTPUT = "printed too much"
    FILE = "wrote too large a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a program may go: `seconds` of wall clock, `output` bytes printed, `file_bytes` in `file`.

    `cpus` are the numbers of those it may run on; none says that it may run on all. (Linux only.)
    """

    seconds: float
    output: int = 8 * MIB
    file: Path | None = None
    file_bytes: int = 1024 * MIB
    cpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A program that has ended. `code` is negative for a signal; `output` is stdout and stderr mixed."""

    command: tuple[str, ...]
    code: int
    output: str = field(repr=False)
    stopped: Stopped = Stopped.NOT

    def error(self, message: str) -> GoTestError:
        """What to raise when this end of the program is not the one that was hoped for."""
        return GoTestError(message, self.command, self.code, tail(self.output))


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], limits: Limits) -> Finished:
    """Run `command` to its end, or to its limits, and leave no process of its group behind.

    Raises `GoTestError` when the program cannot be started at all.
    """
    with tempfile.TemporaryFile(prefix="gotrace-output-") as output:
        with on_cpus(limits.cpus):
            process = _start(command, cwd=cwd, env=env, output=output)
        try:
            stopped = _wait(process, limits, output)
            if stopped is not Stopped.NOT:
                _ask_to_end(process)
        finally:
            _end(process)
        output.seek(0)
        text = output.read(limits.output).decode("utf-8", "replace")
    return Finished(command=tuple(command), code=process.returncode, output=text, stopped=stopped)


def tail(output: str) -> str:
    """The last lines a program printed, at most 40 and 4 KiB, with control characters made visible."""
    lines = output.rstrip().splitlines()[-TAIL_LINES:]
    bare = (line.removeprefix(_MARK) for line in lines)
    visible = "\n".join(re.sub(r"[^\t\x20-\x7e\xa0-\U0010ffff]", _visible, line) for line in bare)
    raw = visible.encode("utf-8", "replace")
    if len(raw) <= TAIL_BYTES:
        return visible
    return "…" + raw[-(TAIL_BYTES - len("…".encode())) :].decode("utf-8", "ignore")


def _visible(found: re.Match[str]) -> str:
    return f"\\x{ord(found.group()):02x}"


def _start(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except PermissionError as error:
        advice = "if the directory is mounted noexec, set TMPDIR to one that is not"
        raise GoTestError(
            f"{command[0]}: cannot be started: {error.strerror}; {advice}", tuple(command)
        ) from error
    except OSError as error:
        raise GoTestError(
            f"{command[0]}: cannot be started in {cwd}: {error.strerror}", tuple(command)
        ) from error


@contextlib.contextmanager
def on_cpus(cpus: tuple[int, ...]) -> Iterator[None]:
    """This thread, and what it starts meanwhile, on these CPUs only. (Setting it after the fork needs Python to run
    between fork and exec, which is not safe beside other threads.)
    """
    if sys.platform != "linux" or not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wait(process: subprocess.Popen[bytes], limits: Limits, output: IO[bytes]) -> Stopped:
    deadline = time.monotonic() + limits.seconds
    with _ended_within(process) as ended_within:
        while True:
            remaining = deadline - time.monotonic()
            if ended_within(max(0.0, min(remaining, _LOOK_EVERY))):
                return Stopped.NOT
            if remaining <= 0:
                return Stopped.TIME
            if os.fstat(output.fileno()).st_size > limits.output:
                return Stopped.OUTPUT
            if limits.file is not None and _size(limits.file) > limits.file_bytes:
                return Stopped.FILE


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextlib.contextmanager
def _ended_within(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], bool]]:
    """A question, `ended within so many seconds?`, that costs no polling where the kernel can be asked to
    wake us.

    (`Popen.wait(timeout)` wakes up every 50 ms, beside the benchmark that is being measured.)
    """
    descriptor = _process_descriptor(process.pid)
    if descriptor is None:
        yield lambda seconds: _wait_for(process, seconds)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield lambda seconds: bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)


def _process_descriptor(pid: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # a kernel before 5.3, or a sandbox that lacks the call
        return None


def _wait_for(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    _wait_for(process, _GRACE)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, children of a leader that ended well included, and reap it."""
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        os.killpg(process.pid, number)
