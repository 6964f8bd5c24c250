"""Parts of a trace: windows, goroutines, tasks."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import TRACES

from pytest_gotrace.errors import UsageError
from pytest_gotrace.show import Question, load
from pytest_gotrace.trace import State
from pytest_gotrace.views import goroutines

PATH = TRACES / "go126-regions.trace"
STATES = (State.RUNNING, State.RUNNABLE, State.SYSCALL, State.WAITING)


def spent(**asked):
    looked = load(PATH, Question(**asked))
    return {state: int(looked.states(state)[1].sum()) for state in STATES}


def test_windows_add_up():
    """What lies before a moment and what lies after it are together the whole."""
    middle = f"{load(PATH, Question()).table.end // 2 - load(PATH, Question()).table.begin // 2}ns"
    whole, before, after = spent(), spent(until=middle), spent(since=middle)
    assert all(min(before[state], after[state]) > 0 for state in (State.RUNNING, State.WAITING))
    assert {state: before[state] + after[state] for state in STATES} == whole


def test_goroutines_add_up():
    """The groups, asked for one by one, are together the whole."""
    names = [row["function"] for row in goroutines.view(load(PATH, Question()))[0].dicts() if row["function"]]
    parts = [spent(goroutine=name) for name in names]
    nameless = [
        row["total"] for row in goroutines.view(load(PATH, Question()))[0].dicts() if not row["function"]
    ]
    assert len(parts) > 3
    assert sum(sum(part.values()) for part in parts) + sum(nameless) == sum(spent().values())


def test_one_goroutine():
    """A goroutine can be asked for by its id, and is then alone."""
    looked = load(PATH, Question(goroutine="1"))
    groups, one, _ = goroutines.view(looked)
    assert [row["function"] for row in groups.dicts()] == ["runtime.main"] or len(groups.rows) == 1
    assert [row["goroutine"] for row in one.dicts()] == [1]


def test_task():
    """Of a task the time in its regions counts, of those goroutines alone that worked for it."""
    looked = load(PATH, Question(task="outer"))
    own = looked.table.regions
    workers = np.unique(own.goroutine[np.isin(own.task, looked.tasks)])
    rows, time = looked.states(State.RUNNING)
    assert set(looked.table.states.goroutine[rows].tolist()) <= set(workers.tolist())
    assert 0 < time.sum() < spent()[State.RUNNING]


def test_log(shop_scope):
    """What a task logged finds it, with the tasks within it."""
    looked = shop_scope(log="id=3")
    strings, own = looked.table.strings, looked.table.tasks
    picked = np.isin(own.id, looked.tasks)
    assert sorted(strings[name] for name in own.name[picked]) == ["lookup", "request"]
    assert len(shop_scope(log="id").tasks) == 12


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"goroutine": "999999"}, "no goroutine '999999'"),
        ({"goroutine": "9" * 30}, "no goroutine"),
        ({"goroutine": "main.\x1b[31m"}, r"no goroutine 'main.\\x1b\[31m'"),
        ({"task": "nothing"}, "no task in the trace has name 'nothing'"),
        ({"task": "outer", "log": "a=b"}, "name 'outer' with log 'a=b'"),
        ({"since": "1h"}, "the trace lasts"),
        ({"since": "5ms", "until": "4ms"}, "nothing lies between 5000000 ns and 4000000 ns"),
        ({"since": "5 apples"}, "expected a time"),
    ],
)
def test_nothing_found(asked, message):
    """What is not in the trace is said, and is no empty table."""
    with pytest.raises(UsageError, match=message):
        load(PATH, Question(**asked))
