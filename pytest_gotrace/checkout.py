"""Both sides as directories, without touching the user's files or the user's `.git`.

How, in order:

1. A bare repository of ours lies in a temporary directory and borrows the user's objects
   (`objects/info/alternates`). What is written goes to ours; a process that is killed leaves nothing behind
   in the user's repository.
2. Questions about history are asked of the user's repository, which is only read (`revisions`).
3. The working tree becomes a tree object of ours: a copy of the user's index, brought to what
   `git add --all` would make of it, and `git write-tree`. So the head has the uncommitted changes and the
   new files, and not the ignored ones or what runs of ours wrote (`leavings`).
   New objects are written where the user's are not in sight: git sets the time of an object or a pack
   that it finds instead of writing it, in a borrowed store too.
4. A tree becomes a directory with `git read-tree -u`. No worktree is registered, and no hook or filter runs,
   because our repository knows no setting of the person or of the project that could name one.
5. Files of submodules come from the submodules' own repositories, those of Git LFS from its local store.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType

from . import revisions
from .borrowed import borrow, git_path, remove, temporary_directory, written
from .changes import Changes, changes
from .errors import CheckoutError
from .git import Git, explained, failure, find_git
from .leavings import leavings
from .revisions import Revision

__all__ = ["Repository", "Revision", "open_repository", "remove"]


class Repository:
    """The user's repository, read only, and a temporary one beside it. Use it in a `with` statement.

    `root` is the top of the working tree. `temporary` is a directory that is removed at the end; the sides
    and whatever is built from them may lie in it.
    """

    def __init__(self, root: Path, program: str) -> None:
        self.root = root
        self._theirs = Git(program=program, directory=root, settings={"safe.directory": str(root)})
        _refuse_bare(self._theirs)
        self.temporary = temporary_directory(root)
        try:
            with explained(f"{self.temporary} cannot be written to"):
                self._ours = borrow(self._theirs, self.temporary)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Repository:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary directory and what was made in it."""
        remove(self.temporary)

    def resolve(self, ref: str) -> Revision:
        """The commit that `ref` names, or `origin/ref`. Raises `CheckoutError` with the nearest names."""
        return revisions.resolve(self._theirs, ref)

    def commit(self, sha: str) -> Revision | None:
        """The commit with this full hash; None where this clone has none. (`revisions`)"""
        return revisions.find(self._theirs, sha) if re.fullmatch("[0-9a-f]{40}([0-9a-f]{24})?", sha) else None

    def default_base(self) -> Revision:
        """What a change is compared with when nobody says. Raises `CheckoutError`. (`revisions`)"""
        return revisions.default_base(self._theirs, lambda: self.working_tree().dirty)

    def working_tree(self) -> Revision:
        """The files as they are now, uncommitted changes included, ignored files and what we left there not.

        Raises `CheckoutError`. `sha` is HEAD's. `dirty` says that the files differ from HEAD's.
        """
        head = revisions.head(self._theirs)
        with explained("the working tree cannot be copied"), self._index() as index:
            self._copy_index(index)
            here = self._at(self.root, index)
            _refuse_unmerged(here)
            _forget_assumptions(here)
            unseeing = self._at(self.root, index, GIT_OBJECT_DIRECTORY=str(written(self.temporary)))
            left_out = self._add_all(here, unseeing)
            tree = unseeing("write-tree", "--missing-ok")
            self._refuse_dirty_submodules(here)
        dirty = tree != head.tree
        return Revision(name="working tree", sha=head.sha, tree=tree, dirty=dirty, left_out=left_out)

    def materialise(self, revision: Revision, destination: Path) -> Path:
        """Write the files of `revision` into `destination`, which must be empty or absent.

        Symbolic links are written as links. Returns the resolved path. Raises `CheckoutError`.
        """
        with explained(f"{destination} cannot be written"), self._index() as index:
            destination = _empty_directory(destination)
            here = self._at(destination, index)
            here("read-tree", "--reset", "-u", revision.tree)
            self._fill_in_large_files(here, destination)
            for path, commit in _gitlinks(here):
                self._materialise_submodule(path, commit, destination / path)
        return destination

    def changed_files(self, base: Revision, head: Revision) -> tuple[str, ...]:
        """The paths that differ between two trees, sorted, relative to the root; a rename counts as two."""
        return self._ours.names(
            "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", base.tree, head.tree
        )

    def changes(self, base: Revision, head: Revision) -> Changes:
        """The lines and functions of Go files that differ between two trees."""
        return changes(partial(self._diff, base.tree, head.tree))

    def _diff(self, base: str, head: str, *options: str) -> str:
        plain = ("-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-prefix")
        return self._ours("diff-tree", *plain, *options, base, head, "--", "*.go")

    def _at(self, directory: Path, index: Path, **environment: str) -> Git:
        """Our repository, with `directory` as its working tree."""
        paths = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(directory)}
        return replace(
            self._ours, directory=directory, environment={**self._ours.environment, **paths, **environment}
        )

    @contextlib.contextmanager
    def _index(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.temporary, prefix="index-") as directory:
            yield Path(directory) / "index"

    def _add_all(self, here: Git, unseeing: Git) -> tuple[str, ...]:
        """Bring the index to what the working tree has, but for the files that are returned.

        Files that git knows are the user's, whoever wrote them.

        These are the two halves of `git add --all`, so that what is left out is never read. A pathspec that
        excludes it would also hide deleted files below a directory of that name, and any pathspec is refused
        where a sparse checkout has no file.
        """
        untracked = here.names("ls-files", "--others", "--exclude-standard", "-z")
        left_out = tuple(leavings(self.root, untracked))
        added = sorted({*untracked}.difference(left_out))
        new = "".join(f"{name.removesuffix('/')}\0" for name in added)
        unseeing("add", "--update")
        unseeing("update-index", "--add", "--replace", "-z", "--stdin", stdin=os.fsencode(new))
        return left_out

    def _copy_index(self, index: Path) -> None:
        """Copy the user's index with its time, by which git knows which files it has to read again.

        An index may be split in two, of which the larger half lies in the repository's directory.
        """
        theirs = git_path(self._theirs, "index")
        if theirs.is_file():
            shutil.copy2(theirs, index)
        for shared in theirs.parent.glob("sharedindex.*"):
            shutil.copy2(shared, self.temporary / "repository.git" / shared.name)

    def _submodule(self, path: str) -> Repository | None:
        """A submodule that is not there for the user is not there for us."""
        directory = self.root / path
        return Repository(directory, self._ours.program) if (directory / ".git").exists() else None

    def _refuse_dirty_submodules(self, here: Git) -> None:
        for path, _ in _gitlinks(here):
            with self._submodule(path) or contextlib.nullcontext() as submodule:
                if submodule is not None and submodule.working_tree().dirty:
                    raise CheckoutError(
                        f"the submodule {path} has uncommitted changes, which no revision of {self.root} can "
                        "contain. Commit them in the submodule, or undo them."
                    )

    def _materialise_submodule(self, path: str, commit: str, destination: Path) -> None:
        with self._submodule(path) or contextlib.nullcontext() as submodule:
            if submodule is None:
                return
            revision = revisions.find(submodule._theirs, commit)
            if revision is None:
                raise CheckoutError(
                    f"the submodule {path} lacks the commit {commit}. "
                    f"Fetch it: `git -C {path} fetch origin {commit}`."
                )
            submodule.materialise(revision, destination)

    def _fill_in_large_files(self, here: Git, destination: Path) -> None:
        store = git_path(self._theirs, "lfs/objects")
        if not store.is_dir():
            return
        for name in here.names("ls-files", "-z", ":(attr:filter=lfs)"):
            file = destination / name
            if (digest := _large_file(file)) and (
                whole := store / digest[:2] / digest[2:4] / digest
            ).is_file():
                mode = file.stat().st_mode
                shutil.copyfile(whole, file)
                file.chmod(mode)


