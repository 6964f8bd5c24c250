"""What a place to send reports to must offer."""

from __future__ import annotations

from typing import Protocol

from pytest_gotrace.report import Report


class Sink(Protocol):
    """One place that a finished report goes to; called once per run, whatever the verdict is.

    `name` is how messages call it. `write` answers one line for the person at the terminal (where the report
    went), or None if there is nothing to say. A `GotraceError` that it raises is shown under `name` and does
    not change the verdict.
    """

    @property
    def name(self) -> str: ...

    def write(self, report: Report) -> str | None: ...
