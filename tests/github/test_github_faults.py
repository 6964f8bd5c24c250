"""What GitHub and the network can do to us: the answer is a warning or an exit code, and never a second comment."""

from __future__ import annotations

import pytest
import sample_reports as samples
from fakehub import TOKEN
from faults import cut, elsewhere, lost, page_of_html, refuses, says, silent
from jobs import Slept

from pytest_gotrace.errors import (
    GitHubLimitedError,
    GitHubPermissionError,
    GitHubUnavailableError,
    UsageError,
)
from pytest_gotrace.github import PATIENCE, GitHub, Origin, Token

#: Each fault, what becomes of a listing that meets it once, and once more and more.
READING = {
    "401": (lambda: refuses(401, "Bad credentials"), "permission", 1),
    "403": (lambda: refuses(403, "Resource not accessible by integration"), "permission", 1),
    "404": (lambda: refuses(404, "Not Found"), "permission", 1),
    "410": (lambda: refuses(410, "Gone"), "unavailable", 1),
    "500": (lambda: page_of_html(500), "unavailable", 1),
    "not JSON": (lambda: says(b"{"), "unavailable", 1),
    "an object": (lambda: says(b'{"a": 1}'), "unavailable", 1),
    "numbers": (lambda: says(b"[1, 2]"), "unavailable", 1),
    "no ID": (lambda: says(b'[{"body": "x"}]'), "unavailable", 1),
    "nothing": (lambda: says(b""), "unavailable", 1),
    "502": (lambda: page_of_html(502), "created", 2),
    "503": (lambda: page_of_html(503), "created", 2),
    "403 later": (lambda: refuses(403, "secondary rate limit", Retry_After="5"), "created", 2),
    "429 later": (lambda: refuses(429, "slow down", Retry_After="5"), "created", 2),
    "429": (lambda: refuses(429, "slow down"), "created", 2),
    "429 odd": (lambda: refuses(429, "slow down", Retry_After="soon"), "created", 2),
    "reset": (
        lambda: refuses(403, "rate limit", x_ratelimit_remaining="0", x_ratelimit_reset="1800000030"),
        "created",
        2,
    ),
    "lost": (lambda: lost(False), "created", 2),
    "cut": (lambda: cut, "created", 2),
}


@pytest.mark.parametrize(("fault", "outcome", "requests"), READING.values(), ids=READING)
def test_reading(hub, job, fault, outcome, requests):
    """What passes is waited for, what does not is a warning with exit code 0, and the reason is an output."""
    hub.fault("GET", "/comments", fault())
    answer = job.local(samples.REGRESSION)
    asked = [each for each in hub.asked("GET", "/comments") if "since" not in each.path]
    assert outcome in (answer["posted"], answer["reason"])
    assert len(asked) == requests
    assert len(hub.comments) == (outcome == "created")
    if outcome != "created":
        assert "::warning title=gotrace::no comment: GitHub " in job.output


@pytest.mark.parametrize(("fault", "outcome", "requests"), READING.values(), ids=READING)
def test_required(hub, job, fault, outcome, requests):
    """Where the comment is required, what does not pass in time ends with an error, and still writes its reason."""
    hub.fault("GET", "/comments", *([fault()] * 9))
    answer = job.local(samples.REGRESSION, GOTRACE_COMMENT_REQUIRED="true")
    limited = outcome == "created" and fault not in (
        READING[name][0] for name in ("502", "503", "lost", "cut")
    )
    assert answer["posted"] == "skipped"
    expected = "limited" if limited else outcome if outcome != "created" else "unavailable"
    assert answer["reason"] == expected
    assert answer["error"] == f"GitHub{expected.capitalize()}Error"
    assert len(hub.asked("GET", "/comments")) <= 4
    assert sum(job.time.slept) <= PATIENCE
    assert hub.comments == []


#: Faults of a new comment: what is posted, and how many POSTs there were.
WRITING = {
    "lost after": (lambda: lost(True), "created", 1),
    "lost before": (lambda: lost(False), "created", 2),
    "cut": (lambda: cut, "created", 1),
    "502": (lambda: page_of_html(502), "created", 2),
    "500": (lambda: page_of_html(500), "created", 2),
    "403 later": (lambda: refuses(403, "secondary rate limit", Retry_After="5"), "created", 2),
    "403": (lambda: refuses(403, "Resource not accessible by integration"), "permission", 1),
    "404": (lambda: refuses(404, "Not Found"), "permission", 1),
    "410": (lambda: refuses(410, "Gone"), "unavailable", 1),
    "far": (lambda: refuses(403, "rate limit", Retry_After="3600"), "limited", 1),
}


@pytest.mark.parametrize(("fault", "outcome", "posts"), WRITING.values(), ids=WRITING)
def test_creating(hub, job, fault, outcome, posts):
    """A new comment whose fate is unclear is looked for before another try: there are never two."""
    hub.fault("POST", "/comments", fault())
    answer = job.local(samples.REGRESSION)
    assert outcome in (answer["posted"], answer["reason"])
    assert len(hub.asked("POST")) == posts
    assert len(hub.comments) == (outcome == "created")
    last = hub.asked("POST")[-1]
    if posts == 2 and outcome == "created" and fault is not WRITING["403 later"][0]:
        between = hub.seen[hub.seen.index(hub.asked("POST")[0]) + 1 : hub.seen.index(last)]
        assert any(each.method == "GET" and "/comments" in each.path for each in between)


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

    def test_silence(self, hub):
        """A server that does not answer is given up on."""
        hub.fault("GET", "/comments", *([silent(hub)] * 9))
        github = self.client(hub, Slept(), timeouts=(1.0, 0.1))
        with pytest.raises(GitHubUnavailableError, match="GitHub did not answer"):
            list(github.comments(1))
        assert len(hub.seen) == 4

    def test_nobody_there(self, hub):
        """An address where nobody listens is unavailable."""
        github = GitHub(Origin("http://127.0.0.1:9"), "shop/till", Token(TOKEN), clock=Slept().clock)
        with pytest.raises(GitHubUnavailableError):
            github.get("actions", "runs", 1)

    def test_a_circle_of_pages(self, hub, monkeypatch):
        """Pages that lead to themselves end."""
        monkeypatch.setattr("pytest_gotrace.github.MOST_REQUESTS", 20)
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
