"""Both sides become directories, and the user's repository is as it was."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from hashlib import sha256

import pytest
from gitproject import commit, files, git, listing, project, write

from pytest_gotrace.checkout import open_repository, remove
from pytest_gotrace.errors import CheckoutError, ExitCode


@pytest.fixture
def root(tmp_path):
    return project(tmp_path / "project")


def head_files(start):
    """What the working tree of `start` looks like once it is materialised."""
    with open_repository(start) as repository:
        return files(repository.materialise(repository.working_tree(), repository.temporary / "head"))


def test_base_and_head(root):
    """The base has the committed files, the head those of the working tree, and the difference is named."""
    write(root, a_dot_txt="two\n", new_dot_go="package m\n")
    with open_repository(root) as repository:
        base, head = repository.resolve("HEAD"), repository.working_tree()
        at_base = files(repository.materialise(base, repository.temporary / "base"))
        at_head = files(repository.materialise(head, repository.temporary / "head"))
        changed = repository.changed_files(base, head)
    assert at_base == {"a.txt": "one\n", "go.mod": "module example.com/m\n"}
    assert at_head == {"a.txt": "two\n", "go.mod": "module example.com/m\n", "new.go": "package m\n"}
    assert changed == ("a.txt", "new.go")
    assert (head.name, head.sha, head.dirty) == ("working tree", base.sha, True)


def test_clean_working_tree(root):
    """A working tree without changes is HEAD's tree, and is not dirty."""
    with open_repository(root) as repository:
        head = repository.working_tree()
        assert (head.tree, head.dirty) == (repository.resolve("HEAD").tree, False)


def test_start_below_the_root(root):
    """A directory inside the repository leads to its root."""
    write(root, sub__deep__x_dot_go="package deep\n")
    with open_repository(root / "sub" / "deep") as repository:
        assert repository.root == root


def test_ignored_deleted_and_staged(root):
    """Ignored files of every kind and deleted files are absent; staged and unstaged content is the file's."""
    commit(root, _dot_gitignore="*.log\n", b_dot_txt="b\n", c_dot_txt="c\n", staged_dot_txt="old\n")
    write(
        root,
        noise_dot_log="x",
        private_dot_txt="x",
        mine_dot_tmp="x",
        excludes="*.tmp\n",
        staged_dot_txt="index\n",
    )
    write(root, _dot_git__info__exclude="private.txt\nexcludes\n")
    git(root, "config", "core.excludesFile", root / "excludes")
    git(root, "add", "staged.txt")
    write(root, staged_dot_txt="newest\n")
    (root / "b.txt").unlink()
    git(root, "rm", "--quiet", "c.txt")
    assert head_files(root) == {
        ".gitignore": "*.log\n",
        "a.txt": "one\n",
        "go.mod": "module example.com/m\n",
        "staged.txt": "newest\n",
    }


def test_index_only_changes_are_not_measured(root):
    """A staged deletion whose file is still there is the file, as it is for `go`."""
    git(root, "rm", "--quiet", "--cached", "a.txt")
    assert "a.txt" in head_files(root)


def test_executable_bit(root):
    """A file that became executable is executable in the head and not in the base."""
    (root / "a.txt").chmod(0o755)
    with open_repository(root) as repository:
        base = repository.materialise(repository.resolve("HEAD"), repository.temporary / "base")
        head = repository.materialise(repository.working_tree(), repository.temporary / "head")
        assert [bool((side / "a.txt").stat().st_mode & stat.S_IXUSR) for side in (base, head)] == [
            False,
            True,
        ]


def test_symbolic_links(root, tmp_path):
    """Links are written as links and never followed, neither out of the tree nor instead of a directory."""
    outside = tmp_path / "outside"
    outside.mkdir()
    write(outside, secret_dot_txt="secret\n")
    commit(root, dir__x_dot_txt="x\n")
    shutil.rmtree(root / "dir")
    (root / "dir").symlink_to(outside)
    (root / "up").symlink_to("../../../etc/passwd")
    found = head_files(root)
    assert (found["dir"], found["up"]) == (f"-> {outside}", "-> ../../../etc/passwd")
    assert "dir/secret.txt" not in found
    assert files(outside) == {"secret.txt": "secret\n"}


@pytest.mark.parametrize(
    "name", ["with space", 'quote"d', "new\nline", "-dash", "ünï日本", "tab\there", "back\\slash", ":(top)x"]
)
def test_file_names(root, name):
    """A file of any name arrives, and is named as it is among the changed files."""
    (root / name).write_text("x")
    with open_repository(root) as repository:
        head = repository.working_tree()
        assert repository.changed_files(repository.resolve("HEAD"), head) == (name,)
        assert (repository.materialise(head, repository.temporary / "head") / name).read_text() == "x"


