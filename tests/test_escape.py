import re

import pytest
from hostile import names
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracles import Page
from workflow_commands import commands

from pytest_gotrace.escape import NAME_LENGTH, code, fenced, log_line, prose, shorten, visible

thorough = settings(derandomize=True, max_examples=1000, deadline=None)


def tamed(text):
    """Runs of backticks that no parser takes for a fence are spelled out."""
    return text.replace("`", r"\u{60}") if "`" * 41 in text else text


def as_shown(name):
    """What of a name is to be seen."""
    return tamed(shorten(visible(name), NAME_LENGTH)) or '""'


class TestVisible:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("plain (text) é 中 🙂", "plain (text) é 中 🙂"),
            ("a\nb\tc\x00", r"a\u{a}b\u{9}c\u{0}"),
            ("\x1b[31mred", r"\u{1b}[31mred"),
            ("abc\u202edef", r"abc\u{202e}def"),
            ("zero\u200bwidth", r"zero\u{200b}width"),
            ("a\u2028b\ufeff", r"a\u{2028}b\u{feff}"),
            ("\ud800\ue000\ufffe", r"\u{d800}\u{e000}\u{fffe}"),
        ],
    )
    def test_examples(self, text, shown):
        """What cannot be seen is shown by its code point, and everything else stays."""
        assert visible(text) == shown

    @thorough
    @given(names)
    def test_any_name(self, name):
        """Whatever the name, it is printable, on one line, and can be written as UTF-8."""
        shown = visible(name)
        assert shown.isprintable()
        assert len(shown.splitlines()) <= 1
        assert shown.encode("utf-8") or not name


def test_shorten():
    """A text is cut to the length asked for, with a sign that it was."""
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"


class TestCode:
    @pytest.mark.parametrize(
        ("name", "span"),
        [
            ("BenchmarkX", "`BenchmarkX`"),
            ("", '`""`'),
            ("`", "`` ` ``"),
            ("a``b", "```a``b```"),
            (" x", "`  x `"),
            ("  ", "`  `"),
            ("a|b", "`a|b`"),
            ("@everyone <b>", "`@everyone <b>`"),
        ],
    )
    def test_examples(self, name, span):
        """A name stands in a code span of as many backticks as it takes."""
        assert code(name) == span

    def test_bars_in_a_table(self):
        """In a table a bar is escaped, even inside a code span."""
        assert code("a|b", table=True) == r"`a\|b`"

    @thorough
    @given(names)
    @example("x" * 500)
    @example("|" * 500)
    def test_a_paragraph_shows_the_name(self, name):
        """In a paragraph, a heading, a list and bold text the name is one code span and nothing else."""
        shown = as_shown(name)
        for before, after, tags in [
            ("", "", ["p"]),
            ("### ", "", ["h3"]),
            ("- ", "", ["ul", "li"]),
            ("**", "**", ["p", "strong"]),
            ("(", ")", ["p"]),
        ]:
            page = Page(f"{before}{code(name)}{after}\n")
            assert (page.tags, page.code) == ([*tags, "code"], [shown])

    @thorough
    @given(names, names)
    def test_a_table_shows_the_names(self, one, two):
        """In a table each name is the one code span of its cell."""
        page = Page(f"| a | b |\n|---|--:|\n| {code(one, table=True)} | {code(two, table=True)} |\n")
        assert page.code == [as_shown(one), as_shown(two)]
        row = ["tr", "td", "code", "td", "code"]
        assert page.tags == ["table", "thead", "tr", "th", "th", "tbody", *row]


