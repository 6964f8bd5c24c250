"""A gate from beginning to end, on real git and real Go, with numbers that are exact."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from gitproject import commit, git, write

from pytest_gotrace import checkout, recordingfile
from pytest_gotrace.cli import main
from pytest_gotrace.errors import BudgetError, CheckoutError, GoTestError, RecordingError, UsageError
from pytest_gotrace.gate import Customs, Gate, Options
from pytest_gotrace.metrics import Key
from pytest_gotrace.progress import Silent
from pytest_gotrace.shardgate import ShardGate
from pytest_gotrace.verdict import Outcome

CODE = """package m

const Bytes = 64

var sink []byte

func Work() { sink = make([]byte, Bytes) }
"""

BENCHMARKS = """package m

import "testing"

func BenchmarkWork(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Work()
	}
	b.ReportMetric(Bytes, "B/op") // what the runtime allocates beside is nobody's to say
}

func BenchmarkSteady(b *testing.B) {
	done := make(chan int)
	for i := 0; i < b.N; i++ {
		go func() { done <- 1 }()
		<-done
	}
}
"""

OTHER = """package other

import "testing"

var last int

func BenchmarkOther(b *testing.B) {
	for i := 0; i < b.N; i++ {
		last = i
	}
}

func BenchmarkSkips(b *testing.B) { b.Skip("not today") }
"""

BUDGET = """version: 1
budgets:
  BenchmarkWork: {B/op: +10% and 8B}
"""


@pytest.fixture
def project(tmp_path):
    """A module with a budget, committed; the working tree is as the commit is."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(
        root,
        go_dot_mod="module example.com/m\n\ngo 1.22\n",
        m_dot_go=CODE,
        m_test_dot_go=BENCHMARKS,
        other__other_test_dot_go=OTHER,
        gotrace_dot_yaml=BUDGET,
    )
    return root


def gate(root: Path, customs: Customs | None = None, *, progress: Silent | None = None, **options) -> Gate:
    """A gate with short runs, few of them, and a fixed order."""
    fast = {"baseline": "HEAD", "pairs": 6, "seed": 1, "run_seconds": 0.01}
    return Gate(Options(**fast | options), customs or Customs(), progress or Silent(), root)


def answered(one: Gate, *budgets: Path):
    """Verdicts by metric, and the report."""
    questions = [question for path in budgets for question in one.collect(path)]
    one.answer(questions)
    verdicts = {question: one.verdicts(question) for question in questions}
    by_name = {
        f"{q.benchmark.path} {q.text}": [v.outcome.value for v in found] for q, found in verdicts.items()
    }
    return by_name, one.report()


def worsen(root: Path) -> None:
    """Twice the bytes, uncommitted."""
    write(root, m_dot_go=CODE.replace("Bytes = 64", "Bytes = 128"))


def test_a_regression_is_over_and_explained(project):
    """More bytes than allowed are over budget, and the benchmark is traced, though nothing of that is judged."""
    worsen(project)
    with gate(project) as one:
        found, report = answered(one, project / "gotrace.yaml")
        recorded = one.recording()
    assert found == {"BenchmarkWork B/op": ["over"]}
    (row,) = report.verdicts
    assert (row.base.center, row.head.center) == (64.0, 128.0)
    assert (report.base.name, report.head.dirty, report.measured) == ("HEAD", True, 1)
    assert report.budget_files == ("gotrace.yaml",)
    assert [why.benchmark for why in report.why] == ["BenchmarkWork"]
    assert {(run.round, run.traced) for run in recorded.runs} == {(number, False) for number in range(6)}
    assert {(run.side, run.traced) for run in recorded.explaining} == {("base", True), ("head", True)}


class Impatient(Silent):
    """Presses Ctrl-C when only the why is still missing."""

    def step(self, text: str) -> None:
        """Say nothing, and interrupt what explains."""
        if text.endswith("to say why"):
            raise KeyboardInterrupt


def test_who_does_not_wait_for_the_why(project):
    """An interruption while a verdict is being explained costs the explanation, and no verdict."""
    worsen(project)
    with gate(project, progress=Impatient()) as one:
        found, report = answered(one, project / "gotrace.yaml")
    assert found == {"BenchmarkWork B/op": ["over"]}
    assert "interrupted while tracing to say why; the verdicts stand" in report.notes


