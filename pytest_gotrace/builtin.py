"""What the gate does where no project wants it otherwise, through the same hooks as everybody else.

Registered first and marked `trylast`, so each of these runs only when no other plugin gave an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_gotrace.gotest import GoCommand
    from pytest_gotrace.metrics import Key, Metric
    from pytest_gotrace.sinks.protocol import Sink
    from pytest_gotrace.stats import Cell, Comparison, Decision, Plan
    from pytest_gotrace.verdict import Verdict


@pytest.hookimpl(trylast=True)
def pytest_gotrace_go_command(command: GoCommand) -> GoCommand:
    """As it is."""
    return command


@pytest.hookimpl(trylast=True)
def pytest_gotrace_metrics() -> Sequence[Metric]:
    """The catalogue."""
    from pytest_gotrace.distributions import built_in_metrics

    return built_in_metrics()


@pytest.hookimpl(trylast=True)
def pytest_gotrace_key(key: Key) -> Key:
    """As it is."""
    return key


@pytest.hookimpl(trylast=True)
def pytest_gotrace_compare(
    cells: Sequence[Cell], look: int, plan: Plan, previous: Sequence[Decision | None]
) -> Sequence[Comparison]:
    """The procedure of `pytest_gotrace.stats`."""
    from pytest_gotrace.stats import judge

    return judge(cells, look=look, plan=plan, previous=previous)


@pytest.hookimpl(trylast=True)
def pytest_gotrace_verdict(verdict: Verdict) -> Verdict:
    """As it is."""
    return verdict


@pytest.hookimpl(trylast=True)
def pytest_gotrace_sinks(config: pytest.Config) -> Sequence[Sink]:
    """The three files of a report where `--gotrace-report` says, and the step summary of GitHub Actions."""
    from pathlib import Path

    from pytest_gotrace.sinks import built_in
    from pytest_gotrace.templating import read_template

    directory, template = config.getoption("gotrace_report"), config.getoption("gotrace_template")
    return built_in(
        Path(directory) if directory else None, read_template(Path(template)) if template else None
    )
