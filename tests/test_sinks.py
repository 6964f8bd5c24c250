import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sample_reports as samples

from pytest_gotrace.errors import UsageError
from pytest_gotrace.page import render_page
from pytest_gotrace.render import COMMENT_BYTES, render_summary
from pytest_gotrace.report_json import read_report
from pytest_gotrace.sinks import built_in
from pytest_gotrace.sinks.htmlfile import HtmlFile
from pytest_gotrace.sinks.jsonfile import JsonFile
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


@pytest.mark.parametrize("sink", [JsonFile, Summary, HtmlFile])
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


def test_built_in(tmp_path):
    """With a directory there are three files and the step summary, without one the step summary alone."""
    sinks = built_in(tmp_path)
    assert [sink.name for sink in sinks] == ["json", "summary", "html", "step summary"]
    for sink in sinks[:3]:
        sink.write(samples.GREEN)
    assert {entry.name for entry in tmp_path.iterdir()} == {"report.json", "summary.md", "report.html"}
    assert [sink.name for sink in built_in(None)] == ["step summary"]
