"""What GitHub and the network can do to us: the answer is a warning or an exit code, and never a second comment."""

from __future__ import annotations

import itertools

import pytest
import sample_reports as samples
from fakehub import TOKEN, Hub, serving
from faults import cut, elsewhere, lost, page_of_html, refuses, says, silent
from jobs import Slept

from pytest_gotrace.errors import (
    GitHubLimitedError,
    GitHubPermissionError,
    GitHubUnavailableError,
    UsageError,
)
from pytest_gotrace.github import GitHub
from pytest_gotrace.githubtransport import PATIENCE, Clock, Origin, Token

#: Each fault of a listing, which error it is, and whether it is one that passes.
READING = {
    "401": (refuses(401, "Bad credentials"), "permission", False),
    "403": (refuses(403, "Resource not accessible by integration"), "permission", False),
    "404": (refuses(404, "Not Found"), "permission", False),
    "410": (refuses(410, "Gone"), "unavailable", False),
    "500": (page_of_html(500), "unavailable", False),
    "not JSON": (says(b"{"), "unavailable", False),
    "an object": (says(b'{"a": 1}'), "unavailable", False),
    "numbers": (says(b"[1, 2]"), "unavailable", False),
    "no ID": (says(b'[{"body": "x"}]'), "unavailable", False),
    "nothing": (says(b""), "unavailable", False),
    "502": (page_of_html(502), "unavailable", True),
    "503": (page_of_html(503), "unavailable", True),
    "lost": (lost(False), "unavailable", True),
    "cut": (cut, "unavailable", True),
    "403 later": (refuses(403, "secondary rate limit", Retry_After="5"), "limited", True),
    "429 later": (refuses(429, "slow down", Retry_After="5"), "limited", True),
    "429": (refuses(429, "slow down"), "limited", True),
    "429 odd": (refuses(429, "slow down", Retry_After="soon"), "limited", True),
    "reset": (
        refuses(403, "rate limit", x_ratelimit_remaining="0", x_ratelimit_reset="1800000030"),
        "limited",
        True,
    ),
}


@pytest.mark.parametrize(("fault", "kind", "passes"), READING.values(), ids=READING)
def test_reading(hub, job, fault, kind, passes):
    """What passes is waited for, what does not is a warning with exit code 0, and the reason is an output."""
    hub.fault("GET", "/comments", fault)
    answer = job.local(samples.REGRESSION)
    asked = [each for each in hub.asked("GET", "/comments") if "since" not in each.path]
    assert (answer["posted"], answer["reason"]) == (("created", "") if passes else ("skipped", kind))
    assert len(asked) == 1 + passes
    assert len(hub.comments) == passes
    assert ("::warning title=gotrace::no comment: GitHub " in job.output) is not passes


@pytest.mark.parametrize(("fault", "kind", "passes"), READING.values(), ids=READING)
def test_required(hub, job, fault, kind, passes):
    """Where the comment is required, what does not pass in time ends with an error, and still writes its reason."""
    hub.fault("GET", "/comments", *([fault] * 9))
    answer = job.local(samples.REGRESSION, GOTRACE_COMMENT_REQUIRED="true")
    assert (answer["posted"], answer["reason"]) == ("skipped", kind)
    assert answer["error"] == f"GitHub{kind.capitalize()}Error"
    assert 1 + passes <= len(hub.asked("GET", "/comments")) <= 4
    assert sum(job.time.slept) <= PATIENCE
    assert hub.comments == []


#: Faults of a new comment: what becomes of it, and how comments are asked for and posted.
WRITING = {
    "lost after": (lost(True), "created", "GET POST GET GET"),
    "lost before": (lost(False), "created", "GET POST GET POST GET"),
    "cut": (cut, "created", "GET POST GET GET"),
    "502": (page_of_html(502), "created", "GET POST GET POST GET"),
    "500": (page_of_html(500), "created", "GET POST GET POST GET"),
    "403 later": (refuses(403, "secondary rate limit", Retry_After="5"), "created", "GET POST POST GET"),
    "403": (refuses(403, "Resource not accessible by integration"), "permission", "GET POST"),
    "404": (refuses(404, "Not Found"), "permission", "GET POST"),
    "410": (refuses(410, "Gone"), "unavailable", "GET POST"),
    "far": (refuses(403, "rate limit", Retry_After="3600"), "limited", "GET POST"),
}


