"""What the tests of the views share: traces of real programs, and what Go says about them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from oracle import TRUSTED_SINCE, Go, record

from pytest_gotrace.show import Question, load

HERE = Path(__file__).parent
#: Location, with whichever mapping; an unknown function is a frame that says nothing.
_LOCATION = re.compile(r"\s*(\d+): 0x[0-9a-f]+ (?:M=\d+ )?(.*?)(?::\d+)? s=\d+")
_SAMPLE = re.compile(r"\s*(\d+)\s+(\d+): ?([\d ]*)$")


@pytest.fixture(scope="session")
def go():
    command = shutil.which("go")
    if command is None:
        pytest.skip("no `go` command on PATH")
    return Go(command=command)


@pytest.fixture(scope="session")
def workload_trace(go, tmp_path_factory):
    """The trace of a scenario of the workload, each made once, on two processors of Go's wherever it is."""
    into = tmp_path_factory.mktemp("workload")
    workload = go.build_workload(into)
    made = {}

    def trace(scenario):
        if scenario not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("GOMAXPROCS", "2")
                made[scenario] = record(workload, scenario, into)
        return made[scenario]

    return trace


@pytest.fixture(scope="session")
def shop_trace(go, tmp_path_factory):
    """The trace of six requests, of which the fourth waits 200 ms for the database."""
    into = tmp_path_factory.mktemp("shop")
    go.run("build", "-o", str(into / "shop"), ".", cwd=HERE / "shop")
    subprocess.run((into / "shop", into / "shop.trace"), check=True, timeout=60)
    return into / "shop.trace"


@pytest.fixture
def shop_scope(shop_trace):
    """The trace of the shop, looked at as asked."""
    return lambda **asked: load(shop_trace, Question(**asked))


@pytest.fixture(scope="session")
def go_mutator(go, tmp_path_factory):
    """What Go's own `internal/trace` says about the mutator utilization of a trace."""
    if go.version < TRUSTED_SINCE:
        pytest.skip(f"the oracle needs Go 1.{TRUSTED_SINCE[1]} or newer, found 1.{go.version[1]}")
    into = tmp_path_factory.mktemp("mutator")
    root = Path(go.run("env", "GOROOT"))
    main = root / "src" / "cmd" / "gotracemutator" / "main.go"
    (into / "overlay.json").write_text(json.dumps({"Replace": {str(main): str(HERE / "mutator.go")}}))
    go.run(
        "build",
        *("-overlay", str(into / "overlay.json"), "-o", str(into / "mutator"), "cmd/gotracemutator"),
        cwd=root / "src",
    )
    return lambda trace: json.loads(subprocess.check_output((into / "mutator", trace), text=True))


@pytest.fixture(scope="session")
def go_profile(go):
    """The bytes of Go's own profile of a trace."""

    def made(trace, name):
        command = (go.command, "tool", "trace", f"-pprof={name}", trace)
        return subprocess.run(command, check=True, capture_output=True).stdout

    return made


@pytest.fixture(scope="session")
def raw_profile(go, tmp_path_factory):
    """What `go tool pprof` reads from the bytes of a profile: counts and ns by stack."""
    file = tmp_path_factory.mktemp("raw") / "profile"

    def read(content):
        file.write_bytes(content)
        done = subprocess.run(
            (go.command, "tool", "pprof", "-raw", file), check=True, capture_output=True, text=True
        )
        head, _, rest = done.stdout.partition("Locations\n")
        found = (_LOCATION.match(line) for line in rest.splitlines())
        locations = {match[1]: match[2] for match in found if match}
        counts, times = Counter(), Counter()
        for match in filter(None, map(_SAMPLE.match, head.splitlines())):
            stack = tuple(locations[number] for number in match[3].split() if locations[number] != " :0")
            counts[stack] += int(match[1])
            times[stack] += int(match[2])
        return counts, times

    return read
