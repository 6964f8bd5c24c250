"""Inputs of the run action, read and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from composite import RUN

from action.refused import ActionError
from action.settings import Settings, read


@pytest.fixture
def given(tmp_path):
    """`given(name=value)`: the inputs with their defaults, but for these."""
    text = yaml.safe_load((RUN / "action.yml").read_text(encoding="utf-8"))
    defaults = {f"GOTRACE_{n.upper().replace('-', '_')}": s["default"] for n, s in text["inputs"].items()}
    workspace = tmp_path / "workspace"
    (workspace / "sub").mkdir(parents=True)
    (workspace / "out").symlink_to(tmp_path)

    def make(**changed: str) -> Settings:
        named = {f"GOTRACE_{name.upper()}": value for name, value in changed.items()}
        return read({"GITHUB_WORKSPACE": str(workspace), "RUNNER_TEMP": "/t", **defaults, **named})

    return make


def test_defaults(given):
    """The defaults are the careful ones."""
    settings = given()
    assert (settings.config_from, settings.fail_on, settings.conftest) == ("base", "regression", False)
    assert settings.report_dir == Path("/t/gotrace")


GOOD = {
    "working_directory": ["sub", "./sub"],
    "base": ["v1.2.0", "origin/main", "recordings/main.jsonl", "HEAD~1"],
    "select": ["BenchmarkPool and not large", "handler/BenchmarkHandler"],
    "go_flags": ["-race", "-tags=a,b\n-mod=vendor", "-ldflags=-s", "-gcflags=all=-N"],
    "env_pass": ["A B_C\nD"],
    "shard": ["2/4"],
    "cpus": ["0,2-3"],
    "conftest": ["TRUE", "False"],
    "report_dir": ["out/report", "/somewhere"],
}
BAD = {
    "working_directory": ["..", "/", "out", "gone"],
    "budget": ["../gotrace.yaml", "/etc/x.yaml", "-x.yaml", "gotrace.json"],
    "base": ["-x", "a b", "a\nb", ""],
    "head": ["--help"],
    "select": ["x'; rm", "$(x)", "a\nb"],
    "go_flags": [
        "-exec=x",
        "-toolexec=x",
        "-o=x",
        "-overlay=x",
        "-ldflags=-extld=x",
        "-race -exec=x",
        "race",
    ],
    "env_pass": ["A*", "A=B", "1A"],
    "shard": ["0/4", "a", "1/2/3"],
    "pairs": ["1", "-3", "x", "٣"],
    "run_time": ["fast", "1 s", "-1s"],
    "conftest": ["yes", "1", "true false"],
    "mode": ["comparre", ""],
    "annotations": ["11"],
    "expected_shards": ["4"],
    "noise_memory": ["../x.jsonl", "-x"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in GOOD.items() for v in values])
def test_accepted(given, name, value):
    """What is meant is read."""
    assert isinstance(given(**{name: value}), Settings)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_refused_by_name(given, name, value):
    """What could mean something else is refused with the name of the input."""
    with pytest.raises(ActionError, match=name.replace("_", "-")):
        given(**{name: value})


def test_a_shard_is_for_comparing(given):
    """Inputs of one mode are refused in another."""
    with pytest.raises(ActionError, match="shard is for mode compare"):
        given(mode="record", shard="1/2")
    with pytest.raises(ActionError, match="mode merge needs"):
        given(mode="merge")
