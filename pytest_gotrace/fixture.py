"""The fixture `gotrace`: the gate's measuring and its distributions in a test written in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_gotrace.distributions import extract
from pytest_gotrace.gate import Gate
from pytest_gotrace.metrics import Key, Metric, find, parse_key
from pytest_gotrace.progress import Silent
from pytest_gotrace.recording import Run
from pytest_gotrace.rounds import whole_trace
from pytest_gotrace.session import GateSession, customs, options
from pytest_gotrace.trace import join, read_trace

#: As many pairs as the gate takes before its first look.
PAIRS = 6


class Numbers(Mapping[str, float]):
    """Any number that a budget can name, as in `numbers["region[db].p99"]`: the median over the runs of one side.

    Waits that did not happen count 0; a region, a task or a unit that was not seen is a `KeyError`.
    """

    def __init__(self, runs: Sequence[Run], catalogue: Sequence[Metric]) -> None:
        self._runs, self._catalogue = tuple(runs), tuple(catalogue)

    def of_runs(self, name: str) -> NDArray[np.float64]:
        """The number of each run that has it, in the order of the rounds. Raises `UsageError` for what is no name."""
        key = parse_key(name, self._catalogue)
        metric = find(key.metric, self._catalogue)
        runs = [run for run in self._runs if run.traced == metric.traced]  # tracing costs time
        if metric.traced and metric.subject == "required":
            runs = [run for run in runs if key.series in run.series]
        values = np.array([run.number(key) for run in runs], dtype=np.float64)
        return values[~np.isnan(values)]

    def __getitem__(self, name: str) -> float:
        values = self.of_runs(name)
        if not len(values):
            raise KeyError(f"{name} was not seen; there are: {', '.join(sorted(map(str, self._series())))}")
        return float(np.median(values))

    def _series(self) -> set[Key]:
        """What was seen: what `go test` reports, and every series of the trace."""
        known = {metric.name for metric in self._catalogue}
        units = {unit for run in self._runs for unit in run.values}
        reported = {Key(metric=u) if u in known else Key(metric="custom", subject=u) for u in units}
        return reported | {series for run in self._runs for series in run.series}

    def __iter__(self) -> Iterator[str]:
        """Every number that was seen, by its whole name."""
        for series in sorted(self._series()):
            for statistic in find(series.metric, self._catalogue).statistics or ("",):
                yield str(replace(series, statistic=statistic))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Both sides of one benchmark; `base` is empty without `--gotrace-baseline`."""

    base: Numbers
    head: Numbers


class Gotrace:
    """What a test gets from the fixture `gotrace`."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def measure(self, package: str, *, bench: str, pairs: int = PAIRS) -> Measurement:
        """Run one benchmark of the package at `package` (relative to pytest's root directory), traced and untraced.

        With `--gotrace-baseline` both sides in pairs, as the gate does; without, the working tree alone.
        Raises `GoTestError` when it fails and `UsageError` when there is no such benchmark.
        """
        directory = (self._config.rootpath / package).resolve()
        session = self._config.pluginmanager.get_plugin("gotrace-session")
        gate = session.gate() if isinstance(session, GateSession) else None
        if isinstance(gate, Gate):
            return self._measured(gate, directory, bench, pairs)
        with Gate(options(self._config), customs(self._config), Silent(), directory) as gate:
            return self._measured(gate, directory, bench, pairs)

    def trace(self, path: str | Path) -> Numbers:
        """The numbers of a whole trace file; `total` is of the trace, since it has no operations.

        Raises `TraceError`.
        """
        own = customs(self._config)
        series = extract(whole_trace(join(read_trace(path))), own.metrics, own.rename)
        run = Run(
            side="head",
            benchmark=str(path),
            round=0,
            position=0,
            traced=True,
            iterations=1,
            values={},
            series=series,
        )
        return Numbers((run,), own.metrics)

    def _measured(self, gate: Gate, directory: Path, bench: str, pairs: int) -> Measurement:
        runs = gate.measure_one(directory, bench, pairs)
        catalogue = customs(self._config).metrics
        base, head = (
            Numbers([run for run in runs if run.side == side], catalogue) for side in ("base", "head")
        )
        return Measurement(base=base, head=head)
