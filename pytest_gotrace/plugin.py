"""Door 1: pytest collects the budget file, the gate measures once, and each rule on each benchmark is an item.

This module is imported in every session of every project in whose environment we are installed, so it imports nothing
heavy, and does nothing without a `--gotrace-*` option. What happens with one is in `session` and `items`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_gotrace.fixture import Gotrace

_BUDGET_SUFFIXES = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the gate; without any of them the plugin does nothing."""
    group = parser.getgroup("gotrace", "Go execution traces against a budget")
    for name, settings in _OPTIONS.items():
        group.addoption(name, dest=name[2:].replace("-", "_"), **settings)


_OPTIONS: dict[str, dict[str, Any]] = {
    "--gotrace-baseline": {
        "nargs": "?",
        "const": "",
        "default": None,
        "metavar": "REV|FILE.jsonl",
        "help": "compare with this revision or recording; alone: with the merge-base with the default branch",
    },
    "--gotrace-aa": {
        "action": "store_true",
        "help": "compare the head with itself: what this machine can see, and which budgets can be kept on it",
    },
    "--gotrace-aa-write": {
        "action": "store_true",
        "help": "the same, and write the proposed budgets into the budget file",
    },
    "--gotrace-head": {"metavar": "REV", "help": "measure this revision instead of the working tree"},
    "--gotrace-record": {"metavar": "FILE.jsonl", "help": "write every run to this file (JSON Lines)"},
    "--gotrace-noise-memory": {
        "metavar": "FILE.jsonl",
        "action": "append",
        "help": "an earlier recording, of which the noise of each number is remembered; may be given again",
    },
    "--gotrace-continue": {
        "metavar": "FILE.jsonl",
        "help": "go on with the test that was recorded here for the same two revisions, instead of starting anew",
    },
    "--gotrace-from": {
        "metavar": "GLOB",
        "help": "measure nothing: judge these recordings of both sides, the shards of a matrix, as one",
    },
    "--gotrace-shards": {
        "metavar": "N",
        "type": int,
        "help": "with --gotrace-from: how many shards there must be; a missing one is an error",
    },
    "--gotrace-allow-foreign": {
        "action": "store_true",
        "help": "accept a recording of another machine; then nothing is decided, only shown",
    },
    "--gotrace-report": {
        "metavar": "DIR",
        "help": "write report.json, summary.md, report.html and metrics.txt into this directory",
    },
    "--gotrace-template": {
        "metavar": "FILE.md.j2",
        "help": "lay out summary.md and the step summary by this template (docs/templates.md)",
    },
    "--gotrace-keep-traces": {
        "choices": ("none", "changed", "all"),
        "default": "changed",
        "help": "whose traces stay in the report's directory: of what is over its budget (changed), of all, or of none",
    },
    "--gotrace-pairs": {
        "metavar": "N",
        "type": int,
        "help": "at most N pairs of runs (default: 20, by the budget)",
    },
    "--gotrace-run-time": {
        "metavar": "TIME",
        "help": "how long one run should last (default: 250ms); longer runs vary less, and need fewer pairs",
    },
    "--gotrace-seed": {"metavar": "N", "type": int, "help": "the seed of the order of runs, to repeat it"},
    "--gotrace-cpus": {
        "metavar": "LIST",
        "help": "run benchmarks on these CPUs only, like 0,1 or 2-5 (Linux)",
    },
    "--gotrace-env-pass": {
        "metavar": "NAME",
        "action": "append",
        "help": "let benchmarks see this variable, too; on CI they see only what Go needs; may be given again",
    },
    "--gotrace-isolate-cache": {
        "action": "store_true",
        "help": "build each side with an empty build cache of its own (slower)",
    },
    "--gotrace-shard": {
        "metavar": "I/N",
        "help": "measure only part I of N of the benchmarks, balanced by the noise memory's recordings",
    },
    "--gotrace-changed-packages": {
        "action": "store_true",
        "help": "measure only packages that the change reaches, by themselves or by what they import",
    },
    "--gotrace-time-budget": {
        "metavar": "TIME",
        "help": "stop measuring at the first look after this time (10m); what is undecided stays inconclusive",
    },
    "--gotrace-timeout": {
        "metavar": "TIME",
        "help": "kill a benchmark process after this time (default: 10m)",
    },
}


