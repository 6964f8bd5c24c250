"""What a project's template may do, what it may not, and that nothing it prints is harmful."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sample_reports as samples
from hostile import any_report, names
from hypothesis import given, settings
from oracles import Page
from ownlayout import PAGE, documented

from pytest_gotrace.errors import UsageError
from pytest_gotrace.render import COMMENT_BYTES, render_summary
from pytest_gotrace.sinks.summary import Summary
from pytest_gotrace.templating import CALLED, GIVEN, UserTemplate, blocks, environment, read_template

HOSTILE = replace(
    samples.REGRESSION, verdicts=(replace(samples.OVER, benchmark="@everyone <b>`|"),), why=(), traces=()
)


def filled(body, block="why"):
    """A template that puts `body` into one block, on its second line."""
    return f'{{% extends "summary.md.j2" %}}\n{{% block {block} %}}{body}{{% endblock %}}\n'


@pytest.fixture
def layout(tmp_path):
    """Writes a template and reads it as the gate does."""

    def write(source):
        path = tmp_path / "own.md.j2"
        path.write_text(source, encoding="utf-8")
        return read_template(path)

    return write


class TestBlocks:
    @pytest.mark.parametrize("block", blocks())
    def test_each_can_be_filled(self, layout, block):
        """What a template puts into a block stands in the summary; verdict and reproduction stay around it."""
        text = render_summary(samples.REGRESSION, template=layout(filled("\nOur own words.\n", block)))
        assert text.count("\nOur own words.\n") == 1
        assert text.startswith("### ❌ 3 over budget")
        assert f"```\n{samples.REGRESSION.reproduce}\n```" in text

    @pytest.mark.parametrize("report", samples.GOLDEN.values(), ids=samples.GOLDEN)
    def test_a_template_that_fills_nothing(self, layout, report):
        """A template that only extends ours gives the summary that there would be without it."""
        assert render_summary(report, template=layout('{% extends "summary.md.j2" %}')) == render_summary(
            report
        )

    @pytest.mark.parametrize("block", blocks())
    def test_what_stands_there_by_default(self, layout, block):
        """A block filled with `super()` is as it was."""
        template = layout(filled("{{ super() }}", block))
        assert render_summary(samples.REGRESSION, template=template) == render_summary(samples.REGRESSION)


class TestRefused:
    @pytest.mark.parametrize(
        ("source", "line", "complaint"),
        [
            ("hello", 1, 'a template begins with {% extends "summary.md.j2" %}'),
            ('{% extends "/etc/passwd" %}', 1, "a template begins with"),
            ('\n{% extends "summary.md.j2" %}', 1, "a template begins with"),
            ('{% extends "summary.md.j2" %}\n{% extends "summary.md.j2" %}', 2, "Extends is more than"),
            (filled("", "whyy"), 2, "there is no block 'whyy' to fill; there are context, doubts,"),
            (filled("\n{{ repot }}"), 3, "there is no 'repot'; there are called,"),
            (filled("\n{% if %}"), 3, "Expected an expression"),
            (filled("{{ verdict | safe }}"), 2, "No filter named 'safe'"),
            (filled("{{ verdict | code | replace('`', '') }}"), 2, "No filter named 'replace'"),
            (filled("{{ 'a' ~ verdict }}"), 2, "Concat is more than a template may do here"),
            (filled("{{ verdict + 'a' }}"), 2, "Add is more than"),
            (filled("{{ 'a' * 1000000000 }}"), 2, "Mul is more than"),
            (filled("{{ 9 ** 999999999 }}"), 2, "Pow is more than"),
            (filled("{{ [verdict] }}"), 2, "List is more than"),
            (filled("{{ {1: 2} }}"), 2, "Dict is more than"),
            (filled("{% include 'sections.md.j2' %}"), 2, "Include is more than"),
            (filled("{% import 'sections.md.j2' as x %}"), 2, "Import is more than"),
            (filled("{% macro m() %}{% endmacro %}"), 2, "Macro is more than"),
            (filled("{% set x %}a{% endset %}"), 2, "AssignBlock is more than"),
            (filled("{% autoescape false %}a{% endautoescape %}"), 2, "is more than"),
            (filled("{{ range(9) }}"), 2, "only these can be called"),
            (filled("{{ range }}"), 2, "there is no 'range'"),
            (filled("it`s {{ verdict }}"), 2, "a backtick is closed on its line and before the next tag"),
            (filled("\n```\n{{ verdict }}\n```\n"), 3, "for more lines there is `fenced`"),
            (filled("<b>{{ verdict }}</b>"), 2, "the only HTML here is"),
            (filled("<!-- {{ verdict }}"), 2, "the only HTML here is"),
            (filled("<summary>{{ verdict }}</summary>"), 2, "the only HTML here is"),
            (filled("<details><summary>x</summary>\n{{ verdict }}"), 2, "with an empty line behind"),
            (filled("{{ report.__class__() }}"), 2, "only these can be called: cause_text,"),
            (filled("{{ _rounds }}"), 2, "there is no '_rounds'"),
            (filled("{% set _rounds = 1 %}"), 2, "there is no '_rounds'"),
            (filled("{% set x = (verdict, verdict) %}"), 2, "a tuple here is made of constants"),
            (filled("{{ (verdict | code)[1:] }}"), 2, "nothing is cut here"),
            (filled("{{ report in report.verdicts }}"), 2, "what stands right of `in` is a constant"),
            (filled("{% for x in report.why recursive %}{% endfor %}"), 2, "a loop cannot be recursive"),
            ("x" * 64_001, None, "a template has at most 64000 characters, found 64001"),
        ],
    )
    def test_before_anything_is_measured(self, layout, source, line, complaint):
        """What a template may not say is refused when it is read, with file, line and what there is instead."""
        with pytest.raises(UsageError) as raised:
            layout(source)
        assert re.search(rf"own\.md\.j2:{f'{line}:' if line else ''} ", str(raised.value))
        assert complaint in str(raised.value)

    @pytest.mark.parametrize(
        ("body", "line", "complaint"),
        [
            ("\n\n{{ report.wy }}", 4, "has no attribute 'wy'"),
            ("\n{{ report.__class__ }}", 3, "access to attribute '__class__' of 'Report' object is unsafe"),
            ("\n{{ (verdict | code)[0] }}", 3, "access to attribute '0' of 'Markup' object is unsafe"),
            ("\n{{ report.why[7].sentence }}", 3, "has no element 7"),
            ("\n{{ 5 | length }}", 3, "has no len()"),
            ("\n{{ sides_text() }}", 3, "missing 1 required positional argument"),
        ],
    )
    def test_while_it_is_used(self, layout, body, line, complaint):
        """What goes wrong with a report is an error with file and line, too."""
        with pytest.raises(UsageError, match=rf"own\.md\.j2:{line}: .*{re.escape(complaint)}"):
            render_summary(samples.REGRESSION, template=layout(filled(body)))

    def test_a_file_that_is_none(self, tmp_path):
        """A template that is not there, or is no text, is refused with its name."""
        (tmp_path / "bytes").write_bytes(b"\xff")
        for name, complaint in (("none", "No such file"), ("bytes", "it is not UTF-8")):
            with pytest.raises(UsageError, match=f"{name}: cannot read the template: {complaint}"):
                read_template(tmp_path / name)

    def test_loops_end(self, layout):
        """Loops inside loops are given up after as many rounds as are allowed in all, printing or not."""
        loops = "{% for a in report.verdicts %}" * 9 + "{% endfor %}" * 9
        with pytest.raises(UsageError, match="its loops make more than 20000 rounds"):
            render_summary(samples.REGRESSION, template=layout(filled(loops)))


class TestLimits:
    def test_words_that_do_not_fit(self, layout):
        """Where a template's own words do not fit, the summary is laid out as if there were none."""
        every = "{% for row in report.verdicts %}\n{{ row.benchmark }}{{ row.metric }}\n{% endfor %}"
        report = samples.large(200, 20)
        assert render_summary(report, template=layout(filled(every))) == render_summary(report)

    def test_a_section_shown_twice(self, layout):
        """Sections that are shown again and again do not break the limit."""
        template = layout(filled("{{ sections.all }}{{ sections.all }}", "all"))
        text = render_summary(samples.GOLDEN["large"], template=template)
        assert len(text.encode()) <= COMMENT_BYTES

    def test_sections_leave_room(self, layout):
        """Sections are cut to what a template's own words leave."""
        template = layout(filled("\n" + "word " * 8_000 + "\n", "end"))
        text = render_summary(samples.GOLDEN["large"], template=template)
        assert COMMENT_BYTES - 1_000 < len(text.encode()) <= COMMENT_BYTES
        assert "word " * 8_000 in text


