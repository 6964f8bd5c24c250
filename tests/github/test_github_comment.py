"""The sticky comment, from the event to the hub and back."""

from __future__ import annotations

import threading
from dataclasses import replace

import cmarkgfm
import pytest
import sample_reports as samples
from cmarkgfm.cmark import Options
from fakehub import TOKEN
from faults import refuses
from jobs import HEAD, Slept

from pytest_gotrace.comment import Marker, Sticky, marker_of
from pytest_gotrace.github import GitHub
from pytest_gotrace.githubtransport import Origin, Token

QUIET = replace(samples.GREEN, verdicts=(samples.WITHIN,))
IMPROVED = replace(samples.GREEN, verdicts=(samples.IMPROVED,))
UNDECIDED = replace(
    samples.GREEN, verdicts=(replace(samples.WITHIN, outcome="inconclusive"),), on_inconclusive="warn"
)


def marked(run: int, text: str = "old", key: str = "default", attempt: int = 1) -> str:
    """A comment as we would have written it."""
    return f"{Marker(key=key, run=run, attempt=attempt)}\n{text}"


class TestOneComment:
    def test_created_then_edited(self, hub, job):
        """A regression makes one comment, the fix of it edits the same one, and posting that again changes nothing."""
        job.measured(11, samples.REGRESSION)
        first = job.after(11)
        assert first == {
            "posted": "created",
            "comment-id": "1001",
            "comment-url": "https://github.test/shop/till/pull/1#issuecomment-1001",
            "pull-request": "1",
            "reason": "",
        }
        (body,) = hub.bodies
        assert body.startswith("<!-- pytest-gotrace:v1 key=default run=11 attempt=1 -->\n")
        job.measured(12, samples.GREEN)
        assert job.after(12) == first | {"posted": "updated"}
        (body,) = hub.bodies
        assert body.startswith("<!-- pytest-gotrace:v1 key=default run=12 attempt=1 -->\n")
        assert job.after(12) == first | {"posted": "unchanged"}
        assert len(hub.asked("PATCH")) == 1
        assert {each.authorization for each in hub.seen} == {f"Bearer {TOKEN}"}

    def test_an_earlier_job_left_a_file(self, hub, job):
        """A report of the same workflow is posted to the pull request of the event, with this run's ID."""
        assert job.local(samples.REGRESSION)["posted"] == "created"
        assert marker_of(hub.bodies[0]) == Marker(key="default", run=9999, attempt=1)
        assert hub.asked("GET", "/actions/") == []

    def test_budget_of_requests(self, hub, job):
        """With 300 comments on the pull request a first comment takes ten requests, an edit eight."""
        for number in range(299):
            hub.comment(f"comment {number}", "somebody")
        job.measured(11, samples.REGRESSION)
        job.after(11)
        assert len(hub.seen) == 10
        job.measured(12, samples.GREEN)
        job.after(12)
        assert len(hub.seen) == 10 + 8

    def test_keys(self, hub, job):
        """Each key has a comment of its own, and one is not taken for the other."""
        for key in ("api", "api-2"):
            assert job.local(samples.REGRESSION, GOTRACE_KEY=key)["posted"] == "created"
        assert job.local(samples.GREEN, GOTRACE_KEY="api-2")["comment-id"] == "1002"
        assert [marker_of(body).key for body in hub.bodies] == ["api", "api-2"]

    def test_thousands_of_others(self, hub, job):
        """Ours is found among 5,000 comments, one of them by an account that is gone."""
        for number in range(2500):
            hub.comment(f"comment {number}", "somebody")
        hub.comment(marked(10), None)
        ours = hub.comment(marked(10))
        for number in range(2500):
            hub.comment(f"comment {number}", "somebody")
        answer = job.local(samples.REGRESSION)
        assert (answer["posted"], answer["comment-id"]) == ("updated", str(ours["id"]))
        assert len(hub.comments) == 5002

    def test_two_of_ours(self, hub, job):
        """Of two comments that we made the one of the newer run is kept and edited, the other one deleted."""
        hub.comment(marked(12, attempt=1))
        newest = hub.comment(marked(12, attempt=2))
        hub.comment(marked(3))
        assert job.local(samples.REGRESSION)["posted"] == "updated"
        assert [each["id"] for each in hub.comments] == [newest["id"]]

    def test_deleted_while_we_looked(self, hub, job):
        """A comment that somebody deletes after it was listed is made again."""
        hub.comment(marked(12))

        def gone(proceed):
            hub.comments.clear()
            return proceed()

        hub.fault("PATCH", "comments", gone)
        assert job.local(samples.REGRESSION)["posted"] == "created"
        assert len(hub.comments) == 1

    def test_a_large_report(self, hub, job):
        """1,000 benchmarks make one comment that GitHub surely takes, with the verdict and the link to the run."""
        job.measured(11, samples.large(1000, 1))
        assert job.after(11, GOTRACE_WHEN="always")["posted"] == "created"
        (body,) = hub.bodies
        assert 50_000 < len(body.encode()) <= 60_000
        assert "/shop/till/actions/runs/11/attempts/1)" in body

    def test_too_long(self, hub, job):
        """A server that takes less gets a shorter comment."""
        hub.most_bytes = 40_000
        assert job.local(samples.large(300, 1), GOTRACE_WHEN="always")["posted"] == "created"
        assert 20_000 < len(hub.bodies[0].encode()) <= 30_000

    def test_still_too_long(self, hub, job):
        """One that takes even less gets none, after two tries."""
        hub.most_bytes = 10
        answer = job.local(samples.large(300, 1), GOTRACE_WHEN="always")
        assert (answer["posted"], answer["reason"]) == ("skipped", "unavailable")
        assert len(hub.asked("POST")) == 2
        assert "too long" in job.output


