"""Fuzzes the trace core on one core of the machine: `make fuzz TIME=60`, or `fuzz/.venv/bin/python fuzz [SECONDS]`.

1. The core is compiled with sanitizers into `fuzz/build` (`sanitized.py`), and seeds are made (`seeds.py`).
2. The fuzzer (`target.py`, by atheris) runs until the time is up. It ends with each finding, and is started again.
3. Each finding is written to `fuzz/findings`, made smaller, with what was reported beside it.

What was found worth keeping stays in `fuzz/corpus`, and the next run goes on from there. The exit code is 1 if there
are findings. Python's own allocator is left out, so that the sanitizer sees every piece of memory.

`python fuzz FILE…` reads files instead, and reports on each: this is how a finding is looked at again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import atheris
from sanitized import CORE, HERE, HOOKS, ROOT, build

SEEDS, CORPUS, FINDINGS = HERE / "build" / "seeds", HERE / "corpus", HERE / "findings"
RUNTIME = Path(atheris.path()) / "asan_with_fuzzer.so"
LIMITS = ("-timeout=5", "-rss_limit_mb=2048", "-malloc_limit_mb=256", "-max_len=65536")
FUZZING = (
    "-mutate_depth=2",
    "-print_final_stats=1",
    f"-dict={HERE / 'trace.dict'}",
    f"-artifact_prefix={FINDINGS}/",
)
MOST = 20  # findings after which there is no point in going on
SANITIZER = {
    "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=64:malloc_context_size=6",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def command(script: str, *args: str | Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """A script of ours with the sanitizers, and its environment."""
    env = {
        **os.environ,
        **SANITIZER,
        "LD_PRELOAD": f"{RUNTIME}:{HOOKS}",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": os.pathsep.join(map(str, (CORE, HERE, ROOT / "tests", ROOT / "tests" / "trace"))),
    }
    return ("nice", "-n", "10", sys.executable, str(HERE / script), *map(str, args)), env


def run(script: str, *args: str | Path, log: Path) -> tuple[int, str]:
    """Runs a script of ours; its exit code, and what it said."""
    words, env = command(script, *args)
    with log.open("w") as out:
        code = subprocess.run(words, env=env, stdout=out, stderr=subprocess.STDOUT).returncode
    return code, log.read_text(errors="replace")


def number(pattern: str, text: str) -> int:
    """The last number that `pattern` finds, 0 if there is none."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def reason(report: str) -> str:
    """What happened, in a line: the sanitizer's, the exception's, or the fuzzer's."""
    found = re.search(
        r"(ERROR: AddressSanitizer: \S+|\S+:\d+:\d+: runtime error: .*|ERROR: libFuzzer: .*)", report
    )
    raised = re.search(r"Uncaught Python exception: ===\n(.*)", report)
    where = re.search(r"#\d+ \S+ in (__pyx_f_\S+|__pyx_p\w_\S+)", report)
    what = raised or found
    return (what[1] if what else report.strip().splitlines()[-1]) + (f" in {where[1]}" if where else "")


def smaller(finding: Path, log: Path) -> Path:
    """A smaller file with the same effect, if one is found within a minute."""
    reduced = finding.with_suffix(".min")
    run(
        "target.py",
        *LIMITS,
        "-minimize_crash=1",
        "-max_total_time=60",
        f"-exact_artifact_path={reduced}",
        finding,
        log=log,
    )
    return reduced if reduced.exists() else finding


def fuzz(seconds: float) -> int:
    """Fuzzes for so long, prints what came of it, and returns how many different findings there are."""
    end = time.monotonic() + seconds
    tried = edges = total = features = runs = 0
    reasons: dict[str, Path] = {}
    for directory in (CORPUS, FINDINGS):
        directory.mkdir(exist_ok=True)
    while (left := end - time.monotonic()) > 1 and len(reasons) < MOST:
        runs += 1
        before = set(FINDINGS.iterdir())
        limit = f"-max_total_time={int(left)}"
        code, log = run("target.py", *LIMITS, *FUZZING, limit, CORPUS, SEEDS, log=HERE / "build" / "fuzz.log")
        tried += number(r"number_of_executed_units: *(\d+)", log) or number(r"^#(\d+)\s", log)
        edges, features = max(edges, number(r"cov: (\d+)", log)), max(features, number(r"ft: (\d+)", log))
        total = number(r"\((\d+) inline 8-bit counters\)", log)
        found = [path for path in FINDINGS.iterdir() if path not in before]
        if code and not found:
            raise SystemExit(f"fuzz: the fuzzer broke:\n{log[-3000:]}")
        for path in found:
            path.with_suffix(".log").write_text(log[-20_000:])
            reasons.setdefault(reason(log), path)
    print(
        f"{tried} inputs tried in {seconds:.0f} s, {edges} of {total} edges and {features} features reached",
        end=", ",
    )
    print(
        f"{len(list(CORPUS.iterdir()))} inputs kept, {len(reasons) or 'no'} finding{'s' * (len(reasons) != 1)}"
    )
    for why, path in reasons.items():
        print(f"  {smaller(path, HERE / 'build' / 'minimize.log')}: {why}")
    return len(reasons)


def replay(files: Iterable[str]) -> int:
    """Reads each file as the fuzzer would; how many are findings."""
    wrong = 0
    for path in files:
        code, log = run("target.py", *LIMITS, path, log=HERE / "build" / "replay.log")
        wrong += code != 0
        print(f"{path}: {reason(log) if code else 'nothing wrong'}")
        if code:
            print(log)
    return wrong


def main(args: list[str]) -> int:
    build()
    if args and not args[0].isdecimal():
        return min(replay(args), 1)
    code, log = run("seeds.py", SEEDS, log=HERE / "build" / "seeds.log")
    print(log, end="")
    return code or min(fuzz(int(args[0]) if args else 60), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
