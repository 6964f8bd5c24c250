"""Runs of one revision against itself, and what A/A says about a budget on them."""

from __future__ import annotations

from asking import PLAN, budget, questions
from samples import recording, spread

from pytest_gotrace.aa import calibrate
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.sights import doubts
from pytest_gotrace.stats import judge
from pytest_gotrace.verdict import Facts

PAIRS = 20
FAMILIES = 60


def compare(cells, look, plan, previous):
    return judge(cells, look=look, plan=plan, previous=previous)


def same(noise: float, center: float = 1000.0, seed: int = 11, pairs: int = PAIRS):
    """Both sides alike but for noise."""
    return {side: spread(center, pairs, noise, seed + i) for i, side in enumerate(("base", "head"))}


def said(tmp_path, limits, *runs, of=(), more=""):
    facts = Facts(recording=recording(*runs), has_base=True, metrics=built_in_metrics())
    return calibrate(questions(budget(tmp_path, limits, more), *of), facts, PLAN, compare, FAMILIES)


def limits_of(found):
    return [str(proposal.limit) for proposal in found.proposals]


def reasons(found):
    return [reason for _, reason in doubts(found.sights)]
