"""One pytest session with a gate in it: open it, find the budgets, measure before the first item, tell at the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pytest_gotrace.aa import Calibration
from pytest_gotrace.errors import BudgetError, ExitCode, GotraceError, UsageError
from pytest_gotrace.gate import Customs, Gate, Options
from pytest_gotrace.items import PROPERTY, STATUS, BudgetFile, BudgetItem
from pytest_gotrace.measure import RUN_SECONDS
from pytest_gotrace.options import parse_cpus
from pytest_gotrace.progress import Shown
from pytest_gotrace.report import Report, exit_code
from pytest_gotrace.shard import parse_shard
from pytest_gotrace.shardgate import ShardGate
from pytest_gotrace.units import parse_quantity

BUDGET_NAMES = ("gotrace.yaml", "gotrace.yml")
_BUDGET_SUFFIXES = (".yaml", ".yml")


class GateSession:
    """The plugin that is registered when a `--gotrace-*` option is given. It holds what outlives a single hook."""

    def __init__(self, config: pytest.Config) -> None:
        self.usage_error: ExitCode | None = None
        self._config = config
        self._gate: Gate | ShardGate | None = None
        self._report: Report | None = None
        self._calibration: Calibration | None = None
        self._unwritten: tuple[str, ...] = ()
        self._others_failed = False
        self._sent: tuple[str, ...] = ()

    def gate(self) -> Gate | ShardGate:
        """The gate, opened when it is first needed and closed with the session."""
        if self._gate is None:
            directory = Path(self._config.invocation_params.dir)
            self._config.add_cleanup(_interrupted_by(signal.SIGTERM))
            try:
                asked = options(self._config)
                kind = ShardGate if asked.shards else Gate
                self._gate = kind(asked, customs(self._config), Shown(console(self._config)), directory)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from error
            self._config.add_cleanup(self._gate.close)
        return self._gate

    @property
    def report(self) -> Report:
        """The report; there is one as soon as items run."""
        if self._report is None:
            raise RuntimeError("an item of the gate ran before the gate had measured")
        return self._report

    # collecting

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Open the gate before anything is collected: what is wrong with the place is said once."""
        self.gate()

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """With a `--gotrace-*` option and no path, only budget files are collected."""
        if config.args_source is pytest.Config.ArgsSource.ARGS or collection_path.is_dir():
            return None
        return True if collection_path.name not in BUDGET_NAMES else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A budget file by its name, or any YAML file that was named on the command line."""
        named = parent.session.isinitpath(file_path) and file_path.suffix in _BUDGET_SUFFIXES
        if file_path.name in BUDGET_NAMES or named:
            return BudgetFile.from_parent(parent, path=file_path, state=self)
        return None

    # measuring

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Measure everything that was selected, once, before the first item."""
        items = [item for item in session.items if isinstance(item, BudgetItem)]
        option = session.config.option
        stopped = session.testsfailed and not option.continue_on_collection_errors
        on_purpose = not items and self.gate().left_out
        if (items or on_purpose) and not option.collectonly and not stopped:
            try:
                with self.gate().progress:
                    self.gate().answer([item.question for item in items])
                    self._calibrate()
                self._report = self.gate().report()
            except GotraceError as error:
                raise pytest.exit.Exception(str(error), returncode=error.exit_code) from error
        return (yield)

    def _calibrate(self) -> None:
        """After A/A: what it says, written into the budgets if that was asked for."""
        option = self._config.option
        gate = self.gate()
        if isinstance(gate, ShardGate) or not (option.gotrace_aa or option.gotrace_aa_write):
            return
        self._calibration = gate.calibration()
        if option.gotrace_aa_write:
            self._unwritten = tuple(self._write(self._calibration))

    def _write(self, found: Calibration) -> Iterator[str]:
        """Write the proposals. A file that cannot be written costs the exit code, and nothing of what was measured."""
        from pytest_gotrace.budgetedit import write

        for path, limits in found.changes().items():
            try:
                write(path, limits, self.gate().metrics)
            except BudgetError as error:
                self.usage_error = error.exit_code
                yield f"not written: {error}"

    # telling

    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, str] | None:
        """A letter and a word of our own for each outcome."""
        outcome = dict(getattr(report, "user_properties", ())).get(PROPERTY)
        if outcome is None or report.when == "teardown":
            return None
        if report.when == "setup" and not report.failed:
            return "", "", ""
        return STATUS[str(outcome)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember failures that are not the gate's."""
        self._others_failed |= report.failed and PROPERTY not in dict(report.user_properties)

    def _send(self, report: Report) -> Iterator[str]:
        """Hand the report to every sink. One that cannot take it says so and changes no verdict."""
        for sinks in self._config.hook.pytest_gotrace_sinks(config=self._config):
            for sink in sinks:
                try:
                    said = sink.write(report)
                except GotraceError as error:
                    said = f"{sink.name}: {error}"
                if said:
                    yield said

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report to its places, and end with the gate's exit code."""
        if self._report is not None:
            self._sent = tuple(self._send(self._report))
            if session.exitstatus in (ExitCode.PASS, ExitCode.OVER_BUDGET) and not self._others_failed:
                session.exitstatus = exit_code(self._report)
            elif session.exitstatus == ExitCode.NOTHING_MATCHED and not self._report.verdicts:
                session.exitstatus = ExitCode.PASS  # nothing to measure, and not by mistake
        if self.usage_error is not None:
            session.exitstatus = self.usage_error

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdict, as the pull request says it."""
        if self._report is not None:
            from pytest_gotrace.terminal import write, write_calibration

            write(self._report, terminalreporter, self._sent)
            if self._calibration is not None:
                written = self._config.getoption("gotrace_aa_write") and not self._unwritten
                write_calibration(self._calibration, self.gate().root, terminalreporter, written=written)
                for line in self._unwritten:
                    terminalreporter.line(line, red=True)


def _interrupted_by(number: signal.Signals) -> Callable[[], None]:
    """Clean up on this signal as on Ctrl-C, for a CI runner cancels by it; returns how to undo that."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = signal.signal(number, signal.default_int_handler)

    def undo() -> None:
        signal.signal(number, before)

    return undo


def console(config: pytest.Config) -> Console:
    """Where progress is shown: the real standard error.

    While pytest collects, and we build, it redirects the descriptor itself; so this is another one of the same file.
    """
    try:
        file = open(os.dup(sys.__stderr__.fileno()), "w", encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    except (AttributeError, OSError):  # somebody runs pytest without a standard error
        return Console(file=sys.__stderr__)
    config.add_cleanup(file.close)
    return Console(file=file)


def options(config: pytest.Config) -> Options:
    """What was asked for on the command line. Raises `pytest.UsageError`."""

    def seconds(name: str) -> float | None:
        text = config.getoption(name)
        if not text:
            return None
        try:
            value = parse_quantity(text, "ns").value / 1e9
        except UsageError as error:
            raise UsageError(f"--{name.replace('_', '-')}: {error}") from error
        if value <= 0:
            raise UsageError(f"--{name.replace('_', '-')}: expected a time above 0, found {text!r}")
        return value

    record, resume, cpus, report, shard = (
        config.getoption(f"gotrace_{name}") for name in ("record", "continue", "cpus", "report", "shard")
    )
    aa = config.getoption("gotrace_aa") or config.getoption("gotrace_aa_write")
    if aa and config.getoption("gotrace_baseline") is not None:
        raise pytest.UsageError(
            "--gotrace-aa compares the head with itself, so it takes no --gotrace-baseline; "
            "another revision than the working tree is named with --gotrace-head=REV"
        )
    try:
        return Options(
            baseline=config.getoption("gotrace_baseline"),
            aa=aa,
            head=config.getoption("gotrace_head"),
            record=Path(record) if record else None,
            noise_memory=tuple(map(Path, config.getoption("gotrace_noise_memory") or ())),
            allow_foreign=config.getoption("gotrace_allow_foreign"),
            pairs=config.getoption("gotrace_pairs"),
            seed=config.getoption("gotrace_seed"),
            time_budget=seconds("gotrace_time_budget"),
            timeout=seconds("gotrace_timeout"),
            run_seconds=seconds("gotrace_run_time") or RUN_SECONDS,
            resume=Path(resume) if resume else None,
            report=Path(report) if report else None,
            keep_traces=config.getoption("gotrace_keep_traces"),
            cpus=parse_cpus(cpus) if cpus is not None else (),
            shards=_shards(config),
            shards_expected=config.getoption("gotrace_shards"),
            env_pass=tuple(config.getoption("gotrace_env_pass") or ()),
            isolate_cache=config.getoption("gotrace_isolate_cache"),
            shard=parse_shard(shard) if shard is not None else None,
            changed_packages=config.getoption("gotrace_changed_packages"),
        )
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


#: What means to measure, or to measure otherwise.
_MEASURING = (
    "baseline",
    "aa",
    "aa_write",
    "head",
    "record",
    "noise_memory",
    "continue",
    "allow_foreign",
    "pairs",
    "run_time",
    "seed",
    "cpus",
    "time_budget",
    "timeout",
)


def _shards(config: pytest.Config) -> str:
    """The glob of `--gotrace-from`, or "". Raises `UsageError` beside an option of a session that measures."""
    pattern = str(config.getoption("gotrace_from") or "")
    given = (name for name in _MEASURING if config.getoption(f"gotrace_{name}") not in (None, False))
    other = next(given, None) if pattern else None
    if other is not None:
        raise UsageError(
            f"--gotrace-from judges what was measured elsewhere, so it takes no --gotrace-{other.replace('_', '-')}"
        )
    return pattern


def customs(config: pytest.Config) -> Customs:
    """The hooks of this session as plain functions."""
    hook = config.hook
    metrics = [metric for found in hook.pytest_gotrace_metrics(config=config) for metric in found]

    def compare(cells: Any, look: int, plan: Any, previous: Any) -> Any:
        return hook.pytest_gotrace_compare(
            config=config, cells=cells, look=look, plan=plan, previous=previous
        )

    return Customs(
        metrics=tuple(reversed(metrics)),
        rename=_one(hook.pytest_gotrace_key, config, "key"),
        adapt=_one(hook.pytest_gotrace_go_command, config, "command"),
        compare=compare,
        verdict=_one(hook.pytest_gotrace_verdict, config, "verdict"),
    )


def _one(hook: Any, config: pytest.Config, name: str) -> Callable[[Any], Any]:
    return partial(_ask, hook, config, name)


def _ask(hook: Any, config: pytest.Config, name: str, value: Any) -> Any:
    return hook(config=config, **{name: value})
