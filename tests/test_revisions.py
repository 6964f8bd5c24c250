"""Names of revisions, and the revision a change is compared with."""

from __future__ import annotations

import pytest
from gitproject import commit, git, project, write

from pytest_gotrace.checkout import open_repository
from pytest_gotrace.errors import CheckoutError


@pytest.fixture
def root(tmp_path):
    return project(tmp_path / "project")


def default_base(root):
    with open_repository(root) as repository:
        return repository.default_base()


@pytest.mark.parametrize("ref", ["main", "v1.0.0", "annotated", "HEAD", "HEAD~0", "{sha}", "{short}", "@"])
def test_resolve(root, ref):
    """Branches, tags of both kinds, commits in full and in short, and HEAD all resolve to the same commit."""
    git(root, "tag", "v1.0.0")
    git(root, "tag", "-a", "-m", "a tag", "annotated")
    sha = git(root, "rev-parse", "HEAD")
    with open_repository(root) as repository:
        found = repository.resolve(ref.format(sha=sha, short=sha[:8]))
    assert (found.sha, found.tree, found.dirty) == (sha, git(root, "rev-parse", "HEAD^{tree}"), False)


@pytest.mark.parametrize("ref", ["--help", "-evil", "", "main\n", "--upload-pack=touch x"])
def test_a16_options_never_reach_git(root, ref):
    """A name that git could take for an option, or that is none, never reaches git."""
    with open_repository(root) as repository, pytest.raises(CheckoutError, match="cannot be a revision"):
        repository.resolve(ref)


@pytest.mark.parametrize(
    "ref",
    ["HEAD:a.txt", "HEAD^{tree}", "main..main", "^main", ":a.txt", ":/x", "@{-1}", "no such", "HEAD~99"],
)
def test_a16_not_a_commit(root, ref):
    """A blob, a tree, a range and a history that is too short are no revision."""
    with open_repository(root) as repository, pytest.raises(CheckoutError, match="has no revision"):
        repository.resolve(ref)


def test_nearest_names(root):
    """A misspelt name is answered with the names that are like it."""
    git(root, "tag", "v1.4.0")
    with (
        open_repository(root) as repository,
        pytest.raises(CheckoutError, match=r"nearest names are v1\.4\.0"),
    ):
        repository.resolve("v1.4.O")


def test_branch_of_the_remote_only(root, tmp_path):
    """A branch that a CI clone knows as `origin/release` only is found as `release`."""
    git(root, "branch", "release")
    git(tmp_path, "clone", "--quiet", root, tmp_path / "clone")
    with open_repository(tmp_path / "clone") as repository:
        assert repository.resolve("release").name == "origin/release"


def test_shallow_clone(root, tmp_path):
    """In a shallow clone a missing revision is answered with how to get more history."""
    commit(root, "second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{root}", tmp_path / "clone")
    with open_repository(tmp_path / "clone") as repository:
        for ask in (lambda: repository.resolve("HEAD~1"), repository.default_base):
            with pytest.raises(CheckoutError, match=r"shallow.*fetch-depth: 0"):
                ask()


def test_merge_base(root):
    """On a branch of one's own, the base is where it left the default branch."""
    left = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "--quiet", "-b", "topic")
    commit(root, "mine", b_dot_txt="b\n")
    git(root, "checkout", "--quiet", "main")
    commit(root, "theirs", c_dot_txt="c\n")
    git(root, "checkout", "--quiet", "topic")
    base = default_base(root)
    assert (base.name, base.sha) == ("merge-base with main", left)


def test_unpushed_commits(root, tmp_path):
    """On the default branch with commits that are not pushed, the base is what is."""
    pushed = git(root, "rev-parse", "HEAD")
    git(tmp_path, "clone", "--quiet", root, tmp_path / "clone")
    commit(tmp_path / "clone", "not pushed")
    base = default_base(tmp_path / "clone")
    assert (base.name, base.sha) == ("merge-base with origin/main", pushed)


def test_default_branch_with_changes(root):
    """On the default branch with uncommitted changes, the base is HEAD."""
    write(root, a_dot_txt="two\n")
    assert default_base(root).name == "HEAD"


