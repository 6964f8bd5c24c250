"""A test goes on only where it is the same one: revisions, machine, looks, and everything that is judged together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from asking import benchmark, budget, questions
from samples import MACHINE, recording, run

from pytest_gotrace import recordingfile as disk
from pytest_gotrace.continuing import anew, family, looks_taken, refuse_other_sides, seed, stored_test, when
from pytest_gotrace.errors import RecordingError, UsageError
from pytest_gotrace.metrics import CATALOGUE
from pytest_gotrace.noisememory import NoiseMemory
from pytest_gotrace.options import Options
from pytest_gotrace.recording import Measured, Planned

PLAN = Planned(looks=(6, 10), taken=1, family="f")
BASE = Measured(name="main", sha="a" * 40, tree="1" * 40)
HEAD = Measured(name="working tree", sha="b" * 40, tree="2" * 40, dirty=True)
SIDES = {"base": BASE, "head": HEAD}


@pytest.fixture
def stored(tmp_path):
    """A test of seven rounds, of which the first look has seen six."""
    path = tmp_path / "stored.jsonl"
    runs = [run(side, number) for side in ("base", "head") for number in range(7)]
    disk.write(replace(recording(*runs, seed=5), plan=PLAN, sides=SIDES), path)
    return path


def opened(path, *, environment=MACHINE, **options):
    return stored_test(Options(resume=path, **options), Path("/"), environment, CATALOGUE)


def test_what_was_looked_at_goes_on(stored):
    """Stored runs come back as far as a look has seen them, with seed and plan; without the option there are none."""
    found = opened(stored, seed=5)
    assert (found.seed, found.plan) == (5, PLAN)
    assert {one.round for one in found.runs} == set(range(6))
    assert opened(None) is None


def test_a_test_that_took_no_look_begins_anew(stored):
    """Runs that no look has seen are measured again."""
    disk.write(replace(disk.read(stored), plan=replace(PLAN, taken=0)), stored)
    assert opened(stored).runs == ()


@pytest.mark.parametrize(
    ("others", "error", "complaint"),
    [
        ({"seed": 6}, UsageError, r"--gotrace-seed=6: .* goes on with its own seed 5"),
        ({"baseline": "main.jsonl"}, UsageError, r"the base is a recording; leave out one"),
        ({"environment": MACHINE | {"cores": "8"}}, RecordingError, r"another environment \(cores: '8' here"),
        ({"environment": MACHINE | {"cpus": "0"}}, RecordingError, r"cpus: '0' here, 'unknown' in"),
    ],
)
def test_what_contradicts_is_refused(stored, others, error, complaint):
    """Another machine, other CPUs, another seed and a recorded base are refused, each with what to do."""
    with pytest.raises(error, match=complaint):
        opened(stored, **others)


def test_shards_are_no_test(stored):
    """A recording that was joined from several cannot go on, nor one that an older version wrote."""
    text = stored.read_text()
    stored.write_text(text + text.splitlines()[0] + "\n")
    with pytest.raises(RecordingError, match="holds no single test that could go on"):
        opened(stored)


@pytest.mark.parametrize(
    ("sides", "complaint"),
    [
        ({"head": HEAD}, "the base is nothing here, aaaaaaaaaaaa .* in the recording"),
        (SIDES | {"base": replace(BASE, sha="c" * 40)}, "the base is cccccccccccc"),
        (
            SIDES | {"head": replace(HEAD, tree="3" * 40)},
            r"bbbbbbbbbbbb with uncommitted .*files 333333333333",
        ),
        (SIDES | {"head": replace(HEAD, tree="")}, "the head is"),
    ],
)
def test_other_revisions_are_refused(stored, sides, complaint):
    """Another commit, other uncommitted changes, and a side that is not there are told apart."""
    with pytest.raises(RecordingError, match=complaint):
        refuse_other_sides(opened(stored), sides, stored)


def test_the_same_revisions_by_other_names(stored):
    """A revision is what it holds, whatever it is called."""
    refuse_other_sides(opened(stored), SIDES | {"base": replace(BASE, name="v1.0")}, stored)


@pytest.mark.parametrize(
    ("now", "complaint"),
    [
        (replace(PLAN, looks=(6, 10, 14)), "looks after 6, 10 pairs, and here they are after 6, 10, 14"),
        (replace(PLAN, family="g"), "other rules or benchmarks, or with another memory of noise"),
    ],
)
def test_another_plan_is_refused(stored, now, complaint):
    """Looks cannot be added, and rules not exchanged, once numbers were seen."""
    assert looks_taken(opened(stored), replace(PLAN, taken=0), stored) == 1
    assert looks_taken(None, now, None) == 0
    with pytest.raises(RecordingError, match=complaint):
        looks_taken(opened(stored), now, stored)


def test_the_seed_is_that_of_the_test(stored):
    """A test that goes on keeps its seed and its time; a new one begins now, with the seed asked for or any."""
    disk.write(replace(disk.read(stored), when="2026-01-02T03:04:05Z"), stored)
    assert seed(Options(), opened(stored)) == 5
    assert when(opened(stored)) == "2026-01-02T03:04:05Z" < when(None)
    assert seed(Options(seed=0), None) == 0
    assert 0 <= seed(Options(), None) < 2**31


def test_a_family_is_everything_that_is_judged(tmp_path):
    """Another limit, benchmark or memory of noise is another family; another order, level or line is not."""

    def of(limits, *benchmarks, names=()):
        memory = NoiseMemory(names=names)
        asked = questions(budget(tmp_path, limits), *benchmarks)
        return family(asked, tmp_path, memory), family(asked[::-1], tmp_path, memory)

    one, backwards = of("{ns/op: +10%, B/op: +5%}")
    assert one == backwards
    assert of("{B/op: +5%, ns/op: {max_increase: 10%, level: warn}}")[0] == one
    assert of("{ns/op: +10%, B/op: +6%}")[0] != one
    assert of("{ns/op: +10%}")[0] != one
    assert of("{ns/op: +10%, B/op: +5%}", names=("a day before",))[0] != one
    assert of("Benchmark*: {ns/op: +10%, B/op: +5%}", benchmark(), benchmark("BenchmarkY"))[0] != one


def test_starting_anew_is_said(stored):
    """Where a test of the same revisions will be replaced, that is a note; else nothing is said."""
    (note,) = anew(Options(record=stored), SIDES)
    assert "starts anew and replaces it; --gotrace-continue=" in note
    assert list(anew(Options(record=stored, resume=stored), SIDES)) == []
    assert list(anew(Options(record=stored), SIDES | {"head": BASE})) == []
    assert list(anew(Options(record=stored.with_name("none")), SIDES)) == []
    stored.write_text("nonsense\n")
    assert list(anew(Options(record=stored), SIDES)) == []