@pytest.mark.parametrize(("fault", "outcome", "methods"), WRITING.values(), ids=WRITING)
def test_creating(hub, job, fault, outcome, methods):
    """A new comment whose fate is unclear is looked for before another try: there are never two."""
    hub.fault("POST", "/comments", fault)
    answer = job.local(samples.REGRESSION)
    assert outcome in (answer["posted"], answer["reason"])
    assert [each.method for each in hub.seen if "/comments" in each.path] == methods.split()
    assert len(hub.comments) == (outcome == "created")


@pytest.mark.parametrize(
    "fault", [lost(True), lost(False), cut, page_of_html(502)], ids=["after", "before", "cut", "502"]
)
def test_editing(hub, job, fault):
    """An edit may be made twice, as that is the same."""
    job.local(samples.REGRESSION)
    hub.fault("PATCH", "/comments", fault)
    assert job.local(samples.GREEN)["posted"] == "updated"
    assert len(hub.asked("PATCH")) == 2
    assert len(hub.comments) == 1


def test_deleting(hub, job):
    """A deletion that was done when the connection broke is done."""
    job.local(samples.REGRESSION)
    hub.fault("DELETE", "/comments", lost(True))
    assert job.local(samples.GREEN, GOTRACE_DELETE="true")["posted"] == "deleted"
    assert hub.comments == []


def test_read_only(hub, job):
    """The token of a fork's own run may only read: a warning that says what to look at, and exit code 0."""
    hub.read_only = True
    assert job.local(samples.REGRESSION)["reason"] == "permission"
    assert "Resource not accessible by integration; look at the `permissions` of the job" in job.output


class TestWaiting:
    def client(self, hub, time, **more):
        return GitHub(Origin(hub.url), "shop/till", Token(TOKEN), clock=time.clock, **more)

    def test_writes(self, hub):
        """Writes are at least a second apart, and reads are not held up."""
        time = Slept()
        github = self.client(hub, time)
        for _ in range(3):
            list(github.comments(1))
            github.create_comment(1, "hello")
        assert time.slept == [1.0, 1.0]

    @pytest.mark.parametrize(
        ("headers", "slept"),
        [
            ({"Retry_After": "7"}, [7.0]),
            ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1800000042"}, [42.0]),
            ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1"}, [1.0]),
            ({}, [60.0]),
        ],
    )
    def test_limits(self, hub, headers, slept):
        """A limit is waited for as long as GitHub says, and a minute where it does not say."""
        time = Slept()
        hub.fault("GET", "/comments", refuses(429, "slow down", **headers))
        assert list(self.client(hub, time).comments(1)) == []
        assert time.slept == slept

    def test_patience(self, hub):
        """All waiting together takes two minutes at most, also over several requests."""
        time = Slept()
        hub.fault("GET", "/comments", *([refuses(429, "slow down", Retry_After="50")] * 9))
        github = self.client(hub, time)
        with pytest.raises(GitHubLimitedError, match="slow down; too many requests for now"):
            list(github.comments(1))
        with pytest.raises(GitHubLimitedError):
            list(github.comments(1))
        assert time.slept == [50.0, 50.0]

    def test_silence(self):
        """A server that does not answer is given up on after four tries."""
        time = Slept()
        with serving(Hub()) as hub:
            hub.fault("GET", "/comments", *([silent(hub)] * 9))
            github = self.client(hub, time, timeouts=(5.0, 0.1))
            with pytest.raises(GitHubUnavailableError, match="GitHub did not answer"):
                list(github.comments(1))
        assert time.slept == [1.0, 2.0, 4.0]

    def test_nobody_there(self, hub):
        """An address where nobody listens is unavailable."""
        github = GitHub(Origin("http://127.0.0.1:9"), "shop/till", Token(TOKEN), clock=Slept().clock)
        with pytest.raises(GitHubUnavailableError):
            github.get("actions", "runs", 1)

    def test_a_circle_of_pages(self, hub, monkeypatch):
        """Pages that lead to themselves end."""
        monkeypatch.setattr("pytest_gotrace.githubtransport.MOST_REQUESTS", 20)
        hub.comment("x", "somebody")
        circle = elsewhere(f"{hub.url}/repos/shop/till/issues/1/comments?page=1")
        hub.fault("GET", "/comments", *([circle] * 1000))
        with pytest.raises(GitHubUnavailableError, match="too much to read"):
            list(self.client(hub, Slept()).comments(1))


