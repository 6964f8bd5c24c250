"""The command `gotrace`: what needs no pytest.

gotrace init              write a first gotrace.yaml from a measurement
gotrace explain [FILE]    which rule of a budget speaks for which benchmark
gotrace lint [FILE ...]   rules of a budget that can never fail or never pass, and waivers gone by
gotrace history FILE ...  where each number went over many recordings, and when it changed
gotrace merge FILE ...    shards of a matrix into one file, for pytest --gotrace-from
gotrace schema [report]   the JSON Schema of a budget, for editors; or of report.json
gotrace show TRACE        what one trace says
gotrace diff BASE HEAD    what differs between two traces
gotrace comment           post a report to its pull request, on GitHub Actions
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_gotrace.errors import ExitCode, GotraceError, UsageError
from pytest_gotrace.inputs import INPUTS, variable

if TYPE_CHECKING:
    from pytest_gotrace.gate import Gate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what can go wrong is one sentence on standard error and an exit code of `ExitCode`."""
    asked = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = asked.run
    try:
        return run(asked)
    except GotraceError as error:
        print(f"gotrace: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `gotrace show … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PASS
    except OSError as error:
        print(f"gotrace: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return ExitCode.USAGE


class _Parser(argparse.ArgumentParser):
    """argparse answers a wrong command line with 2, which is an interrupt here and everywhere in pytest."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gotrace", description="Go execution traces against a budget")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    init = commands.add_parser("init", help="write a first gotrace.yaml from a measurement")
    init.add_argument("directory", nargs="?", default=".", help="the root directory of the Go module")
    init.add_argument("--pairs", type=_positive, default=6, help="how many runs of each benchmark")
    init.add_argument("--run-time", default="250ms", metavar="TIME", help="how long one run should last")
    init.set_defaults(run=_init)
    explain = commands.add_parser("explain", help="which rule of a budget speaks for which benchmark")
    explain.add_argument("budget", nargs="?", default="gotrace.yaml")
    explain.set_defaults(run=_explain)
    lint = commands.add_parser("lint", help="rules that can never fail or never pass, and waivers gone by")
    lint.add_argument("budgets", nargs="*", default=["gotrace.yaml"], metavar="FILE")
    lint.add_argument(
        "--recording",
        action="append",
        default=[],
        metavar="FILE.jsonl",
        help="hold the budgets against the noise of these runs, of --gotrace-aa for one; may be given again",
    )
    lint.set_defaults(run=_lint)
    history = commands.add_parser("history", help="where each number went over many recordings")
    history.add_argument("recordings", nargs="+", metavar="FILE.jsonl", help="of one branch, oldest first")
    history.add_argument("--format", choices=("table", "jsonl"), default="table")
    history.set_defaults(run=_history)
    merge = commands.add_parser("merge", help="shards of a matrix into one file, for pytest --gotrace-from")
    merge.add_argument("shards", nargs="+", metavar="FILE.jsonl", help="what --gotrace-record wrote")
    merge.add_argument("-o", "--output", required=True, metavar="FILE.jsonl")
    merge.add_argument(
        "--shards", dest="expected", type=_positive, metavar="N", help="how many there must be"
    )
    merge.set_defaults(run=_merge)
    schema = commands.add_parser("schema", help="the JSON Schema of a budget, for editors; or of report.json")
    schema.add_argument("what", nargs="?", choices=("budget", "report"), default="budget")
    schema.set_defaults(run=_schema)
    show = commands.add_parser("show", help="what one trace says")
    show.add_argument("trace")
    show.add_argument("--pprof", metavar="FILE", help="write the view's profile for `go tool pprof`")
    show.set_defaults(run=_show)
    diff = commands.add_parser("diff", help="what differs between two traces, by what moved most")
    diff.add_argument("base")
    diff.add_argument("head")
    diff.set_defaults(run=_diff)
    for command in (show, diff):
        _add_question(command)
    comment = commands.add_parser("comment", help="post a report to its pull request, on GitHub Actions")
    for name, asked in INPUTS.items():
        comment.add_argument(f"--{name}", help=f"{asked.help} ({variable(name)})", metavar="VALUE")
    comment.set_defaults(run=_comment)
    return parser


def _add_question(command: argparse.ArgumentParser) -> None:
    """What may be asked of a trace; the names are the fields of `show.Question`."""
    command.add_argument("--format", choices=("table", "jsonl"), default="table")
    command.add_argument("--view", help="goroutines, regions, tasks, logs, blocking, sched, …, or all")
    command.add_argument("--top", type=_positive, metavar="N", help="at most so many rows of each table")
    command.add_argument(
        "--since", metavar="TIME", help="leave out what was before, as in 20ms from the beginning"
    )
    command.add_argument("--until", metavar="TIME", help="leave out what was after")
    command.add_argument(
        "--goroutine", metavar="ID|NAME", help="one goroutine, or those with this start function"
    )
    command.add_argument("--task", metavar="NAME", help="tasks of this name, and the slowest of them in full")
    command.add_argument("--log", metavar="KEY=VALUE", help="tasks that logged this")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "positive number"  # what argparse calls a value that is none


def _schema(asked: argparse.Namespace) -> int:
    from pytest_gotrace import budget, report_json

    print(json.dumps((budget if asked.what == "budget" else report_json).schema(), indent=2))
    return ExitCode.PASS


def _merge(asked: argparse.Namespace) -> int:
    from pytest_gotrace import recordingfile, shards

    found = shards.read(map(Path, asked.shards), expected=asked.expected)
    recordingfile.write_all([shard.recording for shard in found], Path(asked.output))
    benchmarks = len({run.benchmark for shard in found for run in shard.recording.runs})
    print(f"{asked.output}: {len(found)} shards, {benchmarks} benchmarks with runs")
    return ExitCode.PASS


def _explain(asked: argparse.Namespace) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pytest_gotrace.budget import Rule

    path = Path(asked.budget)
    with _gate(path.resolve().parent) as gate:
        questions = gate.collect(path)
    table = Table("benchmark", "rule", "level", "line", box=box.SIMPLE)
    for question in questions:
        rule = question.rule
        text = rule.text if isinstance(rule, Rule) else question.text
        cells = (question.benchmark.path, text, question.level, f"{path.name}:{rule.line}")
        table.add_row(*(Text(cell) for cell in cells))
    Console(soft_wrap=True).print(table)
    return ExitCode.PASS if questions else ExitCode.NOTHING_MATCHED


def _lint(asked: argparse.Namespace) -> int:
    from datetime import date

    from pytest_gotrace import recordingfile
    from pytest_gotrace.budget import load
    from pytest_gotrace.escape import log_line
    from pytest_gotrace.lint import lint

    budgets = [load(Path(name)) for name in asked.budgets]
    recordings = [recordingfile.read(Path(name)) for name in asked.recording]
    found = [finding for budget in budgets for finding in lint(budget, recordings, date.today())]
    for finding in found:
        print(log_line(str(finding)))
    return ExitCode.OVER_BUDGET if found else ExitCode.PASS


def _history(asked: argparse.Namespace) -> int:
    from pytest_gotrace import recordingfile
    from pytest_gotrace.history import as_json, history

    found = history([one for name in asked.recordings for one in recordingfile.read_all(Path(name))])
    if asked.format == "jsonl":
        for series in found.series:
            print(json.dumps(as_json(series)))
    else:
        import shutil

        from pytest_gotrace.historytable import table

        for line in table(found, shutil.get_terminal_size().columns):
            print(line)
    return ExitCode.PASS if found.series else ExitCode.NOTHING_MATCHED


def _init(asked: argparse.Namespace) -> int:
    from pytest_gotrace.starter import starting_budget

    directory = Path(asked.directory).resolve()
    path = directory / "gotrace.yaml"
    if path.exists():
        raise UsageError(f"{path} exists already; change it by hand, or move it away to begin anew")
    if not (directory / "go.mod").is_file():
        raise UsageError(f"{directory} has no go.mod; a budget lies in the root directory of a Go module")
    from pytest_gotrace.units import parse_quantity

    with _gate(directory, parse_quantity(asked.run_time, "ns").value / 1e9) as gate:
        measured = gate.survey(directory, asked.pairs)
    text = starting_budget(measured)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    print(f"wrote {path}; look through it, then run: pytest --gotrace-baseline")
    return ExitCode.PASS


def _show(asked: argparse.Namespace) -> int:
    if asked.format == "jsonl" and asked.view is None and asked.pprof is None:
        if any(_asked(asked).values()):
            raise UsageError(
                "--format jsonl without --view is the whole trace; name a --view to see a part of it"
            )
        from pytest_gotrace.trace.dump import lines

        for line in lines(asked.trace):
            print(line)
        return ExitCode.PASS
    from pytest_gotrace import show

    question = show.Question(**_asked(asked))
    if asked.pprof is not None:
        show.write_pprof(asked.trace, question, asked.pprof)
        return ExitCode.PASS
    for line in (show.jsonl if asked.format == "jsonl" else show.table)(asked.trace, question):
        print(line)
    return ExitCode.PASS


def _diff(asked: argparse.Namespace) -> int:
    from pytest_gotrace import show

    diff = show.diff_jsonl if asked.format == "jsonl" else show.diff
    for line in diff(asked.base, asked.head, show.Question(**_asked(asked))):
        print(line)
    return ExitCode.PASS


def _comment(asked: argparse.Namespace) -> int:
    try:
        from pytest_gotrace import door
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "github3":
            raise
        raise UsageError("`gotrace comment` needs github3.py: pip install 'pytest-gotrace[github]'") from None
    return door.comment({name: getattr(asked, name.replace("-", "_")) for name in INPUTS}, os.environ)


def _asked(asked: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in _QUESTION}


_QUESTION = ("view", "top", "since", "until", "goroutine", "task", "log")


@contextlib.contextmanager
def _gate(directory: Path, run_seconds: float = 0.25) -> Iterator[Gate]:
    """A gate without a base, for questions about the working tree alone; a CI runner cancels as Ctrl-C does."""
    from rich.console import Console

    from pytest_gotrace.gate import Customs, Gate, Options
    from pytest_gotrace.progress import Shown

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Shown(Console(stderr=True))
    with progress, Gate(Options(run_seconds=run_seconds), Customs(), progress, directory) as gate:
        yield gate


if __name__ == "__main__":
    sys.exit(main())
