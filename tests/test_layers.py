"""The layers of ARCHITECTURE.md, read from the imports themselves; nothing is needed for it but Python."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_gotrace"

#: Lowest first. A module imports only from rows above its own, or beside it. `x/` is a package with all that is in it.
LAYERS = (
    ("errors", "units", "escape"),
    ("explanation", "report"),
    ("trace/", "stats/", "githubtransport", "github"),
    ("process", "interference", "toolchain", "gobuild", "gomod", "tokens", "benchfmt", "gotest"),
    ("git", "borrowed", "revisions", "changes", "leavings", "checkout"),
    ("metrics", "limit", "yamltree", "budgetfile", "budget", "budgetedit", "starter"),
    ("rounds", "distributions", "intervals", "spots", "moments", "views/"),
    ("roll", "recording", "recording_json", "recordingfile", "noisememory"),
    (
        "prepare",
        "measure",
        "rollcall",
        "verdict",
        "presence",
        "judge",
        "sights",
        "proposals",
        "aa",
        "shifts",
        "causes",
        "diagnose",
        "overhead",
    ),
    (
        "fits",
        "report_json",
        "sentences",
        "explained",
        "evidence",
        "commands",
        "remarks",
        "reporting",
    ),
    ("shard", "untouched", "options", "sides", "questions", "continuing", "schedule", "keeping", "shards"),
    ("sequential", "survey", "lint", "history", "gate", "shardgate"),
    (
        "pictures",
        "templating",
        "render",
        "figures",
        "benchfigures",
        "page",
        "openmetrics",
        "sinks/",
        "show",
        "grid",
        "calibrated",
        "historytable",
        "progress",
    ),
    ("inputs", "event", "posted", "artifact", "pullrequest", "comment", "door"),
    ("hookspec", "builtin", "session", "items", "terminal", "fixture", "plugin", "cli"),
)

#: Who may import what is not ours and not Python's. `report_json` checks a report as `budgetfile` a budget.
OWNERS = {
    "numpy": {
        "trace/",
        "stats/",
        "views/",
        "rounds",
        "distributions",
        "moments",
        "keeping",
        "evidence",
        "intervals",
        "spots",
        "presence",
        "judge",
        "noisememory",
        "sights",
        "aa",
        "overhead",
        "survey",
        "history",
        "fixture",
    },
    "scipy": {"stats/"},
    "cython": {"trace/"},
    "yaml": {"yamltree"},
    "jsonschema": {"report_json"},
    "jinja2": {"templating", "page"},
    "markupsafe": {"templating", "render", "page"},
    "plotly": {"page"},
    "rich": {"progress", "show", "grid", "session", "cli"},
    "pytest": {"hookspec", "builtin", "session", "items", "terminal", "fixture", "plugin"},
    "_pytest": {"items"},  # the type of a failure that is shown in our own words is not public
    "github3": {"github"},
    "requests": {"githubtransport", "github"},  # what github3 is built on
    # of Python's own: only these start programs
    "subprocess": {"process", "toolchain", "git"},
}


def name_of(file: Path) -> str:
    """`trace.reader` for `trace/reader.py`, `trace` for `trace/__init__.py`, "" for the package itself."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


