"""Jinja2 as templates use it here: whatever they print is harmless, and a project's own may do little.

What a template prints that no filter made Markdown becomes a code span (`_printed`), so forgetting is safe. A project's
template comes with the change that is measured: it may fill and extend blocks of ours, print, loop and decide. It reads
no file, calls nothing but `CALLED`, joins no text that was made safe with text that was not, and runs no longer than
`_ROUNDS` rounds of its loops.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.defaults import DEFAULT_FILTERS  # type: ignore[attr-defined]  # documented, not exported
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from pytest_gotrace import escape, sentences
from pytest_gotrace.errors import UsageError
from pytest_gotrace.units import format_duration, percent_text

FRAME = "summary.md.j2"

#: What every template may call: functions of `sentences`, and two of `units`.
CALLED: Mapping[str, Any] = {
    "duration": format_duration,
    "percent": percent_text,
    **{
        name: getattr(sentences, name)
        for name in (
            "cause_text",
            "change_parts",
            "change_text",
            "events_text",
            "evidence_text",
            "interference_text",
            "needed_text",
            "output_text",
            "outcome_text",
            "overhead_text",
            "pairs_text",
            "per_text",
            "place_text",
            "sides_text",
            "states_text",
            "trace_text",
            "waived_text",
        )
    },
}

#: What every template is given besides: `summary.md.j2` says what each is.
GIVEN = ("cut", "mood", "report", "reproduce", "sections", "verdict")

#: Characters of a project's template, and rounds that its loops may make in all.
_LONGEST = 64_000
_ROUNDS = 20_000

#: Keeps a number and its unit on one line of a narrow table.
_GLUE = "\N{NO-BREAK SPACE}"

#: A code span, HTML that folds, and where Markdown begins again after it.
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^`\n]+\1(?!`)")
_FOLD = re.compile(r"</?details>|<summary>[^<>]*</summary>")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")

_ALLOWED = (
    *(nodes.Template, nodes.Extends, nodes.Block, nodes.Output, nodes.TemplateData),
    *(nodes.For, nodes.If, nodes.CondExpr, nodes.Assign, nodes.Name, nodes.Const, nodes.Tuple),
    *(nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test, nodes.Call, nodes.Keyword),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTemplate:
    """A project's own layout, checked by `read_template`; `path` as it was given."""

    path: str
    source: str


def read_template(path: Path) -> UserTemplate:
    """A template that extends `summary.md.j2`. Raises `UsageError` with file and line for what it may not say."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path}: cannot read the template: {reason}") from error
    if len(source) > _LONGEST:
        raise UsageError(f"{path}: a template has at most {_LONGEST} characters, found {len(source)}")
    template = UserTemplate(path=str(path), source=source)
    _compiled(template)
    return template


def render(context: Mapping[str, object], template: UserTemplate | None = None) -> Iterator[str]:
    """The frame around `context`, piece by piece. Raises `UsageError` for what goes wrong in a project's template."""
    if template is None:
        yield from environment().get_template(FRAME).generate(context)
        return
    compiled = _compiled(template)
    try:
        yield from _apart(compiled.generate(context, _rounds=iter(range(_ROUNDS))))
    except Exception as error:  # whatever a stranger's template does, it is a sentence about the template
        raise UsageError(f"{template.path}:{_line_of(error, template)}: {error}") from error


