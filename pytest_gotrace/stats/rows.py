"""From cells to rows that can be analysed: which runs are there, what cannot be judged, which scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_gotrace.stats.scale import Facts, Scale, Scales, choose, forward, stack
from pytest_gotrace.stats.types import Cell, Decision

Floats = NDArray[np.float64]

#: A value that only some runs have is judged if this share of both sides' runs has it.
PRESENT_AT_LEAST = 0.8

#: Noise is shared among rows of one form only: differences of pairs vary more than single runs do.
PAIRED, CAPPED = "paired", "capped"


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a cell is not judged."""

    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What is analysed. A cell with a cap has up to two rows: head alone decides, the pairs describe.

    `decides[i]` and `describes[i]` are the rows of cell i, -1 for none. `base` and `head` (rows x runs) are
    on the rows' scale, with NaN on both sides of an incomplete pair; the base of a capped row is NaN.
    """

    base: Floats
    head: Floats
    scales: Scales
    groups: list[tuple[str, str]]
    decides: NDArray[np.int64]
    describes: NDArray[np.int64]
    absent: dict[int, Absence]

    @property
    def differences(self) -> Floats:
        """Positive for the worse: head less base, or head itself in a capped row."""
        capped = np.array([form == CAPPED for form, _ in self.groups], dtype=bool)[:, None]
        return np.asarray(self.scales.sign * np.where(capped, self.head, self.head - self.base))


def arrange(cells: Sequence[Cell]) -> Rows:
    """Rows of all cells that can be judged, and the reasons of those that cannot."""
    base = _columns(
        [cell.base if cell.base is not None else np.full(len(cell.head), np.nan) for cell in cells]
    )
    head = _columns([cell.head for cell in cells])
    wanted = [(i, form) for i, cell in enumerate(cells) for form in _forms(cell)]
    index = np.array([i for i, _ in wanted], dtype=np.int64)
    capped = np.array([form == CAPPED for _, form in wanted], dtype=bool)
    base, head = base[index], head[index]
    hidden = np.isnan(head) | (np.isnan(base) & ~capped[:, None])
    base, head = np.where(hidden | capped[:, None], np.nan, base), np.where(hidden, np.nan, head)

    absent: dict[int, Absence] = {}
    scales: list[Scale] = []
    kept: list[int] = []
    decides, describes = np.full(len(cells), -1), np.full(len(cells), -1)
    all_facts = _facts(base, head)
    for row, (i, form) in enumerate(wanted):
        found = _absence(cells[i], form) or _scale(cells[i], form, all_facts[row])
        if isinstance(found, Absence):
            if form == _forms(cells[i])[0]:
                absent[i] = found
            continue
        (describes if form == PAIRED else decides)[i] = len(kept)
        if cells[i].cap is None:
            decides[i] = len(kept)
        scales.append(found)
        kept.append(row)
    columns = stack(scales)
    groups = [(wanted[row][1], cells[wanted[row][0]].kind) for row in kept]
    base, head = forward(columns, base[kept]), forward(columns, head[kept])
    return Rows(base, head, columns, groups, decides, describes, absent)


def p_presence(base: Floats, head: Floats) -> float:
    """Two-sided exact p-value of "both sides have a value equally often" (McNemar)."""
    there, here = ~np.isnan(base), ~np.isnan(head)
    gone, come = int((there & ~here).sum()), int((here & ~there).sum())
    return min(1.0, 2 * float(special.bdtr(min(gone, come), gone + come, 0.5)))


def _forms(cell: Cell) -> tuple[str, ...]:
    """The form that decides, then the one that only describes."""
    if cell.cap is None:
        return (PAIRED,)
    return (CAPPED,) if cell.base is None else (CAPPED, PAIRED)


def _absence(cell: Cell, form: str) -> Absence | None:
    runs = len(cell.head)
    head = int((~np.isnan(cell.head)).sum())
    base = 0 if cell.base is None else int((~np.isnan(cell.base)).sum())
    if not head:
        return Absence("removed", "no head run has a value, base had one") if base else _NOTHING
    if form == CAPPED:
        return None if head >= PRESENT_AT_LEAST * runs else _some(f"{head} of {runs} head runs")
    if not base:
        return Absence("new", "no base run has a value, so there is nothing to compare with")
    if cell.base is None or min(base, head) >= PRESENT_AT_LEAST * runs:
        return None
    p = p_presence(cell.base, cell.head)
    return _some(f"{base} of {runs} base and {head} of {runs} head runs (same on both sides: p {p:.2g})")


_NOTHING = Absence("nothing", "no run of either side has a value")


def _some(where: str) -> Absence:
    return Absence(
        "not-estimable", f"only {where} have a value; set the budget on the total or the count instead"
    )


def _scale(cell: Cell, form: str, facts: Facts) -> Scale | Absence:
    if form == PAIRED and cell.cap is not None:
        cell = replace(cell, cap=None, gated=False)
    scale = choose(cell, facts)
    return Absence("not-estimable", scale) if isinstance(scale, str) else scale


def _facts(base: Floats, head: Floats) -> list[Facts]:
    runs = np.concatenate([base, head], axis=1)
    lowest = np.where(np.isnan(runs), np.inf, runs).min(axis=1, initial=np.inf)
    zero = (np.nan_to_num(base) == 0).all(axis=1) & ~np.isnan(base).all(axis=1)
    columns = (lowest, _typical(base), _typical(head), zero)
    return [Facts(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _typical(values: Floats) -> Floats:
    """Mean size per row, 0 for a row without values."""
    present = ~np.isnan(values)
    return np.asarray(np.abs(np.where(present, values, 0.0)).sum(axis=1) / np.maximum(present.sum(axis=1), 1))


def _columns(samples: Sequence[Floats]) -> Floats:
    """Samples as rows of one array, the shorter ones filled up with NaN."""
    width = max((len(sample) for sample in samples), default=0)
    filled = np.full((len(samples), width), np.nan)
    for row, sample in enumerate(samples):
        filled[row, : len(sample)] = sample
    return filled
