"""Recordings on disk: JSON Lines, one header and then one line for each run.

Lines only ever get appended, so shards of a matrix join with `cat`. A recording comes from somewhere else: every
line is checked before it is believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pytest_gotrace import roll
from pytest_gotrace.errors import RecordingError, UsageError
from pytest_gotrace.metrics import CATALOGUE, Metric
from pytest_gotrace.recording import Recording, Run, differences
from pytest_gotrace.recording_json import header_from_json, header_to_json, run_from_json, run_to_json
from pytest_gotrace.roll import Listed

_LINE_LIMIT = 64 << 20


def lines(recording: Recording) -> Iterator[str]:
    """The recording as JSON Lines, header first."""
    # In ASCII: names come from a program, and need not be good Unicode.
    yield json.dumps(header_to_json(recording))
    for listed in recording.roll:
        yield json.dumps({"kind": "benchmark", **roll.to_json(listed)})
    for run in (*recording.runs, *recording.explaining):
        yield json.dumps(run_to_json(run))


def write(recording: Recording, path: Path) -> None:
    """Write the whole file, or leave the old one: a full disk must not cost a recording that was there."""
    write_all([recording], path)


def write_all(recordings: Sequence[Recording], path: Path) -> None:
    """Write several into one file, one after the other, as `read_all` reads them."""
    temporary = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(f"{line}\n" for recording in recordings for line in lines(recording))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RecordingError(
            f"cannot write the recording {path}: {error.strerror}; free some space or choose another place"
        ) from error


def read(path: Path, catalogue: Sequence[Metric] = CATALOGUE) -> Recording:
    """The recording at `path`, or several that were joined with `cat`, as one.

    Raises `RecordingError` with the line where it goes wrong; several headers must name the same machine and revisions.
    """
    (only,) = _read(path, _Reader(catalogue, one=True))
    return only


def read_all(path: Path, catalogue: Sequence[Metric] = CATALOGUE) -> tuple[Recording, ...]:
    """The recordings of a file to which one was appended after the other, of whatever machine and revision.

    Raises `RecordingError` as `read` does.
    """
    return _read(path, _Reader(catalogue, one=False))


def _read(path: Path, reader: _Reader) -> tuple[Recording, ...]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(partial(file.readline, _LINE_LIMIT + 1), b""), 1):
                try:
                    reader.line(number, _object(line))
                except _DAMAGE as error:
                    what = f"no {error}" if isinstance(error, KeyError) else error
                    raise RecordingError(f"{path}:{number}: not a line of a recording: {what}") from error
    except OSError as error:
        raise RecordingError(f"cannot read the recording {path}: {error.strerror}") from error
    found = reader.all()
    if not found:
        raise RecordingError(f"{path}: empty; expected the JSON Lines that --gotrace-record writes")
    return found


def header(path: Path) -> Recording | None:
    """The recording at `path` without its runs; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            return header_from_json(_object(file.readline(_LINE_LIMIT + 1)))
    except (OSError, *_DAMAGE):
        return None


#: What a line of a stranger can raise while it is taken apart.
_DAMAGE = (KeyError, TypeError, ValueError, OverflowError, RecursionError, UsageError)


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > _LINE_LIMIT:
        raise ValueError(f"more than {_LINE_LIMIT} bytes")
    try:
        value = json.loads(line.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}); is the recording cut short?") from error
    if not isinstance(value, dict):
        raise TypeError(f"expected dict, found {type(value).__name__}")
    return value


class _Reader:
    """Lines so far: recordings that are complete, then the last header, without its runs, and its runs."""

    def __init__(self, catalogue: Sequence[Metric], *, one: bool) -> None:
        self.header: Recording | None = None
        self.runs: list[Run] = []
        self.roll: list[Listed] = []
        self._complete: list[Recording] = []
        self._one = one
        self._catalogue = catalogue
        self._lines: dict[tuple[str, str, int, bool, bool], int] = {}
        self._listed: set[str] = set()

    def line(self, number: int, value: dict[str, Any]) -> None:
        """Take in one line. Raises whatever is in `_DAMAGE`."""
        if value["kind"] == "recording":
            self._header(header_from_json(value))
        elif value["kind"] == "benchmark":
            self._list(roll.from_json(value))
        else:
            self._run(number, run_from_json(value, self._catalogue))

    def all(self) -> tuple[Recording, ...]:
        """Every recording, in order."""
        return (*self._complete, *self._last())

    def _last(self) -> list[Recording]:
        if self.header is None:
            return []
        runs, explaining = (tuple(r for r in self.runs if r.sampled == sampled) for sampled in (False, True))
        return [replace(self.header, runs=runs, explaining=explaining, roll=tuple(self.roll))]

    def _header(self, header: Recording) -> None:
        if self.header is not None and self._one:
            self._same_again(header, self.header)
            return
        self._complete += self._last()
        self.header, self.runs, self.roll = header, [], []
        self._lines.clear()
        self._listed.clear()

    def _same_again(self, header: Recording, first: Recording) -> None:
        unlike = differences(header.environment, first.environment)
        if unlike or header.sides != first.sides:
            raise ValueError(
                f"a second header of another machine or revision: {'; '.join(unlike) or 'sides differ'}"
            )
        self.header = replace(first, plan=None)  # shards are no single test

    def _list(self, listed: Listed) -> None:
        """Of recordings that are read as one, each may list every benchmark; the first to do so is believed."""
        if self.header is None:
            raise ValueError("a benchmark before any header")
        if listed.id in self._listed and not self._one:
            raise ValueError(f"the benchmark {listed.id} is listed twice")
        if listed.id not in self._listed:
            self._listed.add(listed.id)
            self.roll.append(listed)

    def _run(self, number: int, run: Run) -> None:
        if self.header is None or run.side not in self.header.sides:
            raise ValueError(f"a run of the {run.side} before any header that has that side")
        kind = (run.side, run.benchmark, run.round, run.traced, run.sampled)
        first = self._lines.setdefault(kind, number)
        if first != number:
            raise ValueError(f"round {run.round} of {run.benchmark} ({run.side}) is already on line {first}")
        self.runs.append(run)