FILES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def home(module: str) -> str:
    """How the tables call a module: `trace.reader` is in `trace/`."""
    top = module.split(".")[0]
    return f"{top}/" if f"{top}.__init__" in FILES or (PACKAGE / top).is_dir() else top


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement, also those in functions, but not what only a type checker sees."""
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from statements(statement.orelse)
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from statements(handler.body)


@cache
def imports(module: str, *, top_only: bool = False) -> set[str]:
    """What a module imports, by full name: `numpy`, or `pytest_gotrace.trace.reader`."""
    body = ast.parse(FILES[module].read_text(encoding="utf-8")).body
    found: set[str] = set()
    for statement in body if top_only else statements(body):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            found |= {f"{_from(module, statement)}.{alias.name}" for alias in statement.names}
    return found


def _from(module: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    package = module.split(".") if FILES[module].name == "__init__.py" else module.split(".")[:-1]
    above = package[: len(package) - statement.level + 1]
    return ".".join(["pytest_gotrace", *above, *([statement.module] if statement.module else [])])


def ours(module: str, **how: bool) -> set[str]:
    """The modules of ours that a module imports."""
    return {found for name in imports(module, **how) if (found := _ours(name)) is not None}


def _ours(name: str) -> str | None:
    first, _, rest = name.partition(".")
    if first != "pytest_gotrace":
        return None
    while rest and rest not in FILES:
        rest = rest.rpartition(".")[0]  # the last part is a name in a module
    return rest


def reached(door: str) -> set[str]:
    """Everything of ours that is imported sooner or later where `door` is."""
    found, new = set(), {door}
    while new:
        found |= new
        new = {other for module in new for other in ours(module)} - found
    return found


ROW = {name: number for number, row in enumerate(LAYERS) for name in row}
#: `pytest_gotrace/__init__.py` resolves names on first use and is in no row.
MODULES = sorted(name for name in FILES if name)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_row(module):
    """Every module of the package stands in a row of the table, so that its place was thought about."""
    assert home(module) in ROW, f"put {module} into a row of LAYERS, and into ARCHITECTURE.md"


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_up_or_sideways(module):
    """A module imports only what is in its own row or in one above."""
    lower = {other for other in ours(module) - {""} if ROW[home(other)] > ROW[home(module)]}
    assert not lower, f"{module} must not know {lower}"


@pytest.mark.parametrize("module", MODULES)
def test_every_library_has_its_owners(module):
    """What is not ours is only imported where the table says, and nothing that is not in the table."""
    outside = {name.split(".")[0] for name in imports(module)} - {
        "pytest_gotrace",
        "pytest_gotrace_templates",
    }
    libraries = {name for name in outside if name not in sys.stdlib_module_names or name in OWNERS}
    stray = {name for name in libraries if home(module) not in OWNERS.get(name, set())}
    assert not stray, f"{module} imports {stray}"


def test_no_import_cycle():
    """No module imports itself by way of others; what only a type checker sees does not count."""
    cyclic = {
        module for module in MODULES for other in ours(module, top_only=True) if module in _above(other)
    }
    assert not cyclic


def _above(module: str) -> set[str]:
    found, new = set(), {module}
    while new:
        found |= new
        new = {other for module in new for other in ours(module, top_only=True) - {""}} - found
    return found


def test_the_door_that_runs_code_never_sees_a_token():
    """Nothing that the pytest plugin can import knows GitHub; and it does reach what starts programs."""
    found = reached("plugin")
    assert not {"github", "githubtransport"} & found
    assert {"gate", "gotest", "checkout", "process"} <= found


def test_the_door_with_the_token_runs_nothing():
    """Nothing that `gotrace comment` can import starts a program, measures, judges or reads a trace."""
    found = reached("door")
    assert "github" in found
    assert not found & {*OWNERS["subprocess"], *OWNERS["numpy"], "gate", "gotest", "checkout", "prepare"}
    assert not {home(module) for module in found} & {"trace/", "stats/", "views/"}


def imported(module: str) -> set[str]:
    """The top-level names in `sys.modules` of a fresh interpreter that imported `module`."""
    program = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_core_knows_no_pytest():
    """Importing the trace core imports neither pytest nor anything to judge or to show."""
    assert not imported("pytest_gotrace.trace") & {"pytest", "scipy", "yaml", "jinja2", "rich", "github3"}


def test_the_plugin_is_light():
    """What every pytest session imports drags in no library that takes time."""
    heavy = {"numpy", "scipy", "jinja2", "yaml", "jsonschema", "github3", "rich"}
    assert not imported("pytest_gotrace.plugin") & heavy
