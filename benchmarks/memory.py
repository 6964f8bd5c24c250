"""What remembered noise does, simulated: `python -m benchmarks.memory [TIMES]`.

Twenty cells of 1 to 8 % noise; remembered are two recordings of ten pairs each. Power is for +10 % in one cell of 3 %
noise without any budget; false alarms are families with every cell exactly at its budget of 5 %, where 5 % may fail.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks import noise
from benchmarks.noise import Floats, Noise
from pytest_gotrace.stats import Cell, Plan, judge

CELLS, BUDGET, RECORDINGS = 20, 0.05, (10, 10)
FEW = np.where(np.arange(CELLS) < 5, 2.0, 1.0)

#: A name, the noise, how much more there is of it today, the true changes, and the budget.
ROWS: tuple[tuple[str, Noise, Floats | float, Floats, float], ...] = (
    ("power, gauss", noise.gauss, 1.0, np.eye(CELLS)[0] * 0.10, 0.0),
    ("false alarms, gauss", noise.gauss, 1.0, np.full(CELLS, BUDGET), BUDGET),
    ("false alarms, drift", noise.drift, 1.0, np.full(CELLS, BUDGET), BUDGET),
    ("false alarms, ugly", noise.ugly, 1.0, np.full(CELLS, BUDGET), BUDGET),
    ("false alarms, twice the noise today", noise.gauss, 2.0, np.full(CELLS, BUDGET), BUDGET),
    ("false alarms, twice in 5 of 20 cells", noise.gauss, FEW, np.full(CELLS, BUDGET), BUDGET),
)


def share_over(
    times: int,
    kind: Noise,
    pairs: int,
    today: Floats | float,
    changes: Floats,
    budget: float,
    *,
    remembered: bool,
) -> float:
    """The share of families in which a cell is called over."""
    rng, plan, over = np.random.default_rng(pairs), Plan(looks=(pairs,)), 0
    for _ in range(times):
        cv = np.exp(rng.uniform(np.log(0.01), np.log(0.08), CELLS))
        cv[0] = 0.03
        then = [np.exp(kind(rng, cv, n)) for n in RECORDINGS] if remembered else []
        base, head = np.exp(kind(rng, cv * today, pairs))
        head *= (1 + changes)[:, None]
        cells = [
            Cell(base=base[i], head=head[i], relative=budget, earlier=tuple((b[i], h[i]) for b, h in then))
            for i in range(CELLS)
        ]
        over += any(found.decision == "over" for found in judge(cells, look=0, plan=plan))
    return over / times


def main() -> int:
    """Print a line for each situation: percent called over without memory and with it, by number of pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("times", type=int, nargs="?", default=400)
    times = parser.parse_args().times
    print(f"{'called over, %, without memory | with':<40}" + "".join(f"{n:>8} pairs" for n in (5, 6, 8)))
    for name, kind, today, changes, budget in ROWS:
        columns = []
        for pairs in (5, 6, 8):
            without, with_ = (
                100 * share_over(times, kind, pairs, today, changes, budget, remembered=remembered)
                for remembered in (False, True)
            )
            columns.append(f"{without:5.1f} | {with_:4.1f}")
        print(f"{name:<40}" + "".join(f"{column:>14}" for column in columns), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
