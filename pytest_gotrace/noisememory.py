"""Earlier recordings as a memory of how much each number scatters; of what level it had nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.metrics import Key
from pytest_gotrace.recording import Recording, Run, against_itself, differences

#: The newest so many recordings are enough for as much as is ever believed of them.
RECORDINGS_AT_MOST = 10
#: Longer runs vary less: only runs of at most so many times the iterations of today's, or as much fewer, are like them.
ITERATIONS_RATIO = 2.0

#: The runs of each round, base and head.
_Pair = tuple[Run, Run]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseMemory:
    """Pairs of runs by benchmark and whether they were traced, a list for each recording; and what there is.

    `names` tell the recordings apart from others; `foreign` ones are of another machine and not among them.
    """

    names: tuple[str, ...] = ()
    foreign: int = 0
    pairs: Mapping[tuple[str, bool], Sequence[Sequence[_Pair]]] = field(default_factory=dict)

    @property
    def recordings(self) -> int:
        return len(self.names)

    def of(
        self, benchmark: str, key: Key, *, traced: bool, iterations: int
    ) -> tuple[tuple[Numbers, Numbers], ...]:
        """The numbers of earlier pairs (base, head), an entry for each recording, of runs as long as today's."""
        found = []
        for pairs in self.pairs.get((benchmark, traced), ()):
            alike = [
                pair
                for pair in pairs
                if iterations <= ITERATIONS_RATIO * pair[0].iterations
                and pair[0].iterations <= ITERATIONS_RATIO * iterations
            ]
            numbers = np.array([[run.number(key) for run in pair] for pair in alike], dtype=np.float64)
            if len(alike) > 1:
                found.append((numbers[:, 0], numbers[:, 1]))
        return tuple(found)


def remember(recordings: Iterable[Recording], environment: Mapping[str, str]) -> NoiseMemory:
    """The memory of the newest recordings of this machine; those of others are counted and forgotten."""
    every = sorted(recordings, key=lambda recording: recording.when)
    here = [recording for recording in every if not differences(environment, recording.environment)]
    kept = here[-RECORDINGS_AT_MOST:]
    pairs: dict[tuple[str, bool], list[list[_Pair]]] = {}
    for recording in kept:
        for name, found in _paired(against_itself(recording)).items():
            pairs.setdefault(name, []).append(found)
    return NoiseMemory(
        names=tuple(f"{r.when} {r.seed} {len(r.runs)}" for r in kept),
        foreign=len(every) - len(here),
        pairs=pairs,
    )


def _paired(recording: Recording) -> dict[tuple[str, bool], list[_Pair]]:
    sides: dict[tuple[str, bool, int], dict[str, Run]] = {}
    for run in recording.runs:
        sides.setdefault((run.benchmark, run.traced, run.round), {})[run.side] = run
    found: dict[tuple[str, bool], list[_Pair]] = {}
    for (benchmark, traced, _), both in sides.items():
        if len(both) == 2:
            found.setdefault((benchmark, traced), []).append((both["base"], both["head"]))
    return found
