"""Each hook is tested with the example of its own docstring, as a project would put it into a `conftest.py`."""

from __future__ import annotations

import inspect
import textwrap

import pytest
from shopfront import FAST, copy, text

from pytest_gotrace import hookspec

SMALL_ONLY = 'version: 1\nbudgets:\n  "till/BenchmarkPay/small":\n    allocs/op: +10%\n'


def example(hook: str) -> str:
    """The code in the docstring of a hook: all that is indented after the `::`."""
    documentation = inspect.getdoc(getattr(hookspec, hook))
    _, found, code = documentation.partition("::\n\n")
    assert found, f"{hook} has no example"
    return textwrap.dedent(code) + "\n"


@pytest.fixture(scope="module")
def dear(original, tmp_path_factory):
    """A shop whose last commit makes every coin three, under a budget for one benchmark."""
    shop = copy(original, tmp_path_factory.mktemp("dear") / "shop")
    shop.cost(Coins=3)
    shop.budget(SMALL_ONLY)
    return shop


@pytest.fixture
def project(dear, tmp_path):
    """That shop with a `conftest.py`: the example of a hook, and what stands before and after it."""

    def project(hook, before="", after=""):
        shop = copy(dear, tmp_path / "shop")
        shop.write(conftest_dot_py=f"{before}\n{example(hook)}\n{after}\n")
        return shop

    return project


def test_every_hook_is_tested():
    """There is a test for each hook, named like it."""
    hooks = {name for name in vars(hookspec) if name.startswith("pytest_gotrace_")}
    assert hooks == {name.replace("test_", "pytest_gotrace_", 1) for name in HOOKS}


def test_go_command(project, tmp_path):
    """A project changes how benchmarks are started; here they are bound to processors, by a `taskset` that tells."""
    shop = project("pytest_gotrace_go_command", "import dataclasses")
    taskset = tmp_path / "bin" / "taskset"
    taskset.parent.mkdir()
    taskset.write_text('#!/bin/sh\necho "$1 $2 $3" >> "$TOLD"\nshift 2\nexec "$@"\n')
    taskset.chmod(0o755)
    told = tmp_path / "told"
    path = f"{taskset.parent}:{shop.environment()['PATH']}"
    assert shop.gate(PATH=path, TOLD=str(told)).ret == 1
    calls = told.read_text().splitlines()
    assert {call.rpartition(" ")[0] for call in calls} == {"-c 0,1"}
    assert {call.rpartition("/")[2] for call in calls} == {"@.test"}


def test_metrics(project):
    """A project adds a metric, which its budget may name and is judged by."""
    shop = project("pytest_gotrace_metrics", "from pytest_gotrace.metrics import Metric")
    path = shop.root / "till" / "till_test.go"
    collects = path.read_text().replace("Pay()\n", "Pay()\n\t\t\t\truntime.GC()\n")
    path.write_text(collects.replace('"context"', '"context"\n\t"runtime"'))
    shop.budget('version: 1\nbudgets:\n  "till/BenchmarkPay/small":\n    gc-mark.total: max 1ns\n')
    result = shop.pytest("--gotrace-record=../r.jsonl", *FAST)
    assert result.ret == 1
    result.stdout.fnmatch_lines("over *till/BenchmarkPay/small gc-mark.total: *budget max 1ns *")
    unknown = copy(shop, shop.root.parent / "without")
    (unknown.root / "conftest.py").unlink()
    assert "unknown metric 'gc-mark'" in text(unknown.gate())


def test_key(project):
    """A project renames what events belong to, and those that become equal are one."""
    shop = project("pytest_gotrace_key", "import dataclasses")
    path = shop.root / "till" / "till_test.go"
    serve = path.read_text().replace('"look", Look', 'fmt.Sprintf("request-%d", i), Look')
    path.write_text(serve.replace('"context"', '"context"\n\t"fmt"'))
    shop.budget('version: 1\nbudgets:\n  "till/BenchmarkServe":\n    region[request].p50: max 1s\n')
    result = shop.pytest("--gotrace-record=../r.jsonl", *FAST, "-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines("within *till/BenchmarkServe region?request?.p50: *")


TELLING = """
import dataclasses, pathlib
from pytest_gotrace import stats as ours

class stats:
    def judge(cells, *, plan, **others):
        pathlib.Path("method").write_text(plan.method)
        return ours.judge(cells, plan=plan, **others)
"""


def test_compare(project):
    """A project uses another statistical procedure, here the exact one, and the whole family is judged by it."""
    shop = project("pytest_gotrace_compare", TELLING)
    result = shop.gate()
    assert result.ret == 1
    assert (shop.root / "method").read_text() == "exact"


def test_verdict(project):
    """A project has the last word on a verdict."""
    shop = project(
        "pytest_gotrace_verdict",
        "import dataclasses\nfrom pytest_gotrace.verdict import Outcome",
    )
    legacy = shop.root / "legacy"
    (shop.root / "till").rename(legacy)
    shop.commit()
    shop.cost(package="legacy", Coins=9)
    shop.budget(SMALL_ONLY.replace("till/", "legacy/"))
    result = shop.gate("-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines("inconclusive *3 → 9*legacy code is not judged")


def test_sinks(project):
    """A project sends the report somewhere else; what it answers is shown, and a place that fails changes nothing."""
    shop = project(
        "pytest_gotrace_sinks",
        "from pytest_gotrace.sentences import verdict_sentence\nsaid = []\npost = said.append",
        "def pytest_unconfigure():\n    print('posted', said)\n",
    )
    result = shop.gate()
    assert result.ret == 1
    result.stdout.fnmatch_lines("posted ?'1 over budget: 1 of 1 benchmarks measured'?")


HOOKS = tuple(
    name for name in list(globals()) if name.startswith("test_") and name != "test_every_hook_is_tested"
)


class TestBroken:
    def test_sink(self, dear, tmp_path):
        """A place that cannot take the report says so; the verdict stands, and the other places are served."""
        shop = copy(dear, tmp_path / "shop")
        result = shop.gate("--gotrace-report=/proc/nowhere", GITHUB_STEP_SUMMARY=str(tmp_path / "step.md"))
        assert result.ret == 1
        result.stdout.fnmatch_lines("json: /proc/nowhere/report.json: cannot write the report: *")
        assert "1 over budget" in (tmp_path / "step.md").read_text()

    @pytest.mark.parametrize("hook", ["go_command(command)", "metrics()"])
    def test_hook(self, dear, tmp_path, hook):
        """A hook that raises ends the session as an internal error, and nothing is left."""
        shop = copy(dear, tmp_path / "shop")
        shop.write(conftest_dot_py=f"def pytest_gotrace_{hook}:\n    raise ZeroDivisionError('in a hook')\n")
        result = shop.gate()
        assert result.ret == 3
        assert "ZeroDivisionError: in a hook" in text(result)
        assert shop.leftovers() == []
