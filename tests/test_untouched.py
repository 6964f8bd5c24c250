"""Packages that a change does not reach."""

from __future__ import annotations

import pytest
from gobench import bench

from pytest_gotrace.errors import UsageError
from pytest_gotrace.untouched import notes, untouched

TEST = 'package {name}\n\nimport "testing"\n\nfunc BenchmarkX(b *testing.B) {{}}\n'

FILES = {
    "inner__inner": "package inner\n\nfunc F() {}\n",
    "outer__outer": 'package outer\n\nimport "example.com/m/inner"\n\nfunc F() { inner.F() }\n',
    "outer__outer_test": TEST.format(name="outer"),
    "tested__tested": "package tested\n",
    "tested__tested_test": 'package tested_test\n\nimport (\n\t"testing"\n\n\t"example.com/m/inner"\n)\n\n'
    "func BenchmarkX(b *testing.B) { inner.F() }\n",
    "lonely__lonely": "package lonely\n",
    "lonely__lonely_test": TEST.format(name="lonely"),
}


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ((), ("lonely", "outer", "tested")),
        (("inner/inner.go",), ("lonely",)),
        (("inner/data/embedded.txt",), ("lonely",)),
        (("lonely/lonely_test.go",), ("outer", "tested")),
        (("lonely/gone.go",), ("outer", "tested")),
        (("docs/how.md",), ("lonely", "outer", "tested")),
        (("go.mod",), ()),
        (("sub/go.sum",), ()),
        (("vendor/modules.txt",), ()),
        (("lonely/testdata/x",), ()),
    ],
)
def test_what_a_change_reaches(tmp_path, changed, left):
    """A file reaches its own package and whatever imports it, in tests too; a `go.mod` and `testdata` reach all."""
    assert untouched(bench(tmp_path, base=FILES, head=FILES, changed=changed), "") == left


def test_a_package_that_cannot_be_read_is_reached(tmp_path):
    """A package that does not even parse is never left out."""
    head = {**FILES, "lonely__lonely": "package\n"}
    assert untouched(bench(tmp_path, base=FILES, head=head), "") == ("outer", "tested")


def test_without_a_base(tmp_path):
    """Without a base nothing can be unchanged, and the error says what to give."""
    with pytest.raises(UsageError, match="needs a revision to compare with"):
        untouched(bench(tmp_path, base=None, head=FILES), "")


def test_many_packages_are_not_all_named():
    """A note names ten packages and counts the rest; without any there is none."""
    (said,) = notes([f"p{number}" for number in range(12)])
    assert "`p9` and 2 more" in said
    assert "`p10`" not in said
    assert list(notes([])) == []


def test_left_out_of_the_gate(shop):
    """Untouched packages are neither built nor missed, whatever rules and requirements say about them."""
    shop.write(
        shed__shed_dot_go="package shed\n",
        shed__shed_test_dot_go=TEST.format(name="shed"),
    )
    shop.budget(
        "version: 1\nbudgets:\n  shed/BenchmarkX: {allocs/op: +1%}\n  till/BenchmarkPay/*: {allocs/op: +10%}\n"
        "require: [shed/BenchmarkX]\n"
    )
    shop.commit("a shed")
    shop.cost(Coins=5)
    result = shop.gate("--gotrace-changed-packages", "--gotrace-report=report")
    assert result.ret == 1
    summary = (shop.root / "report" / "summary.md").read_text()
    assert "untouched, and so not measured: `shed`" in summary
    assert "shed/BenchmarkX" not in summary


def test_nothing_touched_at_all(shop):
    """A change that reaches no benchmark passes without a measurement, and the report says so."""
    shop.commit("say it", docs__how_dot_md="how\n")
    result = shop.gate("--gotrace-changed-packages", "--gotrace-report=report", "--gotrace-record=x.jsonl")
    assert result.ret == 0
    assert "untouched, and so not measured: `till`" in (shop.root / "report" / "summary.md").read_text()
