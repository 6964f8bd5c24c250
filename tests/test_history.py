"""Recordings of a branch: what moved, when, and what no single change would have shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from samples import MACHINE, SIDES, recording, run
from shopfront import text

from pytest_gotrace.errors import RecordingError
from pytest_gotrace.history import history
from pytest_gotrace.historytable import table
from pytest_gotrace.recording import Measured
from pytest_gotrace.recordingfile import lines, read_all

DAYS = 40
#: What each of four benchmarks costs on each day, as a factor.
STORIES = {
    "BenchmarkLevel": np.ones(DAYS),
    "BenchmarkStep": 1 + 0.15 * (np.arange(DAYS) >= 25),
    "BenchmarkCreep": 1.005 ** np.arange(DAYS),
    "BenchmarkFaster": 1 - 0.2 * (np.arange(DAYS) >= 10),
}


def day(number: int, *, machine=MACHINE, when: str | None = None):
    """The recording of one day: six runs of each benchmark, which differ by 2 % from run to run."""
    rng = np.random.default_rng(number)
    runs = [
        run("head", i, name, values={"ns/op": float(1000 * cost[number] * np.exp(rng.normal(0, 0.02)))})
        for name, cost in STORIES.items()
        for i in range(6)
    ]
    sides = {**SIDES, "head": Measured(name="main", sha=f"{number:040x}")}
    stamp = f"2026-01-01T00:{number:02}:00Z" if when is None else when
    made = recording(*runs, environment=machine, when=stamp)
    return type(made)(
        environment=made.environment, sides=sides, runs=made.runs, seed=made.seed, when=made.when
    )


EVERY_DAY = [day(number) for number in range(DAYS)]


def by_name(found):
    return {series.benchmark: series for series in found.series}


def test_what_happened():
    """A step is found with its commits, a creep as one, and what is level is left alone; the worst come first."""
    found = history(EVERY_DAY)
    series = by_name(found)
    assert {name: one.kind for name, one in series.items()} == {
        "BenchmarkLevel": "level",
        "BenchmarkStep": "steps",
        "BenchmarkCreep": "creep",
        "BenchmarkFaster": "steps",
    }
    (step,) = series["BenchmarkStep"].steps
    assert (step.after, step.upto, step.when) == (f"{24:040x}", f"{25:040x}", "2026-01-01T00:25:00Z")
    assert step.change == pytest.approx(0.15, abs=0.03)
    assert series["BenchmarkCreep"].change == pytest.approx(1.005**39 - 1, abs=0.04)
    assert series["BenchmarkCreep"].per_recording == pytest.approx(0.005, abs=0.001)
    assert series["BenchmarkFaster"].change == pytest.approx(-0.2, abs=0.03)
    assert [one.benchmark for one in found.series] == [
        "BenchmarkCreep",
        "BenchmarkStep",
        "BenchmarkFaster",
        "BenchmarkLevel",
    ]


def test_the_order_is_that_of_time():
    """Recordings with times are put in order; without, the order given counts."""
    assert history(EVERY_DAY[::-1]) == history(EVERY_DAY)
    undated = [day(number, when="") for number in range(DAYS)]
    assert by_name(history(undated))["BenchmarkStep"].change > 0
    assert by_name(history(undated[::-1]))["BenchmarkStep"].change < 0


def test_another_machine_is_left_out():
    """Recordings of another machine than the last are left out, and counted."""
    found = history([day(0, machine={**MACHINE, "cpu": "D"}), *EVERY_DAY[1:]])
    assert found.recordings == DAYS - 1
    assert found.left_out == ("1 of another machine than the last one",)


def test_too_few_recordings():
    """Five days have no course, and it says so instead of guessing."""
    found = history(EVERY_DAY[:5])
    assert {series.kind for series in found.series} == {"few"}
    assert "too few recordings" in "\n".join(table(found, 200))


def test_the_table():
    """Each number has its story, a trend as long as there is room, first and last value, and its noise."""
    shown = list(table(history(EVERY_DAY), 200))
    (creep,) = (line for line in shown if "BenchmarkCreep" in line)
    assert "creeps by +0.5 % each time" in creep
    assert "▁" in creep
    assert "█" in creep
    (step,) = (line for line in shown if "BenchmarkStep" in line)
    assert "% in 00000000..00000000 on 2026-01-01" in step
    assert shown[-1] == "40 recordings, 4 numbers, 3 of them moved"


class TestCommand:
    def test_table_and_jsonl(self, original, tmp_path):
        """`gotrace history` reads one file a day or all days in one, and tells people and programs the same."""
        every = [[f"{line}\n" for line in lines(one)] for one in EVERY_DAY]
        one_file = tmp_path / "all.jsonl"
        one_file.write_text("".join(line for of_one in every for line in of_one))
        files = [tmp_path / f"{number}.jsonl" for number in range(DAYS)]
        for path, of_one in zip(files, every, strict=True):
            path.write_text("".join(of_one))
        shown = original.gotrace("history", str(one_file))
        assert shown.ret == 0, text(shown)
        assert original.gotrace("history", *map(str, files)).outlines == shown.outlines
        found = original.gotrace("history", "--format=jsonl", str(one_file))
        rows = [json.loads(line) for line in found.outlines]
        assert {row["benchmark"]: row["kind"] for row in rows}["BenchmarkCreep"] == "creep"
        assert {row["key"] for row in rows} == {"ns/op"}
        assert len(rows[0]["points"]) == DAYS

    def test_what_cannot_be_read(self, original, tmp_path):
        """A damaged recording is an error with its line, and one without runs is nothing to tell about."""
        bad = tmp_path / "bad.jsonl"
        header = next(lines(EVERY_DAY[0]))
        bad.write_text(f"{header}\n{{}}\n")
        result = original.gotrace("history", str(bad))
        assert result.ret == 4
        assert "bad.jsonl:2: not a line of a recording" in text(result)
        bad.write_text(f"{header}\n")
        assert original.gotrace("history", str(bad)).ret == 5


def test_a_time_that_is_none(tmp_path):
    """What stands in the place of a time is checked before it is shown."""
    path = tmp_path / "odd.jsonl"
    header = json.loads(next(lines(EVERY_DAY[0])))
    path.write_text(json.dumps({**header, "when": "\x1b[2J"}) + "\n")
    with pytest.raises(RecordingError, match=r"odd\.jsonl:1: .* is no time such as"):
        read_all(path)