def open_repository(start: Path) -> Repository:
    """The repository that `start` lies in. Raises `CheckoutError` without a repository or a usable git."""
    start = start.resolve()
    for directory in (start, *start.parents):
        if (directory / ".git").exists():
            return Repository(directory, find_git())
    raise CheckoutError(
        f"{start} is not in a git repository, and both sides come from one. Start in a clone."
    )


def _refuse_bare(git: Git) -> None:
    answer = git.ask("rev-parse", "--is-inside-work-tree")
    if answer.returncode:
        raise failure(f"{git.directory} is not a git repository that can be read", os.fsdecode(answer.stderr))
    if answer.stdout.strip() != b"true":
        raise CheckoutError(f"{git.directory} has no working tree. Start in a clone that has one.")


def _empty_directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise CheckoutError(f"{path} is not empty; files of a revision would be mixed with others.")
    return path.resolve()


def _refuse_unmerged(git: Git) -> None:
    if entries := git.names("ls-files", "--unmerged", "-z"):
        names = tuple(dict.fromkeys(entry.partition("\t")[2] for entry in entries))
        raise CheckoutError(f"a merge is not finished: {_listed(names)}. Finish it or abort it.")


def _forget_assumptions(git: Git) -> None:
    """Have git look at files it was told to assume unchanged, and write a sparse index out in full.

    Both need the user's objects, which `git add` does not get to see.
    """
    assumed = [entry[2:] for entry in git.names("ls-files", "-v", "-z") if entry[0].islower()]
    names = "".join(f"{name}\0" for name in assumed)
    git(
        "update-index",
        "--no-assume-unchanged",
        "--force-write-index",
        "-z",
        "--stdin",
        stdin=os.fsencode(names),
    )


def _gitlinks(git: Git) -> Iterator[tuple[str, str]]:
    """The path and the commit of each submodule in an index."""
    for entry in git.names("ls-files", "--stage", "-z"):
        what, _, path = entry.partition("\t")
        mode, commit, _ = what.split(" ")
        if mode == "160000":
            yield path, commit


def _large_file(file: Path) -> str:
    """The SHA-256 in a Git LFS pointer, "" for any other file. (docs/spec.md of git-lfs)"""
    if file.is_symlink() or not file.is_file() or file.stat().st_size > 1024:
        return ""
    text = file.read_bytes()
    found = re.search(rb"^oid sha256:([0-9a-f]{64})$", text, re.MULTILINE)
    if found is None or not text.startswith(b"version https://git-lfs.github.com/spec/"):
        return ""
    return found.group(1).decode()


def _listed(names: tuple[str, ...], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