class TestHarmless:
    @pytest.mark.parametrize(
        "expression",
        [
            "{{ row.benchmark }}",
            "{{ row.benchmark | default('x') }}",
            "{{ row.benchmark | lower }}",
            "{{ row['benchmark'] }}",
            "`a`{{ row.benchmark }}`b`{{ row.benchmark }}",
            "<details><summary>Names</summary>\n\n{{ row.benchmark }}\n\n</details>\n\n",
            "{% for character in row.benchmark %}{{ character }} {% endfor %}",
            "{% for character in row.benchmark | code %}{{ character }} {% endfor %}",
            "{{ row.warnings | join(row.benchmark) }}{{ row.benchmark | join(', ') }}",
            "{% set name = row.benchmark %}{{ name }}",
            "{{ row.benchmark if row else '' }}",
            "{{ row }}",
            "{{ place_text(row) | prose }} {{ row.benchmark | prose }}",
        ],
    )
    def test_names_that_no_filter_saw(self, layout, expression):
        """However a template prints a name, nothing of it is more than text in a code span."""
        template = layout(filled(f"\n\n{{% for row in report.verdicts %}}{expression}{{% endfor %}}\n"))
        page = Page(render_summary(HOSTILE, template=template).partition("<details><summary>All")[0])
        assert set(page.tags) <= {
            "h3",
            "p",
            "code",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "ul",
            "li",
            "details",
            "summary",
        }
        assert not re.search(r"[@<>`|]", page.text)

    @settings(max_examples=50)
    @given(any_report(names))
    def test_any_report(self, report):
        """The documented template keeps any report harmless, too."""
        page = Page(render_summary(report, template=documented()))
        assert not re.search(r"[@#<>&*_~$|\\`]|://|www\.", page.text)


