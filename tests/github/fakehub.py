"""GitHub as `gotrace comment` sees it: a server with state, held to GitHub's own description of its API.

Each request and each answer is validated; what does not fit is a violation, and a test that leaves one fails. Downloads
come from a second server, as they do from GitHub.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import flask
from openapi_core import OpenAPI
from openapi_core.contrib.flask import FlaskOpenAPIRequest, FlaskOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from werkzeug.serving import WSGIRequestHandler, make_server

HERE = Path(__file__).parent
TOKEN = "ghs_" + "T0k3n" * 7
ACTIONS = "github-actions[bot]"
REPOSITORY = "shop/till"
REPOSITORY_ID = 7001
BEGIN = datetime(2026, 1, 1)

#: Statuses that the description leaves out, and GitHub answers all the same.
_ANYWHERE = frozenset({400, 401, 403, 404, 410, 422, 429, 500, 502, 503})

#: A fault gets what would do the work, and answers in its place.
Fault = Callable[[Callable[[], flask.Response]], flask.Response]


@cache
def description(name: str, prefix: str) -> tuple[dict[str, Any], OpenAPI]:
    """The slice `name` as JSON, and as something that validates below `prefix`."""
    found = json.loads(gzip.decompress((HERE / "openapi" / f"{name}.json.gz").read_bytes()))
    found["servers"] = [{"url": prefix or "/"}]
    return found, OpenAPI.from_dict(found)


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """A request as it arrived; `path` is without the prefix of the API."""

    method: str
    path: str
    authorization: str | None
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Hub:
    """The state of one repository, and everything that was asked."""

    prefix: str = ""
    slice: str = "github"
    read_only: bool = False
    login: str = ""
    poster: str = ACTIONS
    most_bytes: int = 262_144
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    artifacts: dict[int, tuple[int, dict[str, Any], bytes]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    downloads: list[Mapping[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    file_fault: Fault | None = None
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    files: str = ""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.next_id = 1000

    def reset(self) -> None:
        """Empty again, at the same address."""
        self.over.set()
        kept = ("prefix", "slice", "url", "files")
        self.__init__(**{name: getattr(self, name) for name in kept})  # type: ignore[misc]

    # -- what a test puts in

    def comment(self, body: str, author: str | None = ACTIONS) -> dict[str, Any]:
        """A comment that is there already; an author of None is a ghost."""
        with self.lock:
            self.next_id += 1
            number, at = self.next_id, stamp(self.next_id)
            made = self.blank("issue-comment") | {
                "id": number,
                "body": body,
                "user": None if author is None else self.person(author),
                "html_url": f"https://github.test/{REPOSITORY}/pull/1#issuecomment-{number}",
                "url": f"{self.url}/repos/{REPOSITORY}/issues/comments/{number}",
                "created_at": at,
                "updated_at": at,
            }
            self.comments.append(made)
            return made

    def person(self, login: str) -> dict[str, Any]:
        """A user in as much detail as the description wants."""
        return self.blank("nullable-simple-user") | {"login": login, "id": 1}

    def repository(self, number: int = REPOSITORY_ID, name: str = REPOSITORY) -> dict[str, Any]:
        """A repository in as much detail as a run has."""
        owner, _, short = name.partition("/")
        return self.blank("minimal-repository") | {
            "id": number,
            "name": short,
            "full_name": name,
            "owner": self.person(owner),
        }

    def run(self, number: int, *, sha: str, branch: str = "fix", **other: Any) -> dict[str, Any]:
        """A finished run of a pull request."""
        made = self.blank("workflow-run") | {
            "id": number,
            "run_attempt": 1,
            "event": "pull_request",
            "head_sha": sha,
            "head_branch": branch,
            "path": ".github/workflows/gotrace.yml",
            "repository": self.repository(),
            "head_repository": self.repository(),
            "pull_requests": [],
        }
        self.runs[number] = made | other
        return self.runs[number]

    def pull(
        self, number: int, *, sha: str, branch: str = "fix", head: dict[str, Any] | None = None, **other: Any
    ) -> dict[str, Any]:
        """An open pull request from branch `branch` of repository `head`."""
        head = head or self.repository()
        made = self.blank("pull-request-simple") | {
            "number": number,
            "state": "open",
            "head": {
                "label": f"{head['owner']['login']}:{branch}",
                "ref": branch,
                "sha": sha,
                "repo": self.blank("repository") | head,
                "user": head["owner"],
            },
            "base": {
                "label": "shop:main",
                "ref": "main",
                "sha": "b" * 40,
                "repo": self.blank("repository") | self.repository(),
                "user": self.person("shop"),
            },
        }
        self.pulls.append(made | other)
        return self.pulls[-1]

    def artifact(self, run: int, data: bytes, name: str = "gotrace-result", **other: Any) -> int:
        """What a run left behind."""
        number = len(self.artifacts) + 501
        made = self.blank("artifact") | {
            "id": number,
            "name": name,
            "size_in_bytes": len(data),
            "expired": False,
        }
        self.artifacts[number] = (run, made | other, data)
        return number

    def fault(self, method: str, part: str, *faults: Fault) -> None:
        """The next requests of `method` with `part` in their path fail, each as told."""
        self.faults += [(method, part, fault) for fault in faults]

    # -- what a test looks at

    @property
    def bodies(self) -> list[str]:
        return [each["body"] for each in self.comments]

    def asked(self, method: str, part: str = "") -> list[Seen]:
        """The requests of a method whose path has `part` in it."""
        return [each for each in self.seen if each.method == method and part in each.path]

    # -- how an answer is made

    def blank(self, schema: str) -> dict[str, Any]:
        """The least that fits a schema of the description."""
        return dict(_blank(self.slice, schema))

    def page(self, found: list[Any], key: str | None = None) -> flask.Response:
        """One page of a list, with the `Link` header that leads to the next."""
        size = int(flask.request.args.get("per_page", 30))
        number = int(flask.request.args.get("page", 1))
        part = found[(number - 1) * size : number * size]
        answer = flask.jsonify({"total_count": len(found), key: part} if key else part)
        # Thousands that were made alike are looked at once, on the first page and the last.
        flask.g.alike = len(found) > 1000 and 1 < number < len(found) / size
        if number * size < len(found):
            following = dict(flask.request.args) | {"page": str(number + 1)}
            url = f"{flask.request.base_url}?{'&'.join(f'{k}={v}' for k, v in following.items())}"
            answer.headers["Link"] = f'<{url}>; rel="next"'
        return answer


def stamp(minutes: int) -> str:
    """A time as GitHub writes it; everything here happens a minute after what was before."""
    return (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _blank(slice_: str, schema: str) -> dict[str, Any]:
    whole = description(slice_, "")[0]
    return sample(whole, whole["components"]["schemas"][schema])


def sample(whole: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The least value that fits: required fields alone, empty lists, the first of an enumeration."""
    if "$ref" in schema:
        return sample(whole, whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.get("nullable"):
        return None if schema.get("type") != "object" else _object(whole, schema)
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return sample(whole, schema[choice][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        return _object(whole, schema)
    texts = {"date-time": stamp(0), "uri": "https://github.test/", "email": "a@github.test"}
    plain = {"array": [], "integer": 1, "number": 1, "boolean": False}
    return plain.get(schema.get("type", ""), texts.get(schema.get("format", ""), "x"))


def _object(whole: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {name: sample(whole, schema["properties"][name]) for name in schema.get("required", ())}


def told(status: int, message: str) -> flask.Response:
    answer = flask.jsonify({"message": message, "documentation_url": "https://docs.github.test/rest"})
    answer.status_code = status
    return answer


def _app(hub: Hub) -> flask.Flask:
    app = flask.Flask("fakehub")
    spec = description(hub.slice, hub.prefix)[1]

    def route(rule: str, method: str) -> Callable[[Callable[..., flask.Response]], None]:
        def put(work: Callable[..., flask.Response]) -> None:
            def answered(**names: Any) -> flask.Response:
                return _guarded(hub, spec, lambda: work(**names))

            # openapi-core takes the names of a path's parameters from the rule.
            app.add_url_rule(rule, f"{method} {rule}", answered, methods=[method])

        return put

    repository = f"{hub.prefix}/repos/<owner>/<repo>"

    @route(f"{hub.prefix}/user", "GET")
    def user() -> flask.Response:
        if not hub.login:
            return told(403, "Resource not accessible by integration")
        return flask.jsonify(hub.blank("public-user") | {"login": hub.login, "user_view_type": "public"})

    @route(f"{repository}/issues/<int:issue_number>/comments", "GET")
    def listed(issue_number: int, **_: str) -> flask.Response:
        since = flask.request.args.get("since", "")
        return hub.page([each for each in hub.comments if each["updated_at"] > since])

    @route(f"{repository}/issues/<int:issue_number>/comments", "POST")
    def created(issue_number: int, **_: str) -> flask.Response:
        body = flask.request.get_json()["body"]
        if hub.read_only:
            return told(403, "Resource not accessible by integration")
        if len(body.encode()) > hub.most_bytes:
            return told(422, "Validation Failed: body is too long (maximum is 65536 characters)")
        answer = flask.jsonify(hub.comment(body, hub.login or hub.poster))
        answer.status_code = 201
        answer.headers["Location"] = "https://github.test/"
        return answer

    @route(f"{repository}/issues/comments/<int:comment_id>", "PATCH")
    def edited(comment_id: int, **_: str) -> flask.Response:
        body = flask.request.get_json()["body"]
        found = next((each for each in hub.comments if each["id"] == comment_id), None)
        if found is None:
            return told(404, "Not Found")
        if hub.read_only:
            return told(403, "Resource not accessible by integration")
        if len(body.encode()) > hub.most_bytes:
            return told(422, "Validation Failed: body is too long (maximum is 65536 characters)")
        found["body"] = body
        return flask.jsonify(found)

    @route(f"{repository}/issues/comments/<int:comment_id>", "DELETE")
    def deleted(comment_id: int, **_: str) -> flask.Response:
        found = next((each for each in hub.comments if each["id"] == comment_id), None)
        if found is None:
            return told(404, "Not Found")
        hub.comments.remove(found)
        return flask.Response(status=204)

    @route(f"{repository}/actions/runs/<int:run_id>", "GET")
    def run(run_id: int, **_: str) -> flask.Response:
        return flask.jsonify(hub.runs[run_id]) if run_id in hub.runs else told(404, "Not Found")

    @route(f"{repository}/actions/runs/<int:run_id>/artifacts", "GET")
    def artifacts(run_id: int, **_: str) -> flask.Response:
        name = flask.request.args.get("name")
        found = [each for run, each, _ in hub.artifacts.values() if run == run_id and each["name"] == name]
        return hub.page(found, "artifacts")

    @route(f"{repository}/actions/artifacts/<int:artifact_id>/<archive_format>", "GET")
    def archive(artifact_id: int, **_: str) -> flask.Response:
        address = f"{hub.files}/{artifact_id}?signature=secret"
        return flask.Response(status=302, headers={"Location": address})

    @route(f"{repository}/pulls", "GET")
    def pulls(**_: str) -> flask.Response:
        head = flask.request.args.get("head")
        return hub.page([each for each in hub.pulls if each["head"]["label"] == head and _open(each)])

    @route(f"{repository}/commits/<commit_sha>/pulls", "GET")
    def of_commit(commit_sha: str, **_: str) -> flask.Response:
        return hub.page([each for each in hub.pulls if each["head"]["sha"] == commit_sha])

    return app


def _open(pull: dict[str, Any]) -> bool:
    return pull["state"] == "open"


def _guarded(hub: Hub, spec: OpenAPI, work: Callable[[], flask.Response]) -> flask.Response:
    """An answer after every check: the token, the description, and the faults that a test asked for."""
    request = flask.request
    path = request.full_path.removeprefix(hub.prefix).removesuffix("?")
    seen = Seen(
        method=request.method,
        path=path,
        authorization=request.headers.get("Authorization"),
        headers=dict(request.headers),
    )
    with hub.lock:
        hub.seen.append(seen)
        fault = next((each for each in hub.faults if each[0] == seen.method and each[1] in path), None)
        if fault:
            hub.faults.remove(fault)
    if seen.authorization != f"Bearer {TOKEN}":
        return told(401, "Bad credentials")
    asked = FlaskOpenAPIRequest(request)
    try:
        spec.validate_request(asked)
    except OpenAPIError as error:
        hub.violations.append(f"request {seen}: {error!r} {error.__cause__!r}")

    def checked() -> flask.Response:
        with hub.lock:
            answer = work()
        if answer.status_code not in _ANYWHERE and not flask.g.get("alike"):
            try:
                spec.validate_response(asked, FlaskOpenAPIResponse(answer))
            except OpenAPIError as error:
                hub.violations.append(f"answer to {seen}: {error!r} {error.__cause__!r}")
        return answer

    return fault[2](checked) if fault else checked()


def _files(hub: Hub) -> flask.Flask:
    app = flask.Flask("files")

    @app.get("/<int:number>")
    def file(number: int) -> flask.Response:
        hub.downloads.append(dict(flask.request.headers))
        answer = flask.Response(hub.artifacts[number][2], mimetype="application/zip")
        return hub.file_fault(lambda: answer) if hub.file_fault else answer

    return app


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


@contextmanager
def serving(hub: Hub, certificate: tuple[Path, Path] | None = None) -> Iterator[Hub]:
    """The hub and its files on this machine, until the test is over; https with a certificate and its key."""
    secure = certificate and tuple(map(str, certificate))
    servers = [
        make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=secure)
        for app in (_app(hub), _files(hub))
    ]
    hub.url, hub.files = (
        f"http{'s' if secure else ''}://127.0.0.1:{server.server_port}" for server in servers
    )
    hub.url += hub.prefix
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
    for server, thread in zip(servers, threads, strict=True):
        server.daemon_threads = True
        thread.start()
    try:
        yield hub
    finally:
        hub.over.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
