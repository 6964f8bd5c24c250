"""pytest with a gate in it, from the command line: what is collected, measured, answered and said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from gitproject import git
from shopfront import HEAVY, LARGE, SERVE, SMALL, TILL_TEST, copy, lines, text

from pytest_gotrace.report_json import read_report

SMALL_ONLY = """version: 1
budgets:
  "till/BenchmarkPay/small":
    allocs/op: +10%
"""

OTHER = SMALL.replace("gotrace.yaml", "other.yaml")
PYTHON = ("test_b.py::test_b", "tests/test_a.py::test_a")
RECORD = "--gotrace-record=../r.jsonl"


@pytest.fixture(scope="module")
def slower(original, tmp_path_factory):
    """A shop whose last commit lets everything cost far more than it may."""
    shop = copy(original, tmp_path_factory.mktemp("slower") / "shop")
    shop.cost(Coins=3, Steps=40_000)
    return shop


@pytest.fixture(scope="module")
def red(slower):
    """The session that tells everything about it, with a JUnit file, a report and a recording."""
    return slower.gate(
        "-v", "--junit-xml=../junit.xml", "--gotrace-report=../report", "--gotrace-record=../r.jsonl"
    )


@pytest.fixture(scope="module")
def mixed(original, tmp_path_factory):
    """A shop with tests in Python beside it, which pytest is set up to run."""
    shop = copy(original, tmp_path_factory.mktemp("mixed") / "shop")
    shop.write(
        tests__test_a_dot_py="def test_a():\n    pass\n",
        test_b_dot_py="def test_b():\n    pass\n",
        pytest_dot_ini="[pytest]\ntestpaths = tests\n",
        other_dot_yaml=SMALL_ONLY,
    )
    return shop


class TestWithoutAnOption:
    @pytest.mark.parametrize("modules", ["pytest_gotrace.plugin", "pytest, pytest_gotrace.plugin"])
    def test_nothing_heavy_is_imported(self, modules):
        """Importing the plugin loads none of the libraries that cost time."""
        command = f"import {modules}, sys; print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
        assert not set(HEAVY) & set(loaded.stdout.split())

    def test_nothing_is_collected_and_nothing_loaded(self, shop):
        """A session without any option runs the tests that are there, and knows nothing of the budget."""
        shop.write(
            test_a_dot_py=f"import sys\n\ndef test_light():\n    assert not set({HEAVY}) & set(sys.modules)\n"
        )
        result = shop.pytest("-v")
        assert result.ret == 0
        result.assert_outcomes(passed=1)
        assert "gotrace.yaml" not in text(result)

    def test_switched_off(self, shop):
        """With `-p no:gotrace` there are no options, and without options nothing is missing."""
        shop.write(test_a_dot_py="def test_a():\n    pass\n")
        assert shop.pytest("-p", "no:gotrace").ret == 0
        refused = shop.pytest("-p", "no:gotrace", "--gotrace-baseline=HEAD")
        assert refused.ret == 4
        refused.stderr.fnmatch_lines("*unrecognized arguments: --gotrace-baseline=HEAD")

    def test_a_template_is_read_first(self, shop):
        """A mistake in a template ends the session with its file and line, before anything is collected or measured."""
        shop.write(own_dot_md_dot_j2='{% extends "summary.md.j2" %}\n{% block whyy %}{% endblock %}\n')
        done = shop.pytest("--gotrace-baseline", "--gotrace-template=own.md.j2")
        assert done.ret == 4
        done.stderr.fnmatch_lines(["*--gotrace-template: own.md.j2:2: there is no block 'whyy' to fill*"])

    def test_an_option_that_measures_nothing(self, shop):
        """An option that says how to measure, and none that says to, is refused with what is missing."""
        result = shop.pytest("--gotrace-report=out")
        assert result.ret == 4
        result.stderr.fnmatch_lines("ERROR: --gotrace-report*--gotrace-baseline*--gotrace-record*")


class TestCollecting:
    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [
            (("--gotrace-baseline",), (SMALL, LARGE, SERVE)),
            (("--gotrace-baseline", "gotrace.yaml"), (SMALL, LARGE, SERVE)),
            (("--gotrace-baseline", "other.yaml"), (OTHER,)),
            (("--gotrace-baseline", "."), (SMALL, LARGE, SERVE, *PYTHON)),
            (("--gotrace-baseline", "tests"), PYTHON[1:]),
            (("--gotrace-baseline", "main", "tests"), PYTHON[1:]),
            (("--gotrace-baseline", LARGE), (LARGE,)),
            ((RECORD, SERVE, "test_b.py"), (SERVE, *PYTHON[:1])),
            ((RECORD, "gotrace.yaml::till/BenchmarkPay/large"), (LARGE,)),
            ((RECORD, "-k", "small or Serve"), (SMALL, SERVE)),
        ],
        ids=lambda value: " ".join(value).replace("/", "_") if value[0].startswith("--") else "",
    )
    def test_what_is_collected(self, mixed, arguments, ids):
        """Without a path budgets alone; with paths or node ids what they name, after a bare option too."""
        result = mixed.pytest(*arguments, "--collect-only", "-q")
        assert result.ret == 0
        assert sorted(line for line in result.outlines if "::" in line) == sorted(ids)

    def test_an_unknown_node_id(self, mixed):
        """A node id that names nothing is a usage error, as everywhere."""
        result = mixed.pytest(RECORD, "gotrace.yaml::till/BenchmarkNo", "--collect-only")
        assert result.ret == 4
        result.stderr.fnmatch_lines("ERROR: not found: *gotrace.yaml::till/BenchmarkNo")

    def test_uncollectable(self, mixed):
        """`--collect-only` builds and looks, and measures nothing."""
        recording = mixed.root.parent / "r.jsonl"
        assert mixed.pytest(RECORD, "--collect-only").ret == 0
        assert not recording.exists()

    def test_no_budget(self, shop):
        """Where there is no budget at all, nothing is collected, which is no success."""
        (shop.root / "gotrace.yaml").unlink()
        assert shop.pytest("--gotrace-baseline=HEAD").ret == 5

    def test_nothing_selected(self, mixed):
        """Where `-k` leaves nothing, nothing is measured, which is no success either."""
        assert mixed.pytest(RECORD, "-k", "nothing").ret == 5

    def test_xdist(self, shop):
        """Workers that measure at the same time are refused, with the reason."""
        result = shop.gate("-n", "2")
        assert result.ret == 4
        result.stderr.fnmatch_lines("ERROR: *workers of pytest-xdist*disturb each other*")

    def test_a_monorepo(self, original, tmp_path):
        """Each module of a repository has its own budget; ids say where it lies, and `go.work` is respected."""
        shop = copy(original, tmp_path / "mono")
        bakery = TILL_TEST.replace("package till", "package oven").replace("Pay()", "till.Pay()")
        shop.commit(
            "two modules",
            bakery__go_dot_mod="module example.com/bakery\n\ngo 1.22\n\nrequire example.com/shop v0.0.0\n",
            bakery__oven__oven_test_dot_go=bakery.replace(
                "import (", 'import (\n\t"example.com/shop/till"'
            ).replace("Look)", "till.Look)"),
            bakery__gotrace_dot_yaml=SMALL_ONLY.replace("till/", "oven/"),
            go_dot_work="go 1.22\n\nuse .\nuse ./bakery\n",
            gotrace_dot_yaml=SMALL_ONLY,
        )
        shop.cost(Coins=3)
        bake = "bakery/gotrace.yaml::oven/BenchmarkPay/small::allocs/op"
        result = shop.gate("-v")
        assert result.ret == 1
        result.stdout.fnmatch_lines([f"{_literal(bake)} OVER BUDGET*", f"{_literal(SMALL)} OVER BUDGET*"])
        result.stdout.fnmatch_lines(
            "expected:  bakery/oven/BenchmarkPay/small allocs/op * (bakery/gotrace.yaml:4)"
        )
        below = shop.gate("--collect-only", "-q", at="bakery")
        assert lines(below, "gotrace.yaml") == ["gotrace.yaml::oven/BenchmarkPay/small::allocs/op"]


def _literal(text: str) -> str:
    """A text in which `fnmatch_lines` finds nothing special."""
    return text.replace("[", "[[]")


@pytest.mark.alone
class TestRed:
    def test_exit_code(self, red):
        """A change that costs more than it may ends with 1."""
        assert red.ret == 1
        red.assert_outcomes(failed=3)

    def test_verbose(self, red):
        """With `-v` each rule has its line, with a word of its own."""
        for node_id in (SMALL, LARGE, SERVE):
            red.stdout.fnmatch_lines(f"{_literal(node_id)} OVER BUDGET *")

    def test_failure(self, red):
        """A failure says what was expected by which line, what was found, and why."""
        red.stdout.fnmatch_lines(
            [
                "expected: *till/BenchmarkPay/large allocs/op within +10% (gotrace.yaml:4)",
                "found: *1 → 3, +200 %*",
                "evidence: *6 pairs, p *",
            ]
        )

    def test_short_summary(self, red):
        """The last lines of the session say how much each rule moved."""
        (line,) = lines(red, f"OVER BUDGET {LARGE}")
        assert line.endswith(" - 1 → 3, +200 %, budget +10%")

    def test_verdict(self, red):
        """The section `gotrace` has the verdict, both revisions, the machine, and the next command."""
        red.stdout.fnmatch_lines(
            [
                "3 over budget: 3 of 3 benchmarks measured",
                "base HEAD~1 (*), head working tree (*)",
                "go1.*, GOMAXPROCS *, 18 pairs over 3 benchmarks in *, seed 1, false alarms at most 5%, budget *",
                "over *till/BenchmarkPay/small allocs/op: 1 → 3*",
                "again *pytest --gotrace-baseline=* -k *",
            ]
        )

    def test_nothing_left(self, red, slower):
        """Nothing of ours is left, and the repository is as it was."""
        assert slower.leftovers() == []
        assert git(slower.root, "status", "--porcelain") == ""
        assert git(slower.root, "worktree", "list").count("\n") == 0

    def test_junit(self, red, slower):
        """JUnit has one case for each rule, with its numbers as properties and its text as failure."""
        suite = ElementTree.parse(slower.root.parent / "junit.xml").getroot()[0]
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "3", "0")
        case = next(case for case in suite if "large" in case.get("classname", ""))
        assert case.get("name") == "allocs/op"
        properties = {found.get("name"): found.get("value") for found in case.iter("property")}
        assert properties["gotrace_outcome"] == "over"
        assert properties["gotrace_rule"] == "allocs/op: +10%"
        assert {
            name: float(properties[f"gotrace_{name}"]) for name in ("base", "head", "change", "pairs")
        } == {
            "base": 1,
            "head": 3,
            "change": 2,
            "pairs": 6,
        }
        assert "allocs/op within +10%" in (case.find("failure").text or "")

    def test_report(self, red, slower):
        """`report.json` passes the check of the door that posts it, and says the same; `summary.md` is beside it."""
        report = read_report(slower.root.parent / "report" / "report.json")
        assert [(row.metric, row.outcome) for row in report.verdicts] == [
            ("allocs/op", "over"),
            ("allocs/op", "over"),
            ("region[look].p50", "over"),
        ]
        assert report.base.sha == git(slower.root, "rev-parse", "HEAD~1")
        assert (slower.root.parent / "report" / "summary.md").read_text().startswith("### ")
        red.stdout.fnmatch_lines(["report: *report.json", "summary: *summary.md"])

    def test_first_failure_and_last_failed(self, slower, tmp_path):
        """With `-x` one failure is told and the verdict is whole; `--lf` then measures that one alone."""
        shop = copy(slower, tmp_path / "shop")
        shutil.rmtree(shop.root / ".pytest_cache", ignore_errors=True)
        first = shop.gate("-x", "-k", "Pay")
        assert first.ret == 1
        assert len(lines(first, "OVER BUDGET")) == 1
        assert "2 over budget: 2 of 2 benchmarks measured" in first.outlines
        again = shop.gate("--lf", "-q")
        assert again.ret == 1
        assert "1 over budget: 1 of 1 benchmarks measured" in again.outlines
        assert not lines(again, "over ")
