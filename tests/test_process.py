"""Programs run within limits, and nothing of them is left."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_gotrace import process
from pytest_gotrace.errors import GoTestError
from pytest_gotrace.process import Limits, Stopped, run, tail


def python(script, limits=None, **environment):
    """Run a script of Python's, which may use `os`, `sys`, `time` and `signal`."""
    command = (sys.executable, "-c", f"import os, sys, time, signal\n{script}")
    return run(
        command, cwd=Path("/"), env={**os.environ, **environment}, limits=limits or Limits(seconds=300)
    )


@pytest.fixture
def ready(monkeypatch, tmp_path):
    """A file at whose appearance time is over: no machine is too slow to come to it, and nobody waits for a limit."""
    path = tmp_path / "ready"
    clock = SimpleNamespace(monotonic=lambda: 1000.0 if path.exists() else 0.0)
    monkeypatch.setattr(process, "time", clock)
    return str(path)


def test_output_and_code():
    """Both streams and the exit code arrive."""
    finished = python("print('out', flush=True); sys.stderr.write('err'); sys.exit(3)")
    assert (finished.output, finished.code, finished.stopped) == ("out\nerr", 3, Stopped.NOT)


def test_bytes_that_are_no_text():
    """Bytes that are no UTF-8 are replaced, not an error."""
    assert python("sys.stdout.buffer.write(b'a\\xffb')").output == "a\ufffdb"


@pytest.mark.parametrize("descriptor", [True, False])
def test_time(monkeypatch, ready, descriptor):
    """A program is ended when its time is over, with the kernel's help and without."""
    if not descriptor:
        monkeypatch.setattr(process, "_process_descriptor", lambda pid: None)
    script = "print('began', flush=True)\nopen(os.environ['READY'], 'w')\ntime.sleep(600)"
    finished = python(script, Limits(seconds=300), READY=ready)
    assert (finished.stopped, finished.code, finished.output) == (Stopped.TIME, -15, "began\n")


@pytest.mark.parametrize("descriptor", [True, False])
def test_end_is_noticed(monkeypatch, descriptor):
    """A program that ends by itself is not waited for any longer."""
    if not descriptor:
        monkeypatch.setattr(process, "_process_descriptor", lambda pid: None)
    assert python("time.sleep(0.3)").stopped is Stopped.NOT


def test_terminated_politely(monkeypatch, ready):
    """A program that listens to SIGTERM has the time to say a last word."""
    monkeypatch.setattr(process, "_GRACE", 300.0)
    script = "signal.signal(signal.SIGTERM, lambda *_: (print('last word'), sys.exit(0)))\n"
    script += "open(os.environ['READY'], 'w')\ntime.sleep(600)"
    assert python(script, Limits(seconds=300), READY=ready).output == "last word\n"


def test_output_limit():
    """A program that prints without end is ended, and what is kept is bounded."""
    finished = python("while True: print('x' * 1000)", Limits(seconds=30, output=1 << 20))
    assert finished.stopped is Stopped.OUTPUT
    assert len(finished.output) == 1 << 20


def test_file_limit(tmp_path):
    """A program whose file grows beyond the limit is ended."""
    limits = Limits(seconds=30, file=tmp_path / "big", file_bytes=1 << 20)
    finished = python(
        "f = open(os.environ['BIG'], 'wb')\nwhile True: f.write(b'x' * 4096)",
        limits,
        BIG=str(tmp_path / "big"),
    )
    assert finished.stopped is Stopped.FILE


def test_cannot_start(tmp_path):
    """A program that is not there, or that may not run, is an error that says which."""
    (tmp_path / "plain").write_text("")
    for program in (tmp_path / "absent", tmp_path / "plain"):
        with pytest.raises(GoTestError, match=f"{program}: cannot be started"):
            run((str(program),), cwd=tmp_path, env={}, limits=Limits(seconds=1))


def test_tail():
    """A tail is at most 40 lines and 4 KiB, without control characters and without half a character."""
    assert tail("".join(f"{number}\n" for number in range(100))) == "\n".join(map(str, range(60, 100)))
    assert tail("a\x1b[0m\x07\x7f\x9b\tb") == "a\\x1b[0m\\x07\\x7f\\x9b\tb"
    long = tail("é" * 10000)
    assert len(long.encode()) <= 4096
    assert set(long) == {"…", "é"}
    assert tail("") == ""


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="only Linux lets processes be put on processors"
)
def test_processors():
    """A program runs on the processors it is given and no others, and we on those we had."""
    ours = os.sched_getaffinity(0)
    one = min(ours)
    finished = python("print(os.sched_getaffinity(0))", Limits(seconds=30, cpus=(one,)))
    assert finished.output == f"{{{one}}}\n"
    assert os.sched_getaffinity(0) == ours
