"""Result lines are read strictly, and found among whatever else was printed."""

from __future__ import annotations

import pytest

from pytest_gotrace.benchfmt import broke_off, discovery, failures, passed, results

COLUMNS = "\t       250.5 ns/op\t      64 B/op\t       1 allocs/op"


@pytest.mark.parametrize(
    ("text", "procs"),
    [
        ("BenchmarkX   \t     100" + COLUMNS, 1),
        ("BenchmarkX-16   \t     100" + COLUMNS, 16),
        ("goos: linux\nBenchmarkX-2 \t     100" + COLUMNS + "\nPASS\n", 2),
        ("trial said thisBenchmarkX-2 \tand the run 100     100" + COLUMNS, 2),
        ("BenchmarkX-8 \tno result\nBenchmarkX-4 \tlines\nand lines\n     100" + COLUMNS, 4),
    ],
)
def test_result(text, procs):
    """A result line gives its units and GOMAXPROCS, whatever stands before the numbers."""
    (result,) = results(text, "BenchmarkX", 100)
    assert result.values == {"ns/op": 250.5, "B/op": 64, "allocs/op": 1}
    assert result.procs == procs


def test_many_iterations():
    """Numbers wider than their column are found, also right after a digit that the benchmark printed."""
    (result,) = results("BenchmarkX \t7" + "1234567890" + COLUMNS, "BenchmarkX", 1234567890)
    assert result.values["ns/op"] == 250.5


def test_units():
    """Every unit is kept, except those without a finite value."""
    own = "\t NaN a\t +Inf b\t -2.000 µs-p99"
    text = f"BenchmarkX \t     100\t 1.5 ns/op\t1250.00 MB/s{own}\t 0 B/op\t 0 allocs/op"
    (result,) = results(text, "BenchmarkX", 100)
    assert result.values == {"ns/op": 1.5, "MB/s": 1250, "µs-p99": -2, "B/op": 0, "allocs/op": 0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PASS\n",
        "BenchmarkX-2 \t     100\n",
        "BenchmarkX-2 \t     100\t 1.5 ns/op\n",
        "BenchmarkX-2 \t     101" + COLUMNS,
        "BenchmarkX-2 \t     100" + COLUMNS + " and more",
        "BenchmarkY-2 \t     100" + COLUMNS,
        "BenchmarkX/sub-2 \t     100" + COLUMNS,
        "BenchmarkX-2 \t       0\t NaN ns/op\t 0 B/op\t 0 allocs/op",
        "     100" + COLUMNS,
    ],
)
def test_no_result(text):
    """Nothing, half a line, another count or another benchmark is no result."""
    assert results(text, "BenchmarkX", 100) == ()


def test_two_results():
    """Two results are two, for the caller to refuse."""
    assert len(results(("BenchmarkX-2 \t     100" + COLUMNS + "\n") * 2, "BenchmarkX", 100)) == 2


def section(name, body):
    return f"\x16=== RUN   {name}\n{name}\n{body}"


@pytest.mark.parametrize(
    "skip",
    [
        "\x16--- SKIP: BenchmarkX/s\n    x_test.go:7: not today\n",
        "    x_test.go:7: not today\n\x16--- SKIP: BenchmarkX/s\n",
    ],
)
def test_skip(skip):
    """The reason of a skip is found where Go printed it before 1.25, and where it does since."""
    found = discovery(section("BenchmarkX", "") + section("BenchmarkX/s", skip) + "\x16PASS\n")
    assert [(entry.name, entry.reason) for entry in found.skipped] == [
        ("BenchmarkX/s", "x_test.go:7: not today")
    ]


def test_suffix_or_name():
    """`size-8` on one processor and `size` on eight are told apart."""
    one = section("BenchmarkX/size-8", "BenchmarkX/size-8 \t       1" + COLUMNS + "\n")
    eight = section("BenchmarkX/size", "BenchmarkX/size-8 \t       1" + COLUMNS + "\n")
    assert [entry.name for entry in discovery(one + eight).found] == ["BenchmarkX/size-8", "BenchmarkX/size"]


def test_failures():
    """Names of failures are read with and without the framework's mark."""
    assert failures("--- FAIL: BenchmarkX/a-2\n\x16--- FAIL: BenchmarkX\nnot --- FAIL: y\n") == (
        "BenchmarkX/a-2",
        "BenchmarkX",
    )


def test_broken_off():
    """A result of no iterations, which a panic leaves behind, is recognised after whatever was printed."""
    broken = (
        "BenchmarkX-2 \tprinted\nlines       0\t               NaN ns/op\t       0 B/op\t       0 allocs/op\n"
    )
    assert broke_off(broken, "BenchmarkX")
    assert not broke_off("BenchmarkX-2 \t     100" + COLUMNS, "BenchmarkX")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("PASS\n", True),
        ("\x16PASS\n", True),
        ("said\x16PASS\n", True),
        ("PASSED\n", False),
        ("FAIL\n", False),
    ],
)
def test_passed(text, good):
    """Only the framework's own word counts as a good end."""
    assert passed(text) is good
