"""What one run of the gate is asked for, and where a project has its own way."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.errors import UsageError
from pytest_gotrace.gotest import GoCommand
from pytest_gotrace.judge import Compare
from pytest_gotrace.measure import RUN_SECONDS
from pytest_gotrace.metrics import Key, Metric
from pytest_gotrace.shard import Shard
from pytest_gotrace.stats import Plan
from pytest_gotrace.stats import judge as judge_cells
from pytest_gotrace.verdict import Verdict

KeepTraces = Literal["none", "changed", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person asked for. `baseline`: None is none, "" the merge-base, else a revision or a recording.

    `shards` is a glob of recordings to judge instead of measuring, `shards_expected` how many there must be.
    `aa` is the head against itself, `resume` the recording of a test that is to go on, `cpus` where benchmarks may run.
    Traces are kept in `report`, if there is such a directory: of none, of what is over budget, or of all benchmarks.

    `env_pass` are names of variables that benchmarks may see besides the usual. With `isolate_cache` each side is built
    with a build cache of its own. `shard` is the part to measure, `changed_packages` leaves out what no change reaches.

    Times are in seconds.
    """

    baseline: str | None = None
    aa: bool = False
    head: str | None = None
    record: Path | None = None
    noise_memory: tuple[Path, ...] = ()
    allow_foreign: bool = False
    pairs: int | None = None
    seed: int | None = None
    time_budget: float | None = None
    timeout: float | None = None
    run_seconds: float = RUN_SECONDS
    resume: Path | None = None
    report: Path | None = None
    keep_traces: KeepTraces = "changed"
    cpus: tuple[int, ...] = ()
    shards: str = ""
    shards_expected: int | None = None
    env_pass: tuple[str, ...] = ()
    isolate_cache: bool = False
    shard: Shard | None = None
    changed_packages: bool = False

    @property
    def has_base(self) -> bool:
        return self.aa or self.baseline is not None

    @property
    def recording(self) -> str:
        """The recording that is the base, or "" where there is none or it is a revision."""
        return self.baseline if self.baseline and self.baseline.endswith(".jsonl") else ""


def parse_cpus(text: str) -> tuple[int, ...]:
    """The CPUs in `0,2-3`, sorted. Raises `UsageError` where they are not ours, or the system cannot do it."""
    if not hasattr(os, "sched_setaffinity"):
        raise UsageError("--gotrace-cpus: only Linux lets a program choose its CPUs; leave the option out")
    if re.fullmatch(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", text) is None:
        raise UsageError(f"--gotrace-cpus: expected numbers of CPUs like 0,1 or 2-5, found {text!r}")
    ends = (list(map(int, part.split("-"))) for part in text.split(","))
    wanted = {cpu for part in ends for cpu in range(part[0], part[-1] + 1)}
    ours = os.sched_getaffinity(0)
    if not wanted or not wanted <= ours:
        there = ", ".join(map(str, sorted(ours)))
        raise UsageError(f"--gotrace-cpus: {text} is not among the CPUs this program may use: {there}")
    return tuple(sorted(wanted))


def _same(key: Key) -> Key:
    return key


def _unchanged(command: GoCommand) -> GoCommand:
    return command


def _standard(cells: object, look: int, plan: Plan, earlier: object) -> object:
    return judge_cells(cells, look=look, plan=plan, previous=earlier)  # type: ignore[arg-type]  # see Compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Customs:
    """The places where a project may have its own way (`hookspec`); the defaults are ours."""

    metrics: tuple[Metric, ...] = field(default_factory=built_in_metrics)
    rename: Callable[[Key], Key] = _same
    adapt: Callable[[GoCommand], GoCommand] = _unchanged
    compare: Compare = _standard  # type: ignore[assignment]  # the same shape with names of its own
    verdict: Callable[[Verdict], Verdict] = lambda verdict: verdict