def test_file_name_that_is_not_utf8(root):
    """A file whose name is no UTF-8 arrives too."""
    name = os.fsdecode(b"latin-\xe9")
    (root / name).write_text("x")
    with open_repository(root) as repository:
        head = repository.working_tree()
        assert repository.changed_files(repository.resolve("HEAD"), head) == (name,)


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_of_the_users_changes(root, packed):
    """Files, times and modes of the working tree and of `.git` are the same before and after everything."""
    commit(root, a_dot_txt="two\n", packed_dot_txt="x\n")
    if packed:
        git(root, "gc", "--quiet")
    write(root, a_dot_txt="three\n", untracked_dot_txt="x")
    git(root, "add", "a.txt")
    before, status = listing(root), git(root, "--no-optional-locks", "status", "--porcelain")
    with open_repository(root) as repository:
        base, head = repository.default_base(), repository.working_tree()
        repository.materialise(base, repository.temporary / "base")
        repository.materialise(head, repository.temporary / "head")
        repository.changed_files(base, head)
        left = repository.temporary
    assert listing(root) == before
    assert git(root, "--no-optional-locks", "status", "--porcelain") == status
    assert not left.exists()


def test_killed_in_the_middle(root):
    """A process that is killed with `kill -9` leaves the repository as it was."""
    write(root, a_dot_txt="two\n")
    before = listing(root)
    script = (
        "import os, pathlib; from pytest_gotrace.checkout import open_repository; "
        "r = open_repository(pathlib.Path('.')); "
        "r.materialise(r.working_tree(), r.temporary / 'head'); print(r.temporary, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, listing(root)) == (-9, before), done.stderr
    shutil.rmtree(done.stdout.strip())


def test_a16_no_hook_and_no_filter_runs(root, tmp_path):
    """Hooks behind a relative path, filters, a file system monitor: none of them runs."""
    ran = tmp_path / "ran"
    script = f"#!/bin/sh\ntouch '{ran}'\ncat\n"
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit", "fsmonitor"):
        write(root, **{f"hooks__{hook}": script})
        (root / "hooks" / hook).chmod(0o755)
    commit(root, _dot_gitattributes="* filter=evil\n", b_dot_txt="b\n")
    program = root / "hooks" / "fsmonitor"
    for key in ("clean", "smudge"):
        git(root, "config", f"filter.evil.{key}", str(program))
    git(root, "config", "filter.evil.required", "true")
    git(root, "config", "core.hooksPath", "hooks")
    git(root, "config", "core.fsmonitor", "hooks/fsmonitor")
    git(root, "config", "diff.external", str(program))
    write(root, b_dot_txt="changed\n")
    assert head_files(root)["b.txt"] == "changed\n"
    assert not ran.exists()


def test_a_hooks_environment_is_ignored(root, tmp_path, monkeypatch):
    """Started from a git hook, whose variables point elsewhere, the repository is the directory's."""
    other = project(tmp_path / "other")
    before = listing(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    commit(root, only_here_dot_txt="x\n")
    assert "only_here.txt" in head_files(root)
    assert listing(other) == before


def test_linked_worktree(root, tmp_path):
    """A linked worktree gives its own files and its own HEAD."""
    git(root, "worktree", "add", "--quiet", "-b", "topic", tmp_path / "linked")
    write(tmp_path / "linked", new_dot_txt="x\n")
    with open_repository(tmp_path / "linked") as repository:
        head = repository.working_tree()
        assert repository.changed_files(repository.resolve("main"), head) == ("new.txt",)


def test_borrowed_objects(root, tmp_path):
    """A clone that borrows from a clone that borrows still gives all files."""
    git(tmp_path, "clone", "--quiet", "--shared", root, tmp_path / "first")
    git(tmp_path, "clone", "--quiet", "--shared", tmp_path / "first", tmp_path / "second")
    assert head_files(tmp_path / "second")["a.txt"] == "one\n"


def test_sha256_repository(tmp_path):
    """A repository with SHA-256 names works, and its names have 64 digits."""
    root = project(tmp_path / "long", "--object-format=sha256")
    write(root, new_dot_txt="x\n")
    with open_repository(root) as repository:
        head = repository.working_tree()
        repository.materialise(head, repository.temporary / "head")
        assert (len(head.sha), len(head.tree), head.dirty) == (64, 64, True)


@pytest.mark.parametrize("filter_", ["blob:none", "tree:0"])
def test_partial_clone(root, tmp_path, filter_):
    """What a partial clone lacks is not fetched unasked; the error says how to get it."""
    commit(root, a_dot_txt="two\n")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", f"--filter={filter_}", f"file://{root}", tmp_path / "clone")
    before = listing(tmp_path / "clone")
    with open_repository(tmp_path / "clone") as repository, pytest.raises(CheckoutError, match="--no-filter"):
        repository.materialise(repository.resolve("HEAD~1"), repository.temporary / "base")
    assert listing(tmp_path / "clone") == before
    git(tmp_path / "clone", "fetch", "--quiet", "--refetch", "--no-filter")
    with open_repository(tmp_path / "clone") as repository:
        base = repository.materialise(repository.resolve("HEAD~1"), repository.temporary / "base")
        assert files(base)["a.txt"] == "one\n"


@pytest.mark.parametrize("odd", ['"quoted"', "#hash", "with space", "new\nline", "ü"])
def test_repository_in_an_odd_directory(tmp_path, odd):
    """A repository whose path needs quoting can be borrowed from."""
    assert head_files(project(tmp_path / odd))["a.txt"] == "one\n"


def test_split_index(root):
    """An index in two halves is read whole."""
    git(root, "update-index", "--split-index")
    write(root, b_dot_txt="b\n")
    git(root, "add", "b.txt")
    assert set(head_files(root)) == {"a.txt", "b.txt", "go.mod"}


@pytest.mark.parametrize("mode", ["--cone", "--no-cone", "--sparse-index"])
def test_sparse_checkout(root, mode):
    """What a sparse checkout leaves out is not taken for deleted."""
    commit(root, in__x_dot_txt="x\n", out__y_dot_txt="y\n")
    git(root, "sparse-checkout", "set", mode, "in" if mode != "--no-cone" else "/in/")
    assert not (root / "out").exists()
    with open_repository(root) as repository:
        assert not repository.working_tree().dirty


@pytest.mark.parametrize("mode", ["--cone", "--no-cone", "--sparse-index"])
def test_sparse_checkout_without_a_file(tmp_path, mode):
    """Where a sparse checkout has no tracked file, the tree is clean, and a new file is all its change."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, out__y_dot_txt="y\n")
    git(root, "sparse-checkout", "set", mode, "in" if mode != "--no-cone" else "/in/")
    assert not (root / "out").exists()
    with open_repository(root) as repository:
        assert not repository.working_tree().dirty
    write(root, in__x_dot_txt="x\n", new__z_dot_txt="z\n")
    with open_repository(root) as repository:
        base, head = repository.resolve("HEAD"), repository.working_tree()
        assert repository.changed_files(base, head) == ("in/x.txt", "new/z.txt")


def test_a_repository_that_git_does_not_know(root, tmp_path):
    """A repository inside the tree that is no submodule is what git would add: its commit, and its files."""
    project(root / "inner")
    assert head_files(root)["inner/a.txt"] == "one\n"


def test_assumed_unchanged(root):
    """A file that git was told to assume unchanged is measured as it is."""
    git(root, "update-index", "--assume-unchanged", "a.txt")
    write(root, a_dot_txt="two\n")
    assert head_files(root)["a.txt"] == "two\n"


def test_change_within_one_second(root):
    """A change of the same length right after the commit is seen, whatever the clock's steps."""
    for number in range(5):
        commit(root, a_dot_txt=f"{number}a\n")
        write(root, a_dot_txt=f"{number}b\n")
        assert head_files(root)["a.txt"] == f"{number}b\n"


def test_unfinished_merge(root):
    """An unfinished merge is refused, by the names of its files."""
    git(root, "checkout", "--quiet", "-b", "topic")
    commit(root, a_dot_txt="topic\n")
    git(root, "checkout", "--quiet", "main")
    commit(root, a_dot_txt="main\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "topic")
    with (
        open_repository(root) as repository,
        pytest.raises(CheckoutError, match=r"merge is not finished: a\.txt"),
    ):
        repository.working_tree()


def test_line_endings(root):
    """With `core.autocrlf` a file with CRLF in the working tree and LF in the commit is unchanged."""
    git(root, "config", "core.autocrlf", "true")
    (root / "a.txt").write_bytes(b"one\r\n")
    with open_repository(root) as repository:
        assert not repository.working_tree().dirty


@pytest.fixture
def with_submodule(root, tmp_path):
    project(tmp_path / "library")
    git(root, "submodule", "--quiet", "add", tmp_path / "library", "vendored/library")
    commit(root, "add the library")
    return root


def test_submodule(with_submodule):
    """The files of a submodule are there, and nothing of either repository changes."""
    before = listing(with_submodule)
    assert head_files(with_submodule)["vendored/library/a.txt"] == "one\n"
    assert listing(with_submodule) == before


def test_no_program_of_a_submodule_runs(with_submodule, tmp_path):
    """A filter that is set up in a submodule does not run either."""
    library, ran = with_submodule / "vendored" / "library", tmp_path / "ran"
    commit(library, _dot_gitattributes="* filter=evil\n", b_dot_txt="b\n")
    git(library, "config", "filter.evil.clean", f"touch '{ran}'; cat")
    git(library, "config", "filter.evil.smudge", f"touch '{ran}'; cat")
    os.utime(library / "b.txt", (1, 1))
    assert head_files(with_submodule)["vendored/library/b.txt"] == "b\n"
    assert not ran.exists()


def test_submodule_at_two_commits(with_submodule):
    """Each side has the submodule's files of its own commit."""
    commit(with_submodule / "vendored" / "library", a_dot_txt="two\n")
    with open_repository(with_submodule) as repository:
        base, head = repository.resolve("HEAD"), repository.working_tree()
        sides = [repository.materialise(side, repository.temporary / side.name) for side in (base, head)]
        assert [(side / "vendored/library/a.txt").read_text() for side in sides] == ["one\n", "two\n"]
        assert head.dirty


def test_dirty_submodule(with_submodule):
    """Uncommitted changes in a submodule are refused, by its name."""
    write(with_submodule, vendored__library__a_dot_txt="dirty\n")
    with (
        open_repository(with_submodule) as repository,
        pytest.raises(CheckoutError, match="submodule vendored/library"),
    ):
        repository.working_tree()


def test_submodule_that_lacks_the_commit(with_submodule, tmp_path):
    """A submodule's commit that is nowhere is an error that says how to get it."""
    lost = "1" * 40
    git(with_submodule, "update-index", "--cacheinfo", f"160000,{lost},vendored/library")
    git(with_submodule, "commit", "--quiet", "-m", "lost")
    with (
        open_repository(with_submodule) as repository,
        pytest.raises(CheckoutError, match=f"fetch origin {lost}"),
    ):
        repository.materialise(repository.resolve("HEAD"), repository.temporary / "base")


def test_submodule_that_is_not_there(with_submodule):
    """A submodule that was never initialised stays an empty directory, as it is for the user."""
    git(with_submodule, "submodule", "--quiet", "deinit", "--force", "--all")
    assert "vendored/library/a.txt" not in head_files(with_submodule)


def test_a16_large_files(root):
    """A Git LFS pointer becomes the file it stands for, from the local store and without running git-lfs."""
    whole = b"0" * 5000
    digest = sha256(whole).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(whole)}\n"
    store = root / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4]
    store.mkdir(parents=True)
    (store / digest).write_bytes(whole)
    commit(root, _dot_gitattributes="*.bin filter=lfs diff=lfs merge=lfs -text\n", big_dot_bin=pointer)
    found = head_files(root)
    assert (found["big.bin"], found["a.txt"]) == (whole.decode(), "one\n")


def test_no_repository(tmp_path):
    """Outside of a repository the error says so, and ends a session as a usage error."""
    with pytest.raises(CheckoutError, match="not in a git repository") as error:
        open_repository(tmp_path)
    assert error.value.exit_code is ExitCode.USAGE


def test_damaged_repository(tmp_path):
    """A `.git` that is none is an error with git's own words."""
    (tmp_path / ".git").mkdir()
    with pytest.raises(CheckoutError, match=r"not a git repository"):
        open_repository(tmp_path)


def test_bare_repository(tmp_path):
    """A repository without a working tree is refused."""
    git(tmp_path, "init", "--quiet", "--bare", tmp_path / ".git")
    with pytest.raises(CheckoutError, match="no working tree"):
        open_repository(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a16_repository_of_another_user(root):
    """A repository of somebody else, as in a container, is used, and no global setting is made."""
    for path in (root, *root.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    assert head_files(root)["a.txt"] == "one\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_unreadable_file(root):
    """A file that cannot be read is an error that says which and what to do."""
    write(root, secret_dot_txt="x")
    (root / "secret.txt").chmod(0)
    with open_repository(root) as repository, pytest.raises(CheckoutError, match=r"secret\.txt.*permission"):
        repository.working_tree()


def test_temporary_directory_inside_the_repository(root, monkeypatch):
    """A TMPDIR inside the repository is refused, because its files would be measured too."""
    monkeypatch.setattr("tempfile.tempdir", str(root))
    with pytest.raises(CheckoutError, match="TMPDIR"):
        open_repository(root)


def test_destination_with_files(root, tmp_path):
    """Files are not mixed into a directory that has some."""
    write(tmp_path / "full", x="x")
    with open_repository(root) as repository, pytest.raises(CheckoutError, match="not empty"):
        repository.materialise(repository.resolve("HEAD"), tmp_path / "full")


def test_remove_read_only(tmp_path):
    """Read-only directories, as in Go's module cache, go away, and what a link points to stays."""
    write(tmp_path, keep__x="x", gone__mod__y="y")
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "keep")
    (tmp_path / "gone" / "mod" / "y").chmod(0o400)
    (tmp_path / "gone" / "mod").chmod(0o500)
    remove(tmp_path / "gone")
    assert files(tmp_path) == {"keep/x": "x"}
