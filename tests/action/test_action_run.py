"""The run action from an event to outputs, with real git, Go and traces. Threats are named in docs/github.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from composite import CANARIES, HERE, RUN
from gitproject import commit, git
from origin import BUDGET, CODE, FAST, MODULE, TEST
from workflow_commands import commands

from pytest_gotrace.report_json import read_report

QUICK = {**HERE, **FAST}
CREDENTIALS = "::warning title=gotrace::actions/checkout left its token"


def pull_request(origin, tmp_path, **payload) -> tuple[Path, dict]:
    """The clone of a job on pull request 7, and its event."""
    workspace = origin.clone(tmp_path / "w", "refs/pull/7/merge", remote="refs/remotes/pull/7/merge")
    event = {
        "number": 7,
        "pull_request": {"head": {"sha": origin.head, "repo": {"full_name": "acme/purse"}}},
        **payload,
    }
    return workspace, event


def job_on_pull_request(origin, tmp_path, job, **payload):
    """A job on pull request 7."""
    workspace, event = pull_request(origin, tmp_path, **payload)
    return job(
        workspace,
        "pull_request",
        event,
        sha=origin.merged,
        ref="refs/pull/7/merge",
        base_ref="main",
        head_ref="pull-7",
    )


def test_pull_request(origin, tmp_path, job):
    """A pull request is held to its base's budget: outputs, summary, files and one remark say that it is over."""
    done = job_on_pull_request(origin, tmp_path, job).run(RUN, QUICK)
    assert done.code == 1, done.log
    said = done.outputs
    assert (said["conclusion"], said["regressions"], said["benchmarks"]) == ("regression", "1", "1")
    assert (said["base-sha"], said["head-sha"]) == (origin.main, origin.merged)
    assert "1 over budget" in done.summary
    report = read_report(Path(said["results-json"]))
    assert report.verdicts[0].budget == "+10%"  # that of the base, whatever the change allows itself
    for name in ("report-markdown", "junit-xml", "recording"):
        assert Path(said[name]).is_file()
    assert [command.name for command in done.commands] == ["error"]
    assert not git(tmp_path / "w", "status", "--porcelain")


@pytest.mark.slow
def test_the_budget_of_the_head(origin, tmp_path, job):
    """With `config-from: head` a change may relax its own budget; under `fail-on: never` a regression is only said."""
    here = job_on_pull_request(origin, tmp_path, job)
    assert here.run(RUN, {**QUICK, "config-from": "head"}).outputs["conclusion"] == "pass"
    done = here.run(RUN, {**QUICK, "fail-on": "never"})
    assert (done.code, done.outputs["conclusion"]) == (0, "regression")


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run", "issue_comment"])
def test_a1_refused_events(tmp_path, job, name):
    """A1: where a token that can write is in reach nothing is installed, git is not asked, and the step fails."""
    done = job(tmp_path, name).run(RUN, HERE)
    assert done.code == 4
    assert f"on {name} a token that can write is within its reach" in done.log
    assert done.outputs["conclusion"] == ""


def test_a2_token_on_disk(origin, tmp_path, job):
    """A2: a token that actions/checkout left, be it in a file that is included, is warned of, and not shown."""
    here = job_on_pull_request(origin, tmp_path, job)
    elsewhere = tmp_path / "git-credentials-1.config"
    git(
        here.workspace,
        "config",
        "-f",
        elsewhere,
        "http.https://github.com/.extraheader",
        "AUTHORIZATION: basic c2VjcmV0",
    )
    git(here.workspace, "config", f"includeIf.gitdir:{here.workspace}/.git.path", elsewhere)
    done = here.run(RUN, {**QUICK, "base": "no-such-revision"})
    assert done.code == 4
    assert CREDENTIALS in done.log
    assert "c2VjcmV0" not in done.log


SPY = """package purse

import (
	"fmt"
	"os"
	"testing"
)

func BenchmarkPay(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Pay()
	}
	for _, one := range os.Environ() {
		fmt.Println("saw", one)
	}
	fmt.Println("::set-output name=a::b")
	fmt.Println("##[add-path]/evil")
	fmt.Println("::error::from the benchmark")
	os.Exit(3)
}
"""


def test_a3_a4_a5_what_a_benchmark_sees_and_says(origin, tmp_path, job):
    """A3, A4, A5: a benchmark sees no token and no file of orders, and nothing it prints is a command or an output."""
    here = job_on_pull_request(origin, tmp_path, job)
    commit(here.workspace, "spy", purse_test_dot_go=SPY)
    done = here.run(RUN, {**QUICK, "base": "HEAD~1", "env-pass": "RUNNER_OS"})
    assert done.code == 6, done.log
    seen = "\n".join(line for line in _everything(done).splitlines() if "saw" in line)
    assert "RUNNER_OS=Linux" in seen
    for name in (*CANARIES, "GITHUB_", "RUNNER_TEMP", "GOTRACE_", "canary"):
        assert name not in seen
    (ours,) = done.commands  # the remark at the benchmark, of which nothing is the benchmark's choice
    assert (ours.name, ours.properties["file"]) == ("error", "purse_test.go")
    assert done.outputs["conclusion"] == "error"
    stopping = {command.data for command in commands(done.log) if command.name == "stop-commands"}
    others = {command.name for command in commands(done.log)} - {"stop-commands", *stopping}
    assert others == {"error"}  # what it printed is escaped, so that it would be no order anywhere


def _everything(done) -> str:
    texts = [done.log, done.summary]
    directory = done.outputs["report-dir"]
    texts += [path.read_text(errors="replace") for path in Path(directory).iterdir() if path.is_file()]
    return "\n".join(texts)


