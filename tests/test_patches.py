"""Every patch of `example-go-repo/regressions` gets the answer that it asks for: real git, Go and traces."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pytest_gotrace.units import format_change, format_pair

pytestmark = pytest.mark.alone

EXAMPLE = Path(__file__).parents[1] / "example-go-repo"
PATCHES = sorted((EXAMPLE / "regressions").glob("*.patch"))

#: Those that are decided in a few seconds, because what they change is exact, huge, or needs no run at all, and with
#: which options: a missing region needs no numbers, and from one pair nothing is judged, so chance blames nobody.
QUICK = {
    "build-broken": (),
    "goroutine-leak": (),
    "harmless-comment": (),
    "region-removed": ("--gotrace-pairs=1",),
}

EXIT_CODES = {"over": 1, "missing": 1, "failed": 6, "within": 0, "identical": 0}
#: An answer that is not `within` must be exactly that; what the patch does not touch may also stay undecided on a
#: noisy machine, but is never called worse.
ALLOWED = {"within": {"within", "inconclusive", "identical"}}


def demo() -> ModuleType:
    """`example-go-repo/demo.py`, which knows how the example becomes a repository."""
    spec = importlib.util.spec_from_file_location("demo", EXAMPLE / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expectations(patch: Path) -> list[tuple[str, str, str]]:
    """Outcome, benchmark and metric of each `gotrace:` line of a patch."""
    found = re.findall(r"^gotrace: (\w+) (\S+) (.+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    return [(outcome, benchmark, metric) for outcome, benchmark, metric in found]


def explanations(patch: Path) -> list[tuple[str, str, str]]:
    """Benchmark, state and rule of each `why:` line of a patch; a state may hold a space, the others none."""
    return re.findall(r"^why: (\S+) (.+) (\S+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)


def gate(tmp_path: Path, patch: Path, *options: str) -> tuple[int, dict, str]:
    """The exit code, report and output of a gate on the patch, on two processors of Go's wherever it is."""
    example = demo()
    repository = example.make_repository(tmp_path / "shop")
    example.commit_patch(repository, patch)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--gotrace-baseline=HEAD~1",
        f"--gotrace-report={tmp_path / 'report'}",
        *options,
    ]
    env = {**os.environ, "GOMAXPROCS": "2", "COLUMNS": "300"}
    done = subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, check=False)
    report = tmp_path / "report" / "report.json"
    assert report.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text(encoding="utf-8")), done.stdout


def cases() -> Iterator[object]:
    """Quick patches with their options; marked slow, without options, all that is not quick without them."""
    for patch in PATCHES:
        options = QUICK.get(patch.stem)
        if options is not None:
            yield pytest.param(patch, options, id=patch.stem)
        if options != ():
            name = patch.stem if options is None else f"{patch.stem}-in-full"
            yield pytest.param(patch, (), id=name, marks=pytest.mark.slow)


@pytest.mark.parametrize(("patch", "options"), [*cases()])
def test_the_gate_answers_what_the_patch_asks_for(tmp_path, patch, options):
    """Each `gotrace:` line of a patch names the outcome that the report has, each `why:` line its explanation."""
    expected = expectations(patch)
    code, report, output = gate(tmp_path, patch, *options)
    found = {(v["benchmark"], v["metric"]): v["outcome"] for v in report["verdicts"]}
    for outcome, benchmark, metric in expected:
        name = metric if (benchmark, metric) in found else f"require {metric}"
        assert found[benchmark, name] in ALLOWED.get(outcome, {outcome}), f"{benchmark} {metric}\n{output}"
    is_explained(report, patch)
    worst = max((EXIT_CODES[outcome] for outcome, _, _ in expected), key=lambda code: (code > 0, code))
    assert code == worst, output
    asked = {(benchmark, metric) for outcome, benchmark, metric in expected if outcome == "over"}
    blamed = {key[0] for key, outcome in found.items() if outcome == "over"}
    packages = {benchmark.split("/")[0] for benchmark, _ in asked}
    assert {benchmark.split("/")[0] for benchmark in blamed} <= packages, (
        f"an innocent package is blamed\n{output}"
    )


def is_explained(report: dict, patch: Path) -> None:
    """Assert that the report explains what the patch says, at a line that the patch touches, and nothing else."""
    found = {why["benchmark"]: why for why in report.get("why", ()) if why["sentence"]}
    for benchmark, state, rule in explanations(patch):
        why = found[benchmark]
        first = why["lines"][0]
        assert first["state"] in state.split(" or "), why
        assert why["rule"] == rule, why
        assert first.get("changed") or first.get("waker_changed"), why
        assert "in this change" in why["sentence"]
        assert why["diagnosis"]
        assert why["advice"]
        touched = {
            line.removeprefix("+++ b/") for line in patch.read_text().splitlines() if line[:4] == "+++ "
        }
        assert {first["file"], first.get("waker_file")} & touched
        assert any(remark["file"] in touched for remark in report["annotations"])
    assert bool(found) == bool(explanations(patch)), found


def test_a_regression_is_explained_down_to_the_line(tmp_path):
    """The terminal names benchmark, metric, both sides, interval, budget line, state, and the line that waits."""
    _, report, output = gate(tmp_path, EXAMPLE / "regressions" / "unbounded-goroutines.patch")
    assert re.search(
        r"fanout/BenchmarkLoadAll sched-wait.total within \+100% and 100us \(gotrace\.yaml:\d+\)", output
    )
    (verdict,) = (v for v in report["verdicts"] if v["metric"] == "sched-wait.total")
    assert verdict["outcome"] == "over"
    base, head = verdict["base"][0], verdict["head"][0]
    assert f"{' → '.join(format_pair(base, head, 'ns'))}, {format_change(verdict['change'][0])}" in output, (
        output
    )
    (why,) = (why for why in report["why"] if why["benchmark"] == "fanout/BenchmarkLoadAll")
    assert "`sched-wait`" in why["sentence"]
    assert "fanout/fanout.go:" in why["sentence"]


def test_every_kind_of_regression_has_a_patch():
    """The patches cover each kind that the gate promises to see, and each harmless one it promises to let through."""
    kinds = (
        "allocation-per-operation benchmark-panics benchmark-removed blocking-syscall build-broken coarse-mutex "
        "goroutine-leak harmless-comment harmless-improvement harmless-refactoring harmless-rename region-removed "
        "slow-tail unbounded-goroutines unbuffered-channel"
    )
    assert set(kinds.split()) <= {patch.stem for patch in PATCHES}
    assert all(expectations(patch) for patch in PATCHES)
