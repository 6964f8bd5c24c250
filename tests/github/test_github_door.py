"""The door itself: its inputs, its outputs, what it says, and what it never does."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
import runnerfiles
import sample_reports as samples
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fakehub import TOKEN, Hub, serving
from faults import refuses
from jobs import HEAD, Job

from pytest_gotrace import event, inputs, posted
from pytest_gotrace.errors import UsageError
from pytest_gotrace.githubtransport import Origin
from pytest_gotrace.posted import Posted


def gotrace(*arguments: str, environ: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as the action starts it, with the runner's variables and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    command = [sys.executable, "-I", "-m", "pytest_gotrace.cli", "comment", *arguments]
    return subprocess.run(command, env=kept | environ, cwd=cwd, capture_output=True, text=True, timeout=60)


class TestCommand:
    def test_whole_way(self, hub, job):
        """The command posts, writes its outputs, says one line, and ends with 0."""
        job.measured(11, samples.REGRESSION)
        environ = job.environ("workflow_run", {"workflow_run": {"id": 11}})
        done = gotrace(environ=environ, cwd=job.directory)
        assert (done.returncode, done.stderr) == (0, "")
        assert runnerfiles.commands(done.stdout) == ["notice"]
        assert runnerfiles.outputs(Path(environ["GITHUB_OUTPUT"]).read_text())["posted"] == "created"
        assert TOKEN not in done.stdout
        assert len(hub.comments) == 1

    def test_options(self, hub, job):
        """An option is stronger than its variable."""
        environ = job.environ("push", {}, GOTRACE_KEY="Not A Key", GOTRACE_WHEN="never")
        done = gotrace("--key=api", environ=environ, cwd=job.directory)
        assert (done.returncode, done.stderr) == (0, "")
        assert hub.seen == []

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"GOTRACE_DRY_RUN": "yes"}, "input dry-run: found 'yes', expected true or false"),
            ({"GOTRACE_TOKEN": ""}, "no token: set GOTRACE_TOKEN in the environment of this one step"),
            ({"GOTRACE_TOKEN": TOKEN + "\x7f"}, "the token is empty or holds a character that no token has"),
            ({"GITHUB_API_URL": "http://evil.test"}, "GITHUB_API_URL: found 'http://evil.test', expected"),
            ({"GITHUB_REPOSITORY": "../.."}, "GITHUB_REPOSITORY: found '../..', expected owner/name"),
            ({"GITHUB_EVENT_PATH": "/nowhere"}, "/nowhere: cannot read the event: No such file"),
            ({"GITHUB_RUN_ID": "x"}, "GITHUB_RUN_ID: found 'x', expected a number"),
            ({"GITHUB_SERVER_URL": "https://x)](y"}, "GITHUB_SERVER_URL: found 'https://x)](y', expected"),
            ({"GITHUB_API_URL": ""}, "GITHUB_API_URL is not set"),
            ({}, "nothing to post: name a run (run-id) or a file (results)"),
        ],
    )
    def test_usage(self, hub, job, more, message):
        """What cannot work is one sentence that names it, and no request."""
        answer = job.comment(job.environ("push", {}) | more)
        assert answer["error"] == "UsageError"
        assert answer["message"].startswith(message)
        assert "\n" not in answer["message"]
        assert hub.seen == []

    def test_usage_is_4(self, hub, job):
        """A wrong input ends the command with 4 and one line, which does not show the token."""
        done = gotrace(environ=job.environ("push", {}, GOTRACE_DELETE="yes"), cwd=job.directory)
        assert done.returncode == 4
        assert done.stderr == "gotrace: input delete: found 'yes', expected true or false\n"
        assert done.stdout == ""

    @pytest.mark.parametrize("payload", ["", "[]", "[" * 100_000, '{"a":'])
    def test_no_event(self, hub, job, payload):
        """A file that is no event is refused."""
        environ = job.environ("push", {})
        Path(environ["GITHUB_EVENT_PATH"]).write_text(payload)
        assert job.comment(environ)["message"].endswith("this is no event of GitHub")

    def test_required(self, hub, job):
        """Where the comment is required a refusal is an error of its own, exit code 3."""
        hub.read_only = True
        job.measured(11, samples.REGRESSION)
        environ = job.environ("workflow_run", {"workflow_run": {"id": 11}}, GOTRACE_COMMENT_REQUIRED="true")
        done = gotrace(environ=environ, cwd=job.directory)
        assert done.returncode == 3
        assert done.stderr.startswith("gotrace: GitHub answered 403: Resource not accessible by integration")
        assert runnerfiles.outputs(Path(environ["GITHUB_OUTPUT"]).read_text())["reason"] == "permission"


class TestInputs:
    def test_defaults(self):
        """Without a word the safe thing is done."""
        found = inputs.read({}, {})
        assert (found.run_id, found.artifact, found.when, found.key) == (
            0,
            "gotrace-result",
            "changes",
            "default",
        )
        assert [found.delete, found.dry_run, found.comment_required] == [False, False, False]

    @pytest.mark.parametrize("name", inputs.INPUTS)
    def test_variable_and_option(self, name):
        """Each input is an option and a variable, and the option is stronger."""
        example = {
            "when": ("never", "always"),
            "workflow-path": (".github/workflows/a.yml", ".github/workflows/b.yml"),
        }
        numbers = name in ("run-id", "max-artifact-kb")
        switch = inputs.INPUTS[name].default == "false"
        first, second = example.get(
            name, ("7", "8") if numbers else ("true", "FALSE") if switch else ("a", "b")
        )
        read = inputs.INPUTS[name].read
        field = name.replace("-", "_")
        assert getattr(inputs.read({}, {inputs.variable(name): first}), field) == read(first)
        both = inputs.read({name: second}, {inputs.variable(name): first})
        assert getattr(both, field) == read(second)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("delete", "yes"),
            ("delete", "tRUE"),
            ("dry-run", "1"),
            ("key", "A"),
            ("key", "a--b"),
            ("key", "-a"),
            ("key", "a" * 41),
            ("key", "a -->"),
            ("key", "a\nb"),
            ("when", "Always"),
            ("run-id", "-1"),
            ("run-id", "1.5"),
            ("run-id", "9" * 20),
            ("max-artifact-kb", "0"),
            ("artifact", "../x"),
            ("workflow-path", "gotrace.yml"),
            ("workflow-path", ".github/workflows/../x.yml"),
            ("comment-author", "a b"),
        ],
    )
    def test_refused(self, name, text):
        """An answer that is none is refused by name, never taken for a default."""
        with pytest.raises(UsageError, match=f"input {name}: found .*, expected "):
            inputs.read({name: text}, {})


class TestA8Outputs:
    @pytest.mark.parametrize("url", ["x", "a\nposted=created", "a\nb<<c\nd\nc", "a=b", "gotrace-\n", "<<"])
    def test_values(self, tmp_path, url):
        """Whatever a value is, the runner reads back these five outputs and no other."""
        given = Posted(done="skipped", reason="stale", url=url, comment=3)
        environ = {"GITHUB_OUTPUT": str(tmp_path / "output")}
        (tmp_path / "output").write_text("before=1\n")
        posted.write(given, environ)
        read = runnerfiles.outputs((tmp_path / "output").read_text())
        assert read == {"before": "1", **given.outputs()}
        assert read["posted"] == "skipped"

    def test_no_file(self, tmp_path, monkeypatch):
        """Without a file for outputs none is written; one that cannot be written is an error."""
        monkeypatch.chdir(tmp_path)
        posted.write(Posted(done="created"), {})
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(UsageError, match="cannot write the outputs"):
            posted.write(Posted(done="created"), {"GITHUB_OUTPUT": str(tmp_path)})


class TestA5Commands:
    @pytest.mark.parametrize(
        "name",
        [
            "::set-env name=X::y",
            "x\n::error::y",
            "##[add-path]/tmp",
            "x %0A::error::y",
            "\r::stop-commands::z",
            " ::a::b",
        ],
    )
    def test_names(self, hub, job, name):
        """Whatever GitHub, a fork or a zip says, the runner obeys our own notice, warning or error and nothing else."""
        hub.fault("GET", "/comments", refuses(403, name))
        job.local(samples.REGRESSION)
        fork = hub.repository(8002, "somebody/till") | {"full_name": name}
        hub.pull(2, sha=HEAD, head=fork, branch=name)
        job.measured(
            11, replace(samples.REGRESSION, warnings=(name,)), head_repository=fork, head_branch=name
        )
        job.after(11)
        assert runnerfiles.commands(job.output) == ["warning", "notice"]

    def test_outside_a_runner(self, hub, job):
        """Without a runner nothing that looks like a command is printed."""
        job.measured(11, samples.REGRESSION)
        environ = job.environ("workflow_run", {"workflow_run": {"id": 11}}, GITHUB_ACTIONS="")
        job.comment(environ)
        assert job.output.startswith("gotrace: comment created https://github.test/")
        assert runnerfiles.commands(job.output) == []


class TestDryRun:
    def test_file(self, hub, job):
        """A dry run of a file shows the report in the step summary, without a token and without a request."""
        answer = job.local(samples.REGRESSION, GOTRACE_DRY_RUN="true", GOTRACE_TOKEN="")
        assert (answer["posted"], answer["reason"]) == ("skipped", "dry-run")
        assert "over budget" in (job.directory / "summary.md").read_text()
        assert hub.seen == []

    def test_run(self, hub, job):
        """A dry run of a run reads it, and writes nothing to GitHub."""
        job.measured(11, samples.REGRESSION)
        assert job.after(11, GOTRACE_DRY_RUN="true")["reason"] == "dry-run"
        assert {each.method for each in hub.seen} == {"GET"}
        assert hub.comments == []


class TestEvents:
    @pytest.mark.parametrize(
        "event", ["push", "merge_group", "schedule", "workflow_dispatch", "issue_comment"]
    )
    def test_no_pull_request(self, hub, job, event):
        """On an event without a pull request of its own nothing is posted, also if its payload names one."""
        path = job.directory / "report.json"
        path.write_text("{}")
        environ = job.environ(
            event, {"pull_request": {"number": 1}}, GOTRACE_RESULTS=str(path), GOTRACE_DELETE="true"
        )
        assert job.comment(environ)["reason"] == "no-pull-request"
        assert hub.seen == []

    def test_fork_that_is_gone(self, hub, job):
        """A pull request whose repository is gone is a fork's."""
        path = job.directory / "report.json"
        job.local(samples.REGRESSION)
        pull = {"number": 1, "head": {"repo": None}}
        job.comment(job.environ("pull_request", {"pull_request": pull}, GOTRACE_RESULTS=str(path)))
        assert "code of `?`, a fork" in hub.bodies[0]


