"""The comment action, step by step against a GitHub: what reaches it, what it leaves, and what it makes of an artifact.

What `gotrace comment` itself does in every case is in tests/github; its whole way in tests/test_whole_way.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_reports as samples
import yaml
from composite import CANARIES, COMMENT, HERE, ROOT, Finished, Job
from fakehub import REPOSITORY, REPOSITORY_ID, TOKEN
from jobs import HEAD, zipped

from pytest_gotrace.report_json import to_json

HOSTILE = "::error::x\n##[set-env name=A]b @everyone <img src=x>"


@pytest.fixture
def post(hub, tmp_path):
    """`post("workflow_run", payload, inputs)`: one run of the action; nothing that it leaves has a token in it."""
    (tmp_path / "_temp").mkdir()
    (tmp_path / "workspace").mkdir()
    said: list[Finished] = []

    def run(name: str, payload: dict, **inputs: str) -> Finished:
        github = {"repository": REPOSITORY, "run_id": "9999", "run_attempt": "2", "token": TOKEN}
        addresses = {"GITHUB_API_URL": hub.url, "GITHUB_SERVER_URL": "https://github.test"}
        payload = {"repository": {"id": REPOSITORY_ID}, **payload}
        job = Job(
            root=tmp_path,
            workspace=tmp_path / "workspace",
            event_name=name,
            payload=payload,
            github=github,
            environ=addresses,
        )
        said.append(job.run(COMMENT, {**HERE, **inputs}))
        return said[-1]

    hub.pull(1, sha=HEAD)
    yield run
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for written in (*files, repr(said).encode(), repr(hub.bodies).encode()):
        assert not [secret for secret in (TOKEN, *CANARIES.values()) if secret.encode() in written]


def after(run: int) -> dict:
    """The event of the end of a run."""
    return {"workflow_run": {"id": run, "event": "pull_request"}}


def measured(hub, run: int, data: bytes) -> None:
    """A run that has ended, and its artifact."""
    hub.run(run, sha=HEAD)
    hub.artifact(run, data)


def outcome(done: Finished) -> tuple[int, str, str]:
    """Exit code, what was posted, and why not."""
    return done.code, done.outputs["posted"], done.outputs["reason"]


def test_every_output(hub, post):
    """After a comment each output says what the action's file promises, and the log has one notice."""
    measured(hub, 11, zipped(samples.REGRESSION))
    done = post("workflow_run", after(11))
    assert done.code == 0, done.log
    (comment,) = hub.comments
    assert done.outputs == {
        "posted": "created",
        "comment-id": str(comment["id"]),
        "comment-url": comment["html_url"],
        "pull-request": "1",
        "reason": "",
    }
    assert [command.name for command in done.commands] == ["notice"]


def test_inputs_reach_it(hub, post):
    """Key, artifact, workflow and run are those of the inputs, whatever the event says."""
    hub.run(12, sha=HEAD, path=".github/workflows/other.yml")
    hub.artifact(12, zipped(samples.GREEN), name="other")
    inputs = {"run-id": "12", "artifact": "other", "workflow-path": ".github/workflows/other.yml"}
    done = post("workflow_run", after(11), **inputs, key="api", when="always")
    assert outcome(done) == (0, "created", ""), done.log
    assert hub.bodies[0].startswith("<!-- pytest-gotrace:v1 key=api run=12 attempt=1 -->\n")
    again = post("workflow_run", after(11), **inputs, key="api", delete="true")
    assert outcome(again) == (0, "deleted", "")
    assert hub.comments == []


def test_the_second_job_of_one_workflow(hub, post, tmp_path):
    """`same-repository.yml`: the file that its first job left is posted to the pull request of the event."""
    text = (ROOT / "examples" / "workflows" / "same-repository.yml").read_text(encoding="utf-8")
    *_, download, step = yaml.safe_load(text)["jobs"]["comment"]["steps"]
    place = tmp_path / "workspace" / download["with"]["path"]
    place.mkdir()
    (place / "report.json").write_text(to_json(samples.REGRESSION), encoding="utf-8")
    pull = {"number": 1, "head": {"repo": {"id": REPOSITORY_ID}}}
    done = post("pull_request", {"pull_request": pull}, **step["with"])
    assert outcome(done) == (0, "created", ""), done.log
    assert hub.bodies[0].startswith("<!-- pytest-gotrace:v1 key=default run=9999 attempt=2 -->\n")
    assert hub.asked("GET", "/actions/") == []


def test_without_an_artifact(hub, post):
    """A run that left nothing is a notice and an output, and no failure."""
    hub.run(11, sha=HEAD)
    done = post("workflow_run", after(11))
    assert outcome(done) == (0, "skipped", "no-artifact")
    assert hub.comments == []


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"no zip", "the artifact is no zip as we accept it"),
        (zipped(HOSTILE.encode()), "gotrace-result/report.json: "),
        (zipped(b"[" * 100_000), "gotrace-result/report.json: "),
    ],
    ids=["no zip", "no report", "deep"],
)
def test_a_hostile_artifact(hub, post, data, complaint):
    """A9, A10: what is no report fails the step with a sentence that orders nothing, and nothing is posted."""
    measured(hub, 11, data)
    done = post("workflow_run", after(11))
    assert done.code == 4
    assert complaint in done.log
    assert done.commands == ()
    assert [each.method for each in hub.seen if each.method != "GET"] == []


def test_hostile_names(hub, post):
    """A5, A6: a stranger's words in a report of a fork are shown as text in the comment, and not at all in the log."""
    fork = hub.repository(8002, "somebody/till")
    hub.pulls.clear()
    hub.pull(2, sha=HEAD, head=fork)
    report = replace(samples.REGRESSION, warnings=(HOSTILE,), notes=(HOSTILE,))
    hub.run(11, sha=HEAD, head_repository=fork)
    hub.artifact(11, zipped(report))
    done = post("workflow_run", after(11))
    assert outcome(done) == (0, "created", ""), done.log
    assert done.outputs["pull-request"] == "2"
    assert "code of `somebody/till`, a fork, and are not verified" in hub.bodies[0]
    assert [command.name for command in done.commands] == ["notice"]
    assert "everyone" not in done.log


def test_a_dry_run(hub, post):
    """A dry run shows the report on the page of the run, and posts nothing."""
    measured(hub, 11, zipped(samples.REGRESSION))
    done = post("workflow_run", after(11), **{"dry-run": "true"})
    assert outcome(done) == (0, "skipped", "dry-run")
    assert "over budget" in done.summary
    assert hub.comments == []


def test_what_github_refuses(hub, post):
    """A token that may not comment is a warning; with `comment-required` the step fails with 3."""
    hub.read_only = True
    measured(hub, 11, zipped(samples.REGRESSION))
    done = post("workflow_run", after(11))
    assert outcome(done) == (0, "skipped", "permission")
    assert [command.name for command in done.commands] == ["warning"]
    assert outcome(post("workflow_run", after(11), **{"comment-required": "true"})) == (
        3,
        "skipped",
        "permission",
    )


def test_a_wrong_input(hub, post):
    """A wrong input ends the step with its name before anything is asked."""
    done = post("workflow_run", after(11), delete="yes")
    assert done.code == 4
    assert "input delete: found 'yes', expected true or false" in done.log
    assert hub.seen == []
