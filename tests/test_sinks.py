import io
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sample_reports as samples
from hostile import names
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from workflow_commands import commands

from pytest_gotrace.errors import ExitCode, UsageError
from pytest_gotrace.explanation import Annotation
from pytest_gotrace.page import render_page
from pytest_gotrace.render import COMMENT_BYTES, render_summary
from pytest_gotrace.report import OUTCOMES, exit_code
from pytest_gotrace.report_json import read_report
from pytest_gotrace.sinks import built_in
from pytest_gotrace.sinks.annotations import MESSAGE_LENGTH, MOST, Annotations
from pytest_gotrace.sinks.htmlfile import HtmlFile
from pytest_gotrace.sinks.jsonfile import JsonFile
from pytest_gotrace.sinks.metricsfile import MetricsFile
from pytest_gotrace.sinks.outputs import WORDS, Outputs
from pytest_gotrace.sinks.stepsummary import STEP_BYTES, StepSummary
from pytest_gotrace.sinks.summary import Summary

LARGE = samples.large(1000, 20)


@pytest.fixture
def step(tmp_path):
    """The file that a runner offers for the summary of a step, and the sink that knows it."""
    path = tmp_path / "step.md"
    return path, StepSummary(environ={"GITHUB_STEP_SUMMARY": str(path)})


def test_json_file(tmp_path):
    """The JSON sink makes its directory, writes a report that reads back equal, and says where."""
    path = tmp_path / "new" / "report.json"
    assert JsonFile(path=path).write(samples.BROKEN) == f"report: {path}"
    assert read_report(path) == samples.BROKEN


def test_summary_file(tmp_path):
    """The summary sink writes the summary in UTF-8 and says where."""
    path = tmp_path / "summary.md"
    assert Summary(path=path).write(samples.REGRESSION) == f"summary: {path}"
    assert path.read_text(encoding="utf-8") == render_summary(samples.REGRESSION)


def test_html_file(tmp_path):
    """The HTML sink writes the page and says where."""
    path = tmp_path / "report.html"
    assert HtmlFile(path=path).write(samples.GREEN) == f"html: {path}"
    assert path.read_text(encoding="utf-8") == render_page(samples.GREEN)