def test_enterprise_server(tmp_path, capsys):
    """On an Enterprise Server every request stays below `/api/v3`, and fits that server's own description."""
    with serving(Hub(prefix="/api/v3", slice="ghes")) as hub:
        hub.pull(1, sha=HEAD)
        job = Job(hub, tmp_path, capsys)
        job.measured(11, samples.REGRESSION)
        assert job.after(11)["posted"] == "created"
        job.measured(12, samples.GREEN)
        assert job.after(12)["posted"] == "updated"
        assert job.after(12, GOTRACE_DELETE="true")["posted"] == "deleted"
        assert hub.violations == []
        assert len(hub.seen) > 10


def test_tenant_on_ghe_com(hub, job):
    """With data residency the token may go to the tenant's own API alone, and links lead to the tenant's own server."""
    job.measured(11, samples.REGRESSION)
    server, api = "https://octo.ghe.com", "https://api.octo.ghe.com"
    environ = job.environ("push", {}, GITHUB_API_URL=api, GITHUB_SERVER_URL=server)
    happened = event.read(environ)
    origin = Origin(happened.api_url)
    assert (origin.url, happened.server_url) == (api, server)
    assert origin.holds(f"{api}/repos/shop/till/pulls/1")
    for other in (server, f"{server}/api/v3", "https://api.github.com", "https://api.other.ghe.com"):
        assert not origin.holds(f"{other}/repos/shop/till/pulls/1")
    assert job.after(11, GITHUB_SERVER_URL=server)["posted"] == "created"
    assert f"({server}/shop/till/actions/runs/11/attempts/1)" in hub.bodies[0]


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate of its own for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.now(timezone.utc) - timedelta(days=1)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = directory / "certificate.pem", directory / "key.pem"
    pem.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, secret


