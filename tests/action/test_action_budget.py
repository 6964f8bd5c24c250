"""Whose budget a pull request is held to."""

from __future__ import annotations

import contextlib

import pytest
from gitproject import commit, git, project

from action.base import git_in
from action.budget import from_base
from action.refused import ActionError


@pytest.fixture
def root(tmp_path):
    """Two commits, of which the second relaxes the budget."""
    root = project(tmp_path / "r")
    commit(root, "strict", gotrace_dot_yaml="strict\n")
    commit(root, "relaxed", gotrace_dot_yaml="relaxed\n", sub__x_dot_txt="x")
    return root


def test_in_place_as_long_as_it_lasts(root):
    """The base's file lies in its place, and afterwards the tree is as it was, also when it is interrupted."""
    path = root / "gotrace.yaml"
    with contextlib.suppress(KeyboardInterrupt), from_base(git_in(root), path, "HEAD~1") as found:
        assert found
        assert path.read_text() == "strict\n"
        raise KeyboardInterrupt
    assert path.read_text() == "relaxed\n"
    assert git(root, "status", "--porcelain") == ""


def test_a_link_is_not_followed(root, tmp_path):
    """A head that made its budget a link to somewhere has nothing written there, and finds its link again."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    path = root / "gotrace.yaml"
    path.unlink()
    path.symlink_to(outside)
    with from_base(git_in(root), path, "HEAD~1"):
        assert path.read_text() == "strict\n"
    assert path.is_symlink()
    assert outside.read_text() == "mine"


def test_a_budget_that_was_taken_away(root):
    """A head that deletes its budget is held to that of the base all the same."""
    path = root / "gotrace.yaml"
    path.unlink()
    with from_base(git_in(root), path, "HEAD~1"):
        assert path.read_text() == "strict\n"
    assert not path.exists()


def test_none_on_the_base(root):
    """Where the base has none, that of the head stays."""
    with from_base(git_in(root), root / "gotrace.yaml", "HEAD~2") as found:
        assert not found
        assert (root / "gotrace.yaml").read_text() == "relaxed\n"


def test_out_of_the_repository(root, tmp_path):
    """A directory that is a link out of the repository is refused."""
    (root / "away").symlink_to(tmp_path)
    with (
        pytest.raises(ActionError, match="is not in the repository"),
        from_base(git_in(root), root / "away" / "gotrace.yaml", "HEAD"),
    ):
        pass
