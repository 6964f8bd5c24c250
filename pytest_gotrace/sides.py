"""Both sides put in place: two checkouts, or one and a recording that stands for the base; or found again later."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_gotrace import recordingfile
from pytest_gotrace.changes import Changes
from pytest_gotrace.checkout import Repository, Revision, open_repository
from pytest_gotrace.errors import CheckoutError, RecordingError
from pytest_gotrace.metrics import Metric
from pytest_gotrace.options import Options
from pytest_gotrace.recording import SIDES, Measured, Recording, Side, differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Who both sides are, where they are checked out, and what differs between them: files, and lines of Go.

    `left_out` are files of the working tree that are not in the head. (`leavings`)
    """

    measured: Mapping[Side, Measured]
    checkouts: Mapping[Side, Path]
    changed: tuple[str, ...]
    changes: Changes = field(default_factory=Changes)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording in the place of the base. `foreign` says in what its machine differs from this one."""

    recording: Recording
    foreign: tuple[str, ...]

    @property
    def pairs(self) -> int:
        """How many rounds there are to pair with."""
        return 1 + max(run.round for run in self.recording.runs)

    def doubts(self) -> Iterator[str]:
        """What a reader must know about numbers of another day, and perhaps of another machine."""
        if self.foreign:
            yield f"the base was recorded on another machine ({'; '.join(self.foreign)}): nothing is decided"
        yield "the base is a recording: its runs and those of the head did not take turns"


def recorded_base(
    options: Options, cwd: Path, environment: Mapping[str, str], metrics: Sequence[Metric]
) -> Recorded | None:
    """The recording that `options.baseline` names; None where it names a revision or nothing.

    What was the head when it was recorded is the base now. Raises `RecordingError` where there is nothing to
    compare with, or it is of another machine.
    """
    name = options.recording
    if not name:
        return None
    found = recordingfile.read(cwd / name, metrics)
    foreign = differences(environment, found.environment)
    if foreign and not options.allow_foreign:
        raise RecordingError(
            f"{name} was recorded on another machine ({'; '.join(foreign)}), and times of two machines cannot be "
            "compared. Record the base here, or add --gotrace-allow-foreign to see the numbers without a verdict."
        )
    side: Side = "head" if found.benchmarks("head") else "base"
    runs = tuple(replace(run, side="base") for run in found.runs if run.side == side and run.round >= 0)
    if not runs:
        raise RecordingError(f"{name} has no runs in it; record again with --gotrace-record={name}")
    return Recorded(recording=replace(found, runs=runs, sides={"base": found.sides[side]}), foreign=foreign)


def put_in_place(repository: Repository, options: Options, recorded: Recorded | None) -> Sides:
    """Check out the head, and the base if it is a revision. Raises `CheckoutError`."""
    head = repository.resolve(options.head) if options.head else repository.working_tree()
    revisions: dict[Side, Revision] = {"head": head}
    if options.aa:
        revisions["base"] = head
    elif options.has_base and recorded is None:
        base = repository.resolve(options.baseline) if options.baseline else repository.default_base()
        revisions["base"] = base
    measured = {side: _measured(revision) for side, revision in revisions.items()}
    if recorded is not None:
        measured["base"] = recorded.recording.sides["base"]
    return Sides(
        measured=measured,
        checkouts={
            side: repository.materialise(revisions[side], repository.temporary / side)
            for side in SIDES
            if side in revisions
        },
        changed=repository.changed_files(revisions["base"], head) if "base" in revisions else (),
        changes=repository.changes(revisions["base"], head) if "base" in revisions else Changes(),
        left_out=head.left_out,
    )


def _measured(revision: Revision) -> Measured:
    return Measured(name=revision.name, sha=revision.sha, dirty=revision.dirty, tree=revision.tree)


@contextlib.contextmanager
def found_again(start: Path, measured: Mapping[Side, Measured]) -> Iterator[Sides]:
    """What a recording was made of, as far as a report needs it: the head's files, and what differs between the sides.

    Raises `CheckoutError` unless the repository that `start` lies in has the same files on each side.
    """
    with open_repository(start) as repository:
        revisions = {side: _again(repository, side, one) for side, one in measured.items()}
        base, head = revisions.get("base"), revisions.get("head")
        yield Sides(
            measured=measured,
            checkouts={"head": repository.materialise(head, repository.temporary / "head")} if head else {},
            changed=repository.changed_files(base, head) if base and head else (),
            changes=repository.changes(base, head) if base and head else Changes(),
        )


def _again(repository: Repository, side: Side, measured: Measured) -> Revision:
    commit = repository.commit(measured.sha)
    if commit is None:
        raise CheckoutError(
            f"this clone does not have the commit of the {side}, {measured.sha[:12]}; fetch it with more of the history"
        )
    for found in (commit, repository.working_tree()) if measured.dirty else (commit,):
        if measured.same_files(_measured(found)):
            return found
    raise CheckoutError(f"the {side} had other files when it was measured, such as uncommitted changes")
