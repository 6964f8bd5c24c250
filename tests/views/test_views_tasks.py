"""Regions, tasks and logs of requests of which one is slow: which phase was it?"""

from __future__ import annotations

from pytest_gotrace.views import look


def by_name(looked, view):
    return {shown.name: list(shown.dicts()) for shown in look(looked, view)}


def test_tasks_by_name(shop_scope):
    """Tasks are counted by name; the slow one is the maximum, and not the median."""
    tasks = {row["task"]: row for row in by_name(shop_scope(), "tasks")["tasks"]}
    assert set(tasks) == {"request", "lookup"}
    assert (tasks["request"]["count"], tasks["request"]["cut off"], tasks["request"]["logs"]) == (6, 0, 6)
    assert tasks["request"]["p50"] < 100_000_000 < tasks["request"]["max"] == tasks["request"]["p99"]
    assert tasks["lookup"]["time"] < tasks["request"]["time"]


def test_slow_request(shop_scope):
    """The events of the slow request stand in time order, and its longest region is the phase that was slow."""
    shown = by_name(shop_scope(log="id=3"), "tasks")
    assert [row["task"] for row in shown["task"]] == ["request", "lookup"]
    events = shown["task-events"]
    assert [row["after"] for row in events] == sorted(row["after"] for row in events)
    assert [(row["what"], row["name"]) for row in events] == [
        ("task", "request"),
        ("log", "id=3"),
        ("region", "parse"),
        ("region", "query"),
        ("task", "lookup"),
        ("log", "answer=3"),
        ("task end", "lookup"),
        ("region", "render"),
        ("task end", "request"),
    ]
    regions = {row["name"]: row for row in events if row["what"] == "region"}
    assert max(regions.values(), key=lambda row: row["time"])["name"] == "query"
    assert regions["query"]["block"] > 100_000_000 > regions["query"]["exec"]
    assert {row["function"] for row in regions.values()} == {"main.main"}


def test_slowest_of_many(shop_scope):
    """Of tasks of one name the slowest is told in full."""
    events = by_name(shop_scope(task="request"), "tasks")["task-events"]
    assert "id=3" in [row["name"] for row in events]
    assert "id=2" not in [row["name"] for row in events]


def test_regions(shop_scope):
    """Regions have percentiles and what was done in them, and Go's nameless ones are left out."""
    regions = {row["region"]: row for row in by_name(shop_scope(), "regions")["regions"]}
    assert {name for name in regions if name.isalpha()} == {"parse", "query", "render"}
    query = regions["query"]
    assert query["count"] == 6
    assert query["p50"] <= query["p90"] <= query["p99"] == query["max"] <= query["time"]
    spent = sum(query[state] for state in ("exec", "sched-wait", "block", "syscall"))
    assert 0.99 * query["time"] < spent <= query["time"]


def test_regions_of_a_task(shop_scope):
    """With a task only its regions are there."""
    regions = by_name(shop_scope(log="id=3"), "regions")["regions"]
    assert {row["region"]: row["count"] for row in regions} == {"parse": 1, "query": 1, "render": 1}


def test_logs(shop_scope):
    """Logs stand in time order, those of a task alone if it was asked for."""
    logs = by_name(shop_scope(), "logs")["logs"]
    assert [row["message"] for row in logs] == [str(i // 2) for i in range(12)]
    assert [row["at"] for row in logs] == sorted(row["at"] for row in logs)
    chosen = by_name(shop_scope(log="id=4"), "logs")["logs"]
    assert [(row["category"], row["message"]) for row in chosen] == [("id", "4"), ("answer", "4")]
