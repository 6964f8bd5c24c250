"""`sharded.yml` as a whole: parts that are measured on runners of their own, and the job that judges them once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from composite import HERE, ROOT, RUN, Finished, Job, evaluate, go_caches
from gitproject import commit, git
from origin import FAST, Hosted

from pytest_gotrace.report_json import read_report

NUMBER = 5

BENCHMARK = """package {name}

import "testing"

var kept []byte

func Benchmark{bench}(b *testing.B) {{
	for i := 0; i < b.N; i++ {{
		for coin := 0; coin < Coins; coin++ {{
			kept = make([]byte, 64)
		}}
	}}
}}
"""

BUDGET = """version: 1
budgets:
  till/BenchmarkPay: {allocs/op: +10%}
  till/BenchmarkCount: {allocs/op: +10%}
  shed/BenchmarkStore: {allocs/op: +10%}
require: [shed/BenchmarkStore]
"""


class Coins(Hosted):
    """Pull request 5, which pays with more coins in `till` and leaves `shed` alone."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        root.mkdir()
        git(root, "init", "--quiet", "--initial-branch=main")
        benchmarks = (("till", "Pay"), ("till", "Count"), ("shed", "Store"))
        files = {
            f"{name}__{bench.lower()}_test_dot_go": BENCHMARK.format(name=name, bench=bench)
            for name, bench in benchmarks
        }
        files["till__count_test_dot_go"] = files["till__count_test_dot_go"].replace("var kept []byte\n", "")
        costs = {f"{name}__coins_dot_go": f"package {name}\n\nconst Coins = 1\n" for name in ("till", "shed")}
        module = "module example.com/coins\n\ngo 1.22\n"
        commit(root, "first", go_dot_mod=module, gotrace_dot_yaml=BUDGET, **files, **costs)
        git(root, "checkout", "--quiet", "-b", "more")
        head = commit(root, "more", till__coins_dot_go="package till\n\nconst Coins = 5\n")
        git(root, "checkout", "--quiet", "main")
        self.merged = self.merge(NUMBER, head)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The two jobs of `sharded.yml`, each on runners of their own."""

    root: Path
    origin: Coins

    def part(self, part: int, of: int, **inputs: str) -> Finished:
        """One job of the matrix, and its artifact in a directory of its own, as the last job downloads it."""
        step, upload = self._steps("bench")
        given = {name: str(value) for name, value in step["with"].items()} | {"shard": f"{part}/{of}"}
        done = self._job(f"part{part}").run(RUN, {**HERE, **FAST, **given, **inputs})
        named = evaluate(upload["with"]["path"], {"steps": {"gotrace": {"outputs": done.outputs}}})
        place = self.root / "merge" / "_temp" / "parts" / f"gotrace-part-{part}"
        place.mkdir(parents=True)
        shutil.copy(named, place)
        return done

    def judge(self, expected: int) -> Finished:
        """The last job. It has no Go."""
        step, _ = self._steps("gotrace")
        job = self._job("merge")
        given = {name: str(value) for name, value in step["with"].items()} | {
            "expected-shards": str(expected)
        }
        given["recordings"] = given["recordings"].replace(
            "${{ runner.temp }}", str(self.root / "merge" / "_temp")
        )
        return job.run(RUN, {**HERE, **given})

    def _steps(self, job: str) -> tuple[dict, dict]:
        """The step that measures, and the one that uploads after it."""
        text = (ROOT / "examples" / "workflows" / "sharded.yml").read_text(encoding="utf-8")
        *_, measuring, uploading = yaml.safe_load(text)["jobs"][job]["steps"]
        return measuring, uploading

    def _job(self, name: str) -> Job:
        root = self.root / name
        (root / "_temp").mkdir(parents=True, exist_ok=True)
        workspace = root / "workspace"
        if not workspace.exists():
            self.origin.clone(workspace, f"refs/pull/{NUMBER}/merge")
        without_go = {"PATH": "/usr/bin:/bin"} if name == "merge" else {}
        return Job(
            root=root,
            workspace=workspace,
            event_name="pull_request",
            payload={"number": NUMBER, "pull_request": {}},
            github={
                "repository": "acme/coins",
                "run_id": "1",
                "sha": self.origin.merged,
                "ref": f"refs/pull/{NUMBER}/merge",
                "base_ref": "main",
            },
            environ={**go_caches(), **without_go},
        )


@pytest.fixture
def matrix(tmp_path):
    return Matrix(root=tmp_path, origin=Coins(tmp_path / "origin"))


def outcomes(done: Finished) -> dict[str, str]:
    """What came of each benchmark."""
    report = read_report(Path(done.outputs["results-json"]))
    return {verdict.benchmark: verdict.outcome for verdict in report.verdicts}


def test_judged_once(matrix):
    """Parts judge nothing that fails, one that is missing is named, and all of them are one verdict.

    What no change reaches is told by the last job as by the first. (Of a part that is empty: tests/test_shard.py.)
    """
    for part in (1, 2):
        done = matrix.part(part, 2, **{"changed-packages": "true"})
        assert (done.code, done.outputs["benchmarks"], done.summary) == (0, "1", ""), done.log
        judged = matrix.judge(expected=2)
        if part == 1:
            assert (judged.code, judged.outputs["conclusion"]) == (4, "error")
            assert "missing: part 2/2. There are: part 1/2 (recording.jsonl)" in judged.log
            assert "has no report" in judged.summary
    assert (judged.code, judged.outputs["conclusion"], judged.outputs["regressions"]) == (
        1,
        "regression",
        "2",
    ), judged.log
    assert outcomes(judged) == {"till/BenchmarkPay": "over", "till/BenchmarkCount": "over"}
    assert "untouched, and so not measured: `shed`" in judged.summary
