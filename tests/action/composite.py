"""A composite action executed as GitHub's runner does it, from an event to outputs, summary and commands.

Only what our two actions need: `run` steps in bash, and expressions that name one value. All else is refused, which
keeps the actions simple. After actions/runner: `CompositeActionHandler.cs`, `ScriptHandlerHelpers.cs`,
`FileCommandManager.cs`, `GitHubContext.cs`, `action_yaml.json`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from workflow_commands import Command, commands

ROOT = Path(__file__).parents[2]
RUN, COMMENT = ROOT / "action", ROOT / "action" / "comment"

#: The environment that the tests run in has this very version, so nothing is installed.
HERE = {"python": sys.executable, "venv": sys.prefix}

#: What the runner uploads of a summary; a larger one is dropped with an error.
SUMMARY_BYTES = 1024 * 1024

#: Tokens that a real job has in reach. None of them may turn up anywhere.
CANARIES = {
    "ACTIONS_RUNTIME_TOKEN": "canary-runtime-token",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary-id-token",
    "ACTIONS_RUNTIME_URL": "https://canary.example/",
}

_STEP = {"name", "id", "shell", "env", "run"}
_BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What the runner knows after the action."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job on a runner: its directories, its event, and what `github.*` says. `environ` is the machine's."""

    root: Path
    workspace: Path
    event_name: str
    payload: dict
    github: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, action: Path, inputs: dict[str, str]) -> Finished:
        """Every step in order until one fails. Raises `ValueError` for an action that this runner does not know."""
        text = yaml.safe_load((action / "action.yml").read_text(encoding="utf-8"))
        contexts = {"inputs": self._inputs(text["inputs"], inputs), "github": self._context(), "steps": {}}
        log, summary, code = "", "", 0
        for number, step in enumerate(text["runs"]["steps"]):
            if extra := step.keys() - _STEP:
                raise ValueError(f"a step with {extra} is not for this runner")
            files = self._files(number)
            env = {name: evaluate(value, contexts) for name, value in step.get("env", {}).items()}
            done = self._step(step, {**self._environment(action, files), **env})
            log += done.stdout
            code = done.returncode
            contexts["steps"][step["id"]] = {"outputs": entries(files["GITHUB_OUTPUT"].read_text("utf-8"))}
            for order in ("GITHUB_ENV", "GITHUB_PATH"):
                if files[order].read_text():
                    raise ValueError(f"{step['id']} wrote {order}")
            part = files["GITHUB_STEP_SUMMARY"].read_bytes()
            summary += part.decode() if len(part) <= SUMMARY_BYTES else "(too large, and dropped)"
            if code:
                break
        outputs = {name: evaluate(spec["value"], contexts) for name, spec in text["outputs"].items()}
        return Finished(
            code=code, log=log, outputs=outputs, summary=summary, commands=tuple(obeyed(log.splitlines()))
        )

    def _step(self, step: dict, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        if step["shell"] != "bash" or "${{" in step["run"]:
            raise ValueError(f"{step['id']}: bash without expressions was expected")
        script = self.root / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        return subprocess.run(
            [*_BASH, str(script)],
            cwd=self.workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=500,
        )

    def _inputs(self, declared: dict, given: dict[str, str]) -> dict[str, str]:
        if unknown := given.keys() - declared.keys():
            raise ValueError(f"unknown inputs {unknown}")  # GitHub only warns
        defaults = {name: spec.get("default", "") for name, spec in declared.items()}
        contexts = {"github": self._context()}
        return {name: given.get(name, evaluate(str(text), contexts)) for name, text in defaults.items()}

    def _context(self) -> dict:
        return {"event": self.payload, "event_name": self.event_name, **self.github}

    def _files(self, number: int) -> dict[str, Path]:
        directory = self.root / "_temp" / "_runner_file_commands" / str(number)
        directory.mkdir(parents=True, exist_ok=True)
        names = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
        for name in names:
            (directory / name).write_text("")
        return {name: directory / name for name in names}

    def _environment(self, action: Path, files: dict[str, Path]) -> dict[str, str]:
        event = self.root / "_temp" / "event.json"
        event.write_text(json.dumps(self.payload))
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        known = {f"GITHUB_{name.upper()}": text for name, text in self.github.items() if name != "token"}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(action),
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_API_URL": "http://127.0.0.1:9",
            "GITHUB_SERVER_URL": "https://github.example",
            "RUNNER_TEMP": str(self.root / "_temp"),
            "RUNNER_OS": "Linux",
            **known,
            **{name: str(path) for name, path in files.items()},
            **CANARIES,
            **self.environ,
        }


@cache
def go_caches() -> dict[str, str]:
    """Variables for a runner whose own home would be cold each time."""
    names = ("GOCACHE", "GOMODCACHE", "GOPATH")
    said = subprocess.run(["go", "env", *names], capture_output=True, text=True, check=True)
    return dict(zip(names, said.stdout.splitlines(), strict=True))


_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_VALUE = re.compile(r"(inputs|steps|github)((?:\.[A-Za-z_][\w-]*)+)")


def evaluate(text: str, contexts: dict) -> str:
    """The text with each expression replaced by the one value that it names; what is not there is empty."""

    def value(found: re.Match[str]) -> str:
        named = _VALUE.fullmatch(found.group(1))
        if named is None:
            raise ValueError(f"{found.group()} is more than the name of a value")
        here = contexts.get(named.group(1), {})
        for key in named.group(2)[1:].split("."):
            here = here.get(key) if isinstance(here, dict) else None
        return "" if here is None else str(here)

    return _EXPRESSION.sub(value, str(text))


def entries(text: str) -> dict[str, str]:
    """What a file of outputs says, by the runner's rules. Raises `ValueError` where the runner would fail the step."""
    found: dict[str, str] = {}
    if text and not text.endswith("\n"):
        raise ValueError("the file does not end with a new line")
    lines = iter(text.splitlines())
    for line in lines:
        if not line:
            continue
        equals, here = line.find("="), line.find("<<")
        if equals >= 0 and (here < 0 or equals < here):
            found[line[:equals]] = line[equals + 1 :]
            continue
        if here <= 0:
            raise ValueError(f"no value in {line!r}")
        name, end, value = line[:here], line[here + 2 :], []
        for inner in lines:
            if inner == end:
                break
            value.append(inner)
        else:
            raise ValueError(f"{name} is never ended by {end!r}")
        found[name] = "\n".join(value)
    return found


def obeyed(lines: list[str]):
    """The commands that the runner obeys: none between `::stop-commands::word` and `::word::`."""
    word = None
    for line in lines:
        for command in commands(line):
            if word is None and command.name == "stop-commands":
                word = command.data
            elif word is not None and command.name == word:
                word = None
            elif word is None:
                yield command