def test_a18_shadowed_modules(origin, tmp_path, job):
    """A18: files of the change that are named like our modules or steer pytest are never read."""
    here = job_on_pull_request(origin, tmp_path, job)
    evil = "raise SystemExit('the change ran')\n"
    names = ("pytest", "yaml", "action", "pytest_gotrace", "sitecustomize", "conftest", "secrets", "json")
    for name in names:
        (here.workspace / f"{name}.py").write_text(evil)
    (here.workspace / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    done = here.run(RUN, {**QUICK, "base": "HEAD", "select": "nothing-has-this-name"})
    assert "the change ran" not in done.log
    assert "nonsense" not in done.log
    assert done.code == 5, done.log


def test_a19_own_deadline(origin, tmp_path, job):
    """A19: a benchmark that never ends is killed, the report is written, and the step ends as an error."""
    here = job_on_pull_request(origin, tmp_path, job)
    sleeping = (
        SPY[: SPY.index("for _, one")].replace("Pay()", "select {}").replace('"fmt"', "").replace('"os"', "")
        + "}\n"
    )
    commit(here.workspace, "sleep", purse_test_dot_go=sleeping)
    done = here.run(RUN, {**QUICK, "base": "HEAD~1", "benchmark-timeout": "1s"})
    assert done.code == 6, done.log
    assert done.outputs["conclusion"] == "error"
    assert Path(done.outputs["results-json"]).is_file()
    assert "failed" in done.summary


@pytest.mark.slow
def test_a20_toolchain_of_the_change(origin, tmp_path, job):
    """A20: a `toolchain` line of the change is neither downloaded nor followed, and the report says so."""
    here = job_on_pull_request(origin, tmp_path, job)
    module = (here.workspace / "go.mod").read_text()
    commit(
        here.workspace,
        "newer",
        go_dot_mod=module + "\ntoolchain go1.99.0\n",
        purse_dot_go=CODE.format(coins=5) + "\n",
    )
    done = here.run(RUN, {**QUICK, "base": "HEAD~1", "isolate-cache": "false", "pairs": "6"})
    assert done.code == 0, done.log
    assert "toolchain" in done.summary
    assert "go1.99.0 " not in json.dumps(read_report(Path(done.outputs["results-json"])).environment)


EVENTS = [
    pytest.param("push", {"before": "first"}, id="push"),
    *(
        pytest.param(name, payload, id=label, marks=pytest.mark.slow)
        for name, payload, label in (
            ("pull_request", {"pull_request": {"head": {"repo": {"full_name": "stranger/purse"}}}}, "fork"),
            ("pull_request", {"sender": {"login": "dependabot[bot]"}}, "dependabot"),
            ("push", {"ref": "refs/tags/v1.1.0"}, "tag"),
            ("schedule", {"schedule": "0 3 * * *"}, "schedule"),
            ("merge_group", {"merge_group": {"base_sha": "main"}}, "merge_group"),
            ("workflow_dispatch", {"inputs": {}}, "workflow_dispatch"),
        )
    ),
]


@pytest.mark.parametrize(("name", "payload"), EVENTS)
def test_events(origin, tmp_path, job, name, payload):
    """On every event that may run code, the right commit is compared with."""
    if name == "pull_request":
        here = job_on_pull_request(origin, tmp_path, job, **payload)
        done = here.run(RUN, {**QUICK, "changed-packages": "true"})
        assert (done.code, done.outputs["base-sha"]) == (1, origin.main), done.log
        return
    workspace = origin.clone(tmp_path / "w", "main", depth=0)
    git(workspace, "branch", "main", origin.main)
    expected = origin.first
    if name == "merge_group":
        expected = origin.main
        payload = {"merge_group": {"base_sha": origin.main}}
        commit(workspace, "queued", docs__how_dot_md="queued\n")
    if "before" in payload:
        payload = {"before": origin.first}
    here = job(workspace, name, payload, sha=git(workspace, "rev-parse", "HEAD"), ref=payload.get("ref", ""))
    done = here.run(RUN, QUICK)
    assert done.code == 0, done.log
    assert (done.outputs["conclusion"], done.outputs["base-sha"]) == ("pass", expected)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("isolate-cache", "yes", "input isolate-cache: expected true or false, found 'yes'"),
        ("working-directory", "../..", "input working-directory: expected a directory inside the workspace"),
        ("fail-on", "nevr", "input fail-on: expected one of never, regression, inconclusive"),
    ],
)
def test_a_wrong_input_ends_the_step(tmp_path, job, name, value, said):
    """A wrong input ends the step with its name, what was expected and what was found, before anything is measured."""
    done = job(tmp_path, "push").run(RUN, {**HERE, name: value})
    assert done.code == 4
    assert said in done.log
    assert done.outputs["conclusion"] == "error"
    assert "measured nothing" in done.summary


def test_an_environment_of_another_version(tmp_path, job):
    """An environment that is not of this version is refused, not used."""
    done = job(tmp_path, "push").run(RUN, {**HERE, "venv": str(tmp_path)})
    assert done.code == 4
    assert "is no environment with pytest-gotrace in it" in done.log


def test_a_budget_that_only_the_head_has(origin, tmp_path, job):
    """A pull request that brings the first budget is held to it, and the report says whose it is."""
    root = tmp_path / "w"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    files = {"purse__purse_dot_go": CODE.format(coins=1), "purse__purse_test_dot_go": TEST}
    base = commit(root, "first", go_dot_mod=MODULE, **files)
    budget = BUDGET.format(limit="+10%").replace("BenchmarkPay", "purse/BenchmarkPay")
    head = commit(root, "a budget", gotrace_dot_yaml=budget)
    here = job(root, "pull_request", {}, sha=head, base_ref=base)
    done = here.run(RUN, {**QUICK, "base": base})
    assert done.outputs["head-sha"] == head, done.log
    assert "is not on the base" in done.log