class TestA14Token:
    def test_a_server_that_repeats_it(self, hub, job):
        """A token in GitHub's own words is not passed on."""
        hub.fault("GET", "/comments", refuses(403, f"Bad token {TOKEN}"))
        assert job.local(samples.REGRESSION)["reason"] == "permission"
        assert "GitHub answered 403: Bad token ***" in job.output

    def test_representation(self, hub):
        """What may end up in a traceback or a log shows no token; no error is chained to a request that has it."""
        token = Token(TOKEN)
        github = GitHub(Origin(hub.url), "shop/till", token, clock=Slept().clock)
        shown = repr([token, github, f"{token}", github._session.auth])
        assert "T0k3n" not in shown
        for path in ("403", "lost"):
            hub.fault("GET", "/runs", *([refuses(403) if path == "403" else lost(False)] * 9))
            with pytest.raises((GitHubPermissionError, GitHubUnavailableError)) as caught:
                github.get("actions", "runs", 1)
            hub.faults.clear()
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None or caught.value.__suppress_context__

    @pytest.mark.parametrize("text", ["", "a b", "a\nb", "ä"])
    def test_no_token(self, text):
        """A token that would not survive a header is refused, without being shown."""
        with pytest.raises(UsageError, match="the token is empty or holds a character that no token has"):
            Token(text)


