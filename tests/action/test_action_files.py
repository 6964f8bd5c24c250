"""The actions, the example workflows and our own, as files: what GitHub would only warn of, or not see at all."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from composite import COMMENT, ROOT, RUN

from action.outcome import outputs
from action.settings import Settings

ACTIONS = {"action": RUN / "action.yml", "action/comment": COMMENT / "action.yml"}
EXAMPLES = sorted((ROOT / "examples" / "workflows").glob("*.yml"))
WORKFLOWS = [*EXAMPLES, *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
LOCKS = sorted((ROOT / "action").glob("requirements-*.txt"))

#: Inputs of the steps that install.
INSTALLING = {"python", "venv"}


def read(path: Path) -> dict:
    """A workflow or an action; YAML 1.1 reads the key `on` as true."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: dict) -> list[dict]:
    """All steps of all jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def ids(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("name", ACTIONS)
def test_no_expression_in_a_script(name):
    """No script of an action has an expression in it, nor does any step use another action: the SHA pins everything."""
    for step in read(ACTIONS[name])["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert "uses" not in step
        assert "-I" in step["run"].split()


@pytest.mark.parametrize("name", ACTIONS)
def test_every_input_is_forwarded_once(name):
    """Each input reaches one variable, is described and has a default, and no variable is without an input."""
    action = read(ACTIONS[name])
    given = [value for step in action["runs"]["steps"] for value in step["env"].values()]
    for input_, spec in action["inputs"].items():
        assert given.count(f"${{{{ inputs.{input_} }}}}") == 1, input_
        assert spec["description"]
        assert "default" in spec
    others = {value for value in given if not value.startswith("${{ inputs.")}
    assert others == {"${{ steps.install.outputs.python }}"}


def test_the_run_action_has_every_setting():
    """The inputs are the fields of the settings, and those that install; the variables are called like them."""
    action = read(ACTIONS["action"])
    names = {field.name.replace("_", "-") for field in fields(Settings)}
    assert set(action["inputs"]) == names | INSTALLING
    env = action["runs"]["steps"][1]["env"]
    assert env == {
        f"GOTRACE_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in names
    } | {"GOTRACE_INTERPRETER": "${{ steps.install.outputs.python }}"}


def test_every_output_is_made(tmp_path):
    """The outputs of the run action are those that are written, and no others."""
    made = {name for name, _ in outputs("pass", None, tmp_path, "1")}
    declared = read(ACTIONS["action"])["outputs"]
    assert set(declared) == made
    assert all(spec["value"] == f"${{{{ steps.run.outputs.{name} }}}}" for name, spec in declared.items())


def test_the_token_is_in_one_step_only():
    """The comment action's token is in the environment of its last step alone, and the run action knows no token."""
    installing, commenting = read(ACTIONS["action/comment"])["runs"]["steps"]
    assert "github-token" not in str(installing)
    assert commenting["env"]["GOTRACE_TOKEN"] == "${{ inputs.github-token }}"
    assert "token" not in ACTIONS["action"].read_text().replace("no token", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids(WORKFLOWS))
def test_every_use_is_pinned(path):
    """Every action of somebody's is named by a full commit, with its version beside it."""
    used = re.findall(r"uses: (\S+)(.*)", path.read_text(encoding="utf-8"))
    for name, comment in used:
        if not name.startswith("./"):
            assert re.fullmatch(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}", name), name
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids(WORKFLOWS))
def test_every_key_exists(path):
    """Whatever a workflow gives to our actions is an input of theirs, and what it reads of a step is an output."""
    workflow = read(path)
    for step in steps(workflow):
        ours = re.search(r"(?:pytest-gotrace/|\./)(action(?:/comment)?)(?:@|$)", step.get("uses", ""))
        if ours:
            assert set(step.get("with", {})) <= set(read(ACTIONS[ours.group(1)])["inputs"])
    known = set(read(ACTIONS["action"])["outputs"])
    assert set(re.findall(r"steps\.gotrace\.outputs\.([\w-]+)", path.read_text())) <= known


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids(WORKFLOWS))
def test_a2_permissions_and_credentials(path):
    """A2: no workflow has permissions as a whole, jobs have a time limit, and no checkout leaves its token behind."""
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job
        assert "permissions" in job
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", EXAMPLES, ids=ids(EXAMPLES))
def test_a21_traces_stay(path):
    """A21: no example uploads traces, in which `trace.Log` may have said anything, and no artifact is kept for long."""
    for step in steps(read(path)):
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            assert step["with"]["retention-days"] <= 90
            assert not re.search(r"outputs\.(trace-dir|report-dir)\b", step["with"]["path"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids(WORKFLOWS))
def test_code_of_a_change_and_a_token_never_meet(path):
    """A job that measures may read and no more; a job that comments checks nothing out."""
    for job in read(path)["jobs"].values():
        used = [step.get("uses", "") for step in job["steps"]]
        if any(
            re.search(r"action(@|$)", name) for name in used if "gotrace" in name or name.startswith("./")
        ):
            assert set(job["permissions"].items()) == {("contents", "read")}
        if any("/action/comment@" in name for name in used):
            assert not any(name.startswith("actions/checkout@") for name in used)


def test_linted():
    """zizmor and GitHub's schemas find nothing in the actions and the workflows, without a network."""
    zizmor = [tool("zizmor"), "--offline", "--strict-collection", "--quiet", "--no-progress"]
    lint(*zizmor, *ACTIONS.values(), *WORKFLOWS)
    lint(tool("check-jsonschema"), "--builtin-schema", "vendor.github-actions", *ACTIONS.values())
    lint(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def tool(name: str) -> Path:
    """A program that is installed beside this Python."""
    return Path(sys.executable).parent / name


def lint(*command: str | Path) -> None:
    """Fail with what the program says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", LOCKS, ids=ids(LOCKS))
def test_locks_have_hashes(path):
    """Every line of a lock is one version, with hashes; nothing comes from an address of its own."""
    text = path.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.]+", entry), entry
        assert "--hash=sha256:" in entry
    assert "://" not in text


def test_locks_have_what_is_needed():
    """What pyproject.toml asks for is in the locks, and what comments needs no compiler and no numpy."""
    from pathlib import Path

    locked = {path.stem: path.read_text().lower() for path in LOCKS}
    for name in ("pytest", "numpy", "scipy", "jinja2", "pyyaml", "jsonschema", "rich", "pluggy"):
        assert f"\n{name}==" in locked["requirements-run"]
    for name in ("cython", "setuptools"):
        assert f"\n{name}==" in locked["requirements-build"]
    assert "\ngithub3-py==" in locked["requirements-comment"]
    assert "\nnumpy==" not in locked["requirements-comment"]
    assert Path(ROOT / "action" / "lock.py").is_file()
