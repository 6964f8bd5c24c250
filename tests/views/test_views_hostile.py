"""Names that a program made up, on their way to a terminal."""

from __future__ import annotations

import json

import pytest
from workflow_commands import commands

from pytest_gotrace.cli import main
from pytest_gotrace.errors import ExitCode

HOSTILE = "\x1b[31mred\x1b[0m\n::error::no ##[group]\u202e"
OPTIONS = (("--view", "all"), ("--view", "all", "--format", "jsonl"), ("--task", "request"), ())


@pytest.mark.parametrize("options", OPTIONS)
def test_hostile_names(options, shop_trace, capsys):
    """Names that would steer a terminal or a CI runner are shown, and obeyed by neither."""
    assert main(["show", str(shop_trace), *options]) == ExitCode.PASS
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    assert [command for line in lines for command in commands(line)] == []


def test_hostile_names_are_shown(shop_trace, capsys):
    """People see that there are such characters, and programs get the name as it is."""
    main(["show", str(shop_trace), "--view", "regions"])
    assert "\\u{1b}[31mred" in capsys.readouterr().out
    main(["show", str(shop_trace), "--view", "regions", "--format", "jsonl"])
    regions = [json.loads(line)["region"] for line in capsys.readouterr().out.splitlines()]
    assert HOSTILE in regions


def test_hostile_names_in_a_difference(shop_trace, workload_trace, capsys):
    """Between two traces as well."""
    for options in ((), ("--format", "jsonl")):
        assert main(["diff", str(shop_trace), str(workload_trace("network")), *options]) == ExitCode.PASS
        lines = capsys.readouterr().out.splitlines()
        assert any("31mred" in line for line in lines)
        assert all(line.isprintable() and not commands(line) for line in lines)


def test_hostile_questions(shop_trace, capsys):
    """What was asked for and is not there is repeated without what would steer a terminal."""
    for options in (("--view", HOSTILE), ("--task", HOSTILE), ("--goroutine", HOSTILE), ("--since", HOSTILE)):
        assert main(["show", str(shop_trace), *options]) == ExitCode.USAGE
        said = capsys.readouterr().err
        assert said.rstrip("\n").isprintable()
