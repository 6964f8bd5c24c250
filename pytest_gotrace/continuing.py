"""A sequential test that goes on where a recording left off: the same test, or none.

Taking a look spends a part of the false alarms that a pull request may have. Whoever starts anew on the same two
revisions gets all of it again, and who does so until it is green has no gate. A test that goes on judges its stored
runs at the looks that were taken, as they were, and spends what is left.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_gotrace import recordingfile
from pytest_gotrace.budget import Rule
from pytest_gotrace.errors import RecordingError, UsageError
from pytest_gotrace.metrics import Metric
from pytest_gotrace.noisememory import NoiseMemory
from pytest_gotrace.options import Options
from pytest_gotrace.recording import SIDES, Measured, Planned, Recording, Side, differences
from pytest_gotrace.reporting import place
from pytest_gotrace.verdict import Question

_ANEW = "leave out --gotrace-continue to start anew"


def stored_test(
    options: Options, cwd: Path, environment: Mapping[str, str], metrics: Sequence[Metric]
) -> Recording | None:
    """The recording whose test is to go on; None where a new one begins.

    Raises `RecordingError` where it cannot go on here, `UsageError` where options contradict each other.
    """
    if options.resume is None:
        return None
    if options.recording:
        raise UsageError(
            "--gotrace-continue goes on with pairs of two revisions, and the base is a recording; leave out one of them"
        )
    name, found = options.resume, recordingfile.read(cwd / options.resume, metrics)
    if found.plan is None:
        raise RecordingError(
            f"{name} holds no single test that could go on (it was joined, or written by an older version); {_ANEW}"
        )
    if unlike := differences(environment, found.environment):
        raise RecordingError(
            f"{name} was recorded in another environment ({'; '.join(unlike)}), and pairs of two machines are no "
            f"test; {_ANEW}"
        )
    if options.seed not in (None, found.seed):
        raise UsageError(
            f"--gotrace-seed={options.seed}: {name} goes on with its own seed {found.seed}; {_ANEW}"
        )
    done = found.plan.looks[found.plan.taken - 1] if found.plan.taken else 0
    return replace(found, runs=tuple(run for run in found.runs if 0 <= run.round < done))


def seed(options: Options, stored: Recording | None) -> int:
    """That of the test that goes on, the one that was asked for, or any."""
    asked = stored.seed if stored else options.seed
    return random.SystemRandom().randrange(1 << 31) if asked is None else asked


def when(stored: Recording | None) -> str:
    """When the test began: the one that goes on, or one that begins now."""
    return stored.when if stored else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def refuse_other_sides(stored: Recording, measured: Mapping[Side, Measured], name: Path) -> None:
    """Raise `RecordingError` unless both sides are the same commits with the same files as in the recording."""
    if unlike := list(_other_sides(stored.sides, measured)):
        raise RecordingError(
            f"{name} is a test of other revisions: {'; '.join(unlike)}. Files that benchmarks leave in the "
            f"repository count unless they are ignored. {_ANEW.capitalize()}"
        )


def _other_sides(before: Mapping[Side, Measured], now: Mapping[Side, Measured]) -> Iterator[str]:
    for side in SIDES:
        if side not in before and side not in now:
            continue
        if side not in before or side not in now:
            yield f"the {side} is {told(now.get(side))} here, {told(before.get(side))} in the recording"
        elif not now[side].same_files(before[side]):
            yield f"the {side} is {told(now[side])} here, {told(before[side])} in the recording"


def told(measured: Measured | None) -> str:
    """A side by its commit and its files."""
    if measured is None:
        return "nothing"
    return f"{measured.sha[:12]}{' with uncommitted changes' if measured.dirty else ''} (files {measured.tree[:12]})"


def looks_taken(test: Recording | None, now: Planned, name: Path | None) -> int:
    """How many looks of a stored test were taken.

    Raises `RecordingError` unless the looks and everything that is judged are those of the stored test.
    """
    stored = test.plan if test else None
    if stored is None:
        return 0
    if stored.looks != now.looks:
        before, here = (", ".join(map(str, plan.looks)) for plan in (stored, now))
        raise RecordingError(
            f"{name} is a test with looks after {before} pairs, and here they are after {here}: looks cannot be added "
            f"once numbers were seen. Use the same --gotrace-pairs and max_pairs, or {_ANEW}"
        )
    if stored.family != now.family:
        raise RecordingError(
            f"{name} is a test of other rules or benchmarks, or with another memory of noise: the chance of a false "
            "alarm is shared among all that are judged together, in the same way at every look. Use the same budget, "
            f"selection and recordings of noise, or {_ANEW}"
        )
    return stored.taken


def family(questions: Iterable[Question], root: Path, memory: NoiseMemory) -> str:
    """A digest of everything that is judged together: which line asks what of which benchmark, limits, memory."""
    lines = sorted(
        "\t".join(
            (
                place(question.rule.path, root),
                question.benchmark.id,
                question.text,
                str(question.rule.limit) if isinstance(question.rule, Rule) else "",
            )
        )
        for question in questions
    )
    return hashlib.sha256("\n".join([*lines, *memory.names]).encode("utf-8", "surrogateescape")).hexdigest()


def digests(budgets: Iterable[Path], root: Path) -> dict[str, str]:
    """A digest of each budget file, by its place in the repository."""
    return {place(path, root): digest(path) for path in budgets}


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def anew(options: Options, measured: Mapping[Side, Measured]) -> Iterator[str]:
    """What to know where a recording of these very sides lies in the place of the new one."""
    before = recordingfile.header(options.record) if options.record else None
    if options.resume or before is None or list(_other_sides(before.sides, measured)):
        return
    yield (
        f"{options.record} held a test of the same two revisions: this one starts anew and replaces it; "
        f"--gotrace-continue={options.record} would have gone on with it"
    )
