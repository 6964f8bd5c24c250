"""What a later step may read of a run: words of ours, whole numbers, hashes, and paths that we chose."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from pytest_gotrace.report import Report, improvements

CONCLUSIONS = ("pass", "regression", "inconclusive", "error")


def conclusion(code: int, report: Report | None) -> str:
    """One of `CONCLUSIONS`, whatever `fail-on` makes of it."""
    if code == 1:
        return "regression"
    if code != 0:
        return "error"
    return "inconclusive" if report is not None and report.counts["inconclusive"] else "pass"


def exit_code(code: int, found: str, fail_on: str) -> int:
    """The step's exit code. An error is one under every policy."""
    if fail_on == "never":
        return 0 if found == "regression" else code
    return 1 if fail_on == "inconclusive" and found == "inconclusive" else code


#: Files of the report directory by the output that names them.
FILES = {
    "results-json": "report.json",
    "report-markdown": "summary.md",
    "report-html": "report.html",
    "junit-xml": "junit.xml",
    "metrics-txt": "metrics.txt",
    "recording": "recording.jsonl",
    "trace-dir": "traces",
}


def outputs(found: str, report: Report | None, directory: Path, version: str) -> Iterator[tuple[str, str]]:
    """Every output of `action.yml`; a file that was not written is an empty word."""
    counts = report.counts if report else {}
    yield "conclusion", found
    yield "regressions", str(counts.get("over", 0) + counts.get("missing", 0))
    yield "improvements", str(len(improvements(report)) if report else 0)
    yield "inconclusive", str(counts.get("inconclusive", 0))
    yield "benchmarks", str(report.measured if report else 0)
    yield "base-sha", _hash(report.base.sha if report else "")
    yield "head-sha", _hash(report.head.sha if report else "")
    yield "report-dir", str(directory)
    for name, file in FILES.items():
        path = directory / file
        yield name, str(path) if path.exists() else ""
    yield "version", version


def _hash(text: str) -> str:
    return text if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", text) else ""


def entry(name: str, value: str) -> str:
    """The form of an output file for any value: it ends at a line that nobody can foresee."""
    end = f"end_{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"
