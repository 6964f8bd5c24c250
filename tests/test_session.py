"""What is compared with what, what comes out, and what is left behind when somebody presses Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from gitproject import git
from shopfront import BUDGET, FAST, SMALL, TILL_TEST, Shop, copy, lines, text

from pytest_gotrace.report_json import read_report

HEADER = "version: 1\nbudgets:\n"
SMALL_ONLY = HEADER + '  "till/BenchmarkPay/small":\n    allocs/op: +10%\n'


@pytest.fixture
def dear(shop):
    """A shop whose last commit makes every coin three, under a budget for one benchmark."""
    shop.cost(Coins=3)
    shop.budget(SMALL_ONLY)
    return shop


def _report(shop: Shop):
    return read_report(shop.root / "report" / "report.json")


class TestSides:
    def test_uncommitted_changes(self, shop):
        """What is measured is the working tree, changes that were never committed included."""
        shop.budget(SMALL_ONLY)
        shop.cost(Coins=3, commit=False)
        before = shop.state()
        result = shop.pytest("--gotrace-baseline=HEAD", *FAST)
        assert result.ret == 1
        result.stdout.fnmatch_lines("base HEAD (*), head working tree (* + uncommitted changes)")
        assert shop.state() == before
        assert shop.leftovers() == []

    def test_another_head(self, dear):
        """`--gotrace-head` measures a revision, whatever the working tree is like."""
        dear.cost(Coins=7, commit=False)
        result = dear.gate("--gotrace-head=HEAD")
        assert result.ret == 1
        result.stdout.fnmatch_lines(["found: *1 → 3,*", "base HEAD~1 (*), head HEAD (*)"])

    def test_merge_base(self, shop):
        """A bare `--gotrace-baseline` compares with the merge-base with the default branch."""
        git(shop.root, "switch", "--quiet", "--create", "feature")
        shop.cost(Coins=3)
        git(shop.root, "switch", "--quiet", "main")
        shop.cost(Coins=9)
        git(shop.root, "switch", "--quiet", "feature")
        shop.budget(SMALL_ONLY)
        result = shop.pytest("--gotrace-baseline", *FAST)
        assert result.ret == 1
        result.stdout.fnmatch_lines(
            ["found: *1 → 3,*", "base merge-base with main (*), head working tree (*)"]
        )

    def test_gone_benchmark_and_new_one(self, shop):
        """A benchmark that vanished is missing, one that appeared is new; neither is an assertion error."""
        shop.commit(till__till_test_dot_go=TILL_TEST.replace("BenchmarkServe", "BenchmarkTender"))
        shop.budget(BUDGET + '  "till/BenchmarkTender":\n    allocs/op: +10%\n')
        result = shop.gate("-v", "-k", "Serve or Tender")
        assert result.ret == 1
        result.stdout.fnmatch_lines(
            ["*::till/BenchmarkServe::*MISSING*", "*::till/BenchmarkTender::allocs/op NEW*"]
        )
        result.stdout.fnmatch_lines(
            ["because:   it was on the base and is gone", "1 missing, 1 new: 0 of 1 benchmarks measured"]
        )

    def test_only_new(self, shop):
        """A change that only adds a benchmark passes: there is nothing to compare it with."""
        shop.budget(SMALL_ONLY)
        git(shop.root, "mv", "till/till_test.go", "till/x")
        shop.commit()
        git(shop.root, "mv", "till/x", "till/till_test.go")
        shop.commit()
        result = shop.gate()
        assert result.ret == 0
        result.stdout.fnmatch_lines("1 new: nothing had to be measured")

    def test_identical(self, shop):
        """Where both sides compile to the same bytes nothing is run; a file that a benchmark may read undoes that."""
        shop.budget(SMALL_ONLY)
        shop.commit(till__README_dot_md="A till.\n")
        result = shop.gate()
        assert result.ret == 0
        result.stdout.fnmatch_lines(["1 identical: nothing had to be measured", "*, 0 pairs in *"])
        shop.commit(till__testdata__coins_dot_txt="3\n")
        result = shop.gate("-v")
        assert result.ret == 0
        result.stdout.fnmatch_lines([f"{SMALL} WITHIN*", "within *till/BenchmarkPay/small allocs/op: 1 → 1*"])

    @pytest.mark.skipif(
        not hasattr(os, "sched_getaffinity"), reason="only Linux lets a program choose its CPUs"
    )
    def test_pinned(self, dear):
        """Benchmarks run on the CPUs that are named, the report says which, and the plan is said before it starts."""
        cpu = min(os.sched_getaffinity(0))
        result = dear.gate(f"--gotrace-cpus={cpu}", "--gotrace-report=report")
        assert result.ret == 1
        result.stderr.fnmatch_lines("gotrace: 1 benchmark with 6 pairs each: about * at the most")
        environment = _report(dear).environment
        assert (environment["cpus"], environment["cores"]) == (str(cpu), "1")
        assert "spin" in environment["watched"]


class TestOutcomes:
    def test_quiet(self, dear):
        """With `-q` the section has the verdict and where it comes from, and no details."""
        result = dear.gate("-q")
        section = result.outlines[next(i for i, line in enumerate(result.outlines) if " gotrace =" in line) :]
        assert section[1] == "1 over budget: 1 of 1 benchmarks measured"
        assert section[4].startswith("=")

    def test_warning(self, dear):
        """A rule of level `warn` says that it is over, and passes."""
        dear.budget(
            HEADER + '  "till/BenchmarkPay/small":\n    allocs/op: {max_increase: 10%, level: warn}\n'
        )
        result = dear.gate("-v")
        assert result.ret == 0
        result.stdout.fnmatch_lines([f"{SMALL} OVER (WARN)*", "1 over budget: *", "over *allocs/op: 1 → 3*"])

    @pytest.mark.parametrize(("until", "code"), [("2999-12-31", 0), ("2020-01-01", 1)])
    def test_waiver(self, dear, until, code):
        """A waiver lets the change pass and says so; one that has ended does not, and says that."""
        waiver = f"benchmark: 'till/*', metric: allocs/op, until: {until}, reason: three coins are better"
        dear.budget(f"{SMALL_ONLY}waivers:\n  - {{{waiver}}}\n")
        result = dear.gate("-v")
        assert result.ret == code
        if code:
            result.stdout.fnmatch_lines("note *gotrace.yaml:6: the waiver for till/* ended on 2020-01-01*")
        else:
            result.stdout.fnmatch_lines(
                [f"{SMALL} WAIVED*", "1 over budget (1 waived): *", "over *waived: three coins*"]
            )

    def test_cap_without_a_base(self, dear):
        """A `max` is judged on the head alone; what is relative waits for a base."""
        dear.budget(HEADER + '  "till/BenchmarkPay/*":\n    allocs/op: max 2\n    B/op: +10%\n')
        result = dear.pytest("--gotrace-record=../r.jsonl", *FAST, "-k", "small")
        assert result.ret == 1
        result.stdout.fnmatch_lines(
            ["expected: *allocs/op within max 2 *", "found: *3", "1 over budget, 1 new: *"]
        )

    @pytest.mark.parametrize(("when", "code"), [("warn", 0), ("fail", 1)])
    def test_inconclusive(self, shop, when, code):
        """What cannot be decided says why and what to do; whether that passes is the budget's to say."""
        sleeps = TILL_TEST.replace('"look", Look', '"look", func() { time.Sleep(time.Millisecond) }')
        shop.commit(till__till_test_dot_go=sleeps.replace('"testing"', '"testing"\n\t"time"'))
        shop.refactor()
        shop.budget(
            f"version: 1\ndefaults: {{on_inconclusive: {when}}}\n"
            'budgets:\n  "till/BenchmarkServe":\n    region[look].p99: +10%\n'
        )
        result = shop.gate("-v")
        assert result.ret == code
        result.stdout.fnmatch_lines(
            ["*INCONCLUSIVE*", "1 inconclusive: *", "inconclusive *p99 needs*--gotrace-run-time*"]
        )

    def test_required(self, dear):
        """What is required and there passes; a region or a benchmark that is not is missing."""
        dear.budget(
            SMALL_ONLY.replace("+10%", "+900%")
            + "require:\n"
            + "  - till/BenchmarkServe\n  - till/BenchmarkServe region[look]\n"
            + "  - till/BenchmarkServe region[lock]\n  - till/BenchmarkGone\n"
        )
        result = dear.gate("-v")
        assert result.ret == 1
        result.stdout.fnmatch_lines(
            [
                "gotrace.yaml::till/BenchmarkServe::require AS REQUIRED*",
                "gotrace.yaml::till/BenchmarkServe::require region?look? AS REQUIRED*",
                "gotrace.yaml::till/BenchmarkServe::require region?lock? MISSING*",
                "gotrace.yaml::till/BenchmarkGone::require MISSING*",
                "because: *region?lock? is required and not on the head; there are: look",
            ]
        )

    def test_names(self, shop):
        """Names with blanks, slashes, pipes, quotes and other letters are names: in ids, in JUnit, in the report."""
        names = ["a b/c", 'p|q\'s "so"', "größe µ 日本", "[x]*::y"]
        runs = "\n".join(f"b.Run({json.dumps(name, ensure_ascii=False)}, pay)" for name in names)
        source = 'package odd\n\nimport "testing"\n\nvar purse []byte\n\n'
        source += f"func BenchmarkNames(b *testing.B) {{\n{runs}\n}}\n"
        pay = "func pay(b *testing.B) { for i := 0; i < b.N; i++ { purse = make([]byte, 64) } }\n"
        shop.commit(odd__odd_test_dot_go=source + pay)
        shop.commit(odd__odd_test_dot_go=source + pay.replace("64", "65"))
        shop.budget(HEADER + '  "odd/*":\n    allocs/op: +10%\n')
        result = shop.gate("-v", "--junit-xml=junit.xml", "--gotrace-report=report")
        assert result.ret == 0
        expected = [f"odd/BenchmarkNames/{name.replace(' ', '_')}" for name in names]
        assert [row.benchmark for row in _report(shop).verdicts] == expected
        assert {row.outcome for row in _report(shop).verdicts} == {"within"}
        suite = ElementTree.parse(shop.root / "junit.xml").getroot()[0]
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(names)), "0", "0")
        told = [re.split(" WITHIN", line)[0] for line in lines(result, "gotrace.yaml::")]
        assert told == [f"gotrace.yaml::{name}::allocs/op" for name in expected]
        again = shop.gate("-q", "--collect-only", *told[:3])
        assert [line for line in again.outlines if "::" in line] == told[:3]

    def test_settings_of_go(self, shop):
        """GOMAXPROCS and GOFLAGS of the person hold for what is built and run."""
        shop.commit(
            odd__odd_test_dot_go="""package odd

import (
	"runtime"
	"testing"
)

var extra, last int

func BenchmarkSettings(b *testing.B) {
	for i := 0; i < b.N; i++ {
		last = i // what takes no time at all has no number of iterations
	}
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "procs")
	b.ReportMetric(float64(extra), "extra")
}
""",
            odd__more_test_dot_go="//go:build dear\n\npackage odd\n\nfunc init() { extra = 5 }\n",
        )
        shop.budget(HEADER + '  "odd/*":\n    custom[procs]: max 3\n    custom[extra]: max 3\n')
        record = ("--gotrace-record=../r.jsonl", *FAST, "--gotrace-report=report")
        assert shop.pytest(*record, GOMAXPROCS="3").ret == 0
        assert _report(shop).environment["gomaxprocs"] == "3"
        result = shop.pytest(*record, GOMAXPROCS="4", GOFLAGS="-tags=dear")
        assert [(row.metric, row.outcome, row.head.center) for row in _report(shop).verdicts] == [
            ("custom[procs]", "over", 4),
            ("custom[extra]", "over", 5),
        ]
        assert result.ret == 1


