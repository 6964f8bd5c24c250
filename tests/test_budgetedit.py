"""Limits written into a budget file: the numbers change, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_gotrace.budget import load
from pytest_gotrace.budgetedit import edited, write
from pytest_gotrace.errors import BudgetError

BUDGET = """\
# What a change may cost.
version: 1
defaults: {level: fail}   # strict

budgets:
  "pool/*":              # everything here
    ns/op: +10%          # as agreed
    "sched-wait.total": '+5% and 20us'
    goroutine-leak.count: +3
    "region[é: db].p99": {max_increase: 10%, max: 5ms, level: warn}  # 日本
    sync-block.total:
      # not less
      max_increase: "10%"   # wanted
      floor: 20us
    syscall.total:
      level: warn
      max_increase: 10%   # wanted, too
  pool/BenchmarkX: {exec.total: +10%, gc-pause.max: max 5ms, ns/op: +20us, "custom[hits/op]": -5%}
require:
  - pool/BenchmarkX  # must be there
waivers: []
"""


def changed(path, **changes):
    """The file with the limits of rules replaced, by the text of their key with `_` for what is no letter."""
    rules = load(path).rules
    found = {
        rule: replace(rule.limit, **change)
        for name, change in changes.items()
        for rule in rules
        if name
        in ("".join(c if c.isascii() and c.isalnum() else "_" for c in f"{rule.benchmark_glob}_{rule.key}"))
    }
    assert len(found) == len(changes)
    return edited(path, found)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "gotrace.yaml"
    path.write_text(BUDGET, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"pool___ns_op": {"relative": 0.18}}, "ns/op: +10%          #", "ns/op: +18%          #"),
        (
            {"sched_wait_total": {"relative": 0.3, "absolute": 45e3}},
            "'+5% and 20us'",
            "'+30% and 45us'",
        ),
        ({"goroutine_leak": {"absolute": 7.0}}, "count: +3", "count: +7"),
        (
            {"region": {"relative": 0.25, "absolute": 1e3}},
            "{max_increase: 10%, max: 5ms,",
            "{floor: 1us, max_increase: 25%, max: 5ms,",
        ),
        (
            {"sync_block": {"relative": 0.2, "absolute": 50e3}},
            '"10%"   # wanted\n      floor: 20us',
            '"20%"   # wanted\n      floor: 50us',
        ),
        (
            {"syscall": {"relative": 0.2, "absolute": 1e3}},
            "      max_increase: 10%   # wanted, too",
            "      floor: 1us\n      max_increase: 20%   # wanted, too",
        ),
        (
            {"exec": {"relative": 0.2}, "BenchmarkX_ns_op": {"absolute": 30e3}, "hits": {"relative": 0.1}},
            '{exec.total: +10%, gc-pause.max: max 5ms, ns/op: +20us, "custom[hits/op]": -5%}',
            '{exec.total: +20%, gc-pause.max: max 5ms, ns/op: +30us, "custom[hits/op]": -10%}',
        ),
    ],
)
def test_only_the_number_changes(path, change, before, after):
    """Short forms and long ones, quoted or not, among comments: one number is another, the rest is the same."""
    assert BUDGET.count(before) == 1
    assert changed(path, **change) == BUDGET.replace(before, after)


def test_line_ends_and_byte_order_mark_stay(path):
    """A file from Windows stays one."""
    path.write_bytes(BUDGET.replace("\n", "\r\n").encode("utf-8-sig"))
    (rule,) = (rule for rule in load(path).rules if str(rule.key) == "goroutine-leak.count")
    write(path, {rule: replace(rule.limit, absolute=12.0)})
    assert [file.name for file in path.parent.iterdir()] == ["gotrace.yaml"]
    assert path.read_bytes() == BUDGET.replace("+3", "+12").replace("\n", "\r\n").encode("utf-8-sig")


def test_a_file_that_changed_meanwhile_is_left_alone(path):
    """Where the rule no longer stands on its line, nothing is written, and it says so."""
    rule = load(path).rules[1]
    path.write_text(BUDGET.replace("# as agreed\n", "\n\n\n"), encoding="utf-8")
    with pytest.raises(BudgetError, match=r"gotrace\.yaml:8: the rule 'sched-wait.*changed while"):
        write(path, {rule: replace(rule.limit, relative=0.5)})
    assert "+5% and 20us" in path.read_text(encoding="utf-8")


def test_what_would_change_more_is_refused(path):
    """A rule whose new limit would not read back as it should is left to a person."""
    path.write_text("version: 1\nbudgets:\n  X: {ns/op: \n    +10%,\n    exec.total: max 5ms}\n")
    cap = load(path).rules[1]
    with pytest.raises(BudgetError, match="change it by hand"):
        edited(path, {cap: replace(cap.limit, cap=None, relative=0.1, unit="B")})
