"""Output of others in a log that a runner reads."""

from __future__ import annotations

from pytest_gotrace.runnerlog import quoted

HOSTILE = ["::set-output name=x::y", "##[error]z", "plain"]


def test_between_two_words():
    """On a runner hostile lines stand between two with a word that is another one each time."""
    first, second = (list(quoted(HOSTILE, {"GITHUB_ACTIONS": "true"})) for _ in range(2))
    word = first[0].removeprefix("::stop-commands::")
    assert first == [f"::stop-commands::{word}", *HOSTILE, f"::{word}::"]
    assert len(word) == 32
    assert first[0] != second[0]


def test_elsewhere_as_they_are():
    """Without a runner, and where there is nothing to say, lines are as they are."""
    assert list(quoted(HOSTILE, {})) == HOSTILE
    assert list(quoted([], {"GITHUB_ACTIONS": "true"})) == []
