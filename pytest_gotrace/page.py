"""A report as one HTML file that needs nothing else: no server, no network, no other file.

The layout is `templates/report.html.j2`, with `report.css` and `report.js` put into it. plotly and the data of all
figures are in the file too, compressed, and are unpacked when the first figure is opened. The file forbids itself every
request: only the two scripts that are named by their hash run, and nothing is loaded from anywhere.

Whatever a template prints that is not HTML of ours is escaped, and made visible first: a name is one line without
control characters.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from pytest_gotrace import sentences
from pytest_gotrace.benchfigures import benchmark_figures
from pytest_gotrace.escape import visible
from pytest_gotrace.explanation import KeptTrace, Why
from pytest_gotrace.figures import LAYOUTS, Figure, metric_figures
from pytest_gotrace.report import CALM, OUTCOMES, PROBLEMS, Report, VerdictEntry, gravity, mood
from pytest_gotrace.units import format_duration, format_pair, format_quantity, percent_text

#: Metrics that have figures, the gravest first; of a larger report the rest is in `report.json`.
MOST_FIGURES = 1_000

#: Behind a separator, around brackets, and before what a type or a receiver exports.
_BETWEEN_PARTS = re.compile(r"(?<=[/,=])(?=\w)|(?<=\w)(?=[\[(])|(?<=\])(?=\.)|(?<=\.)(?=[A-Z(])")

#: By mood: what the page says before the numbers.
_SAID = {"bad": "Does not pass", "doubtful": "Needs a look", "good": "Passes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What got worse in one benchmark, and what is known of it."""

    benchmark: str
    entries: Sequence[VerdictEntry]
    why: Why | None
    traces: Sequence[KeptTrace]


def render_page(report: Report) -> str:
    """The report as HTML. Raises `ModuleNotFoundError` where plotly is not installed."""
    rows = sorted(report.verdicts, key=gravity)
    library, script = _library(), _source("report.js")
    figures = benchmark_figures(report)
    pictured = {name: place for place, name in enumerate(figures)}
    feeling = mood(report)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            rows=rows,
            cases=_cases(report, rows),
            undecided=[entry for entry in rows if entry.outcome == "inconclusive"],
            pictured=pictured,
            mood=feeling,
            said=_SAID[feeling],
            # Doubts stand below it, each in full.
            verdict=sentences.verdict_sentence(replace(report, warnings=())),
            policy=_policy(script, library),
            style=Markup(_source("report.css")),
            script=Markup(script),
            library=Markup(_packed(library)),
            data=Markup(_packed(_data(rows, figures.values(), pictured))),
        )
    )


def _data(
    rows: Sequence[VerdictEntry], benchmarks: Iterable[Sequence[Figure]], pictured: Mapping[str, int]
) -> str:
    """What `report.js` reads: rows and benchmarks with figures by their places, for a name may be anything."""
    metrics = [
        {
            "benchmark": pictured.get(entry.benchmark),
            "facts": list(_facts(entry)),
            "figures": _documents(metric_figures(entry)) if place < MOST_FIGURES else [],
        }
        for place, entry in enumerate(rows)
    ]
    drawn = [_documents(figures) for figures in benchmarks]
    document = {"layouts": LAYOUTS, "metrics": metrics, "benchmarks": drawn}
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _documents(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    return [figure.document() for figure in figures]


def _facts(entry: VerdictEntry) -> Iterator[tuple[str, str]]:
    """What is said of one metric, like `sentences.failure_text`."""
    said = (
        ("expected", sentences.expected_text(entry)),
        ("found", sentences.found_text(entry)),
        ("made of", sentences.events_text(entry)),
        ("evidence", sentences.evidence_text(entry)),
        ("because", entry.reason),
        ("needs", sentences.needed_text(entry) if entry.outcome == "inconclusive" else ""),
        ("waived", sentences.waived_text(entry)),
        *(("note", warning) for warning in entry.warnings),
    )
    return ((label, visible(text)) for label, text in said if text)


def _cases(report: Report, rows: Sequence[VerdictEntry]) -> list[_Case]:
    """The benchmarks with a problem, the gravest first."""
    found: dict[str, list[VerdictEntry]] = {}
    for entry in rows:
        if entry.outcome in PROBLEMS:
            found.setdefault(entry.benchmark, []).append(entry)
    why = {why.benchmark: why for why in report.why}
    return [
        _Case(
            benchmark=benchmark,
            entries=entries,
            why=why.get(benchmark),
            traces=[trace for trace in report.traces if trace.benchmark == benchmark],
        )
        for benchmark, entries in found.items()
    ]


def _tone(entry: VerdictEntry) -> str:
    """The colour of a row's mark: `over` where it blocks, `doubt` where a person should look, else `calm`."""
    if entry.outcome in CALM:
        return "calm"
    return "doubt" if gravity(entry)[0] else "over"


def _policy(*scripts: str) -> str:
    """Content security: these scripts and no others run, styles are the file's own, nothing is fetched or sent."""
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _library() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _packed(text: str) -> str:
    """Compressed, in an alphabet that means nothing to HTML."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _name(text: str) -> Markup:
    """A name as code, that is broken between its parts first: `pool/`, `BenchmarkPool/`, `small`."""
    parts = _BETWEEN_PARTS.split(visible(text))
    return Markup("<code>{}</code>").format(Markup("<wbr>").join(parts))


def _short(function: str) -> str:
    """`example.com/shop/pool.(*Pool).Submit` as people call it; the file that stands beside it says the rest."""
    return function.rpartition("/")[2]


def _prose(text: str) -> Markup:
    """A sentence; names, which stand in `backticks`, as code."""
    pieces = visible(" ".join(text.split())).split("`")
    return Markup("").join(
        _name(piece) if index % 2 else Markup.escape(piece) for index, piece in enumerate(pieces)
    )


def _lines(text: str) -> Markup:
    """What a program printed, line by line."""
    return Markup("\n").join(visible(line.expandtabs(8)) for line in text.splitlines())


def _source(name: str) -> str:
    """A file of the templates as it is: code of ours, that no template engine reads."""
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


@cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=jinja2.PackageLoader("pytest_gotrace_templates", ""),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": _name,
        "prose": _prose,
        "lines": _lines,
        "shell": shlex.join,
        "short": _short,
    }
    environment.globals |= {
        "called": sentences.CALLED,
        "duration": format_duration,
        "outcomes": OUTCOMES,
        "pair": format_pair,
        "percent": percent_text,
        "quantity": format_quantity,
        "tone": _tone,
        **{name: getattr(sentences, name) for name in _SPOKEN},
    }
    return environment


#: What templates may say with the words of `sentences`.
_SPOKEN = (
    "change_parts",
    "evidence_text",
    "interference_text",
    "needed_text",
    "outcome_text",
    "overhead_text",
    "place_text",
    "sides_text",
    "trace_text",
    "waived_text",
)


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
