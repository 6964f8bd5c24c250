"""Which commit a name means, and which one a change is compared with. Only reads the user's repository."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from .errors import CheckoutError
from .git import Git


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One side: what to call it, its commit, its tree, and whether the tree differs from the commit's.

    The tree of a working tree lies in the temporary repository and is gone when that is closed. `left_out`
    are the files there that runs of ours wrote, and are not in it. (`leavings`)
    """

    name: str
    sha: str
    tree: str
    dirty: bool = False
    left_out: tuple[str, ...] = ()


def resolve(git: Git, ref: str) -> Revision:
    """The commit that `ref` names; `origin/ref` if only that exists, as in a CI clone.

    Raises `CheckoutError` that names the nearest branches and tags, and says so where the history is cut off.
    """
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise CheckoutError(f"{ref!r} cannot be a revision: it must be a branch, a tag or a commit.")
    for name in (ref, f"origin/{ref}"):
        if found := find(git, name):
            return found
    known = git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
    near = difflib.get_close_matches(ref, known.splitlines(), n=5, cutoff=0.5)
    found_instead = (
        f"the nearest names are {', '.join(near)}" if near else "no branch or tag has a name like it"
    )
    raise CheckoutError(f"{git.directory} has no revision {ref!r}; {found_instead}.{_shallow_advice(git)}")


def find(git: Git, name: str) -> Revision | None:
    """The revision called `name`, if there is one. From here on it is known by its full hash only."""
    answer = git.ask("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    if b"ambiguous" in answer.stderr:
        raise CheckoutError(f"{name!r} is the beginning of several commits' hashes. Give more digits.")
    sha = os.fsdecode(answer.stdout).strip()
    if answer.returncode or not re.fullmatch("[0-9a-f]{40,64}", sha):
        return None
    return Revision(name=name, sha=sha, tree=git("rev-parse", "--verify", f"{sha}^{{tree}}"))


def head(git: Git) -> Revision:
    """The commit that is checked out."""
    if found := find(git, "HEAD"):
        return found
    raise CheckoutError(
        f"{git.directory} has no commit yet, so there is nothing to compare with. Commit first."
    )


def default_base(git: Git, is_dirty: Callable[[], bool]) -> Revision:
    """What a change is compared with when nobody says: the merge-base of HEAD with the default branch.

    Where HEAD is itself part of that branch: HEAD if there are uncommitted changes, else its first parent,
    `HEAD~1`. In the clone that GitHub Actions makes for a pull request there is no branch but a merge
    commit, whose first parent is what was merged into. The name of the revision says which of these it is.
    """
    here = head(git)
    branch = _default_branch(git)
    if branch is None:
        return _pull_request_base(git, here)
    base = _merge_base(git, here, branch)
    if base.sha != here.sha:
        return base
    if is_dirty():
        return here
    return _first_parent(git, "HEAD~1", f"HEAD is part of {branch.name} and nothing is changed")


def _default_branch(git: Git) -> Revision | None:
    """`origin/HEAD`, else `origin/main` and the like, else a branch `main` and the like, the first that
    exists.
    """
    configured = os.fsdecode(git.ask("config", "--get", "init.defaultBranch").stdout).strip()
    names = ("main", "master", *filter(None, [configured]))
    remote = ("refs/remotes/origin/HEAD", *(f"refs/remotes/origin/{name}" for name in names))
    for ref in (*remote, *(f"refs/heads/{name}" for name in names)):
        if found := find(git, ref):
            short = git("rev-parse", "--abbrev-ref", ref)
            return Revision(name=short, sha=found.sha, tree=found.tree)
    return None


def _merge_base(git: Git, here: Revision, branch: Revision) -> Revision:
    answer = git.ask("merge-base", here.sha, branch.sha)
    found = find(git, os.fsdecode(answer.stdout).strip()) if answer.returncode == 0 else None
    if found is None:
        raise CheckoutError(f"HEAD and {branch.name} have no common ancestor here.{_shallow_advice(git)}")
    if found.sha == here.sha:
        return here
    return Revision(name=f"merge-base with {branch.name}", sha=found.sha, tree=found.tree)


def _pull_request_base(git: Git, here: Revision) -> Revision:
    refs = git("for-each-ref", "--format=%(refname)", f"--points-at={here.sha}", "refs/remotes/pull")
    if re.search(r"^refs/remotes/pull/\d+/merge$", refs, re.MULTILINE):
        return _first_parent(git, "HEAD^1", "HEAD is the merge commit of a pull request")
    raise CheckoutError(
        f"{git.directory} has no default branch that can be recognised (origin/HEAD, main, master). "
        f"Say what to compare with: --gotrace-baseline=BRANCH.{_shallow_advice(git)}"
    )


def _first_parent(git: Git, name: str, because: str) -> Revision:
    if found := find(git, name):
        return found
    raise CheckoutError(f"{because}, and it has no parent to compare with.{_shallow_advice(git)}")


def _shallow_advice(git: Git) -> str:
    if git("rev-parse", "--is-shallow-repository") != "true":
        return ""
    return (
        " This clone is shallow, its history is cut off: `git fetch --deepen=100`, `git fetch --unshallow`, "
        "or `fetch-depth: 0` for actions/checkout."
    )
