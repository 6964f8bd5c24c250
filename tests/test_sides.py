"""Both sides of a recording are found again where the repository has the same files, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gitproject import commit, files, git, project, write

from pytest_gotrace.checkout import open_repository
from pytest_gotrace.errors import CheckoutError
from pytest_gotrace.recording import Measured
from pytest_gotrace.sides import found_again

GO = "package m\n\nfunc F() {\n\tprintln(1)\n}\n"


@pytest.fixture
def root(tmp_path):
    root = project(tmp_path / "project")
    commit(root, m_dot_go=GO)
    return root


def measured(root, *, dirty=False):
    """Both sides as a gate would record them: the commit, and a change of it that is committed or not."""
    write(root, m_dot_go=GO.replace("1", "2"))
    if not dirty:
        commit(root)
    with open_repository(root) as repository:
        base, head = repository.resolve("HEAD" if dirty else "HEAD~1"), repository.working_tree()
    return {
        side: Measured(name=r.name, sha=r.sha, dirty=r.dirty, tree=r.tree)
        for side, r in (("base", base), ("head", head))
    }


@pytest.mark.parametrize("dirty", [False, True])
def test_found_again(root, dirty):
    """The head's files are there, and the lines that differ; of uncommitted changes as long as they are there."""
    sides = measured(root, dirty=dirty)
    if not dirty:  # the commits are enough
        write(root, m_dot_go="package other\n")
    with found_again(root, sides) as found:
        assert found.changes.touch("m.go", 4)
        assert found.changed == ("m.go",)
        assert "println(2)" in files(found.checkouts["head"])["m.go"]
    assert not found.checkouts["head"].exists()


def test_the_head_alone(root):
    """Without a base nothing is said to differ."""
    sides = measured(root)
    with found_again(root, {"head": sides["head"]}) as found:
        assert found.changed == ()
        assert not found.changes.touch("m.go", 4)


def test_changes_that_are_gone(root):
    """Uncommitted changes that were measured and are other ones now are not found."""
    sides = measured(root, dirty=True)
    write(root, m_dot_go=GO.replace("1", "3"))
    with (
        pytest.raises(CheckoutError, match=r"the head had other files .* uncommitted changes"),
        found_again(root, sides),
    ):
        pass


@pytest.mark.parametrize("sha", ["c" * 40, "HEAD", "main", "", "--help", "-" * 40, "HEAD^{/x}", "\n"])
def test_no_such_commit(root, sha):
    """A commit that is not here is not found, whatever else is called so."""
    sides = measured(root)
    unlike = sides | {"base": replace(sides["base"], sha=sha)}
    with (
        pytest.raises(CheckoutError, match="does not have the commit of the base"),
        found_again(root, unlike),
    ):
        pass


def test_another_tree_of_the_commit(root):
    """A recording that gives a commit other files than it has is not believed."""
    sides = measured(root)
    unlike = sides | {"head": replace(sides["head"], tree=sides["base"].tree)}
    with pytest.raises(CheckoutError, match="the head had other files"), found_again(root, unlike):
        pass


def test_a_shallow_clone(root, tmp_path):
    """Where the history is cut off before the base it is not found."""
    sides = measured(root)
    git(tmp_path, "clone", "--quiet", "--depth=1", root.as_uri(), "clone")
    with pytest.raises(CheckoutError, match="more of the history"), found_again(tmp_path / "clone", sides):
        pass
