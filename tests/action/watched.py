"""An environment for the input `venv` whose Python writes down whom it connects to and what it starts."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

#: Stands in the place of `python`, for itself and for every Python that it starts. Only `-c`, `-m` and files are asked.
_WATCHING = """\
import json, runpy, sys
sys.executable = {wrapper!r}

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        where = list(arguments[1:] if event == "socket.connect" else arguments[:2])
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"):
        where = [str(arguments[0])]
    else:
        return
    with open({log!r}, "a") as file:
        file.write(json.dumps([event, where], default=repr) + chr(10))

sys.addaudithook(watch)
_, kind, *sys.argv = sys.argv
while kind in ("-I", "-B"):
    kind, *sys.argv = sys.argv
if kind == "-c":
    program, sys.argv[0] = sys.argv[0], "-c"
    exec(compile(program, "<string>", "exec"), {{"__name__": "__main__"}})
elif kind == "-m":
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.argv.insert(0, kind)
    runpy.run_path(kind, run_name="__main__")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The environment at `root`; it has what the one has that the tests run in."""

    root: Path

    @property
    def inputs(self) -> dict[str, str]:
        """What to tell an action, so that it installs nothing."""
        return {"python": sys.executable, "venv": str(self.root)}

    @property
    def _log(self) -> Path:
        return self.root / "log.jsonl"

    def _of(self, *events: str) -> list[list[object]]:
        text = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
        return [where for event, where in map(json.loads, text.splitlines()) if event in events]

    @property
    def connections(self) -> set[str]:
        """Everybody who was connected to, or looked up, as `host:port`."""
        found = self._of("socket.connect", "socket.getaddrinfo")
        return {":".join(map(str, one[0] if isinstance(one[0], list) else one)) for one in found}

    @property
    def programs(self) -> set[str]:
        """Every program that was started."""
        return {str(one[0]) for one in self._of("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")}


def watched(root: Path) -> Watched:
    """Make one."""
    wrapper, program = root / "bin" / "python", root / "watching.py"
    wrapper.parent.mkdir(parents=True)
    program.write_text(_WATCHING.format(wrapper=str(wrapper), log=str(root / "log.jsonl")), encoding="utf-8")
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{program}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    return Watched(root=root)
