"""The views against Go's own tools, on traces of real programs."""

from __future__ import annotations

import json
import subprocess
from collections import Counter, defaultdict

import numpy as np
import pytest
from oracle import TRACES, UNSUPPORTED
from texttrace import assemble

from pytest_gotrace.show import Question, load, write_pprof
from pytest_gotrace.trace import dump
from pytest_gotrace.views import collector, goroutines, mutator, regions, tasks
from pytest_gotrace.views.pprof import profile
from pytest_gotrace.views.waits import PROFILES, is_sync, samples

SCENARIOS = ("network", "syscalls", "collection")
MORE = ("callbacks", "channels", "coroutines", "generations", "mutexes", "regions", "selects", "threads")
WINDOWS = {"10µs": 10_000, "1ms": 10**6, "10ms": 10**7, "100ms": 10**8, "1h0m0s": 3_600 * 10**9}


def different_profiles(trace, go_profile, raw_profile):
    looked = load(trace, Question())
    for asked in PROFILES.values():
        own = raw_profile(profile(samples(looked, asked), 1))
        theirs = raw_profile(go_profile(trace, asked.name))
        if own != theirs:
            yield asked.name, own, theirs


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_profiles(scenario, workload_trace, go_profile, raw_profile):
    """The four profiles have the counts and nanoseconds of `go tool trace -pprof`, stack by stack."""
    assert list(different_profiles(workload_trace(scenario), go_profile, raw_profile)) == []


@pytest.mark.slow
@pytest.mark.parametrize("scenario", MORE)
def test_more_profiles(go, scenario, workload_trace, go_profile, raw_profile):
    """The same for all else that goroutines can wait for."""
    if go.version < UNSUPPORTED.get(scenario, (0, 0)):
        pytest.skip(f"Go {go.version} has no {scenario}")
    assert list(different_profiles(workload_trace(scenario), go_profile, raw_profile)) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(TRACES.glob("*.trace")), ids=lambda path: path.stem)
def test_profiles_of_every_wire_format(path, go_profile, raw_profile):
    """The same for traces that other versions of Go wrote, read by the installed one."""
    assert list(different_profiles(path, go_profile, raw_profile)) == []


def test_profiles_are_not_empty(workload_trace):
    """What is compared is something: each profile has samples in one of the scenarios."""
    scopes = [load(workload_trace(scenario), Question()) for scenario in SCENARIOS]
    for asked in PROFILES.values():
        assert any(samples(looked, asked) for looked in scopes), asked.name


def test_difference_to_go_is_nothing(go, workload_trace, go_profile, tmp_path):
    """`go tool pprof -diff_base` subtracts Go's profile from ours, and nothing is left."""
    trace = workload_trace("network")
    write_pprof(trace, Question(view="network"), tmp_path / "own")
    (tmp_path / "go").write_bytes(go_profile(trace, "net"))
    command = (go.command, "tool", "pprof", "-top", "-diff_base", tmp_path / "go", tmp_path / "own")
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    whole = shown.partition("Showing nodes accounting for ")[2]
    assert whole.startswith("0, 0% of ")
    assert not whole.startswith("0, 0% of 0 ")


def assert_utilization_is_gos(trace, go_mutator):
    """The utilization is Go's step by step, and its minimum over each window is Go's; how many steps there are."""
    looked, answers = load(trace, Question()), go_mutator(trace)
    for name, counted in mutator.COUNTED.items():
        own = mutator.utilization(looked, counted)
        steps = zip((own.times - own.times[0]).tolist(), own.values.tolist(), strict=True)
        assert [list(step) for step in steps] == answers[name]["steps"], name
        for window, expected in answers[name]["minimum"].items():
            assert own.minimum(WINDOWS[window]) == pytest.approx(expected, abs=1e-12), name
    return len(own.times)


def test_mutator_utilization(workload_trace, go_mutator):
    """The mutator utilization of a program that collects all the time is Go's."""
    assert assert_utilization_is_gos(workload_trace("collection"), go_mutator) > 100


def test_mutator_utilization_while_processors_change(workload_trace, go_mutator):
    """And that of a program that changes GOMAXPROCS."""
    assert_utilization_is_gos(workload_trace("procs"), go_mutator)


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.trace")), ids=lambda path: path.stem)
def test_mutator_utilization_of_every_wire_format(path, go_mutator):
    """And that of programs that other versions of Go made."""
    assert_utilization_is_gos(path, go_mutator)


def test_collection_takes_utilization(workload_trace):
    """What is compared is something: over the whole trace, assists and sweeps take more than the pauses alone."""
    looked = load(workload_trace("collection"), Question())
    pauses, assists, sweeps = (
        mutator.utilization(looked, counted).minimum(WINDOWS["1h0m0s"])
        for counted in mutator.COUNTED.values()
    )
    assert 0 < sweeps < assists < pauses < 1


#: Of goroutines that share an id, as those of callbacks do, Go keeps only the last, and we all.
UNSHARED = sorted(path for path in TRACES.glob("*.trace") if "callbacks" not in path.stem)


@pytest.mark.parametrize("path", UNSHARED, ids=lambda path: path.stem)
def test_goroutine_groups(path):
    """Goroutine groups have the sums of Go's summary, in which the dump and Go are equal."""
    looked = load(path, Question())
    expected = defaultdict(Counter)
    for row in map(json.loads, dump.lines(path)):
        if row["kind"] == "goroutine":
            expected[row["name"]].update(expected_times(row))
    for row in goroutines.view(looked)[0].dicts():
        name, _ = row.pop("function"), row.pop("gc-pause")
        assert row == {column: expected[name][column] for column in row}
        del expected[name]
    assert not expected


