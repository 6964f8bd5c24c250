"""The page as a parser of HTML sees it; what a browser makes of it is in `test_page_browser`."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
import sample_html
import sample_reports as samples
from hostile import any_report, names
from hypothesis import given, settings

from pytest_gotrace import page
from pytest_gotrace.page import render_page
from pytest_gotrace.report import gravity
from pytest_gotrace.sentences import events_text, trace_text

#: All the HTML there may be.
TAGS = {
    *("html", "head", "meta", "title", "style", "noscript", "body", "header", "main", "section", "article"),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "a",
        "b",
        "br",
        "wbr",
        "code",
        "pre",
        "span",
        "div",
    ),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "script"),
    *("form", "label", "input", "fieldset", "legend", "output", "button"),
}


class Parsed(HTMLParser):
    """Tags with their attributes, scripts, and all visible text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.scripts, self.text, self._inside = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag in ("script", "style"):
            self._inside.append(tag)

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.text.append(data)
        elif self._inside[-1] == "script":
            self.scripts.append(data)


@cache
def parsed(name):
    """The page of one of the samples."""
    return Parsed(render_page(getattr(samples, name)))


def sections(found):
    """The headings of the page."""
    return re.findall(r'<h2 id="[a-z]+">(.*?)</h2>', found)


def data_of(text):
    """What the page's script will unpack."""
    packed = re.search(r'<script type="text/plain" id="data">([\w+/=]*)</script>', text)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


@settings(derandomize=True, max_examples=12, deadline=None)
@given(any_report(names))
def test_any_report(report):
    """However things are called, there is no tag, no script and no handler but ours."""
    found = Parsed(render_page(report))
    assert set(found.tags) <= TAGS
    assert found.tags.count("script") == 3
    assert found.tags.count("style") == 2
    assert not [name for _, name, _ in found.attributes if name.startswith("on") or name == "src"]
    assert {value for _, name, value in found.attributes if name == "href"} == {"#metrics"}
    shown = "".join(found.text).replace("\n", "").replace("\t", "")
    assert shown.isprintable()


def test_hostile_names_are_shown():
    """A name that is HTML, a template or an entity is on the page letter by letter."""
    text = "".join(Parsed(render_page(sample_html.hostile())).text)
    for name in sample_html.HOSTILE[:-1]:
        assert name in text
    assert r"\u{202e}drowkcab\u{2028}\u{2029}\u{0}\u{1b}[31m" in text


class TestPolicy:
    def test_only_our_scripts(self):
        """The policy forbids everything but styles of the file and two scripts, the page's own and plotly, by hash."""
        found = parsed("GREEN")
        policy = dict(
            part.strip().split(" ", 1)
            for part in next(
                value for _, name, value in found.attributes if name == "content" and "src" in value
            ).split(";")
        )
        library, _, own = found.scripts
        plotly = gzip.decompress(base64.b64decode(library)).decode()
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (own, plotly)]
        assert policy == {
            "default-src": "'none'",
            "script-src": " ".join(f"'sha256-{text}'" for text in hashes),
            "style-src": "'unsafe-inline'",
            "base-uri": "'none'",
            "form-action": "'none'",
        }

    def test_nothing_has_an_address(self):
        """Neither styles nor our script name anything outside of the file."""
        for name in ("report.css", "report.js"):
            assert not re.search(r"https?:|//[a-z]|url\(|@import|</script|<!--", page._source(name))


