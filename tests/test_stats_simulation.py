"""The promises of the procedure on fewer pull requests; `make simulate` repeats them more often, without slack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.promises import CHAPTERS, Promise
from benchmarks.simulate import QUICK_ERRORS, SEED, main, markdown, simulate

PAGE = Path(__file__).parents[1] / "docs" / "simulations.md"
#: By how much each chapter is shortened: all of them together take about ten seconds.
QUICKER = {"T1": 80, "T3": 40, "T4": 60, "T11": 40, "T12": 60}


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_short_run_keeps_every_promise(name):
    """With few pull requests and always the same seed, no promise is missed by more than chance explains."""
    section = simulate(name, seed=SEED, quicker=QUICKER.get(name, 20))
    missed = [promise for promise in section.promises if not promise.kept(QUICK_ERRORS)]
    assert section.promises
    assert not missed, markdown(section, QUICK_ERRORS)


def test_a_demand_is_a_range():
    """A promise is kept inside its range, and missed beyond it by more standard errors than are granted."""
    low, high = Promise(what="", got=79, least=80, error=0.5), Promise(what="", got=8, most=7)
    assert (low.kept(), low.kept(1), low.kept(2)) == (False, False, True)
    assert not high.kept(4)
    assert (low.demanded, high.demanded) == ("at least 80 %", "at most 7 %")
    assert Promise(what="", got=95, least=92.5, most=99).demanded == "92.5 to 99 %"


def test_the_same_seed_gives_the_same_table(capsys, monkeypatch):
    """Two runs with one seed print the same bytes, another seed prints others, and kept promises end with 0."""
    monkeypatch.setitem(CHAPTERS, "T8", (CHAPTERS["T8"][0], 120))
    printed = []
    for seed in (3, 3, 4):
        assert main(["--quick", f"--seed={seed}", "T8"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_a_missed_promise_is_said(monkeypatch, capsys):
    """A promise that is not kept is marked in its line, and the exit code is 1."""
    monkeypatch.setitem(CHAPTERS, "T8", (lambda draws: iter([Promise(what="never", got=8, most=7)]), 1))
    assert main(["T8"]) == 1
    assert "| never | at most 7 % | 8.0 % | **MISSED** |" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["T99"], ["--quick", "--write=x.md"], ["--write=x.md", "T1"]])
def test_half_a_table_is_never_written(arguments, tmp_path, monkeypatch):
    """What is unknown or not the whole table is refused, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert not list(tmp_path.iterdir())


def test_the_published_table_keeps_every_promise():
    """`docs/simulations.md` has a section for each chapter, and every line of it was kept."""
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)\.", page, re.MULTILINE) == list(CHAPTERS)
    lines = re.findall(r"^\| .+ \| (?:at |\d).+ \| (\S+) \|$", page, re.MULTILINE)
    assert len(lines) > 100
    assert set(lines) == {"yes"}
    assert f"seed {SEED}" in page