class TestWhen:
    @pytest.mark.parametrize(
        ("when", "report", "posted"),
        [
            ("always", QUIET, "created"),
            ("changes", QUIET, "skipped"),
            ("changes", UNDECIDED, "skipped"),
            ("changes", replace(UNDECIDED, on_inconclusive="fail"), "created"),
            ("changes", IMPROVED, "created"),
            ("changes", samples.REGRESSION, "created"),
            ("changes", samples.BROKEN, "created"),
            ("regressions", IMPROVED, "skipped"),
            ("regressions", samples.REGRESSION, "created"),
            ("never", samples.REGRESSION, "skipped"),
        ],
    )
    def test_first_comment(self, hub, job, when, report, posted):
        """What is worth a new comment is as `when` says."""
        assert job.local(report, GOTRACE_WHEN=when)["posted"] == posted
        assert len(hub.comments) == (posted == "created")

    def test_default(self, hub, job):
        """Without a word a green report makes no comment, and the reason is told."""
        assert job.local(QUIET)["reason"] == "nothing-to-say"

    @pytest.mark.parametrize("when", ["always", "changes", "regressions"])
    def test_a_comment_that_is_there(self, hub, job, when):
        """A comment that is there is brought up to date, also when there is nothing to say."""
        hub.comment(marked(12))
        assert job.local(QUIET, GOTRACE_WHEN=when)["posted"] == "updated"
        assert marker_of(hub.bodies[0]).run == 9999

    def test_never(self, hub, job):
        """With `never` GitHub is not even asked."""
        assert job.local(samples.REGRESSION, GOTRACE_WHEN="never")["reason"] == "never"
        assert hub.seen == []

    def test_delete(self, hub, job):
        """Ours are deleted, whatever run they are of, and nobody else's."""
        kept = [hub.comment(marked(12, key="other")), hub.comment(marked(12), "stranger")]
        for run in (12, 99999):
            hub.comment(marked(run))
        assert job.local(samples.GREEN, GOTRACE_DELETE="true")["posted"] == "deleted"
        assert hub.comments == kept
        again = job.local(samples.GREEN, GOTRACE_DELETE="true")
        assert (again["posted"], again["reason"]) == ("skipped", "no-comment")

    def test_delete_needs_no_report(self, hub, job):
        """After a run that left nothing the comment can still be removed."""
        hub.comment(marked(3))
        hub.run(11, sha=HEAD)
        assert job.after(11, GOTRACE_DELETE="True")["posted"] == "deleted"