class TestA15Hosts:
    @pytest.mark.parametrize("redirect", [False, True], ids=["link", "redirect"])
    @pytest.mark.parametrize("where", ["files", "https://evil.test", "http://evil.test", "user"])
    def test_elsewhere(self, hub, job, where, redirect):
        """A next page or a redirect to another host, scheme or port is not followed, and nobody sees the token."""
        place = {"files": hub.files, "user": hub.url.replace("http://", "http://x@")}.get(where, where)
        fault = says(b"", 302, Location=f"{place}/1") if redirect else elsewhere(f"{place}/1")
        hub.fault("GET", "/comments", fault)
        assert job.local(samples.REGRESSION)["reason"] == "unavailable"
        assert "GitHub's API pointed to an address outside itself; nothing was sent" in job.output
        assert hub.downloads == []
        assert hub.comments == []

    def test_a_renamed_repository(self, hub, job):
        """A redirect inside the API is followed."""
        place = f"{hub.url}/repos/shop/till/issues/1/comments?per_page=100&page=2"
        hub.fault("GET", "/comments", says(b"", 301, Location=place))
        assert job.local(samples.REGRESSION)["posted"] == "created"

    def test_download(self, hub, job):
        """The download is asked for once, without the token."""
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["posted"] == "created"
        (headers,) = hub.downloads
        assert "Authorization" not in headers
        assert TOKEN not in str(headers)

    def test_download_with_netrc(self, hub, job, monkeypatch):
        """Passwords of a `.netrc` go to neither place."""
        (job.directory / "netrc").write_text("machine 127.0.0.1 login ada password lovelace\n")
        monkeypatch.setenv("NETRC", str(job.directory / "netrc"))
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["posted"] == "created"
        assert "Authorization" not in hub.downloads[0]
        assert {each.authorization for each in hub.seen} == {f"Bearer {TOKEN}"}

    @pytest.mark.parametrize(
        ("fault", "message"),
        [
            (refuses(403), "the download was answered with 403"),
            (says(b"", 302, Location="https://evil.test/1"), "the download was answered with 302"),
            (lost(False), "GitHub did not answer"),
            (cut, "GitHub did not answer"),
        ],
        ids=["expired", "redirect", "lost", "cut"],
    )
    def test_download_fails(self, hub, job, fault, message):
        """A download that does not come at once and whole is a warning."""
        job.measured(11, samples.REGRESSION)
        hub.file_fault = fault
        assert job.after(11)["reason"] == "unavailable"
        assert message in job.output
        assert len(hub.downloads) == 1

    def test_download_takes_too_long(self, hub):
        """A download that trickles in is given up on."""
        number = hub.artifact(11, b"x" * 2**20)
        clock = Clock(steady=itertools.count(0, 20).__next__)
        github = GitHub(Origin(hub.url), "shop/till", Token(TOKEN), clock=clock)
        with pytest.raises(GitHubUnavailableError, match="the download took more than 60 s"):
            github.download("actions", "artifacts", number, "zip", limit=2**21)

    @pytest.mark.parametrize("status", [301, 302, 303])
    def test_a_write_that_moved(self, hub, job, status):
        """A redirect that would make a write into a read is not taken for its success."""
        place = f"{hub.url}/repos/shop/till/issues/comments/1001"
        job.local(samples.REGRESSION)
        for method in ("PATCH", "POST"):
            hub.fault(method, "/comments", says(b"", status, Location=place))
            assert job.local(samples.GREEN)["reason"] == "unavailable"
            hub.comments.clear()
        assert "GitHub moved what was to be changed; nothing was changed" in job.output

    @pytest.mark.parametrize(
        "place", ["http://evil.test/1", "ftp://evil.test/1", "//evil.test/1", "", "https://a@evil.test/1"]
    )
    def test_download_elsewhere(self, hub, job, place):
        """A download that is not plain https is not followed."""
        job.measured(11, samples.REGRESSION)
        hub.fault("GET", "/zip", says(b"", 302, Location=place))
        assert job.after(11)["reason"] == "unavailable"
        assert "a download that is not https; it was not followed" in job.output

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.github.com",
            "https://api.github.com/",
            "https://user@api.github.com",
            "https://api.github.com?x",
            "file:///etc",
            "api.github.com",
            "https://",
            "https://api.github.com\\@evil.test",
        ],
    )
    def test_origins_refused(self, url):
        """The address of an API is https, without user, question or slash at the end."""
        with pytest.raises(UsageError, match="GITHUB_API_URL"):
            Origin(url)

    @pytest.mark.parametrize(
        ("url", "inside"),
        [
            ("https://ghe.test/api/v3/repos/a/b", True),
            ("https://GHE.test/api/v3", True),
            ("https://ghe.test/api/v33/repos", False),
            ("https://ghe.test/api/v3/../../login", False),
            ("https://ghe.test/login", False),
            ("https://ghe.test:8443/api/v3/x", False),
            ("http://ghe.test/api/v3/x", False),
            ("https://ghe.test@evil.test/api/v3/x", False),
            ("https://ghe.test.evil.test/api/v3/x", False),
            ("https://evil.test\\@ghe.test/api/v3/x", False),
        ],
    )
    def test_inside(self, url, inside):
        """Only what lies below the address as it was given is inside."""
        assert Origin("https://ghe.test/api/v3").holds(url) is inside

    @pytest.mark.parametrize(
        "name", ["shop", "shop/till/x", "../x", "a/..", "a/b?c", "a/b#", "", "a b/c", "a/b\n"]
    )
    def test_repositories_refused(self, name):
        """A repository is an owner and a name."""
        with pytest.raises(UsageError, match="GITHUB_REPOSITORY"):
            GitHub(Origin("https://api.github.com"), name, Token(TOKEN))
