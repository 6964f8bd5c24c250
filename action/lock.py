"""`make locks`: every dependency of the actions with its hashes, for Python 3.10 to 3.14 on Linux, macOS and Windows.

What is needed is read from pyproject.toml; uv resolves it for all of them at once (markers in one file). Run it to take
up new releases, and read the difference. Needs Python 3.11 or newer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

#: What a comment is made with: it reads and renders a report, and speaks to GitHub.
COMMENTING = ("jinja2", "jsonschema")

_HEADER = "# By `make locks`, from pyproject.toml. Installed with --require-hashes --only-binary :all:\n"


def wanted(project: dict[str, Any]) -> dict[str, list[str]]:
    """The requirements of each lock by its name."""
    run = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    return {
        "run": run,
        "build": project["build-system"]["requires"],
        "comment": [*(one for one in run if one.startswith(COMMENTING)), *extras["github"]],
    }


def lock(requirements: list[str]) -> str:
    """The lock of these requirements. Raises `subprocess.CalledProcessError`."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.10"),
        *("--generate-hashes", "--no-annotate", "--no-header", "--upgrade", "-"),
    ]
    made = subprocess.run(
        command, input="\n".join(requirements), capture_output=True, text=True, check=True, cwd=HERE
    )
    return _HEADER + made.stdout


def main() -> None:
    """Write the three locks."""
    import tomllib

    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    for name, requirements in wanted(project).items():
        (HERE / f"requirements-{name}.txt").write_text(lock(requirements), encoding="utf-8")


if __name__ == "__main__":
    main()
