"""The budget file as pytest sees it: a file, benchmarks in it, and under each benchmark its rules as items.

Node ids read like sentences: `gotrace.yaml::handler/BenchmarkHandler/large::region[db].p99`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# What pytest reads the text of a failure and the line of its summary from. It exports neither.
from _pytest._code.code import ReprFileLocation, TerminalRepr

from pytest_gotrace.errors import GotraceError

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter

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
        try:
            questions = self.state.gate().collect(self.path)
        except GotraceError as error:
            self.state.usage_error = error.exit_code
            raise
        by_benchmark: dict[str, list[Question]] = {}
        for question in questions:
            by_benchmark.setdefault(question.benchmark.path or ".", []).append(question)
        for name, asked in by_benchmark.items():
            yield BenchmarkNode.from_parent(self, name=name, questions=asked, state=self.state)

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
            yield BudgetItem.from_parent(self, name=question.text, question=question, state=self.state)


class Spoken(TerminalRepr):
    """The text of a failure; `reprcrash` is where pytest looks for the line of its summary."""

    def __init__(self, text: str, reprcrash: ReprFileLocation) -> None:
        self.text, self.reprcrash = text, reprcrash

    def toterminal(self, tw: TerminalWriter) -> None:
        tw.line(self.text)


class BudgetItem(pytest.Item):
    """One rule on one benchmark. The gate has measured before the first item runs; here its verdict is spoken."""

    def __init__(self, *, question: Question, state: GateSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question, self.state = question, state

    def setup(self) -> None:
        """A measurement that failed is an error, never a failure: nobody's code became slower by it."""
        from pytest_gotrace.verdict import Outcome

        verdicts = self.verdicts()
        self.user_properties.append((PROPERTY, _status(verdicts)))
        if any(verdict.outcome is Outcome.FAILED for verdict in verdicts):
            pytest.fail(self._text(verdicts), pytrace=False)

    def runtest(self) -> None:
        verdicts = self.verdicts()
        self.user_properties += _properties(self, verdicts)
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

        return speak(verdicts, self.state.report, self.state.gate().root)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the rule stands, so that an editor can jump there."""
        return (
            self.path,
            max(0, self.question.rule.line - 1),
            f"{self.parent.name if self.parent else ''}: {self.name}",
        )


def _status(verdicts: tuple[Verdict, ...]) -> str:
    """The key of `STATUS` for the worst of an item's verdicts."""
    from pytest_gotrace.verdict import Outcome

    order = list(Outcome)
    worst = min(
        verdicts, key=lambda verdict: (not verdict.blocks, order.index(verdict.outcome)), default=None
    )
    if worst is None:
        return "within"
    if worst.outcome in (Outcome.OVER, Outcome.MISSING) and not worst.blocks:
        return "waived" if worst.waiver else f"{worst.outcome.value} (warn)"
    return worst.outcome.value


def _properties(item: BudgetItem, verdicts: tuple[Verdict, ...]) -> list[tuple[str, object]]:
    """What JUnit keeps of an item: the numbers of its worst verdict."""
    compared = [verdict.comparison for verdict in verdicts if verdict.comparison]
    found: list[tuple[str, object]] = [("gotrace_rule", getattr(item.question.rule, "text", item.name))]
    for comparison in compared[:1]:
        numbers = {
            "base": comparison.base and comparison.base.center,
            "head": comparison.head and comparison.head.center,
            "change": comparison.change and comparison.change.center,
            "p": comparison.p_over_adjusted,
            "pairs": comparison.pairs,
        }
        found += [(f"gotrace_{name}", number) for name, number in numbers.items() if number is not None]
    return found