class TestDocumented:
    def test_every_block_has_a_row(self):
        """The page names each block, and no other."""
        rows = re.findall(
            r"^\| (`[\w`, ]+`) \|", PAGE.read_text(encoding="utf-8").partition("## What a")[0], re.M
        )
        assert [name for row in rows for name in re.findall(r"\w+", row)] == list(blocks())

    @pytest.mark.parametrize(
        "name", sorted({*GIVEN, *CALLED, *environment().filters, "called"} - {"counted", "sections"})
    )
    def test_everything_is_named(self, name):
        """The page names everything that a template may use."""
        assert re.search(rf"`{name}\b", PAGE.read_text(encoding="utf-8").partition("## What a")[2])


def test_the_sink_says_what_is_wrong(tmp_path, layout):
    """The summary sink raises the template's error, and leaves no file behind."""
    template = layout(filled("{{ report.wy }}"))
    with pytest.raises(UsageError, match=r"own\.md\.j2:2"):
        Summary(path=tmp_path / "summary.md", template=template).write(samples.GREEN)
    assert not (tmp_path / "summary.md").exists()


def test_a_template_is_compiled_with_its_own_name():
    """Two templates with the same text are told apart by their paths."""
    one, other = (UserTemplate(path=path, source=filled("{{ report.wy }}")) for path in ("one", "other"))
    for template in (one, other):
        with pytest.raises(UsageError, match=f"^{template.path}:2"):
            render_summary(samples.GREEN, template=template)
