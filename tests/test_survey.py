"""What a survey says of one benchmark's runs, and where it looks for the module."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import distribution, run

from pytest_gotrace.errors import UsageError
from pytest_gotrace.schedule import EVENTS_MARGIN
from pytest_gotrace.stats import events_needed
from pytest_gotrace.survey import module_of, summary


def found(*runs):
    return {str(key): (mean, noise) for key, mean, noise in summary(runs)}


def untraced(*numbers):
    return [run("head", round_, values={"ns/op": number}) for round_, number in enumerate(numbers)]


def test_mean_and_noise_over_the_runs():
    """Each number has its mean over the runs and its standard deviation as a share of it."""
    assert found(*untraced(90.0, 100.0, 110.0)) == {"ns/op": (100.0, pytest.approx(0.1))}


def test_what_is_worth_no_line():
    """Numbers of a single run, zeros, and what some run does not say are left out."""
    one, other = untraced(1.0, 2.0)
    assert found(*untraced(100.0)) == {}
    assert found(*untraced(0.0, 0.0)) == {}
    assert found(one, replace(other, values={})) == {}


def test_traced_and_untraced_runs_do_not_mix():
    """What `go test` reports is taken from untraced runs alone."""
    slow = [run("head", round_, traced=True, values={"ns/op": 900.0}) for round_ in range(3)]
    assert found(*untraced(100.0, 100.0), *slow) == {"ns/op": (100.0, 0.0)}


def test_waits_by_total_and_regions_by_quantile():
    """Waits are told by their total, regions by those quantiles that have events enough with room."""
    some, many = (round(EVENTS_MARGIN * events_needed(p)) + 1 for p in (0.5, 0.99))
    series = {
        "sched-wait": distribution(50.0),
        "exec": distribution(9.0),
        "region[few]": distribution(1.0, 3),
        "region[some]": distribution(1.0, some),
        "task[many]": distribution(1.0, many),
    }
    runs = [run("head", round_, traced=True, series=series) for round_ in range(3)]
    assert set(found(*runs)) == {
        "sched-wait.total",
        "region[some].p50",
        "task[many].p50",
        "task[many].p99",
    }


def test_the_module_of_a_package(tmp_path):
    """A package belongs to the nearest module upwards, and to none outside the repository."""
    for directory in (tmp_path, tmp_path / "inner"):
        directory.mkdir(exist_ok=True)
        (directory / "go.mod").touch()
    assert module_of(tmp_path / "a" / "b", tmp_path) == tmp_path
    assert module_of(tmp_path / "inner" / "c", tmp_path) == tmp_path / "inner"
    with pytest.raises(UsageError, match="is in no Go module"):
        module_of(tmp_path / "a", tmp_path / "a")
