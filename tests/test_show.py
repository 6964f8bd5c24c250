"""`gotrace show` and `gotrace diff`, through the command line, on traces of every wire format."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from oracle import TRACES

from pytest_gotrace.cli import main
from pytest_gotrace.errors import ExitCode
from pytest_gotrace.show import Question, jsonl, table
from pytest_gotrace.trace import dump
from pytest_gotrace.views import VIEWS

REGIONS = str(TRACES / "go126-regions.trace")
SYSCALLS = str(TRACES / "go126-syscalls.trace")
ALL = sorted(TRACES.glob("*.trace"))


@pytest.fixture
def gotrace(capsys):
    """Runs a command that works, and returns its lines."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == ExitCode.PASS
        return capsys.readouterr().out.splitlines()

    return run


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_everything(path, gotrace):
    """Every view of every trace can be shown, in lines without anything but what may be printed."""
    lines = gotrace("show", path, "--view", "all")
    assert all(line.isprintable() for line in lines)
    found = [json.loads(line) for line in gotrace("show", path, "--view", "all", "--format", "jsonl")]
    names = {row["view"] for row in found}
    assert {"trace", "goroutines", "syscalls", "sched", "mmu", "heap", "procs"} <= names
    assert sum(row["view"] == "trace" for row in found) == 1


@pytest.mark.parametrize("view", VIEWS)
def test_views(view, gotrace):
    """A view has a table for people, and its rows for programs say to which listing they belong."""
    assert len(gotrace("show", REGIONS, "--view", view)) > 2
    for line in gotrace("show", REGIONS, "--view", view, "--format", "jsonl"):
        assert json.loads(line)["view"].startswith(
            {"goroutines": "", "gc": "", "tasks": "task"}.get(view, view)
        )


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_jsonl_without_view(path, gotrace):
    """Without a view JSON lines are those that can be compared with Go's, byte for byte."""
    assert gotrace("show", path, "--format", "jsonl") == list(dump.lines(path))


def test_series(gotrace):
    """Without a view people see the series that a budget may name."""
    lines = gotrace("show", REGIONS)
    assert lines[0].startswith(f"{REGIONS}: go 1.26, ")
    assert any(line.strip().startswith("sync-block ") for line in lines)
    assert any(line.strip().startswith("region[one] ") for line in lines)


def test_top(gotrace):
    """`--top` cuts each table, and people are told how much is left."""
    lines = gotrace("show", REGIONS, "--view", "goroutines", "--top", 2)
    title = lines.index("Goroutines by start function")
    assert lines[title + 5].startswith("… and ")
    assert len(gotrace("show", REGIONS)) - len(gotrace("show", REGIONS, "--top", 2)) > 2
    rows = gotrace("show", REGIONS, "--view", "goroutines", "--top", 2, "--format", "jsonl")
    assert [json.loads(row)["view"] for row in rows].count("goroutines") == 2


def test_numbers_are_never_cut(gotrace):
    """However wide a table is, only texts are shortened."""
    lines = gotrace("show", REGIONS, "--view", "blocking")
    assert any("…" in line for line in lines)
    assert not [line for line in lines if re.search(r"\s\d+(\.\d*)?( [a-zµ]+)?…", line)]


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (("--task", "outer"), ["Tasks, by name", "Each task"]),
        (("--goroutine", "main.main"), ["Goroutines by start function", "Each of them"]),
        (("--since", "1ms", "--until", "2ms"), ["Goroutines by start function"]),
    ],
)
def test_view_that_fits(options, titles, gotrace):
    """What is asked of a trace without a view is answered by the view that fits."""
    lines = gotrace("show", REGIONS, *options)
    assert [line for line in lines if line in titles] == titles


def test_pprof(tmp_path, gotrace):
    """`--pprof` writes a profile and prints nothing."""
    assert gotrace("show", SYSCALLS, "--view", "syscalls", "--pprof", tmp_path / "profile") == []
    assert b"syscall.Read" in gzip.decompress((tmp_path / "profile").read_bytes())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--view", "nonsense"), "no view 'nonsense': expected one of goroutines, regions"),
        (("--view", "heap", "--pprof", "x"), "no profile of 'heap'"),
        (("--format", "jsonl", "--task", "outer"), "name a --view"),
        (("--pprof", "/nonexistent/x"), "cannot write /nonexistent/x"),
        (("--view", "gc", "--since", "soon"), "expected a time"),
    ],
)
def test_wrong_questions(options, message, capsys):
    """What cannot be answered is one sentence and the exit code for wrong usage."""
    assert main(["show", REGIONS, *options]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_top_is_a_positive_number(number, capsys):
    """`--top` takes nothing but positive numbers."""
    with pytest.raises(SystemExit):
        main(["show", REGIONS, "--top", number])
    assert "invalid positive number value" in capsys.readouterr().err


def test_no_trace(tmp_path, capsys):
    """A file that is no trace, or not there, is said in one sentence."""
    (tmp_path / "text").write_text("hello")
    for path in (tmp_path / "text", tmp_path / "missing"):
        assert main(["show", str(path), "--view", "all"]) != ExitCode.PASS
        assert str(path) in capsys.readouterr().err


def test_diff_of_the_same(gotrace):
    """A trace does not differ from itself."""
    lines = gotrace("diff", REGIONS, REGIONS)
    titles = [line for line in lines[3:] if line and not line.startswith(" ")]
    assert len(titles) > 10
    assert lines.count("  nothing") == len(titles)
    assert gotrace("diff", REGIONS, REGIONS, "--format", "jsonl") == []


def test_diff(gotrace):
    """Two traces differ by what their views say, in each listing by the largest delta first."""
    found = [json.loads(line) for line in gotrace("diff", REGIONS, SYSCALLS, "--format", "jsonl")]
    groups = {(row["function"], row["measure"]): row for row in found if row["view"] == "goroutines"}
    for path, side in ((REGIONS, "base"), (SYSCALLS, "head")):
        shown = map(json.loads, gotrace("show", path, "--view", "goroutines", "--format", "jsonl"))
        own = {row["function"]: row for row in shown if row["view"] == "goroutines"}
        for (function, measure), row in groups.items():
            assert row[side] == (own[function][measure] if function in own else None)
    times = [abs(row["delta"]) for key, row in groups.items() if key[1] != "count"]
    assert len(times) > 5
    assert times == sorted(times, reverse=True)
    lines = gotrace("diff", REGIONS, SYSCALLS, "--view", "goroutines", "--top", 3)
    assert [line.split()[0] for line in lines[:2]] == ["base", "head"]
    assert any(line.startswith("… and ") for line in lines)


def test_question_of_a_program():
    """The same can be asked without a command line."""
    rows = [json.loads(line) for line in jsonl(REGIONS, Question(view="regions"))]
    assert {row["region"] for row in rows} >= {"one", "two | <b>", "three"}
    assert any("two | <b>" in line for line in table(REGIONS, Question(view="regions")))
