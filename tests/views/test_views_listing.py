"""Listings, and the one call of a stack that a reader is shown."""

from __future__ import annotations

import pytest

from pytest_gotrace.trace import Frame
from pytest_gotrace.views.listing import Kind, key, listing, total
from pytest_gotrace.views.stacks import calls, leaf, place

COLUMNS = (key("name"), total("count", Kind.COUNT), total("time"))


def test_order():
    """Rows stand by their column, largest first, and equal ones by their keys."""
    shown = listing("l", "L", COLUMNS, [("b", 1, 5), ("c", 9, 7), ("a", 2, 5), ("d", 1, None)], by="time")
    assert [row[0] for row in shown.rows] == ["c", "a", "b", "d"]
    assert [row["name"] for row in shown.top(2).dicts()] == ["c", "a"]
    assert shown.top(None) is shown


def test_order_of_time():
    """Without a column rows stay as they are."""
    assert listing("l", "L", COLUMNS, [("b", 1, 5), ("a", 9, 7)]).rows == (("b", 1, 5), ("a", 9, 7))


def frames(*functions):
    return tuple(Frame(function, f"{function.split('.')[0]}.go", 7) for function in functions)


@pytest.mark.parametrize(
    ("stack", "function"),
    [
        (("sync.(*Mutex).Lock", "shop.serve", "main.main"), "shop.serve"),
        (
            ("internal/poll.(*FD).Read", "net.(*conn).Read", "net/http.(*conn).serve", "shop.serve"),
            "shop.serve",
        ),
        (("runtime.chanrecv1", "runtime.gcenable"), "runtime.gcenable"),
        (("synchronizer.Run", "main.main"), "synchronizer.Run"),
        ((), ""),
    ],
)
def test_place(stack, function):
    """A reader sees the innermost call that is not the standard library's, or else the outermost of all."""
    assert place(frames(*stack))[0] == function


def test_calls():
    """Every call is told with its line, leaf first."""
    assert calls(frames("sync.Lock", "main.main")) == ("sync.Lock sync.go:7", "main.main main.go:7")
    assert (leaf(frames("sync.Lock", "main.main")), leaf(())) == ("sync.Lock", "")
