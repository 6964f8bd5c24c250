"""Two traces side by side."""

from __future__ import annotations

from pytest_gotrace.views.difference import differences
from pytest_gotrace.views.listing import Kind, key, listing, note, total, worst

COLUMNS = (key("function"), note("line"), total("count", Kind.COUNT), total("time"), worst("max"))


def shown(*rows):
    return (listing("waits", "Waits", COLUMNS, rows, by="time"),)


def deltas(base, head):
    (found,) = differences(base, head)
    return [(*delta.row, delta.measure.name, delta.base, delta.head, delta.delta) for delta in found.deltas]


def test_largest_first():
    """Times come before counts, whichever way they moved, the largest first; what is the same is left out."""
    base = shown(("f", "f.go:1", 900, 100, 60), ("g", "g.go:1", 1, 70, 50))
    head = shown(("f", "f.go:1", 100, 130, 60), ("g", "g.go:1", 1, 10, 5))
    assert deltas(base, head) == [
        ("g", "time", 70, 10, -60),
        ("g", "max", 50, 5, -45),
        ("f", "time", 100, 130, 30),
        ("f", "count", 900, 100, -800),
    ]


def test_lines_move():
    """Rows are found again by function: a line that moved is no difference, and two lines are added up."""
    base = shown(("f", "f.go:1", 1, 100, 100), ("f", "f.go:9", 1, 50, 50))
    head = shown(("f", "f.go:3", 1, 100, 100), ("f", "f.go:12", 1, 50, 50))
    assert deltas(base, head) == []
    (merged,) = [row for row in deltas(base, shown()) if row[1] == "time"]
    assert merged == ("f", "time", 150, None, -150)


def test_new_and_gone():
    """A row that only one trace has says so."""
    found = deltas(shown(("old", "", 1, 5, 5)), shown(("new", "", 2, 7, 7)))
    assert ("new", "time", None, 7, 7) in found
    assert ("old", "time", 5, None, -5) in found


def test_lists_are_left_out():
    """Rows that cannot be found again, such as logs or the goroutines one by one, are not compared."""
    logs = listing("logs", "Logs", (note("at", Kind.MOMENT), note("message")), [(1, "a")])
    one = listing("goroutine", "Each", (note("goroutine", Kind.ID), total("time")), [(7, 5)], by="time")
    assert list(differences((logs, one), (logs, one))) == []


def test_whole_traces():
    """What is said of a whole trace is compared, even if it was written by another Go."""
    columns = (note("wire"), total("time"))
    base, head = (listing("trace", "Trace", columns, [row]) for row in (("go 1.25", 5), ("go 1.26", 9)))
    assert deltas((base,), (head,)) == [("time", 5, 9, 4)]
