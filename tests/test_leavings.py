"""What runs of ours wrote into a working tree is no part of the head; everything else is."""

from __future__ import annotations

import os

import pytest
import sample_reports as samples
from gitproject import commit, files, git, project, write
from samples import MACHINE, runs_of, spread

from pytest_gotrace import recordingfile
from pytest_gotrace.checkout import open_repository
from pytest_gotrace.leavings import notes
from pytest_gotrace.recording import Measured, Recording
from pytest_gotrace.sinks import built_in

JUNIT = '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="0">'


@pytest.fixture
def root(tmp_path):
    return project(tmp_path / "project")


def record(path):
    """A recording as a run writes it."""
    runs = runs_of({"head": spread(1000.0, 6, seed=1)})
    recordingfile.write(Recording(environment=MACHINE, sides={"head": Measured(name="x")}, runs=runs), path)


def report(directory):
    """A report as a run writes it, with a trace beside it."""
    for sink in built_in(directory):
        sink.write(samples.REGRESSION)
    kept = directory / "traces" / "BenchmarkX"
    kept.mkdir(parents=True)
    for name in ("head-worst.trace", "head-median.sync.pb.gz"):
        (kept / name).write_text("x")


def left(root):
    """The files of the head, and whether it is said to have changes."""
    with open_repository(root) as repository:
        head = repository.working_tree()
        return files(repository.materialise(head, repository.temporary / "head")), head.dirty


def test_ours_is_left_out(root):
    """Recordings, reports and what is beside them, and Python's compiled files are not in the head, at any place."""
    before = left(root)
    record(root / "main.jsonl")
    record(root / "deep" / "er" / "no-suffix")
    for place in (root, root / "sub" / "report"):
        report(place)
        (place / "junit.xml").write_text(JUNIT)
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "conftest.cpython-311.pyc").write_bytes(b"x")
    assert left(root) == before
    assert before[1] is False


def test_the_same_names_of_others(root):
    """Files that only have such names are the project's, and so are all that git knows."""
    others = {
        "a.jsonl": '{"kind": "record"}\n',
        "report.json": "{}\n",
        "summary.md": "# Mine\n",
        "traces/x/head-worst.trace": "mine\n",
        "junit.xml": '<?xml version="1.0"?><testsuite name="go">',
    }
    for name, text in others.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    record(root / "kept.jsonl")
    git(root, "add", "kept.jsonl")
    (root / "link.jsonl").symlink_to("kept.jsonl")
    os.mkfifo(root / "pipe.jsonl")
    found, dirty = left(root)
    assert dirty
    assert {name: found.get(name) for name in others} == others
    assert {"kept.jsonl", "link.jsonl"} <= found.keys()


@pytest.mark.parametrize("name", ["with space", "new\nline", "*", ":(top)x", "q\"'\\", "(literal)", "ü日"])
def test_whatever_it_is_called(root, name):
    """Such a file of any name is left out, and no other with it."""
    record(root / name)
    write(root, b_dot_txt="b\n")
    assert set(left(root)[0]) == {"a.txt", "b.txt", "go.mod"}


def test_testdata(root):
    """Below a `testdata` nothing is left out, whoever wrote it; a file of that name is as any other."""
    record(root / "sub" / "testdata" / "deep" / "main.jsonl")
    report(root / "testdata")
    record(root / "mine" / "testdata")
    found, dirty = left(root)
    assert dirty
    assert {"sub/testdata/deep/main.jsonl", "testdata/report.json", "testdata/summary.md"} <= found.keys()
    assert "mine/testdata" not in found


def test_what_is_said_of_them(root):
    """A reader is told how many files are left out and the first names, harmless ones; not of compiled files."""
    for number in range(4):
        record(root / f"{number}.jsonl")
    record(root / "0\nx")
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "conftest.pyc").write_bytes(b"x")
    with open_repository(root) as repository:
        left_out = repository.working_tree().left_out
        assert repository.resolve("HEAD").left_out == ()
    (said,) = notes(left_out)
    assert said.startswith(
        "5 files of other runs left out of the head: `0\\u{a}x`, `0.jsonl`, `1.jsonl` and 2 more;"
    )
    assert list(notes(["__pycache__/conftest.pyc"])) == []


def test_the_base_of_a_clean_tree(root):
    """A recording that lies about makes no change: the base of a clean tree is the commit before."""
    first = git(root, "rev-parse", "HEAD")
    commit(root, "second", a_dot_txt="two\n")
    record(root / "main.jsonl")
    with open_repository(root) as repository:
        assert repository.default_base().sha == first


def test_a_tree_with_nothing_else(root):
    """Where everything was deleted but what we wrote, the head is empty."""
    for name in ("a.txt", "go.mod"):
        (root / name).unlink()
    record(root / "main.jsonl")
    assert left(root) == ({}, True)


def test_where_a_directory_was(root):
    """A recording in the place of a deleted directory hides no deletion, and one below it hides no change."""
    commit(root, "directory", x__f_dot_txt="f\n", y__f_dot_txt="f\n")
    for name in ("x", "y"):
        (root / name / "f.txt").unlink()
    (root / "x").rmdir()
    record(root / "x")
    record(root / "y" / "main.jsonl")
    assert left(root) == ({"a.txt": "one\n", "go.mod": "module example.com/m\n"}, True)


def test_where_a_file_was(root):
    """A file that became a directory is deleted in the head; of the directory it has what is the project's."""
    (root / "a.txt").unlink()
    record(root / "a.txt" / "main.jsonl")
    write(root, a_dot_txt__mine="mine\n")
    assert left(root) == ({"a.txt/mine": "mine\n", "go.mod": "module example.com/m\n"}, True)


def test_what_a_sparse_checkout_leaves_out(root):
    """A recording where a sparse checkout left a directory out does not delete the directory."""
    commit(root, "directory", in__x_dot_txt="x\n", out__y_dot_txt="y\n")
    git(root, "sparse-checkout", "set", "in")
    record(root / "out")
    with open_repository(root) as repository:
        assert not repository.working_tree().dirty
