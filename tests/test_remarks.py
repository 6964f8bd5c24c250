"""Remarks stand at the changed line that explains, else at the benchmark, and never outside the checkout."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import benchmark
from gomodule import go_module
from sample_reports import MISSING, OVER, WAIVED, WHY

from pytest_gotrace.changes import Changes
from pytest_gotrace.remarks import MOST, declaration, remarks

TESTS = """
package m

import "testing"

func BenchmarkXY(b *testing.B) {}

func BenchmarkX(b *testing.B) {}
"""


@pytest.fixture
def head(tmp_path):
    return go_module(tmp_path / "head", m_test=TESTS)


def touched(file, *lines):
    return Changes(
        lines={file: tuple(range(line, line + 1) for line in lines)}, functions={file: (range(1, 1000),)}
    ).nearest


def nothing(file, line):
    return None


def again(benchmark):
    return f"pytest -k {benchmark.name.split('/')[0]}"


def of(entry, name="BenchmarkX/large"):
    return replace(entry, benchmark=name), benchmark(name)


def test_at_the_changed_line(head):
    """A remark is at the changed line nearest to where goroutines waited."""
    (remark,) = remarks([of(OVER)], {"BenchmarkX/large": WHY}, touched("pool/pool.go", 38, 90), head, again)
    assert (remark.file, remark.line, remark.level) == ("pool/pool.go", 38, "error")
    assert remark.title == "BenchmarkX/large region[db].p99 is over budget"
    assert "412 µs → 689 µs" in remark.message
    assert "sync-block[chan send] +271 µs per operation" in remark.message
    assert "`" not in remark.message


def test_what_to_do_stands_in_it(head):
    """A remark ends with what to try and with how to reproduce it, one line each."""
    (remark,) = remarks([of(OVER)], {"BenchmarkX/large": WHY}, nothing, head, again)
    assert remark.message.splitlines()[1:] == [f"try: {WHY.advice}", "reproduce: pytest -k BenchmarkX"]
    (bare,) = remarks([of(OVER)], {}, nothing, head, again)
    assert bare.message.splitlines()[1:] == ["reproduce: pytest -k BenchmarkX"]


def test_at_who_ended_the_wait(head):
    """Where only the code that ended the wait was touched, the remark is there."""
    line = replace(WHY.lines[0], waker_file="worker/worker.go", waker_line=7)
    why = replace(WHY, lines=(line,))
    (remark,) = remarks([of(OVER)], {"BenchmarkX/large": why}, touched("worker/worker.go", 9), head, again)
    assert (remark.file, remark.line) == ("worker/worker.go", 9)


@pytest.mark.parametrize("whys", [{}, {"BenchmarkX/large": WHY}])
def test_else_at_the_benchmark(head, whys):
    """Where no changed line explains it, the remark is at the benchmark's function, and at no other like it."""
    (remark,) = remarks([of(OVER)], whys, nothing, head, again)
    assert (remark.file, remark.line) == ("m_test.go", 8)


def test_nowhere(head):
    """A benchmark that is not found in the head's files has no remark."""
    assert remarks([of(MISSING, "BenchmarkGone")], {}, nothing, head, again) == ()


def test_one_for_each_benchmark_worst_first(head):
    """Each benchmark has one remark, for its worst row, and there are no more than the runner shows."""
    text = "package m\n" + "".join(f"func Benchmark{n}(b *testing.B) {{}}\n" for n in range(20))
    (head / "more_test.go").write_text(text)
    rows = [of(entry, f"Benchmark{n}") for n in range(20) for entry in (OVER, WAIVED)]
    found = remarks(rows, {}, nothing, head, again)
    assert [remark.title.split()[0] for remark in found] == [f"Benchmark{n}" for n in range(MOST)]
    assert {remark.level for remark in found} == {"error"}


def test_what_does_not_block_is_a_warning(head):
    """A row that is waived, or only warns, is remarked upon as a warning."""
    for row in (WAIVED, replace(OVER, level="warn")):
        (remark,) = remarks([of(row)], {}, nothing, head, again)
        assert remark.level == "warning"


def test_a_link_out_of_the_checkout(tmp_path, head):
    """A test file that is a symbolic link is not read."""
    outside = tmp_path / "outside.go"
    outside.write_text("func BenchmarkSecret(b *testing.B) {}\n")
    (head / "link_test.go").symlink_to(outside)
    assert declaration(benchmark("BenchmarkSecret"), head) is None