def expected_times(row):
    """The columns of the view from what Go says of one goroutine."""
    times = Counter(
        count=1, exec=row["exec"], total=row["total"], syscall=row["syscall"] + row["syscall_block"]
    )
    times["sched-wait"] = row["sched_wait"]
    for reason, time in row["block"].items():
        kind = "net-wait" if reason == "network" else "sync-block" if is_sync(reason) else "other-wait"
        times[kind] += time
    times["mark-assist"] = row["range"].get("GC mark assist", 0)
    times["sweep"] = row["range"].get("GC incremental sweep", 0)
    return times


def durations(rows, kind):
    """Whole regions or tasks by name, as Go's summary has them, which the dump is equal to."""
    found = defaultdict(list)
    for row in rows:
        if row["kind"] == kind and None not in (row["start"], row["end"]) and row["name"]:
            found[row["name"]].append(row["end"] - row["start"])
    return {name: (len(own), sum(own), max(own)) for name, own in found.items()}


@pytest.mark.parametrize("path", UNSHARED, ids=lambda path: path.stem)
def test_regions_tasks_and_ranges(path):
    """Regions and tasks have the numbers and durations, and ranges the sums, that Go says."""
    rows, looked = [json.loads(line) for line in dump.lines(path)], load(path, Question())
    for kind, view in (("region", regions.view), ("task", tasks.view)):
        shown = {row[kind]: (row["count"], row["time"], row["max"]) for row in view(looked)[0].dicts()}
        shown.pop("", None)
        assert {name: own for name, own in shown.items() if own[0]} == durations(rows, kind)
    (totals,) = [row["totals"] for row in rows if row["kind"] == "ranges"]
    assert {row["range"]: row["time"] for row in collector.gc(looked)[0].dicts()} == totals


def test_goroutines_that_share_an_id():
    """Of goroutines that share an id, as threads of C do, each is counted, with all its time."""
    looked = load(TRACES / "go126-callbacks.trace", Question())
    own = looked.table.goroutines
    assert len(np.unique(own.id)) < len(own.id)
    rows = list(goroutines.view(looked)[0].dicts())
    assert sum(row["count"] for row in rows) == len(own.id)
    assert sum(row["exec"] for row in rows) == own.exec.sum()
    assert sum(row["sched-wait"] for row in rows) == own.sched_wait.sum()


#: What real programs seldom do, in one trace: two processors, a pause that is not the collector's, and one that is.
TWO_PROCESSORS = """
Trace go 1.26
Batch gen=1 m=0 time=100
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  ProcsChange dt=1 procs_value=2
  {first}
  GCMarkAssistBegin dt=20 stack=runtime.gcAssistAlloc,main.main
  GoBlock dt=20 reason_string="GC assist wait" stack=runtime.gcAssistAlloc,main.main
  GoStatus dt=5 g=9 m=18446744073709551615 gstatus=4
  GoUnblock dt=5 g=1 g_seq=1 stack=main.main
  GoStart dt=20 g=1 g_seq=2
  GCSweepBegin dt=10 stack=runtime.gcMarkDone,runtime.gcAssistAlloc,main.main
  GCSweepEnd dt=10
  GCMarkAssistEnd dt=10
  GCSweepBegin dt=20 stack=main.main
  GCSweepEnd dt=20
  STWBegin dt=10 kind_string="read mem stats" stack=main.main
  STWEnd dt=10
  STWBegin dt=10 kind_string="GC mark termination" stack=main.main
  ProcsChange dt=10 procs_value=3
  STWEnd dt=10
  {then}
  HeapAlloc dt=300 heapalloc_value=1
Batch gen=1 m=1 time=110
  ProcStatus dt=1 p=1 pstatus=1
  GoStatus dt=1 g=2 m=1 gstatus=2
  {other}
"""

SITUATIONS = {
    "plain": {},
    "assist goes on at the end": {"then": "GCMarkAssistBegin dt=9 stack=runtime.gcAssistAlloc,main.main"},
    "sweep goes on at the end": {"then": "GCSweepBegin dt=9 stack=main.main"},
    "two assists at a time": {
        "other": "GCMarkAssistBegin dt=25 stack=runtime.gcAssistAlloc,main.main\n  GCMarkAssistEnd dt=90"
    },
    "assist is under way": {"other": "GCMarkAssistActive dt=5 g=2\n  GCMarkAssistEnd dt=90"},
    "sweep is under way": {"other": "GCSweepActive dt=5 p=1\n  GCSweepEnd dt=90"},
    "call in an assist": {"then": "GoSyscallBegin dt=9 p_seq=1 stack=main.main\n  GoSyscallEnd dt=30"},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_mutator_utilization_by_hand(situation, go_mutator, tmp_path):
    """Assists that block, sweep, or are under way as the trace begins or ends count as Go counts them."""
    lines = {"first": "", "then": "", "other": "", **SITUATIONS[situation]}
    (tmp_path / "trace").write_bytes(assemble(TWO_PROCESSORS.format(**lines)))
    assert assert_utilization_is_gos(tmp_path / "trace", go_mutator) > 3
