"""The fixture `gotrace`: tests in Python that measure benchmarks and read traces."""

from __future__ import annotations

import pytest
from shopfront import copy, text

QUICK = ("--gotrace-run-time=20ms", "test_shop.py")

MEASURES = """
import pytest
from pytest_gotrace.errors import UsageError, GoTestError

def test_one_side(gotrace):
    measured = gotrace.measure("./till", bench="BenchmarkServe", pairs=2)
    assert measured.head["allocs/op"] == 0
    assert len(measured.head.of_runs("ns/op")) == 2
    look, every = measured.head["region[look].total"], measured.head["exec.total"]
    assert 0.1 * every < look < 10 * every
    numbers = dict(measured.head)
    assert {"ns/op", "B/op", "allocs/op", "region[look].p50", "exec.total"} <= set(numbers)
    assert len(measured.head) == len(numbers)
    assert len(measured.base) == 0

def test_sub_benchmark(gotrace):
    assert gotrace.measure("till", bench="BenchmarkPay/large", pairs=2).head["allocs/op"] == 1

def test_absent(gotrace):
    with pytest.raises(UsageError, match="no benchmark 'BenchmarkPai'.*did you mean.*it has: BenchmarkPay/small"):
        gotrace.measure("till", bench="BenchmarkPai")
    with pytest.raises(UsageError, match="not in a git repository"):
        gotrace.measure("..", bench="BenchmarkPay")
    with pytest.raises(UsageError, match="has no benchmark 'BenchmarkPay'.*"):
        gotrace.measure(".", bench="BenchmarkPay")

def test_number_that_is_not_there(gotrace):
    measured = gotrace.measure("./till", bench="BenchmarkServe", pairs=2)
    with pytest.raises(KeyError, match=r"region\\[lock\\].total was not seen; there are: .*region\\[look\\]"):
        measured.head["region[lock].total"]
    assert measured.head["net-wait.total"] == 0
    with pytest.raises(UsageError, match="unknown statistic"):
        measured.head["region[look].p42"]
"""

COMPARES = """
def test_two_sides(gotrace):
    measured = gotrace.measure("./till", bench="BenchmarkPay/small", pairs=2)
    assert (measured.base["allocs/op"], measured.head["allocs/op"]) == (1, 3)
"""

READS = """
import subprocess
import pytest
from pytest_gotrace.errors import TraceError

@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "trace.out"
    command = ["go", "test", "-run=^$", "-bench=Serve", "-benchtime=100x", f"-trace={path}", "./till"]
    subprocess.run(command, check=True, capture_output=True)
    return path

def test_trace(gotrace, trace):
    found = gotrace.trace(trace)
    assert found["region[look].count"] == 10 * 101
    assert 0 < found["region[look].p50"] <= found["region[look].max"]
    assert dict(found)["region[look].count"] == 10 * 101
    with pytest.raises(KeyError, match="there are: .*region"):
        found["region[lock].count"]

def test_damaged(gotrace, trace, tmp_path):
    (tmp_path / "cut.trace").write_bytes(trace.read_bytes()[:-100])
    with pytest.raises(TraceError, match="cut.trace"):
        gotrace.trace(tmp_path / "cut.trace")
"""


@pytest.fixture
def run(shop):
    """Run tests in Python in a shop."""

    def run(tests, *arguments):
        shop.write(test_shop_dot_py=tests)
        result = shop.pytest(*arguments, *QUICK)
        assert shop.leftovers() == []
        return result

    return run


def test_measuring(run):
    """Without a base the working tree is measured; what is not there is an error that names what is."""
    result = run(MEASURES)
    assert result.ret == 0, text(result)
    result.assert_outcomes(passed=4)


def test_both_sides(run, shop):
    """With `--gotrace-baseline` both sides are measured, by the checkouts of the session."""
    shop.cost(Coins=3)
    result = run(COMPARES, "--gotrace-baseline=HEAD~1")
    assert result.ret == 0, text(result)
    result.assert_outcomes(passed=1)


def test_failure_and_verdict(run, shop):
    """Tests in Python and rules of a budget go together; a test that fails makes it 1, as everywhere."""
    shop.budget('version: 1\nbudgets:\n  "till/BenchmarkPay/small":\n    allocs/op: +10%\n')
    shop.refactor()
    result = run("def test_no():\n    assert False\n", "--gotrace-baseline=HEAD~1", "gotrace.yaml")
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("1 within: 1 of 1 benchmarks measured")


def test_traces(run):
    """A trace of any program is read into distributions, and one that is cut short is refused."""
    result = run(READS)
    assert result.ret == 0, text(result)
    result.assert_outcomes(passed=2)


def test_example_of_the_docstring(original, tmp_path):
    """The docstring of the fixture shows a test that can be written like that."""
    shop = copy(original, tmp_path / "shop")
    code = """import inspect, textwrap
from pytest_gotrace import plugin
documentation = inspect.getdoc(plugin.gotrace)
code = textwrap.dedent(documentation.partition("::")[2])
code = code.replace("./handler", "./till").replace("BenchmarkHandler/large", "BenchmarkServe")
exec(code.replace("region[db]", "region[look]").replace("task[request]", "region[look]"))
"""
    shop.write(test_shop_dot_py=code)
    result = shop.pytest(*QUICK)
    result.assert_outcomes(passed=1)