class TestProse:
    @pytest.mark.parametrize(
        ("sentence", "shown"),
        [
            (
                "Senders outrun the receiver's buffer, by 14 %.",
                "Senders outrun the receiver's buffer, by 14 %.",
            ),
            ("`chan send` +312 µs at `p.go:41`, too", "`chan send` +312 µs at `p.go:41`, too"),
            ("see @me and #12", "see `@me` and `#12`"),
            ("at www.a.example or https://b", "at `www.a.example` or `https://b`"),
            ("fixed in 1f0e1f0 and GH-12", "fixed in `1f0e1f0` and `GH-12`"),
            ("1. of a list", "`1`. of a list"),
            ("go.mod: see (https://a), (f(x) 2026-1).", "`go.mod`: see (`https://a`), (`f(x)` 2026-1)."),
            ("( () ) (@) .)(", "( () ) (`@`) `.)(`"),
            ("`a``b`", "`a` `b`"),
            ("an open ` tick", "an open `` ` `` tick"),
            ("two\nlines", "two lines"),
            ("about 24 (12\u201340), \u00d713, \u22123.2 %", "about 24 (12\u201340), \u00d713, \u22123.2 %"),
            ("and/or well-known", "and/or well-known"),
            ("*x* _y_ ~z~ <b> [a](b) $x$", "`*x*` `_y_` `~z~` `<b>` `[a](b)` `$x$`"),
            ("", ""),
        ],
    )
    def test_examples(self, sentence, shown):
        """Words stay words, and what may be more than a word becomes a code span."""
        assert prose(sentence) == shown

    @thorough
    @given(st.lists(names, max_size=4).map(" ".join))
    @example("``")
    @example("` `")
    @example('"' * 2000 + "@")
    def test_any_sentence(self, sentence):
        """A sentence adds no tag but code to its paragraph, and outside code nothing that GitHub acts on."""
        page = Page(f"said: {prose(sentence)}\n")
        assert set(page.tags) <= {"p", "code"}
        assert not re.search(r"[@#<>&*_~$|\\\[\]`]|://|www\.|\b[0-9a-fA-F]{7}", page.text)

    @thorough
    @given(st.lists(names, max_size=4).map(" ".join))
    def test_nothing_is_lost(self, sentence):
        """A sentence shows all that it says, but for the backticks around names and the spaces."""
        page = Page(f"{prose(sentence)}\n") if sentence.split() else Page("")
        shown = page.text + "".join(page.code).replace(r"\u{60}", "`")
        said = visible(" ".join(sentence.split()))
        assert sorted(re.sub(r"[\s`]", "", shown)) == sorted(re.sub(r"[\s`]", "", said))

    @thorough
    @given(names, names)
    def test_in_a_table(self, one, two):
        """In a table a sentence stays in its cell."""
        page = Page(f"| a | b |\n|---|---|\n| x {prose(one, table=True)} | y {prose(two, table=True)} |\n")
        cells = [tag for tag in page.tags if tag != "code"]
        assert cells == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
        assert re.search(r"x\b.*\by\b", page.text, re.DOTALL)


class TestFenced:
    @thorough
    @given(st.lists(names, max_size=6).map("\n".join))
    def test_no_way_out(self, text):
        """A fenced block shows every line, even inside a folded section, and ends where it ends."""
        page = Page(f"<details><summary>s</summary>\n\n{fenced(text)}\n\n</details>\n\nafter\n")
        assert page.tags == ["details", "summary", "pre", "code", "p"]
        lines = [tamed(visible(line.expandtabs(8))) for line in text.splitlines()]
        assert page.code == ["".join(f"{line}\n" for line in lines)]
        assert page.text.split() == ["s", "after"]


class TestLogLine:
    @pytest.mark.parametrize("line", ["::error::x", "  ::add-mask::x", "a ##[error]b", "##[command]"])
    def test_the_oracle_finds_commands(self, line):
        """The parser that the next test trusts finds a command where there is one."""
        assert commands(line)

    @thorough
    @given(names)
    def test_no_command(self, name):
        """No line holds a command to the runner, or a second line."""
        assert not commands(log_line(name))
        assert len(log_line(name).splitlines()) <= 1

    def test_harmless_lines_stay(self):
        """A line that commands nothing is left as it is."""
        assert log_line("std::vector [x] ## y") == "std::vector [x] ## y"