class TestOrder:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("GREEN", ["All metrics"]),
            ("REGRESSION", ["What is wrong, and why", "All metrics"]),
            ("UNDECIDED", ["Inconclusive", "All metrics"]),
            ("BROKEN", ["What is wrong, and why", "Failures", "All metrics"]),
        ],
    )
    def test_sections(self, name, expected):
        """What needs a person comes first, and a section with nothing in it is not there."""
        text = render_page(getattr(samples, name))
        assert sections(text) == [*expected, "How the numbers came about", "Reproduce"]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("GREEN", "Passes: 2 within, 1 identical"),
            ("REGRESSION", "Does not pass: 3 over"),
            ("UNDECIDED", "Needs a look: 1 inconclusive"),
        ],
    )
    def test_title(self, name, said):
        """The title of the window says whether the change passes, and the counts."""
        assert f"<title>{said}" in render_page(getattr(samples, name))

    def test_what_blocks_comes_first(self):
        """What blocks stands before what only warns or was accepted, and larger increases before smaller."""
        rows = [
            replace(samples.OVER, metric="small", change=samples.around(0.2, 0.1)),
            replace(samples.OVER, metric="warned", level="warn"),
            replace(samples.WAIVED, metric="waived"),
            replace(samples.OVER, metric="large", change=samples.around(0.9, 0.1)),
            samples.WITHIN,
            replace(samples.FAILED, metric="failed"),
        ]
        assert [row.metric for row in sorted(rows, key=gravity)] == [
            *("large", "small", "failed"),
            *("warned", "waived", samples.WITHIN.metric),
        ]


def test_the_why():
    """Sentence, diagnosis, advice, lines with their mark, wakers and commands are on the page."""
    text = " ".join("".join(parsed("REGRESSION").text).split())
    plain = [samples.WHY.sentence.replace("`", ""), samples.WHY.diagnosis, samples.WHY.advice]
    for part in (*plain, *samples.WHY.commands, "pool/pool.go:41", "in goroutines of"):
        assert part in text
    assert text.count("in this change") == 2  # in the sentence, and at the line


def test_the_page_speaks_like_the_summary():
    """What a total is made of, what a trace is kept for, and what is only required, are said in the same words."""
    found = render_page(samples.AMOUNTS)
    text = " ".join("".join(Parsed(found).text).split())
    for trace in samples.TRACES:
        assert f"{trace.path}: {trace_text(trace).replace('`', '')}" in text
    assert "as required" in text
    said = [
        text for metric in data_of(found)["metrics"] for label, text in metric["facts"] if label == "made of"
    ]
    assert said == [events_text(samples.MORE)]


def test_a_doubt_stands_beside_its_verdict():
    """What is doubtful about a number over its budget is said where the number is, and not only where it is opened."""
    entry = replace(samples.OVER, reason="beyond its budget", warnings=("the runs `drift`",))
    text = render_page(replace(samples.REGRESSION, verdicts=(entry,)))
    assert text.count("the runs <code>drift</code>") == 1
    assert "beyond its budget" not in text


def test_sides_have_their_names():
    """Which revision is the base and which the head is said in these words, for all columns are called so."""
    text = " ".join("".join(parsed("REGRESSION").text).split())
    assert "base main 1f0e1f0e1f head working tree 9ab39ab39a with uncommitted changes" in text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("handler/BenchmarkHandler/size=10", ["handler/", "BenchmarkHandler/", "size=", "10"]),
        ("sync-block[chan send].total", ["sync-block", "[chan send]", ".total"]),
        ("pool.(*Pool).Settle.func2", ["pool.", "(*Pool).", "Settle.func2"]),
        ("pool/pool.go:50", ["pool/", "pool.go:50"]),
        ("a<b>/c", ["a&lt;b&gt;/", "c"]),
    ],
)
def test_where_a_name_is_broken(name, parts):
    """A name that has to be broken is broken between its parts, and is text all the same."""
    assert page._name(name) == f"<code>{'<wbr>'.join(parts)}</code>"


def test_figures_of_the_gravest_alone(monkeypatch):
    """Of a report too large for a page the gravest rows have figures, and all of them facts."""
    monkeypatch.setattr(page, "MOST_FIGURES", 3)
    metrics = data_of(render_page(sample_html.rich(10, 2)))["metrics"]
    assert [len(metric["figures"]) for metric in metrics] == [2] * 3 + [0] * 17
    assert all(metric["facts"] for metric in metrics)


def test_fifty_benchmarks_fit():
    """Fifty benchmarks with ten metrics, all with their runs and quantiles, are at most 5 MB."""
    assert 2_000_000 < len(render_page(sample_html.rich()).encode()) <= 5_000_000
