"""Both sides are built and looked through: what is there, what is the same, and what failed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gobench import bench

from pytest_gotrace.prepare import Module, prepare

HEADER = """
package {name}

import "testing"

var sink int

func work(b *testing.B) {{
	for i := 0; i < b.N; i++ {{
		sink++
	}}
}}
"""


def package(name, *benchmarks):
    """A test file: benchmarks are names, or (name, body)."""
    pairs = [(each, "work(b)") if isinstance(each, str) else each for each in benchmarks]
    return HEADER.format(name=name) + "\n".join(
        f"func Benchmark{name}(b *testing.B) {{ {body} }}" for name, body in pairs
    )


def prepared(tmp_path, wanted=lambda directory: True, **sides) -> Module:
    return prepare(bench(tmp_path, **sides), "", wanted)


def presences(module):
    """By benchmark: its presence on the base and on the head."""
    return {b.path: (b.status["base"].presence, b.status["head"].presence) for b in module.benchmarks}


def test_what_is_on_both_sides_is_found(tmp_path):
    """Benchmarks and their parts are found in the order of the source, with the time of one iteration; not parents."""
    files = {
        "a__a_test": package("a", "Zeta", ("Alpha", 'b.Run("one", work); b.Run("two", work)')),
        "x_test": package("m", "Root"),
    }
    changed = files | {"a__a": "package a\n\nvar Changed = 1\n"}
    module = prepared(tmp_path, base=files, head=changed)
    assert presences(module) == dict.fromkeys(
        ("BenchmarkRoot", "a/BenchmarkZeta", "a/BenchmarkAlpha/one", "a/BenchmarkAlpha/two"),
        ("found", "found"),
    )
    assert module.packages == ("", "a")
    assert all(b.status["head"].nanoseconds > 0 for b in module.benchmarks)
    root = module.benchmarks[0]
    assert (root.id, root.import_path, root.executables["head"].directory) == (
        "BenchmarkRoot",
        "example.com/m",
        tmp_path / "head",
    )


def test_presence_is_told_by_side(tmp_path):
    """New, vanished, skipped and failing benchmarks are told apart, each with what it said."""
    base = package("a", "Gone", "SkipsNow", "FailsNow", "Stays", ("SkipsBefore", 'b.Skip("why not")'))
    head = package(
        "a",
        "New",
        ("SkipsNow", 'b.Skip("not today")'),
        ("FailsNow", 'b.Fatal("bad luck")'),
        "Stays",
        "SkipsBefore",
    )
    module = prepared(tmp_path, base={"a__a_test": base}, head={"a__a_test": head})
    assert presences(module) == {
        "a/BenchmarkGone": ("found", "absent"),
        "a/BenchmarkSkipsNow": ("found", "skipped"),
        "a/BenchmarkFailsNow": ("found", "failed"),
        "a/BenchmarkStays": ("found", "found"),
        "a/BenchmarkSkipsBefore": ("skipped", "found"),
        "a/BenchmarkNew": ("absent", "found"),
    }
    status = {b.name: b.status for b in module.benchmarks}
    assert "not today" in status["BenchmarkSkipsNow"]["head"].detail
    assert "bad luck" in status["BenchmarkFailsNow"]["head"].detail
    failure = status["BenchmarkFailsNow"]["head"].failure
    assert (failure.benchmark, failure.side) == ("a/BenchmarkFailsNow", "head")


def test_a_crash_is_the_failure_of_every_part(tmp_path):
    """Where a benchmark crashes on the head, the parts that the base has are failed there, and not gone."""
    parts = 'b.Run("one", work); b.Run("two", work)'
    # A panic of the benchmark's own goroutine may come too late: the framework learns first that it is over.
    crash = 'go func() { panic("oops") }(); select {}'
    module = prepared(
        tmp_path,
        base={"a__a_test": package("a", ("X", parts))},
        head={"a__a_test": package("a", ("X", f"{parts}; {crash}"))},
    )
    assert presences(module) == {
        "a/BenchmarkX/one": ("found", "failed"),
        "a/BenchmarkX/two": ("found", "failed"),
    }
    assert all("oops" in b.status["head"].detail for b in module.benchmarks)
    assert {b.status["head"].failure.benchmark for b in module.benchmarks} == {
        "a/BenchmarkX/one",
        "a/BenchmarkX/two",
    }


@pytest.mark.parametrize(
    ("broken", "expected"), [("base", ("failed", "found")), ("head", ("found", "failed"))]
)
def test_a_side_that_does_not_build(tmp_path, broken, expected):
    """The benchmarks of the other side are known, and failed where the package does not compile."""
    files = {"base": {"a__a_test": package("a", "X")}, "head": {"a__a_test": package("a", "X")}}
    files[broken]["a__a"] = "package a\n\nvar broken int = nothing\n"
    module = prepared(tmp_path, **files)
    assert presences(module) == {"a/BenchmarkX": expected}
    (benchmark,) = module.benchmarks
    failure = benchmark.status[broken].failure
    assert "undefined: nothing" in failure.error.tail
    assert not module.failures


def test_no_side_builds(tmp_path):
    """Of a package that compiles on no side only the failures are known, one for each."""
    files = {"a__a_test": package("a", "X"), "a__a": "package a\n\nvar broken int = nothing\n"}
    module = prepared(tmp_path, base=files, head=files)
    assert module.benchmarks == ()
    assert [(failure.benchmark, failure.side) for failure in module.failures] == [
        ("a", "base"),
        ("a", "head"),
    ]


def test_without_a_base(tmp_path):
    """Without a base every benchmark is absent there, and nothing is identical."""
    module = prepared(tmp_path, base=None, head={"a__a_test": package("a", "X")})
    assert presences(module) == {"a/BenchmarkX": ("absent", "found")}
    assert not module.benchmarks[0].identical


def test_only_what_is_wanted_is_built(tmp_path):
    """A package that no rule is about is not even compiled."""
    files = {"a__a_test": package("a", "X"), "b__b_test": package("b", "Y") + "\nvar broken int = nothing\n"}
    module = prepared(tmp_path, lambda directory: directory == "a", base=files, head=files)
    assert (module.packages, module.failures) == (("a",), ())


def test_packages_with_like_names_are_kept_apart(tmp_path):
    """`a/b` and `a-b` are two packages with two binaries."""
    files = {"a__b__x_test": package("b", "Slash"), "a-b__x_test": package("b", "Dash")}
    module = prepared(tmp_path, base=None, head=files)
    assert presences(module) == {
        "a-b/BenchmarkDash": ("absent", "found"),
        "a/b/BenchmarkSlash": ("absent", "found"),
    }


# identical

FILES = {"a__a_test": package("a", "X", "Y")}


@pytest.mark.parametrize(
    ("changed", "identical"),
    [
        ((), True),
        (("README.md", "a/a_test.go", "go.mod", "gotrace.yaml"), True),
        (("b/data.json",), True),
        (("a/testdata/big.json",), False),
        (("b/testdata/big.json",), False),
        (("a/template.html",), False),
        (("a/deeper/template.html",), True),
    ],
)
def test_equal_bytes_are_identical_unless_data_changed(tmp_path, changed, identical):
    """Binaries with the same bytes are the same, unless a file changed that a benchmark of the package may read."""
    module = prepared(tmp_path, base=FILES, head=FILES, changed=changed)
    assert [b.identical for b in module.benchmarks] == [identical] * 2
    assert presences(module) == dict.fromkeys(("a/BenchmarkX", "a/BenchmarkY"), ("found", "found"))


def test_a_comment_changes_no_behaviour(tmp_path):
    """A comment that moves no line of code leaves the bytes as they are."""
    head = {"a__a_test": FILES["a__a_test"] + "\n// One more remark.\n"}
    assert all(b.identical for b in prepared(tmp_path, base=FILES, head=head).benchmarks)


def test_a_comment_that_moves_code_changes_no_behaviour(tmp_path):
    """Where lines move the bytes differ, and the code is the same by its tokens; a changed directive is code."""
    head = {"a__a_test": FILES["a__a_test"].replace("var sink", "// Kept.\n\nvar sink")}
    moved = prepared(tmp_path / "moved", base=FILES, head=head).benchmarks
    assert [(b.identical, b.by_tokens) for b in moved] == [(True, True)] * 2
    head = {"a__a_test": FILES["a__a_test"].replace("func work", "//go:noinline\nfunc work")}
    assert not any(b.identical for b in prepared(tmp_path / "directed", base=FILES, head=head).benchmarks)


def test_other_code_is_not_identical(tmp_path):
    """A benchmark whose own code is as before is not identical where anything in its binary changed."""
    head = {"a__a_test": FILES["a__a_test"].replace("sink++", "sink--", 1)}
    assert not any(b.identical for b in prepared(tmp_path, base=FILES, head=head).benchmarks)


def test_a_module_below_the_repository(tmp_path):
    """A benchmark of a module in a directory has a path below the module and an id below the repository."""
    sides = bench(tmp_path, base=None, head={"a__a_test": package("a", "X")})
    above = replace(sides, checkouts={"head": tmp_path})
    (benchmark,) = prepare(above, "head", lambda directory: True).benchmarks
    assert (benchmark.path, benchmark.id) == ("a/BenchmarkX", "head/a/BenchmarkX")


def test_no_module_on_one_side(tmp_path):
    """Where a side has no go.mod, its benchmarks are absent."""
    sides = bench(tmp_path, base={}, head={"a__a_test": package("a", "X")})
    (tmp_path / "base" / "go.mod").unlink()
    assert presences(prepare(sides, "", lambda directory: True)) == {"a/BenchmarkX": ("absent", "found")}


def test_modules_join(tmp_path):
    """A module that was looked through in two steps is one with the packages of both."""
    files = {"a__a_test": package("a", "X"), "b__b_test": package("b", "Y")}
    sides = bench(tmp_path, base=None, head=files)
    first, second = (prepare(sides, "", lambda directory, name=name: directory == name) for name in "ab")
    joined = Module(directory="").joined(first).joined(second)
    assert joined.packages == ("a", "b")
    assert list(presences(joined)) == ["a/BenchmarkX", "b/BenchmarkY"]
