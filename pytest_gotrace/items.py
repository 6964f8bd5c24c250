"""The budget file as pytest sees it: a file, benchmarks in it, and under each benchmark its rules as items.

Node ids read like sentences: `gotrace.yaml::handler/BenchmarkHandler/large::region[db].p99`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# What pytest reads the text of a failure and the line of its summary from. It exports neither.
from _pytest._code.code import ReprFileLocation, TerminalRepr

from pytest_gotrace.errors import GotraceError
from pytest_gotrace.escape import log_line

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter

    from pytest_gotrace.report import VerdictEntry
    from pytest_gotrace.session import GateSession
    from pytest_gotrace.verdict import Question, Verdict

#: The user property by which a test report says that it is ours, and what came out.
PROPERTY = "gotrace_outcome"

#: What one letter and one word of progress say about an outcome: category, letter, word.
STATUS: Mapping[str, tuple[str, str, str]] = {
    "over": ("failed", "F", "OVER BUDGET"),
    "failed": ("error", "E", "FAILED"),
    "missing": ("failed", "M", "MISSING"),
    "inconclusive": ("inconclusive", "?", "INCONCLUSIVE"),
    "new": ("new", "n", "NEW"),
    "identical": ("identical", "=", "IDENTICAL"),
    "within": ("passed", ".", "WITHIN"),
    "as required": ("passed", ".", "AS REQUIRED"),
    "over (warn)": ("over (warn)", "w", "OVER (WARN)"),
    "missing (warn)": ("missing (warn)", "w", "MISSING (WARN)"),
    "waived": ("waived", "v", "WAIVED"),
}


class BudgetFile(pytest.File):
    """A `gotrace.yaml`. Collecting it builds both sides and tries each benchmark once."""

    def __init__(self, *, state: GateSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state = state

    def collect(self) -> Iterator[pytest.Collector]:
        gate = self.state.gate()
        try:
            with gate.progress:  # shown here alone: pytest counts what it collects on the same line
                questions = gate.collect(self.path)
        except GotraceError as error:
            self.state.usage_error = error.exit_code
            raise
        by_benchmark: dict[str, list[Question]] = {}
        for question in questions:
            by_benchmark.setdefault(question.benchmark.path or ".", []).append(question)
        for name, asked in by_benchmark.items():
            yield BenchmarkNode.from_parent(self, name=log_line(name), questions=asked, state=self.state)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our own errors are sentences for people; a traceback would hide them."""
        if isinstance(excinfo.value, GotraceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class BenchmarkNode(pytest.Collector):
    """The rules that one benchmark is under."""

    def __init__(self, *, questions: list[Question], state: GateSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.questions, self.state = questions, state

    def collect(self) -> Iterator[pytest.Item]:
        for question in self.questions:
            name = log_line(question.text)
            yield BudgetItem.from_parent(self, name=name, question=question, state=self.state)


#: Lines that are copied, or are somebody else's, stay whole however long they are.
_WHOLE = ("see:", "reproduce:", " ")
#: Columns that a label of a failure takes before its text.
_LABEL = 11


class Spoken(TerminalRepr):
    """The text of a failure, as wide as the terminal; `reprcrash` is where pytest looks for the line of its summary."""

    def __init__(self, text: str, reprcrash: ReprFileLocation) -> None:
        self.text, self.reprcrash = text, reprcrash

    def toterminal(self, tw: TerminalWriter) -> None:
        from pytest_gotrace.terminal import wrapped

        for line in self.text.split("\n"):
            tw.line(line if line.startswith(_WHOLE) else wrapped(line, tw.fullwidth, _LABEL))


class BudgetItem(pytest.Item):
    """One rule on one benchmark. The gate has measured before the first item runs; here its verdict is spoken."""

    def __init__(self, *, question: Question, state: GateSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question, self.state = question, state

    def setup(self) -> None:
        """A measurement that failed is an error, never a failure: nobody's code became slower by it."""
        from pytest_gotrace.verdict import Outcome

        verdicts = self.verdicts()
        self.user_properties += _properties(self, verdicts)
        if any(verdict.outcome is Outcome.FAILED for verdict in verdicts):
            pytest.fail(self._text(verdicts), pytrace=False)

    def runtest(self) -> None:
        verdicts = self.verdicts()
        if any(verdict.blocks for verdict in verdicts):
            pytest.fail(self._text(verdicts), pytrace=False)
        if _status(verdicts) == "inconclusive":
            pytest.skip(f"{self._headline()}\n{self._text(verdicts)}")

    def verdicts(self) -> tuple[Verdict, ...]:
        """What the gate answered."""
        return self.state.gate().verdicts(self.question)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our text as it stands, and in the short summary one line that says by how much."""
        if not isinstance(excinfo.value, pytest.fail.Exception):
            return super().repr_failure(excinfo, style)
        place = ReprFileLocation(str(self.path), self.question.rule.line, self._headline())
        return Spoken(str(excinfo.value.msg), place)

    def _headline(self) -> str:
        from pytest_gotrace.reporting import summarise

        return summarise(self.verdicts(), self.state.gate().root)

    def _text(self, verdicts: tuple[Verdict, ...]) -> str:
        from pytest_gotrace.reporting import speak

        directory = self.config.getoption("gotrace_report") or ""
        return speak(verdicts, self.state.report, self.state.gate().root, directory)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the rule stands, so that an editor can jump there."""
        return (
            self.path,
            max(0, self.question.rule.line - 1),
            f"{self.parent.name if self.parent else ''}: {self.name}",
        )


def _worst(verdicts: tuple[Verdict, ...]) -> Verdict | None:
    """The verdict that an item is known by: one that blocks before all others, then by outcome."""
    return min(verdicts, key=lambda verdict: verdict.gravity, default=None)


def _status(verdicts: tuple[Verdict, ...]) -> str:
    """The key of `STATUS` for the worst of an item's verdicts."""
    worst = _worst(verdicts)
    if worst is None:
        return "within"
    if worst.outcome.value in ("over", "missing") and not worst.blocks:
        return "waived" if worst.waiver else f"{worst.outcome.value} (warn)"
    required = worst.outcome.value == "within" and worst.comparison is None
    return "as required" if required else worst.outcome.value


#: What JUnit keeps of an item besides its outcome: properties by name, from the row of its worst verdict.
_PROPERTIES: Mapping[str, Callable[[VerdictEntry], object]] = {
    "benchmark": lambda row: row.benchmark,
    "metric": lambda row: row.metric,
    "budget": lambda row: row.budget,
    "place": lambda row: f"{row.budget_file}:{row.line}",
    "level": lambda row: row.level,
    "unit": lambda row: row.unit,
    "base": lambda row: row.base and row.base.center,
    "head": lambda row: row.head and row.head.center,
    "change": lambda row: row.change and row.change.center,
    "change_low": lambda row: row.change and row.change.low,
    "change_high": lambda row: row.change and row.change.high,
    "p": lambda row: row.p,
    "pairs": lambda row: row.pairs or None,
    "reason": lambda row: row.reason,
    "waiver": lambda row: row.waived and f"{row.waived.reason} (until {row.waived.until})",
}


def _properties(item: BudgetItem, verdicts: tuple[Verdict, ...]) -> Iterator[tuple[str, object]]:
    from pytest_gotrace.reporting import entry

    yield PROPERTY, _status(verdicts)
    yield "gotrace_rule", getattr(item.question.rule, "text", item.name)
    worst = _worst(verdicts)
    if worst is not None:
        row = entry(worst, item.state.gate().root)
        found = ((f"gotrace_{name}", of(row)) for name, of in _PROPERTIES.items())
        yield from ((name, value) for name, value in found if value not in (None, ""))
