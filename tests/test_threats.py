"""Each threat that docs/github.md lists has a test that is named after it, and so has what git was seen to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
THREATS = range(1, 22)

#: What was seen of git 2.39, by the test that shows that it cannot happen here.
GIT = {
    "git fetch --upload-pack=COMMAND ran it; worktree add read --help as an option": "test_a16_options_never_reach_git",
    "rev-parse accepts what is no commit": "test_a16_not_a_commit",
    "the same for the inputs base and head": "test_a16_names_that_git_could_obey",
    "hooks of a relative core.hooksPath ran; filters ran in git archive": "test_a16_no_hook_and_no_filter_runs",
    "LFS would run a filter of its own": "test_a16_large_files",
    "a repository of another owner is refused": "test_a16_repository_of_another_user",
    "the same in the action's workspace": "test_a16_hooks_and_another_owner",
}


def names() -> str:
    """The names of all classes and functions of tests, a line each."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return "\n".join(
        name for text in texts for name in re.findall(r"^\s*(?:class|def) (\w+)", text, re.MULTILINE)
    )


@pytest.mark.parametrize("number", THREATS)
def test_each_threat_has_a_test(number):
    """One name of a test has the number of the threat."""
    assert re.search(rf"^(Test|test_(a\d+_)*)[Aa]{number}(?!\d)", names(), re.MULTILINE)


@pytest.mark.parametrize("test", GIT.values(), ids=GIT)
def test_what_git_does_has_a_test(test):
    """What git was seen to do is held off by a test of this name."""
    assert re.search(rf"^{test}$", names(), re.MULTILINE)


def test_each_threat_is_documented():
    """The table of docs/github.md has every number once."""
    text = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (A\d+(?:, A\d+)*) \|", text, re.MULTILINE)
    assert ", ".join(told).split(", ") == [f"A{number}" for number in THREATS]
