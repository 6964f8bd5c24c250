"""What A/A found, in words: how well this machine can see, which rules decide nothing, which budgets can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_gotrace.aa import Calibration, Trials
from pytest_gotrace.grid import grid
from pytest_gotrace.reporting import place
from pytest_gotrace.sights import doubts
from pytest_gotrace.units import format_change, format_quantity

#: Columns that a label takes before its text.
LABEL = 14

_HEADER = ("benchmark", "metric", "value", "run CV", "can be kept from", "catches from")


def numbers(found: Calibration, width: int) -> Iterator[str]:
    """Each number with its noise, the smallest budget that can be kept, and the effect that would be caught."""
    rows = [
        (
            sight.question.benchmark.id,
            sight.name,
            "-" if sight.value is None else format_quantity(sight.value, sight.rule.limit.unit),
            "-" if sight.cv is None else f"{100 * sight.cv:.1f} %",
            *("-" if size is None else format_change(size) for size in (sight.provable, sight.detectable)),
        )
        for sight in found.sights
    ]
    yield from grid(_HEADER, rows, texts=2, width=width)


def proposals(found: Calibration, root: Path, *, written: bool) -> Iterator[str]:
    """False alarms, rules that decide nothing, and for each rule the budget that can be kept here."""
    yield f"{'false alarms':<{LABEL}}{_trials(found.now)}"
    for rule, reason in doubts(found.sights):
        yield f"{'doubtful':<{LABEL}}{place(rule.path, root)}:{rule.line}: {rule.text} {reason}"
    for proposal in found.proposals:
        rule = proposal.rule
        said = f"→ {proposal.limit}" if proposal.changed else "stays"
        yield f"{'budget':<{LABEL}}{place(rule.path, root)}:{rule.line}: {rule.benchmark_glob} {rule.text} {said}"
    if any(proposal.changed for proposal in found.proposals):
        yield f"{'with these':<{LABEL}}{_trials(found.then)}"
        done = "written into the budget" if written else "--gotrace-aa-write writes them into the budget"
        yield f"{'':<{LABEL}}{done}"


def _trials(found: Trials) -> str:
    if not found.families:
        return "nothing was measured that could be compared"
    share = f"{100 * found.passed / found.families:.0f} %"
    return (
        f"{found.over} of {found.families} rearrangements of these runs are over budget, "
        f"{share} are within all budgets"
    )