@pytest.mark.parametrize(
    ("keep", "kept"),
    [("changed", {"BenchmarkWork"}), ("none", set()), ("all", {"BenchmarkWork", "BenchmarkSteady"})],
)
def test_whose_traces_are_kept(project, tmp_path, keep, kept):
    """Beside the report lie the traces of what is over its budget, of everything, or of nothing, as was asked for."""
    worsen(project)
    write(project, gotrace_dot_yaml=BUDGET + "  BenchmarkSteady: {B/op: +900%}\n")
    with gate(project, report=tmp_path / "report", keep_traces=keep) as one:
        _, report = answered(one, project / "gotrace.yaml")
    assert {trace.benchmark for trace in report.traces} == kept
    assert {line.benchmark for line in report.timelines} == kept
    files = {path.relative_to(tmp_path / "report").as_posix() for path in tmp_path.rglob("*.trace")}
    assert files == {trace.path for trace in report.traces}


WAITS = """package m

import "time"

// Nap is long, and as long as ever.
func Nap() {
	done := make(chan int)
	go func() { time.Sleep(6 * time.Millisecond); done <- 1 }()
	<-done
}

func Serve() {
	for range make([]int, TIMES) {
		done := make(chan int)
		go func() { time.Sleep(2 * time.Millisecond); done <- 1 }()
		<-done
	}
}
"""
WAITING = """package m

import "testing"

func BenchmarkServe(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Nap()
		Serve()
	}
}
"""


@pytest.fixture(scope="module")
def waited(tmp_path_factory):
    """A change that waits more often, committed: the repository, the report of a gate, its directory, its recording."""
    place = tmp_path_factory.mktemp("waited")
    root, recorded = place / "project", place / "shard-1.jsonl"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(
        root,
        go_dot_mod="module example.com/m\n\ngo 1.22\n",
        m_dot_go=WAITS.replace("TIMES", "1"),
        m_test_dot_go=WAITING,
        gotrace_dot_yaml=BUDGET.replace(
            "Work: {B/op: +10% and 8B}", "Serve: {'sync-block[chan receive].total': +50%}"
        ),
    )
    commit(root, m_dot_go=WAITS.replace("TIMES", "6"))
    with gate(root, baseline="HEAD~1", report=place / "report", record=recorded) as one:
        found, report = answered(one, root / "gotrace.yaml")
    assert found == {"BenchmarkServe sync-block[chan receive].total": ["over"]}
    return root, report, place / "report", recorded


def test_the_moment_is_what_the_why_speaks_of(waited, monkeypatch, capsys):
    """Of a kept trace the longest wait at the why's line is shown, whatever longer waits there are elsewhere."""
    _, report, directory, _ = waited
    line = report.why[0].lines[0]
    assert (line.function, line.changed) == ("example.com/m.Serve", True)
    worst = report.traces[0]
    assert (worst.side, worst.which, worst.runs) == ("head", "worst", 6)
    assert (worst.by, worst.unit) == ("sync-block[chan receive].total", "ns")
    assert worst.value > line.head > 0
    assert {(trace.series, trace.at) for trace in report.traces} == {(line.state, f"{line.file}:{line.line}")}
    show = next(command for command in report.why[0].commands if command.startswith("gotrace show"))
    monkeypatch.chdir(directory)
    monkeypatch.setenv("COLUMNS", "200")
    assert main(shlex.split(show)[1:]) == 0
    shown = capsys.readouterr().out
    assert "m.Serve.func1" in shown
    assert "m.Nap" not in shown


def judged(root, recorded):
    """The report of a recording that is judged in a directory with its budget."""
    one = ShardGate(Options(shards=str(recorded)), Customs(), Silent(), root)
    one.answer(one.collect(root / "gotrace.yaml"))
    return one.report()


def test_what_is_judged_elsewhere_is_told_alike(waited):
    """Judged again in a clone, runs give the same why with the same marks and remarks, seed and time of measuring."""
    root, report, _, recorded = waited
    again = judged(root, recorded)
    assert again.why == tuple(replace(why, commands=()) for why in report.why)
    assert again.annotations == report.annotations
    assert len(again.annotations) == 1
    assert again.method.seed == report.method.seed
    assert 0 < again.method.elapsed_seconds <= report.method.elapsed_seconds
    assert again.notes == ()