@pytest.fixture(scope="module")
def recorded(original, tmp_path_factory):
    """A shop and a recording of it, made without a base."""
    shop = copy(original, tmp_path_factory.mktemp("recorded") / "shop")
    shop.budget(SMALL_ONLY)
    result = shop.pytest("--gotrace-record=main.jsonl", *FAST)
    assert (result.ret, lines(result, "1 new: 1 of 1")) == (0, ["1 new: 1 of 1 benchmarks measured"])
    return shop


class TestRecordings:
    def test_read_back(self, recorded, tmp_path):
        """A recording is a base: the change is found, and said to be against a recording."""
        shop = copy(recorded, tmp_path / "shop")
        shop.cost(Coins=3)
        result = shop.pytest("--gotrace-baseline=main.jsonl", *FAST)
        assert result.ret == 1
        result.stdout.fnmatch_lines(
            ["found: *1 → 3, *", "base working tree (*) from a recording, head working tree (*)"]
        )
        shop.cost(Coins=1)
        assert shop.pytest("--gotrace-baseline", "main.jsonl", *FAST).ret == 0

    def test_with_a_base(self, dear):
        """Recorded with a base, both sides are in the file, and its head is what a later session compares with."""
        assert dear.gate("--gotrace-record=both.jsonl").ret == 1
        objects = [json.loads(line) for line in (dear.root / "both.jsonl").read_text().splitlines()]
        assert set(objects[0]["environment"]) >= {"cpu", "cores", "gomaxprocs", "go", "kernel"}
        assert {one["side"] for one in objects if one["kind"] == "run"} == {"base", "head"}
        result = dear.pytest("--gotrace-baseline=both.jsonl", *FAST)
        assert result.ret == 0
        result.stdout.fnmatch_lines("1 within: *")

    def test_of_another_machine(self, recorded, tmp_path):
        """A recording of another machine is refused by the names of what differs; allowed, it decides nothing."""
        shop = copy(recorded, tmp_path / "shop")
        shop.cost(Coins=3)
        path = shop.root / "main.jsonl"
        header, *runs = path.read_text().splitlines()
        changed = json.loads(header)
        changed["environment"] |= {"cpu": "Z80", "cores": "65536"}
        path.write_text("\n".join((json.dumps(changed), *runs)))
        refused = shop.pytest("--gotrace-baseline=main.jsonl", *FAST)
        assert refused.ret == 4
        refused.stderr.fnmatch_lines("ERROR: *recorded on another machine*cpu: *'Z80'*cores: *'65536'*")
        allowed = shop.pytest("--gotrace-baseline=main.jsonl", "--gotrace-allow-foreign", *FAST)
        assert allowed.ret == 0
        allowed.stdout.fnmatch_lines(["1 inconclusive: *", "inconclusive *1 → 3*another machine*"])

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda data: b"", "empty"),
            (lambda data: data[:-20], r"main\.jsonl:\d+: .*cut short"),
            (lambda data: data.splitlines()[0], "no runs"),
            (lambda data: b"\x1f\x8b\xff" + data, r"main\.jsonl:?1?: .*utf-8"),
            (lambda data: b"go 1.22 trace\x00\x00\x00", r"main\.jsonl:1: .*JSON"),
        ],
        ids=["empty", "cut", "header", "binary", "trace"],
    )
    def test_damaged(self, recorded, tmp_path, damage, message):
        """A recording that is damaged is refused with the line where it goes wrong."""
        path = tmp_path / "main.jsonl"
        path.write_bytes(damage((recorded.root / "main.jsonl").read_bytes()))
        result = recorded.pytest(f"--gotrace-baseline={path}")
        assert result.ret == 4
        assert re.search(f"ERROR: .*{message}", text(result), re.IGNORECASE)