class TestA12MarkerSpoofing:
    @pytest.mark.parametrize("author", [None, "stranger", "other[bot]", "github-actions"])
    def test_somebody_else(self, hub, job, author):
        """Our marker in somebody else's comment, or a ghost's, is left alone."""
        spoof = hub.comment(marked(99999), author)["body"]
        assert job.local(samples.REGRESSION)["posted"] == "created"
        assert hub.bodies[0] == spoof
        assert len(hub.asked("PATCH")) == 0

    @pytest.mark.parametrize(
        "body",
        [
            f"quoted:\n{Marker(key='default', run=99999, attempt=1)}",
            f"> {Marker(key='default', run=99999, attempt=1)}",
            f"{Marker(key='default', run=99999, attempt=1)} and more",
            f" {Marker(key='default', run=99999, attempt=1)}",
            "<!-- pytest-gotrace:v2 key=default run=1 attempt=1 -->",
            "<!-- pytest-gotrace:v1 key=default run=-1 attempt=1 -->",
            "<!-- pytest-gotrace:v1 key=default run=\uff11 attempt=1 -->",
            "",
        ],
    )
    def test_a_marker_that_is_none(self, hub, job, body):
        """Only the whole first line is a marker."""
        hub.comment(body)
        assert job.local(samples.REGRESSION)["posted"] == "created"
        assert hub.bodies[0] == body

    def test_line_ends(self, hub, job):
        """A body that GitHub gives back with other line ends is still ours, and still the same."""
        job.local(samples.REGRESSION)
        hub.comments[0]["body"] = hub.comments[0]["body"].replace("\n", "\r\n").rstrip()
        assert job.local(samples.REGRESSION)["posted"] == "unchanged"

    def test_a_token_of_a_person(self, hub, job):
        """A token that may ask whose it is finds that person's comment again, without being told."""
        hub.login = "Ada"
        assert job.local(samples.REGRESSION)["posted"] == "created"
        hub.login = "ada"
        assert job.local(samples.GREEN)["posted"] == "updated"
        assert len(hub.comments) == 1

    def test_a_token_of_an_app(self, hub, job):
        """An app's comment is found by the name that is configured, and GitHub is not asked for another."""
        hub.comment(marked(12), "our-app[bot]")
        assert job.local(samples.GREEN, GOTRACE_COMMENT_AUTHOR="our-app[bot]")["posted"] == "updated"
        assert hub.asked("GET", "/user") == []

    def test_a_token_of_an_app_that_nobody_named(self, hub, job):
        """Where nobody said whose comments they are, the new one replaces the old: there is still one."""
        hub.poster = "our-app[bot]"
        hub.comment(marked(3), "stranger")
        assert job.local(samples.REGRESSION)["posted"] == "created"
        for number in range(200):
            hub.comment(f"comment {number}", "somebody")
        assert job.local(samples.GREEN)["posted"] == "created"
        assert sum("pytest-gotrace:v1" in body for body in hub.bodies) == 2