def test_what_is_judged_without_the_repository(waited, tmp_path):
    """Where both commits are not there no line is marked, and the report says that nobody looked."""
    root, report, _, recorded = waited
    (tmp_path / "gotrace.yaml").write_bytes((root / "gotrace.yaml").read_bytes())
    again = judged(tmp_path, recorded)
    assert [row.outcome for row in again.verdicts] == [row.outcome for row in report.verdicts]
    assert not any(line.changed for why in again.why for line in why.lines)
    (note,) = again.notes
    assert note.startswith("which lines are in this change is not known: ")


def test_a_report_that_cannot_keep_traces_is_still_a_verdict(project, tmp_path):
    """Where the report's directory cannot be written to, the verdict stands, and a note says what is missing."""
    worsen(project)
    (tmp_path / "report").write_text("a file")
    with gate(project, report=tmp_path / "report") as one:
        found, report = answered(one, project / "gotrace.yaml")
    assert found == {"BenchmarkWork B/op": ["over"]}
    (note,) = report.notes
    assert note.startswith("no trace of BenchmarkWork was kept")


def test_no_change_is_identical_and_costs_no_run(project, tmp_path):
    """Where both sides compile to the same bytes, nothing is measured, though it is recorded: as what it is."""
    path = tmp_path / "recorded.jsonl"
    with gate(project, record=path) as one:
        found, report = answered(one, project / "gotrace.yaml")
    assert found == {"BenchmarkWork B/op": ["identical"]}
    assert report.method.pairs_run == 0
    written = recordingfile.read(path)
    assert written.runs == ()
    assert {listed.id for listed in written.roll if listed.asked and listed.identical} == {"BenchmarkWork"}


def test_nothing_is_left_behind(project):
    """A gate removes both checkouts, also when it is given up in the middle."""
    with pytest.raises(KeyboardInterrupt), gate(project) as one:  # noqa: PT012
        temporary = one._repository.temporary
        assert temporary.is_dir()
        raise KeyboardInterrupt
    assert not temporary.exists()
    assert git(project, "status", "--porcelain") == ""


def test_a_gate_that_cannot_open_leaves_nothing(project, monkeypatch):
    """A base that does not exist is an error, and what was begun is removed."""
    opened = []
    original = checkout.open_repository
    monkeypatch.setattr(
        checkout, "open_repository", lambda start: opened.append(original(start)) or opened[0]
    )
    with pytest.raises(CheckoutError, match="nowhere"):
        gate(project, baseline="nowhere")
    assert not opened[0].temporary.exists()


def test_two_budgets_of_one_module(project):
    """A second budget gets the packages that it alone is about, and both judge one number apart."""
    worsen(project)
    (project / "loose.yaml").write_text(
        "version: 1\nbudgets:\n  BenchmarkWork: {B/op: +150%}\n  other/BenchmarkOther: {B/op: +10%}\n"
    )
    with gate(project) as one:
        tight, loose = (one.collect(project / name) for name in ("gotrace.yaml", "loose.yaml"))
        one.answer([*tight, *loose])
        outcomes = [[v.outcome for v in one.verdicts(question)] for question in (*tight, *loose)]
        assert len(one.report().verdicts) == 3
    assert outcomes == [[Outcome.OVER], [Outcome.WITHIN], [Outcome.IDENTICAL]]


def test_what_is_not_selected_is_not_measured(project):
    """Only questions that are handed in are answered and reported."""
    worsen(project)
    (project / "gotrace.yaml").write_text(BUDGET + "  BenchmarkSteady: {B/op: +100% and 1KiB}\n")
    with gate(project) as one:
        (first, _) = one.collect(project / "gotrace.yaml")
        one.answer([first])
        assert {run.benchmark for run in one.recording().runs} == {"BenchmarkWork"}
        assert [row.benchmark for row in one.report().verdicts] == ["BenchmarkWork"]


def test_a_new_benchmark_is_judged_by_its_cap(project):
    """A benchmark that the base does not have runs on the head alone; what needs a base is new."""
    write(project, m_test_dot_go=BENCHMARKS + "\nfunc BenchmarkNew(b *testing.B) { BenchmarkWork(b) }\n")
    (project / "gotrace.yaml").write_text(
        "version: 1\nbudgets:\n  BenchmarkNew: {B/op: max 32B, allocs/op: max 5, ns/op: +10%}\n"
    )
    with gate(project) as one:
        found, _ = answered(one, project / "gotrace.yaml")
        assert {run.side for run in one.recording().runs} == {"head"}
    assert found == {
        "BenchmarkNew B/op": ["over"],
        "BenchmarkNew allocs/op": ["within"],
        "BenchmarkNew ns/op": ["new"],
    }


