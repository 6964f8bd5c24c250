"""Traces that no program writes: next to nothing in them, or numbers that cannot be."""

from __future__ import annotations

import json

import pytest
from texttrace import assemble

from pytest_gotrace.cli import main
from pytest_gotrace.errors import ExitCode
from pytest_gotrace.show import Question, load, write_pprof
from pytest_gotrace.views import VIEWS
from pytest_gotrace.views.waits import PROFILES

LEAST = "Trace go 1.{wire}\nBatch gen=1 m=0 time=1\n  ProcStatus dt=1 p=0 pstatus=1\n"
HUGE = 2**63 + 5

TRACES = {
    **{f"least of go 1.{wire}": LEAST.format(wire=wire) for wire in (22, 23, 25, 26)},
    "huge heap": LEAST.format(wire=26)
    + f"  HeapAlloc dt=1 heapalloc_value={HUGE}\n  HeapGoal dt=1 heapgoal_value={HUGE}\n",
    "huge number of processors": LEAST.format(wire=26)
    + f'  GoStatus dt=1 g=1 m=0 gstatus=2\n  ProcsChange dt=1 procs_value={HUGE}\n  GoStop dt=9 reason_string="x"\n',
    "no processors": LEAST.format(wire=26)
    + '  GoStatus dt=1 g=1 m=0 gstatus=2\n  ProcsChange dt=1 procs_value=0\n  GoStop dt=9 reason_string="x"\n',
    "huge ids": LEAST.format(wire=26)
    + f'  GoStatus dt=1 g={HUGE} m=0 gstatus=2\n  UserTaskBegin dt=1 task={HUGE} parent_task={HUGE} name_string="t"\n'
    + f'  UserRegionBegin dt=1 task={HUGE} name_string="r"\n'
    + f'  UserLog dt=1 task={HUGE} key_string="k" value_string="v"\n',
}


@pytest.fixture(params=TRACES)
def path(request, tmp_path):
    (tmp_path / "trace").write_bytes(assemble(TRACES[request.param]))
    return tmp_path / "trace"


def test_shown(path, capsys):
    """Every view has its tables and its lines for programs."""
    for options in ((), ("--view", "all"), *(("--view", view, "--format", "jsonl") for view in VIEWS)):
        assert main(["show", str(path), *options]) == ExitCode.PASS, options
    for line in capsys.readouterr().out.splitlines():
        assert not line.startswith("{") or json.loads(line)["view"]
    assert main(["diff", str(path), str(path)]) == ExitCode.PASS


def test_profiles(path, tmp_path):
    """Every profile can be written."""
    for view in PROFILES:
        write_pprof(path, Question(view=view), tmp_path / view)
        assert (tmp_path / view).stat().st_size > 0


def test_parents_in_a_circle(tmp_path):
    """Tasks that are each other's parents are asked for, and found, once."""
    text = LEAST.format(wire=26) + (
        "  GoStatus dt=1 g=1 m=0 gstatus=2\n"
        '  UserTaskBegin dt=1 task=5 parent_task=6 name_string="a"\n'
        '  UserTaskBegin dt=1 task=6 parent_task=5 name_string="b"\n'
        '  UserRegionBegin dt=1 task=6 name_string="r"\n'
        "  UserTaskEnd dt=9 task=5\n"
    )
    (tmp_path / "trace").write_bytes(assemble(text))
    assert load(tmp_path / "trace", Question(task="a")).tasks.tolist() == [5, 6]
    assert main(["show", str(tmp_path / "trace"), "--task", "a"]) == ExitCode.PASS