class TestInterrupts:
    @pytest.mark.parametrize(
        ("send", "number", "iterations"),
        [
            (os.killpg, signal.SIGINT, 1),
            (os.kill, signal.SIGINT, 1),
            (os.kill, signal.SIGINT, 0),
            (os.kill, signal.SIGTERM, 1),
        ],
        ids=["terminal", "process", "collecting", "cancelled"],
    )
    def test_interrupt(self, shop, send, number, iterations):
        """Ctrl-C ends with 2, and leaves no process, no directory and no change in the repository.

        So does the signal by which a CI runner cancels, and while benchmarks are looked for as while they run.
        """
        shop.commit(
            odd__odd_test_dot_go="""package odd

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func BenchmarkSlow(b *testing.B) {
	if b.N > ITERATIONS {
		time.Sleep(time.Second / 2) // by then whoever started it knows that it has
		os.WriteFile(os.Getenv("PIDS"), []byte(strconv.Itoa(os.Getpid())), 0o644)
		time.Sleep(time.Hour)
	}
}
""".replace("ITERATIONS", str(iterations))
        )
        shop.budget(HEADER + '  "odd/*":\n    ns/op: +10%\n')
        shop.write(odd__more_test_dot_go="package odd\n\nfunc init() { println() }\n")
        before, pids = shop.state(), shop.root.parent / "pids"
        session = subprocess.Popen(
            shop.command("--gotrace-baseline=HEAD", *FAST),
            cwd=shop.root,
            env=shop.environment(PIDS=str(pids)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            pid = _written(pids)
            send(session.pid, number)
            output, _ = session.communicate(timeout=300)
        finally:
            session.kill()
        assert session.returncode == 2, output
        assert "KeyboardInterrupt" in output
        assert _gone(pid)
        assert shop.leftovers() == []
        assert shop.state() == before


def _written(path: Path) -> int:
    deadline = time.monotonic() + 300
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, "the benchmark was never started"
        time.sleep(0.02)
    return int(path.read_text())


def _gone(pid: int) -> bool:
    """Whether a process has ended, or does so within a minute."""
    for _ in range(1200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