def test_a_recording_stands_for_the_base(project, tmp_path):
    """What was recorded as the head is the base of a later gate, with the same iterations and a warning."""
    path = tmp_path / "main.jsonl"
    with gate(project, baseline=None, record=path) as one:
        assert answered(one, project / "gotrace.yaml")[0] == {"BenchmarkWork B/op": ["new"]}
    recorded = recordingfile.read(path)
    assert {(run.side, run.traced) for run in recorded.runs} == {("head", False), ("head", True)}
    worsen(project)
    with gate(project, baseline=str(path)) as one:
        found, report = answered(one, project / "gotrace.yaml")
        now = {run.iterations for run in one.recording().runs}
    assert found == {"BenchmarkWork B/op": ["over"]}
    assert now == {recorded.iterations("BenchmarkWork")}
    assert report.base.recorded
    assert any("did not take turns" in warning for warning in report.warnings)
    assert report.why


def test_a_recording_of_another_machine(project, tmp_path):
    """A foreign recording is refused; if it is allowed, numbers are shown and nothing is decided."""
    path = tmp_path / "main.jsonl"
    with gate(project, baseline=None, record=path) as one:
        answered(one, project / "gotrace.yaml")
    found = recordingfile.read(path)
    recordingfile.write(replace(found, environment={**found.environment, "cpu": "another"}), path)
    with pytest.raises(RecordingError, match=r"recorded on another machine .*cpu: .*--gotrace-allow-foreign"):
        gate(project, baseline=str(path))
    worsen(project)
    with gate(project, baseline=str(path), allow_foreign=True) as one:
        outcomes, report = answered(one, project / "gotrace.yaml")
    assert outcomes == {"BenchmarkWork B/op": ["inconclusive"]}
    assert report.verdicts[0].change.center == pytest.approx(1.0)
    assert "nothing is decided" in report.warnings[0]


def test_a_recording_without_runs(project, tmp_path):
    """A recording in which nothing was measured is no base."""
    path = tmp_path / "main.jsonl"
    with gate(project, baseline=None, record=path) as one:
        one.answer([])
    with pytest.raises(RecordingError, match="has no runs in it"):
        gate(project, baseline=str(path))


def test_time_that_is_used_up(project, tmp_path):
    """When the time is over at a look, what is undecided stays so, and the report says why."""
    turns = QUEUE.replace("TURNS", str(tmp_path / "turns"))
    commit(project, m_test_dot_go=turns)
    worsen(project)
    (project / "gotrace.yaml").write_text("version: 1\nbudgets:\n  BenchmarkQueue: {'custom[queue]': +1%}\n")
    with gate(project, pairs=20, time_budget=0.001) as one:
        found, report = answered(one, project / "gotrace.yaml")
        assert len({run.round for run in one.recording().runs}) == 6
    assert found == {"BenchmarkQueue custom[queue]": ["inconclusive"]}
    assert any("time budget" in warning for warning in report.warnings)


QUEUE = """package m

import (
	"os"
	"testing"
)

// Every other process has a long queue: in blocks of ABBA or BAAB that favours neither side, by design.
var queue = func() float64 {
	file, _ := os.OpenFile("TURNS", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	defer file.Close()
	file.WriteString("x")
	info, _ := file.Stat()
	return float64(1 + info.Size()%2*99)
}()

func BenchmarkQueue(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Work()
	}
	b.ReportMetric(queue, "queue")
}
"""


class Said(Silent):
    """Keeps what is said to a person who waits."""

    def __init__(self):
        self.lines, self.verdicts = [], []

    def say(self, text):
        self.lines.append(text)

    def judged(self, so_far):
        self.verdicts.append(so_far)


