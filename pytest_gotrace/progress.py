"""How far the work is, for a person who waits: a live line on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_gotrace.escape import log_line, visible
from pytest_gotrace.units import format_duration

if TYPE_CHECKING:
    from rich.console import Console

#: Without a terminal, one line at most each so many seconds: enough to see that it lives.
_QUIET_SECONDS = 15.0

#: Columns that are not the text's: the spinner, a space, and the last one, in which some terminals begin a new line.
_SPINNER = 3


class Silent:
    """Nobody is looking."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to take away."""

    def step(self, text: str) -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def round(self, done: int, planned: int, benchmark: str, seconds_left: float) -> None:
        """Say nothing."""

    def judged(self, so_far: str) -> None:
        """Say nothing."""


class Shown:
    """Progress on a `rich` console. Use it in a `with` statement; only what is meant to stay stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Any = None
        self._last_line = 0.0
        self._so_far = ""

    def __enter__(self) -> Shown:
        if self._console.is_terminal:
            # pytest may be in the middle of a line, in which it counts what it collects and which it writes again
            self._console.file.write("\r\x1b[2K")
            self._status = self._console.status("starting", spinner="dots")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def step(self, text: str) -> None:
        """Something that takes a while begins."""
        self._say(text)

    def round(self, done: int, planned: int, benchmark: str, seconds_left: float) -> None:
        """A run of pair `done` (0 is the one that warms up) is in; `seconds_left` is the longest it can still take.

        What a narrow terminal cuts off comes last.
        """
        pair = f"pair {done} of at most {planned}" if done else "warming up"
        verdicts = f"; so far {self._so_far}" if self._so_far else ""
        self._say(f"{pair}, {format_duration(seconds_left)} left at the most{verdicts}; {benchmark}")

    def say(self, text: str) -> None:
        """A line that stays: what will be done."""
        self._print(text)

    def judged(self, so_far: str) -> None:
        """How many verdicts there are of each kind by now; from now on it stands beside the progress."""
        self._so_far = so_far

    def _say(self, text: str) -> None:
        if self._status is not None:
            from rich.text import Text  # names come from the repository: they are text, not markup

            line = Text(visible(text))
            line.truncate(max(1, self._console.width - _SPINNER), overflow="ellipsis")
            self._status.update(line)
        elif time.monotonic() - self._last_line > _QUIET_SECONDS:
            self._last_line = time.monotonic()
            self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(f"gotrace: {log_line(text)}", markup=False, highlight=False, soft_wrap=True)
