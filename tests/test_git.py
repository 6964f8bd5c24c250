"""Git's errors become advice, and nothing leaks into or out of a call."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pytest_gotrace.errors import CheckoutError
from pytest_gotrace.git import Git, explained, failure, find_git


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("fatal: write error: No space left on device", "set TMPDIR to a larger one"),
        ("error: failed to write new configuration file x/config.lock", "the disk is full: free some space"),
        ("error: unable to write file weak/doc.go", "the disk is full or cannot be written to"),
        ('error: open("x"): Permission denied\nfatal: adding files failed', "give yourself permission"),
        ("fatal: transport 'https' not allowed\nfatal: could not fetch", "as in a partial clone"),
        ("fatal: bad object 1234", "objects are missing"),
    ],
)
def test_advice(said, advice):
    """What git says about a full disk, permissions or missing objects is followed by what to do."""
    text = str(failure("`git x` failed", said))
    assert said.splitlines()[0] in text
    assert advice in text


def test_error_of_the_operating_system():
    """A full disk that we meet ourselves is explained like one that git meets."""
    with (
        pytest.raises(CheckoutError, match=r"cannot be written: .*No space left on device.*TMPDIR"),
        explained("x cannot be written"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "x")


def test_no_git(monkeypatch, tmp_path):
    """Without git on PATH the error says that git is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CheckoutError, match="Install git"):
        find_git()


def test_old_git(monkeypatch, tmp_path):
    """A git that cannot be kept from a person's settings is refused, with both versions."""
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.20.1\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CheckoutError, match=r"2\.32 or newer.*2\.20\.1"):
        find_git()


def test_failing_command():
    """A failing command is an error that has the command and git's own words."""
    with pytest.raises(CheckoutError, match=r"`git rev-parse` failed in /: .*not a git repository"):
        Git(program=find_git(), directory=Path("/"))("rev-parse", "HEAD")


def test_directory_that_is_gone(tmp_path):
    """A directory that does not exist is an error of ours, not a traceback."""
    with pytest.raises(CheckoutError, match="git cannot be started"):
        Git(program=find_git(), directory=tmp_path / "gone")("version")
