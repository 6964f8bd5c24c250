"""Disturbances are what is unusual for this machine and this benchmark, and a fifth of the pairs may be repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_gotrace import interference
from pytest_gotrace.interference import SHARE, SOURCES, Watch, available


class Machine:
    """What a kernel tells, in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pressure").mkdir()
        self.tell()

    def tell(self, *, steal: int = 0, waited: int = 0) -> None:
        """Clock ticks that were stolen, and microseconds that somebody waited, since boot."""
        (self.root / "stat").write_text(f"cpu  9 0 9 9 0 0 0 {steal} 0 0\ncpu0 9 0 9 9 0 0 0 0 0 0\n")
        (self.root / "pressure" / "cpu").write_text(
            f"some avg10=0.28 avg60=4.45 avg300=7.56 total={waited}\nfull avg10=0.00 total=0\n"
        )


@pytest.fixture
def machine(tmp_path):
    """A kernel that says what a test wants."""
    return Machine(tmp_path)


def seen(watch: Watch, machine: Machine, who: str = "BenchmarkX", **told: int) -> tuple[str, ...]:
    """What is seen when the machine tells this after a process."""
    with watch.over(who) as found:
        machine.tell(**told)
    machine.tell()
    return found.sources


LONG = 10**9  # of either unit, longer than any test takes


@pytest.mark.parametrize(("name", "told"), [("steal", {"steal": LONG}), ("pressure", {"waited": LONG})])
def test_what_is_unusual_is_seen(machine, name, told):
    """A source beyond its limit is named once it is known what is usual, and what is usual is not named."""
    watch = Watch(names=("steal", "pressure"), proc=machine.root)
    assert [seen(watch, machine) for _ in range(3)] == [()] * 3
    assert seen(watch, machine, **told) == (name,)
    assert seen(watch, machine) == ()


def test_a_machine_that_is_always_short_is_not_disturbed(machine):
    """What happens in every run is no disturbance, however much it is."""
    watch = Watch(names=("steal",), proc=machine.root)
    first, *_, last = [seen(watch, machine, steal=LONG) for _ in range(8)]
    assert (first, last) == ((), ())


@pytest.mark.parametrize("every", [2, 3, 5])
def test_what_comes_every_so_often_is_usual(machine, every):
    """Bursts in one run of two, three or five are what this machine is like, once a few of them are known."""
    watch = Watch(names=("pressure",), proc=machine.root)
    found = [seen(watch, machine, waited=LONG * (number % every == every - 1)) for number in range(60)]
    assert found[3 * every :] == [()] * (60 - 3 * every)


def test_what_is_rare_stays_unusual(machine):
    """A burst in one run of twenty is seen each time."""
    watch = Watch(names=("pressure",), proc=machine.root)
    found = [seen(watch, machine, waited=LONG * (number % 20 == 19)) for number in range(60)]
    assert [number for number, sources in enumerate(found) if sources] == [19, 39, 59]


def test_one_tick_may_be_rounding(machine):
    """A single tick of the kernel's clock is no steal."""
    watch = Watch(names=("steal",), proc=machine.root)
    assert [seen(watch, machine, steal=0 if number < 4 else 1) for number in range(8)] == [()] * 8


def test_pressure_is_the_benchmarks_own(machine):
    """What is usual of waiting threads is known for each benchmark apart; of steal, for the machine."""
    watch = Watch(names=("steal", "pressure"), proc=machine.root)
    for _ in range(3):
        seen(watch, machine, "BenchmarkQuiet")
    assert seen(watch, machine, "BenchmarkCrowd", waited=LONG) == ()
    assert seen(watch, machine, "BenchmarkCrowd", steal=LONG) == ("steal",)
    assert seen(watch, machine, "BenchmarkQuiet", waited=LONG) == ("pressure",)


def test_a_slow_processor(machine, monkeypatch):
    """A spin that takes a quarter longer than usual, before the process and after it, tells of a busy processor."""
    times = iter([1.0, 1.0] * 4 + [1.2, 1.2] + [1.4, 1.0] + [1.0, 1.4] + [1.4, 1.5])
    monkeypatch.setattr(Watch, "_spin", lambda self: next(times))
    watch = Watch(names=("spin",), proc=machine.root)
    found = [seen(watch, machine) for _ in range(8)]
    assert found == [()] * 7 + [("spin",)]


@pytest.mark.alone
def test_a_real_spin_is_tiny(machine):
    """Looking costs time, which is counted; the longest part is a loop of fixed length."""
    watch = Watch(names=("spin",), proc=machine.root)
    assert seen(watch, machine) == ()
    assert watch.seconds > 0
    assert interference._SPIN_SECONDS * interference._SPINS <= 0.002


def test_who_sees_nothing(tmp_path):
    """Without sources nothing is read and nothing is seen."""
    watch = Watch(proc=tmp_path / "nowhere")
    with watch.over("BenchmarkX") as found:
        pass
    assert (found.sources, watch.seconds) == ((), 0.0)


@pytest.mark.parametrize("planned", [0, 4, 5, 6, 10, 14, 20, 100])
def test_a_fifth_at_most(planned):
    """Of the pairs that are planned, in one part or several, a fifth may be repeated."""
    watch = Watch()
    watch.plan(planned // 2)
    watch.plan(planned - planned // 2)
    granted = [watch.may_repeat() for _ in range(planned + 1)]
    assert sum(granted) == int(planned * SHARE)
    assert granted == sorted(granted, reverse=True)


def test_sources_of_this_machine(machine):
    """A source that the machine lacks, or that makes no sense, is not used; spinning is possible anywhere."""
    assert available(machine.root) == tuple(SOURCES)
    (machine.root / "pressure" / "cpu").write_text("nothing\n")
    assert available(machine.root) == ("steal", "spin")
    (machine.root / "stat").write_text("cpu 1 2 3\n")
    assert available(machine.root) == available(machine.root / "nowhere") == ("spin",)
