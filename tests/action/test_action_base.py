"""Which commit a change is compared with, by event, in clones as actions/checkout makes them. No Go is needed."""

from __future__ import annotations

import pytest
from gitproject import commit, git

from action.base import base, git_in, head
from action.event import Event
from action.refused import ActionError
from pytest_gotrace.errors import CheckoutError


@pytest.fixture
def merged(origin, tmp_path):
    """The clone of a pull request's job: one merge commit and its parents."""
    return origin.clone(tmp_path / "merged", "refs/pull/7/merge", remote="refs/remotes/pull/7/merge")


@pytest.fixture
def whole(origin, tmp_path):
    """A clone with all of the history of `main`, and its tags."""
    return origin.clone(tmp_path / "whole", "main", depth=0)


def event(name: str, **fields) -> Event:
    """An event as GitHub describes it."""
    return Event(name=name, payload=fields.pop("payload", {}), **fields)


def test_pull_request_is_compared_with_what_it_was_merged_into(origin, merged):
    """The merge commit's first parent is the base, which needs no network and no more than two commits."""
    assert (
        base(git_in(merged), event("pull_request", sha=origin.merged, base_ref="main"), "auto") == origin.main
    )


def test_pull_request_whose_head_is_checked_out(origin, tmp_path):
    """Where the branch is checked out instead of the merge, the base is where it left the base branch."""
    clone = origin.clone(tmp_path / "clone", origin.head, depth=0)
    git(clone, "fetch", "--quiet", "origin", "main:refs/remotes/origin/main")
    asked = event("pull_request", sha=origin.merged, base_ref="main")
    assert base(git_in(clone), asked, "auto") == origin.first
    assert base(git_in(clone), asked, "merge-base") == origin.first


def test_a_merge_of_the_authors_own(origin, merged):
    """A merge commit that GitHub did not make says nothing about the base, and without the branch there is an error."""
    with pytest.raises(CheckoutError, match="no revision 'main'"):
        base(git_in(merged), event("pull_request", sha=origin.head, base_ref="main"), "auto")


def test_push(origin, whole):
    """A push is compared with what the branch was; a new branch, or one that was rewritten, with the commit before."""
    asked = git_in(whole)
    for before in (origin.first, "0" * 40, "f" * 40, "--help", ""):
        assert base(asked, event("push", payload={"before": before}), "auto") == origin.first


def test_tag(origin, whole):
    """A tag is compared with the nearest earlier one, not with itself."""
    git(whole, "tag", "v1.1.0")
    assert base(git_in(whole), event("push", ref="refs/tags/v1.1.0"), "auto") == origin.first


@pytest.mark.parametrize(
    ("before", "released", "others"),
    [
        ("v1.0.0", "v1.1.0", ["v1.1.0-rc1", "v1.1.0b2", "v1.1.0rc1", "nightly", "2026-11-27"]),
        ("v1.0.0+meta.2", "v1.1.0-rc2", ["v1.1.0-rc1", "sub/v1.0.5"]),
        ("v1.0.0", "v1.0.1", ["v9x/foo", "v9/v1.0.1"]),
        ("v1", "v2", ["v2-beta", "version1", "1"]),
        ("sub/v1.0.0", "sub/v1.1.0", ["sub/v1.1.0-rc.1", "v1.9.0", "sub/deep/v1.0.9", "other/sub/v1.0.9"]),
        ("http2/v1.0.0", "http2/v1.0.1", ["http3/v4.0.0", "http2/v1.0.1-beta"]),
        ("log4x-v1.0.0", "log4x-v1.0.1", ["log5x-v4.0.0", "log4x-v1.0.1rc1"]),
        ("release-1.0", "release-1.1", ["release-1.1-rc1"]),
        ("release-2024-01-01", "release-2024-02-01", ["nightly", "release-2024-02-01-rc1", "release-3.0"]),
        ("2024-01-01.2", "2024-02-01", ["2024-02-01-beta", "1.0.0"]),
    ],
)
def test_a_tag_is_held_to_a_release(origin, whole, before, released, others):
    """Candidates of the release, and tags of another form, are no release before, however near they are."""
    git(whole, "tag", before, origin.first, "--force")
    for other in others:
        git(whole, "tag", other)
    commit(whole, "last", x_dot_txt="x")
    git(whole, "tag", released)
    assert base(git_in(whole), event("push", ref=f"refs/tags/{released}"), "auto") == origin.first