def test_a_test_that_goes_on(project, tmp_path):
    """A stored test keeps its runs and its looks, spends what is left, and is stored again; then nothing is left."""
    turns, stored = tmp_path / "turns", tmp_path / "stored.jsonl"
    commit(project, m_test_dot_go=QUEUE.replace("TURNS", str(turns)))
    worsen(project)
    (project / "gotrace.yaml").write_text("version: 1\nbudgets:\n  BenchmarkQueue: {'custom[queue]': +1%}\n")
    plan = {"pairs": 10, "seed": None}

    with gate(project, **plan, record=stored, time_budget=0.001) as one:
        found, report = answered(one, project / "gotrace.yaml")
    first = recordingfile.read(stored)
    assert (found, report.method.continued) == ({"BenchmarkQueue custom[queue]": ["inconclusive"]}, False)
    assert (first.plan.looks, first.plan.taken, {run.round for run in first.runs}) == (
        (6, 10),
        1,
        {*range(6)},
    )

    said = Said()
    with Gate(
        Options(baseline="HEAD", run_seconds=0.01, resume=stored, pairs=10), Customs(), said, project
    ) as one:
        found, report = answered(one, project / "gotrace.yaml")
        assert len(one.recording().of("head", "BenchmarkQueue", traced=False)) == 10
    second = recordingfile.read(stored)
    assert (found, report.method.continued) == ({"BenchmarkQueue custom[queue]": ["inconclusive"]}, True)
    assert (second.plan, second.seed) == (replace(first.plan, taken=2), first.seed)
    assert second.runs[: len(first.runs)] == first.runs
    assert [re.sub(r"[\d.]+ (ms|s|min)", "T", line) for line in said.lines] == [
        "1 benchmark with 4 pairs each: about T at the most"
    ]
    assert said.verdicts == ["1 open", "1 open"]

    with gate(project, **plan, resume=stored) as one:
        questions = one.collect(project / "gotrace.yaml")
        before = turns.read_text()
        one.answer(questions)
        assert [v.outcome for v in one.verdicts(questions[0])] == [Outcome.INCONCLUSIVE]
    assert turns.read_text() == before
    assert replace(recordingfile.read(stored), seconds=second.seconds) == second
    assert second.seconds > first.seconds > 0

    with gate(project, **plan, record=stored) as one:
        assert "this one starts anew and replaces it; --gotrace-continue=" in one.report().notes[0]
    write(project, m_dot_go=CODE.replace("Bytes = 64", "Bytes = 65"))
    with gate(project, **plan, record=stored) as one:
        assert one.report().notes == ()
    with pytest.raises(
        RecordingError, match=r"a test of other revisions: the head is .* uncommitted changes"
    ):
        gate(project, **plan, resume=stored)


def test_a_recording_in_the_tree_is_noted(project):
    """A recording that lies in the working tree is no change, and the report says that it was left out."""
    with gate(project, record=project / "main.jsonl") as one:
        answered(one, project / "gotrace.yaml")
        recordingfile.write(one.recording(), project / "main.jsonl")
    with gate(project) as one:
        found, report = answered(one, project / "gotrace.yaml")
    assert (found, report.head.dirty) == ({"BenchmarkWork B/op": ["identical"]}, False)
    (note,) = report.notes
    assert note.startswith("1 file of other runs left out of the head: `main.jsonl`;")


def test_comments_are_identical_and_dependencies_are_noted(project):
    """A change of nothing but comments costs no run, also where it moves lines; a new language version is a note."""
    write(project, m_dot_go=CODE.replace("var sink", "// Kept.\n\nvar sink"))
    with gate(project) as one:
        found, report = answered(one, project / "gotrace.yaml")
        assert one.recording().runs == ()
    assert found == {"BenchmarkWork B/op": ["identical"]}
    assert report.verdicts[0].reason.startswith("both sides differ only in comments and layout")
    assert report.notes == ()
    write(project, go_dot_mod="module example.com/m\n\ngo 1.21\n")
    with gate(project) as one:
        one.collect(project / "gotrace.yaml")
        assert one.report().notes == ("go.mod: the go line changed: 1.22 → 1.21",)


def test_a_failure_while_measuring(project):
    """A benchmark that breaks only after its first iteration is failed, with its output, and gets no more runs."""
    broken = BENCHMARKS.replace(
        "		Work()\n", '		Work()\n		if b.N > 1 { b.Fatal("too much") }\n'
    )
    write(project, m_test_dot_go=broken)
    with gate(project) as one:
        found, report = answered(one, project / "gotrace.yaml")
        assert {run.side for run in one.recording().runs} <= {"base"}
    assert found == {"BenchmarkWork B/op": ["failed"]}
    assert [(f.benchmark, f.side) for f in report.failures] == [("BenchmarkWork", "head")]
    assert "too much" in report.failures[0].tail