class TestA13OldRuns:
    def test_out_of_order(self, hub, job):
        """A run that finishes late does not overwrite what a newer one said, also not by a second attempt."""
        job.measured(12, samples.REGRESSION)
        job.after(12)
        body = hub.bodies
        job.measured(11, samples.GREEN, run_attempt=2)
        late = job.after(11)
        assert (late["posted"], late["reason"], late["comment-id"]) == ("skipped", "older-run", "1001")
        assert hub.bodies == body

    def test_second_attempt(self, hub, job):
        """A second attempt of the same run overwrites the first."""
        job.measured(12, samples.REGRESSION)
        job.after(12)
        hub.run(12, sha=HEAD, run_attempt=2)
        assert job.after(12)["posted"] == "updated"
        assert marker_of(hub.bodies[0]).attempt == 2

    def test_two_at_once(self, hub):
        """Two runs that both found no comment, and both made one, leave the newer run's alone."""
        both_listed = threading.Barrier(2)

        def together(proceed):
            answer = proceed()
            both_listed.wait(20)
            return answer

        hub.fault("GET", "/user", together, together)
        threads = [
            threading.Thread(target=_post, args=(hub, run), name=f"run {run}", daemon=True)
            for run in (21, 22)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(hub.asked("POST")) == 2
        assert [marker_of(body).run for body in hub.bodies] == [22]

    def test_many_at_once(self, hub):
        """However many runs post at once, one comment is left."""
        threads = [threading.Thread(target=_post, args=(hub, run), daemon=True) for run in range(30, 36)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        _post(hub, 36)
        assert [marker_of(body).run for body in hub.bodies] == [36]


def _post(hub, run):
    github = GitHub(Origin(hub.url), "shop/till", Token(TOKEN), clock=Slept().clock)
    marker = Marker(key="default", run=run, attempt=1)
    Sticky(github=github, number=1, key="default").post(marker, lambda size: f"run {run}", speak=True)


class TestA6Markdown:
    HOSTILE = (
        "@everyone <img src=x onerror=alert(1)>",
        "#1 https://evil.test [x](https://evil.test)",
        "`|\n\n# title\n```\n</details>",
        f"\n{Marker(key='default', run=99999, attempt=1)}",
        "evil/repo--><script>",
    )

    @pytest.mark.parametrize("name", HOSTILE)
    def test_names(self, hub, job, name):
        """Whatever a fork calls itself, its benchmarks and its reasons, no tag, link or mention of it is posted."""
        over = next(each for each in samples.REGRESSION.verdicts if each.outcome == "over")
        entry = replace(over, benchmark=name, reason=name, warnings=(name,))
        report = replace(samples.REGRESSION, verdicts=(entry,), warnings=(name,), notes=(name,), why=())
        hub.pulls.clear()
        fork = hub.repository(8002, "somebody/till") | {"full_name": name}
        hub.pull(1, sha=HEAD, head=fork)
        job.measured(11, report, head_repository=fork)
        assert job.after(11)["posted"] == "created"
        (body,) = hub.bodies
        assert body.count("<!--") == 1 or "`" in body
        html = cmarkgfm.github_flavored_markdown_to_html(body, Options.CMARK_OPT_UNSAFE)
        outside = _outside_code(html)
        for trace in ("<img", "<script", "evil", "@everyone", "#1", "run=99999"):
            assert trace not in outside

    def test_fork(self, hub, job):
        """A comment of a fork's numbers says so; that of the repository itself does not."""
        job.local(samples.REGRESSION)
        assert "not verified" not in hub.bodies[0]
        fork = hub.repository(8002, "somebody/till")
        hub.pulls.clear()
        hub.pull(2, sha=HEAD, head=fork)
        job.measured(11_000, samples.REGRESSION, head_repository=fork)
        assert job.after(11_000)["posted"] == "updated"
        assert (
            "Numbers, names and commands above come from code of `somebody/till`, a fork, and are not verified."
            in hub.bodies[0]
        )


def _outside_code(html: str) -> str:
    """The page without what stands in code, where nothing is a mention or a link."""
    while (begin := html.find("<code")) >= 0:
        html = html[:begin] + html[html.index("</code>", begin) + 7 :]
    return html


def test_marker_order():
    """Markers of one key are ordered by run and then by attempt, and read back as they were written."""
    markers = [Marker(key="a", run=run, attempt=attempt) for run, attempt in ((2, 1), (2, 2), (10, 1))]
    assert sorted(reversed(markers)) == markers
    assert [marker_of(f"{marker}\n") for marker in markers] == markers


def test_locked(hub, job):
    """A conversation that is locked is a warning, and nothing else."""
    hub.fault("POST", "comments", refuses(403, "Unable to create comment because issue is locked."))
    assert job.local(samples.REGRESSION)["reason"] == "permission"
    assert "issue is locked" in job.output