def test_without_plotly(tmp_path):
    """Where plotly is not installed the HTML sink says in one line what brings it, and writes nothing."""
    program = (
        "import sys; sys.modules['plotly'] = None; sys.path.insert(0, sys.argv[1]);"
        "from pathlib import Path; import sample_reports; from pytest_gotrace.sinks.htmlfile import HtmlFile;"
        "print(HtmlFile(path=Path(sys.argv[2])).write(sample_reports.GREEN))"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parent), str(tmp_path / "report.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "html: left out; pip install 'pytest-gotrace[report]' brings plotly, which draws it\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_summary_is_small_enough_for_a_comment(tmp_path):
    """However large the report, the file is within the limit."""
    path = tmp_path / "summary.md"
    Summary(path=path).write(LARGE)
    assert COMMENT_BYTES * 0.9 < path.stat().st_size <= COMMENT_BYTES


def test_a_file_is_replaced_whole(tmp_path):
    """A second report replaces the first, readable for everyone, and leaves nothing else behind."""
    path = tmp_path / "summary.md"
    for report in (samples.REGRESSION, samples.GREEN):
        Summary(path=path).write(report)
    assert path.read_text(encoding="utf-8") == render_summary(samples.GREEN)
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary.md"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("sink", [JsonFile, Summary, HtmlFile, MetricsFile])
def test_a_place_that_cannot_be_written(tmp_path, sink):
    """A path below a file is refused with its name and what to do, and nothing is left behind."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file.report: cannot write the report: .*; choose another place"):
        sink(path=tmp_path / "file" / "report").write(samples.GREEN)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


class TestStepSummary:
    def test_it_appends(self, step):
        """The summary comes after what other programs of the step wrote."""
        path, sink = step
        path.write_text("# Tests\n", encoding="utf-8")
        assert sink.write(samples.GREEN) is None
        assert path.read_text(encoding="utf-8") == "# Tests\n\n" + render_summary(samples.GREEN)

    def test_it_makes_the_file(self, step):
        """The file need not be there before."""
        path, sink = step
        sink.write(samples.GREEN)
        assert path.read_text(encoding="utf-8") == "\n" + render_summary(samples.GREEN)

    def test_it_is_cut(self, step):
        """With a large report the file stays within what GitHub shows, text of others included."""
        path, sink = step
        path.write_bytes(b"x" * 300_000)
        sink.write(LARGE)
        assert STEP_BYTES - 5_000 < path.stat().st_size <= STEP_BYTES

    def test_a_full_file(self, step):
        """A file that others have filled is left alone, and the person told."""
        path, sink = step
        path.write_bytes(b"x" * 999_000)
        assert sink.write(samples.GREEN) == f"step summary: left out, as {path} is nearly full"
        assert path.stat().st_size == 999_000

    @pytest.mark.parametrize("environ", [{}, {"GITHUB_STEP_SUMMARY": ""}])
    def test_elsewhere(self, environ, tmp_path, monkeypatch):
        """Outside GitHub Actions nothing is written and nothing said."""
        monkeypatch.chdir(tmp_path)
        assert StepSummary(environ=environ).write(samples.GREEN) is None
        assert list(tmp_path.iterdir()) == []

    def test_the_process_environment(self, step, monkeypatch):
        """Without another mapping the variable is read from the process."""
        path, _ = step
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
        assert StepSummary().environ is os.environ
        StepSummary().write(samples.GREEN)
        assert path.exists()

    def test_a_place_that_cannot_be_written(self, tmp_path):
        """A directory in the file's place is refused by name."""
        with pytest.raises(UsageError, match="cannot append the summary"):
            StepSummary(environ={"GITHUB_STEP_SUMMARY": str(tmp_path)}).write(samples.GREEN)


REMARKS = st.builds(
    Annotation,
    level=st.sampled_from(["error", "warning"]),
    file=names,
    line=st.integers(0, 1_000_000),
    title=names,
    message=names,
)


def printed(report, **environ):
    """What the annotations print, in GitHub Actions if nothing else is said."""
    out = io.StringIO()
    Annotations(out=out, environ={"GITHUB_ACTIONS": "true", **environ}).write(report)
    return out.getvalue()


class TestAnnotations:
    def test_what_the_runner_finds(self):
        """The runner finds each annotation with file, line, title and message, and that there is more."""
        (wanted,) = samples.ANNOTATIONS
        error, notice = commands(printed(samples.REGRESSION))
        assert error.name == "error"
        assert error.properties == {"file": wanted.file, "line": str(wanted.line), "title": wanted.title}
        assert error.data == wanted.message
        assert (notice.name, notice.data) == ("notice", "1 more over budget in the summary")

    def test_at_most_eight(self):
        """Of more than eight the first eight are printed, and the others counted."""
        remarks = tuple(replace(samples.ANNOTATIONS[0], line=number) for number in range(1, 12))
        found = commands(printed(replace(samples.QUIET, annotations=remarks)))
        assert [one.properties.get("line") for one in found] == [*map(str, range(1, MOST + 1)), None]
        assert found[-1].data == "3 more over budget in the summary"

    def test_rows_without_a_place(self):
        """What is over and has no annotation is still said."""
        assert [one.data for one in commands(printed(replace(samples.REGRESSION, annotations=())))] == [
            "2 over budget in the summary"
        ]

    def test_they_begin_a_line(self):
        """Whatever was printed before, the first command begins a line."""
        assert printed(samples.REGRESSION).startswith("\n::error ")

    @pytest.mark.parametrize("environ", [{"GITHUB_ACTIONS": ""}, {"GITHUB_ACTIONS": "false"}])
    def test_elsewhere(self, environ):
        """Outside GitHub Actions nothing is printed."""
        assert printed(samples.REGRESSION, **environ) == ""

    def test_nothing_to_say(self):
        """A green report prints nothing."""
        assert printed(samples.GREEN) == ""

    def test_where_it_goes(self, capsys, monkeypatch):
        """Without another place it is the process's standard output and environment."""
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        Annotations().write(samples.REGRESSION)
        assert capsys.readouterr().out == printed(samples.REGRESSION)

    @given(remark=REMARKS)
    def test_nothing_but_ours(self, remark):
        """Whatever things are called, an annotation is one line, and one command with three properties."""
        text = printed(replace(samples.QUIET, annotations=(remark,)))
        (found,) = commands(text)
        assert found.name == remark.level
        assert found.properties.keys() <= {"file", "line", "title"}
        assert text.count("\n") == 2
        assert "##[" not in text

    @given(text=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=50))
    def test_nothing_is_lost(self, text):
        """What can be printed arrives as it was, signs of both notations included, but for `##[`."""
        remark = replace(samples.ANNOTATIONS[0], file=text, title=text, message=text)
        (found,) = commands(printed(replace(samples.QUIET, annotations=(remark,))))
        shown = text.replace("##[", r"##\u{5b}")
        assert found.data == shown
        assert not shown or found.properties["file"] == found.properties["title"] == shown

    @pytest.mark.parametrize("unit", ["x", "%", "🙂", "a##[b]", "\0"])
    def test_a_long_message_is_cut_whole(self, unit):
        """A message that the runner would cut is cut between characters, and says so."""
        remark = replace(samples.ANNOTATIONS[0], message=unit * 5000)
        (found,) = commands(printed(replace(samples.QUIET, annotations=(remark,))))
        units = len(found.data.encode("utf-16-le")) // 2
        assert MESSAGE_LENGTH - 2 <= units <= MESSAGE_LENGTH
        assert found.data.endswith("…")


