"""Whole gates on `example-go-repo`, one process each, and a file of what they said, so that a long series can go on."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from pytest_gotrace.limit import parse_limit
from pytest_gotrace.metrics import parse_key
from pytest_gotrace.report import Report, VerdictEntry
from pytest_gotrace.report_json import read_report

EXAMPLE = Path(__file__).parents[1] / "example-go-repo"
REGRESSIONS = EXAMPLE / "regressions"
BUDGET = "gotrace.yaml"
#: What a gate ends with when it judged: passed, or something is over, missing or failed.
JUDGED = (0, 1, 6)

#: Both sides of a comparison of the same code must not be the same bytes, or nothing would be measured. They differ in
#: one byte of a string: no instruction and no address is another.
SAME = """\
package {package}

import "os"

var side = "{side}"

func init() {{
	if len(os.Args) == 0 {{
		println(side)
	}}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a gate said about one rule; `effect` is how much worse the head is, in budgets (1: exactly at it)."""

    benchmark: str
    metric: str
    outcome: str
    blocks: bool
    pairs: int
    effect: float | None = None
    change: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One gate: `what` is "same" or the name of a patch; `stolen` is the share of CPU time taken by other machines."""

    what: str
    number: int
    exit: int
    seconds: float
    pairs: int
    stolen: float
    answers: tuple[Answer, ...]

    @property
    def over(self) -> tuple[Answer, ...]:
        """What stops the pull request because it is over its budget."""
        return tuple(answer for answer in self.answers if answer.outcome == "over" and answer.blocks)

    @property
    def within(self) -> bool:
        """Whether everything is shown to be within its budget."""
        return all(a.outcome in ("within", "identical") for a in self.answers if a.blocks)


class Store:
    """Finished gates in a JSON Lines file; only ever appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Finished]:
        """Every gate in the file; a line that was cut short when somebody pulled the plug is left out."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return [found for line in lines if (found := _finished(line))]

    def add(self, finished: Finished) -> None:
        """Append one gate; begins a new line where the last one was cut short."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(asdict(finished)) + "\n")


def _finished(line: str) -> Finished | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return Finished(**{**fields, "answers": tuple(Answer(**answer) for answer in fields["answers"])})


def expected(patch: str) -> list[tuple[str, str]]:
    """Benchmark and metric of each line by which a patch asks to be called over."""
    text = (REGRESSIONS / f"{patch}.patch").read_text(encoding="utf-8")
    return re.findall(r"^gotrace: over (\S+) (.+)$", text, re.MULTILINE)


def regressions() -> list[str]:
    """Names of the patches that must be called over."""
    return [path.stem for path in sorted(REGRESSIONS.glob("*.patch")) if expected(path.stem)]


def own_budget() -> str:
    """The example's own budget."""
    return (EXAMPLE / BUDGET).read_text(encoding="utf-8")


def proposed_budget() -> str:
    """The example's budget, as this machine can keep it where the gate can propose one."""
    with _shop() as repository:
        if "--gotrace-aa-write" in _pytest(repository, "--help").stdout:
            done = _pytest(repository, "--gotrace-aa-write")
            if done.returncode not in JUDGED:
                raise RuntimeError(f"--gotrace-aa-write ended with {done.returncode}\n{done.stdout[-4000:]}")
        return (repository / BUDGET).read_text(encoding="utf-8")


def run(what: str, number: int, budget: str) -> Finished:
    """One whole gate: the example against itself, or against a patch. Raises `RuntimeError` if it judged nothing."""
    with _shop(budget) as repository:
        if what == "same":
            _same(repository)
        else:
            _demo().commit_patch(repository, REGRESSIONS / f"{what}.patch")
        began, ticks = time.monotonic(), _ticks()
        done = _pytest(repository, "--gotrace-baseline=HEAD~1", "--gotrace-report=report")
        seconds, stolen = time.monotonic() - began, _stolen(ticks, _ticks())
        file = repository / "report" / "report.json"
        if done.returncode not in JUDGED or not file.exists():
            raise RuntimeError(
                f"{what}: the gate ended with {done.returncode}\n{done.stdout[-4000:]}{done.stderr}"
            )
        report = read_report(file)
    return Finished(
        what=what,
        number=number,
        exit=done.returncode,
        seconds=round(seconds, 1),
        pairs=report.method.pairs_run,
        stolen=round(stolen, 4),
        answers=tuple(answers(report)),
    )


def answers(report: Report) -> Iterator[Answer]:
    """Every verdict of a report, its effect counted in budgets."""
    for verdict in report.verdicts:
        yield Answer(
            benchmark=verdict.benchmark,
            metric=verdict.metric,
            outcome=verdict.outcome,
            blocks=verdict.level == "fail" and verdict.waived is None,
            pairs=verdict.pairs,
            effect=effect(verdict),
            change=verdict.change.center if verdict.change else None,
            p=verdict.p,
        )


def effect(verdict: VerdictEntry) -> float | None:
    """How much worse the head is, in budgets; None where there is no budget for a change, or no difference known."""
    if not verdict.budget or verdict.difference is None or verdict.base is None:
        return None
    limit = parse_limit(verdict.budget, parse_key(verdict.metric))
    allowed = max((limit.relative or 0.0) * abs(verdict.base.center), limit.absolute or 0.0)
    worse = verdict.difference.center if limit.better == "lower" else -verdict.difference.center
    return worse / allowed if allowed else None


@contextmanager
def _shop(budget: str | None = None) -> Iterator[Path]:
    """The example as a repository in a temporary directory, with this budget instead of its own."""
    with tempfile.TemporaryDirectory(prefix="gotrace-aa-") as directory:
        repository: Path = _demo().make_repository(Path(directory) / "shop")
        if budget is not None and budget != own_budget():
            (repository / BUDGET).write_text(budget, encoding="utf-8")
            _demo().commit(repository, "The budget")
        yield repository


def _demo() -> ModuleType:
    """`example-go-repo/demo.py`, which knows how the example becomes a repository."""
    spec = importlib.util.spec_from_file_location("demo", EXAMPLE / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _same(repository: Path) -> None:
    """Two commits of the same code, whose test binaries differ in one byte that nobody reads."""
    packages = {path.parent for path in repository.glob("*/*_test.go")}
    for side in ("a", "b"):
        for package in packages:
            text = SAME.format(package=package.name, side=side)
            (package / "side_test.go").write_text(text, encoding="utf-8")
        _demo().commit(repository, f"Side {side}")


def _pytest(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def _ticks() -> tuple[int, int]:
    """CPU time of this machine so far: stolen from it, and in all; zeros where the kernel does not say."""
    file = Path("/proc/stat")
    if not file.exists():
        return 0, 0
    times = [int(word) for word in file.read_text().splitlines()[0].split()[1:9]]
    return times[7], sum(times)


def _stolen(before: Iterable[int], after: Iterable[int]) -> float:
    stolen, every = (b - a for a, b in zip(before, after, strict=True))
    return stolen / every if every else 0.0
