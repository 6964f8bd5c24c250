"""Names and reports that a stranger might send, as hypothesis strategies."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from operator import getitem

from hypothesis import strategies as st

from pytest_gotrace.report import Report

#: What does something somewhere: in Markdown, HTML, on GitHub, in a terminal, in the log of a runner.
FRAGMENTS = (
    *"`|\\*_~<>[]()!#@&;:-+=.$^{}/'\" \t\n\r\0\x1b\x7f\x85",
    *(
        "``",
        "```",
        "`" * 41,
        "`" * 90,
        "`" * 300,
        "~~~",
        "\\|",
        "\\`",
        "||",
        "::",
        "##[",
        "<!--",
        "-->",
        "]]>",
        "\r\n",
        "\n\n",
        "    ",
    ),
    *("\u200b", "\u200d", "\u202e", "\u2028", "\u2029", "\ufeff", "\ue000", "\ufffe", "\xa0", "\u3000"),
    *("\ud800", "\udfff", "\U000f0000", "é", "中", "🙂", "é", "µs", "\u00d7", "\u2212"),
    *("@everyone", "#123", "GH-12", "owner/repo#1", "1f0e1f0", "1.", "2)", "- ", "+ ", "* ", "> ", "# "),
    *("http://a.b", "https://a.b/c", "www.example.com", "a@b.example", "mailto:a@b.c", ":smile:", "JIRA-1"),
    *(
        "[a](http://b)",
        "![a](b)",
        "[a]: b",
        "[^1]",
        "<b>",
        "</details>",
        "<details>",
        "<img src=x onerror=y>",
    ),
    *("<https://a.b>", "&amp;", "&#64;", "$x$", "**", "__", "---", "===", "|--|", "```sh", "[ ]", "[x]"),
    *(
        "::error::x",
        "##[error]x",
        "::stop-commands::x",
        "%0A",
        "word",
        "and",
        "x",
        "Benchmark",
        "/",
        "(",
        ")",
    ),
)

#: Names made of them, in any order, with and without words between.
names = st.lists(st.sampled_from(FRAGMENTS) | st.characters(), max_size=12).map("".join)


def _out_of(few):
    """One of eight that are drawn for the whole example: drawing costs hypothesis more than reading costs us."""
    drawn = st.shared(st.lists(few, min_size=8, max_size=8))
    return st.builds(getitem, drawn, st.integers(0, 7))


def any_report(text=None):
    """Reports within the bounds of the schema, built from the types alone; a name may stand in many places."""
    finite = st.floats(min_value=-1e300, max_value=1e300)
    text = st.text(max_size=20) if text is None else _out_of(text)
    special = {
        "sha": st.sampled_from(["", "a" * 40, "0" * 64]),
        "until": st.sampled_from(["", "2026-12-31"]),
        "tool": st.sampled_from(["", "0.1.0", "1.0+local"]),
        "unit": st.sampled_from(["ns", "B", "1"]),
        "alpha": st.floats(0, 1),
        "elapsed_seconds": st.floats(0, 1e9),
        "seconds": st.floats(0, 1e9),
        "p": st.none() | st.floats(0, 1),
        "probability": st.floats(0, 1),
    }

    @cache
    def of(kind):
        if dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            return st.builds(
                kind, **{name: special[name] if name in special else of(hint) for name, hint in hints.items()}
            )
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple:
            many = arguments[-1] is Ellipsis
            return (
                st.lists(of(arguments[0]), max_size=2).map(tuple) if many else st.tuples(*map(of, arguments))
            )
        if origin is dict:
            return st.dictionaries(text, of(arguments[1]), max_size=3)
        if origin is typing.Literal:
            return st.sampled_from(arguments)
        if type(None) in arguments:
            return st.none() | of(arguments[0])
        return {str: text, int: st.integers(0, 1_000_000), float: finite, bool: st.booleans()}[kind]

    return of(Report)
