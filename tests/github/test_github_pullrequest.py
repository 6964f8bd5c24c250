"""A11: which pull request a run belongs to, whatever its artifact says."""

from __future__ import annotations

import pytest
import sample_reports as samples
from faults import says
from jobs import HEAD

OTHER = "c" * 40


@pytest.fixture
def fork(hub):
    """Somebody's fork of the repository."""
    return hub.repository(8002, "somebody/till")


class TestTheRun:
    @pytest.mark.parametrize("event", ["push", "pull_request_target", "workflow_dispatch", "schedule"])
    def test_event(self, hub, job, event):
        """A run that no pull request started is not looked at."""
        job.measured(11, samples.REGRESSION, event=event)
        assert job.after(11)["reason"] == "other-event"
        assert hub.downloads == []

    def test_repository(self, hub, job, fork):
        """A run of another repository is not looked at."""
        job.measured(11, samples.REGRESSION, repository=fork)
        assert job.after(11)["reason"] == "other-repository"

    @pytest.mark.parametrize(
        "path",
        [
            ".github/workflows/other.yml",
            ".github/workflows/gotrace.yml@evil.yml",
            ".github/workflows/gotrace.yaml",
            "",
        ],
    )
    def test_workflow(self, hub, job, path):
        """A run of another workflow is not looked at, whatever its name is."""
        job.measured(11, samples.REGRESSION, path=path, name="gotrace")
        assert job.after(11)["reason"] == "other-workflow"

    def test_workflow_with_a_ref(self, hub, job):
        """GitHub may add the ref that the workflow's file is from."""
        job.measured(11, samples.REGRESSION, path=".github/workflows/gotrace.yml@refs/heads/main")
        assert job.after(11)["posted"] == "created"

    def test_configured_workflow(self, hub, job):
        """The file of the workflow can be another one."""
        job.measured(11, samples.REGRESSION, path=".github/workflows/ci.yaml")
        answer = job.after(11, GOTRACE_WORKFLOW_PATH=".github/workflows/ci.yaml")
        assert answer["posted"] == "created"

    def test_fork_that_is_gone(self, hub, job):
        """Of a repository that is gone there is nothing to be found out."""
        hub.fault(
            "GET",
            "/runs/11",
            says(
                b'{"id": 11, "event": "pull_request", "repository": {"id": 7001}, "head_repository": null,'
                b' "path": ".github/workflows/gotrace.yml", "head_sha": "x", "head_branch": "y"}'
            ),
        )
        assert job.after(11)["reason"] == "stale"

    def test_run_that_is_not_there(self, hub, job):
        """A run that GitHub does not show is a warning."""
        assert job.after(404)["reason"] == "permission"

    def test_another_run_by_hand(self, hub, job):
        """Any run can be named, and is checked the same."""
        job.measured(11, samples.REGRESSION)
        environ = job.environ("workflow_dispatch", {}, GOTRACE_RUN_ID="11")
        assert job.comment(environ)["posted"] == "created"


class TestA11PullRequest:
    def test_fork(self, hub, job, fork):
        """The pull request of a fork is found by its branch, its commit and its repository."""
        hub.pull(2, sha=HEAD, head=fork)
        hub.pull(3, sha=OTHER, head=fork, branch="other")
        job.measured(11, samples.REGRESSION, head_repository=fork)
        assert job.after(11)["pull-request"] == "2"

    def test_same_branch_in_two_places(self, hub, job, fork):
        """A branch of the same name and commit in the repository itself is another pull request."""
        hub.pull(2, sha=HEAD, head=fork)
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["pull-request"] == "1"

    def test_recreated_fork(self, hub, job, fork):
        """A repository of the same name that was made anew is another one."""
        hub.pulls.clear()
        hub.pull(2, sha=HEAD, head=fork | {"id": 8003})
        job.measured(11, samples.REGRESSION, head_repository=fork)
        assert job.after(11)["reason"] == "stale"

    def test_head_of_nobody(self, hub, job, fork):
        """A pull request whose repository is gone is none of the run's."""
        hub.pulls.clear()
        hub.pull(2, sha=HEAD, head=fork)["head"]["repo"] = None
        job.measured(11, samples.REGRESSION, head_repository=fork)
        assert job.after(11)["reason"] == "stale"
        hub.violations.clear()  # GitHub's description says that this cannot be, and it is

    @pytest.mark.parametrize(
        "other",
        [{"state": "closed"}, {"head": "moved"}, {"base": "elsewhere"}],
        ids=["closed", "moved", "elsewhere"],
    )
    def test_stale(self, hub, job, fork, other):
        """A pull request that is closed, whose head moved on, or that is of another repository gets no comment."""
        (pull,) = hub.pulls
        if "state" in other:
            pull["state"] = "closed"
        elif "head" in other:
            pull["head"]["sha"] = OTHER
        else:
            pull["base"]["repo"] = pull["base"]["repo"] | {"id": 8002}
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["reason"] == "stale"
        assert hub.comments == []

    def test_artifact_names_another(self, hub, job):
        """A report that claims the base of another pull request is still posted to the run's own."""
        hub.pull(2, sha=OTHER, branch="other", base=hub.pulls[0]["base"] | {"sha": samples.BASE_SHA})
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["pull-request"] == "1"

    def test_two_of_one_commit(self, hub, job):
        """Of two pull requests with one head the report's base chooses; if it chooses none, neither gets a comment."""
        hub.pull(2, sha=HEAD)
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["reason"] == "ambiguous"
        assert hub.comments == []
        hub.pulls[1]["base"] = hub.pulls[1]["base"] | {"sha": samples.BASE_SHA}
        assert job.after(11)["pull-request"] == "2"

    def test_many_pages(self, hub, job, fork):
        """The pull request is found on the second page too."""
        hub.pulls.clear()
        for number in range(2, 102):
            hub.pull(number, sha=OTHER, head=fork)
        hub.pull(102, sha=HEAD, head=fork)
        job.measured(11, samples.REGRESSION, head_repository=fork)
        assert job.after(11)["pull-request"] == "102"

    def test_renamed_owner(self, hub, job):
        """Where the branch leads nowhere the commit is asked for, and held to the same."""
        renamed = hub.repository(8002, "new-name/till")
        hub.pulls.clear()
        hub.pull(2, sha=HEAD, head=renamed)
        job.measured(11, samples.REGRESSION, head_repository=hub.repository(8002, "old-name/till"))
        assert job.after(11)["pull-request"] == "2"

    @pytest.mark.parametrize("branch", ["a&state=closed", "a b", "ä/ö", "a#b?c=d", "$(id)", "::error::x"])
    def test_hostile_branch(self, hub, job, branch):
        """A branch may be called anything: it is one parameter of one question."""
        hub.pulls.clear()
        hub.pull(1, sha=HEAD, branch=branch)
        job.measured(11, samples.REGRESSION, head_branch=branch)
        assert job.after(11)["pull-request"] == "1"
        assert len(hub.asked("GET", "/pulls?")) == 1

    def test_event_lies(self, hub, job):
        """What the event says about the run beside its ID is not believed."""
        job.measured(11, samples.REGRESSION, event="push")
        told = {"id": 11, "event": "pull_request", "pull_requests": [{"number": 1}]}
        assert job.comment(job.environ("workflow_run", {"workflow_run": told}))["reason"] == "other-event"