def test_default_branch_without_changes(root):
    """On the default branch without changes, the base is the commit before."""
    before = git(root, "rev-parse", "HEAD")
    commit(root, "second")
    base = default_base(root)
    assert (base.name, base.sha) == ("HEAD~1", before)


def test_first_commit(root):
    """With one commit and no change there is nothing to compare with, and the error says so."""
    with pytest.raises(CheckoutError, match="no parent to compare with"):
        default_base(root)


@pytest.mark.parametrize("branch", ["master", "trunk"])
def test_other_default_branches(root, branch):
    """`master`, and whatever `init.defaultBranch` says, are default branches too."""
    git(root, "branch", "-m", branch)
    git(root, "config", "init.defaultBranch", "trunk")
    git(root, "checkout", "--quiet", "-b", "topic")
    commit(root, "mine")
    assert default_base(root).name == f"merge-base with {branch}"


def test_remote_head(root, tmp_path):
    """What the remote calls its HEAD comes before any guess, and a dangling one is passed over."""
    git(root, "branch", "-m", "develop")
    git(root, "branch", "main")
    git(tmp_path, "clone", "--quiet", root, tmp_path / "clone")
    clone = tmp_path / "clone"
    commit(clone, "mine")
    assert default_base(clone).name == "merge-base with origin/develop"
    git(clone, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    assert default_base(clone).name == "merge-base with origin/main"


def test_pull_request_clone(root, tmp_path):
    """In the clone of GitHub Actions' checkout the base is the merge commit's first parent."""
    git(root, "checkout", "--quiet", "-b", "topic")
    commit(root, "mine", b_dot_txt="b\n")
    git(root, "checkout", "--quiet", "main")
    target = commit(root, "theirs", c_dot_txt="c\n")
    git(root, "checkout", "--quiet", "--detach")
    git(root, "merge", "--quiet", "--no-ff", "topic")
    git(root, "update-ref", "refs/pull/7/merge", "HEAD")
    clone = tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--initial-branch=unborn", clone)
    fetch = "+refs/pull/7/merge:refs/remotes/pull/7/merge"
    git(clone, "fetch", "--quiet", "--no-tags", "--depth=2", f"file://{root}", fetch)
    git(clone, "checkout", "--quiet", "--detach", "refs/remotes/pull/7/merge")
    base = default_base(clone)
    assert (base.name, base.sha) == ("HEAD^1", target)


def test_no_default_branch(root):
    """Without a branch that could be the default one, the error says how to name one."""
    git(root, "branch", "-m", "something")
    with pytest.raises(CheckoutError, match="--gotrace-baseline=BRANCH"):
        default_base(root)


def test_unrelated_histories(root):
    """Without a common ancestor there is an error, not a comparison with something else."""
    git(root, "checkout", "--quiet", "--orphan", "island")
    git(root, "commit", "--quiet", "-m", "island")
    with pytest.raises(CheckoutError, match="no common ancestor"):
        default_base(root)


def test_no_commit(tmp_path):
    """A repository without a commit is refused, with what to do."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    with open_repository(tmp_path) as repository:
        for ask in (repository.default_base, repository.working_tree):
            with pytest.raises(CheckoutError, match="no commit yet"):
                ask()


def test_ambiguous_hash(root):
    """The beginning of several hashes is answered with a request for more digits."""
    taken = {}
    for number in range(3000):
        blob = git_hash(f"commit {number}")
        if blob[:4] in taken:
            break
        taken[blob[:4]] = number
    first, second = taken[blob[:4]], number
    hashes = [commit_object(root, f"commit {n}") for n in (first, second)]
    assert hashes[0][:4] == hashes[1][:4]
    with open_repository(root) as repository, pytest.raises(CheckoutError, match="Give more digits"):
        repository.resolve(hashes[0][:4])


TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def commit_body(message):
    return f"tree {TREE}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 0 +0000\n\n{message}\n".encode()


def git_hash(message):
    from hashlib import sha1

    body = commit_body(message)
    return sha1(b"commit %d\0" % len(body) + body).hexdigest()


def commit_object(root, message):
    file = root.parent / "object"
    file.write_bytes(commit_body(message))
    return git(root, "hash-object", "-t", "commit", "-w", file)