def step_outputs(path):
    """Outputs as the runner reads them from its file (`FileCommandManager.cs`): `name<<end`, lines, `end`."""
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    assert lines.pop() == "", "the file ends in the middle of a line"
    found = {}
    while lines:
        name, arrows, end = lines.pop(0).partition("<<")
        assert name not in found
        assert (arrows, bool(end)) == ("<<", True)
        value = lines[: lines.index(end)]
        del lines[: len(value) + 1]
        found[name] = "\n".join(value)
    return found


class TestOutputs:
    def test_what_a_step_hands_on(self, tmp_path):
        """There is a word, an exit code, a count for each outcome, and the directory of the report."""
        path = tmp_path / "outputs"
        Outputs(directory=tmp_path, environ={"GITHUB_OUTPUT": str(path)}).write(samples.REGRESSION)
        assert step_outputs(path) == {
            "verdict": "fail",
            "exit-code": "1",
            "over": "3",
            "failed": "0",
            "missing": "0",
            "inconclusive": "0",
            "new": "0",
            "within": "1",
            "identical": "0",
            "report-dir": str(tmp_path),
        }

    @pytest.mark.parametrize(
        ("report", "word", "code"),
        [
            (samples.GREEN, "pass", ExitCode.PASS),
            (samples.REGRESSION, "fail", ExitCode.OVER_BUDGET),
            (samples.UNDECIDED, "inconclusive", ExitCode.PASS),
            (replace(samples.UNDECIDED, on_inconclusive="fail"), "fail", ExitCode.OVER_BUDGET),
            (samples.BROKEN, "error", ExitCode.MEASUREMENT_FAILED),
            (samples.QUIET, "error", ExitCode.NOTHING_MATCHED),
        ],
    )
    def test_one_word(self, tmp_path, report, word, code):
        """The word is one of four, and goes with the exit code; without a directory there is no path."""
        path = tmp_path / "outputs"
        Outputs(environ={"GITHUB_OUTPUT": str(path)}).write(report)
        found = step_outputs(path)
        assert (found["verdict"], found["exit-code"]) == (word, str(int(code)))
        assert exit_code(report) == code
        assert word in WORDS
        assert found.keys() == {"verdict", "exit-code", *OUTCOMES}

    def test_it_appends_what_nobody_can_forge(self, tmp_path):
        """What stood there stays, no two values end in the same way, and a path of any bytes is one value."""
        path, odd = tmp_path / "outputs", tmp_path / "a\nverdict=pass\udcff"
        path.write_text("mine=1\n")
        Outputs(directory=odd, environ={"GITHUB_OUTPUT": str(path)}).write(samples.REGRESSION)
        first, _, ours = path.read_bytes().partition(b"\n")
        assert first == b"mine=1"
        path.write_bytes(ours)
        assert step_outputs(path)["report-dir"] == str(odd)
        ends = [line.split(b"<<")[1] for line in ours.split(b"\n") if b"<<" in line]
        assert len(set(ends)) == len(ends) == 10

    @pytest.mark.parametrize("environ", [{}, {"GITHUB_OUTPUT": ""}])
    def test_elsewhere(self, environ, tmp_path, monkeypatch):
        """Outside GitHub Actions nothing is written."""
        monkeypatch.chdir(tmp_path)
        Outputs(environ=environ).write(samples.GREEN)
        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_cannot_be_written(self, tmp_path):
        """A directory in the file's place is refused by name."""
        with pytest.raises(UsageError, match="cannot append the outputs"):
            Outputs(environ={"GITHUB_OUTPUT": str(tmp_path)}).write(samples.GREEN)


def test_metrics_file(tmp_path):
    """The metrics sink writes text that the official parser reads to its end, and says where."""
    path = tmp_path / "metrics.txt"
    assert MetricsFile(path=path).write(samples.REGRESSION) == f"metrics: {path}"
    assert [*text_string_to_metric_families(path.read_text(encoding="utf-8"))]


def test_built_in(tmp_path):
    """With a directory there are files in it; what GitHub Actions reads is always written."""
    sinks, runner = built_in(tmp_path), ["step summary", "annotations", "outputs"]
    assert [sink.name for sink in sinks] == ["json", "summary", "html", "metrics", *runner]
    for sink in sinks[:4]:
        sink.write(samples.GREEN)
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "report.json",
        "summary.md",
        "report.html",
        "metrics.txt",
    }
    assert [sink.name for sink in built_in(None)] == runner
