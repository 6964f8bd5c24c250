"""The six places where a project may have its own way. Put the functions into a `conftest.py`.

Arguments never change: a hook that wants something else returns a new value. What the gate does by itself is
implemented through the same hooks (`pytest_gotrace.builtin`), after everybody else had a chance.
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


@pytest.hookspec(firstresult=True)
def pytest_gotrace_go_command(config: pytest.Config, command: GoCommand) -> GoCommand | None:
    """Change how a benchmark process is started: environment, arguments, a wrapper such as `taskset`.

    Called for each run on each side; the first answer counts::

        def pytest_gotrace_go_command(command):
            return dataclasses.replace(command, argv=("taskset", "-c", "0,1", *command.argv))
    """


@pytest.hookspec
def pytest_gotrace_metrics(config: pytest.Config) -> Sequence[Metric]:
    """Add metrics of your own, which the budget may then name.

    `events` gets the measured round and returns durations by subject (`pytest_gotrace.rounds.Round`)::

        def pytest_gotrace_metrics():
            def events(measured):
                rows, picked = measured.table.ranges, measured.ranges("GC concurrent mark phase")
                return {"": measured.durations(rows.begin[picked], rows.end[picked])}
            return [Metric(name="gc-mark", unit="ns", traced=True, about="concurrent mark", events=events)]
    """


@pytest.hookspec(firstresult=True)
def pytest_gotrace_key(config: pytest.Config, key: Key) -> Key | None:
    """Rename what events belong to; keys that become equal are merged. Called once per name and run::

    def pytest_gotrace_key(key):
        if key.metric == "region" and key.subject.startswith("request-"):
            return dataclasses.replace(key, subject="request")
    """


@pytest.hookspec(firstresult=True)
def pytest_gotrace_compare(
    config: pytest.Config,
    cells: Sequence[Cell],
    look: int,
    plan: Plan,
    previous: Sequence[Decision | None],
) -> Sequence[Comparison] | None:
    """Use another statistical procedure. It gets the whole family at once, since it must answer for all false alarms.

    `previous` are the decisions of the look before, in the order of `cells`; what was decided stays so::

        def pytest_gotrace_compare(cells, look, plan, previous):
            exact = dataclasses.replace(plan, method="exact")
            return stats.judge(cells, look=look, plan=exact, previous=previous)
    """


@pytest.hookspec(firstresult=True)
def pytest_gotrace_verdict(config: pytest.Config, verdict: Verdict) -> Verdict | None:
    """Have the last word on one verdict::

    def pytest_gotrace_verdict(verdict):
        if verdict.outcome is Outcome.OVER and verdict.question.benchmark.package == "legacy":
            return dataclasses.replace(verdict, outcome=Outcome.INCONCLUSIVE, reason="legacy code is not judged")
    """


@pytest.hookspec
def pytest_gotrace_sinks(config: pytest.Config) -> Sequence[Sink]:
    """Send the report somewhere else, after the run::

    class Chat:
        name = "chat"
        def write(self, report):
            post(verdict_sentence(report))

    def pytest_gotrace_sinks():
        return [Chat()]
    """