def test_https(tmp_path, capsys, monkeypatch):
    """Over https both the API and the download are trusted if their certificate is, and not otherwise."""
    pem, key = certificate(tmp_path)
    with serving(Hub(), (pem, key)) as hub:
        hub.pull(1, sha=HEAD)
        job = Job(hub, tmp_path, capsys)
        job.measured(11, samples.REGRESSION)
        assert hub.url.startswith("https://")
        assert job.after(11)["reason"] == "unavailable"
        assert hub.seen == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        assert job.after(11)["posted"] == "created"


class TestA18Isolation:
    def test_nothing_is_started(self, hub, job):
        """The whole way loads no compiled core, no numbers' library, no pytest, and starts no program."""
        job.measured(11, samples.REGRESSION)
        environ = job.environ("workflow_run", {"workflow_run": {"id": 11}})
        program = (
            "import sys\n"
            "started = []\n"
            "sys.addaudithook(lambda name, _: started.append(name) if name in"
            " ('subprocess.Popen', 'os.system', 'os.exec', 'os.fork', 'os.posix_spawn') else None)\n"
            "from pytest_gotrace.cli import main\n"
            "assert main(['comment']) == 0\n"
            "print(started, *sys.modules)"
        )
        kept = {"PATH": os.environ["PATH"]}
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            env=kept | environ,
            capture_output=True,
            text=True,
            check=True,
        )
        started, *loaded = done.stdout.splitlines()[-1].split()
        assert started == "[]"
        assert "pytest_gotrace.github" in loaded
        outside = {"numpy", "scipy", "yaml", "pytest", "_pytest", "rich", "cython", "Cython"}
        assert not outside & {name.partition(".")[0] for name in loaded}
        assert not {
            name for name in loaded if name.startswith(("pytest_gotrace.trace", "pytest_gotrace.stats"))
        }
        assert len(hub.comments) == 1

    def test_shadows(self, hub, job):
        """Modules of the workspace that have the names of ours or of what we use are not imported."""
        workspace = job.directory / "workspace"
        workspace.mkdir()
        for name in ("requests", "github3", "json", "jinja2", "sitecustomize", "pytest_gotrace", "conftest"):
            (workspace / f"{name}.py").write_text("raise SystemExit('shadow')\n")
        job.measured(11, samples.REGRESSION)
        environ = job.environ("workflow_run", {"workflow_run": {"id": 11}}, PYTHONPATH=str(workspace))
        done = gotrace(environ=environ, cwd=workspace)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(hub.comments) == 1

    def test_without_the_extra(self):
        """Where github3.py is not installed the sentence says how to install it."""
        program = (
            "import sys; sys.modules['github3'] = None\n"
            "from pytest_gotrace.cli import main; sys.exit(main(['comment']))"
        )
        done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
        assert done.returncode == 4
        assert (
            done.stderr
            == "gotrace: `gotrace comment` needs github3.py: pip install 'pytest-gotrace[github]'\n"
        )