def test_a_release_is_near_by_history(origin, whole):
    """Of several releases before, the one with the fewest commits between counts, whatever it is called."""
    git(whole, "tag", "v9.0.0", origin.first)
    git(whole, "tag", "--annotate", "-m", "old line", "v1.0.1")
    released = git(whole, "rev-parse", "HEAD")
    git(whole, "branch", "v1.0.1", origin.first)
    commit(whole, "last", x_dot_txt="x")
    assert base(git_in(whole), event("push", ref="refs/tags/v1.0.2"), "auto") == released


def test_a_tag_after_candidates_alone(whole):
    """The first release is held to its last candidate, and not to a nearer tag of another form."""
    git(whole, "tag", "--delete", "v1.0.0")
    git(whole, "tag", "v2.0.0-rc1")
    candidate = git(whole, "rev-parse", "HEAD")
    commit(whole, "later", x_dot_txt="x")
    git(whole, "tag", "nightly")
    commit(whole, "last", x_dot_txt="y")
    assert base(git_in(whole), event("push", ref="refs/tags/v2.0.0"), "auto") == candidate


def test_a_tag_after_others_alone(origin, whole):
    """Where no tag before has the form of this one, the nearest of any form counts."""
    assert base(git_in(whole), event("push", ref="refs/tags/sub/stable"), "auto") == origin.first


def test_first_tag(origin, tmp_path):
    """Without an earlier tag in the clone, the error says how to get them."""
    clone = origin.clone(tmp_path / "clone", "main", depth=1)
    with pytest.raises(ActionError, match=r"no tag before 'v1.1.0'.*fetch-depth"):
        base(git_in(clone), event("push", ref="refs/tags/v1.1.0"), "auto")


def test_merge_group(origin, whole):
    """A merge group is compared with the commit that its event names; where it names none, with the first parent."""
    for payload in ({"merge_group": {"base_sha": origin.first}}, {"merge_group": "?"}, {}):
        assert base(git_in(whole), event("merge_group", payload=payload), "auto") == origin.first


def test_events_without_a_change(whole):
    """On a schedule and by hand the plugin itself chooses: the merge-base with the default branch."""
    for name in ("schedule", "workflow_dispatch"):
        assert base(git_in(whole), event(name), "auto") == ""


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch x", "--help", "-evil", "HEAD:f", ":/1", "@{-1}", "HEAD@{u}", ""]
)
def test_a16_names_that_git_could_obey(whole, name):
    """A16: what could be an option of git, or is no commit, is refused for both sides; nothing runs."""
    for resolve in (lambda git: base(git, event("push"), name), lambda git: head(git, name)):
        with pytest.raises(CheckoutError):
            resolve(git_in(whole))
    assert not (whole / "x").exists()


def test_a16_hooks_and_another_owner(whole, tmp_path):
    """A16: no hook of the repository runs, and no setting is made for a repository of somebody else."""
    hook = whole / "hooks" / "post-checkout"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(whole, "config", "core.hooksPath", "hooks")
    before = (whole / ".git" / "config").read_bytes()
    assert head(git_in(whole), "HEAD") == git(whole, "rev-parse", "HEAD")
    assert (whole / ".git" / "config").read_bytes() == before
    assert not (tmp_path / "ran").exists()


def test_the_working_tree(whole):
    """`working-tree` is no revision: files that earlier steps made are measured, too."""
    commit(whole, "more", x_dot_txt="x")
    assert head(git_in(whole), "working-tree") == ""