def test_warnings_of_a_budget(project):
    """An expired waiver and a budget that can fail nothing are said in the report, with their place."""
    (project / "gotrace.yaml").write_text(
        "version: 1\ndefaults: {level: warn}\nbudgets:\n  BenchmarkWork: {B/op: +10%}\nwaivers:\n"
        "  - {benchmark: BenchmarkWork, metric: B/op, until: 2020-01-01, reason: agreed}\n"
    )
    with gate(project) as one:
        _, report = answered(one, project / "gotrace.yaml")
    first, second = report.warnings
    assert re.match(r"gotrace\.yaml:6: the waiver for BenchmarkWork ended on 2020-01-01", first)
    assert "every rule has level warn" in second


def test_a_rule_about_nothing(project):
    """A rule that matches no benchmark is refused with its line."""
    (project / "gotrace.yaml").write_text(BUDGET + "  BenchmarkWrk: {B/op: +10%}\n")
    with gate(project) as one, pytest.raises(BudgetError, match=r"gotrace\.yaml:4: no benchmark matches"):
        one.collect(project / "gotrace.yaml")


def test_customs_have_their_way(project):
    """A project may change verdicts, and gets each of them once at each look."""
    worsen(project)
    seen = []

    def forgive(verdict):
        seen.append(verdict.outcome)
        return replace(verdict, outcome=Outcome.WITHIN, reason="agreed")

    with gate(project, Customs(verdict=forgive)) as one:
        found, _ = answered(one, project / "gotrace.yaml")
    assert (found, seen) == ({"BenchmarkWork B/op": ["within"]}, [Outcome.OVER])


# outside any budget


def test_measuring_one_benchmark(project):
    """One benchmark is measured on both sides, traced and not, without its warm-up."""
    worsen(project)
    with gate(project) as one:
        runs = one.measure_one(project, "BenchmarkWork", 2)
    assert {(run.side, run.traced, run.round) for run in runs} == {
        (side, traced, number) for side in ("base", "head") for traced in (False, True) for number in (0, 1)
    }
    assert {run.side: run.values["B/op"] for run in runs if not run.traced} == {"base": 64.0, "head": 128.0}


@pytest.mark.parametrize(
    ("directory", "name", "most", "complaint"),
    [
        (
            ".",
            "BenchmarkWrk",
            1,
            r"has no benchmark 'BenchmarkWrk' \(did you mean 'BenchmarkWork'\?\); it has: ",
        ),
        ("other", "BenchmarkSkips", 1, "other/BenchmarkSkips skips itself: .*not today"),
        (".", "BenchmarkWork", 0, "0 pairs were asked for; at least one"),
        ("..", "BenchmarkWork", 1, "is in no Go module"),
    ],
)
def test_one_benchmark_that_is_not_there(project, directory, name, most, complaint):
    """A benchmark that cannot be measured is refused in one sentence."""
    with gate(project, baseline=None) as one, pytest.raises(UsageError, match=complaint):
        one.measure_one((project / directory).resolve(), name, most)


def test_one_benchmark_that_does_not_build(project):
    """A package that does not compile is the error of the test that asks for it."""
    write(project, m_dot_go=CODE + "\nvar broken int = nothing\n")
    with gate(project, baseline=None) as one, pytest.raises(GoTestError, match="does not build"):
        one.measure_one(project, "BenchmarkWork", 1)


def test_a_survey_measures_every_benchmark(project):
    """A survey has the numbers of a first budget for each benchmark that runs, with their noise."""
    with gate(project, baseline=None) as one:
        found = {(path, str(key)): (mean, noise) for path, key, mean, noise in one.survey(project, 2)}
    assert {path for path, _ in found} == {"BenchmarkWork", "BenchmarkSteady", "other/BenchmarkOther"}
    assert found["BenchmarkWork", "B/op"] == (64.0, 0.0)
    assert (
        "BenchmarkSteady",
        str(Key(metric="sync-block", subject="chan receive", statistic="total")),
    ) in found
    assert all(mean > 0 and noise >= 0 for mean, noise in found.values())