#: Those that make a session a gate.
_GATES = ("gotrace_baseline", "gotrace_aa", "gotrace_aa_write", "gotrace_record", "gotrace_from")

#: Those that the fixture heeds, too.
_FIXTURE = (
    "--gotrace-cpus",
    "--gotrace-env-pass",
    "--gotrace-head",
    "--gotrace-run-time",
    "--gotrace-seed",
    "--gotrace-timeout",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks of `hookspec`."""
    from pytest_gotrace import hookspec

    pluginmanager.add_hookspecs(hookspec)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """`--gotrace-baseline gotrace.yaml` means the option alone, and a path."""
    for index, argument in enumerate(args[:-1]):
        if argument == "--gotrace-baseline" and _is_path(args[index + 1]):
            args[index] = "--gotrace-baseline="


def _is_path(argument: str) -> bool:
    """No revision ends like a budget file or begins like a relative path; any other name may be either."""
    path = argument.split("::", 1)[0]
    if path.endswith(_BUDGET_SUFFIXES) or path in (".", "..") or path.startswith(("./", "../", "/")):
        return True
    return os.path.exists(path) and not path.endswith(".jsonl") and not _is_revision(path)


def _is_revision(name: str) -> bool:
    from pytest_gotrace import checkout
    from pytest_gotrace.errors import CheckoutError

    try:
        with checkout.open_repository(Path.cwd()) as repository:
            repository.resolve(name)
    except CheckoutError:
        return False
    return True


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what would poison the numbers; then hand over to the session."""
    from pytest_gotrace import builtin

    config.pluginmanager.register(builtin, "gotrace-builtin")
    if not any(config.getoption(name) not in (None, False) for name in _GATES):
        _refuse_lonely(config.invocation_params.args)
        return
    if hasattr(config, "workerinput") or config.getoption("numprocesses", None):
        raise pytest.UsageError(
            "--gotrace-* measures, and workers of pytest-xdist that run at the same time would disturb each other. "
            "Leave out -n, or record in one job (--gotrace-record) and judge elsewhere."
        )
    _check_template(config.getoption("gotrace_template"))
    from pytest_gotrace.session import GateSession

    config.pluginmanager.register(GateSession(config), "gotrace-session")
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [str(config.invocation_params.dir)]


def _check_template(name: str | None) -> None:
    """A mistake in it should not be found out after an hour of measuring."""
    if name:
        from pytest_gotrace.errors import UsageError
        from pytest_gotrace.templating import read_template

        try:
            read_template(Path(name))
        except UsageError as error:
            raise pytest.UsageError(f"--gotrace-template: {error}") from error


def _refuse_lonely(arguments: Sequence[str | os.PathLike[str]]) -> None:
    """An option on the command line about a gate, but none that says to have one. (In `addopts` it may wait.)"""
    given = (str(argument).split("=", 1)[0] for argument in arguments)
    lonely = next((name for name in given if name in _OPTIONS and name not in _FIXTURE), None)
    if lonely is not None:
        raise pytest.UsageError(
            f"{lonely} alone measures nothing: add --gotrace-baseline (compare with the merge-base), "
            "--gotrace-baseline=REV, --gotrace-record=FILE.jsonl or --gotrace-from=GLOB"
        )


@pytest.fixture
def gotrace(request: pytest.FixtureRequest) -> Gotrace:
    """Measure benchmarks and read traces in a test, for assertions that a budget cannot say::

    def test_db_is_most_of_a_request(gotrace):
        measured = gotrace.measure("./handler", bench="BenchmarkHandler/large")
        assert measured.head["region[db].total"] > 0.5 * measured.head["task[request].total"]
    """
    from pytest_gotrace.fixture import Gotrace

    return Gotrace(request.config)