def _apart(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces; two code spans side by side would be one, or none."""
    last = ""
    for piece in pieces:
        if last.endswith("`") and piece.startswith("`"):
            yield " "
        yield piece
        last = piece or last


@cache
def environment() -> SandboxedEnvironment:
    """Where all templates live. Filters are ours alone: many of Jinja's could take a code span apart."""
    made = _Environment(
        loader=jinja2.PackageLoader("pytest_gotrace_templates", ""),
        undefined=jinja2.StrictUndefined,
        # Together these make forgetting safe: `finalize` sees whatever no filter has marked as Markdown.
        autoescape=True,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters = {
        "code": lambda value: Markup(escape.code(str(value))),
        "cell": lambda value: Markup(escape.code(str(value), table=True)),
        "prose": lambda value: Markup(escape.prose(value)),
        "cell_prose": lambda value: Markup(escape.prose(value, table=True)),
        "number": lambda value: Markup(escape.prose(value, table=True).replace(" ", _GLUE)),
        "fenced": lambda value: Markup(escape.fenced(value)),
        "drawn": lambda value: Markup(escape.fenced(value, "mermaid")),
        "counted": _counted,
        "join": lambda values, separator: str(separator).join(str(value) for value in values),
        **{name: DEFAULT_FILTERS[name] for name in ("default", "items", "length", "lower")},
    }
    made.globals = {"called": sentences.CALLED, **CALLED}
    return made


class _Environment(SandboxedEnvironment):
    """A sandbox in which Markdown is not taken apart."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Markup):
            return self.unsafe_undefined(obj, str(argument))
        return super().getitem(obj, argument)


def _printed(value: object) -> Markup:
    if isinstance(value, Markup):
        return value
    return Markup(value) if isinstance(value, int) else Markup(escape.code(str(value), table=True))


@jinja2.pass_context
def _counted(context: jinja2.runtime.Context, values: Iterable[object]) -> Iterator[object]:
    """The values, as long as the template's loops have rounds left."""
    rounds = context["_rounds"]
    for value in values:
        if next(rounds, None) is None:
            raise SecurityError(f"its loops make more than {_ROUNDS} rounds")
        yield value


@cache
def _compiled(template: UserTemplate) -> jinja2.Template:
    here = environment()
    try:
        tree = here.parse(template.source, template.path, template.path)
        _check(tree, template)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        code = here.compile(tree, template.path, template.path)
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"{template.path}:{error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise UsageError(f"{template.path}: its expressions are too deeply nested") from error
    return here.template_class.from_code(here, code, here.make_globals(None))


def _check(tree: nodes.Template, template: UserTemplate) -> None:
    """Raise `UsageError` for the first thing that a project's template may not say."""
    first = next(iter(tree.body), tree)
    if not isinstance(first, nodes.Extends) or first.template != nodes.Const(FRAME):
        _refuse(template, 1, f'a template begins with {{% extends "{FRAME}" %}}')
    known = {*GIVEN, *environment().globals, "loop", "super"}
    known |= {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    for line, node in _every(tree, 1):
        if node is not first and (complaint := _complaint(node, known)):
            _refuse(template, line, complaint)


def _every(node: nodes.Node, line: int) -> Iterator[tuple[int, nodes.Node]]:
    """Every node below, with its line; some have only their parent's."""
    for child in node.iter_child_nodes():
        yield child.lineno or line, child
        yield from _every(child, child.lineno or line)


def _complaint(node: nodes.Node, known: set[str]) -> str:
    """What is wrong with one node of a project's template, or ""."""
    if not isinstance(node, _ALLOWED) or isinstance(node, nodes.Extends):
        return f"{type(node).__name__} is more than a template may do here; see docs/templates.md"
    if isinstance(node, nodes.Name) and (node.name not in known or node.name.startswith("_")):
        return f"there is no {node.name!r}; there are {', '.join(sorted(known))}"
    if isinstance(node, nodes.Block) and node.name not in blocks():
        return f"there is no block {node.name!r} to fill; there are {', '.join(blocks())}"
    if isinstance(node, nodes.For) and node.recursive:
        return "a loop cannot be recursive here"
    if isinstance(node, nodes.Call) and not (
        isinstance(node.node, nodes.Name) and node.node.name in {*CALLED, "super"}
    ):
        return f"only these can be called: {', '.join(sorted(CALLED))}, super"
    return _open_end(node.data) if isinstance(node, nodes.TemplateData) else _bomb(node)


def _open_end(text: str) -> str:
    """What in a template's own words would change how the next thing that is printed is read."""
    if "`" in _CODE.sub("", text):
        return (
            "a backtick is closed on its line and before the next tag here; for more lines there is `fenced`"
        )
    *_, rest = _FOLD.split(text)
    if "<" in _FOLD.sub("", text) or (rest != text and _EMPTY_LINE.search(rest) is None):
        return (
            "the only HTML here is <details>, <summary>WORDS</summary>, </details>, with an empty line behind"
        )
    return ""


def _bomb(node: nodes.Node) -> str:
    """What could grow without end, or take very long, in a single step."""
    if isinstance(node, nodes.Tuple) and node.ctx == "load" and not _constant(node):
        return "a tuple here is made of constants"
    if isinstance(node, nodes.Operand) and node.op in ("in", "notin") and not _constant(node.expr):
        return "what stands right of `in` is a constant here"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return "nothing is cut here, as a code span would come apart"
    return ""


def _constant(node: nodes.Node) -> bool:
    items = node.items if isinstance(node, nodes.Tuple) else [node]
    return all(isinstance(item, nodes.Const) for item in items)


@cache
def blocks() -> tuple[str, ...]:
    """The names of the blocks that a project's template may fill, in reading order."""
    source, name, _ = environment().loader.get_source(environment(), FRAME)  # type: ignore[union-attr]
    return tuple(block.name for block in environment().parse(source, name).find_all(nodes.Block))


def _line_of(error: Exception, template: UserTemplate) -> int:
    """The line of the template that was running; Jinja2 puts it into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == template.path), 1)


def _refuse(template: UserTemplate, line: int, complaint: str) -> NoReturn:
    raise UsageError(f"{template.path}:{line}: {complaint}")
