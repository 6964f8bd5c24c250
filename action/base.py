"""What a change is compared with, from the event that brought it. Only full hashes ever reach git again."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from action.event import Event
from action.refused import ActionError
from pytest_gotrace import revisions
from pytest_gotrace.errors import CheckoutError
from pytest_gotrace.git import Git, find_git

_DEEPER = (
    "give actions/checkout a larger fetch-depth (0 is all of the history, with tags), or say base yourself"
)

_DATE = r"\d{4}-\d\d-\d\d"

#: Where the number of a tag begins, the surest first: `log4x-v1.2.0` has its version where there is a dot.
_NUMBERS = (_DATE, r"\d+\.\d", r"\d|$")


def git_in(workspace: Path) -> Git:
    """Git for reading the workspace, whoever owns it. No setting of the machine is changed."""
    return Git(program=find_git(), directory=workspace, settings={"safe.directory": str(workspace)})


def base(git: Git, event: Event, asked: str) -> str:
    """The commit to compare with, or "" for the plugin's own choice, the merge-base with the default branch.

    `asked` is `auto`, `merge-base`, or a revision. Raises `ActionError`, or `CheckoutError` if there is no such one.
    """
    if asked == "merge-base":
        return _merge_base(git, event) if event.base_ref else ""
    if asked != "auto":
        return revisions.resolve(git, asked).sha
    return _BY_EVENT.get("tag" if event.tag else event.name, _default)(git, event)


def head(git: Git, asked: str) -> str:
    """The commit to measure, "" for the working tree as it is. Raises `CheckoutError`."""
    return "" if asked == "working-tree" else revisions.resolve(git, asked).sha


def persisted_credentials(git: Git) -> bool:
    """Whether actions/checkout left its token where the code of the change finds it. The token itself is not read."""
    found = git.ask("config", "--includes", "--name-only", "--get-regexp", r"^http\..*\.extraheader$")
    return found.returncode == 0 and bool(found.stdout.strip())


def _pull_request(git: Git, event: Event) -> str:
    """The first parent of the merge commit that GitHub made: exactly what the change was merged into."""
    parents = git("rev-list", "--parents", "--max-count=1", revisions.head(git).sha).split()
    here, *others = parents
    if here == event.sha and len(others) == 2:
        return _known(git, others[0], "the commit that the pull request was merged into")
    return _merge_base(git, event)


def _merge_base(git: Git, event: Event) -> str:
    ours, theirs = revisions.head(git).sha, revisions.resolve(git, event.base_ref).sha
    answer = git.ask("merge-base", ours, theirs)
    if answer.returncode:
        raise ActionError(f"HEAD and {event.base_ref!r} have no common ancestor in this clone; {_DEEPER}")
    return os.fsdecode(answer.stdout).strip()


def _push(git: Git, event: Event) -> str:
    """What the branch pointed at before, if it is new or that is gone, the commit before."""
    before = str(event.payload.get("before", ""))
    if re.fullmatch("[0-9a-f]{40,64}", before) and before.strip("0") and revisions.find(git, before):
        return before
    return _known(git, "HEAD~1", "the commit before")


def _merge_group(git: Git, event: Event) -> str:
    """What the queue will merge into, as its event says."""
    group = event.payload.get("merge_group")
    said = str(group.get("base_sha", "")) if isinstance(group, dict) else ""
    name = said if re.fullmatch("[0-9a-f]{40,64}", said) else "HEAD^1"
    return _known(git, name, "the base of the merge group")


def _tag(git: Git, event: Event) -> str:
    """The nearest release before of the same form, else the nearest candidate of that form, else the nearest tag.

    A release that was held to its own candidate could be slower than what people have by a little each time.
    """
    earlier = git.ask("for-each-ref", "--merged=HEAD^", "--format=%(refname:lstrip=2)", "refs/tags")
    names = os.fsdecode(earlier.stdout).splitlines()
    wanted = ([name for name in names if re.fullmatch(form, name)] for form in _forms(event.tag))
    for which in (*wanted, ["*"]):
        if which and (nearest := _nearest(git, which)):
            return revisions.resolve(git, f"refs/tags/{nearest}").sha
    raise ActionError(f"no tag before {event.tag!r} is in this clone; {_DEEPER}")


def _forms(tag: str) -> tuple[str, str]:
    """How releases like `tag` are called, and how they and their candidates are.

    The same directory and the same words, then numbers joined by dots, or a date if `tag` has one.
    """
    directory, slash, name = tag.rpartition("/")
    found = next(filter(None, (re.search(number, name) for number in _NUMBERS)))
    words = re.escape(directory + slash + name[: found.start()])
    first = _DATE if re.match(_DATE, found[0]) else r"\d+"
    return rf"{words}{first}(\.\d+)*(\+[0-9A-Za-z.-]+)?", rf"{words}\d[^/]*"


def _nearest(git: Git, names: Iterable[str]) -> str:
    """The one of these tags with the fewest commits between it and the tagged one; no name of a tag has a `*`."""
    answer = git.ask("describe", "--tags", "--abbrev=0", *(f"--match={name}" for name in names), "HEAD^")
    return "" if answer.returncode else os.fsdecode(answer.stdout).strip()


def _default(git: Git, event: Event) -> str:
    return ""


_BY_EVENT: Mapping[str, Callable[[Git, Event], str]] = {
    "pull_request": _pull_request,
    "push": _push,
    "merge_group": _merge_group,
    "tag": _tag,
}


def _known(git: Git, name: str, what: str) -> str:
    try:
        found = revisions.find(git, name)
    except CheckoutError as error:
        raise ActionError(f"{what}: {error}") from error
    if found is None:
        raise ActionError(f"{what} is not in this clone; {_DEEPER}")
    return found.sha
