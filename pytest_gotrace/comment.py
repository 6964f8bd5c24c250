"""One comment for each key on a pull request: found again by its first line and its author, and edited in place.

A new comment sends mail to everybody, an edited one does not. Of the marker alone nothing is believed, since anybody
can write it: the author must be ours too. It carries the run that wrote it, so that a slow old run does not overwrite
what a newer one said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pytest_gotrace.errors import GitHubPermissionError, GitHubUnavailableError
from pytest_gotrace.github import Comment, GitHub
from pytest_gotrace.posted import Posted

#: Who a job's own token is.
ACTIONS = "github-actions[bot]"

#: Bytes of a comment: as much as GitHub surely takes, and what is tried if it did not.
SIZES = (60_000, 30_000)

_MARKER = re.compile(
    r"<!-- pytest-gotrace:v1 key=(?P<key>[a-z0-9-]{1,40}) run=(?P<run>[0-9]{1,19}) attempt=(?P<attempt>[0-9]{1,9}) -->"
)

#: Another run's comment that was made while ours was has not changed earlier than this before.
_RACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Marker:
    """The first line of a comment of ours; of one key, the larger is the newer."""

    key: str
    run: int
    attempt: int

    def __str__(self) -> str:
        return f"<!-- pytest-gotrace:v1 key={self.key} run={self.run} attempt={self.attempt} -->"


def marker_of(body: str) -> Marker | None:
    """The marker on the first line, which must hold nothing else."""
    found = _MARKER.fullmatch(body.partition("\n")[0].removesuffix("\r"))
    if found is None:
        return None
    return Marker(key=found["key"], run=int(found["run"]), attempt=int(found["attempt"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky:
    """The comment of one key on pull request `number`; `author` "" is whoever the token turns out to be."""

    github: GitHub
    number: int
    key: str
    author: str = ""

    def post(self, marker: Marker, write: Callable[[int], str], *, speak: bool) -> Posted:
        """Create or edit it so that it says what `write` gives for a size in bytes, below the marker.

        Without `speak` none is made, but one that is there is brought up to date. If two are there the newer is
        kept. Raises `GitHubError`.
        """
        for size in SIZES:
            body = f"{marker}\n{write(size - len(str(marker)) - 1)}"
            try:
                return self._post(marker, body, speak=speak)
            except GitHubUnavailableError as error:
                if error.status != 422 or size == SIZES[-1]:
                    raise
        raise AssertionError("there is a size")

    def delete(self) -> Posted:
        """Remove it. Raises `GitHubError`."""
        mine = self._mine()
        for _, comment in mine:
            self.github.delete_comment(comment)
        return Posted(
            done="deleted" if mine else "skipped", reason="" if mine else "no-comment", number=self.number
        )

    def _post(self, marker: Marker, body: str, *, speak: bool) -> Posted:
        mine = self._mine()
        return self._update(mine, marker, body, speak=speak) if mine else self._create(body, speak=speak)

    def _update(
        self, mine: list[tuple[Marker, Comment]], marker: Marker, body: str, *, speak: bool
    ) -> Posted:
        (written, comment), *others = mine
        self._remove(others)
        answer = Posted(done="updated", comment=comment.id, url=comment.url, number=self.number)
        if written > marker:
            return replace(answer, done="skipped", reason="older-run")
        if _same(comment.body, body):
            return replace(answer, done="unchanged")
        try:
            self.github.edit_comment(comment, body)
        except GitHubPermissionError as error:
            if error.status != 404:
                raise
            return self._create(body, speak=speak)  # somebody deleted it since it was listed
        return answer

    def _create(self, body: str, *, speak: bool) -> Posted:
        if not speak:
            return Posted(done="skipped", reason="nothing-to-say", number=self.number)
        made = self._made(body)
        self._settle(made)
        return Posted(done="created", comment=made.id, url=made.url, number=self.number)

    def _made(self, body: str) -> Comment:
        try:
            return self.github.create_comment(self.number, body)
        except GitHubUnavailableError as error:
            if not error.unclear:
                raise
        same = (comment for _, comment in self._mine() if _same(comment.body, body))
        return next(same, None) or self.github.create_comment(self.number, body)

    def _settle(self, made: Comment) -> None:
        """Two runs that found no comment both made one: each looks again, and both keep the same.

        An author whom we did not look for (an app's token, and nobody said whose) has older ones too, anywhere.
        """
        known = made.author.casefold() == (self.author or ACTIONS).casefold()
        since = _before(made.created) if known else None
        mine = _of_key(self.github.comments(self.number, since=since), self.key, made.author)
        self._remove(mine[1:])

    def _remove(self, others: Iterable[tuple[Marker, Comment]]) -> None:
        for _, comment in others:
            self.github.delete_comment(comment)

    def _mine(self) -> list[tuple[Marker, Comment]]:
        marked = [comment for comment in self.github.comments(self.number) if marker_of(comment.body)]
        mine = _of_key(marked, self.key, self.author or ACTIONS)
        if mine or self.author:
            return mine
        login = self.github.login()
        return _of_key(marked, self.key, login) if login else []


def _of_key(comments: Iterable[Comment], key: str, author: str) -> list[tuple[Marker, Comment]]:
    """Those of ours, the newest first; of two by one run the older comment is."""
    found = [
        (marker, comment)
        for comment in comments
        if (marker := marker_of(comment.body)) is not None
        and marker.key == key
        and comment.author.casefold() == author.casefold() != ""
    ]
    return sorted(found, key=lambda each: (each[0], -each[1].id), reverse=True)


def _same(stored: str, body: str) -> bool:
    """Whether GitHub keeps the text already; it may have changed the ends of lines, and of the whole."""
    return stored.replace("\r\n", "\n").strip() == body.strip()


def _before(created: str) -> str | None:
    """A time before a comment was made, as GitHub writes times; None if it wrote none."""
    try:
        made = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    return (made - _RACE).strftime("%Y-%m-%dT%H:%M:%SZ")
