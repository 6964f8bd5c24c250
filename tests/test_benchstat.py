"""benchstat on the same files: equal where it answers the same question, and it answers another one where we judge."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compare import mann_whitney
from pytest_gotrace.benchfmt import results
from pytest_gotrace.stats import Cell, Plan, judge

MODULE = "golang.org/x/perf/cmd/benchstat@latest"
EXAMPLE = Path(__file__).parents[1] / "docs" / "example.json"
PAIRS = 10
COLUMNS = "Benchmark{name}-2   \t     500\t{ns:12.1f} ns/op\t{bytes:8.0f} B/op\t       1 allocs/op\n"


@pytest.fixture(scope="module")
def benchstat(tmp_path_factory):
    """The program itself, built from the module proxy."""
    if not shutil.which("go"):
        pytest.skip("there is no go on PATH to build benchstat with")
    bin_ = tmp_path_factory.mktemp("bin")
    env = {**os.environ, "GOBIN": str(bin_), "GOFLAGS": "-mod=mod"}
    done = subprocess.run(
        ["go", "install", MODULE], env=env, cwd=bin_, capture_output=True, text=True, check=False, timeout=240
    )
    if done.returncode:
        pytest.skip(f"benchstat cannot be had here: {done.stderr.strip().splitlines()[-1]}")
    return bin_ / "benchstat"


@pytest.fixture
def files(tmp_path):
    """Real runs of two benchmarks, as `go test` prints them: ten a side."""
    cells = json.loads(EXAMPLE.read_text(encoding="utf-8"))["cells"]
    found = {}
    for side in ("base", "head"):
        values = {(c["benchmark"].rpartition("/")[2], c["metric"]): c[side] for c in cells}
        lines = [
            COLUMNS.format(name=name, ns=values[name, "ns/op"][i], bytes=values[name, "B/op"][i])
            for i in range(PAIRS)
            for name in ("small", "large")
        ]
        found[side] = tmp_path / f"{side}.txt"
        found[side].write_text("goos: linux\npkg: example.com/shop/handler\n" + "".join(lines))
    return found


def said(benchstat, files) -> dict[tuple[str, str], list[str]]:
    """By benchmark and unit: both medians, and p."""
    command = [benchstat, "-format=csv", files["base"], files["head"]]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found, unit = {}, ""
    for row in csv.reader(out.splitlines()):
        if len(row) == 7 and not row[0]:
            unit = row[1] or unit
        elif len(row) == 7 and row[0] != "geomean":
            found[row[0].removesuffix("-2"), unit] = [row[1], row[3], row[6].split()[0].removeprefix("p=")]
    return found


def parsed(files, name: str, unit: str) -> dict[str, np.ndarray]:
    """What our own reader finds in the same files."""
    return {
        side: np.array(
            [
                results(line, f"Benchmark{name}", 500)[0].values[unit]
                for line in path.read_text().splitlines()
                if f"Benchmark{name}-" in line
            ]
        )
        for side, path in files.items()
    }


@pytest.mark.slow
def test_both_read_the_same_numbers(benchstat, files):
    """Medians of what we read from the files are the medians that benchstat prints."""
    found = said(benchstat, files)
    for (name, unit), (base, head, _) in found.items():
        ours = parsed(files, name, "ns/op" if unit == "sec/op" else unit)
        scale = 1e9 if unit == "sec/op" else 1
        assert np.median(ours["base"]) == pytest.approx(float(base) * scale)
        assert np.median(ours["head"]) == pytest.approx(float(head) * scale)
    assert len(found) == 6


@pytest.mark.slow
def test_the_rule_compared_with_is_benchstats(benchstat, files):
    """The p-value that `benchmarks.compare` gives to benchstat's rule is the one that benchstat prints."""
    for name in ("small", "large"):
        ours = parsed(files, name, "ns/op")
        p = mann_whitney(ours["base"][None, :], ours["head"][None, :])[0]
        assert f"{p:.3f}" == said(benchstat, files)[name, "sec/op"][2]


@pytest.mark.slow
def test_a_difference_is_not_a_violation(benchstat, files):
    """benchstat is sure that B/op changed, and so it did, by 3 %: within a budget of 10 %."""
    (_, _, p), ours = said(benchstat, files)["small", "B/op"], parsed(files, "small", "B/op")
    cell = Cell(base=ours["base"], head=ours["head"], relative=0.10)
    (found,) = judge([cell], look=0, plan=Plan(looks=(PAIRS,)))
    assert float(p) < 0.001
    assert found.decision == "within"
    assert found.change.center == pytest.approx(0.03, abs=0.001)
