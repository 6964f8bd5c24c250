"""The fixture `gotrace`: the gate's measuring and its distributions in a test written in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_gotrace.distributions import Distribution, extract
from pytest_gotrace.gate import Gate, Options
from pytest_gotrace.metrics import parse_key, parse_series
from pytest_gotrace.progress import Silent
from pytest_gotrace.recording import Run
from pytest_gotrace.rounds import whole_trace
from pytest_gotrace.session import GateSession, customs
from pytest_gotrace.trace import join, read_trace

#: As many pairs as the gate takes before its first look.
PAIRS = 6


class Numbers(Mapping[str, float]):
    """One side: the median over its runs of any number that a budget can name, as in `numbers["region[db].p99"]`."""

    def __init__(self, runs: tuple[Run, ...]) -> None:
        self._runs = runs

    def of_runs(self, name: str) -> NDArray[np.float64]:
        """The number of each run that has it, in the order of the rounds."""
        key = parse_key(name)
        values = np.array([run.number(key) for run in self._runs], dtype=np.float64)
        return values[~np.isnan(values)]

    def __getitem__(self, name: str) -> float:
        values = self.of_runs(name)
        if not len(values):
            raise KeyError(f"{name} was not seen; there are: {', '.join(self)}")
        return float(np.median(values))

    def __iter__(self) -> Iterator[str]:
        """Every unit of `go test`, and every series without its statistic."""
        seen = {str(key) for run in self._runs for key in run.series}
        return iter(sorted(seen | {unit for run in self._runs for unit in run.values}))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Both sides of one benchmark; `base` is empty without `--gotrace-baseline`."""

    base: Numbers
    head: Numbers


class Trace(Mapping[str, Distribution]):
    """The distributions of a whole trace by series, as in `trace["sync-block[chan send]"].p99`."""

    def __init__(self, found: Mapping[str, Distribution]) -> None:
        self._found = found

    def __getitem__(self, series: str) -> Distribution:
        name = str(parse_series(series))
        if name not in self._found:
            raise KeyError(f"{name} is not in the trace; there are: {', '.join(self)}")
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


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
        if isinstance(session, GateSession):
            return self._measured(session.gate(), directory, bench, pairs)
        with Gate(Options(), customs(self._config), Silent(), directory) as gate:
            return self._measured(gate, directory, bench, pairs)

    def trace(self, path: str | Path) -> Trace:
        """The distributions of a whole trace file; `total` is of the trace, since it has no operations.

        Raises `TraceError`.
        """
        whole = whole_trace(join(read_trace(path)))
        found = extract(whole, customs(self._config).metrics)
        return Trace({str(key): distribution for key, distribution in found.items()})

    @staticmethod
    def _measured(gate: Gate, directory: Path, bench: str, pairs: int) -> Measurement:
        runs = gate.measure_one(directory, bench, pairs)
        base, head = (tuple(run for run in runs if run.side == side) for side in ("base", "head"))
        return Measurement(base=Numbers(base), head=Numbers(head))
